//! Find in the conversation, also in what is folded away. It looks through the texts of the cells first and lays out
//! only those that hold what is looked for.

use super::cell::Needle;
use super::layout::{Place, Sheet};
use super::list::Slot;

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Towards the start.
    Older,
    /// Towards the end.
    Newer,
}

/// A row that holds what was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Where it is, in the cell as it must be shown.
    pub(crate) place: Place,
    /// The row is folded away: its cell must be unfolded to show it.
    pub(crate) folded: bool,
}

/// The next row with the text; `from` itself counts only when `inclusive`.
pub(crate) fn find(
    sheet: &Sheet<'_>,
    needle: &Needle,
    from: Option<Place>,
    direction: Direction,
    inclusive: bool,
) -> Option<Hit> {
    let cells = sheet.cells;
    let start = from.map_or(cells.len(), |place| cells.index(place.key));
    let bound = |slot: &Slot| from.filter(|place| place.key == slot.key);
    let at = |index: usize| {
        let slot = cells.at(index)?;
        in_cell(sheet, slot, index, needle, bound(slot), direction, inclusive)
    };
    match direction {
        Direction::Older => (0..(start + 1).min(cells.len())).rev().find_map(at),
        Direction::Newer => (start..cells.len()).find_map(at),
    }
}

/// All rows with the text, oldest first, as [`find`] goes over them. `None` when they are in more than `cells` cells: to
/// lay those out for a number would cost more than it tells.
pub(crate) fn all(sheet: &Sheet<'_>, needle: &Needle, cells: usize) -> Option<Vec<Place>> {
    let mut rows = Vec::new();
    let mut found = 0;
    for (index, slot) in (0..sheet.cells.len()).filter_map(|index| Some((index, sheet.cells.at(index)?))) {
        if slot.body.cell().has(needle) {
            found += 1;
            if found > cells {
                return None;
            }
            rows.extend(rows_of(sheet, slot, index, needle).0);
        }
    }
    Some(rows)
}

fn in_cell(
    sheet: &Sheet<'_>,
    slot: &Slot,
    index: usize,
    needle: &Needle,
    from: Option<Place>,
    direction: Direction,
    inclusive: bool,
) -> Option<Hit> {
    if !slot.body.cell().has(needle) {
        return None;
    }
    let (rows, folded) = rows_of(sheet, slot, index, needle);
    let beyond = |place: &Place| match (from, direction) {
        (None, _) => true,
        (Some(from), _) if *place == from => inclusive,
        (Some(from), Direction::Older) => *place < from,
        (Some(from), Direction::Newer) => *place > from,
    };
    let place = match direction {
        Direction::Older => rows.into_iter().rev().find(beyond),
        Direction::Newer => rows.into_iter().find(beyond),
    }?;
    Some(Hit { place, folded })
}

/// The rows with the text, and whether they are folded away. The row as it is shown comes first; then what is folded.
fn rows_of(sheet: &Sheet<'_>, slot: &Slot, index: usize, needle: &Needle) -> (Vec<Place>, bool) {
    let folded = !sheet.is_unfolded(slot);
    let shown = if folded { shown_rows(sheet, slot, index, needle) } else { Vec::new() };
    if !shown.is_empty() {
        return (shown, false);
    }
    (unfolded_rows(sheet, slot, needle, usize::from(index > 0)), folded)
}

fn shown_rows(sheet: &Sheet<'_>, slot: &Slot, index: usize, needle: &Needle) -> Vec<Place> {
    let mut rows = Vec::new();
    for part in 0..sheet.parts(index) {
        let lines = sheet.lines(index, part);
        rows.extend(matching(&lines, needle).map(|line| Place { key: slot.key, part, line }));
    }
    rows
}

/// Rows of the unfolded cell. When the text is broken over two rows nowhere is a whole one: then it is the first row.
fn unfolded_rows(sheet: &Sheet<'_>, slot: &Slot, needle: &Needle, gap: usize) -> Vec<Place> {
    let mut rows = Vec::new();
    for part in 0..sheet.unfolded_parts(slot) {
        let lines = sheet.unfolded_lines(slot, part);
        let gap = if part == 0 { gap } else { 0 };
        rows.extend(matching(&lines, needle).map(|line| Place { key: slot.key, part, line: line + gap }));
    }
    if rows.is_empty() && sheet.unfolded_parts(slot) > 0 {
        rows.push(Place { key: slot.key, part: 0, line: gap });
    }
    rows
}

fn matching<'a>(
    lines: &'a [ratatui::text::Line<'static>],
    needle: &'a Needle,
) -> impl Iterator<Item = usize> + 'a {
    lines.iter().enumerate().filter(|(_, line)| needle.is_in(&line.to_string())).map(|(index, _)| index)
}
