//! The other end of the terminal app's door: opens threads, changes their settings, and answers what the app
//! asks of the areas below. One task; each call is answered before the next one is looked at, except lists and what
//! is about limits.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::door_limits::LimitsDesk;
use super::door_sign_in::Running;
use super::housekeeping;
use super::opening::{self, Opened};
use super::undo_ask::Asked;
use super::{signing, wire};
use crate::auth::api_key;
use crate::auth::issuer::Overrides;
use crate::auth::sign_in::{SignIn, sign_out};
use crate::base::clock::{Clock, SystemClock};
use crate::base::ids::ThreadId;
use crate::base::secret::Secret;
use crate::base::tasks;
use crate::config::{self, Config, Env, Flags, edit, home};
use crate::demo::server::Server;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::policy::SandboxMode;
use crate::threads::{self, Turn, names};
use crate::tui::door::{Begin, Call, Live, Setting, ThreadFilter, ThreadRow, Undone};
use crate::workspace::undo::{self, Report, Wanted, Which};
use crate::workspace::{diff, git};

/// Rows of one batch of the list of threads.
const BATCH: usize = 64;
/// Rows at the start of the list that are sent one by one.
const ALONE: usize = 100;

/// What the door stands on.
pub(crate) struct Behind {
    env: Env,
    flags: Flags,
    /// Where the user went on with a thread, instead of where the program was started.
    folder: Option<PathBuf>,
    /// The open thread.
    pub(super) open: Option<Opened>,
    /// The scripted service, once the user chose it.
    demo: Option<Server>,
    /// Questions about the limits that are being answered.
    limits: LimitsDesk,
    /// The sign-in that is under way.
    signing: Option<Running>,
}

impl Behind {
    /// Answers calls under this environment and these flags.
    pub(crate) fn new(env: Env, flags: Flags) -> Self {
        Self {
            env,
            flags,
            folder: None,
            open: None,
            demo: None,
            limits: LimitsDesk::default(),
            signing: None,
        }
    }

    /// Answers calls until the app has closed its end.
    pub(crate) async fn serve(mut self, mut calls: mpsc::Receiver<Call>) {
        while let Some(call) = calls.recv().await {
            self.answer(call).await;
        }
    }

    async fn answer(&mut self, call: Call) {
        match call {
            Call::Open(begin, reply) => drop(reply.send(self.open(begin).await)),
            Call::Threads(filter, rows) => self.list(filter, rows),
            Call::Glance(pieces) => self.glance(pieces),
            Call::Locate(begin, reply) => drop(reply.send(self.locate(begin).await)),
            Call::Earlier(reply) => drop(reply.send(self.earlier().await)),
            Call::Rename(name, reply) => drop(reply.send(self.rename(name).await)),
            Call::Diff(reply) => drop(reply.send(self.diff().await)),
            Call::Undo(cwd, which, reply) => drop(reply.send(self.undo(cwd, which).await)),
            Call::Since(cwd, wanted, dry, reply) => drop(reply.send(self.since(cwd, wanted, dry).await)),
            Call::Trust(reply) => drop(reply.send(self.trust().await)),
            Call::LookOnly(reply) => {
                self.look_only();
                drop(reply.send(Ok(())));
            }
            Call::SignIn(key, reply) => drop(reply.send(self.with_key(&key).await)),
            Call::SignInBy(way, reply) => match self.sign_in() {
                Ok(sign_in) => {
                    self.signing = Some(Running::begin(sign_in, way, self.env.clone(), reply));
                }
                Err(error) => drop(reply.send(Err(error))),
            },
            Call::Pasted(text, reply) => drop(reply.send(match &self.signing {
                Some(running) => running.paste(text.expose().to_owned()).await,
                None => Err(ErrorInfo::new(ErrorKind::Internal, "nobody is signing in")),
            })),
            Call::Adopt(reply) => drop(reply.send(self.adopt().await)),
            Call::Demo(reply) => drop(reply.send(self.demo().await)),
            Call::Logout(reply) => drop(reply.send(self.sign_out().await)),
            Call::Save(setting, reply) => drop(reply.send(self.save(setting).await)),
            Call::Limits(call) => {
                let account = self.open.as_ref().and_then(|open| open.account.as_ref());
                self.limits.answer(account, call);
            }
        }
    }

    /// What a sign-in needs to know.
    fn sign_in(&self) -> Result<SignIn, ErrorInfo> {
        let config = self.config()?;
        let issuer = wire::issuer(&self.env, Overrides::default())?;
        Ok(SignIn { issuer, store: wire::store(&config), rules: wire::rules(&config) })
    }

    async fn with_key(&self, key: &Secret) -> Result<(), ErrorInfo> {
        let SignIn { issuer, store, rules } = self.sign_in()?;
        rules.key()?;
        Ok(api_key::login(&store, &issuer, key.expose()).await?)
    }

    async fn adopt(&mut self) -> Result<String, ErrorInfo> {
        let open = self.open.as_mut().ok_or_else(no_thread)?;
        let identity = open.manager.adopt().await?;
        open.info.account = opening::named(Some(&identity)).unwrap_or_default();
        if let Some(account) = &open.account {
            account.cache.follow_sign_in().await;
        }
        Ok(open.info.account.clone())
    }

    async fn sign_out(&self) -> Result<String, ErrorInfo> {
        let SignIn { issuer, store, .. } = self.sign_in()?;
        let gone = sign_out(&store, &issuer).await?;
        let stays = signing::remaining(&self.config()?, &self.env);
        if let Some(open) = &self.open {
            open.manager.signed_out(stays.is_some());
        }
        Ok(match (gone, stays) {
            (true, None) => "The stored credentials are gone. Restart codex to sign in again.".to_owned(),
            (true, Some(stays)) => format!("The stored credentials are gone. {stays}"),
            (false, None) => "Nobody was signed in; there is nothing to remove.".to_owned(),
            (false, Some(stays)) => format!("Nothing is stored that could be removed. {stays}"),
        })
    }

    /// From now on read-only, whatever configuration and command line say.
    fn look_only(&mut self) {
        (self.flags.sandbox, self.flags.full_auto, self.flags.bypass) =
            (Some(SandboxMode::ReadOnly), false, false);
    }

    /// The configuration as it is on disk now, under our flags.
    pub(super) fn config(&self) -> Result<Config, ErrorInfo> {
        self.config_in(self.folder.clone())
    }

    /// The same as it would be in another folder.
    pub(super) fn config_in(&self, folder: Option<PathBuf>) -> Result<Config, ErrorInfo> {
        let mut flags = self.flags.clone();
        flags.cwd = folder.or(flags.cwd);
        config::load(&self.env, &flags).map_err(|error| told(&error))
    }

    /// Whether the command line says where to work.
    pub(super) fn is_placed(&self) -> bool {
        self.flags.cwd.is_some()
    }

    fn home(&self) -> Result<PathBuf, ErrorInfo> {
        home::find(&self.env).map_err(|error| told(&error))
    }

    async fn open(&mut self, begin: Begin) -> Result<Live, ErrorInfo> {
        if let Begin::ResumeIn(_, folder) = &begin {
            self.folder = Some(folder.clone());
        }
        let mut config = self.config()?;
        if let Some(server) = &self.demo {
            opening::point_at(server, &mut config);
        }
        let (opened, live) = opening::open(config, &self.env, begin).await?;
        self.open = Some(opened);
        Ok(live)
    }

    /// The page before those that were shown.
    async fn earlier(&mut self) -> Result<(Vec<Turn>, bool), ErrorInfo> {
        let open = self.open.as_mut().ok_or_else(no_thread)?;
        let Some(cursor) = open.earlier.take() else { return Ok((Vec::new(), false)) };
        let page = blocking("read earlier turns", move || threads::earlier(cursor, opening::PAGE)).await?;
        open.earlier = page.earlier;
        Ok((page.turns, open.earlier.is_some()))
    }

    async fn rename(&mut self, name: String) -> Result<(), ErrorInfo> {
        let open = self.open.as_mut().ok_or_else(no_thread)?;
        let (home, id) = (open.config.codex_home.clone(), open.info.id);
        open.info.name = Some(name.clone());
        blocking("name thread", move || names::set(&home, id, &name, SystemClock.now_ms())).await
    }

    async fn diff(&self) -> Result<String, ErrorInfo> {
        let cwd = match &self.open {
            Some(open) => open.info.cwd.clone(),
            None => self.env.cwd().map(Path::to_owned).unwrap_or_default(),
        };
        let hidden = self.config()?.secret_env;
        blocking("diff", move || diff::changes(&cwd, &hidden)).await
    }

    async fn undo(&self, cwd: PathBuf, which: Which) -> Result<Undone, ErrorInfo> {
        let home = self.home()?;
        let (base, own) = (housekeeping::undo(&home), self.open.as_ref().map(|open| open.info.id));
        let asked = Asked { base, home, cwd, own, now: SystemClock.now_ms() / 1000 };
        blocking("undo", move || asked.run(which)).await
    }

    async fn since(&self, cwd: PathBuf, wanted: Wanted, dry: bool) -> Result<Option<Report>, ErrorInfo> {
        let base = housekeeping::undo(&self.home()?);
        blocking("undo", move || undo::since(&base, &cwd, &wanted, dry)).await
    }

    async fn trust(&mut self) -> Result<(), ErrorInfo> {
        let config = self.config()?;
        let path = home::config_file(&config.codex_home);
        let folder = config.project_root.unwrap_or(config.cwd);
        blocking("store trust", move || {
            edit::set_text(&path, &["projects", &folder.to_string_lossy(), "trust_level"], "trusted")
        })
        .await
    }

    async fn demo(&mut self) -> Result<(), ErrorInfo> {
        if self.demo.is_none() {
            self.demo = Some(opening::scripted().await?);
        }
        Ok(())
    }

    async fn save(&self, setting: Setting) -> Result<(), ErrorInfo> {
        let path = home::config_file(&self.home()?);
        blocking("save setting", move || match setting {
            Setting::Model { slug, effort } => {
                edit::set_text(&path, &["model"], &slug)?;
                match effort {
                    Some(effort) => edit::set_text(&path, &["model_reasoning_effort"], &effort),
                    None => edit::remove(&path, &["model_reasoning_effort"]),
                }
            }
            Setting::StatusLine(items) => edit::set_list(&path, &["tui", "status_line"], &items),
            Setting::Title(items) => edit::set_list(&path, &["tui", "terminal_title"], &items),
            Setting::Theme(name) => edit::set_text(&path, &["tui", "theme"], &name),
            Setting::NoModelNudge => edit::set_flag(&path, &["notice", "hide_rate_limit_model_nudge"], true),
            Setting::Fullscreen(on) => {
                let word = if on { "auto" } else { "never" };
                edit::set_text(&path, &["tui", "alternate_screen"], word)
            }
        })
        .await
    }

    /// Lists threads on a thread of its own: reading thousands of files must not hold up other calls.
    fn list(&self, filter: ThreadFilter, rows: mpsc::Sender<Vec<ThreadRow>>) {
        let Ok(home) = self.home() else { return };
        let here = self.open.as_ref().map(|open| open.info.cwd.clone());
        let here = here.or_else(|| self.config().ok().map(|config| config.cwd));
        let current = self.open.as_ref().map(|open| open.info.id);
        self.listing(home, filter, here, current, rows);
    }

    fn listing(
        &self,
        home: PathBuf,
        filter: ThreadFilter,
        here: Option<PathBuf>,
        current: Option<ThreadId>,
        rows: mpsc::Sender<Vec<ThreadRow>>,
    ) {
        let order = if filter.by_creation { threads::Order::Created } else { threads::Order::Updated };
        let wanted = threads::Filter {
            cwd: if filter.everywhere { None } else { here },
            archived: filter.archived,
            ..threads::Filter::default()
        };
        tasks::detach("list threads", move || {
            let mut batch = Vec::new();
            let mut alone = ALONE;
            for summary in threads::list(&home, wanted, order) {
                if Some(summary.found.id) == current {
                    continue;
                }
                batch.push(row(summary, filter.by_creation));
                // Those of this folder may be few among thousands: what fills a screen waits for nothing.
                alone = alone.saturating_sub(1);
                if (alone > 0 || batch.len() == BATCH)
                    && rows.blocking_send(std::mem::take(&mut batch)).is_err()
                {
                    return;
                }
            }
            let _ = rows.blocking_send(batch);
        });
    }
}

pub(super) fn row(summary: threads::Summary, by_creation: bool) -> ThreadRow {
    let at_ms = if by_creation { summary.created_ms } else { None };
    ThreadRow {
        id: summary.found.id,
        title: summary.name.or(summary.preview).unwrap_or_default(),
        cwd: summary.cwd,
        branch: summary.branch,
        at_ms: at_ms.unwrap_or(summary.updated_ms),
    }
}

/// Branch of the repository, when there is one.
pub(super) fn branch(project: Option<&Path>) -> Option<String> {
    project.and_then(git::state).and_then(|state| state.branch)
}

fn no_thread() -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Internal, "there is no open thread").with_hint("start one with /new")
}

/// Any error of an area below, as the app shows it.
pub(super) fn told(error: &dyn std::error::Error) -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Io, error.to_string())
}

/// Runs `work` where it may block.
pub(super) async fn blocking<T: Send + 'static, E: std::error::Error + Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, ErrorInfo> {
    match tasks::blocking(name, work).await {
        Ok(done) => done.map_err(|error| told(&error)),
        Err(failed) => Err(ErrorInfo::new(ErrorKind::Internal, failed.to_string())),
    }
}
