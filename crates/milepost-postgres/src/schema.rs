//! The tables, the number of their format, and how they come to be.
//!
//! * `versions`: every version of every resource, appended under an ever-growing number and never touched
//!   again: `row = sequence << 20 | place in the commit`. Each says which version it replaced, so that the
//!   past of a resource is a chain (`chain`).
//! * `keys`: the newest version of each resource, tombstones included. Narrow, and replaced in place:
//!   no index is on what changes with a write.
//! * `entries`: each declared index: which value a resource had, since which row, until which.
//! * `texts`: the words of the newest versions, where text is declared.
//! * `collections`, `indexes`, `incarnations`, `store`: the store about itself. The one row of `store`
//!   holds the head; who holds its lock writes.
//! * `sequencers`: the nodes: who they are (`nodes`), and the number of the last batch that each one's
//!   sequencer committed, by which the fate of one is found out whose answer was lost.
//!
//! All text is compared by its bytes, as everywhere in a store.

use milepost_semantics::History;
use milepost_store::{COLLECTIONS, TRANSACTIONS, backend::random};
use tokio_postgres::Client;

use crate::{OpenError, options::Options, trouble::Trouble};

/// The format that this version writes, and the newest it reads.
pub(crate) const FORMAT: i32 = 3;
/// Who founds or migrates holds this advisory lock: "mile" in ASCII, and a one.
const FOUNDING: i64 = 0x6d69_6c65_0000_0001;

pub(crate) const TABLES: &str = r#"
CREATE SCHEMA milepost;
CREATE TABLE milepost.store (
    one          boolean PRIMARY KEY DEFAULT true CHECK (one),
    format       integer NOT NULL,
    history      text NOT NULL,
    head         bigint NOT NULL DEFAULT 0,
    epoch        bigint NOT NULL DEFAULT 1,
    indexes_made bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE milepost.incarnations (
    first_sequence bigint PRIMARY KEY,
    salt           bigint NOT NULL
);
CREATE TABLE milepost.sequencers (
    sequencer  bigint PRIMARY KEY,
    batch      bigint NOT NULL,
    seen       timestamptz NOT NULL DEFAULT now(),
    name       text NOT NULL DEFAULT '',
    active_key text,
    keys       text[]
) WITH (fillfactor = 50);
CREATE TABLE milepost.collections (
    number          integer PRIMARY KEY,
    name            text COLLATE "C" NOT NULL UNIQUE,
    head            bigint NOT NULL DEFAULT 0,
    defined_at      bigint NOT NULL DEFAULT 0,
    live            bigint NOT NULL DEFAULT 0,
    history_floor   bigint NOT NULL DEFAULT 0,
    history_cursor  bigint NOT NULL DEFAULT 0,
    history_count   bigint NOT NULL DEFAULT 0,
    history_bytes   bigint NOT NULL DEFAULT 0,
    tombstone_floor bigint NOT NULL DEFAULT 0,
    tombstone_count bigint NOT NULL DEFAULT 0,
    digest          bytea NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE milepost.versions (
    row        bigint NOT NULL,
    replaced   bigint,
    modified   bigint NOT NULL,
    collection integer NOT NULL,
    parent     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    digest     bytea,
    body       bytea,
    PRIMARY KEY (collection, row)
);
ALTER TABLE milepost.versions ALTER body SET STORAGE EXTERNAL;
CREATE INDEX versions_deleting ON milepost.versions (collection, row) WHERE body IS NULL;
CREATE TABLE milepost.keys (
    row        bigint NOT NULL,
    collection integer NOT NULL,
    deleted    boolean NOT NULL,
    parent     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    PRIMARY KEY (collection, parent, id)
) WITH (fillfactor = 60);
CREATE INDEX keys_live ON milepost.keys (collection, parent, id) WHERE NOT deleted;
CREATE TABLE milepost.indexes (
    number       bigint PRIMARY KEY,
    collection   integer NOT NULL,
    name         text COLLATE "C" NOT NULL,
    stands_for   text NOT NULL,
    declared     bigint NOT NULL,
    built        bigint NOT NULL DEFAULT 0,
    built_parent text COLLATE "C" NOT NULL DEFAULT '',
    built_id     text COLLATE "C" NOT NULL DEFAULT '',
    is_complete  boolean NOT NULL,
    is_dropped   boolean NOT NULL DEFAULT false
);
CREATE TABLE milepost.entries (
    index_number bigint NOT NULL,
    value        bytea NOT NULL,
    parent       text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    since        bigint NOT NULL,
    until        bigint NOT NULL
);
CREATE UNIQUE INDEX entries_standing ON milepost.entries (index_number, parent, id) WHERE until = 9223372036854775807;
CREATE INDEX entries_value ON milepost.entries (index_number, value, parent, id, since);
CREATE INDEX entries_past ON milepost.entries (index_number, until) WHERE until < 9223372036854775807;
CREATE TABLE milepost.texts (
    index_number bigint NOT NULL,
    parent       text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    row          bigint NOT NULL,
    words        text[] NOT NULL,
    PRIMARY KEY (index_number, parent, id)
);
CREATE INDEX texts_words ON milepost.texts USING gin (words);
"#;

/// What brings a store of an earlier format to the next one, by the format that it has.
const MIGRATIONS: &[(i32, &str)] = &[(1, TO_2), (2, TO_3)];
const TO_2: &str = "
ALTER TABLE milepost.sequencers ADD name text NOT NULL DEFAULT '', ADD active_key text, ADD keys text[]";
/// Each version said by which it was replaced; now it says only which one it replaced. Indexes that
/// were being built are begun again.
///
/// Nodes of the former version may be writing: they wait, then fail, and nothing of theirs is missed.
const TO_3: &str = r#"
LOCK TABLE milepost.store, milepost.versions IN ACCESS EXCLUSIVE MODE;
CREATE TABLE milepost.keys (
    row        bigint NOT NULL,
    collection integer NOT NULL,
    deleted    boolean NOT NULL,
    parent     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    PRIMARY KEY (collection, parent, id)
) WITH (fillfactor = 60);
INSERT INTO milepost.keys
    SELECT row, collection, deleted, parent, id FROM milepost.versions WHERE superseded IS NULL;
CREATE INDEX keys_live ON milepost.keys (collection, parent, id) WHERE NOT deleted;
DROP INDEX milepost.versions_key;
ALTER TABLE milepost.versions DROP superseded, DROP superseded_at, DROP deleted;
CREATE INDEX versions_deleting ON milepost.versions (collection, row) WHERE body IS NULL;
ALTER TABLE milepost.collections ADD history_cursor bigint NOT NULL DEFAULT 0;
UPDATE milepost.collections SET history_cursor = greatest((history_floor << 20) - 1, 0);
ALTER TABLE milepost.indexes ADD built_parent text COLLATE "C" NOT NULL DEFAULT '',
    ADD built_id text COLLATE "C" NOT NULL DEFAULT '';
DELETE FROM milepost.entries e USING milepost.indexes i
    WHERE i.number = e.index_number AND NOT i.is_complete AND e.since <= i.declared;
UPDATE milepost.indexes SET built = 0"#;
/// The oldest server that has all that is used here.
const SERVER_MIN: i32 = 150_000;

/// Refuses a server that is too old.
pub(crate) async fn require_version(client: &Client, options: &Options) -> Result<(), OpenError> {
    let of = |error: tokio_postgres::Error| OpenError::of(error.into(), &options.database);
    let version =
        "SELECT current_setting('server_version_num')::integer, current_setting('server_version')";
    let version = client.query_one(version, &[]).await.map_err(of)?;
    if version.try_get::<_, i32>(0).map_err(of)? >= SERVER_MIN {
        return Ok(());
    }
    Err(OpenError::OldServer {
        place: options.database.to_string(),
        version: version.try_get(1).map_err(of)?,
    })
}

/// As [`prepare`], of a store that must be there.
pub(crate) async fn require_store(client: &Client, options: &Options) -> Result<(), OpenError> {
    require_version(client, options).await?;
    let found = standing(client).await;
    let found = found.map_err(|trouble| OpenError::of(trouble, &options.database))?;
    if found.is_none() {
        return Err(OpenError::NoStore {
            place: options.database.to_string(),
        });
    }
    prepare(client, options).await
}

/// Makes the tables where there are none, one node at a time, brings those of an older version up to
/// date, and refuses those of a newer one.
pub(crate) async fn prepare(client: &Client, options: &Options) -> Result<(), OpenError> {
    let of = |error: tokio_postgres::Error| OpenError::of(error.into(), &options.database);
    require_version(client, options).await?;
    let lock = "SELECT pg_advisory_lock($1)";
    client.execute(lock, &[&FOUNDING]).await.map_err(of)?;
    let prepared = prepare_locked(client, options).await;
    let unlock = "SELECT pg_advisory_unlock($1)";
    let unlocked = client.execute(unlock, &[&FOUNDING]).await.map_err(of);
    prepared.and(unlocked.map(|_| ()))
}

async fn prepare_locked(client: &Client, options: &Options) -> Result<(), OpenError> {
    let of = |trouble: Trouble| OpenError::of(trouble, &options.database);
    let found = standing(client).await.map_err(of)?;
    if let Some(expected) = &options.history {
        let found = found
            .as_ref()
            .map_or("none", |(_, history)| history.as_str());
        if found != expected.as_str() {
            return Err(OpenError::OtherHistory {
                expected: expected.as_str().to_owned(),
                found: found.to_owned(),
            });
        }
    }
    match found {
        None => make(client).await.map_err(of),
        Some((format, _)) if format > FORMAT => Err(OpenError::NewerFormat {
            found: format.unsigned_abs(),
            supported: FORMAT.unsigned_abs(),
        }),
        Some((format, _)) => migrate(client, format).await.map_err(of),
    }
}

/// The format and the history of the store that is there.
pub(crate) async fn standing(client: &Client) -> Result<Option<(i32, String)>, Trouble> {
    let there = "SELECT to_regclass('milepost.store') IS NOT NULL";
    let is_there = client.query_one(there, &[]).await?;
    if !is_there.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let sql = "SELECT format, history FROM milepost.store";
    let row = client.query_opt(sql, &[]).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .transpose()
}

/// Brings a store up to date, each step wholly or not at all.
async fn migrate(client: &Client, format: i32) -> Result<(), Trouble> {
    for (from, sql) in MIGRATIONS.iter().filter(|(from, _)| *from >= format) {
        let next = from + 1;
        whole(
            client,
            &format!("BEGIN; {sql}; UPDATE milepost.store SET format = {next}; COMMIT"),
        )
        .await?;
    }
    Ok(())
}

/// Makes a new store, wholly or not at all.
async fn make(client: &Client) -> Result<(), Trouble> {
    let history = History::from_random(random());
    let salt = i64::from_ne_bytes(random().to_ne_bytes());
    let nothing = "0".repeat(64);
    let founding = format!(
        "BEGIN; {TABLES}
         INSERT INTO milepost.store (format, history) VALUES ({FORMAT}, '{history}');
         INSERT INTO milepost.incarnations VALUES (0, {salt});
         INSERT INTO milepost.collections (number, name, digest)
             VALUES (1, '{COLLECTIONS}', '\\x{nothing}'), (2, '{TRANSACTIONS}', '\\x{nothing}');
         COMMIT;",
        history = history.as_str(),
    );
    whole(client, &founding).await
}

/// Carries out a whole transaction.
pub(crate) async fn whole(client: &Client, sql: &str) -> Result<(), Trouble> {
    let made = client.batch_execute(sql).await;
    if made.is_err() {
        // The transaction failed as a whole; what remains of it is only in this connection.
        client.batch_execute("ROLLBACK").await?;
    }
    Ok(made?)
}
