//! Places that the user opens to commands and patches: offered with a question, opened for the thread, and kept in the
//! user's `config.toml` when the answer was for longer. An open place is open to every command and patch of the thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::configure::LISTED;
use super::denied;
use super::live_roots::LiveRoots;
use crate::approvals::decide::{self, PatchDecision};
use crate::approvals::network;
use crate::approvals::standing::Standing;
use crate::base::tasks;
use crate::config::{home, places};
use crate::protocol::ask::{Answer, Narrow, PlaceOffer};
use crate::protocol::event::{ALLOWED, Event};
use crate::sandbox::{self, Roots};
use crate::tools::apply_patch::{PatchJudge, PatchVerdict};
use crate::tools::context::ToolContext;

/// The places of one thread; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(super) roots: LiveRoots,
    pub(super) rules: Arc<Standing>,
}

impl Places {
    /// Those of `roots`, which are opened further, with what `rules` say about hosts.
    pub(crate) fn new(roots: LiveRoots, rules: Arc<Standing>) -> Self {
        Self { roots, rules }
    }

    /// The roots with the hosts that rules open and close.
    pub(super) fn in_force(&self) -> Arc<Roots> {
        self.roots.with_rules(&self.rules.now())
    }

    /// Whether opening it would change anything: what a rule keeps closed stays so.
    pub(super) fn may_open(&self, narrow: &Narrow) -> bool {
        let closed = |host: &String| network::closes(&self.rules.now(), host);
        match narrow {
            Narrow::Host(host) => !closed(host),
            Narrow::Hosts(hosts) => !hosts.iter().any(closed),
            Narrow::Folder(_) | Narrow::Port(_) => true,
        }
    }

    /// The answers that open it, with what they would write down.
    pub(super) fn offer(&self, narrow: &Narrow) -> PlaceOffer {
        PlaceOffer {
            narrow: narrow.clone(),
            project: places::words(narrow, Some(self.rules.project())),
            // What is open everywhere does not count with a profile of the user's own.
            always: places::words(narrow, None).filter(|_| self.roots.now().profile().is_none()),
        }
    }

    /// Opens a place for as long as `answer` says. It is open for this thread also when it cannot be written down.
    pub(super) async fn open(&self, ctx: &ToolContext, narrow: &Narrow, answer: Answer) {
        let kept = matches!(answer, Answer::OpenForProject | Answer::OpenAlways);
        self.roots.open(narrow, kept);
        self.roots.say(&format!("commands may {}, without leaving the sandbox", narrow.words()), kept);
        self.tell(ctx).await;
        let project = match answer {
            Answer::OpenForProject => Some(self.rules.project().to_owned()),
            Answer::OpenAlways => None,
            _ => return,
        };
        let file = home::config_file(self.rules.home());
        let (target, narrow) = (file.clone(), narrow.clone());
        let work =
            move || places::keep(&target, &narrow, project.as_deref()).map_err(|error| error.to_string());
        let written = tasks::blocking("keep a place", work).await;
        if let Err(why) = written.map_err(|error| error.to_string()).and_then(|done| done) {
            self.not_kept(ctx, "What you opened", &file, &why).await;
        }
    }

    /// Everything that holds now, for the user: the sandbox, what was allowed for the session, where the rest is kept.
    /// Looks at the disk.
    pub(crate) fn access(&self) -> Vec<String> {
        let in_force = self.in_force();
        let mut lines = sandbox::listing(&in_force, None, LISTED);
        if !in_force.full_access() {
            let allowed = self.roots.of_session();
            let plain = |what: String| what.trim_end_matches(" in this session").to_owned();
            lines.extend(allowed.into_iter().map(|what| format!("{ALLOWED}{}", plain(what))));
        }
        let (home, rules) = (self.rules.home(), self.rules.now().rules.len());
        lines.push(match rules {
            0 => format!("kept for longer: places in {}; no rules", home::config_file(home).display()),
            _ => format!(
                "kept for longer: places in {}, {rules} rules in {}; what is deleted there is taken back",
                home::config_file(home).display(),
                home.join("rules").display()
            ),
        });
        lines
    }

    /// Tells everybody what holds now.
    pub(super) async fn tell(&self, ctx: &ToolContext) {
        let places = self.clone();
        if let Ok(access) = tasks::blocking("list what is open", move || places.access()).await {
            ctx.tell(Event::Opened(access)).await;
        }
    }

    /// Tells that an answer holds for this session only.
    pub(super) async fn not_kept(&self, ctx: &ToolContext, what: &str, file: &Path, why: &str) {
        let message =
            format!("{what} holds for this session only: {} cannot be written: {why}", file.display());
        ctx.tell(Event::Warning { message }).await;
    }
}

impl PatchJudge for Places {
    fn allowed<'a>(&'a self, ctx: &'a ToolContext, paths: &'a [PathBuf]) -> BoxFuture<'a, ()> {
        async move {
            for path in paths {
                self.roots.say(&format!("patches may change {}", path.display()), false);
            }
            self.tell(ctx).await;
        }
        .boxed()
    }

    fn forgotten(&self) -> u64 {
        self.roots.forgotten()
    }

    fn verdict(&self, ctx: &ToolContext, paths: &[PathBuf]) -> PatchVerdict {
        let roots = self.roots.now();
        // A repository further down may have come to exist since the roots were looked through.
        let in_repository = |path: &Path| path.components().any(|part| part.as_os_str() == ".git");
        let writable =
            |path: &PathBuf| roots.full_access() || (roots.can_write(path) && !in_repository(path));
        let all_writable = paths.iter().all(writable);
        match decide::decide_patch(ctx.approval, all_writable) {
            PatchDecision::Write => PatchVerdict::Write,
            PatchDecision::Ask { reason } => {
                let narrow = denied::one_folder(&roots, paths.iter().cloned());
                let place = narrow.map(|narrow| Box::new(self.offer(&narrow)));
                let missing = match all_writable {
                    _ if place.is_some() => None,
                    true => Some("under `untrusted` every change is asked about (/permissions)"),
                    false => Some("no single folder that could be opened holds all of these files"),
                };
                PatchVerdict::Ask {
                    reason: reason.unwrap_or_default(),
                    place,
                    missing: missing.map(str::to_owned),
                }
            }
            PatchDecision::Refuse { reason } => PatchVerdict::Refuse(reason),
        }
    }

    fn open<'a>(&'a self, ctx: &'a ToolContext, narrow: &'a Narrow, answer: Answer) -> BoxFuture<'a, ()> {
        Places::open(self, ctx, narrow, answer).boxed()
    }
}
