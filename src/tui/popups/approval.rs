//! May this run, may this be written? Shows all that is decided about; what is too long scrolls here and opens on a
//! page of its own, and nothing is allowed before its last row was shown. Keys typed before the question could be read do
//! not answer it: they go to the prompt.

use std::cell::Cell;
use std::path::PathBuf;

use ratatui::style::Modifier;
use ratatui::text::Line;

use super::frame::{self, Drawn};
use super::list::{List, Picked};
use super::wish::{Outcome, Wish};
use super::{answers, facts, subject};
use crate::base::ids::AskId;
use crate::protocol::ask::{Answer, Ask};
use crate::tui::keymap::{Action, Context, Keymap};
use crate::tui::keys::{Code, GUARD_MS, Key};
use crate::tui::pager::Page;
use crate::tui::theme::{Role, Theme};

/// A key that is no text is believed after this, however often it comes.
const GUARD_MAX_MS: u64 = 1500;
/// A letter is an answer when it stays alone for this long. With another behind it, it began a word.
const ALONE_MS: u64 = 250;
/// Rows that what is decided about has in any case, and before there are blank rows.
const SUBJECT_LEAST: usize = 2;
const SUBJECT_USUAL: usize = 6;

/// An open question.
#[derive(Debug)]
pub(crate) struct Approval {
    id: AskId,
    ask: Box<Ask>,
    home: Option<PathBuf>,
    choices: Vec<Answer>,
    list: List,
    scroll: Cell<usize>,
    /// Rows of it that were shown at a time when it was drawn last.
    shown: Cell<usize>,
    /// Rows that were never shown: as long as there are any, nothing is allowed.
    unread: Cell<usize>,
    /// Somebody tried.
    nudged: bool,
    opened_ms: u64,
    quiet_since_ms: u64,
    /// A letter that waits to be alone, what it answers, and when it will have been.
    held: Option<(Key, Answer, u64)>,
}

impl Approval {
    /// A question that is put now.
    pub(crate) fn new(id: AskId, ask: Box<Ask>, home: Option<PathBuf>, now_ms: u64) -> Self {
        let choices = answers::choices(&ask);
        let rows = choices.iter().map(|answer| answers::row(*answer, &ask, home.as_deref())).collect();
        Self {
            id,
            ask,
            home,
            choices,
            list: List::numbered(rows),
            scroll: Cell::default(),
            shown: Cell::default(),
            unread: Cell::new(usize::MAX),
            nudged: false,
            opened_ms: now_ms,
            quiet_since_ms: now_ms,
            held: None,
        }
    }

    /// Which question.
    pub(crate) fn id(&self) -> AskId {
        self.id
    }

    /// The question in one line, for notifications and the linear mode.
    pub(crate) fn headline(&self) -> String {
        subject::headline(&self.ask, self.home.as_deref())
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, now_ms: u64, keymap: &Keymap) -> Outcome {
        match key.code {
            Code::PageUp => self.scroll.set(self.scroll.get().saturating_sub(self.page_rows())),
            Code::PageDown => self.scroll.set(self.scroll.get().saturating_add(self.page_rows())),
            _ => return self.on_answer_key(key, now_ms, keymap),
        }
        Outcome::Stay
    }

    /// Rows a page key moves: no row is passed over unseen.
    fn page_rows(&self) -> usize {
        self.shown.get().saturating_sub(1).max(1)
    }

    /// When something happens without a key.
    pub(crate) fn wake_at_ms(&self) -> Option<u64> {
        self.held.map(|(_, _, at)| at)
    }

    /// Time passed: a letter that stayed alone answers.
    pub(crate) fn tick(&mut self, now_ms: u64) -> Outcome {
        match self.held {
            Some((_, answer, at)) if at <= now_ms => self.answered(answer),
            _ => Outcome::Stay,
        }
    }

    fn on_answer_key(&mut self, key: Key, now_ms: u64, keymap: &Keymap) -> Outcome {
        let text = matches!(key.code, Code::Char(_)) && !key.ctrl && !key.alt;
        if let Some((first, answer, at)) = self.held.take() {
            if at <= now_ms || key == Key::plain(Code::Enter) {
                return self.answered(answer);
            }
            if text {
                return self.typed(vec![first, key], now_ms);
            }
        }
        let quiet = now_ms >= self.quiet_since_ms.saturating_add(GUARD_MS);
        let believed =
            !text && key.code != Code::Enter && now_ms >= self.opened_ms.saturating_add(GUARD_MAX_MS);
        if !quiet && !believed {
            return self.typed(vec![key], now_ms);
        }
        let action = keymap.action(Context::Approval, key);
        if action == Some(Action::FullPage) {
            self.unread.set(0);
            return Outcome::Keep(Wish::Page(Box::new(self.page())));
        }
        let answer = match action.and_then(|action| answers::of(action, &self.choices)) {
            Some(answer) => answer,
            _ if key == Key::ctrl('c') => Answer::Cancel,
            _ => match self.list.on_key(key, keymap) {
                Picked::Row(index) => self.choices.get(index).copied().unwrap_or(Answer::Cancel),
                Picked::Closed => Answer::Cancel,
                // A letter that means nothing here: somebody writes, and their next letter is no answer.
                Picked::Nothing if text => return self.typed(vec![key], now_ms),
                Picked::Nothing | Picked::Moved | Picked::Refused(_) => return Outcome::Stay,
            },
        };
        let Some(row) = self.choices.iter().position(|choice| *choice == answer) else {
            // A letter of an answer that this question does not have.
            return if text { self.typed(vec![key], now_ms) } else { Outcome::Stay };
        };
        if self.unread.get() > 0 && !matches!(answer, Answer::Decline | Answer::Cancel) {
            self.nudged = true;
            return Outcome::Stay;
        }
        if text {
            self.list.select(row);
            self.held = Some((key, answer, now_ms.saturating_add(ALONE_MS)));
            return Outcome::Stay;
        }
        self.answered(answer)
    }

    fn answered(&self, answer: Answer) -> Outcome {
        let told = answers::told(answer, &self.ask, self.home.as_deref());
        Outcome::Wish(Wish::Answer(self.id, answer, told))
    }

    /// The keys belong to the prompt, and answers have to wait for a pause. What they had selected is not what
    /// `enter` shall mean.
    fn typed(&mut self, keys: Vec<Key>, now_ms: u64) -> Outcome {
        self.quiet_since_ms = now_ms;
        self.list.select(0);
        Outcome::Keep(Wish::TypedAhead(keys))
    }

    /// All of it, to be read.
    pub(crate) fn page(&self) -> Page {
        subject::page(&self.ask, self.home.as_deref())
    }

    /// Its rows, at most `height`; `waiting` more questions come after it. The choices, what is decided about and
    /// its first fact come before everything else; blank rows come last.
    pub(crate) fn draw(&self, width: u16, height: usize, waiting: usize, theme: &Theme) -> Drawn {
        let more = if waiting == 0 { String::new() } else { format!("1 of {}", waiting + 1) };
        let choices = self.choices.len().min(height.saturating_sub(2 + SUBJECT_LEAST)).max(1);
        let mut left = height.saturating_sub(1 + choices + SUBJECT_LEAST);
        let (mut subject, whole) = subject::rows(&self.ask, self.home.as_deref(), width, theme);
        let usual = match self.ask.as_ref() {
            Ask::Command { .. } => subject.len(),
            Ask::Patch { .. } => SUBJECT_USUAL,
        };
        // What has no room for itself is scrolled to behind what is decided about.
        let mut facts = facts::lines(&self.ask, self.home.as_deref(), width, theme);
        subject.extend(facts.split_off(facts.len().min(left.saturating_sub(1).max(left.min(1)))));
        left -= facts.len();
        let mut reason = self.reason_rows(width, theme);
        subject.extend(reason.split_off(reason.len().min(left.min((height / 4).max(1)))));
        left = left.saturating_sub(reason.len() + usual.clamp(SUBJECT_LEAST, SUBJECT_USUAL) - SUBJECT_LEAST);
        let mut blanks = 0;
        let mut blank = |wanted: bool, rows: usize| {
            let fits = wanted && blanks + rows <= left;
            blanks += if fits { rows } else { 0 };
            fits.then(Line::default)
        };
        let before_choices = blank(true, 1);
        let before_subject = blank(true, 1);
        let before_facts = blank(!facts.is_empty(), 1);
        let before_hint = blank(true, 2);
        let room = height.saturating_sub(1 + choices + facts.len() + reason.len() + blanks).max(1);
        let mut lines = vec![frame::title(self.question(), &more, width, theme)];
        lines.extend(reason);
        lines.extend(before_subject);
        lines.extend(self.scrolled(subject, whole, room, theme));
        lines.extend(before_facts);
        lines.extend(facts);
        lines.extend(before_choices);
        lines.extend(self.list.lines(width, choices, theme));
        if let Some(blank) = before_hint {
            let hint = "enter select · ctrl-a read all of it · page-up/down scroll";
            lines.extend([blank, frame::hint(hint, width, theme)]);
        }
        Drawn::rows(frame::fit(lines, height, choices, theme))
    }

    fn reason_rows(&self, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let Some(reason) = self.reason() else { return Vec::new() };
        // One paragraph, whatever it says: with lines of its own it could look like a question.
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut rows = frame::prose(&reason, Role::Text, width, theme);
        for span in rows.iter_mut().flat_map(|row| &mut row.spans) {
            span.style = span.style.add_modifier(Modifier::ITALIC);
        }
        rows
    }

    fn question(&self) -> &'static str {
        match self.ask.as_ref() {
            Ask::Command { .. } => "Run this command?",
            Ask::Patch { changes, .. } if changes.len() == 1 => "Make this change?",
            Ask::Patch { .. } => "Make these changes?",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self.ask.as_ref() {
            Ask::Command { reason, .. } | Ask::Patch { reason, .. } => {
                reason.as_deref().filter(|reason| !reason.trim().is_empty())
            }
        }
    }

    /// As much of what is decided about as `room` shows from where one scrolled to; `whole`: the rows are all of it.
    fn scrolled(
        &self,
        lines: Vec<Line<'static>>,
        whole: bool,
        room: usize,
        theme: &Theme,
    ) -> Vec<Line<'static>> {
        let cut = usize::from(!whole);
        if lines.len() <= room {
            self.unread.set(self.unread.get().min(cut));
            return lines;
        }
        let shown = room.saturating_sub(1).max(1);
        let top = self.scroll.get().min(lines.len() - shown);
        self.scroll.set(top);
        let total = lines.len();
        let mut lines: Vec<Line<'static>> = lines.into_iter().skip(top).take(shown).collect();
        let below = total - top - shown;
        self.shown.set(shown);
        self.unread.set(self.unread.get().min(below.max(cut)));
        let more = match (self.unread.get() > 0, self.nudged) {
            (true, true) => format!("↓ {below} more rows to see before you allow it: page-down, ctrl-a"),
            (true, false) => format!("↓ {below} more rows: page-down, or ctrl-a for all of it"),
            (false, _) => format!("↓ {below} more rows"),
        };
        let words = match (top, below) {
            (_, 0) if self.unread.get() > 0 => {
                format!("  ↑ {top} rows above · there is more: ctrl-a shows all of it")
            }
            (_, 0) => format!("  ↑ {top} rows above"),
            (0, _) => format!("  {more}"),
            _ => format!("  ↑ {top} rows above · {more}"),
        };
        let role = if self.unread.get() > 0 { Role::Warn } else { Role::Dim };
        lines.push(Line::styled(words, theme.style(role)));
        lines
    }
}

#[cfg(test)]
#[path = "approval_tests.rs"]
mod tests;
