//! `codex execpolicy check`: what rules files say about a command, as JSON. Nothing is run.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit::Exit;
use crate::agent::settings;
use crate::approvals::rule_files;
use crate::approvals::rulebook::Rulebook;
use crate::approvals::rules::{RuleDecision, RuleMatch, matching};
use crate::approvals::safe;
use crate::approvals::vouch::{self, Place};
use crate::config::{self, Env, Flags};
use crate::exec::text::clean;
use crate::process::actions::quote;
use crate::process::parse::{Commands, Shape};

/// `codex execpolicy`.
#[derive(Args, Debug)]
pub(crate) struct ExecPolicy {
    /// What to do.
    #[command(subcommand)]
    command: Word,
}

#[derive(Debug, Subcommand)]
enum Word {
    /// Show which rules match a command
    Check(Check),
}

#[derive(Args, Debug)]
struct Check {
    /// A rules file, or a folder of them; repeat for several
    #[arg(short, long, value_name = "FILE", required = true)]
    rules: Vec<PathBuf>,
    /// Print JSON over several lines
    #[arg(long)]
    pretty: bool,
    /// Match a program given by its path also by its name
    #[arg(long)]
    resolve_host_executables: bool,
    /// The command; `bash -lc SCRIPT` is judged by the commands in it
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    matched_rules: Vec<Matched>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    /// Why a rule that allows does not count here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    doubts: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Matched {
    prefix_rule_match: PrefixMatch,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrefixMatch {
    matched_prefix: Vec<String>,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<String>,
}

/// Runs `codex execpolicy`. A fault in a file is told on stderr and makes the exit code 1; the other rules are
/// shown all the same.
pub(crate) fn run(arguments: &ExecPolicy, env: &Env) -> Exit {
    let Word::Check(check) = &arguments.command;
    let mut faults = Vec::new();
    for file in &check.rules {
        if !file.exists() {
            faults.push(format!("{}: there is no such file", file.display()));
        }
    }
    let (book, problems) = rule_files::load(&check.rules, None);
    faults.extend(problems);
    for fault in &faults {
        let _ = writeln!(std::io::stderr(), "codex execpolicy: {}", clean(fault));
    }
    let hosts = check.resolve_host_executables.then_some(&book.hosts);
    let commands = Commands::of_argv(&check.command);
    let mut found = Vec::new();
    if commands.script.is_some() && commands.shape == Shape::Opaque {
        let _ =
            writeln!(std::io::stderr(), "codex execpolicy: the script cannot be read: no rule can allow it");
        found.extend(book.judge(&commands, true).into_iter().flatten());
    } else {
        found.extend(commands.pieces.iter().flat_map(|piece| matching(&book.rules, hosts, piece)));
        // What a command would run in turn, and the verb of git behind its options, count for strict rules only.
        let deeper = book.judge(&commands, true).into_iter().flatten();
        let fresh: Vec<RuleMatch> = deeper
            .filter(|rule| rule.decision.is_strict())
            .filter(|rule| {
                !found.iter().any(|known| known.prefix == rule.prefix && known.decision == rule.decision)
            })
            .collect();
        found.extend(fresh);
    }
    let mut doubts = doubts(&commands, &book, env);
    if found.iter().any(|rule| rule.decision == RuleDecision::Allow) {
        doubts.extend(uncovered(&commands, &book));
    }
    match print(&report(found, doubts), check.pretty) {
        Ok(()) if faults.is_empty() => Exit::Success,
        Ok(()) => Exit::Failure,
        Err(_) => Exit::OutputClosed,
    }
}

/// What takes back what a rule allows when the command comes from a thread in this folder. The sandbox of the
/// configuration tells what commands can change.
fn doubts(commands: &Commands, book: &Rulebook, env: &Env) -> Vec<String> {
    let Ok(config) = config::load(env, &Flags::default()) else { return Vec::new() };
    let roots = settings::roots(&config, &config.sandbox, env.tmpdir());
    let path = config.shell_env.set.get("PATH").map(OsStr::new).or_else(|| env.get("PATH"));
    let place = Place {
        cwd: &config.cwd,
        path: path.unwrap_or_default(),
        home: env.home().unwrap_or(Path::new("/")),
        writable: &|path| roots.can_write(path),
        guarded: &|git| roots.is_guarded(git),
    };
    let planted = vouch::planted(commands, &place);
    vouch::doubts(commands, &mut book.judge(commands, true), &planted, &place)
}

/// The pieces of a script that no rule is about and that need one: beside them a rule lets nothing out.
fn uncovered(commands: &Commands, book: &Rulebook) -> Vec<String> {
    let known = |piece: &[String]| !matching(&book.rules, Some(&book.hosts), piece).is_empty();
    let open = commands.pieces.iter().filter(|piece| !known(piece) && !safe::is_idle(piece));
    let script = commands.script.is_some() && commands.pieces.len() > 1;
    open.filter(|_| script).map(|piece| format!("No rule is about `{}`", quote(piece))).collect()
}

fn report(found: Vec<RuleMatch>, doubts: Vec<String>) -> Report {
    let decision = found.iter().map(|rule| rule.decision).max();
    let decision = decision.filter(|found| *found != RuleDecision::Allow || doubts.is_empty());
    let matched = |rule: RuleMatch| Matched {
        prefix_rule_match: PrefixMatch {
            matched_prefix: rule.prefix,
            decision: rule.decision.word(),
            resolved_program: rule.resolved,
            justification: rule.justification,
        },
    };
    let decision = decision.map(|decision| decision.word());
    Report { matched_rules: found.into_iter().map(matched).collect(), decision, doubts }
}

fn print(report: &Report, pretty: bool) -> std::io::Result<()> {
    let text = if pretty { serde_json::to_string_pretty(report) } else { serde_json::to_string(report) };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.map_err(std::io::Error::other)?)?;
    out.flush()
}
