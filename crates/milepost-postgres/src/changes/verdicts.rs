//! What a filtered feed tells of a version, which takes its representation and an earlier one.

use milepost_semantics::{index::IndexValue, json};
use milepost_store::{Definition, Feed, IndexFilter};
use tokio_postgres::Row;

use super::{Asked, Telling, Verdict};
use crate::{trouble::Trouble, view::View};

/// How many versions are judged at a time: bounds what is in memory.
const JUDGED_AT_ONCE: usize = 128;

/// A version's representation, and that of the version that stood when `seen` was the last row: going
/// back from the one to the other. Where that is not reached: whether there was one that is forgotten.
const JUDGED: &str = "
SELECT asked.row, v.body, held.row, held.body, oldest.replaced IS NOT NULL
FROM unnest($2::bigint[], $3::bigint[]) AS asked (row, seen)
JOIN milepost.versions v ON v.collection = $1 AND v.row = asked.row
CROSS JOIN LATERAL (
    WITH RECURSIVE back (row, replaced) AS (
        SELECT v.row, v.replaced
        UNION ALL
        SELECT o.row, o.replaced FROM back
        JOIN milepost.versions o ON o.collection = $1 AND o.row = back.replaced
        WHERE back.row > asked.seen)
    SELECT row, replaced FROM back ORDER BY row LIMIT 1) AS oldest
LEFT JOIN milepost.versions held
    ON held.collection = $1 AND held.row = oldest.row AND oldest.row <= asked.seen";

impl Asked<'_> {
    /// Judges everything that a page may tell.
    pub(super) async fn judge(
        &self,
        view: &View,
        telling: &mut Telling<'_>,
    ) -> Result<(), Trouble> {
        let open = telling.judge_by_key();
        let (Feed::Collection { filters, .. }, Some(collection)) =
            (&self.query.feed, self.collections.first())
        else {
            return Ok(());
        };
        let Some(definition) = collection.definition.as_deref() else {
            return Ok(());
        };
        let client = view.client()?;
        for chunk in open.chunks(JUDGED_AT_ONCE) {
            let statement = client.prepare_cached(JUDGED).await?;
            let (rows, seen): (Vec<i64>, Vec<i64>) = chunk.iter().copied().unzip();
            let judged = client
                .query(&statement, &[&collection.number, &rows, &seen])
                .await?;
            for row in judged {
                let verdict = verdict(&row, filters, definition)?;
                telling.judged(row.try_get(0)?, verdict);
            }
        }
        Ok(())
    }
}

fn verdict(
    row: &Row,
    filters: &[IndexFilter],
    definition: &Definition,
) -> Result<Verdict, Trouble> {
    let passes = |body: Option<&[u8]>| body.is_some_and(|body| passes(filters, definition, body));
    if passes(row.try_get(1)?) {
        return Ok(Verdict::Shown);
    }
    let was_held = match row.try_get::<_, Option<i64>>(2)? {
        Some(_) => passes(row.try_get(3)?),
        None => row.try_get::<_, Option<bool>>(4)?.unwrap_or(false),
    };
    Ok(if was_held {
        Verdict::Left
    } else {
        Verdict::Hidden
    })
}

fn passes(filters: &[IndexFilter], definition: &Definition, body: &[u8]) -> bool {
    let Ok(value) = json::parse(body, json::Limits::with_depth(json::DEPTH_MAX)) else {
        return false;
    };
    filters.iter().all(|filter| {
        definition.index(&filter.index).is_some_and(|index| {
            // What can't be ordered is older than the index, and counts as there, no more.
            let value = IndexValue::from_json(index.pointer.resolve(&value));
            filter.matches(&value.unwrap_or(IndexValue::OTHER))
        })
    })
}
