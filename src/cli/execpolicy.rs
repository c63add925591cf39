//! `codex execpolicy check`: what rules files say about a command, as JSON. Nothing is run.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit::Exit;
use crate::approvals::rule_files;
use crate::approvals::rules::{RuleMatch, matching};
use crate::exec::text::clean;
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
pub(crate) fn run(arguments: &ExecPolicy) -> Exit {
    let Word::Check(check) = &arguments.command;
    let mut faults = Vec::new();
    for file in &check.rules {
        if !file.exists() {
            faults.push(format!("{}: there is no such file", file.display()));
        }
    }
    let (book, problems) = rule_files::load(&check.rules);
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
    }
    match print(&report(found), check.pretty) {
        Ok(()) if faults.is_empty() => Exit::Success,
        Ok(()) => Exit::Failure,
        Err(_) => Exit::OutputClosed,
    }
}

fn report(found: Vec<RuleMatch>) -> Report {
    let decision = found.iter().map(|rule| rule.decision).max().map(|decision| decision.word());
    let matched = |rule: RuleMatch| Matched {
        prefix_rule_match: PrefixMatch {
            matched_prefix: rule.prefix,
            decision: rule.decision.word(),
            resolved_program: rule.resolved,
            justification: rule.justification,
        },
    };
    Report { matched_rules: found.into_iter().map(matched).collect(), decision }
}

fn print(report: &Report, pretty: bool) -> std::io::Result<()> {
    let text = if pretty { serde_json::to_string_pretty(report) } else { serde_json::to_string(report) };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.map_err(std::io::Error::other)?)?;
    out.flush()
}
