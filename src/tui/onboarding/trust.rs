//! May codex work in this folder? Both answers go on: with the workspace writable, or read-only.

use ratatui::text::{Line, Span};

use crate::tui::keymap::Keymap;
use crate::tui::keys::Key;
use crate::tui::popups::frame::{self, Drawn};
use crate::tui::popups::list::{List, Picked, Row};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Keys are ignored for this long: they were meant for something else.
const GUARD_MS: u64 = 300;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Stay,
    /// Trusted: stored, the workspace may be written.
    Trust,
    /// Not trusted, for this run: read only.
    ReadOnly,
    /// Leave the program.
    Quit,
}

/// The page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    folder: String,
    list: List,
    opened_ms: u64,
}

impl Page {
    /// Asks about `folder`, as it is to be shown.
    pub(crate) fn new(folder: &str, now_ms: u64) -> Self {
        let rows = vec![
            Row::new("Trust this folder").detail("change files, run commands in it"),
            Row::new("Only look").detail("ask before every change"),
            Row::new("Leave"),
        ];
        Self { folder: text::reveal_line(folder), list: List::numbered(rows), opened_ms: now_ms }
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, now_ms: u64, keymap: &Keymap) -> Outcome {
        if key == Key::ctrl('c') || key == Key::ctrl('d') {
            return Outcome::Quit;
        }
        if now_ms < self.opened_ms + GUARD_MS {
            return Outcome::Stay;
        }
        match self.list.on_key(key, keymap) {
            Picked::Row(0) => Outcome::Trust,
            Picked::Row(1) => Outcome::ReadOnly,
            Picked::Row(_) | Picked::Closed => Outcome::Quit,
            Picked::Nothing | Picked::Moved | Picked::Refused(_) => Outcome::Stay,
        }
    }

    /// Its rows.
    pub(crate) fn draw(&self, width: u16, theme: &Theme) -> Drawn {
        let folder = text::truncate_middle(&self.folder, usize::from(width.saturating_sub(4))).into_owned();
        let mut lines = vec![
            Line::default(),
            frame::title("May codex work in this folder?", "", width, theme),
            Line::default(),
            Line::from(vec![Span::raw("  "), Span::styled(folder, theme.style(Role::Accent))]),
            Line::default(),
        ];
        let text = "Codex reads, changes and runs files here, and follows the instructions and settings it finds in \
                    them. Say yes only if you know where they come from. Trust is remembered in your configuration.";
        lines.extend(frame::prose(text, Role::Text, width, theme));
        lines.push(Line::default());
        lines.extend(self.list.lines(width, 3, theme));
        lines.push(Line::default());
        lines.push(frame::hint("enter select · esc leave", width, theme));
        Drawn::rows(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::Code;
    use crate::tui::testing::{assert_screen, paper};

    #[test]
    fn answers() {
        let map = Keymap::default();
        for (key, at, want) in [
            (Key::plain(Code::Enter), 100, Outcome::Stay),
            (Key::plain(Code::Enter), 300, Outcome::Trust),
            (Key::plain(Code::Char('2')), 300, Outcome::ReadOnly),
            (Key::plain(Code::Esc), 300, Outcome::Quit),
            (Key::ctrl('c'), 0, Outcome::Quit),
        ] {
            assert_eq!(Page::new("/x", 0).on_key(key, at, &map), want, "{key:?} at {at}");
        }
    }

    #[test]
    fn views() {
        for width in [60, 80, 120] {
            let page = Page::new("/home/u/work/a/rather/deep/folder/with/a/long/name/project", 0);
            assert_screen!(format!("page_{width}"), paper(width, &page.draw(width, &Theme::default()).lines));
        }
    }
}
