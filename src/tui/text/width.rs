//! How many cells a text takes, and cutting it to a number of cells. It counts exactly as the screen buffer does
//! (cluster by cluster, control characters nothing), or columns would not be straight.

use std::borrow::Cow;

use ratatui::buffer::CellWidth as _;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

/// Stands for what was cut off.
const ELLIPSIS: &str = "…";

/// Cells that `text` takes on the screen.
pub(crate) fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { clusters(text).map(|(_, width)| width).sum() }
}

/// Cells that a line takes on the screen.
pub(crate) fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| width(&span.content)).sum()
}

/// Whether every byte is one printable character of one cell.
pub(crate) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// The grapheme clusters of `text` and the cells each takes.
pub(crate) fn clusters(text: &str) -> impl DoubleEndedIterator<Item = (&str, usize)> {
    text.graphemes(true).map(|cluster| (cluster, cluster_width(cluster)))
}

/// Cells of one cluster.
pub(crate) fn cluster_width(cluster: &str) -> usize {
    if cluster.chars().any(char::is_control) { 0 } else { usize::from(cluster.cell_width()) }
}

/// `text` cut at its end to `max` cells, `…` included.
pub(crate) fn truncate_end(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    Cow::Owned(format!("{}{ELLIPSIS}", take(clusters(text), max - 1).concat()))
}

/// `text` cut at its start to `max` cells, `…` included.
pub(crate) fn truncate_start(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let mut kept = take(clusters(text).rev(), max - 1);
    kept.reverse();
    Cow::Owned(format!("{ELLIPSIS}{}", kept.concat()))
}

/// `text` cut in its middle to `max` cells, `…` included; the end keeps the larger half, as in paths.
pub(crate) fn truncate_middle(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let head = take(clusters(text), (max - 1) / 2);
    let mut tail = take(clusters(text).rev(), max - 1 - (max - 1) / 2);
    tail.reverse();
    Cow::Owned(format!("{}{ELLIPSIS}{}", head.concat(), tail.concat()))
}

/// `line` cut at its end to `max` cells, `…` included in the style of what it cuts.
pub(crate) fn truncate_line(line: Line<'static>, max: usize) -> Line<'static> {
    if line_width(&line) <= max {
        return line;
    }
    let mut out = Line { spans: Vec::new(), ..line };
    let mut left = max;
    for span in line.spans {
        let cells = width(&span.content);
        // A full row still needs its sign that something was cut, hence `<`.
        if cells < left {
            left -= cells;
            out.spans.push(span);
            continue;
        }
        let mut text = take(clusters(&span.content), left.saturating_sub(1)).concat();
        if max > 0 {
            text.push_str(ELLIPSIS);
        }
        out.spans.push(Span::styled(text, span.style));
        break;
    }
    out
}

fn take<'a>(clusters: impl Iterator<Item = (&'a str, usize)>, mut left: usize) -> Vec<&'a str> {
    let mut out = Vec::new();
    for (cluster, cells) in clusters {
        let Some(rest) = left.checked_sub(cells) else { break };
        left = rest;
        out.push(cluster);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_counted_per_cluster() {
        for (text, cells) in [
            ("", 0),
            ("abc", 3),
            ("漢字", 4),
            ("e\u{301}", 1),
            ("👩\u{200d}👩\u{200d}👧", 2),
            ("🇩🇪", 2),
            ("❤\u{fe0f}", 2),
            ("שלום", 4),
            ("a\u{0}b\n", 2),
            ("\u{200b}", 0),
        ] {
            assert_eq!(width(text), cells, "{text:?}");
        }
    }

    #[test]
    fn cut_texts_say_so() {
        assert_eq!(truncate_end("abcdef", 4), "abc…");
        assert_eq!(truncate_start("abcdef", 4), "…def");
        assert_eq!(truncate_middle("/home/me/project/src/main.rs", 14), "/home/…main.rs");
        assert_eq!(truncate_end("漢字漢字", 4), "漢…");
        assert_eq!(truncate_end("abc", 3), "abc");
        assert_eq!(truncate_end("abc", 0), "");
        let line = Line::from(vec![Span::raw("ab"), Span::raw("cdef")]);
        assert_eq!(truncate_line(line.clone(), 4).to_string(), "abc…");
        assert_eq!(truncate_line(line.clone(), 2).to_string(), "a…");
        assert_eq!(truncate_line(line, 6).to_string(), "abcdef");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked(text in any::<String>(), max in 0_usize..20) {
            prop_assert!(width(&truncate_end(&text, max)) <= max);
            prop_assert!(width(&truncate_start(&text, max)) <= max);
            prop_assert!(width(&truncate_middle(&text, max)) <= max);
            prop_assert!(line_width(&truncate_line(Line::from(text), max)) <= max);
        }
    }
}
