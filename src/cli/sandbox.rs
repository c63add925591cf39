//! `codex sandbox`: runs one command as the agent would, confined. Exit codes: the command's own; 128 + n when
//! signal n killed it; 127 or 126 when the program is missing or not executable; 1 when the sandbox could not be
//! put in place (the command did not run); 2 for wrong usage.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::sandbox_args::{SandboxArgs, has_flags_after_system, without_system_word};
use crate::config::{self, Env};
use crate::process::supervise::{Job, Mode, Outcome};
use crate::sandbox::{self, Followed, Level, Roots};

/// Runs the command and gives the exit code; with `explain` it also says what was refused.
pub(crate) fn run(mut args: SandboxArgs, explain: bool, env: &Env) -> ExitCode {
    let command = match std::mem::take(&mut args.command) {
        words if has_flags_after_system(&words) => match args.join_after_system(words) {
            Ok(command) => Ok(command),
            Err(error) => return super::args::report(&error).into(),
        },
        words => without_system_word(words),
    };
    let command = match command {
        Ok(command) if command.first().is_some_and(|program| program.is_empty()) => {
            return fail(2, "the name of the program is empty; try `codex sandbox -- ls`");
        }
        Ok(command) if !command.is_empty() || explain => command,
        Ok(_) => return fail(2, "no command given; try `codex sandbox -- ls`"),
        Err(system) => {
            return fail(
                2,
                &format!("this build runs on Linux and has no {system} sandbox; leave the word out"),
            );
        }
    };
    let config = match config::load(env, &args.flags()) {
        Ok(config) => config,
        Err(error) => return fail(1, &format!("nothing was run: {error}")),
    };
    if let Some(exit) = without_keys(&config.secret_env, env) {
        return exit;
    }
    if args.traced.is_none() {
        args.remarks(&config).iter().for_each(|remark| {
            let _ = writeln!(std::io::stderr(), "codex sandbox: {}", clean(remark));
        });
    }
    let roots = args.roots(&config, env);
    let level = args.level.map(Level::from);
    if command.is_empty() {
        return describe(&roots, level);
    }
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(outside) = &args.traced {
        let within = if *outside == mount_namespace() { Level::Landlock } else { Level::Namespaces };
        return traced(command, &roots, within);
    }
    let command = match explain {
        true => args.explaining(command),
        false => command,
    };
    let program = command.first().cloned().unwrap_or_default();
    let job = match Job::new(Mode::Foreground, &config.cwd, command) {
        Ok(job) => job,
        Err(error) => return fail(2, &error.to_string()),
    };
    let outcome = sandbox::foreground(&roots, &job, &words, level, args.without());
    report(&outcome, &program.to_string_lossy())
}

/// Begins anew without the variables that hold keys, where there are any: the command inherits ours. Comes back only when
/// there are none, or when it does not work.
fn without_keys(names: &[String], env: &Env) -> Option<ExitCode> {
    names.iter().find(|name| env.get(name).is_some())?;
    let mut all = std::env::args_os();
    let mut again = std::process::Command::new("/proc/self/exe");
    again.arg0(all.next().unwrap_or_default()).args(all);
    for name in names {
        again.env_remove(name);
    }
    let error = again.exec();
    Some(fail(1, &format!("nothing was run: the variables that hold keys cannot be taken away: {error}")))
}

/// Runs the command under the eyes of this process, which is already inside, and says what was refused.
fn traced(command: Vec<OsString>, roots: &Roots, level: Level) -> ExitCode {
    let job = match Job::new(Mode::Foreground, Path::new("/"), command) {
        Ok(job) => job,
        Err(error) => return fail(2, &error.to_string()),
    };
    let keep = |one: &_| sandbox::matters(roots, level, one);
    let (status, refusals) = match sandbox::follow(&job.argv, &keep) {
        Ok(Followed::Ran(status, refusals)) => (status, refusals),
        Ok(Followed::NotRun(errno)) => {
            let program = job.argv.first().map(|word| word.to_string_lossy().into_owned());
            return report(&Outcome::Exec(errno), &program.unwrap_or_default());
        }
        Err(error) => return fail(1, &format!("the command cannot be followed: {error}")),
    };
    let sentences = sandbox::sentences(roots, level, &refusals);
    let mut text = match sentences.is_empty() {
        true => format!("\nThe sandbox ({}) refused nothing.\n", roots.describe()),
        false => format!("\nThe sandbox ({}) refused:\n", roots.describe()),
    };
    for sentence in sentences {
        text.push_str(&format!("- {}\n", clean(&sentence)));
    }
    if let Some(note) = sandbox::spoilt(&refusals) {
        text.push_str(&format!("Note: {note}.\n"));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
    report(&Outcome::from_status(status), "")
}

/// Says what holds for a command here, all of it.
fn describe(roots: &Roots, level: Option<Level>) -> ExitCode {
    let mut text = format!("The sandbox is {}:\n", roots.describe());
    for line in sandbox::listing(roots, level, usize::MAX) {
        text.push_str(&format!("- {}\n", clean(&line)));
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Without what a terminal could obey.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The name of the one this process is in.
pub(super) fn mount_namespace() -> OsString {
    std::fs::read_link("/proc/self/ns/mnt").map(PathBuf::into_os_string).unwrap_or_default()
}

fn report(outcome: &Outcome, program: &str) -> ExitCode {
    match outcome {
        Outcome::Exit(code) => ExitCode::from(*code as u8),
        Outcome::Signal(signal) => ExitCode::from(128u8.wrapping_add(*signal as u8)),
        Outcome::Exec(libc::ENOENT) => fail(127, &format!("program not found: {program}")),
        Outcome::Exec(errno) => {
            fail(126, &format!("cannot execute {program}: {}", std::io::Error::from_raw_os_error(*errno)))
        }
        Outcome::Setup(error) => {
            fail(1, &format!("the sandbox could not be set up, nothing was run: {error}"))
        }
    }
}

fn fail(code: u8, text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "codex sandbox: {text}");
    ExitCode::from(code)
}
