//! The shapes rows come in: a marker in the first column, a body two columns in, details under a corner. Every
//! helper keeps to the width, also to absurd ones, where indents are left out.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cell::Look;
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns the body stands in from the left.
const INDENT: u16 = 2;
/// Below this width there are no indents.
const ROOMY: u16 = 10;

/// Width of the body beside the marker column.
pub(crate) fn inner(width: u16) -> u16 {
    if width >= ROOMY { width - INDENT } else { width }
}

/// Width of details under a corner.
pub(crate) fn detail_width(width: u16) -> u16 {
    if width >= ROOMY { width - 2 * INDENT } else { width }
}

/// `lines` (laid out for [`inner`]) with `marker` before the first.
pub(crate) fn marked(marker: Span<'static>, lines: Vec<Line<'static>>, width: u16) -> Vec<Line<'static>> {
    prefixed(lines, width, Span::styled(format!("{} ", marker.content), marker.style), "  ")
}

/// `lines` (laid out for [`inner`]) moved into the body.
pub(crate) fn body(lines: Vec<Line<'static>>, width: u16) -> Vec<Line<'static>> {
    prefixed(lines, width, Span::raw("  "), "  ")
}

/// `lines` (laid out for [`detail_width`]) under the corner of what they belong to.
pub(crate) fn under(lines: Vec<Line<'static>>, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
    prefixed(lines, width, Span::styled("  └ ", look.style(Role::Dim)), "    ")
}

fn prefixed(
    mut lines: Vec<Line<'static>>,
    width: u16,
    first: Span<'static>,
    rest: &'static str,
) -> Vec<Line<'static>> {
    if width < ROOMY {
        return lines;
    }
    for (index, line) in lines.iter_mut().enumerate() {
        if index == 0 {
            line.spans.insert(0, first.clone());
        } else if !line.spans.is_empty() {
            line.spans.insert(0, Span::raw(rest));
        }
    }
    lines
}

/// One row: marker, words, and a dim `tail` that stays when the words are cut.
pub(crate) fn head(
    marker: Span<'static>,
    words: Vec<Span<'static>>,
    tail: &str,
    width: u16,
    look: &Look<'_>,
) -> Line<'static> {
    let room = usize::from(inner(width));
    let tail_width = text::width(tail);
    let keeps_tail = tail_width > 0 && tail_width + 8 <= room;
    let words_room = if keeps_tail { room - tail_width } else { room };
    let mut line = text::truncate_line(Line::from(words), words_room);
    if keeps_tail {
        line.spans.push(Span::styled(tail.to_owned(), look.style(Role::Dim)));
    }
    if width >= ROOMY {
        line.spans.insert(0, Span::styled(format!("{} ", marker.content), marker.style));
    }
    line
}

/// Text from outside in one style, wrapped between words.
pub(crate) fn prose(raw: &str, style: Style, width: u16) -> Vec<Line<'static>> {
    let nothing = Line::default();
    let clean = text::sanitize(raw);
    let lines = clean.trim_end_matches('\n').split('\n');
    lines
        .flat_map(|line| text::wrap(&Line::styled(line.to_owned(), style), width, &nothing, &nothing))
        .map(|line| spread(line, style))
        .collect()
}

/// Wrapping moves styles of a whole line into its spans; an empty line keeps none.
fn spread(mut line: Line<'static>, style: Style) -> Line<'static> {
    line.style = Style::new();
    for span in &mut line.spans {
        span.style = style.patch(span.style);
    }
    line
}

/// One row of text from outside: its first line, cut to `width`. Reads no more of `raw` than can be shown.
pub(crate) fn one_row(raw: &str, width: usize) -> String {
    let reach = raw.char_indices().nth(width.saturating_mul(4).max(256)).map_or(raw.len(), |(at, _)| at);
    let (near, far) = raw.split_at_checked(reach).unwrap_or((raw, ""));
    let clean = text::sanitize(near);
    let mut lines = clean.trim_start_matches('\n').split('\n');
    let first = lines.next().unwrap_or_default().trim_end();
    let more = !far.is_empty() || lines.any(|line| !line.trim().is_empty());
    if more && text::width(first) < width {
        return text::truncate_end(&format!("{first}…"), width).into_owned();
    }
    text::truncate_end(first, width).into_owned()
}

/// How many of something: `1 line`, `12 lines`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// Wall time in few characters: `<0.01s`, `0.02s`, `2.9s`, `12s`, `1m 05s`, `1h 02m`.
pub(crate) fn span_of_time(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 if ms < 10 => "<0.01s".to_owned(),
        0 => format!("0.{:02}s", ms / 10),
        1..=9 => format!("{}.{}s", seconds, ms % 1000 / 100),
        10..=59 => format!("{seconds}s"),
        60..=3599 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Whole seconds, for clocks that run: `<1s`, `5s`, `1m 05s`.
pub(crate) fn clock(ms: u64) -> String {
    match ms / 1000 {
        0 => "<1s".to_owned(),
        seconds @ 1..=9 => format!("{seconds}s"),
        _ => span_of_time(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let spans: Vec<String> =
            [0, 20, 999, 2_940, 12_300, 65_000, 3_725_000].map(span_of_time).into_iter().collect();
        assert_eq!(spans, ["<0.01s", "0.02s", "0.99s", "2.9s", "12s", "1m 05s", "1h 02m"]);
        assert_eq!([900, 5_200, 61_000].map(clock), ["<1s", "5s", "1m 01s"]);
    }

    #[test]
    fn a_row_says_when_there_is_more() {
        assert_eq!(one_row("cat <<E\nx\nE", 20), "cat <<E…");
        assert_eq!(one_row("ls\n", 20), "ls");
        assert_eq!(one_row("abcdefgh", 4), "abc…");
        assert_eq!(one_row(&"x".repeat(1 << 20), 5), "xxxx…");
    }
}
