//! `codex usage` and `codex usage guard`: where the account stands, for people and for scripts. Without network
//! (`--offline`) nothing is made that only a request needs: no runtime, no HTTP client.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{Shared, Usage, UsageCommand};
use super::exit::Exit;
use super::usage_account::{self, Account};
use super::{usage_credits, usage_explain, usage_past, usage_redeem};
use crate::base::clock::{Clock, SystemClock};
use crate::config::{self, Env, Flags};
use crate::exec::text::clean;
use crate::limits::AccountLimits;
use crate::limits::advice::Pending;
use crate::limits::refresh::{self, ON_DEMAND};
use crate::limits::report::{Made, Problem, report};
use crate::limits::require::{self, Checked, Share};
use crate::limits::show;
use crate::process::harden;

/// Exit code of a wrong command line below `codex usage`.
pub(crate) const WRONG_USE: u8 = 64;

/// A required remainder is not there.
pub(crate) const NOT_ENOUGH: u8 = 10;
const REACHED: u8 = 11;
const NO_SIGN_IN: u8 = 20;
const UNREACHABLE: u8 = 21;
/// What became of a redemption is unknown.
pub(crate) const UNKNOWN: u8 = 22;
/// Nothing is known, or the account has no such window.
pub(crate) const NO_DATA: u8 = 23;

/// Exit codes, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0   fine
  10  less is left than required
  11  the usage limit is reached
  20  no ChatGPT sign-in
  21  the service cannot be reached; what was known is printed
  22  what became of a redemption is unknown
  23  nothing is known, or the account has no such window
  64  wrong use: bad arguments, unknown window
If several apply, in this order: 64, 20, 22, 23, 21, 11, 10";

/// How often a screen that is watched is drawn anew when nothing changes: countdowns go on.
const REDRAW: Duration = Duration::from_secs(15);

/// Options of `codex usage`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct UsageArgs {
    /// How to look.
    #[command(flatten)]
    look: Look,
    /// Stay and show every change
    #[arg(long, conflicts_with = "offline")]
    watch: bool,
    /// End with 10 unless so much is left, as in week=15%
    #[arg(long, value_name = "WINDOW=PERCENT")]
    require: Vec<String>,
}

/// Options of `codex usage guard`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct GuardArgs {
    /// How to look.
    #[command(flatten)]
    look: Look,
    /// What must be left, as in week=15%
    #[arg(long, value_name = "WINDOW=PERCENT", required = true)]
    require: Vec<String>,
}

#[derive(Args, Clone, Debug, Default)]
struct Look {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Ask nobody: show what is known
    #[arg(long)]
    offline: bool,
    /// Ask when the numbers are older than this many seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "offline")]
    max_age: Option<u64>,
}

/// Whether a command line was meant for `codex usage`: its mistakes have their own exit code.
pub(crate) fn is_meant(args: impl Iterator<Item = OsString>) -> bool {
    let mut args = args.skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("-c" | "--config" | "-p" | "--profile" | "--enable" | "--disable") => drop(args.next()),
            Some(flag) if flag.starts_with('-') => {}
            word => return word == Some("usage"),
        }
    }
    false
}

/// Runs a word of `codex usage`.
pub(crate) fn run(word: Usage, shared: Shared, env: &Env) -> Exit {
    let flags = Flags { profile: shared.profile, overrides: shared.config, ..Flags::default() };
    let opened = config::load(env, &flags)
        .inspect(|config| harden::forget(&config.secret_env))
        .map_err(|error| usage_account::Error::Setup(error.to_string()))
        .and_then(|config| usage_account::open(&config, env));
    match word.command {
        Some(UsageCommand::Credits(args)) => usage_credits::run(&args, opened),
        Some(UsageCommand::Redeem(args)) => usage_redeem::run(&args, opened),
        Some(UsageCommand::Activity(args)) => usage_past::activity(&args, opened),
        Some(UsageCommand::Explain(args)) => usage_explain::run(&args, opened),
        Some(UsageCommand::History(args)) => usage_past::history(&args, opened),
        Some(UsageCommand::Guard(args)) => look(&args.look, &args.require, false, true, opened),
        None => look(&word.show.look, &word.show.require, word.show.watch, false, opened),
    }
}

fn look(
    look: &Look,
    require: &[String],
    watch: bool,
    only: bool,
    opened: Result<Account, usage_account::Error>,
) -> Exit {
    let shares = match shares(require) {
        Ok(shares) => shares,
        Err(text) => {
            tell(&format!("ERROR: {text}"));
            return Exit::Other(WRONG_USE);
        }
    };
    let (json, offline, max_age) = (look.json, look.offline, look.max_age);
    let mut look = Looking { json, offline, max_age, shares, only, unknown: false, pending: None };
    let account = match opened {
        Ok(account) => account,
        Err(error) => return look.without_account(&error),
    };
    if look.offline {
        look.pending = account.redeemer.pending();
        return look.print(&account.cache.get(), None);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&format!("ERROR: cannot start: {error}"));
            return Exit::Failure;
        }
    };
    let exit = runtime
        .block_on(async { if watch { look.watch(&account).await } else { look.once(&account).await } });
    runtime.shutdown_background();
    exit
}

/// Reads all requirements of a command line.
///
/// # Errors
/// What is wrong with the first wrong one.
pub(crate) fn shares(require: &[String]) -> Result<Vec<Share>, String> {
    let lists: Result<Vec<_>, _> = require.iter().map(|text| require::parse(text)).collect();
    Ok(lists?.into_iter().flatten().collect())
}

/// What a command line asks to see.
struct Looking {
    json: bool,
    offline: bool,
    max_age: Option<u64>,
    shares: Vec<Share>,
    /// Nothing but the requirements is shown.
    only: bool,
    /// What became of a redemption is unknown, and asking again did not help.
    unknown: bool,
    /// A redemption that is not over.
    pending: Option<Pending>,
}

impl Looking {
    fn max_age(&self) -> Duration {
        self.max_age.map_or(ON_DEMAND, Duration::from_secs)
    }

    async fn once(&mut self, account: &Account) -> Exit {
        self.unknown = usage_redeem::finish_first(account).await;
        let error = account.cache.refresh(self.max_age()).await.err();
        account.redeemer.notice(&account.cache.get()).await;
        self.pending = account.redeemer.pending();
        self.print(&account.cache.get(), error.as_ref())
    }

    /// Prints at once and after each change, until a signal comes or nobody reads any more.
    async fn watch(&mut self, account: &Account) -> Exit {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            tell("ERROR: cannot catch signals");
            return Exit::Failure;
        };
        let mut changes = account.cache.watch();
        self.unknown = usage_redeem::finish_first(account).await;
        let mut error = account.cache.refresh(self.max_age()).await.err();
        let _fresh = account.cache.keep_fresh();
        let screen = std::io::stdout().is_terminal() && !self.json;
        let mut before = "";
        loop {
            let state = changes.borrow_and_update().clone();
            account.redeemer.notice(&state).await;
            self.pending = account.redeemer.pending();
            if state.failure.is_none() && error.as_ref().is_some_and(|e| !e.is_sign_in()) {
                error = None;
            }
            let text = self.text(&state, error.as_ref(), self.exit_code(&state, error.as_ref()));
            let text = if screen { format!("\u{1b}[H\u{1b}[J{text}") } else { format!("{before}{text}") };
            before = if self.json { "" } else { "\n" };
            if !print(&text) {
                return Exit::OutputClosed;
            }
            tokio::select! {
                biased; // signals first: the rest can wait
                _ = interrupt.recv() => return Exit::Interrupted,
                _ = terminate.recv() => return Exit::Terminated,
                changed = changes.changed() => if changed.is_err() { return Exit::Success },
                () = tokio::time::sleep(REDRAW), if screen => {}
            }
        }
    }

    fn without_account(&self, error: &usage_account::Error) -> Exit {
        let problem = Problem { message: clean(&error.to_string()), hint: None };
        if self.json {
            let empty = AccountLimits::default();
            print(&self.document(&empty, &[], Some(problem), error.code()));
        } else {
            tell(&format!("ERROR: {}", problem.message));
        }
        Exit::Other(error.code())
    }

    fn print(&self, state: &AccountLimits, error: Option<&refresh::Error>) -> Exit {
        let code = self.exit_code(state, error);
        if !print(&self.text(state, error, code)) {
            return Exit::OutputClosed;
        }
        if !self.json {
            self.remarks(state, error);
        }
        Exit::Other(code)
    }

    /// What is to be printed to standard output.
    fn text(&self, state: &AccountLimits, error: Option<&refresh::Error>, code: u8) -> String {
        if self.json {
            let checked = require::check(&self.shares, state, now());
            return self.document(state, &checked, error.map(problem), code);
        }
        if state.is_empty() {
            return String::new();
        }
        let lines = match self.only {
            true => require::check(&self.shares, state, now()).iter().filter_map(standing).collect(),
            false => show::lines(state, now(), &TimeZone::system(), self.pending),
        };
        lines.iter().map(|line| clean(line) + "\n").collect()
    }

    /// What went wrong, to standard error.
    fn remarks(&self, state: &AccountLimits, error: Option<&refresh::Error>) {
        if let Some(error) = error {
            let text = error.to_string();
            tell(&match error.hint() {
                Some(hint) => format!("{} ({hint})", text.trim_end_matches('.')),
                None => text,
            });
        } else if state.is_empty() {
            tell("Nothing is known yet about the limits of this account.");
        }
        for checked in require::check(&self.shares, state, now()) {
            match checked.met() {
                Some(true) => {}
                Some(false) if self.only => {}
                Some(false) => tell(&missing(&checked)),
                None if state.is_empty() => {}
                None => tell(&format!("The account has no {} limit.", checked.share.window)),
            }
        }
    }

    fn document(
        &self,
        state: &AccountLimits,
        checked: &[Checked],
        error: Option<Problem>,
        code: u8,
    ) -> String {
        let zone = TimeZone::system();
        let made = Made {
            now_s: now(),
            zone: &zone,
            offline: self.offline,
            error,
            checked,
            pending: self.pending,
            exit_code: code,
        };
        serde_json::to_string(&report(state, made)).unwrap_or_default() + "\n"
    }

    fn exit_code(&self, state: &AccountLimits, error: Option<&refresh::Error>) -> u8 {
        let checked = require::check(&self.shares, state, now());
        if error.is_some_and(refresh::Error::is_sign_in) {
            NO_SIGN_IN
        } else if self.unknown {
            UNKNOWN
        } else if state.is_empty() || checked.iter().any(|checked| checked.left.is_none()) {
            NO_DATA
        } else if error.is_some() {
            UNREACHABLE
        } else if state.is_reached(now()) {
            REACHED
        } else if checked.iter().any(|checked| checked.met() == Some(false)) {
            NOT_ENOUGH
        } else {
            0
        }
    }
}

/// A requirement that is not met, in one sentence.
pub(crate) fn missing(checked: &Checked) -> String {
    let left = crate::limits::text::left(100.0 - checked.left.unwrap_or(0.0));
    let required = crate::limits::text::percent(checked.share.percent);
    format!("Only {left} of the {} limit is left; {required} is required.", checked.share.window)
}

/// A requirement and how it stands.
fn standing(checked: &Checked) -> Option<String> {
    let left = crate::limits::text::left(100.0 - checked.left?);
    let required = crate::limits::text::percent(checked.share.percent);
    let verdict = if checked.met()? { "enough" } else { "not enough" };
    Some(format!("{}: {left} left, {required} required: {verdict}", checked.share.window))
}

fn problem(error: &refresh::Error) -> Problem {
    Problem { message: clean(&error.to_string()), hint: error.hint().map(clean) }
}

fn now() -> u64 {
    SystemClock.now_s()
}

/// False when nobody reads any more.
fn print(text: &str) -> bool {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", clean(text));
}
