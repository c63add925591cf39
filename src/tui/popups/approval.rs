//! May this run, may this be written? Shows all that is decided about; what is too long scrolls here and opens on a
//! page of its own. Keys typed before the question could be read do not answer it: they go to the prompt.

use std::path::{Path, PathBuf};

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::facts;
use super::frame::{self, Drawn};
use super::list::{List, Picked, Row};
use super::wish::{Outcome, Wish};
use crate::base::ids::AskId;
use crate::base::path::with_tilde;
use crate::protocol::ask::{Answer, Ask, Narrow};
use crate::protocol::item::{ChangeKind, FileChange};
use crate::tui::keymap::{Action, Context, Keymap};
use crate::tui::keys::{Code, GUARD_MS, Key};
use crate::tui::pager::{Content, Page};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};
use crate::tui::transcript::cells::command::spoken;

/// A key that is no text is believed after this, however often it comes.
const GUARD_MAX_MS: u64 = 1500;
/// A letter is an answer when it stays alone for this long. With another behind it, it began a word.
const ALONE_MS: u64 = 250;
/// Blank rows of a command that are shown in a row; more are counted, or they would push the rest out of sight.
const BLANK_ROWS: usize = 2;
/// Rows that what is decided about has in any case, and before there are blank rows.
const SUBJECT_LEAST: usize = 1;
const SUBJECT_USUAL: usize = 6;

/// An open question.
#[derive(Debug)]
pub(crate) struct Approval {
    id: AskId,
    ask: Box<Ask>,
    home: Option<PathBuf>,
    choices: Vec<Answer>,
    list: List,
    scroll: std::cell::Cell<usize>,
    opened_ms: u64,
    quiet_since_ms: u64,
    /// A letter that waits to be alone, what it answers, and when it will have been.
    held: Option<(Key, Answer, u64)>,
}

impl Approval {
    /// A question that is put now.
    pub(crate) fn new(id: AskId, ask: Box<Ask>, home: Option<PathBuf>, now_ms: u64) -> Self {
        let choices = choices(&ask);
        let rows = choices.iter().map(|answer| row(*answer, &ask, home.as_deref())).collect();
        Self {
            id,
            ask,
            home,
            choices,
            list: List::numbered(rows),
            scroll: std::cell::Cell::new(0),
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
        headline(&self.ask, self.home.as_deref())
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, now_ms: u64, keymap: &Keymap) -> Outcome {
        match key.code {
            Code::PageUp => self.scroll.set(self.scroll.get().saturating_sub(8)),
            Code::PageDown => self.scroll.set(self.scroll.get().saturating_add(8)),
            _ => return self.on_answer_key(key, now_ms, keymap),
        }
        Outcome::Stay
    }

    /// When something happens without a key.
    pub(crate) fn wake_at_ms(&self) -> Option<u64> {
        self.held.map(|(_, _, at)| at)
    }

    /// Time passed: a letter that stayed alone answers.
    pub(crate) fn tick(&mut self, now_ms: u64) -> Outcome {
        match self.held {
            Some((_, answer, at)) if at <= now_ms => Outcome::Wish(Wish::Answer(self.id, answer)),
            _ => Outcome::Stay,
        }
    }

    fn on_answer_key(&mut self, key: Key, now_ms: u64, keymap: &Keymap) -> Outcome {
        let text = matches!(key.code, Code::Char(_)) && !key.ctrl && !key.alt;
        if let Some((first, answer, at)) = self.held.take() {
            if at <= now_ms || key == Key::plain(Code::Enter) {
                return Outcome::Wish(Wish::Answer(self.id, answer));
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
        let answer = match keymap.action(Context::Approval, key) {
            Some(Action::ApprovePlace) => Answer::Open,
            Some(Action::ApproveOnce) => Answer::Accept,
            Some(Action::ApproveSession) => Answer::AcceptForSession,
            Some(Action::ApproveProject) => Answer::AcceptForProject,
            Some(Action::ApprovePrefix) => Answer::AcceptAlways,
            Some(Action::Refuse) => Answer::Decline,
            Some(Action::RefuseAndStop) => Answer::Cancel,
            Some(Action::FullPage) => return Outcome::Keep(Wish::Page(Box::new(self.page()))),
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
        if text {
            self.list.select(row);
            self.held = Some((key, answer, now_ms.saturating_add(ALONE_MS)));
            return Outcome::Stay;
        }
        Outcome::Wish(Wish::Answer(self.id, answer))
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
        match self.ask.as_ref() {
            Ask::Command { command, .. } => {
                Page::new("Command", Content::Code(spoken(command).into(), "bash"))
            }
            Ask::Patch { changes, .. } => {
                let files = changes
                    .iter()
                    .map(|change| {
                        (heading(change, self.home.as_deref()), change.path.clone(), unified(change))
                    })
                    .collect();
                Page::new("Proposed changes", Content::Files(files))
            }
        }
    }

    /// Its rows, at most `height`; `waiting` more questions come after it. The choices, what is decided about and
    /// its first fact come before everything else; blank rows come last.
    pub(crate) fn draw(&self, width: u16, height: usize, waiting: usize, theme: &Theme) -> Drawn {
        let more = if waiting == 0 { String::new() } else { format!("1 of {}", waiting + 1) };
        let choices = self.choices.len().min(height.saturating_sub(3)).max(1);
        let mut left = height.saturating_sub(1 + choices + SUBJECT_LEAST);
        let mut facts = facts::lines(&self.ask, self.home.as_deref(), width, theme);
        facts.truncate(left.saturating_sub(1).max(left.min(1)));
        left -= facts.len();
        let mut reason = self.reason_rows(width, theme);
        reason.truncate(left.min((height / 4).max(1)));
        let usual = match self.ask.as_ref() {
            Ask::Command { command, cwd, .. } => self.command(command, cwd, width, theme).len(),
            Ask::Patch { .. } => SUBJECT_USUAL,
        };
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
        lines.extend(self.subject(width, room, theme));
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

    /// What is decided about, as much as `room` shows from where one scrolled to.
    fn subject(&self, width: u16, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let lines = match self.ask.as_ref() {
            Ask::Command { command, cwd, .. } => self.command(command, cwd, width, theme),
            Ask::Patch { changes, .. } => self.diffs(changes, width, room, theme),
        };
        if lines.len() <= room {
            return lines;
        }
        let shown = room.saturating_sub(1).max(1);
        let top = self.scroll.get().min(lines.len() - shown);
        self.scroll.set(top);
        let total = lines.len();
        let mut lines: Vec<Line<'static>> = lines.into_iter().skip(top).take(shown).collect();
        let below = total - top - shown;
        let words = match (top, below) {
            (_, 0) => format!("  ↑ {top} rows above"),
            (0, _) => format!("  ↓ {below} more rows"),
            _ => format!("  ↑ {top} rows above · ↓ {below} more rows"),
        };
        let role = if below > 0 { Role::Warn } else { Role::Dim };
        lines.push(Line::styled(words, theme.style(role)));
        lines
    }

    fn command(&self, command: &str, cwd: &Path, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let first = Line::from(Span::styled("  $ ", theme.style(Role::Dim)));
        let rest = Line::raw("    ");
        let shown = spoken(command);
        let clean = text::sanitize(&shown);
        let code = text::highlight::lines(clean.trim_end(), "bash", theme);
        let mut lines = Vec::new();
        // First, since the end of a long command is out of sight.
        if let Some(found) = text::lookalikes(&shown) {
            let words = format!("Not the letters they look like: {found}");
            let warning = Line::styled(words, theme.style(Role::Warn));
            lines.extend(text::hard_wrap(&warning, width, &Line::raw("  "), &rest));
        }
        for (index, line) in code.iter().enumerate() {
            let start = if index == 0 { &first } else { &rest };
            lines.extend(text::hard_wrap(line, width, start, &rest));
        }
        let mut lines = without_blanks(lines, theme);
        let folder = text::reveal_line(&with_tilde(cwd, self.home.as_deref()));
        let folder = text::truncate_middle(&folder, usize::from(width.saturating_sub(7))).into_owned();
        lines.push(Line::styled(format!("    in {folder}"), theme.style(Role::Dim)));
        lines
    }

    fn diffs(&self, changes: &[FileChange], width: u16, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        // Beyond what can be scrolled to in a moment the page of its own is the place.
        let most = room.saturating_mul(20).max(400);
        let mut lines = Vec::new();
        for change in changes {
            let heading = heading(change, self.home.as_deref());
            let heading = text::truncate_middle(&heading, usize::from(width.saturating_sub(2))).into_owned();
            lines.push(Line::styled(format!("  {heading}"), theme.style(Role::Strong)));
            let diff =
                text::diff::lines(&unified(change), &change.path, width.saturating_sub(2), Some(most), theme);
            lines.extend(diff.into_iter().map(|mut line| {
                line.spans.insert(0, Span::raw("  "));
                line
            }));
            if lines.len() > most {
                break;
            }
        }
        lines
    }
}

/// The answers there are to a question, in order.
pub(crate) fn choices(ask: &Ask) -> Vec<Answer> {
    let offer = match ask {
        Ask::Command { rule, .. } => rule.as_ref(),
        Ask::Patch { .. } => None,
    };
    let narrow = match ask {
        Ask::Command { narrow, .. } => narrow.as_ref(),
        Ask::Patch { .. } => None,
    };
    // The least first: it is what `enter` means.
    let mut choices = Vec::new();
    choices.extend(narrow.map(|_| Answer::Open));
    choices.extend(narrow.filter(|narrow| matches!(narrow, Narrow::Host(_))).map(|_| Answer::OpenForProject));
    choices.extend([Answer::Accept, Answer::AcceptForSession]);
    choices.extend(offer.map(|_| Answer::AcceptForProject));
    choices.extend(offer.filter(|rule| !rule.project_only).map(|_| Answer::AcceptAlways));
    choices.extend([Answer::Decline, Answer::Cancel]);
    choices
}

fn row(answer: Answer, ask: &Ask, home: Option<&Path>) -> Row {
    let place = || match ask {
        Ask::Command { narrow: Some(narrow), .. } => text::reveal_line(&facts::opened(narrow, home)),
        Ask::Command { .. } | Ask::Patch { .. } => String::new(),
    };
    match answer {
        Answer::Open => Row::new(format!("Yes, inside, and {} this session", place())).right("o"),
        Answer::OpenForProject => Row::new(format!("Yes, inside, and {} in this project", place())),
        Answer::Accept => Row::new("Yes, once").right("y"),
        Answer::AcceptForSession => Row::new("Yes, for this session").right("a"),
        Answer::AcceptForProject => Row::new("Yes, in this project (the rule)").right("t"),
        Answer::AcceptAlways => Row::new("Yes, always (the rule)").right("p"),
        Answer::Decline => Row::new("No, but go on").right("d"),
        Answer::Cancel => Row::new("No, stop: I will say what to do").right("esc"),
    }
}

/// Long stretches of nothing as one row that says so.
fn without_blanks(lines: Vec<Line<'static>>, theme: &Theme) -> Vec<Line<'static>> {
    let blank = |line: &Line<'_>| line.spans.iter().all(|span| span.content.trim().is_empty());
    let mut out: Vec<Line<'static>> = Vec::with_capacity(lines.len());
    let mut rows = 0;
    for line in lines {
        if blank(&line) {
            rows += 1;
            continue;
        }
        if rows > BLANK_ROWS {
            out.push(Line::styled(format!("    ⋮ {rows} blank rows"), theme.style(Role::Warn)));
        } else {
            out.extend(std::iter::repeat_n(Line::default(), rows));
        }
        rows = 0;
        out.push(line);
    }
    out
}

/// The change as a unified diff, also when it came as a whole file.
fn unified(change: &FileChange) -> String {
    let sign = match change.kind {
        ChangeKind::Update { .. } => return change.diff.clone(),
        ChangeKind::Add => '+',
        ChangeKind::Delete => '-',
    };
    let count = change.diff.lines().count();
    let (old, new) = if sign == '+' {
        ("0,0".to_owned(), format!("1,{count}"))
    } else {
        (format!("1,{count}"), "0,0".to_owned())
    };
    let mut out = format!("@@ -{old} +{new} @@\n");
    for line in change.diff.lines() {
        out.push(sign);
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn heading(change: &FileChange, home: Option<&Path>) -> String {
    let name = |path: &Path| text::reveal_line(&with_tilde(path, home));
    match &change.kind {
        ChangeKind::Add => format!("New {}", name(&change.path)),
        ChangeKind::Delete => format!("Delete {}", name(&change.path)),
        ChangeKind::Update { move_path: Some(to) } => format!("Move {} → {}", name(&change.path), name(to)),
        ChangeKind::Update { move_path: None } => format!("Edit {}", name(&change.path)),
    }
}

/// A question in one line.
pub(crate) fn headline(ask: &Ask, home: Option<&Path>) -> String {
    match ask {
        Ask::Command { command, .. } => {
            let command = spoken(command);
            let first = command.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            format!("Run {}?", text::truncate_end(&text::sanitize(first), 60))
        }
        Ask::Patch { changes, .. } => match changes.as_slice() {
            [change] => format!("{}?", heading(change, home)),
            changes => format!("Change {} files?", changes.len()),
        },
    }
}

#[cfg(test)]
#[path = "approval_tests.rs"]
mod tests;
