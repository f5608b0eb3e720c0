//! Listings: which resources, in which order, as much as fits on a page.
//!
//! The page is decided on narrow rows (key, values, length), then the representations of what fits
//! are read; both in one view. Every filter and the order are the database's work, over `entries`,
//! which know what stood at every remembered moment. A listing as of a position goes back from the
//! newest version of each resource to the one that stood then.

mod sql;

use milepost_store::{
    Cursor, Definition, ListQuery, Listed, Page, ReadError,
    backend::{OrderKey, order, ties_descend, undeclared, words},
};
use tokio_postgres::Row;

use self::sql::Sql;
use crate::{
    catalog::Collection,
    read,
    rows::{self, STANDS, last_row_of},
    shared::Shared,
    trouble::Trouble,
    view::{Remembered, View},
    words::key_of,
};

/// More than so many are not counted.
const COUNTED_MAX: i64 = 10_000;

/// A question, and what it is answered from.
struct Listing<'q> {
    query: &'q ListQuery,
    collection: &'q Collection,
    /// The last row of the commit that is shown; `None`: now.
    at: Option<i64>,
    sought: Option<Vec<String>>,
    order: Vec<OrderKey>,
    definition: &'q Definition,
}

/// A resource that matches: its row, what it is ordered by, and how long it is.
struct Match {
    row: i64,
    cursor: Cursor,
    bytes: usize,
}

/// Answers a listing.
pub(crate) async fn list(shared: &Shared, query: &ListQuery) -> Result<Page, ReadError> {
    answer(View::open(shared).await?, query).await
}

/// Answers a listing as of a moment, and ends that.
pub(crate) async fn answer(view: View, query: &ListQuery) -> Result<Page, ReadError> {
    let path = &query.collection;
    let definition = view.catalog.defined(path)?;
    let names = undeclared(query, &definition);
    if !names.is_empty() {
        return Err(ReadError::Undeclared {
            collection: path.clone(),
            names,
        });
    }
    let remembered = view.remembered(path).await?;
    let sequence = match query.at {
        Some(at) => view.as_of(at, remembered)?,
        None => remembered.head,
    };
    let sought = query.text.as_deref().map(sought).transpose()?;
    let Some(collection) = view.catalog.collections.get(path) else {
        return Ok(empty(&view, sequence));
    };
    let listing = Listing {
        query,
        collection,
        at: query.at.map(|_| last_row_of(sequence)),
        order: if sought.is_some() {
            Vec::new()
        } else {
            order(query, &definition)
        },
        sought,
        definition: &definition,
    };
    let page = listing.page(&view, sequence, remembered).await?;
    view.end()?;
    Ok(page)
}

fn empty(view: &View, sequence: u64) -> Page {
    Page {
        items: Vec::new(),
        next: None,
        position: view.position(sequence),
        total: Some(0),
    }
}

/// The words to look for, as they are kept.
fn sought(text: &str) -> Result<Vec<String>, ReadError> {
    let sought: Vec<String> = words(text).iter().map(|word| key_of(word)).collect();
    if sought.is_empty() {
        return Err(ReadError::MalformedText {
            detail: "there is no word to look for".to_owned(),
        });
    }
    Ok(sought)
}

impl Listing<'_> {
    async fn page(
        &self,
        view: &View,
        sequence: u64,
        remembered: Remembered,
    ) -> Result<Page, ReadError> {
        let mut matches = self.matches(view).await?;
        let limit = self.query.limit;
        let mut bytes = 0_usize;
        let fits = |found: &&Match| {
            bytes = bytes.saturating_add(found.bytes);
            bytes <= limit.bytes
        };
        let fitting = matches
            .iter()
            .take(limit.items.max(1))
            .take_while(fits)
            .count();
        let is_more = matches.len() > fitting.max(1);
        matches.truncate(fitting.max(1));
        let next = matches
            .last()
            .filter(|_| is_more)
            .map(|last| last.cursor.clone());
        Ok(Page {
            items: self.items(view, &matches).await?,
            next,
            position: view.position(sequence),
            total: self.total(view, remembered).await?,
        })
    }

    async fn items(&self, view: &View, matches: &[Match]) -> Result<Vec<Listed>, Trouble> {
        let rows: Vec<(i32, i64)> = matches
            .iter()
            .map(|found| (self.collection.number, found.row))
            .collect();
        let mut versions = read::of_rows(view, &rows).await?;
        let listed = matches.iter().filter_map(|found| {
            let key = rows::key(
                &self.collection.path,
                found.cursor.parent.as_str(),
                found.cursor.id.as_str(),
            );
            let version = versions.remove(&found.row)?;
            Some(key.map(|key| Listed { key, version }))
        });
        listed.collect()
    }

    /// One more than fits, as far as the number of items goes.
    async fn matches(&self, view: &View) -> Result<Vec<Match>, ReadError> {
        let mut sql = Sql::default();
        sql.add("SELECT v.row, k.parent, k.id, octet_length(v.body)");
        for at in 0..self.order.len() {
            sql.add(&format!(", e{at}.value"));
        }
        self.from(&mut sql)?;
        self.after(&mut sql)?;
        self.ordered(&mut sql);
        let limit = i64::try_from(self.query.limit.items.max(1)).unwrap_or(i64::MAX - 1) + 1;
        let limit = sql.bind(limit);
        sql.add(&format!(" LIMIT {limit}"));
        let rows = ask(view, &sql).await?;
        Ok(rows
            .iter()
            .map(|row| self.found(row))
            .collect::<Result<_, _>>()?)
    }

    fn found(&self, row: &Row) -> Result<Match, Trouble> {
        let number: i64 = row.try_get(0)?;
        let key = rows::key(&self.collection.path, row.try_get(1)?, row.try_get(2)?)?;
        let values = if self.sought.is_some() {
            vec![number.to_be_bytes().to_vec()]
        } else {
            let value = |at| Ok(row.try_get::<_, Vec<u8>>(4 + at)?);
            (0..self.order.len())
                .map(value)
                .collect::<Result<_, Trouble>>()?
        };
        Ok(Match {
            row: number,
            cursor: Cursor {
                values,
                parent: key.parent,
                id: key.id,
            },
            bytes: rows::size(row.try_get(3)?),
        })
    }

    /// `FROM` and `WHERE`: the resources that match, whatever page they are on.
    fn from(&self, sql: &mut Sql) -> Result<(), ReadError> {
        sql.add(" FROM milepost.keys k");
        let mut tables: Vec<(String, &str)> = Vec::new();
        for (at, key) in self.order.iter().enumerate() {
            let index = self.definition.indexes.get(key.index);
            let name = index.map_or("", |index| index.name.as_str());
            tables.push((format!("e{at}"), name));
        }
        for (at, filter) in self.query.filters.iter().enumerate() {
            tables.push((format!("f{at}"), &filter.index));
        }
        for (alias, name) in &tables {
            let index = self.collection.complete(name)?.number;
            self.join(sql, alias, index);
        }
        let number = sql.bind(self.collection.number);
        self.stood(sql, &number);
        if self.sought.is_some() {
            let index = self.collection.complete("")?.number;
            let index = sql.bind(index);
            sql.add(&format!(
                " JOIN milepost.texts t ON t.index_number = {index} AND t.parent = k.parent AND t.id = k.id AND t.row = v.row"
            ));
        }
        sql.add(&format!(" WHERE k.collection = {number}"));
        sql.add(match self.at {
            None => " AND NOT k.deleted",
            Some(_) => " AND v.body IS NOT NULL",
        });
        sql.within(&self.query.scope, "k.parent");
        if let Some(sought) = &self.sought {
            let sought = sql.bind(sought.clone());
            sql.add(&format!(" AND t.words @> {sought}"));
        }
        for (at, filter) in self.query.filters.iter().enumerate() {
            sql.passes(filter, &format!("f{at}.value"));
        }
        Ok(())
    }

    /// The version of a resource that is shown, `v`.
    fn stood(&self, sql: &mut Sql, number: &str) {
        let Some(at) = self.at else {
            sql.add(&format!(
                " JOIN milepost.versions v ON v.collection = {number} AND v.row = k.row"
            ));
            return;
        };
        let at = sql.bind(at);
        sql.add(&format!(
            " CROSS JOIN LATERAL (
                WITH RECURSIVE back (row, replaced) AS (
                    SELECT n.row, n.replaced FROM milepost.versions n
                    WHERE n.collection = {number} AND n.row = k.row
                    UNION ALL
                    SELECT o.row, o.replaced FROM back
                    JOIN milepost.versions o ON o.collection = {number} AND o.row = back.replaced
                    WHERE back.row > {at})
                SELECT row FROM back WHERE row <= {at}) AS stood
            JOIN milepost.versions v ON v.collection = {number} AND v.row = stood.row"
        ));
    }

    fn join(&self, sql: &mut Sql, alias: &str, index: i64) {
        let index = sql.bind(index);
        sql.add(&format!(
            " JOIN milepost.entries {alias} ON {alias}.index_number = {index} AND {alias}.parent = k.parent AND {alias}.id = k.id"
        ));
        match self.at {
            None => sql.add(&format!(" AND {alias}.until = {STANDS}")),
            Some(at) => {
                let at = sql.bind(at);
                sql.add(&format!(
                    " AND {alias}.since <= {at} AND {alias}.until > {at}"
                ));
            }
        }
    }

    /// What comes after the cursor, in the order of [`Listing::ordered`].
    fn after(&self, sql: &mut Sql) -> Result<(), ReadError> {
        let Some(after) = &self.query.after else {
            return Ok(());
        };
        if self.sought.is_some() {
            let [value] = after.values.as_slice() else {
                return Err(ReadError::MalformedCursor);
            };
            let row = <[u8; 8]>::try_from(value.as_slice());
            let row = row.map_err(|_other| ReadError::MalformedCursor)?;
            let row = sql.bind(i64::from_be_bytes(row));
            sql.add(&format!(" AND v.row < {row}"));
            return Ok(());
        }
        if after.values.len() != self.order.len() {
            return Err(ReadError::MalformedCursor);
        }
        let mut equal = String::new();
        let mut any = Vec::new();
        for (at, (key, value)) in self.order.iter().zip(&after.values).enumerate() {
            let value = sql.bind(value.clone());
            let further = beyond(key.descending);
            any.push(format!("({equal}e{at}.value {further} {value})"));
            if at == 0 {
                // Says nothing new, but where in the index to begin.
                sql.add(&format!(" AND e0.value {further}= {value}"));
            }
            equal.push_str(&format!("e{at}.value = {value} AND "));
        }
        let further = beyond(ties_descend(&self.order));
        let parent = sql.bind(after.parent.as_str().to_owned());
        let id = sql.bind(after.id.as_str().to_owned());
        any.push(format!(
            "({equal}(k.parent, k.id) {further} ({parent}, {id}))"
        ));
        sql.add(&format!(" AND ({})", any.join(" OR ")));
        Ok(())
    }

    fn ordered(&self, sql: &mut Sql) {
        if self.sought.is_some() {
            sql.add(" ORDER BY v.row DESC");
            return;
        }
        sql.add(" ORDER BY ");
        for (at, key) in self.order.iter().enumerate() {
            sql.add(&format!("e{at}.value {}, ", direction(key.descending)));
        }
        let ties = direction(ties_descend(&self.order));
        // By the columns of the index that leads, so that its order is enough.
        let leading = if self.order.is_empty() { "k" } else { "e0" };
        sql.add(&format!("{leading}.parent {ties}, {leading}.id {ties}"));
    }

    /// The number of resources that match; `None` where counting them would cost more than a page.
    async fn total(&self, view: &View, remembered: Remembered) -> Result<Option<u64>, ReadError> {
        let query = self.query;
        if !query.total || query.at.is_some() || query.text.is_some() {
            return Ok(None);
        }
        if query.filters.is_empty() && query.scope.is_whole(&query.collection) {
            return Ok(Some(remembered.live));
        }
        let mut sql = Sql::default();
        sql.add("SELECT count(*) FROM (SELECT 1");
        self.from(&mut sql)?;
        sql.add(&format!(" LIMIT {}) AS counted", COUNTED_MAX + 1));
        let rows = ask(view, &sql).await?;
        let counted = rows.first().map(|row| row.try_get::<_, i64>(0));
        let counted = counted.transpose().map_err(Trouble::from)?.unwrap_or(0);
        Ok((counted <= COUNTED_MAX).then(|| rows::unsigned(counted)))
    }
}

async fn ask(view: &View, sql: &Sql) -> Result<Vec<Row>, Trouble> {
    Ok(view.client()?.query_typed(&sql.text, &sql.values()).await?)
}

fn beyond(descending: bool) -> &'static str {
    if descending { "<" } else { ">" }
}

fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}
