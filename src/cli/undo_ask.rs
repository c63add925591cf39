//! What "the last turn" means when it is not what one thinks: the last one may not be kept, or it may be one of another
//! thread in the same folder. Whoever says only "undo" is told, and names the turn.

use std::io;
use std::path::{Path, PathBuf};

use super::undo_words::{self, nothing};
use crate::base::ids::ThreadId;
use crate::limits::text::age;
use crate::threads;
use crate::tui::door::Undone;
use crate::workspace::undo::{self, Last, Listed, Which};

/// Longest words of a prompt that name a thread.
const WORDS: usize = 48;

/// What the terminal app asks for: in this folder of the thread `own`, at `now` (seconds).
pub(super) struct Asked {
    pub(super) base: PathBuf,
    pub(super) home: PathBuf,
    pub(super) cwd: PathBuf,
    pub(super) own: Option<ThreadId>,
    pub(super) now: u64,
}

impl Asked {
    /// Takes back or brings again, or asks first.
    pub(super) fn run(&self, which: Which) -> io::Result<Undone> {
        let (base, cwd) = (&self.base, &self.cwd);
        let mut sure = which;
        if which == Which::Last {
            let last = undo::last(base, cwd)?;
            if let Some(text) = self.question(&last) {
                return Ok(Undone { text, ask: last.turn.map(|turn| turn.number) });
            }
            // What was looked at is what is taken back.
            sure = last.turn.map_or(which, |turn| Which::Number(turn.number));
        }
        match undo::revert(base, cwd, sure, false)? {
            Some(report) => {
                Ok(Undone { text: undo_words::words(&report, which, false, undo_words::SHORT), ask: None })
            }
            None => Err(io::Error::other(nothing(which, cwd))),
        }
    }

    fn question(&self, last: &Last) -> Option<String> {
        let turn = last.turn.as_ref();
        let other = turn
            .and_then(|turn| turn.thread.as_deref())
            .filter(|thread| self.own.is_none_or(|own| own.to_string() != *thread));
        let whose = other.map(|thread| format!(" of another thread{}", first_words(&self.home, thread)));
        match (missed(last, self.now), turn, whose) {
            (Some(missed), None, _) => Some(missed),
            (Some(missed), Some(turn), whose) => Some(format!(
                "{missed} Before it comes turn {}{}, which changed {}.",
                turn.number,
                whose.unwrap_or_default(),
                changed(turn, self.now)
            )),
            (None, Some(turn), Some(whose)) => Some(format!(
                "The last turn that changed files here is turn {}{whose}. It changed {}.",
                turn.number,
                changed(turn, self.now)
            )),
            (None, _, _) => None,
        }
    }
}

/// Why "the last turn" cannot be taken back; `None` when it is the one that is kept.
pub(super) fn missed(last: &Last, now: u64) -> Option<String> {
    let missed = last.missed?;
    let when = missed.at.map(|at| format!(", {},", age(at, now))).unwrap_or_default();
    Some(format!("The last turn here{when} was not kept: {}.", missed.why.words()))
}

/// The same on the command line, where a number says that an earlier turn is meant.
pub(super) fn missed_here(base: &Path, cwd: &Path, now: u64) -> io::Result<Option<String>> {
    let last = undo::last(base, cwd)?;
    Ok(missed(&last, now).map(|text| match &last.turn {
        Some(turn) => format!(
            "{text} Before it comes turn {}, which changed {}: codex undo --turn {}",
            turn.number,
            changed(turn, now),
            turn.number
        ),
        None => text,
    }))
}

fn changed(turn: &Listed, now: u64) -> String {
    let at = turn.at.map(|at| format!(", {}", age(at, now))).unwrap_or_default();
    format!("{}{at}", undo_words::paths(turn))
}

/// What the thread began with, in quotation marks; nothing when it is not stored.
fn first_words(home: &Path, thread: &str) -> String {
    let found = thread.parse().ok().and_then(|id: ThreadId| threads::names::called(home, id));
    let Some(words) = found.filter(|words| !words.trim().is_empty()) else { return String::new() };
    let short: String = words.chars().take(WORDS).collect();
    let more = if short.len() < words.len() { "…" } else { "" };
    format!(" (\"{}{more}\")", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::undo::{Missed, Why};

    fn asked(own: Option<ThreadId>) -> Asked {
        Asked { base: "/none".into(), home: "/none".into(), cwd: "/w".into(), own, now: 1_060 }
    }

    #[test]
    fn only_the_last_turn_of_the_same_thread_goes_without_a_question() {
        let (mine, other) = (ThreadId::new(), ThreadId::new());
        let turn = |thread: ThreadId| Listed {
            number: 4,
            at: Some(1_000),
            first: Some("a.txt".into()),
            paths: 2,
            thread: Some(thread.to_string()),
            ..Listed::default()
        };
        let missed = Some(Missed { after: 4, why: Why::Busy, at: Some(1_030) });
        let rows = [
            (Some(turn(mine)), None, None),
            (None, None, None),
            (
                Some(turn(other)),
                None,
                Some(
                    "The last turn that changed files here is turn 4 of another thread. It changed a.txt and 1 more, 1m ago.",
                ),
            ),
            (
                Some(turn(mine)),
                missed,
                Some(
                    "The last turn here, 30s ago, was not kept: another program held what undo keeps for this folder. Before it comes turn 4, which changed a.txt and 1 more, 1m ago.",
                ),
            ),
            (
                None,
                missed,
                Some(
                    "The last turn here, 30s ago, was not kept: another program held what undo keeps for this folder.",
                ),
            ),
        ];
        for (turn, missed, want) in rows {
            let said = asked(Some(mine)).question(&Last { turn, missed });
            assert_eq!(said.as_deref(), want);
        }
    }
}
