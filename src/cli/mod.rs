//! The command line: one file per word.
//!
//! - [`args`]: the words and flags as they are typed
//! - [`args_exec`]: those of `codex exec`
//! - [`wrong`]: what was probably meant with a wrong command line
//! - [`exit`]: exit codes
//! - [`wire`]: builds services, settings and tools from the configuration
//! - [`fault`]: faults of the program itself
//! - [`housekeeping`]: what a start finds of earlier runs
//! - [`opening`]: how a thread of the terminal app begins
//! - [`door`]: the other end of the terminal app's door
//! - [`door_glance`]: the part of it that looks around
//! - [`door_limits`]: the part of it that is about limits
//! - [`door_sign_in`]: sign-in from inside the terminal app
//! - [`tui`]: `codex` and `codex resume`
//! - [`exec`]: `codex exec`
//! - [`review`]: `codex review` and `codex exec review`
//! - [`execpolicy`]: `codex execpolicy`
//! - [`undo`]: `codex undo`; [`undo_ask`] asks whether the turn is meant; [`undo_words`] is what it says
//! - [`doctor`]: `codex doctor`; [`attempts`] tries to break out of the sandbox, [`doctor_machine`] looks at the
//!   machine
//! - [`exec_require`]: `codex exec --require-remaining`
//! - [`login`]: `codex login` and `codex logout`
//! - [`signing`]: sign-in with ChatGPT, for the command line
//! - [`browse`]: opens the user's browser
//! - [`sandbox`]: `codex sandbox`; [`sandbox_args`] its words
//! - [`usage`]: `codex usage` and `codex usage guard`
//! - [`usage_account`]: the account behind the words of `codex usage`
//! - [`usage_explain`]: `codex usage explain`
//! - [`usage_past`]: `codex usage activity` and `history`
//! - [`usage_credits`]: `codex usage credits`
//! - [`usage_redeem`]: `codex usage redeem`
//! - [`usage_redeem_told`]: what `codex usage redeem` tells, and its exit codes
//! - [`demo`]: `codex demo`
//! - [`tour`]: `codex demo` in the terminal app

mod args;
mod args_exec;
mod attempts;
mod browse;
mod demo;
mod doctor;
mod doctor_machine;
mod door;
mod door_glance;
mod door_limits;
mod door_sign_in;
mod exec;
mod exec_require;
mod execpolicy;
mod exit;
mod fault;
mod housekeeping;
mod login;
mod opening;
mod review;
mod sandbox;
mod sandbox_args;
mod signing;
mod tour;
mod tui;
mod undo;
mod undo_ask;
mod undo_words;
mod usage;
mod usage_account;
mod usage_credits;
mod usage_explain;
mod usage_past;
mod usage_redeem;
mod usage_redeem_told;
mod wire;
mod wrong;

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::base::secret::KEY_VARIABLES;
use crate::config::Env;
use crate::patch;
use crate::process::{harden, memory};
use args::{Cli, Command};
use exit::Exit;

/// Runs this process as the supervisor of one command if it was started as one. Comes before everything else.
pub fn supervise() -> bool {
    crate::sandbox::entry(std::env::args_os())
}

/// Runs the program.
pub fn main() -> ExitCode {
    let called = std::env::args_os().next().unwrap_or_default();
    if Path::new(&called).file_name().and_then(OsStr::to_str).is_some_and(patch::is_name) {
        return apply_patch();
    }
    if let Some(alone) = args::Sandbox::alone(std::env::args_os()) {
        let (args, explain) = alone.request();
        return sandbox::run(args, explain, &Env::capture());
    }
    match args::parse(std::env::args_os()) {
        Ok(cli) => dispatch(cli),
        Err(error) => match args::report(&error) {
            Exit::Usage if usage::is_meant(std::env::args_os()) => Exit::Other(usage::WRONG_USE).into(),
            exit => exit.into(),
        },
    }
}

fn dispatch(cli: Cli) -> ExitCode {
    let env = Env::capture();
    // A process that hides its memory cannot set up namespaces for itself, and the sandbox word has no secrets.
    if !matches!(cli.command, Some(Command::Sandbox(_))) {
        harden::harden();
        harden::forget(&KEY_VARIABLES);
        memory::return_memory();
        memory::return_start();
    }
    match cli.command {
        Some(Command::Exec(exec)) => match exec.request(cli.shared) {
            Ok(request) => exec::run(request, &env).into(),
            Err(error) => args::report(&error).into(),
        },
        Some(Command::Review(review)) => match review.alone(cli.shared) {
            Ok(request) => exec::run(request, &env).into(),
            Err(error) => args::report(&error).into(),
        },
        Some(Command::Execpolicy(policy)) => execpolicy::run(&policy, &env).into(),
        Some(Command::Undo(arguments)) => undo::run(&arguments, &cli.shared, &env).into(),
        Some(Command::Doctor(doctor)) => doctor::run(&doctor, &cli.shared, &env).into(),
        Some(Command::Sandbox(sandbox)) => {
            let (args, explain) = sandbox.request();
            sandbox::run(args, explain, &env)
        }
        Some(Command::Login(login)) => login::login(&login, cli.shared, &env).into(),
        Some(Command::Logout) => login::logout(cli.shared, &env).into(),
        Some(Command::Usage(word)) => usage::run(*word, cli.shared, &env).into(),
        Some(Command::Demo(demo)) => demo::run(&demo, &env),
        Some(Command::Resume(resume)) => tui::run(&tui::Request::resume(*resume, cli.shared), &env).into(),
        None => tui::run(&tui::Request::new(cli.screen, cli.shared, cli.prompt), &env).into(),
    }
}

/// The program under the name `apply_patch`.
fn apply_patch() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let Ok(cwd) = std::env::current_dir() else {
        let _ = writeln!(std::io::stderr(), "apply_patch: the working directory is gone");
        return Exit::Failure.into();
    };
    let done = patch::run_standalone(&args, std::io::stdin(), &cwd);
    let _ = std::io::stdout().write_all(done.stdout.as_bytes());
    let _ = std::io::stderr().write_all(done.stderr.as_bytes());
    Exit::Other(done.code).into()
}
