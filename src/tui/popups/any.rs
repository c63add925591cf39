//! The open popup, whichever it is: one line per kind.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::approval::Approval;
use super::frame::Drawn;
use super::menu::Menu;
use super::prompt::Prompt;
use super::warnings::Warnings;
use super::wish::Outcome;
use super::{resume, review, statusline, theme, warnings};
use crate::tui::keymap::Keymap;
use crate::tui::keys::Key;
use crate::tui::theme::Theme;
use crate::tui::usage::look::View;
use crate::tui::usage::menu::Usage;
use crate::tui::usage::reached::Panel;

/// A popup.
pub(crate) enum Popup {
    /// A question of the thread.
    Approval(Box<Approval>),
    /// A question with fixed answers.
    Menu(Box<Menu>),
    /// One line to be typed.
    Prompt(Prompt),
    /// Warnings.
    Warnings(warnings::Panel),
    /// Syntax themes.
    Theme(Box<theme::Picker>),
    /// Items of status line or title.
    Items(Box<statusline::Chooser>),
    /// Branches or commits to review.
    Review(Box<review::Picker>),
    /// Stored threads; a full page.
    Resume(Box<resume::Picker>),
    /// `/usage`.
    Usage(Box<Usage>),
    /// A limit or a budget is used up.
    Reached(Box<Panel>),
}

/// What popups may know of the rest.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The time, in milliseconds.
    pub(crate) now_ms: u64,
    /// Which key does what.
    pub(crate) keymap: &'a Keymap,
    /// The warnings of this run.
    pub(crate) warnings: &'a Warnings,
    /// Questions that wait behind the open one.
    pub(crate) waiting: usize,
    /// Where the limits stand.
    pub(crate) usage: View<'a>,
}

impl Popup {
    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, around: &Around<'_>) -> Outcome {
        match self {
            Self::Approval(popup) => popup.on_key(key, around.now_ms, around.keymap),
            Self::Menu(popup) => popup.on_key_at(key, around.now_ms, around.keymap),
            Self::Prompt(popup) => popup.on_key(key),
            Self::Warnings(popup) => popup.on_key(key, around.warnings),
            Self::Theme(popup) => popup.on_key(key, around.keymap),
            Self::Items(popup) => popup.on_key(key, around.keymap),
            Self::Review(popup) => popup.on_key(key, around.keymap),
            Self::Resume(popup) => popup.on_key(key, around.keymap),
            Self::Usage(popup) => popup.on_key(key, &around.usage, around.keymap),
            Self::Reached(popup) => popup.on_key(key, &around.usage, around.keymap),
        }
    }

    /// Its rows, at most `height`; nothing for a full page.
    pub(crate) fn draw(&self, width: u16, height: usize, around: &Around<'_>, theme: &Theme) -> Drawn {
        match self {
            Self::Approval(popup) => popup.draw(width, height, around.waiting, theme),
            Self::Menu(popup) => popup.draw(width, height, theme),
            Self::Prompt(popup) => popup.draw(width, theme),
            Self::Warnings(popup) => popup.draw(around.warnings, width, height, theme),
            Self::Theme(popup) => popup.draw(width, height, theme),
            Self::Items(popup) => popup.draw(width, height, theme),
            Self::Review(popup) => popup.draw(width, height, theme),
            Self::Usage(popup) => popup.draw(&around.usage, width, height, theme),
            Self::Reached(popup) => popup.draw(&around.usage, width, height, theme),
            Self::Resume(_) => Drawn::default(),
        }
    }

    /// Whether it floats over the screen in a box, instead of standing in the prompt's place.
    pub(crate) fn floats(&self) -> bool {
        matches!(self, Self::Usage(usage) if usage.floats())
    }

    /// Draws a full page and tells where its cursor is; `None` when the popup is no page.
    pub(crate) fn view_page(
        &self,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
    ) -> Option<Option<(u16, u16)>> {
        match self {
            Self::Resume(page) => Some(page.view(area, buf, theme)),
            Self::Approval(_)
            | Self::Menu(_)
            | Self::Prompt(_)
            | Self::Warnings(_)
            | Self::Theme(_)
            | Self::Items(_)
            | Self::Review(_)
            | Self::Usage(_)
            | Self::Reached(_) => None,
        }
    }
}
