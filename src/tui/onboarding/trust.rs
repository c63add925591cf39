//! May codex work in this folder? Both answers go on, and each says what may happen then: as configured for a folder
//! that is trusted, or read-only.

use ratatui::text::{Line, Span};

use crate::tui::keymap::Keymap;
use crate::tui::keys::{GUARD_MS, Key};
use crate::tui::popups::frame::{self, Drawn};
use crate::tui::popups::list::{List, Picked, Row};
use crate::tui::setup::AskTrust;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// The warning.
const LONG: &str = "Codex reads, changes and runs files here, and follows the instructions and settings it finds in \
                    them. Say yes only if you know where they come from. Trust is remembered in your configuration.";
/// The same where there is little room.
const SHORT: &str = "Say yes only if you know where its files come from.";

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
    /// What each of the first answers lets happen, in words.
    levels: [String; 2],
    opened_ms: u64,
}

impl Page {
    /// Asks about `folder`, as it is to be shown.
    pub(crate) fn new(folder: &str, ask: &AskTrust, now_ms: u64) -> Self {
        let rows = vec![Row::new("Trust this folder"), Row::new("Only look"), Row::new("Leave")];
        Self {
            folder: text::reveal_line(folder),
            list: List::numbered(rows),
            levels: [ask.trusted.clone(), ask.looking.clone()],
            opened_ms: now_ms,
        }
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

    /// Its rows, at most `height`; where that is little, in fewer words.
    pub(crate) fn draw(&self, width: u16, height: usize, theme: &Theme) -> Drawn {
        let roomy = self.laid_out(LONG, true, width, theme);
        if roomy.len() <= height {
            return Drawn::rows(roomy);
        }
        Drawn::rows(frame::fit(self.laid_out(SHORT, false, width, theme), height, 2, theme))
    }

    fn laid_out(&self, words: &str, roomy: bool, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let folder = text::truncate_middle(&self.folder, usize::from(width.saturating_sub(4))).into_owned();
        let gap = || roomy.then(Line::default);
        let mut lines = Vec::from_iter(gap());
        lines.push(frame::title("May codex work in this folder?", "", width, theme));
        lines.extend(gap());
        lines.push(Line::from(vec![Span::raw("  "), Span::styled(folder, theme.style(Role::Accent))]));
        lines.extend(gap());
        lines.extend(frame::prose(words, Role::Text, width, theme));
        lines.extend(gap());
        let margin = Line::raw(" ".repeat(5));
        for (index, row) in self.list.lines(width, 3, theme).into_iter().enumerate() {
            lines.push(row);
            if let Some(level) = self.levels.get(index) {
                let level = Line::styled(level.clone(), theme.style(Role::Dim));
                lines.extend(text::wrap(&level, width, &margin, &margin));
            }
        }
        lines.extend(gap());
        lines.push(frame::hint("enter select · esc leave", width, theme));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::Code;
    use crate::tui::testing::{assert_screen, paper};

    fn ask() -> AskTrust {
        AskTrust {
            folder: "/x".into(),
            trusted: "Workspace: this folder is writable, network off; asks for more.".to_owned(),
            looking: "Read only: nothing is writable, network off; asks for more.".to_owned(),
        }
    }

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
            assert_eq!(Page::new("/x", &ask(), 0).on_key(key, at, &map), want, "{key:?} at {at}");
        }
    }

    #[test]
    fn views() {
        let folder = "/home/u/work/a/rather/deep/folder/with/a/long/name/project";
        for (width, height) in [(40, 12), (60, 20), (80, 24), (120, 40)] {
            let drawn = Page::new(folder, &ask(), 0).draw(width, height, &Theme::default());
            assert!(drawn.lines.len() <= height, "{width}");
            assert_screen!(format!("page_{width}"), paper(width, &drawn.lines));
        }
    }
}
