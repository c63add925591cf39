//! What all popups look like: a title, their content, one line of keys at the end. A blank row and the title set them
//! apart; what floats over the screen stands in a box.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
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

/// Columns of a floating box that is not pressed for room.
const BOX: u16 = 60;

/// Columns for the rows in the floating box of a screen this wide: its edges and a blank column are left out.
pub(crate) fn inside(width: u16) -> u16 {
    width.saturating_sub(2).min(BOX).saturating_sub(3)
}

/// Draws these rows in a box in the middle of `area`, one cell around it left blank where there is room.
pub(crate) fn float(rows: &[Line<'static>], area: Rect, buf: &mut Buffer, theme: &Theme) {
    let width = inside(area.width) + 3;
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
    let at = Rect {
        x: area.x + (area.width - width.min(area.width)) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    let around = Rect {
        x: at.x.saturating_sub(1),
        y: at.y.saturating_sub(1),
        width: at.width.saturating_add(2),
        height: at.height.saturating_add(2),
    };
    blank(around.intersection(area), buf);
    let style = theme.style(Role::Accent);
    let edge = "─".repeat(usize::from(width.saturating_sub(2)));
    let last = at.bottom().saturating_sub(1);
    for y in at.y..at.bottom() {
        match rows.get(usize::from(y - at.y).wrapping_sub(1)).filter(|_| y < last) {
            Some(row) => {
                buf.set_line(at.x + 1, y, row, inside(area.width));
                buf.set_string(at.x, y, "│", style);
                buf.set_string(at.right().saturating_sub(1), y, "│", style);
            }
            None if y == at.y => buf.set_string(at.x, y, format!("╭{edge}╮"), style),
            None => buf.set_string(at.x, y, format!("╰{edge}╯"), style),
        }
    }
}

/// Clears cells. A wide character that is cut at the edge is taken out whole.
fn blank(area: Rect, buf: &mut Buffer) {
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
        if let Some(cell) = area.x.checked_sub(1).and_then(|x| buf.cell_mut((x, y)))
            && text::width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
    }
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
