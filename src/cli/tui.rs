//! `codex` and `codex resume`: reads the flags, captures what the terminal app needs to know of its surroundings,
//! and starts it. Everything that can wait until after the first frame waits behind the door.

use std::io::{IsTerminal, Write};

use super::args::{ResumeScreen, Screen, Shared};
use super::door::Behind;
use super::exit::Exit;
use super::fault;
use super::wire;
use crate::auth::{error as auth, under_way};
use crate::base::{path, tasks};
use crate::config::schema::interface::Persistence;
use crate::config::schema::login::CredentialStore;
use crate::config::schema::tui::{AlternateScreen, NotificationCondition};
use crate::config::{self, Config, Env, Flags, Trust};
use crate::process::harden;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::policy::SandboxPolicy;
use crate::tui::app;
use crate::tui::door::{Begin, Door, ThreadFilter};
use crate::tui::keymap::Remap;
use crate::tui::popups::permissions;
use crate::tui::setup::{AskTrust, Mode, Notify, Setup, Tour};
use crate::tui::terminal::Surroundings;

/// How the app begins.
pub(crate) struct Request {
    /// Flags of the app.
    pub(crate) screen: Screen,
    /// Flags of the configuration.
    pub(crate) shared: Shared,
    /// What is submitted first.
    pub(crate) prompt: Option<String>,
    /// The thread to open.
    pub(crate) thread: Wanted,
    /// The model is scripted.
    pub(crate) tour: Option<Tour>,
}

/// Which thread the app opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A new one.
    New,
    /// The last one of this folder.
    Last,
    /// The last one of all folders.
    LastAnywhere,
    /// The one of this id or name.
    Named(String),
    /// The user picks one from a list of this folder's.
    Pick,
    /// The user picks one from a list of all folders'.
    PickAnywhere,
}

impl Request {
    /// `codex [PROMPT]`.
    pub(crate) fn new(screen: Screen, shared: Shared, prompt: Option<String>) -> Self {
        Self { screen, shared, prompt, thread: Wanted::New, tour: None }
    }

    /// `codex resume`. `before`: configuration flags that stood before the word.
    pub(crate) fn resume(resume: ResumeScreen, mut before: Shared) -> Self {
        before.join(resume.shared);
        let (last, pick) = match resume.all {
            true => (Wanted::LastAnywhere, Wanted::PickAnywhere),
            false => (Wanted::Last, Wanted::Pick),
        };
        let (thread, prompt) = match (resume.last, resume.id, resume.prompt) {
            (true, first, second) => (last, first.or(second)),
            (false, Some(id), prompt) => (Wanted::Named(id), prompt),
            (false, None, prompt) => (pick, prompt),
        };
        Self { screen: resume.screen, shared: before, prompt, thread, tour: None }
    }

    /// The flags as the configuration takes them.
    pub(crate) fn flags(&self) -> Flags {
        let named = |names: &[String], on: bool| -> Vec<(String, bool)> {
            names.iter().map(|name| (name.clone(), on)).collect()
        };
        let mut features = named(&self.shared.enable, true);
        features.extend(named(&self.shared.disable, false));
        Flags {
            model: self.screen.work.model.clone(),
            profile: self.shared.profile.clone(),
            sandbox: self.screen.work.sandbox,
            approval: self.screen.approval,
            full_auto: self.screen.work.full_auto,
            bypass: self.screen.work.bypass,
            cwd: self.screen.work.cwd.clone(),
            add_dirs: self.screen.work.add_dir.clone(),
            overrides: self.shared.config.clone(),
            features,
            oss: self.screen.oss,
            search: self.screen.search,
            ..Flags::default()
        }
    }
}

/// Runs the app. Exit codes: 0 the user left, 1 it could not start, 101 a fault of its own, 128 + n ended by signal n.
pub(crate) fn run(request: &Request, env: &Env) -> Exit {
    let setup = match setup(request, env) {
        Ok(setup) => setup,
        Err(text) => return fail(&text),
    };
    let flags = request.flags();
    fault::keep_log(&setup.codex_home);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async {
            let (door, calls) = Door::new();
            let behind = tasks::spawn("door", Behind::new(env.clone(), flags).serve(calls));
            let outcome = app::run(setup, door).await;
            drop(behind);
            outcome
        })
    }));
    runtime.block_on(under_way::settle());
    runtime.shutdown_background();
    match outcome {
        Ok(Ok(outcome)) => {
            let _ = std::io::stdout().write_all(outcome.farewell.as_bytes());
            match outcome.signal {
                _ if outcome.fault => faulty(),
                Some(signal) => Exit::Other(u8::try_from(128 + signal).unwrap_or(1)),
                None => Exit::Success,
            }
        }
        Ok(Err(error)) => fail(&error.to_string()),
        Err(_) => faulty(),
    }
}

fn faulty() -> Exit {
    let _ = std::io::stderr().write_all(fault::told().as_bytes());
    Exit::Fault
}

fn fail(text: &str) -> Exit {
    let _ = writeln!(std::io::stderr(), "ERROR: {}", crate::exec::text::clean(text));
    Exit::Failure
}

/// The question of trust, with what either answer would let happen under this configuration.
fn ask_trust(request: &Request, env: &Env, config: &Config) -> AskTrust {
    let folder = config.project_root.clone().unwrap_or_else(|| config.cwd.clone());
    let quoted = folder.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    let mut flags = request.flags();
    flags.overrides.push(format!("projects.\"{quoted}\".trust_level=\"trusted\""));
    let words = |config: &Config| permissions::explained(config.approval, &config.sandbox);
    AskTrust {
        trusted: match config::load(env, &flags) {
            Ok(trusted) => words(&trusted),
            // What is wrong in the folder's own settings is told when they count.
            Err(_) => "As its own settings say; they have a mistake, which is told next.".to_owned(),
        },
        looking: permissions::explained(config.approval, &SandboxPolicy::ReadOnly { network_access: false }),
        folder,
    }
}

/// Why stored credentials cannot be used, when there are some: nobody should sign in over a file that is in the way.
fn trouble(error: &ErrorInfo) -> Option<String> {
    match error.kind {
        ErrorKind::Io => Some(format!("{} Move it away or mend it, then start codex again.", error.message)),
        _ => (error.message != auth::Error::NotSignedIn.to_string()).then(|| error.to_string()),
    }
}

/// Says on a line that goes again what is waited for: a locked keyring asks for its password in a window of its own.
fn meanwhile<T>(config: &Config, work: impl FnOnce() -> T) -> T {
    const LINE: &str = "Waiting for the keyring…";
    let slow = matches!(config.login.store, CredentialStore::Keyring | CredentialStore::Auto);
    let shown = slow && std::io::stderr().is_terminal();
    let put = |text: &str| drop(std::io::stderr().write_all(text.as_bytes()));
    if shown {
        put(LINE);
    }
    let done = work();
    if shown {
        put(&format!("\r{}\r", " ".repeat(LINE.chars().count())));
    }
    done
}

/// Everything the first frame needs, and nothing that takes time.
fn setup(request: &Request, env: &Env) -> Result<Setup, String> {
    let config = config::load(env, &request.flags()).map_err(|error| error.to_string())?;
    harden::forget(&config.secret_env);
    let surroundings = Surroundings::of(env);
    let tui = &config.interface.tui;
    let linear = request.screen.screen_reader || tui.screen_reader || surroundings.dumb;
    let scrollback = request.screen.no_alt_screen || tui.alternate_screen == AlternateScreen::Never;
    let mode = match (linear, scrollback) {
        (true, _) => Mode::Linear,
        (false, true) => Mode::Scrollback,
        (false, false) => Mode::Full,
    };
    let signed_out = match config.provider.requires_openai_auth {
        true => meanwhile(&config, || wire::admitted(&config, env).err()),
        false => None,
    };
    let ask_trust = (config.trust == Trust::Unknown && !request.screen.work.bypass)
        .then(|| ask_trust(request, env, &config));
    let (begin, pick) = match &request.thread {
        Wanted::New => (Begin::New, None),
        Wanted::Last => (Begin::ResumeLast { everywhere: false }, None),
        Wanted::LastAnywhere => (Begin::ResumeLast { everywhere: true }, None),
        Wanted::Named(what) => (Begin::ResumeNamed(what.clone()), None),
        Wanted::Pick => (Begin::New, Some(ThreadFilter::default())),
        Wanted::PickAnywhere => (Begin::New, Some(ThreadFilter { everywhere: true, ..Default::default() })),
    };
    // Named from where the user stands, wherever -C leads; as with `exec`.
    let here = env.cwd().unwrap_or(&config.cwd);
    Ok(Setup {
        version: env!("CARGO_PKG_VERSION"),
        surroundings,
        mode,
        sign_in: signed_out.is_some(),
        sign_in_trouble: signed_out.and_then(|error| trouble(&error)),
        ask_trust,
        begin,
        pick,
        prompt: request.prompt.clone(),
        images: request.screen.work.image.iter().map(|image| path::absolute(here, image)).collect(),
        remaps: tui
            .keymap
            .iter()
            .map(|change| Remap {
                context: change.context.clone(),
                action: change.action.clone(),
                keys: change.keys.clone(),
                place: change.place.as_ref().map(ToString::to_string).unwrap_or_default(),
            })
            .collect(),
        syntax_theme: tui.theme.clone().unwrap_or_default(),
        status_line: tui.status_line.clone(),
        title: tui.terminal_title.clone(),
        notify: match (tui.notifications, tui.notification_condition) {
            (false, _) => Notify::Never,
            (true, NotificationCondition::Always) => Notify::Always,
            (true, NotificationCondition::Unfocused) => Notify::Unfocused,
        },
        notify_program: config.interface.notify.clone(),
        secret_env: config.secret_env,
        keep_history: config.interface.history == Persistence::SaveAll,
        history_max_bytes: config.interface.history_max_bytes,
        no_burst: config.interface.disable_paste_burst,
        no_model_nudge: config.interface.no_model_nudge,
        warnings: Vec::new(),
        tour: request.tour.clone(),
        cwd: config.cwd,
        codex_home: config.codex_home,
    })
}
