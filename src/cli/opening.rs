//! How a thread of the terminal app begins: new, continued, or as a copy. Everything the first request needs is
//! resolved here; the app gets the door of the live thread and what was shown before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::door::{blocking, branch, told};
use super::usage_account::Account;
use super::{housekeeping, wire};
use crate::agent::past::Past;
use crate::agent::settings::Settings;
use crate::agent::thread::{self, Start};
use crate::auth::manager::{Identity, Manager};
use crate::base::clock::SystemClock;
use crate::base::ids::ThreadId;
use crate::base::tasks::{self, Task};
use crate::config::{Config, Env, diagnose};
use crate::demo::scenarios;
use crate::demo::server::{Options, Server};
use crate::limits::Cache;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::thread::ThreadSource;
use crate::protocol::tokens::ThreadUsage;
use crate::sandbox;
use crate::threads::{self, Cursor, NewThread, PageSize, Turn, Writer, names};
use crate::tui::door::{Begin, Live, ThreadInfo};
use crate::tui::text::syntaxes;
use crate::workspace::{agents_md, git};

/// What is replayed at once when a thread is continued.
pub(super) const PAGE: PageSize = PageSize { turns: 200, bytes: 4 << 20 };

/// The open thread as its door needs it.
pub(super) struct Opened {
    /// The configuration it began with.
    pub(super) config: Config,
    /// What the app knows of it.
    pub(super) info: ThreadInfo,
    /// Where the turns before the shown ones are.
    pub(super) earlier: Option<Cursor>,
    /// Whose name its requests go out under.
    pub(super) manager: Arc<Manager>,
    /// Keeps it alive.
    _task: Task<()>,
    /// The account behind it, when somebody is signed in with ChatGPT.
    pub(super) account: Option<Account>,
    /// Keeps the limits fresh.
    _fresh: Option<Task<()>>,
}

/// Opens a thread under this configuration.
///
/// # Errors
/// There are no credentials, no such thread, or somebody else writes it.
pub(super) async fn open(config: Config, env: &Env, begin: Begin) -> Result<(Opened, Live), ErrorInfo> {
    let manager = wire::credentials(&config, env)?;
    open_as(config, env, manager, begin).await
}

/// The same with credentials that are open already.
async fn open_as(
    mut config: Config,
    env: &Env,
    manager: Arc<Manager>,
    begin: Begin,
) -> Result<(Opened, Live), ErrorInfo> {
    let account = account(&config, manager.identity().as_ref());
    let (services, limited) = wire::services(&config, env, Arc::clone(&manager), &ThreadSource::Cli)?;
    let fresh = services.limits.as_ref().map(Cache::keep_fresh);
    let (settings, mut warnings) = wire::settings(&config, env);
    warnings.append(&mut config.warnings);
    warnings.extend(services.rules.problems());
    warnings.extend(housekeeping::recover_patches(&config));
    warnings.extend(housekeeping::recover_undo(&config));
    warnings.extend(themes(&config).await);
    let (home, here) = (config.codex_home.clone(), config.cwd.clone());
    let meta = new_thread(&config, &settings);
    let begun = blocking("open thread", move || begin_at(&home, &here, begin, meta)).await?;
    warnings.extend(begun.warnings);
    let start =
        Start { thread_id: begun.id, writer: begun.writer, past: begun.stored, usage: begun.usage, settings };
    let info = info(&config, &start.settings, begun.id, begun.name, account);
    let handle = thread::start(Arc::new(services), Arc::new(config.clone()), start);
    let live = Live {
        info: info.clone(),
        ops: handle.ops,
        events: handle.events,
        past: begun.past,
        earlier: begun.earlier.is_some(),
        usage: Some(begun.usage),
        warnings,
        limits: limited.as_ref().map(|account| account.cache.watch()),
    };
    let earlier = begun.earlier;
    let opened =
        Opened { config, info, earlier, manager, account: limited, _task: handle.task, _fresh: fresh };
    Ok((opened, live))
}

/// A thread on disk, ready to go on.
struct Begun {
    id: ThreadId,
    writer: Writer,
    stored: Past,
    usage: ThreadUsage,
    past: Vec<Turn>,
    earlier: Option<Cursor>,
    name: Option<String>,
    warnings: Vec<String>,
}

fn begin_at(home: &Path, here: &Path, begin: Begin, meta: NewThread) -> Result<Begun, threads::Error> {
    let found = match begin {
        Begin::New => return Ok(fresh(home, meta)),
        Begin::Resume(_) | Begin::ResumeIn(..) | Begin::ResumeNamed(_) | Begin::ResumeLast { .. } => {
            stored(home, here, &begin)?
        }
        Begin::Fork(source) => {
            let source = threads::find(home, source)?;
            let (id, meta) = (meta.id, NewThread { forked_from: Some(source.id), ..meta });
            let writer = threads::fork(home, &source.path, meta, Arc::new(SystemClock))?;
            let path = writer.path().map(Path::to_owned).unwrap_or_default();
            return loaded(home, id, &path, writer, Vec::new());
        }
    };
    if found.archived {
        return Err(threads::Error::Unsupported { what: "this thread is archived; unarchive it first" });
    }
    let (writer, mended) = Writer::reopen(home, found.id, &found.path, Arc::new(SystemClock))?;
    loaded(home, found.id, &found.path, writer, mended.message().into_iter().collect())
}

/// The stored thread that `begin` continues.
pub(super) fn stored(home: &Path, here: &Path, begin: &Begin) -> Result<threads::Found, threads::Error> {
    match begin {
        Begin::Resume(id) | Begin::ResumeIn(id, _) | Begin::Fork(id) => threads::find(home, *id),
        Begin::ResumeNamed(what) => threads::resolve(home, what),
        Begin::ResumeLast { everywhere } => {
            let last = threads::last(home, (!everywhere).then_some(here));
            let none = match everywhere {
                true => "there is no earlier thread",
                false => {
                    "no earlier thread was started in this folder; add --all for the last one of any folder"
                }
            };
            Ok(last.ok_or(threads::Error::Unsupported { what: none })?.found)
        }
        Begin::New => Err(threads::Error::Unsupported { what: "a new thread continues none" }),
    }
}

fn fresh(home: &Path, meta: NewThread) -> Begun {
    Begun {
        id: meta.id,
        writer: Writer::create(home, meta, Arc::new(SystemClock)),
        stored: Past::None,
        usage: ThreadUsage::default(),
        past: Vec::new(),
        earlier: None,
        name: None,
        warnings: Vec::new(),
    }
}

fn loaded(
    home: &Path,
    id: ThreadId,
    path: &Path,
    writer: Writer,
    mut warnings: Vec<String>,
) -> Result<Begun, threads::Error> {
    let page = threads::tail(home, path, PAGE)?;
    if page.is_lost() {
        return Err(threads::Error::Unsupported { what: "nothing of this thread can be read" });
    }
    let told = page.problems.summary();
    warnings.extend(told.clone());
    Ok(Begun {
        id,
        writer,
        stored: Past::Stored { home: home.to_owned(), path: path.to_owned(), told },
        usage: page.usage.unwrap_or_default(),
        past: page.turns,
        earlier: page.earlier,
        name: names::all(home).remove(&id),
        warnings,
    })
}

fn new_thread(config: &Config, settings: &Settings) -> NewThread {
    let state = config.project_root.as_deref().or(Some(&config.cwd)).and_then(git::state);
    NewThread {
        id: ThreadId::new(),
        cwd: config.cwd.clone(),
        source: ThreadSource::Cli,
        cli_version: env!("CARGO_PKG_VERSION").to_owned(),
        model_provider: config.provider.id.clone(),
        base_instructions: Some(settings.instructions.to_string()),
        forked_from: None,
        git: state.map(|state| threads::Git {
            commit_hash: state.commit,
            branch: state.branch,
            repository_url: state.origin,
        }),
    }
}

/// Paths in one line of what holds.
const LISTED: usize = 8;

fn info(
    config: &Config,
    settings: &Settings,
    id: ThreadId,
    name: Option<String>,
    account: String,
) -> ThreadInfo {
    let docs = agents_md::find(agents_md::Search::from(config));
    ThreadInfo {
        id,
        name,
        model: settings.model.clone(),
        effort: settings.effort.clone(),
        summary: settings.summary.clone(),
        provider: config.provider.id.clone(),
        cwd: config.cwd.clone(),
        project: config.project_root.clone(),
        branch: branch(config.project_root.as_deref()),
        approval: config.approval,
        sandbox: config.sandbox.clone(),
        access: sandbox::listing(&settings.roots, None, LISTED),
        context_window: Some(settings.context_window),
        instructions: docs.global.into_iter().chain(docs.project).map(|doc| doc.path).collect(),
        account,
        profile: config.profile.clone(),
    }
}

/// Loads the user's own themes of code; sentences about those that are none, and about a name that none has.
async fn themes(config: &Config) -> Vec<String> {
    let folder = config.codex_home.join("themes");
    let loaded = tasks::blocking("load themes", move || syntaxes::load_themes(&folder)).await;
    let told = |(path, error): (PathBuf, syntaxes::Error)| error.told(&path);
    let mut warnings: Vec<String> = loaded.unwrap_or_default().into_iter().map(told).collect();
    let tui = &config.interface.tui;
    let unknown = tui.theme.as_deref().filter(|name| !syntaxes::is_theme(name));
    if let (Some(name), Some(place)) = (unknown, &tui.theme_place) {
        let names = syntaxes::theme_names();
        let hint = diagnose::hint(name, names.iter().map(String::as_str));
        warnings
            .push(format!("{place}: there is no theme {}{hint} (/theme shows all)", diagnose::quoted(name)));
    }
    warnings
}

/// A ChatGPT account in words.
pub(super) fn named(identity: Option<&Identity>) -> Option<String> {
    let who = super::signing::who(identity?);
    Some(format!("ChatGPT{who}"))
}

fn account(config: &Config, identity: Option<&Identity>) -> String {
    let provider = &config.provider;
    let keyless =
        provider.env_key.is_none() && provider.bearer_token.is_none() && !provider.requires_openai_auth;
    match (named(identity), keyless) {
        (Some(who), _) => who,
        (None, true) => "none needed".to_owned(),
        (None, false) => "API key".to_owned(),
    }
}

/// Starts the scripted service.
///
/// # Errors
/// Loopback gives no port.
pub(super) async fn scripted() -> Result<Server, ErrorInfo> {
    let script = scenarios::served(None).map_err(|error| told(&error))?;
    let options = Options { port: 0, auth: true, scale: 1.0 };
    Server::start(script, options).await.map_err(|error| {
        ErrorInfo::new(ErrorKind::Connection, format!("the scripted model cannot start: {error}"))
    })
}

/// Makes the scripted service the provider of this configuration.
pub(super) fn point_at(server: &Server, config: &mut Config) {
    let provider = &mut config.provider;
    "demo".clone_into(&mut provider.id);
    "Scripted model".clone_into(&mut provider.name);
    provider.base_url = Some(server.base_url());
    provider.env_key = None;
    provider.bearer_token = Some(server.token().clone());
    provider.requires_openai_auth = false;
    provider.query_params.clear();
    provider.http_headers.clear();
    provider.env_http_headers.clear();
}

#[cfg(test)]
#[path = "parent_tests.rs"]
mod tests;
