//! A command of the model: by name from its start, with its last output and its time while it runs, and with its end
//! in words. The user's own commands (`!`) are cells of the same kind that show more.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use super::output::{Fold, Output};
use crate::protocol::item::{CommandItem, CommandSource, ItemStatus};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, FOLD_KEY, Look, Needle, all_parts};
use crate::tui::transcript::rows::{
    body, clock, detail_width, head, inner, marked, one_row, prose, span_of_time, under,
};

/// Live output shown folded.
const LIVE: Fold = Fold { head: 0, tail: 3 };
/// Output shown folded after the end.
const ENDED: Fold = Fold { head: 1, tail: 3 };
/// Output shown folded of a command the user typed: they want to see it.
const TYPED: Fold = Fold { head: 4, tail: 8 };
/// Rows of a reason shown folded.
const REASON_ROWS: usize = 4;
/// Where shells are that need not be named.
const SHELLS: [&str; 2] = ["/bin/", "/usr/bin/"];
/// Shorter commands do not say how long they took.
const WORTH_TELLING_MS: u64 = 1000;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Runs since then.
    Running(u64),
    /// The user is asked whether it may run.
    Asking,
    /// Has its final state.
    Ended(ItemStatus),
}

/// A command and what became of it.
#[derive(Debug)]
pub(crate) struct Command {
    line: Box<str>,
    source: CommandSource,
    session: Option<Box<str>>,
    state: State,
    exit: Option<i32>,
    took_ms: Option<u64>,
    output: Output,
    revision: u32,
}

impl Command {
    /// As the item tells it; a running one runs since `now_ms`.
    pub(crate) fn new(item: &CommandItem, now_ms: u64) -> Self {
        let mut command = Self {
            line: spoken(&item.command),
            source: item.source,
            session: None,
            state: State::Running(now_ms),
            exit: None,
            took_ms: None,
            output: Output::default(),
            revision: 0,
        };
        command.settle(item);
        command
    }

    /// Takes over what the item says now.
    pub(crate) fn settle(&mut self, item: &CommandItem) {
        self.revision += 1;
        self.session = item.process_id.as_deref().map(Into::into);
        if item.status == ItemStatus::InProgress {
            return;
        }
        self.line = spoken(&item.command);
        self.state = State::Ended(item.status);
        self.exit = item.exit_code;
        self.took_ms = item.duration_ms;
        self.output = Output::whole(item.aggregated_output.as_deref().unwrap_or_default());
    }

    /// Adds live output.
    pub(crate) fn push(&mut self, text: &str) {
        if !matches!(self.state, State::Ended(_)) {
            self.output.push(text);
            self.revision += 1;
        }
    }

    /// The user is asked about it, or has answered.
    pub(crate) fn ask(&mut self, open: bool, now_ms: u64) {
        self.revision += 1;
        self.state = match (self.state, open) {
            (State::Running(_), true) => State::Asking,
            (State::Asking, false) => State::Running(now_ms),
            (state, _) => state,
        };
    }

    /// The turn is over and nobody will tell the end any more.
    pub(crate) fn abandon(&mut self) {
        if !matches!(self.state, State::Ended(_)) {
            self.revision += 1;
            self.state = State::Ended(ItemStatus::Failed);
        }
    }

    /// Ended well, or is on its way there.
    pub(crate) fn is_fine(&self) -> bool {
        !matches!(self.state, State::Ended(ItemStatus::Failed | ItemStatus::Declined))
    }

    /// Who started it.
    pub(crate) fn source(&self) -> CommandSource {
        self.source
    }

    /// How it ended in few words, when that was not well.
    pub(crate) fn trouble(&self) -> Option<String> {
        match (self.state, self.exit) {
            (State::Ended(ItemStatus::Declined), _) => Some("not run".to_owned()),
            (State::Ended(ItemStatus::Failed), Some(code)) => Some(exit_words(code)),
            (State::Ended(ItemStatus::Failed), None) => Some("could not run".to_owned()),
            _ => None,
        }
    }

    /// Output as far as it is known.
    pub(crate) fn output(&self) -> &str {
        self.output.text()
    }

    fn by_user(&self) -> bool {
        self.source == CommandSource::UserShell
    }

    /// Ran and has an end of its own, well or badly.
    fn ran(&self) -> bool {
        match self.state {
            State::Running(_) | State::Asking | State::Ended(ItemStatus::Declined) => false,
            State::Ended(ItemStatus::Failed) => self.exit.is_some() || !self.output.is_empty(),
            State::Ended(_) => true,
        }
    }

    fn marker(&self, look: &Look<'_>) -> Span<'static> {
        match self.state {
            State::Running(_) => Span::styled("•", look.style(Role::Accent)),
            State::Asking => Span::styled("•", look.style(Role::Warn)),
            State::Ended(_) if self.is_fine() => Span::styled("•", look.style(Role::Good)),
            State::Ended(_) => Span::styled("✗", look.style(Role::Bad)),
        }
    }

    fn verb(&self) -> String {
        match (self.state, self.exit) {
            (State::Running(_), _) => "Running".to_owned(),
            (State::Asking, _) => "Waiting for your approval:".to_owned(),
            (State::Ended(ItemStatus::Declined), _) => "Not run:".to_owned(),
            (State::Ended(_), None) if self.is_fine() && self.session.is_some() => self.in_background(),
            (State::Ended(_), _) if self.is_fine() && self.by_user() => "You ran".to_owned(),
            (State::Ended(_), _) if self.is_fine() => "Ran".to_owned(),
            (State::Ended(_), Some(_)) if self.by_user() => "You ran".to_owned(),
            (State::Ended(_), Some(code)) => capital(&exit_words(code)),
            (State::Ended(_), None) if self.output.is_empty() => "Stopped".to_owned(),
            (State::Ended(_), None) => "Could not run".to_owned(),
        }
    }

    fn in_background(&self) -> String {
        let verb =
            if self.source == CommandSource::UnifiedExecInteraction { "Looked at" } else { "Left running" };
        match &self.session {
            Some(session) => format!("{verb} (session {})", one_row(session, 12)),
            None => verb.to_owned(),
        }
    }

    fn tail(&self, look: &Look<'_>) -> String {
        let ms = match self.state {
            State::Running(since) => Some(look.now_ms.saturating_sub(since)),
            State::Asking => None,
            State::Ended(_) => self.took_ms,
        };
        let mut tail = match self.trouble() {
            Some(trouble) if self.by_user() && self.exit.is_some() => format!(" · {trouble}"),
            _ => String::new(),
        };
        if let Some(ms) = ms.filter(|ms| *ms >= WORTH_TELLING_MS || (self.by_user() && self.ran())) {
            tail.push_str(" · ");
            tail.push_str(&time(ms, self.state));
        }
        tail
    }

    fn folded(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let verb = self.verb();
        let words = vec![
            Span::styled(verb, look.style(Role::Strong)),
            Span::raw(" "),
            Span::styled(one_row(&self.line, usize::from(inner(width))), look.style(Role::Code)),
        ];
        let mut lines = vec![head(self.marker(look), words, &self.tail(look), width, look)];
        lines.extend(under(self.folded_output(detail_width(width), look), width, look));
        lines
    }

    fn folded_output(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let dim = look.style(Role::Dim);
        if self.output.is_empty() {
            let says_so = self.ran() && !(self.exit.is_none() && self.session.is_some());
            return if says_so { prose("(no output)", dim, width) } else { Vec::new() };
        }
        match self.state {
            State::Running(_) | State::Asking => self.output.folded(LIVE, width, look),
            State::Ended(ItemStatus::Declined) => reason(refusal(self.output.text()), width, look),
            State::Ended(ItemStatus::Failed) if self.exit.is_none() => {
                reason(self.output.text(), width, look)
            }
            State::Ended(_) if self.by_user() => self.output.folded(TYPED, width, look),
            State::Ended(_) => self.output.folded(ENDED, width, look),
        }
    }

    fn prompt(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let sign = if self.by_user() { "!" } else { "$" };
        let sign = Span::styled(sign, self.marker(look).style);
        marked(sign, prose(&self.line, look.style(Role::Code), inner(width)), width)
    }

    /// The end of an unfolded command: how it went and how long it took.
    fn footer(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let time = |ms: u64| format!(" · {}", span_of_time(ms));
        let (role, words) = match self.state {
            State::Running(since) => {
                let ms = look.now_ms.saturating_sub(since) / 1000 * 1000;
                (Role::Accent, format!("running · {}", clock(ms)))
            }
            State::Asking => (Role::Warn, "waiting for your approval".to_owned()),
            State::Ended(_) => match self.trouble() {
                Some(trouble) => {
                    (Role::Bad, format!("✗ {trouble}{}", self.took_ms.map_or(String::new(), time)))
                }
                None if self.exit.is_none() && self.session.is_some() => (Role::Good, self.in_background()),
                None => (Role::Good, format!("✓{}", self.took_ms.map_or(String::new(), time))),
            },
        };
        body(prose(&words, look.style(role), inner(width)), width)
    }

    fn piece(&self, piece: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        if self.output.is_empty() {
            let dim = look.style(Role::Dim);
            return if self.ran() {
                body(prose("(no output)", dim, inner(width)), width)
            } else {
                Vec::new()
            };
        }
        if !self.ran() && !self.is_live() || self.exit.is_none() && !self.is_fine() {
            // A reason of ours, not output.
            return body(prose(self.output.text(), look.style(Role::Bad), inner(width)), width);
        }
        body(self.output.piece(piece, inner(width), look), width)
    }
}

impl Cell for Command {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        all_parts(self, width, look)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}\n{}", self.line, self.output.text()))
    }

    fn is_live(&self) -> bool {
        !matches!(self.state, State::Ended(_))
    }

    fn parts(&self, look: &Look<'_>) -> usize {
        if look.unfolded { self.output.pieces() } else { 1 }
    }

    fn part(&self, part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        if !look.unfolded {
            return self.folded(width, look);
        }
        let mut lines = if part == 0 { self.prompt(width, look) } else { Vec::new() };
        lines.extend(self.piece(part, width, look));
        if part + 1 == self.output.pieces() {
            lines.extend(self.footer(width, look));
        }
        lines
    }

    fn stamp(&self, _part: usize, look: &Look<'_>) -> u64 {
        let seconds = match self.state {
            State::Running(since) => look.now_ms.saturating_sub(since) / 1000,
            State::Asking | State::Ended(_) => 0,
        };
        u64::from(self.revision) << 32 | seconds & 0xffff_ffff
    }

    fn has(&self, needle: &Needle) -> bool {
        needle.is_in(&self.line) || needle.is_in(self.output.text())
    }
}

/// Why it was refused, for people: the model is told of "the user".
fn refusal(told: &str) -> &str {
    match told.trim() {
        "rejected by user" => "You said no",
        "aborted by user" => "You stopped the turn",
        _ => told,
    }
}

/// Why something did not happen: the first rows, in the colour of trouble.
pub(crate) fn reason(raw: &str, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
    let near: String = raw.chars().take(usize::from(width) * REASON_ROWS * 2).collect();
    let mut lines = prose(near.trim(), look.style(Role::Bad), width);
    if lines.len() > REASON_ROWS {
        lines.truncate(REASON_ROWS);
        let note = format!("… more · {FOLD_KEY}");
        lines.push(Line::styled(
            text::truncate_end(&note, usize::from(width)).into_owned(),
            look.style(Role::Dim),
        ));
    }
    lines
}

fn time(ms: u64, state: State) -> String {
    match state {
        State::Running(_) => clock(ms),
        State::Asking | State::Ended(_) => span_of_time(ms),
    }
}

/// An exit code in words. Codes above 128 are mostly signals, and their names say more than their numbers.
fn exit_words(code: i32) -> String {
    let signal = match code {
        129 => "SIGHUP",
        130 => "SIGINT",
        131 => "SIGQUIT",
        134 => "SIGABRT",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        141 => "SIGPIPE",
        143 => "SIGTERM",
        _ => return format!("exited (status {code})"),
    };
    format!("exited (status {code}, {signal})")
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The command as a person would say it: the script alone when a shell of the system runs one. Nothing in it is
/// invisible.
pub(crate) fn spoken(command: &str) -> Box<str> {
    let argv = shlex::split(command).unwrap_or_default();
    let known = argv.first().is_some_and(|shell| SHELLS.iter().any(|folder| shell.starts_with(folder)));
    let script = crate::process::parse::shell_script(&argv).filter(|_| known);
    text::reveal(script.unwrap_or(command)).into()
}
