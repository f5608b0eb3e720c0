//! Writing a batch: one statement for each table, handed over all at once together with the commit,
//! so that all of it is one exchange.

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use tokio_postgres::types::ToSql;

use super::apply::Pending;
use crate::{listen::CHANNEL, rows::signed, trouble::Trouble};

pub(crate) const VERSIONS: &str = "
INSERT INTO milepost.versions (collection, row, parent, id, replaced, modified, superseded, superseded_at, deleted, digest, body)
SELECT n.*, n_body IS NULL, n_digest, n_body FROM (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[])
        AS given (collection, row, parent, id, replaced, modified, superseded, superseded_at, n_digest, n_body)
) AS given CROSS JOIN LATERAL (
    SELECT collection, row, parent, id, replaced, modified, superseded, superseded_at) AS n";
pub(crate) const SUPERSEDED: &str = "
UPDATE milepost.versions v SET superseded = n.by, superseded_at = n.at
FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n (collection, row, by, at)
WHERE v.collection = n.collection AND v.row = n.row";
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
const COUNTERS: &str = "
UPDATE milepost.collections c SET head = n.head, defined_at = n.defined_at, live = n.live,
    history_count = n.history_count, history_bytes = n.history_bytes,
    tombstone_count = n.tombstone_count, digest = n.digest
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[])
    AS n (name, head, defined_at, live, history_count, history_bytes, tombstone_count, digest)
WHERE c.name = n.name";
const INDEXES: &str = "
INSERT INTO milepost.indexes (collection, number, name, stands_for, declared, is_complete)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::boolean[])";
const DROPPED: &str = "UPDATE milepost.indexes SET is_dropped = true WHERE number = ANY($1)";
const STORE: &str = "UPDATE milepost.store SET head = $1, epoch = $2, indexes_made = $3";
const SEQUENCER: &str =
    "UPDATE milepost.sequencers SET batch = $2, seen = now() WHERE sequencer = $1";
const NOTIFY: &str = "SELECT pg_notify($1, $2)";

type Column = Box<dyn ToSql + Sync + Send>;

/// A statement, and a column for each of its values.
struct Statement {
    sql: &'static str,
    columns: Vec<Column>,
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
    statement: &Statement,
) -> Result<(), Trouble> {
    let columns = statement.columns.iter();
    let columns: Vec<&(dyn ToSql + Sync)> = columns.map(|column| &**column as _).collect();
    // Asked as a question, as one of them does what it does by being asked.
    client.query(prepared, &columns).await?;
    Ok(())
}

fn statements(pending: &Pending, sequencer: i64, batch: i64) -> Vec<Statement> {
    // A resource has one newest version: the old one steps back before the new one comes.
    let mut statements = vec![made(pending), superseded(pending), versions(pending)];
    statements.extend([ended(pending), entries(pending)]);
    statements.extend(texts(pending));
    statements.push(counters(pending));
    statements.extend(indexes(pending));
    statements.retain(|statement| !statement.columns.is_empty());
    let catalog = &pending.held.catalog;
    let head = signed(pending.head);
    statements.push(Statement {
        sql: STORE,
        columns: vec![
            Box::new(head),
            Box::new(catalog.epoch),
            Box::new(catalog.indexes_made),
        ],
    });
    statements.push(Statement {
        sql: SEQUENCER,
        columns: vec![Box::new(sequencer), Box::new(batch)],
    });
    let news = format!("{head} {}", catalog.epoch);
    statements.push(Statement {
        sql: NOTIFY,
        columns: vec![Box::new(CHANNEL), Box::new(news)],
    });
    statements
}

/// A column of what every row has, in the order of rows.
fn column<R, T: ToSql + Sync + Send + 'static>(rows: &[R], of: impl Fn(&R) -> T) -> Column
where
    Vec<T>: ToSql,
{
    Box::new(rows.iter().map(of).collect::<Vec<T>>())
}

fn statement<R>(
    sql: &'static str,
    rows: &[R],
    columns: impl FnOnce(&[R]) -> Vec<Column>,
) -> Statement {
    let columns = if rows.is_empty() {
        Vec::new()
    } else {
        columns(rows)
    };
    Statement { sql, columns }
}

fn made(pending: &Pending) -> Statement {
    statement(MADE, &pending.made_collections, |made| {
        vec![
            column(made, |(number, _)| *number),
            column(made, |(_, path)| path.as_str().to_owned()),
        ]
    })
}

fn versions(pending: &Pending) -> Statement {
    statement(VERSIONS, &pending.versions, |new| {
        vec![
            column(new, |new| new.collection),
            column(new, |new| new.row),
            column(new, |new| new.key.parent.as_str().to_owned()),
            column(new, |new| new.key.id.as_str().to_owned()),
            column(new, |new| new.replaced),
            column(new, |new| signed(new.modified.0)),
            column(new, |new| new.superseded.map(|(row, _)| row)),
            column(new, |new| new.superseded.map(|(_, at)| signed(at.0))),
            column(new, |new| new.digest.map(|digest| digest.to_vec())),
            column(new, |new| new.body.as_ref().map(|body| body.to_vec())),
        ]
    })
}

fn superseded(pending: &Pending) -> Statement {
    statement(SUPERSEDED, &pending.superseded, |old| {
        vec![
            column(old, |old| old.collection),
            column(old, |old| old.row),
            column(old, |old| old.by),
            column(old, |old| signed(old.at.0)),
        ]
    })
}

fn ended(pending: &Pending) -> Statement {
    statement(ENDED, &pending.ended, |ended| {
        vec![
            column(ended, |(index, _, _)| *index),
            column(ended, |(_, key, _)| key.parent.as_str().to_owned()),
            column(ended, |(_, key, _)| key.id.as_str().to_owned()),
            column(ended, |(_, _, row)| *row),
        ]
    })
}

fn entries(pending: &Pending) -> Statement {
    statement(ENTRIES, &pending.entries, |new| {
        vec![
            column(new, |new| new.index),
            column(new, |new| new.value.clone()),
            column(new, |new| new.key.parent.as_str().to_owned()),
            column(new, |new| new.key.id.as_str().to_owned()),
            column(new, |new| new.since),
            column(new, |new| new.until),
        ]
    })
}

fn texts(pending: &Pending) -> [Statement; 2] {
    let texts: Vec<_> = pending.texts.iter().collect();
    let (there, gone): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(_, words)| words.is_some());
    let written: Vec<_> = there
        .into_iter()
        .filter_map(|(place, words)| words.as_ref().map(|words| (place, words)))
        .collect();
    let written = statement(TEXTS, &written, |texts| {
        vec![
            column(texts, |((index, _), _)| *index),
            column(texts, |((_, key), _)| key.parent.as_str().to_owned()),
            column(texts, |((_, key), _)| key.id.as_str().to_owned()),
            column(texts, |(_, (row, _))| *row),
            column(texts, |(_, (_, words))| words.clone()),
        ]
    });
    let gone = statement(NO_TEXTS, &gone, |texts| {
        vec![
            column(texts, |((index, _), _)| *index),
            column(texts, |((_, key), _)| key.parent.as_str().to_owned()),
            column(texts, |((_, key), _)| key.id.as_str().to_owned()),
        ]
    });
    [written, gone]
}

fn counters(pending: &Pending) -> Statement {
    let counters = &pending.held.counters;
    let changed: Vec<_> = pending
        .changed
        .iter()
        .filter_map(|path| Some((path, counters.get(path)?)))
        .collect();
    statement(COUNTERS, &changed, |changed| {
        vec![
            column(changed, |(path, _)| path.as_str().to_owned()),
            column(changed, |(_, of)| signed(of.head)),
            column(changed, |(_, of)| signed(of.defined_at)),
            column(changed, |(_, of)| signed(of.live)),
            column(changed, |(_, of)| signed(of.history_count)),
            column(changed, |(_, of)| signed(of.history_bytes)),
            column(changed, |(_, of)| signed(of.tombstone_count)),
            column(changed, |(_, of)| of.digest.to_bytes().to_vec()),
        ]
    })
}

fn indexes(pending: &Pending) -> [Statement; 2] {
    let made = statement(INDEXES, &pending.made_indexes, |made| {
        vec![
            column(made, |(collection, _)| *collection),
            column(made, |(_, index)| index.number),
            column(made, |(_, index)| index.name.clone()),
            column(made, |(_, index)| index.stands_for.clone()),
            column(made, |(_, index)| index.declared),
            column(made, |(_, index)| index.is_complete),
        ]
    });
    let dropped = statement(DROPPED, &pending.dropped_indexes, |dropped| {
        vec![column(dropped, |number| *number)]
    });
    [made, dropped]
}
