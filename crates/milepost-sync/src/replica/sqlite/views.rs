//! Everything, shown as a table for each collection.
//!
//! Who follows all collections together has one bookmark, and so one table: a page brings documents of
//! several. What people want to ask is one collection. So each that is defined has a view of its name
//! over its part of that table, which may be edited like a table: what is done to the view is done to
//! the rows behind it, where edits are recorded as always.
//!
//! A view comes and goes with the collection's definition, in the transaction that brings it.

use rusqlite::{OptionalExtension as _, Transaction};

use super::schema::quoted;

/// Where definitions lie, among everything.
const DEFINITIONS: &str = "-/collections/";

/// The collection that a document defines, by its key.
pub(super) fn defined_by(key: &str) -> Option<&str> {
    let is_letter = |c: char| c.is_ascii_lowercase();
    let is_name = |name: &str| {
        name.starts_with(is_letter)
            && name
                .chars()
                .all(|c| is_letter(c) || c.is_ascii_digit() || c == '-')
    };
    let collection = key.strip_prefix(DEFINITIONS)?;
    collection.split('.').all(is_name).then_some(collection)
}

/// Makes a collection's view over `table` (quoted), unless something of that name is there: what people
/// put into the file is theirs, and no reason to stop following.
pub(super) fn show(tx: &Transaction<'_>, table: &str, collection: &str) -> rusqlite::Result<()> {
    match kind(tx, collection)? {
        Some(_) => Ok(()),
        None => tx.execute_batch(&view(table, collection)),
    }
}

/// Removes a collection's view over `table` (quoted), if it is that.
pub(super) fn hide(tx: &Transaction<'_>, table: &str, collection: &str) -> rusqlite::Result<()> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = ?1 AND type = 'view' AND sql = ?2";
    let made = definition(table, collection);
    let ours: i64 = tx.query_row(sql, [collection, &made], |row| row.get(0))?;
    match ours {
        0 => Ok(()),
        _ => tx.execute_batch(&format!("DROP VIEW {}", quoted(collection))),
    }
}

/// What a name stands for in the file, whatever its case: tables, views and indexes share one space.
pub(super) fn kind(
    connection: &rusqlite::Connection,
    name: &str,
) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type <> 'trigger'";
    connection
        .prepare_cached(sql)?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Which keys are of a collection: ids and names of collections alternate in a key, and neither has a
/// slash, so a pattern and the number of slashes say it. A collection's name consists of letters, digits,
/// hyphens and dots, so that it needs no escaping.
fn is_of(collection: &str, key: &str) -> String {
    let names: Vec<&str> = collection.split('.').collect();
    let pattern = format!("{}/*", names.join("/*/"));
    let slashes = names.len() * 2 - 1;
    format!(
        "{key} GLOB '{pattern}' AND length({key}) - length(replace({key}, '/', '')) = {slashes}"
    )
}

fn first_of(collection: &str) -> &str {
    collection.split('.').next().unwrap_or_default()
}

/// The statement that makes the view, as the file keeps it.
fn definition(table: &str, collection: &str) -> String {
    let (view, first) = (quoted(collection), first_of(collection));
    format!(
        "CREATE VIEW {view} AS SELECT substr(id, {after_prefix}) AS id, value, etag FROM {table} \
         WHERE id >= '{first}/' AND id < '{first}0' AND {is_ours}",
        after_prefix = first.len() + 2,
        is_ours = is_of(collection, "id"),
    )
}

fn view(table: &str, collection: &str) -> String {
    let (view, first) = (quoted(collection), first_of(collection));
    let trigger = |suffix: &str| quoted(&format!("{collection}_{suffix}"));
    let key = format!("('{first}/' || NEW.id)");
    let fits = format!(
        "SELECT RAISE(ABORT, 'this id is none of the collection''s') WHERE NOT ({})",
        is_of(collection, &key)
    );
    format!(
        "{definition};
         CREATE TRIGGER IF NOT EXISTS {inserted} INSTEAD OF INSERT ON {view} BEGIN
             {fits};
             INSERT INTO {table} (id, value) VALUES ({key}, NEW.value);
         END;
         CREATE TRIGGER IF NOT EXISTS {updated} INSTEAD OF UPDATE ON {view} BEGIN
             {fits};
             UPDATE {table} SET id = {key}, value = NEW.value WHERE id = '{first}/' || OLD.id;
         END;
         CREATE TRIGGER IF NOT EXISTS {deleted} INSTEAD OF DELETE ON {view} BEGIN
             DELETE FROM {table} WHERE id = '{first}/' || OLD.id;
         END;",
        definition = definition(table, collection),
        inserted = trigger("inserted"),
        updated = trigger("updated"),
        deleted = trigger("deleted"),
    )
}
