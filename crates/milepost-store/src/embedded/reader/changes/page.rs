//! Filling a page: the versions that it is about are read in the order of commits, each once.

use rusqlite::{Row, Rows};

use super::{
    Telling,
    scan::{Entry, Scan, Told},
    tell::COLUMNS,
};
use crate::{Changed, ReadError, embedded::reader::unavailable, page_end::Bounds};

/// Where at least one version in so many commits is wanted, all are read in turn instead of each being
/// looked up: about what a look-up costs beside a step.
const DENSE: u64 = 8;

/// A page that is filled.
pub(super) struct Filled {
    pub(super) items: Vec<Changed>,
    pub(super) end: u64,
    /// Whether it ends there for good: what is shown to later ends may become less, and so fit one
    /// day, but not what is looked at.
    pub(super) is_settled: bool,
}

/// Whether what was read fits on a page.
enum Reading {
    Fits,
    /// The change of this commit is one too many.
    Overflows(u64),
}

/// What is on a page so far.
#[derive(Default)]
struct Shown {
    items: usize,
    bytes: usize,
}

impl Shown {
    fn take(&mut self, told: &Told) {
        if let Told::Shown(changed) = told {
            self.items += 1;
            self.bytes += changed.version.body.as_ref().map_or(0, bytes::Bytes::len);
        }
    }

    fn exceeds(&self, bounds: Bounds) -> bool {
        self.items > bounds.items || self.bytes > bounds.bytes
    }
}

impl Telling<'_, '_> {
    /// The page to the last end that fits; to the first, where none does.
    pub(super) fn fill(&self, scan: &mut Scan) -> Result<Filled, ReadError> {
        let mut before = u64::MAX;
        // What keeps the head off will keep all that come behind it off.
        let is_settled =
            !scan.ends.contains(&self.head) || scan.weight(self.head) > self.bounds.weighed;
        for end in scan.ends.clone().into_iter().rev() {
            // What overflows at one end does so at each that lies behind the change that was too much.
            if end >= before || scan.weight(end) > self.bounds.weighed {
                continue;
            }
            match self.read(scan, end, Some(self.bounds))? {
                Reading::Fits => return Ok(filled(scan, end, is_settled)),
                Reading::Overflows(sequence) => before = sequence,
            }
        }
        let end = scan.ends.first().copied().unwrap_or(self.head);
        self.read(scan, end, None)?;
        Ok(filled(scan, end, is_settled))
    }

    /// The page to the head, if that fits.
    pub(super) fn fill_to_head(&self, scan: &mut Scan) -> Result<Option<Filled>, ReadError> {
        match self.read(scan, self.head, Some(self.bounds))? {
            Reading::Fits => Ok(Some(filled(scan, self.head, false))),
            Reading::Overflows(_) => Ok(None),
        }
    }

    fn read(
        &self,
        scan: &mut Scan,
        end: u64,
        bounds: Option<Bounds>,
    ) -> Result<Reading, ReadError> {
        let wanted: Vec<usize> = scan.wanted(end).collect();
        if is_dense(&scan.entries, &wanted) {
            self.read_all(&mut scan.entries, &wanted, bounds)
        } else {
            self.look_up_each(&mut scan.entries, &wanted, bounds)
        }
    }

    /// Steps over all versions from the first that is wanted on.
    fn read_all(
        &self,
        entries: &mut [Entry],
        wanted: &[usize],
        bounds: Option<Bounds>,
    ) -> Result<Reading, ReadError> {
        let unread = |place: &&usize| {
            let entry = entries.get(**place);
            entry.is_some_and(|entry| matches!(entry.told, Told::NotYet))
        };
        let first = wanted.iter().find(unread).and_then(|at| entries.get(*at));
        let first = first.map_or(i64::MAX, |entry| entry.row);
        let mut statement = self
            .snapshot
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM versions WHERE row >= ?1 ORDER BY row"
            ))
            .map_err(unavailable)?;
        let mut rows = statement.query([first]).map_err(unavailable)?;
        fill(entries, wanted, bounds, |entry| {
            self.step_to(&mut rows, entry)
        })
    }

    fn step_to(&self, rows: &mut Rows<'_>, entry: &Entry) -> Result<Told, ReadError> {
        while let Some(row) = rows.next().map_err(unavailable)? {
            let number: i64 = row.get(0).map_err(unavailable)?;
            if number == entry.row {
                return self.tell(entry, row);
            }
        }
        Ok(Told::Hidden)
    }

    fn look_up_each(
        &self,
        entries: &mut [Entry],
        wanted: &[usize],
        bounds: Option<Bounds>,
    ) -> Result<Reading, ReadError> {
        let mut statement = self
            .snapshot
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM versions WHERE row = ?1"))
            .map_err(unavailable)?;
        fill(entries, wanted, bounds, |entry| {
            let mut rows = statement.query([entry.row]).map_err(unavailable)?;
            let found: Option<&Row<'_>> = rows.next().map_err(unavailable)?;
            found.map_or(Ok(Told::Hidden), |row| self.tell(entry, row))
        })
    }
}

/// Reads what was not read yet, until it is too much.
fn fill(
    entries: &mut [Entry],
    wanted: &[usize],
    bounds: Option<Bounds>,
    mut read: impl FnMut(&Entry) -> Result<Told, ReadError>,
) -> Result<Reading, ReadError> {
    let mut shown = Shown::default();
    for place in wanted {
        let Some(entry) = entries.get_mut(*place) else {
            break;
        };
        if matches!(entry.told, Told::NotYet) {
            entry.told = read(entry)?;
        }
        shown.take(&entry.told);
        if bounds.is_some_and(|bounds| shown.exceeds(bounds)) {
            return Ok(Reading::Overflows(entry.sequence()));
        }
    }
    Ok(Reading::Fits)
}

fn is_dense(entries: &[Entry], wanted: &[usize]) -> bool {
    let sequence = |place: Option<&usize>| {
        let entry = place.and_then(|place| entries.get(*place));
        entry.map_or(0, Entry::sequence)
    };
    let commits = sequence(wanted.last()) - sequence(wanted.first()) + 1;
    u64::try_from(wanted.len()).is_ok_and(|wanted| wanted * DENSE >= commits)
}

fn filled(scan: &mut Scan, end: u64, is_settled: bool) -> Filled {
    let wanted: Vec<usize> = scan.wanted(end).collect();
    let mut items = Vec::with_capacity(wanted.len());
    for place in wanted {
        let entry = scan.entries.get_mut(place);
        let told = entry.map(|entry| std::mem::replace(&mut entry.told, Told::Hidden));
        if let Some(Told::Shown(changed)) = told {
            items.push(changed);
        }
    }
    Filled {
        items,
        end,
        is_settled,
    }
}
