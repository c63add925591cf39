//! What all popups look like: a title, their content, one line of keys at the end. No box: a blank row and the
//! title set them apart.

use ratatui::text::{Line, Span};

use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// A popup laid out: rows, and where the cursor stands in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawn {
    /// The rows.
    pub(crate) lines: Vec<Line<'static>>,
    /// Column and row of the cursor.
    pub(crate) cursor: Option<(u16, u16)>,
}

impl Drawn {
    /// Rows without a cursor.
    pub(crate) fn rows(lines: Vec<Line<'static>>) -> Self {
        Self { lines, cursor: None }
    }
}

/// Columns at the left edge that stay empty.
pub(crate) const MARGIN: u16 = 2;

/// The title row; `right` stands at the right edge.
pub(crate) fn title(words: &str, right: &str, width: u16, theme: &Theme) -> Line<'static> {
    let width = usize::from(width.saturating_sub(MARGIN));
    let right_width = text::width(right);
    let room = if right_width == 0 { width } else { width.saturating_sub(right_width + 2) };
    let words = text::truncate_end(words, room).into_owned();
    let gap = width.saturating_sub(text::width(&words) + right_width);
    let mut spans = vec![Span::raw("  "), Span::styled(words, theme.style(Role::Strong))];
    if right_width > 0 && right_width <= width {
        spans.push(Span::raw(" ".repeat(gap)));
        spans.push(Span::styled(right.to_owned(), theme.style(Role::Dim)));
    }
    Line::from(spans)
}

/// Text from inside or outside, wrapped, two columns in.
pub(crate) fn prose(raw: &str, role: Role, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let indent = Line::raw("  ");
    let clean = text::sanitize(raw);
    let rows = clean.trim_end().split('\n');
    rows.flat_map(|row| {
        text::wrap(&Line::from(Span::styled(row.to_owned(), theme.style(role))), width, &indent, &indent)
    })
    .collect()
}

/// The row of keys.
pub(crate) fn hint(words: &str, width: u16, theme: &Theme) -> Line<'static> {
    let words = text::truncate_end(words, usize::from(width.saturating_sub(MARGIN))).into_owned();
    Line::from(vec![Span::raw("  "), Span::styled(words, theme.style(Role::Dim))])
}

/// At most `height` rows: what does not fit is left out before the last `keep` rows and said to be.
pub(crate) fn fit(
    mut lines: Vec<Line<'static>>,
    height: usize,
    keep: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    if lines.len() <= height || height <= keep {
        lines.truncate(height.max(1));
        return lines;
    }
    let tail = lines.split_off(lines.len() - keep);
    let left_out = lines.len() - (height - keep).saturating_sub(1);
    lines.truncate((height - keep).saturating_sub(1));
    let words =
        if left_out == 1 { "  … 1 more row".to_owned() } else { format!("  … {left_out} more rows") };
    lines.push(Line::styled(words, theme.style(Role::Dim)));
    lines.extend(tail);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let rows: Vec<Line<'static>> = (0..10).map(|n| Line::raw(n.to_string())).collect();
        let text = |height, keep| -> Vec<String> {
            fit(rows.clone(), height, keep, &Theme::default()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(text(5, 2), ["0", "1", "  … 6 more rows", "8", "9"]);
        assert_eq!(text(20, 2).len(), 10);
        assert_eq!(text(1, 2), ["0"]);
    }
}
