//! Slash commands where there is no screen.

use super::door::{Begin, Call, LimitsCall, Undone};
use super::linear::{Linear, say};
use super::popups::permissions::{self, Preset};
use super::usage::redeem_lines::Redemption;
use crate::base::clock::{Clock, SystemClock};
use crate::limits::refresh::ON_DEMAND;
use crate::limits::show;
use crate::protocol::event::ALLOWED;
use crate::protocol::op::Op;
use crate::protocol::review::Target;
use crate::protocol::turn::Change;
use crate::workspace::undo::Which;

/// What can be typed.
const HELP: &str = "\
Type a message and press enter. While codex works, a message is added to what it does.
!command runs a command in your shell. Control-C stops what runs; twice ends codex.
/new begins a new thread, /last goes on with the one before. /compact summarises the conversation. /diff tells changes in git.
/review has the uncommitted changes reviewed, or what you write behind it.
/undo takes back what the last turn changed in files, /redo brings it again.
/ps lists what runs in the background, /stop ends it. /permissions tells what needs no question, and how to change it.
/model NAME and /effort LEVEL change the model. /status tells the settings. /usage tells the limits, /usage redeem uses a reset.
/exit ends codex.";

/// What could stand behind a command.
fn example(command: &str) -> &'static str {
    if command == "effort" { "high" } else { "gpt-5.5" }
}

impl Linear {
    /// Does what a command says.
    pub(super) async fn command(&mut self, name: &str, args: &str) {
        match (name, args) {
            ("exit" | "quit", _) => self.leaving = true,
            ("help", _) => say([HELP]),
            ("new" | "clear", _) if !self.narrator.is_running() => {
                self.open(Begin::New).await;
                say(["A new thread."]);
            }
            ("last", _) if !self.narrator.is_running() => self.go_on().await,
            ("compact", _) => self.send(Op::Compact).await,
            ("review", words) if !self.narrator.is_running() => {
                let instructions = words.trim().to_owned();
                let target = match instructions.as_str() {
                    "" => Target::UncommittedChanges,
                    _ => Target::Custom { instructions },
                };
                self.send(Op::Review { target }).await;
            }
            ("permissions", "take back") => {
                self.send(Op::TakeBack).await;
                say(["What was allowed for this session is taken back."]);
            }
            ("permissions", words) => self.permissions(words).await,
            ("ps", _) => self.send(Op::Sessions).await,
            ("stop", _) => self.send(Op::StopSessions).await,
            ("status", _) => self.status(),
            ("usage", "redeem") if !self.narrator.is_running() => self.redeem().await,
            ("usage", "redeem") => say(["/usage redeem has to wait until codex is ready."]),
            ("usage", _) => self.usage().await,
            ("diff", _) => match self.door.call(Call::Diff).await {
                Ok(diff) => say(super::text::sanitize(&diff).lines()),
                Err(error) => say([format!("Error: {error}")]),
            },
            ("undo" | "redo", turn) if !self.narrator.is_running() && self.live.is_some() => {
                let which = if name == "redo" { Some(Which::Again) } else { super::slash::turn(turn) };
                self.undo(which).await;
            }
            ("model", name) if !name.is_empty() => {
                let change = Change { model: Some(name.to_owned()), ..Change::default() };
                self.send(Op::Configure(Box::new(change))).await;
            }
            ("effort", level) if !level.is_empty() => {
                let change = Change { effort: Some(level.to_owned()), ..Change::default() };
                self.send(Op::Configure(Box::new(change))).await;
            }
            ("model" | "effort", _) => {
                self.status();
                say([format!("Type /{name} and what it shall be, for example: /{name} {}", example(name))]);
            }
            ("new" | "clear" | "last" | "undo" | "redo" | "review", _) => {
                say([format!("/{name} has to wait until codex is ready.")])
            }
            _ => say([format!("There is no /{name} in plain lines. Type /help for what can be typed.")]),
        }
    }

    async fn undo(&self, which: Option<Which>) {
        let Some(which) = which else { return say(["/undo takes the number of a turn."]) };
        let cwd = self.live.as_ref().map(|live| live.info.cwd.clone()).unwrap_or_default();
        match self.door.call(|reply| Call::Undo(cwd, which, reply)).await {
            Ok(Undone { text, ask }) => {
                say(super::text::sanitize(&text).lines());
                if let Some(number) = ask {
                    say([format!("To take it back, type: /undo {number}")]);
                }
            }
            Err(error) => say([format!("Error: {error}")]),
        }
    }

    fn status(&self) {
        let Some(live) = &self.live else { return say(["No thread is open."]) };
        let info = &live.info;
        let effort = info.effort.as_deref().map(|effort| format!(", reasoning {effort}")).unwrap_or_default();
        say([
            format!("Model: {}{effort}", info.model),
            format!("Folder: {}", info.cwd.display()),
            format!(
                "Permissions: {}",
                super::popups::permissions::named(info.approval, &info.sandbox, &info.access)
            ),
            format!("Account: {}", info.account),
            format!("Thread: {}", info.id),
        ]);
    }

    /// Says what holds, or changes it.
    async fn permissions(&mut self, words: &str) {
        let Some(live) = &self.live else { return say(["No thread is open."]) };
        let info = &live.info;
        match Preset::named(words) {
            // Without a sandbox nothing is asked any more: that is said when codex is started, or not at all.
            Some(preset) if preset != Preset::FullAccess => {
                let change = preset.change(&info.sandbox);
                self.send(Op::Configure(Box::new(change))).await;
                say([format!("From the next turn on: {}.", preset.name())]);
            }
            Some(_) => say(["Full access needs a new start: codex -s danger-full-access -a never"]),
            None => {
                say([format!("Now: {}", permissions::words(info.approval, &info.sandbox))]);
                say(info.access.iter().map(|line| super::text::sanitize(line).into_owned()));
                say(["To change it, type: /permissions read only, or: /permissions workspace"]);
                if info.access.iter().any(|line| line.starts_with(ALLOWED)) {
                    say(["To take back what was allowed for this session, type: /permissions take back"]);
                }
            }
        }
    }

    async fn usage(&self) {
        let Some(limits) = self.live.as_ref().and_then(|live| live.limits.as_ref()) else {
            return say(["Usage limits belong to a ChatGPT plan. Run: codex login"]);
        };
        let read = self.door.call(|reply| Call::Limits(LimitsCall::Refresh(ON_DEMAND, reply))).await;
        let pending = read.unwrap_or_else(|error| {
            say([format!("Error: {error}")]);
            None
        });
        let limits = limits.borrow().clone();
        let lines = show::lines(&limits, SystemClock.now_s(), super::moment::zone(), pending);
        say(lines.iter().map(|line| super::text::sanitize(&show::spoken(line)).into_owned()));
        if limits.reset_credits.as_ref().is_some_and(|held| held.value.available_count > 0) {
            say(["To use a reset, type: /usage redeem"]);
        }
    }

    async fn redeem(&mut self) {
        let Some(limits) = self.live.as_ref().and_then(|live| live.limits.clone()) else {
            return say(["Usage limits belong to a ChatGPT plan. Run: codex login"]);
        };
        self.redemption = Some(Redemption::begin(&self.door, limits).await);
        self.end_redemption();
    }
}
