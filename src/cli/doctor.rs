//! `codex doctor`: does everything work here? Configuration, credentials, rules, terminal, network, and live attempts to
//! break out of the sandbox. Each attempt is judged by what it left behind, not by what it printed. Nothing outside a
//! folder of its own is touched.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::args::Shared;
use super::attempts::{self, Attempt};
use super::doctor_machine::{self as machine, Rung};
use super::exit::Exit;
use super::wire;
use crate::approvals::standing::Standing;
use crate::base::clean;
use crate::config::{self, Config, Env, Flags};
use crate::exec::text::clean;
use crate::responses::provider::OPENAI_BASE_URL;

/// How long the service may take to be reached.
const CONNECT: Duration = Duration::from_secs(5);

/// `codex doctor`.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Do not touch the network
    #[arg(long)]
    offline: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Good,
    Odd,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    name: &'static str,
    health: Health,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Serialize)]
struct Findings {
    /// Grows when a field changes its meaning or goes.
    schema: u32,
    version: &'static str,
    checks: Vec<Check>,
    rungs: Vec<Rung>,
    attempts: Vec<Attempt>,
}

impl Check {
    pub(super) fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, health: Health::Good, found: found.into(), remedy: None }
    }

    pub(super) fn odd(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, health: Health::Odd, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn bad(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { health: Health::Bad, ..Self::odd(name, found, remedy) }
    }
}

/// Runs `codex doctor`. Exit codes: 0 nothing is broken, 1 something is.
pub(crate) fn run(arguments: &Doctor, shared: &Shared, env: &Env) -> Exit {
    let flags =
        Flags { overrides: shared.config.clone(), profile: shared.profile.clone(), ..Flags::default() };
    let mut checks = Vec::new();
    let home = config::home::find(env).ok();
    match config::load(env, &flags) {
        Ok(config) => {
            checks.push(configuration(&config));
            checks.push(rules(&config));
            checks.push(credentials(&config, env));
            if !arguments.offline {
                checks.push(network(&config, env));
            }
        }
        Err(error) => {
            checks.push(Check::bad("configuration", error.to_string(), "mend what is named there"));
            let missing = "rules, credentials and network were not looked at: they hang on the configuration";
            checks.push(Check::odd("not tried", missing, "mend the configuration, and run this again"));
        }
    }
    // What the machine does is worth knowing also when the configuration is broken.
    checks.push(machine::sandbox());
    checks.extend(home.as_deref().map(machine::servers));
    let attempts = home.map_or_else(|| Ok(Vec::new()), |home| attempts::run(&home)).unwrap_or_else(|error| {
        let remedy = "make the home folder of codex writable";
        checks.push(Check::bad("escape attempts", format!("could not be made: {error}"), remedy));
        Vec::new()
    });
    checks.push(terminal(env));
    checks.push(machine::colours(env));
    let findings =
        Findings { schema: 1, version: env!("CARGO_PKG_VERSION"), checks, rungs: machine::rungs(), attempts };
    let shown = if arguments.json { json(&findings) } else { Ok(words(&findings)) };
    let written = shown.and_then(|text| std::io::stdout().write_all(text.as_bytes()));
    let broken = findings.checks.iter().any(|check| check.health == Health::Bad)
        || findings.attempts.iter().any(|attempt| !attempt.as_wanted);
    match written {
        Err(_) => Exit::OutputClosed,
        Ok(()) if broken => Exit::Failure,
        Ok(()) => Exit::Success,
    }
}

fn json(findings: &Findings) -> std::io::Result<String> {
    serde_json::to_string_pretty(findings).map(|text| text + "\n").map_err(std::io::Error::other)
}

fn words(findings: &Findings) -> String {
    let mut text = format!("codex {}\n\n", findings.version);
    for check in &findings.checks {
        let mark = match check.health {
            Health::Good => "✔",
            Health::Odd => "!",
            Health::Bad => "✗",
        };
        text.push_str(&format!("{mark} {:<16} {}\n", check.name, clean(&check.found)));
        if let Some(remedy) = &check.remedy {
            text.push_str(&format!("  {:<16} → {}\n", "", clean(remedy)));
        }
    }
    text.push_str("\nWhat each rung of the sandbox enforces (→ the one in use):\n");
    for rung in &findings.rungs {
        let mark = if rung.in_use { "→" } else { " " };
        text.push_str(&format!("{mark} {}\n", rung.name));
        text.extend(rung.enforces.iter().map(|what| format!("    ✔ {what}\n")));
        text.extend(rung.limits.iter().map(|what| format!("    ! {what}\n")));
    }
    text.push_str(&matrix(&findings.attempts));
    text
}

/// What was tried in rows, the rungs in columns.
fn matrix(attempts: &[Attempt]) -> String {
    let Some(first) = attempts.first() else { return String::new() };
    let tried = |rung: &str| attempts.iter().any(|attempt| attempt.rung == rung);
    let rungs: Vec<&str> = attempts::RUNGS.iter().map(|(_, rung)| *rung).filter(|rung| tried(rung)).collect();
    let row = |mark: &str, what: &str, cells: Vec<&str>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:<12}")).collect();
        format!("{mark} {what:<42} {}\n", cells.trim_end())
    };
    let mut text = String::from("\n");
    text.push_str(&row("", " Tried inside the sandbox (workspace-write)", rungs.clone()));
    for attempt in attempts.iter().filter(|attempt| attempt.rung == first.rung) {
        let same: Vec<&Attempt> = attempts.iter().filter(|other| other.what == attempt.what).collect();
        let mark = if same.iter().all(|one| one.as_wanted) { "✔" } else { "✗" };
        text.push_str(&row(mark, attempt.what, same.iter().map(|one| one.outcome).collect()));
    }
    text
}

fn configuration(config: &Config) -> Check {
    let home = config.codex_home.display();
    let name = config.profiled.as_ref().map(|profile| clean::line(&profile.name, 100));
    let profile = name.map(|name| format!("; permission profile {name}")).unwrap_or_default();
    match config.warnings.as_slice() {
        [] => Check::good("configuration", format!("read, nothing to remark; home {home}{profile}")),
        warnings => Check::odd("configuration", format!("read; home {home}{profile}"), warnings.join("; ")),
    }
}

fn rules(config: &Config) -> Check {
    let standing = Standing::load(config.rules.clone());
    let count = standing.now().rules.len();
    match standing.problems().as_slice() {
        [] => Check::good("rules", format!("{count} in force")),
        problems => Check::bad("rules", format!("{count} in force, with faults"), problems.join("; ")),
    }
}

fn credentials(config: &Config, env: &Env) -> Check {
    let provider = &config.provider.id;
    match wire::credentials(config, env) {
        Ok(_) => {
            let found = format!("there are some for {provider}");
            let store = wire::store(config);
            match store.tighten().or_else(|| store.fallback()) {
                Some(remark) => Check::odd("credentials", found, remark),
                None => Check::good("credentials", found),
            }
        }
        Err(error) => Check::bad("credentials", error.message.clone(), "codex login"),
    }
}

fn terminal(env: &Env) -> Check {
    let name = env.text("TERM").unwrap_or("not set");
    if !std::io::stdin().is_terminal() {
        return Check::good("terminal", format!("standard input is no terminal (TERM {name})"));
    }
    match name {
        "dumb" | "not set" => Check::odd("terminal", format!("TERM {name}"), "codex shows plain lines there"),
        _ => Check::good("terminal", format!("TERM {name}")),
    }
}

/// Whether the service answers at all; no request is made.
fn network(config: &Config, env: &Env) -> Check {
    let base = config.provider.base_url.as_deref().unwrap_or(OPENAI_BASE_URL);
    let parsed = url::Url::parse(base).ok();
    let place = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    let Some((host, port)) = place else {
        return Check::bad("network", "the address of the provider is none", "mend base_url");
    };
    if ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].iter().any(|name| env.text(name).is_some()) {
        return Check::good("network", format!("{host} is reached through a proxy, which was not tried"));
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Check::bad("network", error.to_string(), "try again"),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let tried = runtime.block_on(async {
        tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect((host, port))).await
    });
    // A slow name server must not hold up the end.
    runtime.shutdown_background();
    let remedy = "look at the connection, a firewall, or set HTTPS_PROXY";
    match tried {
        Ok(Ok(_)) => Check::good("network", format!("{host}:{port} answers")),
        Ok(Err(error)) => Check::bad("network", format!("{host}:{port}: {error}"), remedy),
        Err(_) => Check::bad("network", format!("{host}:{port} does not answer in 5 s"), remedy),
    }
}

/// The folder in which the attempts are made.
pub(super) fn bed(home: &Path) -> std::io::Result<tempfile::TempDir> {
    let dir = home.join("tmp");
    crate::base::fs::create_private_dir(&dir)?;
    tempfile::Builder::new().prefix("doctor-").tempdir_in(dir)
}
