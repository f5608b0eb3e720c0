//! Changes since a position: what is asked for is checked, what happened is read, a page's end is
//! chosen (`telling`) by the rule that all backends share, and what is told is read in full.

mod telling;
mod verdicts;

use milepost_store::{
    Changed, ChangesPage, ChangesQuery, CollectionPath, Feed, ReadError, TRANSACTIONS, Version,
    backend::{Bounds, undeclared_among},
};

use self::telling::{Happened, Telling, Verdict};
use crate::{
    catalog::{Catalog, Collection},
    read,
    rows::{self, last_row_of, sequence_of},
    shared::Shared,
    trouble::Trouble,
    view::{Remembered, View},
};

const COLUMNS: &str = "v.collection, v.row, v.parent, v.id, octet_length(v.body), v.replaced";

/// A question that can be answered, and from where on.
struct Asked<'q> {
    query: &'q ChangesQuery,
    /// The collections that are told of.
    collections: Vec<&'q Collection>,
    since: u64,
    head: u64,
    floors: Remembered,
    oldest: u64,
    bounds: Bounds,
}

/// Answers a question for changes.
pub(crate) async fn changes(
    shared: &Shared,
    query: &ChangesQuery,
) -> Result<ChangesPage, ReadError> {
    answer(View::open(shared).await?, query).await
}

/// Answers a question for changes as of a moment, and ends that.
pub(crate) async fn answer(view: View, query: &ChangesQuery) -> Result<ChangesPage, ReadError> {
    let catalog = std::sync::Arc::clone(&view.catalog);
    let page = match &query.feed {
        Feed::Collection {
            collection,
            filters,
            ..
        } => {
            let definition = catalog.defined(collection)?;
            if collection.as_str() == TRANSACTIONS {
                return Err(ReadError::CollectionNotDefined {
                    collection: collection.clone(),
                });
            }
            let names = undeclared_among(filters.iter().map(|filter| &filter.index), &definition);
            if !names.is_empty() {
                return Err(ReadError::Undeclared {
                    collection: collection.clone(),
                    names,
                });
            }
            let remembered = view.remembered(collection).await?;
            let collections = catalog.collections.get(collection);
            let collections = collections.map(AsRef::as_ref).into_iter().collect();
            asked(&view, query, collections, remembered, remembered.head)?
        }
        Feed::Everything => {
            let (told, floors) = (of_everything(&catalog), highest(&view).await?);
            asked(&view, query, told, floors, view.head)?
        }
    }
    .page(&view)
    .await?;
    view.end()?;
    Ok(page)
}

/// Whether what came after a position would still be told, by what was known when the node was last
/// brought up to date.
pub(crate) fn tells(shared: &Shared, query: &ChangesQuery) -> bool {
    let (catalog, head) = (shared.catalog(), shared.head().sequence());
    let told = match &query.feed {
        Feed::Collection { collection, .. } => {
            if catalog.definitions.of(collection).is_none() {
                return false;
            }
            let found = catalog.collections.get(collection);
            found.map(AsRef::as_ref).into_iter().collect()
        }
        Feed::Everything => of_everything(&catalog),
    };
    let floors = told.iter().map(|found| found.floors);
    let floors = floors.fold(Remembered::default(), |highest, floors| Remembered {
        history_floor: highest.history_floor.max(floors.history),
        tombstone_floor: highest.tombstone_floor.max(floors.tombstones),
        ..highest
    });
    let since = catalog.lineage.sequence(query.since, head);
    since.is_some_and(|since| since >= oldest(query, &told, floors))
}

/// The collections that are told of together.
fn of_everything(catalog: &Catalog) -> Vec<&Collection> {
    let collections = catalog.collections.values().map(AsRef::as_ref);
    collections
        .filter(|collection: &&Collection| collection.path.as_str() != TRANSACTIONS)
        .collect()
}

/// The highest floors of all collections that are told of.
async fn highest(view: &View) -> Result<Remembered, Trouble> {
    let sql = "SELECT coalesce(max(history_floor), 0), coalesce(max(tombstone_floor), 0)
               FROM milepost.collections WHERE name <> $1";
    let client = view.client()?;
    let statement = client.prepare_cached(sql).await?;
    let row = client.query_one(&statement, &[&TRANSACTIONS]).await?;
    Ok(Remembered {
        history_floor: rows::unsigned(row.try_get(0)?),
        tombstone_floor: rows::unsigned(row.try_get(1)?),
        ..Remembered::default()
    })
}

fn asked<'q>(
    view: &View,
    query: &'q ChangesQuery,
    collections: Vec<&'q Collection>,
    floors: Remembered,
    head: u64,
) -> Result<Asked<'q>, ReadError> {
    let oldest = oldest(query, &collections, floors);
    let since = view
        .lineage()
        .sequence(query.since, view.head)
        .filter(|since| *since >= oldest)
        .ok_or_else(|| ReadError::Expired {
            oldest: view.position(oldest),
        })?;
    Ok(Asked {
        query,
        collections,
        since,
        head: head.max(since),
        floors,
        oldest,
        bounds: Bounds::of(query.limit, query.feed.is_partial()),
    })
}

/// From where on the answer is complete.
fn oldest(query: &ChangesQuery, collections: &[&Collection], floors: Remembered) -> u64 {
    let kept = if query.versions {
        floors.history_floor.max(floors.tombstone_floor)
    } else {
        floors.tombstone_floor
    };
    let Feed::Collection { filters, .. } = &query.feed else {
        return kept;
    };
    let declared = filters.iter().filter_map(|filter| {
        let index = collections.first()?.index(&filter.index)?;
        Some(sequence_of(index.declared))
    });
    declared.fold(kept, u64::max)
}

impl Asked<'_> {
    async fn page(self, view: &View) -> Result<ChangesPage, ReadError> {
        let happened = self.happened(view).await?;
        let few = self.few(view, happened.len()).await?;
        let mut telling = Telling::new(self.query, self.bounds, self.since, self.head);
        telling.take(happened, few);
        self.judge(view, &mut telling).await?;
        let end = telling.end();
        let closed = end < self.head;
        let is_whole = self.query.feed.is_whole_collection();
        Ok(ChangesPage {
            items: self.items(view, &telling, end).await?,
            position: view.position(end),
            closed,
            immutable: closed
                && telling.is_settled()
                && !self.query.may_be_among_few()
                && self.since >= self.floors.history_floor,
            oldest: view.position(self.oldest),
            digest: (!closed && is_whole).then_some(self.floors.digest),
        })
    }

    /// What was written after `since`, in the order of commits, one more than may be gone through.
    async fn happened(&self, view: &View) -> Result<Vec<Happened>, Trouble> {
        let sql = format!(
            "SELECT h.* FROM unnest($1::integer[]) AS asked (number)
             CROSS JOIN LATERAL (
                 SELECT {COLUMNS} FROM milepost.versions v
                 WHERE v.collection = asked.number AND v.row > $2 ORDER BY v.row LIMIT $3
             ) AS h ORDER BY h.row LIMIT $3"
        );
        let numbers: Vec<i32> = self.collections.iter().map(|found| found.number).collect();
        let most = i64::try_from(self.bounds.examined).unwrap_or(i64::MAX - 1) + 1;
        let client = view.client()?;
        let statement = client.prepare_cached(&sql).await?;
        let after = last_row_of(self.since);
        let rows = client.query(&statement, &[&numbers, &after, &most]).await?;
        rows.iter().map(Happened::of).collect()
    }

    /// What changed after `since` among one parent's children, where there are few of these: then
    /// it does not matter how much was written elsewhere.
    async fn few(&self, view: &View, happened: usize) -> Result<Option<Vec<Happened>>, Trouble> {
        let Some(parent) = self.query.feed.parent().filter(|_| !self.query.versions) else {
            return Ok(None);
        };
        let Some(collection) = self.collections.first() else {
            return Ok(None);
        };
        if happened <= self.bounds.weighed {
            // All of it is known, and no more than may be looked at.
            return Ok(None);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM milepost.keys k
             JOIN milepost.versions v ON v.collection = k.collection AND v.row = k.row
             WHERE k.collection = $1 AND k.parent = $2 LIMIT $3"
        );
        let client = view.client()?;
        let statement = client.prepare_cached(&sql).await?;
        let most = i64::try_from(self.bounds.weighed).unwrap_or(i64::MAX - 1) + 1;
        let parent = parent.as_str();
        let rows = client
            .query(&statement, &[&collection.number, &parent, &most])
            .await?;
        if rows.len() > self.bounds.weighed {
            return Ok(None);
        }
        let mut few: Vec<Happened> = rows.iter().map(Happened::of).collect::<Result<_, _>>()?;
        few.retain(|happened| happened.row > last_row_of(self.since));
        few.sort_by_key(|happened| happened.row);
        Ok(Some(few))
    }

    /// The page's items: what is told, in full.
    async fn items(
        &self,
        view: &View,
        telling: &Telling<'_>,
        end: u64,
    ) -> Result<Vec<Changed>, Trouble> {
        let told = telling.items(end);
        let rows: Vec<(i32, i64)> = told
            .iter()
            .map(|(happened, _)| (happened.collection, happened.row))
            .collect();
        let mut versions = read::of_rows(view, &rows).await?;
        let mut items = Vec::with_capacity(told.len());
        for (happened, verdict) in told {
            let Some(version) = versions.remove(&happened.row) else {
                continue;
            };
            let version = match verdict {
                Verdict::Shown => version,
                Verdict::Left | Verdict::Hidden => Version {
                    body: None,
                    ..version
                },
            };
            let path = self.path(happened.collection)?;
            items.push(Changed {
                key: rows::key(path, &happened.parent, &happened.id)?,
                version,
            });
        }
        Ok(items)
    }

    fn path(&self, number: i32) -> Result<&CollectionPath, Trouble> {
        let found = self.collections.iter().find(|found| found.number == number);
        found.map(|found| &found.path).ok_or(Trouble::Malformed {
            what: "a version of an unknown collection".to_owned(),
        })
    }
}
