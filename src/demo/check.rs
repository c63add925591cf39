//! Plays every scenario headless through the real client and verifies what can be verified: exit code, events,
//! files, denials, the stored thread, and that the backend saw no breach of the protocol. A check that cannot
//! fail is worth nothing: each of these fails when its part of the client is broken.

use std::io::Write;

use super::check_events;
use super::check_files::Before;
use super::check_rollout;
use super::client::{Client, Run};
use super::error::Error;
use super::script::Script;
use super::script_file::Then;
use super::server::{Options, Server};
use super::setting::{Machine, Setting};
use super::{check_files, scenarios};
use crate::base::tasks::CancellationToken;

/// What was looked at, and what was wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What was looked at.
    pub(crate) what: String,
    /// What was wrong; absent when all was well.
    pub(crate) wrong: Option<String>,
}

impl Finding {
    /// A finding from a verdict.
    pub(crate) fn new(what: impl Into<String>, verdict: Result<(), String>) -> Self {
        Self { what: what.into(), wrong: verdict.err() }
    }
}

/// Checks one scenario or all. Writes one line per check to `out` and returns whether all was well.
///
/// # Errors
/// A setting cannot be made, the client cannot be started, or the person stopped it.
pub(crate) async fn check(
    machine: &Machine,
    name: Option<&str>,
    stop: &CancellationToken,
    out: &mut dyn Write,
) -> Result<bool, Error> {
    let (mut done, mut failed) = (0, 0);
    for script in scenarios::chosen(name)? {
        for finding in scenario(machine, script.clone(), stop).await? {
            done += 1;
            failed += usize::from(finding.wrong.is_some());
            write(out, &script.name, &finding);
        }
    }
    let _ = match failed {
        0 => writeln!(out, "all {done} checks are fine"),
        _ => writeln!(out, "{failed} of {done} checks failed"),
    };
    Ok(failed == 0)
}

/// A closed standard output is no reason to fail: the exit code tells the result too.
fn write(out: &mut dyn Write, scenario: &str, finding: &Finding) {
    let _ = match &finding.wrong {
        None => writeln!(out, "✓ {scenario}: {}", finding.what),
        Some(wrong) => writeln!(out, "✗ {scenario}: {}\n    {}", finding.what, wrong.replace('\n', "\n    ")),
    };
    let _ = out.flush();
}

/// Plays one scenario, then its follow-up on the resumed thread, and looks at everything.
async fn scenario(
    machine: &Machine,
    script: Script,
    stop: &CancellationToken,
) -> Result<Vec<Finding>, Error> {
    let server =
        Server::start(scenarios::served(Some(&script.name))?, Options { port: 0, auth: true, scale: 0.0 })
            .await?;
    let setting = Setting::make(machine, &script, &server).await?;
    let played = play(machine, &script, &server, &setting, stop).await;
    let root = setting.project.clone();
    let removed = setting.remove().await;
    let mut findings = played?;
    let gone = match removed {
        Ok(()) if !root.exists() => Ok(()),
        Ok(()) => Err(format!("{} is still there", root.display())),
        Err(error) => Err(error.to_string()),
    };
    findings.push(Finding::new("nothing is left behind", gone));
    Ok(findings)
}

async fn play(
    machine: &Machine,
    script: &Script,
    server: &Server,
    setting: &Setting,
    stop: &CancellationToken,
) -> Result<Vec<Finding>, Error> {
    let client = Client { program: machine.program.clone(), stop: stop.clone() };
    let before = Before::look(setting, &script.expects);
    let run = client.captured(setting, None, &script.prompt).await?;
    let mut findings = vec![ended(&run, "the turn")];
    let events = check_events::read(&run.stdout);
    findings.extend(check_events::form(&events));
    findings.extend(check_events::items(&events, &script.expects));
    findings.push(check_events::message(&run, &events, &script.expects));
    findings.extend(check_files::check(setting, &script.expects, &before).await);
    findings.push(backend(server));
    findings.extend(routes(server, script));
    findings.extend(check_rollout::check(setting, server, &events, &run));
    if let (Some(prompt), Some(thread)) = (&script.follow_up, &events.thread) {
        findings.extend(follow_up(&client, server, setting, prompt, thread).await?);
    }
    for then in &script.then {
        findings.extend(afterwards(&client, setting, then).await?);
    }
    Ok(findings)
}

/// What the user runs afterwards ends as it should and says what it should.
async fn afterwards(client: &Client, setting: &Setting, then: &Then) -> Result<Vec<Finding>, Error> {
    let run = client.captured_words(setting, &then.codex).await?;
    let line = format!("codex {}", then.codex.join(" "));
    let verdict = match run.exit {
        Some(code) if code == then.exit => Ok(()),
        exit => Err(format!("it ends with {exit:?}\n{}{}", run.stdout, run.stderr)),
    };
    let mut findings = vec![Finding::new(format!("`{line}` ends with exit code {}", then.exit), verdict)];
    if !then.contains.is_empty() {
        let says = run.stdout.contains(&then.contains);
        let verdict = if says { Ok(()) } else { Err(format!("it says:\n{}", run.stdout)) };
        findings.push(Finding::new(format!("`{line}` says `{}`", then.contains), verdict));
    }
    Ok(findings)
}

/// The stored thread is taken up again: the backend compares every byte of the history with what it saw before.
async fn follow_up(
    client: &Client,
    server: &Server,
    setting: &Setting,
    prompt: &str,
    thread: &str,
) -> Result<Vec<Finding>, Error> {
    let asked = server.backend().state().answered;
    let run = client.captured(setting, Some(thread), prompt).await?;
    let events = check_events::read(&run.stdout);
    let same = match &events.thread {
        Some(id) if id == thread => Ok(()),
        id => Err(format!("it is {id:?}, not {thread}")),
    };
    let answered = match server.backend().state().answered - asked {
        0 => Err("the backend was not asked".to_owned()),
        _ => Ok(()),
    };
    let mut findings = vec![
        ended(&run, "the resumed turn"),
        Finding::new("the resumed thread is the same thread", same),
        Finding::new("the resumed thread asks the backend", answered),
        backend(server),
    ];
    findings.extend(check_rollout::check(setting, server, &events, &run));
    for finding in &mut findings {
        if !finding.what.contains("resumed") {
            finding.what.push_str(" after resuming");
        }
    }
    Ok(findings)
}

fn ended(run: &Run, what: &str) -> Finding {
    let said = || {
        run.stderr.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    };
    let verdict = match run.exit {
        Some(0) => Ok(()),
        _ if run.late => Err(format!("it did not end by itself\n{}", said())),
        Some(code) => Err(format!("exit code {code}\n{}", said())),
        None => Err(format!("killed by a signal\n{}", said())),
    };
    Finding::new(format!("{what} ends with exit code 0"), verdict)
}

fn backend(server: &Server) -> Finding {
    let state = server.backend().state();
    let verdict = if state.breaches > 0 {
        Err(state.breach_texts.join("\n"))
    } else if state.unmatched > 0 {
        Err(format!("{} requests fitted no rule", state.unmatched))
    } else if state.answered == 0 {
        Err("it was never asked".to_owned())
    } else {
        Ok(())
    };
    Finding::new("the backend saw only good requests", verdict)
}

fn routes(server: &Server, script: &Script) -> Vec<Finding> {
    let state = server.backend().state();
    let expects =
        script.expects.iter().filter_map(|expect| Some((expect.route.as_ref()?, expect.count.unwrap_or(0))));
    expects
        .map(|(route, count)| {
            let counted = state.counted(route);
            let verdict =
                if counted == count { Ok(()) } else { Err(format!("it was asked {counted} times")) };
            Finding::new(format!("the backend is asked {count} times for {route}"), verdict)
        })
        .collect()
}
