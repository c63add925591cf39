//! The part of the door that looks around: what can be gone on with in a folder, and where a stored thread worked.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::door::{Behind, blocking, branch, row};
use super::opening;
use crate::base::ids::ThreadId;
use crate::base::tasks;
use crate::config::{Config, Trust};
use crate::protocol::error::ErrorInfo;
use crate::threads;
use crate::tui::door::{Begin, Elsewhere, GitState, Glimpse};
use crate::tui::popups::permissions;
use crate::workspace::changed;

/// Stored threads that are looked into for the last one of this folder: nobody asked for it, so it must cost little.
const HEADS: usize = 500;

impl Behind {
    /// Looks around where it may block; each piece is told as soon as it is known.
    pub(super) fn glance(&self, pieces: mpsc::Sender<Glimpse>) {
        let Ok(config) = self.config() else { return };
        let open = self.open.as_ref().map(|open| &open.info);
        let cwd = open.map_or_else(|| config.cwd.clone(), |info| info.cwd.clone());
        let current = open.map(|info| info.id);
        tasks::detach("glance", move || {
            let last = last(&config.codex_home, &cwd, current);
            let _ = pieces.blocking_send(Glimpse::Last(last));
            let _ = pieces.blocking_send(Glimpse::Git(git(&config, &cwd)));
        });
    }

    /// Where the thread worked that would be continued, when that is another folder than this and `-C` says nothing.
    pub(super) async fn locate(&self, begin: Begin) -> Result<Option<Elsewhere>, ErrorInfo> {
        if self.is_placed() {
            return Ok(None);
        }
        let config = self.config()?;
        let (home, here) = (config.codex_home.clone(), config.cwd.clone());
        let found = blocking("locate thread", move || {
            let found = opening::stored(&home, &here, &begin)?;
            let other = threads::folder_of(&found)?.filter(|there| !is_same(there, &here));
            Ok::<_, threads::Error>(other.map(|there| (found.id, there.is_dir(), there)))
        })
        .await?;
        let Some((id, exists, there)) = found else { return Ok(None) };
        let permissions = match exists.then(|| self.config_in(Some(there.clone()))) {
            Some(Ok(other)) => permissions::words(other.approval, &other.sandbox),
            // Opening it tells what is wrong with the configuration there.
            Some(Err(_)) | None => "as configured there".to_owned(),
        };
        Ok(Some(Elsewhere { id, there, exists, permissions, here: config.cwd }))
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    one == other || real(one) == real(other)
}

fn last(home: &Path, cwd: &Path, current: Option<ThreadId>) -> Option<crate::tui::door::ThreadRow> {
    let here = threads::Filter { cwd: Some(PathBuf::from(cwd)), ..threads::Filter::default() };
    let mut list = threads::list(home, here, threads::Order::Updated).within(HEADS);
    list.find(|summary| Some(summary.found.id) != current).map(|summary| row(summary, false))
}

/// Git itself is asked only where the user trusts what is configured in the repository: it runs filters of that.
fn git(config: &Config, cwd: &Path) -> GitState {
    let branch = branch(config.project_root.as_deref());
    let Some(_) = crate::workspace::git::root(cwd) else { return GitState::None };
    if config.trust != Trust::Trusted {
        return GitState::Untrusted(branch);
    }
    match changed::count(cwd, &config.secret_env) {
        Ok(Some(changed)) => GitState::Counted(branch, changed),
        Ok(None) => GitState::None,
        Err(_) => GitState::Silent(branch),
    }
}
