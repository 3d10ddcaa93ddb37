//! Tables for people. In a terminal that is narrower than the table, cells are wrapped between words; an id is never broken,
//! since nobody could copy it. Where that leaves no room, each row becomes a block with one line for each value. Without a
//! terminal there is no limit.

use std::collections::HashSet;
use std::fmt;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width};

/// Shortest run of letters, digits, `-` and `_` with a digit in it that is an id: an Asana gid has 13 digits and more, an
/// id of Oracle 15, one of ours 36 characters.
const SHORTEST_ID: usize = 10;
/// Blanks beside each cell.
const PADDING: u16 = 2;

/// Rows under a header, or names with their values.
#[derive(Debug, Clone, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
}

impl Table {
    /// An empty table; without columns it has no header.
    pub fn new(columns: &[&str]) -> Table {
        Table { header: columns.iter().map(ToString::to_string).collect(), ..Table::default() }
    }

    /// Adds a row.
    pub fn add_row<R>(&mut self, row: R)
    where
        R: IntoIterator,
        R::Item: ToString,
    {
        self.rows.push(row.into_iter().map(|cell| cell.to_string()).collect());
    }

    /// Sets these columns, counted from 0, to the right.
    pub fn align_right(&mut self, columns: &[usize]) {
        self.right = columns.to_vec();
    }

    /// The table in so many columns of characters; `None`: as wide as it is.
    pub fn fitted(&self, width: Option<u16>) -> String {
        let Some(width) = width else { return self.drawn(None, false) };
        let fits = |text: &String| {
            let whole: HashSet<&str> = ids(text).collect();
            text.lines().all(|line| line.chars().count() <= usize::from(width))
                && self.rows.iter().flatten().flat_map(|cell| ids(cell)).all(|id| whole.contains(id))
        };
        [false, true]
            .into_iter()
            .map(|with_room_for_ids| self.drawn(Some(width), with_room_for_ids))
            .find(fits)
            .unwrap_or_else(|| self.blocks(usize::from(width)))
    }

    /// With lines around the cells.
    fn drawn(&self, width: Option<u16>, with_room_for_ids: bool) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            // the width is told
            .force_no_tty();
        if !self.header.is_empty() {
            table.set_header(&self.header);
        }
        table.add_rows(&self.rows);
        if let Some(width) = width {
            table.set_width(width);
        }
        for column in &self.right {
            if let Some(column) = table.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for at in 0..self.columns() {
            let room = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| longest_with_id(cell)).max();
            let room = room.and_then(|room| u16::try_from(room).ok()).filter(|room| *room > 0);
            if let (true, Some(room), Some(column)) = (with_room_for_ids, room, table.column_mut(at)) {
                let room = room.saturating_add(PADDING);
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(room)));
            }
        }
        table.to_string()
    }

    fn columns(&self) -> usize {
        self.rows.iter().map(Vec::len).max().unwrap_or_default()
    }

    /// A block for each row: the columns' names with the values, empty ones left out.
    fn blocks(&self, width: usize) -> String {
        if self.header.is_empty() {
            return self.rows.iter().map(|row| pair(row, width)).collect::<Vec<_>>().join("\n");
        }
        let names = self.header.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        let block = |row: &Vec<String>| {
            let cells = self.header.iter().zip(row).filter(|(_, cell)| !cell.trim().is_empty());
            let cells = cells.map(|(name, cell)| named(name, cell, names, width));
            cells.collect::<Vec<_>>().join("\n")
        };
        self.rows.iter().map(block).collect::<Vec<_>>().join("\n\n")
    }
}

impl fmt::Display for Table {
    /// As wide as the terminal, if standard output is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fitted(comfy_table::Table::new().width()))
    }
}

/// A row of two, the first of which is the name.
fn pair(row: &[String], width: usize) -> String {
    match row {
        [name, value] => named(name, value, name.chars().count(), width),
        row => row.join("\n"),
    }
}

/// A value behind its name, which takes `names` characters; further lines stand under the first.
fn named(name: &str, value: &str, names: usize, width: usize) -> String {
    let indent = names + 2;
    let lines: Vec<String> =
        value.lines().flat_map(|line| wrapped(line, width.saturating_sub(indent))).collect();
    let under = format!("\n{}", " ".repeat(indent));
    format!("{name:<names$}  {}", lines.join(&under)).trim_end().to_owned()
}

/// A line as several of at most `width` characters, broken between words only: a longer word stays whole.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let mut lines = Vec::new();
    let mut last = String::new();
    for word in line.split(' ') {
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut last));
        } else if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines.push(last);
    lines
}

/// The ids in a text.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    runs.filter(|run| run.len() >= SHORTEST_ID && run.bytes().any(|b| b.is_ascii_digit()))
}

/// How long the longest word is that holds an id.
fn longest_with_id(cell: &str) -> usize {
    let words = cell.split([' ', '\n']).filter(|word| ids(word).next().is_some());
    words.map(|word| word.chars().count()).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: &str = "019abc00-1111-7222-8333-444455556666";
    const GID: &str = "1200000000000101";

    fn table() -> Table {
        let mut table = Table::new(&["when", "what", "task", "id"]);
        table.add_row(["2026-11-28 01:02:03Z", "the order was written to its task", GID, OURS]);
        table.add_row(["2026-11-28 01:02:04Z", "", GID, ""]);
        table
    }

    #[test]
    fn without_a_terminal_nothing_is_wrapped() {
        let text = table().fitted(None);
        assert!(
            text.lines().any(|line| line.contains("written to its task") && line.contains(OURS)),
            "{text}"
        );
        assert_eq!(text, table().fitted(Some(200)));
    }

    #[test]
    fn words_give_way_before_ids_do() {
        let text = table().fitted(Some(90));
        assert!(text.starts_with('┌') && text.contains(OURS) && text.contains(GID), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
    }

    #[test]
    fn where_ids_leave_no_room_each_row_is_a_block() {
        let text = table().fitted(Some(60));
        let wanted = format!(
            "when  2026-11-28 01:02:03Z\nwhat  the order was written to its task\ntask  {GID}\nid    {OURS}\n\n\
             when  2026-11-28 01:02:04Z\ntask  {GID}"
        );
        assert_eq!(text, wanted);
        let narrow = table().fitted(Some(30));
        assert!(narrow.contains("what  the order was written to\n      its task\n"), "{narrow}");
        assert!(narrow.contains(OURS), "an id stays whole at any width: {narrow}");
    }

    #[test]
    fn names_with_values_do_without_a_header() {
        let mut pairs = Table::new(&[]);
        pairs.add_row(["movement", OURS]);
        pairs.add_row(["state", "delivered"]);
        assert!(pairs.fitted(Some(60)).starts_with('┌'));
        assert_eq!(pairs.fitted(Some(40)), format!("movement  {OURS}\nstate  delivered"));
    }

    proptest! {
        #[test]
        fn no_id_is_broken_at_any_width(
            cells in proptest::collection::vec("[a-z0-9]{1,9}( [a-z/]{0,12}[0-9]{10,36})?( [a-zä…]{1,30}){0,4}", 1..20),
            columns in 1_usize..7,
            width in 1_u16..200,
        ) {
            let names = ["one", "two", "three", "four", "five", "six"];
            let mut table = Table::new(&names[..columns]);
            for row in cells.chunks(columns) {
                table.add_row(row);
            }
            let text = table.fitted(Some(width));
            let whole: HashSet<&str> = ids(&text).collect();
            for id in cells.iter().flat_map(|cell| ids(cell)) {
                prop_assert!(whole.contains(id), "{id} in {text}");
            }
        }
    }
}
