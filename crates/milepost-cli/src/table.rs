//! Resources as a table, for people at a terminal.
//!
//! A glance, not data: cells are cut, and only members that fit a cell make a column.

use serde_json::Value;

use crate::terminal::{Style, Terminal, harmless};

/// The most columns chosen when none are asked for.
const COLUMNS_MAX: usize = 6;
/// The widest cell, in characters.
const CELL_CHARS_MAX: usize = 36;

/// One row: the id, and what the resource holds.
#[derive(Debug)]
pub(crate) struct Row {
    /// What the first column shows.
    pub(crate) id: String,
    /// The resource.
    pub(crate) value: Value,
}

/// The rows under a heading, as lines.
pub(crate) fn lines(terminal: Terminal, rows: &[Row], select: &[String]) -> Vec<String> {
    let columns = if select.is_empty() {
        columns_of(rows)
    } else {
        select.to_vec()
    };
    let mut grid = vec![heading(&columns)];
    grid.extend(rows.iter().map(|row| cells(row, &columns)));
    let widths = widths(&grid);
    let mut lines: Vec<String> = grid.iter().map(|cells| padded(cells, &widths)).collect();
    if let Some(first) = lines.first_mut() {
        *first = terminal.out(&*first, Style::Bold);
    }
    lines
}

/// The members worth a column: scalars, in the order of the first resources that have them.
fn columns_of(rows: &[Row]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for member in rows
        .iter()
        .filter_map(|row| row.value.as_object())
        .flatten()
    {
        let (name, value) = member;
        let is_scalar = !value.is_object() && !value.is_array();
        if is_scalar && name != "id" && columns.len() < COLUMNS_MAX && !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    columns
}

fn heading(columns: &[String]) -> Vec<String> {
    let names = columns.iter().map(|name| harmless(name));
    std::iter::once("id".to_owned()).chain(names).collect()
}

fn cells(row: &Row, columns: &[String]) -> Vec<String> {
    let values = columns.iter().map(|name| cell(row.value.get(name)));
    std::iter::once(harmless(&row.id)).chain(values).collect()
}

fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let text = harmless(&text).replace('\n', " ");
    match text.char_indices().nth(CELL_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn widths(grid: &[Vec<String>]) -> Vec<usize> {
    let columns = grid.first().map_or(0, Vec::len);
    let column_cells = |column| grid.iter().filter_map(move |row| row.get(column));
    let width = |column| column_cells(column).map(|cell: &String| cell.chars().count());
    (0..columns)
        .map(|column| width(column).max().unwrap_or(0))
        .collect()
}

fn padded(cells: &[String], widths: &[usize]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:<width$}"))
        .collect();
    padded.join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_line_up_under_the_members_that_fit() {
        let rows = [
            Row {
                id: "solaris".into(),
                value: json!({"title": "Solaris", "tags": [], "year": 1961}),
            },
            Row {
                id: "x".into(),
                value: json!({"title": "A\nB", "lent": true}),
            },
        ];
        assert_eq!(
            lines(Terminal::detect(), &rows, &[]),
            [
                "id       title    year  lent",
                "solaris  Solaris  1961",
                "x        A B            true"
            ]
        );
    }

    #[test]
    fn selected_columns_are_shown_in_the_order_asked_for() {
        let rows = [Row {
            id: "a".into(),
            value: json!({"x": 1, "y": {"z": 2}}),
        }];
        let select = ["y".to_owned(), "x".to_owned()];
        assert_eq!(
            lines(Terminal::detect(), &rows, &select)[1],
            "a   {\"z\":2}  1"
        );
    }
}
