//! `codex undo`: takes back what a turn changed in a working directory.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::args::Shared;
use super::exit::Exit;
use super::housekeeping;
use super::undo_ask;
use super::undo_words::{self, nothing};
use crate::config::{self, Env, Flags};
use crate::exec::text::clean;
use crate::workspace::undo::{self, Step, Which};

/// `codex undo`.
#[derive(Args, Debug)]
pub(crate) struct Undo {
    /// Take back this turn instead of the last one; --list tells the numbers
    #[arg(long, value_name = "N")]
    turn: Option<u64>,
    /// List the turns that changed files here, the last one first
    #[arg(long, conflicts_with_all = ["turn", "redo", "dry_run"])]
    list: bool,
    /// Bring again what was taken back
    #[arg(long, conflicts_with = "turn")]
    redo: bool,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// The working directory of the turn
    #[arg(short = 'C', long = "cd", value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// Runs `codex undo`. Exit codes: 0 done, 1 something could not be taken back or nothing was there.
pub(crate) fn run(arguments: &Undo, shared: &Shared, env: &Env) -> Exit {
    let flags = Flags { cwd: arguments.cwd.clone(), overrides: shared.config.clone(), ..Flags::default() };
    let config = match config::load(env, &flags) {
        Ok(config) => config,
        Err(error) => return fail(&error.to_string()),
    };
    let which = match arguments.turn {
        Some(number) => Which::Number(number),
        None if arguments.redo => Which::Again,
        None => Which::Last,
    };
    let base = housekeeping::undo(&config.codex_home);
    if which == Which::Last && !arguments.list {
        match undo_ask::missed_here(&base, &config.cwd, now()) {
            Ok(None) => {}
            Ok(Some(text)) => return fail(&text),
            Err(error) => return fail(&error.to_string()),
        }
    }
    if arguments.list {
        return match undo::list(&base, &config.cwd) {
            Ok(turns) if turns.is_empty() => fail(&nothing(Which::Last, &config.cwd)),
            Ok(turns) => print(&undo_words::list(&turns, now())),
            Err(error) => fail(&error.to_string()),
        };
    }
    match undo::revert(&base, &config.cwd, which, arguments.dry_run) {
        Ok(Some(report)) => {
            let said = print(&undo_words::words(&report, which, arguments.dry_run, usize::MAX));
            if said != Exit::Success {
                return said;
            }
            let left = report.steps.iter().any(|step| matches!(step, Step::Left(..) | Step::Partly(_)));
            if left { Exit::Failure } else { Exit::Success }
        }
        Ok(None) => fail(&nothing(which, &config.cwd)),
        Err(error) => fail(&error.to_string()),
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn print(text: &str) -> Exit {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Success,
        Err(_) => Exit::OutputClosed,
    }
}

fn fail(text: &str) -> Exit {
    let _ = writeln!(std::io::stderr(), "codex undo: {}", clean(text));
    Exit::Failure
}
