//! File + edits → new file. Lines that no edit touches are copied byte for byte; a line that comes ends like the one
//! it replaces, or like its neighbour, unless the patch itself writes the ending.

use super::locate::Edit;
use super::text::{Text, bom, without_bom};

/// The new content.
pub(crate) fn splice(text: &Text<'_>, edits: &[Edit<'_>]) -> String {
    let added: usize = edits.iter().flat_map(|e| &e.insert).map(|l| l.text.len() + 2).sum();
    let mut out = String::with_capacity(text.bytes() + added + 3);
    if text.has_bom() {
        out.push(bom());
    }
    let mut kept_to = 0;
    for edit in edits {
        out.push_str(text.raw(kept_to..edit.at.start));
        kept_to = edit.at.end;
        let last = edit.at.end == text.len() && edits.last().is_some_and(|e| std::ptr::eq(e, edit));
        insert(&mut out, text, edit, last);
    }
    out.push_str(text.raw(kept_to..text.len()));
    out
}

/// Appends the lines of one edit; `last` when nothing of the file follows them.
fn insert(out: &mut String, text: &Text<'_>, edit: &Edit<'_>, last: bool) {
    let at_top = out.is_empty() || (text.has_bom() && out.chars().eq([bom()]));
    if !edit.insert.is_empty() && !at_top && !out.ends_with('\n') {
        out.push_str(neighbour_ending(text, edit.at.start));
    }
    for (count, (line, ending)) in inserted(text, edit, last).enumerate() {
        out.push_str(if count == 0 && at_top && text.has_bom() { without_bom(line) } else { line });
        out.push_str(ending);
    }
}

/// The lines that come with an edit, and how each ends; `last` when nothing of the file follows them.
pub(super) fn inserted<'t>(
    text: &Text<'_>,
    edit: &Edit<'t>,
    last: bool,
) -> impl Iterator<Item = (&'t str, &'static str)> {
    edit.insert.iter().enumerate().map(move |(count, line)| {
        let replaced = edit.at.start + count;
        let ending = if edit.endings_written {
            "\n"
        } else if replaced < edit.at.end && !text.ending(replaced).is_empty() {
            text.ending(replaced)
        } else {
            neighbour_ending(text, replaced.min(edit.at.end))
        };
        let content =
            if ending == "\r\n" { line.text.strip_suffix('\r').unwrap_or(line.text) } else { line.text };
        let final_line = last && count + 1 == edit.insert.len();
        (content, if final_line && ends_bare(text, edit, line.no_newline) { "" } else { ending })
    })
}

/// Whether the new last line goes without newline: as the patch says, or else as the file was.
fn ends_bare(text: &Text<'_>, edit: &Edit<'_>, marked: bool) -> bool {
    marked || (text.lacks_newline() && !edit.newline_written)
}

/// The ending of the line above `line`, or of the next one below; LF when there is neither.
fn neighbour_ending(text: &Text<'_>, line: usize) -> &'static str {
    let above = line.checked_sub(1).map_or("", |above| text.ending(above));
    let two_above = line.checked_sub(2).map_or("", |above| text.ending(above));
    [above, text.ending(line), two_above].into_iter().find(|ending| !ending.is_empty()).unwrap_or("\n")
}

#[cfg(test)]
#[path = "splice_tests.rs"]
mod tests;
