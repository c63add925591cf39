//! `codex demo`: the scripted model, for trying in the terminal app, for watching in text, for checking, and for
//! serving other clients.

use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::tour;
use crate::base::tasks::{self, CancellationToken};
use crate::config::Env;
use crate::demo::check;
use crate::demo::error::Error;
use crate::demo::scenarios;
use crate::demo::script::Script;
use crate::demo::server::{Options, Server};
use crate::demo::setting::{Machine, Setting};
use crate::demo::show::{self, Show};

/// Variables of ours that the temporary home's client gets; nothing else is passed on. The second half tells of the
/// terminal, and which editor the user has.
const PASSED: [&str; 20] = [
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TZ",
    "TERM_PROGRAM",
    "COLORFGBG",
    "TMUX",
    "STY",
    "KITTY_WINDOW_ID",
    "SSH_TTY",
    "SSH_CONNECTION",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "VISUAL",
    "EDITOR",
];

/// Options of `codex demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Play in text, also on a terminal
    #[arg(long, conflicts_with_all = ["check", "serve", "list"])]
    headless: bool,
    /// Play all scenarios and verify what they did
    #[arg(long, conflicts_with_all = ["serve", "list", "speed", "port", "no_auth", "json", "script"])]
    check: bool,
    /// Only serve the scripted model, for any client
    #[arg(long, conflicts_with = "list")]
    serve: bool,
    /// List the scenarios
    #[arg(long, conflicts_with_all = ["scenario", "speed", "port", "no_auth", "json", "script"])]
    list: bool,
    /// Play or serve only this scenario
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Leave the temporary project and home in place
    #[arg(long, conflicts_with_all = ["check", "serve", "list"])]
    keep: bool,
    /// How many times as fast; 0: without waiting
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed, allow_negative_numbers = true)]
    speed: f64,
    /// Port on 127.0.0.1; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 0, requires = "serve")]
    port: u16,
    /// Serve without a token
    #[arg(long, requires = "serve")]
    no_auth: bool,
    /// Print the address as JSON, and end with standard input
    #[arg(long, requires = "serve")]
    json: bool,
    /// Serve the scenario in this file
    #[arg(long, value_name = "FILE", requires = "serve", conflicts_with = "scenario")]
    script: Option<PathBuf>,
}

impl DemoArgs {
    /// Factor on all waits.
    fn scale(&self) -> f64 {
        if self.speed > 0.0 { 1.0 / self.speed } else { 0.0 }
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor == 0.0 || (0.01..=1000.0).contains(&factor) => Ok(factor),
        _ => Err("it is 0, or a number from 0.01 to 1000".to_owned()),
    }
}

/// Runs `codex demo`. Exit codes: 0 fine, 1 a check or a run failed, 2 wrong use, 129, 130 and 143 stopped.
pub(crate) fn run(args: &DemoArgs, env: &Env) -> ExitCode {
    let elsewhere = args.check || args.serve || args.list || args.headless;
    let (stdin, stdout) = (std::io::stdin().is_terminal(), std::io::stdout().is_terminal());
    if !elsewhere && stdin && stdout && !matches!(env.text("TERM"), None | Some("dumb")) {
        let name = args.scenario.as_deref();
        return tour::run(&tour::Choice { name, keep: args.keep, scale: args.scale() });
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}"), 1),
    };
    let code = runtime.block_on(until_stopped(args));
    // A thread may still wait for standard input; it is not waited for.
    runtime.shutdown_background();
    code
}

/// Runs until the end or until a signal; on a signal everything is put away before this returns.
async fn until_stopped(args: &DemoArgs) -> ExitCode {
    let stop = CancellationToken::new();
    let (Ok(mut int), Ok(mut term), Ok(mut hup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return fail("cannot listen for signals", 1);
    };
    let work = work(args, &stop);
    tokio::pin!(work);
    let mut code = 1;
    loop {
        // The work is kept from round to round; a signal waits in its own queue.
        tokio::select! {
            done = &mut work => return match done {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::from(1),
                Err(Error::Stopped) => ExitCode::from(code),
                Err(error @ Error::NoScenario { .. }) => fail(&error.to_string(), 2),
                Err(error) => fail(&error.to_string(), 1),
            },
            _ = int.recv() => code = 130,
            _ = term.recv() => code = 143,
            _ = hup.recv() => code = 129,
        }
        stop.cancel();
    }
}

async fn work(args: &DemoArgs, stop: &CancellationToken) -> Result<bool, Error> {
    let mut out = std::io::stdout();
    let scale = args.scale();
    if args.list {
        for script in scenarios::playable()? {
            let _ = writeln!(out, "{:<18} {}", script.name, script.title);
        }
        return Ok(true);
    }
    if args.serve {
        return serve(args, scale, stop, &mut out).await;
    }
    let machine = machine()?;
    let name = args.scenario.as_deref();
    if args.check {
        return check::check(&machine, name, stop, &mut out).await;
    }
    let show = Show { name: args.scenario.clone(), keep: args.keep, scale };
    show::show(&machine, &show, stop, &mut out).await
}

async fn serve(
    args: &DemoArgs,
    scale: f64,
    stop: &CancellationToken,
    out: &mut dyn Write,
) -> Result<bool, Error> {
    let mut script = match &args.script {
        Some(path) => scenarios::from_file(path)?,
        None => scenarios::served(args.scenario.as_deref())?,
    };
    if args.json && args.scenario.is_none() && args.script.is_none() {
        // Programs that ask for everything set the account themselves.
        script.account = None;
    }
    let server = Server::start(script, Options { port: args.port, auth: !args.no_auth, scale }).await?;
    let home = match args.json {
        true => None,
        false => account_home(&server).await?,
    };
    let told = match &home {
        _ if args.json => as_json(&server),
        None => as_text(&server, ""),
        Some(home) => as_text(&server, &account_text(&server, home)),
    };
    let _ = writeln!(out, "{told}");
    let _ = out.flush();
    if args.json {
        // Whichever comes first is the end; a read of the input that is left behind holds nothing.
        tokio::select! {
            () = stop.cancelled() => return Err(Error::Stopped),
            _ = tasks::blocking("end of standard input", end_of_stdin) => return Ok(true),
        }
    }
    stop.cancelled().await;
    if let Some(home) = home {
        home.remove().await?;
    }
    Err(Error::Stopped)
}

/// A temporary home that is signed in to the account of the scenario, when it has one.
async fn account_home(server: &Server) -> Result<Option<Setting>, Error> {
    if !server.backend().state().account.is_alive() {
        return Ok(None);
    }
    Setting::make(&machine()?, &Script::default(), server).await.map(Some)
}

fn end_of_stdin() {
    let mut stdin = std::io::stdin().lock();
    let mut bytes = [0; 1024];
    while stdin.read(&mut bytes).is_ok_and(|read| read > 0) {}
}

fn as_json(server: &Server) -> String {
    serde_json::json!({
        "base_url": server.base_url(),
        "token": server.token().expose(),
        "port": server.backend().port,
    })
    .to_string()
}

fn account_text(server: &Server, home: &Setting) -> String {
    format!(
        "Or use a temporary home that is signed in to the scripted account, with limits and reset credits:\n\n\
         \x20 export CODEX_HOME={}\n\
         \x20 export CODEX_APP_SERVER_LOGIN_ISSUER={}\n\
         \x20 codex usage\n\
         \x20 codex usage credits\n\n\
         then `codex usage redeem`, or `codex` and in it /usage. What you send costs a part of the limits, and the\n\
         clock of the account is fast: what is called a 5h limit starts anew after minutes.\n\n",
        home.home.display(),
        server.origin()
    )
}

fn as_text(server: &Server, account: &str) -> String {
    let (url, token) = (server.base_url(), server.token().expose());
    format!(
        "The scripted model (no real one) serves at {url}\n\n\
         Point a client at it, in another terminal:\n\n\
         \x20 export CODEX_DEMO_TOKEN={token}\n\
         \x20 codex exec --skip-git-repo-check -c model_provider=demo \\\n\
         \x20   -c 'model_providers.demo={{name=\"Scripted\", base_url=\"{url}\", \
         env_key=\"CODEX_DEMO_TOKEN\"}}' \\\n\
         \x20   'feel the sandbox'\n\n\
         {account}\
         Look into it: curl -H \"Authorization: Bearer $CODEX_DEMO_TOKEN\" {}/control/state\n\
         Ctrl-C ends it.",
        url.trim_end_matches("/v1")
    )
}

#[allow(clippy::disallowed_methods, reason = "cli/ is where the environment is read")]
pub(super) fn machine() -> Result<Machine, Error> {
    let unknown = |source| Error::Run { program: PathBuf::from("codex"), source };
    let program = std::env::current_exe().map_err(unknown)?;
    let passed = |name: &&str| std::env::var_os(name).map(|value| (OsString::from(*name), value));
    Ok(Machine { program, temp: std::env::temp_dir(), env: PASSED.iter().filter_map(passed).collect() })
}

pub(super) fn fail(message: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "codex demo: {message}");
    ExitCode::from(code)
}
