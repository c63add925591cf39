//! `codex demo` on a terminal: the terminal app on the scripted model, in a temporary project with a temporary home.
//! Everything else is real. Nothing of the user's is read or written, and nothing stays.

use std::io::Write;
use std::process::ExitCode;

use super::args::{Screen, Shared};
use super::{demo, tui};
use crate::config::Env;
use crate::demo::error::Error;
use crate::demo::scenarios;
use crate::demo::script::Script;
use crate::demo::server::{Options, Server};
use crate::demo::setting::Setting;
use crate::tui::setup::Tour;

/// What the user chose.
pub(super) struct Choice<'a> {
    /// One scenario instead of all.
    pub(super) name: Option<&'a str>,
    /// Leave the temporary folders.
    pub(super) keep: bool,
    /// Factor on all waits.
    pub(super) scale: f64,
}

/// Opens the app; puts everything away afterwards.
pub(super) fn run(choice: &Choice<'_>) -> ExitCode {
    // The service has a thread of its own beside those of the app.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return demo::fail(&format!("cannot start: {error}"), 1),
    };
    let (server, setting, scripts) = match runtime.block_on(prepare(choice)) {
        Ok(prepared) => prepared,
        Err(error @ Error::NoScenario { .. }) => return demo::fail(&error.to_string(), 2),
        Err(error) => return demo::fail(&error.to_string(), 1),
    };
    let vars = setting.client_env().into_iter().collect();
    let own = Env::new(vars, Some(setting.project.clone()));
    let tour = Tour {
        told: told(&scripts, choice.keep),
        prompts: scripts.into_iter().map(|script| script.prompt).collect(),
        passing: true,
    };
    let request =
        tui::Request { tour: Some(tour), ..tui::Request::new(Screen::default(), Shared::default(), None) };
    let exit = tui::run(&request, &own);
    drop(server);
    let mut out = std::io::stdout();
    if choice.keep {
        let _ = writeln!(out, "Kept: {}", setting.keep().display());
    } else if let Err(error) = runtime.block_on(setting.remove()) {
        return demo::fail(&error.to_string(), 1);
    } else {
        let _ = writeln!(out, "That was the demonstration; its temporary folders are removed.");
    }
    exit.into()
}

async fn prepare(choice: &Choice<'_>) -> Result<(Server, Setting, Vec<Script>), Error> {
    let scripts = scenarios::chosen(choice.name)?;
    let options = Options { port: 0, auth: true, scale: choice.scale };
    let server = Server::start(scenarios::served(choice.name)?, options).await?;
    let first = scripts.first().cloned().unwrap_or_default();
    let setting = Setting::make(&demo::machine()?, &first, &server).await?;
    Ok((server, setting, scripts))
}

/// What the user is told first.
fn told(scripts: &[Script], keep: bool) -> String {
    let end = if keep { "is kept when you leave" } else { "is removed when you leave" };
    let mut text = format!(
        "Scripted model, nothing leaves this machine. Its answers are written beforehand; commands, patches and \
         sandbox are real. They work in a temporary project that {end}.\n\nTo try:\n"
    );
    for (index, script) in scripts.iter().enumerate() {
        let key = if index == 0 { "enter" } else { "then enter again" };
        text.push_str(&format!("  {key}: {}\n", script.title.to_lowercase()));
    }
    text.push_str(
        "  ctrl-t unfolds all details, /diff shows what was changed\n  \
         !sh test.sh runs a command of your own, @ finds files\n  \
         / lists the commands, ? every key, ctrl-d leaves",
    );
    text
}
