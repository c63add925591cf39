//! Drawing of the prompt: the open list above, then the text with its sign, no border. Rows that do not fit are
//! told by an arrow in the sign's column.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::layout::Layout;
use super::popup;
use super::prompt::Composer;
use crate::tui::text::truncate_end;
use crate::tui::theme::{Role, Theme};

/// How the prompt is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    /// Styles.
    pub(crate) theme: &'a Theme,
    /// A turn runs.
    pub(crate) running: bool,
    /// What stands in an empty prompt.
    pub(crate) placeholder: &'a str,
}

/// Columns of the sign and the blank after it.
const SIGN: u16 = 2;

impl Composer {
    /// Columns for text: one is left free for the cursor behind a full row.
    fn text_width(width: u16) -> usize {
        usize::from(width.saturating_sub(SIGN + 1)).max(1)
    }

    /// Rows the prompt wants on a screen of `screen_rows`: up to a third of it for text, the list on top.
    pub(crate) fn height(&self, width: u16, screen_rows: u16) -> u16 {
        let limit = (screen_rows / 3).max(3);
        let rows = self.area().layout(Self::text_width(width)).rows().len();
        let text = u16::try_from(rows).unwrap_or(u16::MAX).min(limit);
        let list = self.popup().map_or(0, popup::height);
        text + u16::try_from(list).unwrap_or(0)
    }

    /// Draws the prompt and tells where the cursor stands.
    pub(crate) fn view(&self, area: Rect, buf: &mut Buffer, look: &Look<'_>) -> Option<Position> {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return None;
        }
        let layout = self.area().layout(Self::text_width(area.width));
        let list = self.popup().map_or(0, popup::height);
        let rows = layout.rows().len();
        // The text keeps at least one row; the list gets what is left.
        let text_rows = rows.min(usize::from(area.height).saturating_sub(list)).max(1);
        let list_rows = usize::from(area.height) - text_rows;
        let mut y = area.y;
        if let Some(popup) = self.popup() {
            for line in popup::lines(popup, usize::from(area.width), list_rows, look) {
                buf.set_line(area.x, y, &line, area.width);
                y += 1;
            }
        }
        let rest = Rect { y, height: area.bottom().saturating_sub(y), ..area };
        self.text(rest, buf, &layout, look)
    }

    fn text(&self, area: Rect, buf: &mut Buffer, layout: &Layout, look: &Look<'_>) -> Option<Position> {
        let (text, theme) = (self.area().text(), look.theme);
        let height = usize::from(area.height);
        let (row, column) = layout.position(text, self.area().cursor());
        let rows = layout.rows();
        let top = first_row(row, rows.len(), height);
        for (i, line) in rows.iter().skip(top).take(height).enumerate() {
            let y = area.y + u16::try_from(i).unwrap_or(0);
            let sign = self.sign(top + i, i, height, top, rows.len());
            let role = if self.is_shell() { Role::Warn } else { Role::Accent };
            let style = if sign == "›" || sign == "!" { theme.style(role) } else { theme.style(Role::Dim) };
            buf.set_stringn(area.x, y, sign, usize::from(area.width), style);
            let pieces = layout.pieces(text, *line).into_iter();
            let spans: Vec<Span<'_>> = pieces
                .map(|p| Span::styled(p.text, theme.style(if p.token { Role::Accent } else { Role::Text })))
                .collect();
            let room = area.width.saturating_sub(SIGN);
            buf.set_line(area.x + SIGN.min(area.width), y, &Line::from(spans), room);
        }
        if text.is_empty() {
            let placeholder = if self.is_shell() { "command for your shell" } else { look.placeholder };
            let room = usize::from(area.width.saturating_sub(SIGN));
            buf.set_stringn(
                area.x + SIGN.min(area.width),
                area.y,
                truncate_end(placeholder, room),
                room,
                theme.style(Role::Dim),
            );
        }
        let x = area.x + SIGN + u16::try_from(column).unwrap_or(0);
        let y = area.y + u16::try_from(row - top).unwrap_or(0);
        (x < area.right() && y < area.bottom()).then_some(Position { x, y })
    }

    /// The sign in front of a row: the prompt's on the first, arrows where rows are hidden.
    fn sign(&self, row: usize, shown: usize, height: usize, top: usize, rows: usize) -> &'static str {
        match () {
            () if row == 0 && self.is_shell() => "!",
            () if row == 0 => "›",
            () if shown == 0 && top > 0 => "↑",
            () if shown + 1 == height && top + height < rows => "↓",
            () => " ",
        }
    }

    /// What the keys do now, for the hint line; `None` when the screen may say something of its own.
    pub(crate) fn hint(&self, running: bool) -> Option<String> {
        if let Some(search) = self.searching() {
            let state = match () {
                () if search.query.is_empty() => "type to search earlier prompts",
                () if search.waits.is_some() => "searching…",
                () if search.failed => "nothing (more) found",
                () if search.forward => "ctrl-s newer · enter take · esc back",
                () => "ctrl-r older · enter take · esc back",
            };
            let start = if search.query.is_empty() {
                "search".to_owned()
            } else {
                format!("search: {}", search.query)
            };
            return Some(format!("{start} · {state}"));
        }
        if self.can_open_paste() {
            return Some("enter to open the paste as text".to_owned());
        }
        let queues = running && !self.is_empty() && !self.is_shell() && self.popup().is_none();
        queues.then(|| "tab to queue message".to_owned())
    }

    /// The badge at the right of the hint line.
    pub(crate) fn badge(&self) -> Option<&'static str> {
        self.is_shell().then_some("Shell mode")
    }
}

/// The first row to show so that the cursor's row is in view, a row of context below it where there is one.
fn first_row(cursor: usize, rows: usize, height: usize) -> usize {
    let below = usize::from(height > 2);
    let top = (cursor + 1 + below).saturating_sub(height);
    top.min(rows.saturating_sub(height))
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
