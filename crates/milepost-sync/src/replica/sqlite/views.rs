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

/// Makes a collection's view over `table` (quoted), unless something of that name is there.
pub(super) fn show(tx: &Transaction<'_>, table: &str, collection: &str) -> rusqlite::Result<()> {
    match kind(tx, collection)? {
        Some(_) => Ok(()),
        None => tx.execute_batch(&view(table, collection)),
    }
}

/// Removes a collection's view.
pub(super) fn hide(tx: &Transaction<'_>, collection: &str) -> rusqlite::Result<()> {
    match kind(tx, collection)?.as_deref() {
        Some("view") => tx.execute_batch(&format!("DROP VIEW {}", quoted(collection))),
        _ => Ok(()),
    }
}

/// What a name stands for in the file: `table` or `view`.
pub(super) fn kind(
    connection: &rusqlite::Connection,
    name: &str,
) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT type FROM sqlite_schema WHERE name = ?1 AND type IN ('table', 'view')";
    connection
        .prepare_cached(sql)?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Ids and names of collections alternate in a key, and neither has a slash: a range, a pattern and the
/// number of slashes say which keys are of the collection. Its name consists of letters, digits,
/// hyphens and dots, so that it needs no escaping.
fn view(table: &str, collection: &str) -> String {
    let view = quoted(collection);
    let trigger = |suffix: &str| quoted(&format!("{collection}_{suffix}"));
    let names: Vec<&str> = collection.split('.').collect();
    let first = names.first().copied().unwrap_or_default();
    let pattern = format!("{}/*", names.join("/*/"));
    let slashes = names.len() * 2 - 1;
    let after_prefix = first.len() + 2;
    format!(
        "CREATE VIEW {view} AS SELECT substr(id, {after_prefix}) AS id, value, etag FROM {table}
         WHERE id >= '{first}/' AND id < '{first}0' AND id GLOB '{pattern}'
             AND length(id) - length(replace(id, '/', '')) = {slashes};
         CREATE TRIGGER {inserted} INSTEAD OF INSERT ON {view} BEGIN
             INSERT INTO {table} (id, value) VALUES ('{first}/' || NEW.id, NEW.value);
         END;
         CREATE TRIGGER {updated} INSTEAD OF UPDATE ON {view} BEGIN
             UPDATE {table} SET id = '{first}/' || NEW.id, value = NEW.value
             WHERE id = '{first}/' || OLD.id;
         END;
         CREATE TRIGGER {deleted} INSTEAD OF DELETE ON {view} BEGIN
             DELETE FROM {table} WHERE id = '{first}/' || OLD.id;
         END;",
        inserted = trigger("inserted"),
        updated = trigger("updated"),
        deleted = trigger("deleted"),
    )
}
