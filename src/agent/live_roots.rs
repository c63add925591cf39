//! The writable paths in force: they change with the settings while tools hold on to them, and the user opens single
//! places for the rest of a thread. What was opened survives a change of settings; what was allowed is told to the model
//! once ([`LiveRoots::said`]), or it would ask again for what it has.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::approvals::network;
use crate::approvals::rulebook::Rulebook;
use crate::base::clean;
use crate::base::ids::TurnId;
use crate::base::tasks;
use crate::protocol::ask::Narrow;
use crate::sandbox::Roots;

/// More sentences than this are not told; the oldest go first.
const MAX_SAID: usize = 30;
/// Characters of one of them.
const SAID_CHARS: usize = 300;

/// Shared by the tools of a thread and the thread.
#[derive(Clone, Debug)]
pub(crate) struct LiveRoots(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    now: Arc<Roots>,
    opened: Vec<Narrow>,
    said: Vec<String>,
    /// The turn in which they were looked through last.
    looked: Option<TurnId>,
}

impl LiveRoots {
    /// These, until they are replaced.
    pub(crate) fn new(roots: Arc<Roots>) -> Self {
        Self(Arc::new(Mutex::new(Inner { now: roots, opened: Vec::new(), said: Vec::new(), looked: None })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those in force now.
    pub(crate) fn now(&self) -> Arc<Roots> {
        Arc::clone(&self.inner().now)
    }

    /// Those in force now with the hosts that rules open and close.
    pub(crate) fn with_rules(&self, book: &Rulebook) -> Arc<Roots> {
        let now = self.now();
        if book.networks.is_empty() {
            return now;
        }
        let mut roots = Roots::clone(&now);
        roots.allow_network(network::in_force(book, now.network_rules()));
        Arc::new(roots)
    }

    /// Adds the repositories and secrets that came to exist before the first command of `turn`.
    pub(crate) async fn look_in_turn(&self, turn: TurnId) {
        let now = {
            let mut inner = self.inner();
            if inner.looked.replace(turn) == Some(turn) || inner.now.full_access() {
                return;
            }
            Arc::clone(&inner.now)
        };
        let look = Arc::clone(&now);
        let Ok(again) = tasks::blocking("look through the roots", move || look.look_again()).await else {
            return;
        };
        let mut inner = self.inner();
        if Arc::ptr_eq(&inner.now, &now) {
            inner.now = Arc::new(again);
        } else {
            // Others came into force meanwhile: the next command looks through those.
            inner.looked = None;
        }
    }

    /// Puts others in force, for every call that begins from now on.
    pub(crate) fn replace(&self, roots: Arc<Roots>) {
        let mut inner = self.inner();
        let mut roots = Roots::clone(&roots);
        for narrow in &inner.opened {
            open(&mut roots, narrow);
        }
        inner.now = Arc::new(roots);
    }

    /// Opens a place for every call that begins from now on.
    pub(crate) fn open(&self, narrow: &Narrow) {
        let mut inner = self.inner();
        if inner.opened.contains(narrow) {
            return;
        }
        let mut roots = Roots::clone(&inner.now);
        open(&mut roots, narrow);
        inner.now = Arc::new(roots);
        inner.opened.push(narrow.clone());
    }

    /// Notes a sentence for the model.
    pub(crate) fn say(&self, sentence: &str) {
        let mut inner = self.inner();
        let sentence = clean::line(sentence, SAID_CHARS);
        if !inner.said.contains(&sentence) {
            inner.said.push(sentence);
            let surplus = inner.said.len().saturating_sub(MAX_SAID);
            inner.said.drain(..surplus);
        }
    }

    /// What the user allowed in this thread, for the model; empty when it was nothing.
    pub(crate) fn said(&self) -> String {
        let inner = self.inner();
        if inner.said.is_empty() {
            return String::new();
        }
        let escaped = |line: &String| line.replace('<', "&lt;").replace('>', "&gt;");
        let lines: Vec<String> = inner.said.iter().map(|line| format!("- {}\n", escaped(line))).collect();
        format!("<allowed_by_user>\n{}</allowed_by_user>", lines.concat())
    }
}

fn open(roots: &mut Roots, narrow: &Narrow) {
    let mut rules = roots.network_rules().clone();
    match narrow {
        Narrow::Folder(folder) => return roots.open(folder),
        Narrow::Host(host) => rules.hosts.push(host.clone()),
        Narrow::Hosts(hosts) => rules.hosts.extend(hosts.iter().cloned()),
        Narrow::Port(port) => rules.ports.push(*port),
    }
    roots.allow_network(rules);
}

/// The folders of `roots` whose changes can be taken back.
pub(crate) fn lasting(roots: &Roots) -> Vec<PathBuf> {
    roots.lasting().map(std::borrow::ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::policy::SandboxPolicy;

    #[test]
    fn what_is_opened_stays_open_and_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for name in ["w", "o/.git"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let policy = SandboxPolicy::workspace();
        let fresh = || Arc::new(crate::sandbox::resolve(&policy, &root.join("w"), None));
        let live = LiveRoots::new(fresh());
        let reaches = |path: &str| live.now().can_write(&root.join(path));
        assert!(reaches("w/x") && !reaches("o/x") && live.said().is_empty());
        for narrow in
            [Narrow::Folder(root.join("o")), Narrow::Host("a.org:443".to_owned()), Narrow::Port(8080)]
        {
            live.open(&narrow);
            live.say("a <word>");
        }
        for () in [(), ()] {
            assert!(reaches("o/x") && !reaches("o/.git/x"));
            let now = live.now();
            assert_eq!(
                (&now.network_rules().hosts[..], &now.network_rules().ports[..]),
                (&["a.org:443".to_owned()][..], &[8080][..])
            );
            live.replace(fresh());
        }
        assert_eq!(live.said(), "<allowed_by_user>\n- a &lt;word&gt;\n</allowed_by_user>");
    }
}
