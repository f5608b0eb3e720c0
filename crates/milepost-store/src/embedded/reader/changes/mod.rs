//! Pages of changes: what became of resources since a position.
//!
//! The log tells which versions a page is about, and where it may end ([`scan`]); each of these is
//! then read once, in the order of commits ([`page`]), and told as what it is to whoever follows
//! ([`tell`]). Where most of what was written is told, the log is left out ([`straight`]). All of it, floors
//! included, is seen in one view of the database. Whether there is anything to tell at all takes no disk
//! ([`asked`]).

mod asked;
mod page;
mod scan;
mod straight;
mod subject;
mod tell;

use rusqlite::Connection;

pub(in crate::embedded) use self::asked::Asked;
use self::{scan::Scan, subject::Subject};
use super::{super::Shared, snapshot::Snapshot};
use crate::{ChangesPage, ChangesQuery, Feed, ReadError, page_end::Bounds};

/// A question, and what it is answered from.
struct Telling<'q, 's> {
    query: &'q ChangesQuery,
    snapshot: &'s Snapshot<'s>,
    subject: Subject<'q>,
    since: u64,
    head: u64,
    bounds: Bounds,
}

/// A page.
pub(in crate::embedded) fn changes(
    db: &Connection,
    shared: &Shared,
    query: &ChangesQuery,
) -> Result<ChangesPage, ReadError> {
    let snapshot = Snapshot::begin(db, shared)?;
    let telling = Telling::new(query, &snapshot)?;
    let among_few = match Scan::among_few(&telling)? {
        Some(mut scan) => telling.fill_to_head(&mut scan)?,
        None => None,
    };
    let found = match among_few {
        Some(filled) => Some(filled),
        None => telling.straight()?,
    };
    let filled = match found {
        Some(filled) => filled,
        None => telling.fill(&mut Scan::of(&telling)?)?,
    };
    let closed = filled.end < telling.head;
    let subject = &telling.subject;
    Ok(ChangesPage {
        items: filled.items,
        position: shared.lineage.position(filled.end),
        closed,
        immutable: closed
            && filled.is_settled
            && !query.may_be_among_few()
            && telling.since >= subject.floors().history,
        oldest: shared.lineage.position(subject.oldest(query.versions)),
        digest: subject.digest().filter(|_| !closed),
    })
}

impl<'q, 's> Telling<'q, 's> {
    fn new(query: &'q ChangesQuery, snapshot: &'s Snapshot<'s>) -> Result<Self, ReadError> {
        let subject = match &query.feed {
            Feed::Collection {
                collection,
                scope,
                filters,
            } => Subject::one(snapshot, collection, scope, filters)?,
            Feed::Everything => Subject::every(snapshot)?,
        };
        let head = subject.head();
        let oldest = subject.oldest(query.versions);
        let lineage = &snapshot.shared.lineage;
        let since = lineage
            .sequence(query.since, snapshot.shared.head().max(head))
            .filter(|since| *since >= oldest)
            .ok_or_else(|| ReadError::Expired {
                oldest: lineage.position(oldest),
            })?;
        Ok(Self {
            query,
            snapshot,
            subject,
            since,
            head: head.max(since),
            bounds: Bounds::of(query.limit, query.feed.is_partial()),
        })
    }
}
