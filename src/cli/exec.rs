//! `codex exec`: reads everything a turn needs, in the order in which a user would want to hear what is wrong
//! with it, then hands the thread's door to the front end. Nothing before the turn touches the network.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::timeout;

use super::args_exec::{ExecOptions, ExecRequest, ResumeTarget};
use super::exec_require::{self, Requirement};
use super::exit::Exit;
use super::housekeeping;
use super::review::Subject;
use super::usage;
use super::usage_account::{self, Account};
use super::usage_redeem;
use super::wire;
use crate::agent::past::Past;
use crate::agent::review;
use crate::agent::settings::Settings;
use crate::agent::thread::{self, Start};
use crate::auth::under_way;
use crate::base::clock::SystemClock;
use crate::base::ids::ThreadId;
use crate::base::path;
use crate::base::tasks;
use crate::config::{self, Config, Env, Flags, Trust};
use crate::exec::brake;
use crate::exec::gate;
use crate::exec::human::Banner;
use crate::exec::input::{self, Patience, Prompt};
use crate::exec::last_message;
use crate::exec::output::Output;
use crate::exec::output_schema;
use crate::exec::run::{self, Door, Setup, Show};
use crate::exec::text::clean;
use crate::limits::journal;
use crate::process::harden;
use crate::protocol::error::ErrorInfo;
use crate::protocol::input::UserInput;
use crate::protocol::policy::ApprovalPolicy;
use crate::protocol::review::Target;
use crate::protocol::thread::ThreadSource;
use crate::protocol::tokens::ThreadUsage;
use crate::threads::{self, NewThread, Writer};
use crate::workspace::git;

/// So long the end of a run waits for the answer to an unfinished redemption.
const FINISH_TIME: Duration = Duration::from_secs(3);

/// Runs `codex exec`.
pub(crate) fn run(request: ExecRequest, env: &Env) -> Exit {
    let mut warnings = Vec::new();
    let requirement = match requirement(&request.options) {
        Ok(requirement) => requirement,
        Err(text) => {
            fail(&anyhow::anyhow!(text));
            return Exit::Other(usage::WRONG_USE);
        }
    };
    match prepare(request, requirement, env, &mut warnings) {
        Ok(prepared) => match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let exit = runtime.block_on(prepared.play());
                runtime.block_on(under_way::settle());
                // A blocked read or a slow disk must not hold up the exit: everything that matters is flushed.
                runtime.shutdown_background();
                exit
            }
            Err(error) => fail(&anyhow::Error::from(error)),
        },
        Err(error) => {
            // A mistyped key may well be why the run cannot begin.
            for warning in warnings {
                let _ = writeln!(std::io::stderr(), "warning: {}", clean(&warning));
            }
            fail(&error)
        }
    }
}

fn fail(error: &anyhow::Error) -> Exit {
    let text = format!("{error:#}");
    let _ = writeln!(std::io::stderr(), "ERROR: {}", clean(&text));
    Exit::Failure
}

/// Everything that could be wrong before the turn has been looked at.
struct Prepared {
    start: Start,
    services: crate::agent::services::Services,
    config: Arc<Config>,
    setup: Setup,
    requirement: Requirement,
    /// An account whose last redemption may be unfinished.
    unfinished: Option<Account>,
}

/// Looks at everything. `warnings` gets what came up, also when this fails.
fn prepare(
    request: ExecRequest,
    requirement: Requirement,
    env: &Env,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Prepared> {
    let ExecRequest { options, prompt, resume, review } = request;
    let config = config::load(env, &flags(&options))?;
    harden::forget(&config.secret_env);
    warnings.extend(config.warnings.iter().cloned());
    let in_git = git::root(&config.cwd).is_some();
    let skip = options.skip_git_repo_check || options.work.bypass;
    gate::check(&config.cwd, in_git, config.trust == Trust::Trusted, skip)?;
    let schema = options.output_schema.as_deref().map(output_schema::read).transpose()?;
    // As with the other files: named from where the user stands, wherever -C leads.
    let here = env.cwd().unwrap_or(&config.cwd);
    let images: Vec<PathBuf> = options.work.image.iter().map(|image| path::absolute(here, image)).collect();
    images.iter().try_for_each(|image| readable(image))?;
    if let Some(path) = &options.output_last_message {
        last_message::check(path)
            .map_err(|error| anyhow::anyhow!("cannot write the answer to {}: {error}", path.display()))?;
    }
    let manager = wire::admitted(&config, env).map_err(plain)?;
    let (mut services, _) = wire::services(&config, env, manager, &ThreadSource::Exec).map_err(plain)?;
    if options.ephemeral {
        // Nothing of the thread is stored, so neither is what it would take to undo it.
        services.undo = Arc::default();
    }
    let mut patches = housekeeping::recover_patches(&config);
    patches.extend(housekeeping::recover_undo(&config));
    let unfinished = unfinished(&config, env);
    let prompt = match &review {
        Some(Subject::Target(target)) => Prompt { text: target.words(), warning: None },
        Some(Subject::Prompt) | None => input::read(prompt.as_deref(), std::io::stdin(), Patience::USUAL)?,
    };
    let review = review.map(|subject| subject.target(&prompt.text));
    let (settings, doc_warnings) = wire::settings(&config, env);
    let resumed = resume.map(|target| find(&config, &target)).transpose()?;
    warnings.extend(patches);
    warnings.extend(services.rules.problems());
    warnings.extend(doc_warnings);
    warnings.extend(prompt.warning);
    let start = match resumed {
        Some(path) => resume_at(&config, &path, settings, options.ephemeral, warnings)?,
        None => new_thread(&config, settings, options.ephemeral),
    };
    let asked = Asked { prompt: prompt.text, images, output_schema: schema, review };
    let setup = setup(&options, &config, &start, asked, std::mem::take(warnings), env);
    Ok(Prepared { start, services, config: Arc::new(config), setup, requirement, unfinished })
}

/// The account, when something was ever redeemed from this home.
fn unfinished(config: &Config, env: &Env) -> Option<Account> {
    journal::was_used(&config.codex_home).then(|| usage_account::open(config, env).ok()).flatten()
}

/// What must be left before the turn begins.
fn requirement(options: &ExecOptions) -> Result<Requirement, String> {
    let shares = usage::shares(&options.require_remaining)?;
    if shares.is_empty() && (options.wait_for_reset || options.deadline.is_some()) {
        return Err("--wait-for-reset and --deadline go with --require-remaining".to_owned());
    }
    Ok(Requirement { shares, wait: options.wait_for_reset, deadline: options.deadline })
}

/// A mistyped name of an image is told before a thread begins; what is in the file is looked at with the turn.
fn readable(image: &Path) -> anyhow::Result<()> {
    match std::fs::metadata(image) {
        Ok(_) => Ok(()),
        Err(error) => Err(anyhow::anyhow!("cannot attach the image {}: {error}", image.display())),
    }
}

/// An error with its next step, as one line.
fn plain(error: ErrorInfo) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}

fn flags(options: &ExecOptions) -> Flags {
    let features = |names: &[String], on: bool| -> Vec<(String, bool)> {
        names.iter().map(|name| (name.clone(), on)).collect()
    };
    let mut switched = features(&options.shared.enable, true);
    switched.extend(features(&options.shared.disable, false));
    Flags {
        model: options.work.model.clone(),
        profile: options.shared.profile.clone(),
        sandbox: options.work.sandbox,
        // There is nobody to ask.
        approval: Some(ApprovalPolicy::Never),
        full_auto: options.work.full_auto,
        bypass: options.work.bypass,
        cwd: options.work.cwd.clone(),
        add_dirs: options.work.add_dir.clone(),
        overrides: options.shared.config.clone(),
        features: switched,
        ignore_rules: options.ignore_rules,
        ..Flags::default()
    }
}

fn new_thread(config: &Config, settings: Settings, ephemeral: bool) -> Start {
    let thread_id = ThreadId::new();
    let clock = Arc::new(SystemClock);
    let writer = if ephemeral {
        Writer::ephemeral(clock)
    } else {
        let state = config.project_root.as_deref().or(Some(&config.cwd)).and_then(git::state);
        let git = state.map(|state| threads::Git {
            commit_hash: state.commit,
            branch: state.branch,
            repository_url: state.origin,
        });
        let thread = NewThread {
            id: thread_id,
            cwd: config.cwd.clone(),
            source: ThreadSource::Exec,
            cli_version: env!("CARGO_PKG_VERSION").to_owned(),
            model_provider: config.provider.id.clone(),
            base_instructions: Some(settings.instructions.to_string()),
            forked_from: None,
            git,
        };
        Writer::create(&config.codex_home, thread, clock)
    };
    Start { thread_id, writer, past: Past::None, usage: ThreadUsage::default(), settings }
}

/// The file of the thread that `resume` means.
fn find(config: &Config, target: &ResumeTarget) -> anyhow::Result<PathBuf> {
    let home = &config.codex_home;
    match target {
        ResumeTarget::Id(what) => {
            let found = threads::resolve(home, what)?;
            if found.archived {
                anyhow::bail!("thread {} is archived; unarchive it first", found.id);
            }
            Ok(found.path)
        }
        ResumeTarget::LastAnywhere => match threads::last(home, None) {
            Some(summary) => Ok(summary.found.path),
            None => anyhow::bail!("there is no earlier thread"),
        },
        ResumeTarget::Last => match threads::last(home, Some(&config.cwd)) {
            Some(summary) => Ok(summary.found.path),
            None => {
                anyhow::bail!(
                    "no earlier thread was started in {}; name one by its id, or add --all",
                    config.cwd.display()
                )
            }
        },
    }
}

fn resume_at(
    config: &Config,
    path: &Path,
    settings: Settings,
    ephemeral: bool,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Start> {
    let id = threads::id_of(path)
        .ok_or_else(|| anyhow::anyhow!("{} does not have the name of a thread", path.display()))?;
    let clock = Arc::new(SystemClock);
    let writer = if ephemeral {
        Writer::ephemeral(clock)
    } else {
        // Before reading: its lock keeps the file still.
        let (writer, mended) = Writer::reopen(&config.codex_home, id, path, clock)?;
        warnings.extend(mended.message());
        writer
    };
    let loaded = threads::load(&config.codex_home, path)?;
    if loaded.is_lost() {
        anyhow::bail!("thread {id} cannot be continued: nothing in {} can be read", path.display());
    }
    warnings.extend(loaded.problems.summary());
    if let Some(model) = loaded.settings.model.as_deref().filter(|model| *model != settings.model) {
        warnings.push(format!("this thread used {model} before and goes on with {}", settings.model));
    }
    let usage = loaded.usage.unwrap_or_default();
    Ok(Start { thread_id: id, writer, past: Past::Read(Box::new(loaded)), usage, settings })
}

/// What became of an unfinished redemption. The end of a run waits a moment for it, not longer: whatever starts next
/// goes on with it.
async fn told_of(finishing: tasks::Task<(bool, Option<String>)>) -> Option<String> {
    let still = "An earlier redemption is unfinished. To finish it: codex usage redeem";
    match timeout(FINISH_TIME, finishing.join()).await {
        Ok(Ok((unknown, text))) => text.or_else(|| unknown.then(|| still.to_owned())),
        Ok(Err(_)) | Err(_) => Some(still.to_owned()),
    }
}

/// What the model is asked.
struct Asked {
    prompt: String,
    /// Files to attach.
    images: Vec<PathBuf>,
    output_schema: Option<serde_json::Value>,
    /// What is to be reviewed, instead.
    review: Option<Target>,
}

fn setup(
    options: &ExecOptions,
    config: &Config,
    start: &Start,
    asked: Asked,
    warnings: Vec<String>,
    env: &Env,
) -> Setup {
    let stderr_terminal = std::io::stderr().is_terminal();
    let mut input = vec![UserInput::Text { text: asked.prompt.clone() }];
    let (reviewer, sandbox) = match &asked.review {
        Some(_) => (config.model.review.clone(), review::sandbox(&config.sandbox)),
        None => (None, config.sandbox.clone()),
    };
    input.extend(asked.images.into_iter().map(|path| UserInput::LocalImage { path }));
    Setup {
        json: options.json,
        show: match (config.interface.hide_agent_reasoning, config.interface.show_raw_agent_reasoning) {
            (true, _) => Show::Nothing,
            (false, true) => Show::Raw,
            (false, false) => Show::Summaries,
        },
        colored: options
            .color
            .unwrap_or_default()
            .enabled(stderr_terminal, env.no_color() || env.text("TERM") == Some("dumb")),
        stdout_terminal: std::io::stdout().is_terminal(),
        stderr_terminal,
        banner: Banner {
            version: env!("CARGO_PKG_VERSION"),
            workdir: config.cwd.clone(),
            model: reviewer.unwrap_or_else(|| start.settings.model.clone()),
            provider: config.provider.id.clone(),
            approval: config.approval,
            sandbox,
            effort: start.settings.effort.clone(),
            summary: start.settings.summary.clone(),
            thread_id: start.thread_id,
        },
        prompt: asked.prompt,
        input,
        review: asked.review,
        output_schema: asked.output_schema,
        last_message: options.output_last_message.clone(),
        warnings,
    }
}

impl Prepared {
    /// Plays the turn.
    async fn play(self) -> Exit {
        let tell = |line: &str| drop(writeln!(std::io::stderr(), "{}", clean(line)));
        // Beside everything else: a turn does not wait for it.
        let finishing = self.unfinished.map(|account| {
            tasks::spawn("unfinished redemption", async move { usage_redeem::finish(&account).await })
        });
        // Before signals are caught: the wait can be stopped like any other program.
        if let Err(exit) = exec_require::check(&self.requirement, self.services.limits.as_ref(), tell).await {
            return exit;
        }
        let (signals, _catching) = match brake::signals() {
            Ok(signals) => signals,
            Err(error) => return fail(&anyhow::anyhow!("cannot catch signals: {error}")),
        };
        let limits = self.services.limits.clone();
        let handle = thread::start(Arc::new(self.services), self.config, self.start);
        let output = Output::start(Box::new(std::io::stdout()), Box::new(std::io::stderr()));
        let door = Door { ops: handle.ops, events: handle.events };
        let outcome = run::run(door, signals, output, self.setup).await;
        if let Some(limits) = limits {
            let now = limits.get().server_now(limits.now_s());
            for alarm in limits.alarms().await {
                tell(&format!("warning: {}", alarm.text(now, &TimeZone::system())));
            }
        }
        if let Some(finishing) = finishing {
            told_of(finishing).await.iter().for_each(|text| tell(&format!("warning: {text}")));
        }
        // The thread has told `Closed`, or is given up; its task goes with the runtime.
        let _: tasks::Task<()> = handle.task;
        Exit::from(outcome)
    }
}
