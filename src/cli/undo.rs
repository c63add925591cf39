//! `codex undo`: takes back what a turn changed in a working directory, and the words for what that came to. The
//! terminal app says the same.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::Shared;
use super::exit::Exit;
use super::housekeeping;
use crate::config::{self, Env, Flags};
use crate::exec::text::clean;
use crate::workspace::undo::{PARTLY, Step};
use crate::workspace::undo::{self, Report, Which};

/// `codex undo`.
#[derive(Args, Debug)]
pub(crate) struct Undo {
    /// Take back this turn instead of the last one
    #[arg(long, value_name = "N")]
    turn: Option<u64>,
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
    match undo::revert(&base, &config.cwd, which, arguments.dry_run) {
        Ok(Some(report)) => {
            let text = words(&report, which, arguments.dry_run);
            let shown: String = text.lines().map(|line| clean(line) + "\n").collect();
            if std::io::stdout().write_all(shown.as_bytes()).is_err() {
                return Exit::OutputClosed;
            }
            let left = report.steps.iter().any(|step| matches!(step, Step::Left(..) | Step::Partly(_)));
            if left { Exit::Failure } else { Exit::Success }
        }
        Ok(None) => fail(&nothing(which, &config.cwd)),
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(text: &str) -> Exit {
    let _ = writeln!(std::io::stderr(), "codex undo: {}", clean(text));
    Exit::Failure
}

/// There is no such turn.
pub(super) fn nothing(which: Which, cwd: &Path) -> String {
    let shown = cwd.display();
    match which {
        Which::Last => format!("no turn that changed files in {shown} stands"),
        Which::Again => format!("nothing was taken back in {shown}"),
        Which::Number(number) => format!("turn {number} is not known in {shown}, or it was taken back"),
    }
}

/// What it came to, line by line.
pub(super) fn words(report: &Report, which: Which, dry: bool) -> String {
    let done = match (which, dry) {
        (Which::Again, false) => "brought again",
        (Which::Again, true) => "would be brought again",
        (_, false) => "taken back",
        (_, true) => "would be taken back",
    };
    let mut text = match report.between {
        None if !report.with.is_empty() => {
            let with: Vec<String> = report.with.iter().map(u64::to_string).collect();
            format!("Turns {}, {}: {done}\n", report.number, with.join(", "))
        }
        None => format!("Turn {}: {done}\n", report.number),
        Some(turn) => format!(
            "Changes {}, made after turn {turn} while its commands ran on, also by yourself: {done}\n",
            report.number
        ),
    };
    for step in &report.steps {
        let _ = match step {
            Step::Restored(path) => writeln!(text, "  restored  {}", path.display()),
            Step::Removed(path) => writeln!(text, "  removed   {}", path.display()),
            Step::Partly(path) => writeln!(text, "  partly    {} ({PARTLY})", path.display()),
            Step::Left(path, why) => writeln!(text, "  left      {} ({why})", path.display()),
        };
    }
    if report.steps.is_empty() {
        text.push_str("  everything is as it was already\n");
    }
    if report.partial {
        text.push_str(
            "  Not everything this turn changed is known: some files were too large, too many or not readable.\n",
        );
    }
    if report.killed {
        text.push_str("  The program was killed in this turn: what changed after that is left as it is.\n");
    }
    if let Some(later) = report.later {
        let _ = writeln!(
            text,
            "  Commands of this turn ran on after it. What changed while they did, also by yourself, is kept as number {later}: `codex undo --turn {later} --dry-run`."
        );
    } else if report.running {
        text.push_str("  Commands of this turn ran on after it: what they wrote later stays as it is.\n");
    }
    if report.skipped {
        text.push_str("  Folders that git ignores, such as build outputs, are left as they are.\n");
    }
    text
}
