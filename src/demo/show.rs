//! Plays scenarios for a person: says what will happen, lets the real client happen, says that it is over.

use std::io::Write;

use super::client::Client;
use super::error::Error;
use super::scenarios;
use super::script::Script;
use super::server::{Options, Server};
use super::setting::{Machine, Setting};
use crate::base::tasks::CancellationToken;

/// What a person may choose.
#[derive(Clone, Debug)]
pub(crate) struct Show {
    /// One scenario instead of all.
    pub(crate) name: Option<String>,
    /// Leave the temporary folders.
    pub(crate) keep: bool,
    /// Factor on all waits.
    pub(crate) scale: f64,
}

/// Plays the scenarios. `out` gets the narration; the client writes by itself. Returns whether every run of the
/// client ended well.
///
/// # Errors
/// A setting cannot be made, the client cannot be started, or the person stopped it.
pub(crate) async fn show(
    machine: &Machine,
    show: &Show,
    stop: &CancellationToken,
    out: &mut dyn Write,
) -> Result<bool, Error> {
    let scripts = scenarios::chosen(show.name.as_deref())?;
    say(out, OPENING);
    let (mut fine, mut kept) = (true, false);
    let total = scripts.len();
    for (index, script) in scripts.into_iter().enumerate() {
        say(out, &format!("\n=== {} of {total}: {} ===\n{}\n", index + 1, script.title, script.story.trim()));
        let server = Server::start(
            scenarios::served(Some(&script.name))?,
            Options { port: 0, auth: true, scale: show.scale },
        )
        .await?;
        let setting = Setting::make(machine, &script, &server).await?;
        let exit = play(machine, &script, &setting, stop, out).await;
        let after = match &exit {
            Ok(_) => afterwards(machine, &script, &setting, stop, out).await,
            Err(_) => Ok(true),
        };
        if show.keep && exit.is_ok() && after.is_ok() {
            say(out, &format!("Kept: {}", setting.keep().display()));
            kept = true;
        } else {
            setting.remove().await?;
        }
        if matches!(exit, Err(Error::Stopped)) || matches!(after, Err(Error::Stopped)) {
            say(out, STOPPED);
        }
        fine = fine && exit? == Some(0) && after?;
    }
    say(out, if kept { KEPT } else { CLOSING });
    Ok(fine)
}

const OPENING: &str = "\
This is a demonstration: the model is scripted, not a real one. It runs on this
machine, behind a real HTTP connection; the agent, its commands, patches and
sandbox are the real ones. It plays in a temporary project with a temporary
home, and touches nothing of yours.";
const CLOSING: &str = "
That was the demonstration; its temporary folders are removed.
`codex demo --check` verifies all of it, `codex demo --serve` only serves the
scripted model.";
const STOPPED: &str = "\nStopped; the temporary folders of the demonstration are removed.";
const KEPT: &str = "\nThat was the demonstration. The kept folders are yours to remove.";

async fn play(
    machine: &Machine,
    script: &Script,
    setting: &Setting,
    stop: &CancellationToken,
    out: &mut dyn Write,
) -> Result<Option<i32>, Error> {
    say(out, &format!("$ codex exec -s workspace-write '{}'\n", script.prompt));
    let client = Client { program: machine.program.clone(), stop: stop.clone() };
    let exit = client.shown(setting, &script.prompt).await?;
    if exit != Some(0) {
        say(
            out,
            &format!(
                "The agent ended with {}.",
                exit.map_or("a signal".to_owned(), |code| format!("exit code {code}"))
            ),
        );
    }
    Ok(exit)
}

/// Runs what the user would run afterwards; whether all of it ended as it should.
async fn afterwards(
    machine: &Machine,
    script: &Script,
    setting: &Setting,
    stop: &CancellationToken,
    out: &mut dyn Write,
) -> Result<bool, Error> {
    let client = Client { program: machine.program.clone(), stop: stop.clone() };
    let mut fine = true;
    for then in &script.then {
        say(out, &format!("\n{}\n\n$ codex {}\n", then.story.trim(), then.codex.join(" ")));
        let exit = client.shown_words(setting, &then.codex).await?;
        fine = fine && exit == Some(then.exit);
    }
    Ok(fine)
}

/// A closed output does not stop the demo.
fn say(out: &mut dyn Write, text: &str) {
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}
