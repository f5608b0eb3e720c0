//! Writing a batch: one statement for each table, handed over all at once together with the commit,
//! so that all of it is one exchange.

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use tokio_postgres::types::ToSql;

use super::apply::{NewVersion, Pending};
use crate::{listen::CHANNEL, rows::signed, trouble::Trouble};

pub(crate) const VERSIONS: &str = "
INSERT INTO milepost.versions (row, replaced, modified, collection, parent, id, digest, body)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::text[], $6::text[],
    $7::bytea[], $8::bytea[])";
pub(crate) const ADDED: &str = "
INSERT INTO milepost.keys (row, collection, deleted, parent, id)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::boolean[], $4::text[], $5::text[])";
/// By where the rows lie: they were read in the same transaction, and nobody else may write them.
const MOVED: &str = "
UPDATE milepost.keys k SET row = n.row, deleted = n.deleted
FROM unnest($1::tid[], $2::bigint[], $3::boolean[]) AS n (place, row, deleted) WHERE k.ctid = n.place";
const ENDED: &str = "
UPDATE milepost.entries e SET until = n.until
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS n (index_number, parent, id, until)
WHERE e.index_number = n.index_number AND e.parent = n.parent AND e.id = n.id
    AND e.until = 9223372036854775807";
const ENTRIES: &str = "
INSERT INTO milepost.entries
SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])";
const TEXTS: &str = "
INSERT INTO milepost.texts
SELECT index_number, parent, id, row, string_to_array(words, ' ')
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[]) AS n (index_number, parent, id, row, words)
ON CONFLICT (index_number, parent, id) DO UPDATE SET row = excluded.row, words = excluded.words";
const NO_TEXTS: &str = "
DELETE FROM milepost.texts t
USING unnest($1::bigint[], $2::text[], $3::text[]) AS n (index_number, parent, id)
WHERE t.index_number = n.index_number AND t.parent = n.parent AND t.id = n.id";
const MADE: &str = "
INSERT INTO milepost.collections (number, name, digest)
SELECT number, name, '' FROM unnest($1::integer[], $2::text[]) AS n (number, name)";
const INDEXES: &str = "
INSERT INTO milepost.indexes (collection, number, name, stands_for, declared, is_complete)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::boolean[])";
const DROPPED: &str = "UPDATE milepost.indexes SET is_dropped = true WHERE number = ANY($1)";
/// What every batch writes beside its versions, at once, and tells.
const CLOSING: &str = "
WITH counted AS (
    UPDATE milepost.collections c SET head = n.head, defined_at = n.defined_at, live = n.live,
        history_count = n.history_count, history_bytes = n.history_bytes,
        tombstone_count = n.tombstone_count, digest = n.digest
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[])
        AS n (name, head, defined_at, live, history_count, history_bytes, tombstone_count, digest)
    WHERE c.name = n.name
), stored AS (
    UPDATE milepost.store SET head = $9, epoch = $10, indexes_made = $11 WHERE one
), numbered AS (
    UPDATE milepost.sequencers SET batch = $13, seen = now() WHERE sequencer = $12
)
SELECT pg_notify($14, $15)";

type Column<'p> = Box<dyn ToSql + Sync + Send + 'p>;

/// A statement, a column for each of its values, and how many rows these have.
struct Statement<'p> {
    sql: &'static str,
    rows: usize,
    columns: Vec<Column<'p>>,
}

/// Writes and commits a batch.
pub(super) async fn flush(
    client: &ClientWrapper,
    pending: &Pending,
    sequencer: i64,
    batch: i64,
) -> Result<(), Trouble> {
    let statements = statements(pending, sequencer, batch);
    let mut prepared = Vec::with_capacity(statements.len());
    for statement in &statements {
        prepared.push(client.prepare_cached(statement.sql).await?);
    }
    let mut writing: Vec<BoxFuture<'_, Result<(), Trouble>>> = Vec::new();
    for (prepared, statement) in prepared.iter().zip(&statements) {
        writing.push(carry_out(client, prepared, statement).boxed());
    }
    writing.push(commit(client).boxed());
    // In this order each is handed over when it is first looked at.
    let written = try_join_all(writing).await;
    written.map(|_| ())
}

async fn commit(client: &ClientWrapper) -> Result<(), Trouble> {
    Ok(client.batch_execute("COMMIT").await?)
}

async fn carry_out(
    client: &ClientWrapper,
    prepared: &tokio_postgres::Statement,
    statement: &Statement<'_>,
) -> Result<(), Trouble> {
    let columns = statement.columns.iter();
    let columns: Vec<&(dyn ToSql + Sync)> = columns.map(|column| &**column as _).collect();
    // Asked as a question, as one of them does what it does by being asked.
    client.query(prepared, &columns).await?;
    Ok(())
}

fn statements(pending: &Pending, sequencer: i64, batch: i64) -> Vec<Statement<'_>> {
    let mut statements = vec![made(pending), versions(pending)];
    statements.extend(newest(pending));
    statements.extend([ended(pending), entries(pending)]);
    statements.extend(texts(pending));
    statements.extend(indexes(pending));
    statements.retain(|statement| statement.rows > 0);
    statements.push(closing(pending, sequencer, batch));
    statements
}

/// A value of each row, in the order of rows.
fn column<'p, T: ToSql + Sync + Send + 'p>(values: impl Iterator<Item = T>) -> Column<'p> {
    Box::new(values.collect::<Vec<T>>())
}

fn made(pending: &Pending) -> Statement<'_> {
    let made = pending.made_collections.iter();
    Statement {
        sql: MADE,
        rows: made.len(),
        columns: vec![
            column(made.clone().map(|(number, _)| *number)),
            column(made.map(|(_, path)| path.as_str())),
        ],
    }
}

fn versions(pending: &Pending) -> Statement<'_> {
    let new = || pending.versions.iter();
    let digest = |new: &'_ NewVersion| new.digest.map(|digest| digest.to_vec());
    Statement {
        sql: VERSIONS,
        rows: pending.versions.len(),
        columns: vec![
            column(new().map(|new| new.row)),
            column(new().map(|new| new.replaced)),
            column(new().map(|new| signed(new.modified.0))),
            column(new().map(|new| new.collection)),
            column(new().map(|new| new.key.parent.as_str())),
            column(new().map(|new| new.key.id.as_str())),
            column(new().map(digest)),
            column(new().map(|new| new.body.as_deref())),
        ],
    }
}

/// The rows of `keys`: those that were there, and new ones.
fn newest(pending: &Pending) -> [Statement<'_>; 2] {
    let places = &pending.held.places;
    let (mut moved, mut added) = (Vec::new(), Vec::new());
    for (key, newest) in &pending.newest {
        match places.get(key) {
            Some(place) => moved.push((*place, newest)),
            None => added.push((key, newest)),
        }
    }
    let moved = Statement {
        sql: MOVED,
        rows: moved.len(),
        columns: vec![
            column(moved.iter().map(|(place, _)| *place)),
            column(moved.iter().map(|(_, newest)| newest.row)),
            column(moved.iter().map(|(_, newest)| newest.is_deleted)),
        ],
    };
    let added = Statement {
        sql: ADDED,
        rows: added.len(),
        columns: vec![
            column(added.iter().map(|(_, newest)| newest.row)),
            column(added.iter().map(|(_, newest)| newest.collection)),
            column(added.iter().map(|(_, newest)| newest.is_deleted)),
            column(added.iter().map(|(key, _)| key.parent.as_str())),
            column(added.iter().map(|(key, _)| key.id.as_str())),
        ],
    };
    [moved, added]
}

fn ended(pending: &Pending) -> Statement<'_> {
    let ended = || pending.ended.iter();
    Statement {
        sql: ENDED,
        rows: pending.ended.len(),
        columns: vec![
            column(ended().map(|(index, _, _)| *index)),
            column(ended().map(|(_, key, _)| key.parent.as_str())),
            column(ended().map(|(_, key, _)| key.id.as_str())),
            column(ended().map(|(_, _, row)| *row)),
        ],
    }
}

fn entries(pending: &Pending) -> Statement<'_> {
    let new = || pending.entries.iter();
    Statement {
        sql: ENTRIES,
        rows: pending.entries.len(),
        columns: vec![
            column(new().map(|new| new.index)),
            column(new().map(|new| new.value.as_slice())),
            column(new().map(|new| new.key.parent.as_str())),
            column(new().map(|new| new.key.id.as_str())),
            column(new().map(|new| new.since)),
            column(new().map(|new| new.until)),
        ],
    }
}

fn texts(pending: &Pending) -> [Statement<'_>; 2] {
    let (mut written, mut gone) = (Vec::new(), Vec::new());
    for ((index, key), words) in &pending.texts {
        match words {
            Some((row, words)) => written.push((*index, key, *row, words.as_str())),
            None => gone.push((*index, key)),
        }
    }
    let written = Statement {
        sql: TEXTS,
        rows: written.len(),
        columns: vec![
            column(written.iter().map(|(index, ..)| *index)),
            column(written.iter().map(|(_, key, ..)| key.parent.as_str())),
            column(written.iter().map(|(_, key, ..)| key.id.as_str())),
            column(written.iter().map(|(.., row, _)| *row)),
            column(written.iter().map(|(.., words)| *words)),
        ],
    };
    let gone = Statement {
        sql: NO_TEXTS,
        rows: gone.len(),
        columns: vec![
            column(gone.iter().map(|(index, _)| *index)),
            column(gone.iter().map(|(_, key)| key.parent.as_str())),
            column(gone.iter().map(|(_, key)| key.id.as_str())),
        ],
    };
    [written, gone]
}

fn indexes(pending: &Pending) -> [Statement<'_>; 2] {
    let new = || pending.made_indexes.iter();
    let made = Statement {
        sql: INDEXES,
        rows: pending.made_indexes.len(),
        columns: vec![
            column(new().map(|(collection, _)| *collection)),
            column(new().map(|(_, index)| index.number)),
            column(new().map(|(_, index)| index.name.as_str())),
            column(new().map(|(_, index)| index.stands_for.as_str())),
            column(new().map(|(_, index)| index.declared)),
            column(new().map(|(_, index)| index.is_complete)),
        ],
    };
    let dropped = Statement {
        sql: DROPPED,
        rows: pending.dropped_indexes.len(),
        columns: vec![column(pending.dropped_indexes.iter().copied())],
    };
    [made, dropped]
}

/// Counters, the head, the batch's number, and the news of all that.
fn closing(pending: &Pending, sequencer: i64, batch: i64) -> Statement<'_> {
    let counters = &pending.held.counters;
    let paths = pending.changed.iter();
    let changed: Vec<_> = paths
        .filter_map(|path| Some((path, counters.get(path)?)))
        .collect();
    let of = || changed.iter().map(|(_, of)| *of);
    let catalog = &pending.held.catalog;
    let head = signed(pending.head);
    Statement {
        sql: CLOSING,
        rows: 1,
        columns: vec![
            column(changed.iter().map(|(path, _)| path.as_str())),
            column(of().map(|of| signed(of.head))),
            column(of().map(|of| signed(of.defined_at))),
            column(of().map(|of| signed(of.live))),
            column(of().map(|of| signed(of.history_count))),
            column(of().map(|of| signed(of.history_bytes))),
            column(of().map(|of| signed(of.tombstone_count))),
            column(of().map(|of| of.digest.to_bytes().to_vec())),
            Box::new(head),
            Box::new(catalog.epoch),
            Box::new(catalog.indexes_made),
            Box::new(sequencer),
            Box::new(batch),
            Box::new(CHANNEL),
            Box::new(format!("{head} {}", catalog.epoch)),
        ],
    }
}
