//! The writable paths in force: they change with the settings while tools hold on to them, and the user opens single
//! places for the rest of a thread. What was opened survives a change of settings; what was allowed is told to the model
//! once ([`LiveRoots::said`]), or it would ask again for what it has, and told to the user, who may take back what holds
//! for the session ([`LiveRoots::forget`]).

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
    /// Those of the settings, without what was opened.
    base: Arc<Roots>,
    opened: Vec<Allowed<Narrow>>,
    said: Vec<Allowed<String>>,
    /// How often it was forgotten what was allowed.
    forgotten: u64,
    /// The turn in which they were looked through last.
    looked: Option<TurnId>,
}

#[derive(Debug)]
struct Allowed<T> {
    what: T,
    /// Written down, for longer than the session.
    kept: bool,
}

impl<T: PartialEq> Allowed<T> {
    /// Whether it was not among them; what is kept once stays kept.
    fn add(all: &mut Vec<Self>, what: T, kept: bool) -> bool {
        match all.iter_mut().find(|one| one.what == what) {
            Some(known) => {
                known.kept |= kept;
                false
            }
            None => {
                all.push(Self { what, kept });
                true
            }
        }
    }
}

impl LiveRoots {
    /// These, until they are replaced.
    pub(crate) fn new(roots: Arc<Roots>) -> Self {
        let base = Arc::clone(&roots);
        let (opened, said) = (Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(Inner { now: roots, base, opened, said, forgotten: 0, looked: None })))
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
            let inner = self.inner();
            if inner.looked == Some(turn) || inner.now.full_access() {
                return;
            }
            Arc::clone(&inner.now)
        };
        let look = Arc::clone(&now);
        let Ok(again) = tasks::blocking("look through the roots", move || look.look_again()).await else {
            return;
        };
        let mut inner = self.inner();
        // Where others came into force meanwhile, the next command looks through those.
        if Arc::ptr_eq(&inner.now, &now) {
            inner.now = Arc::new(again);
            inner.looked = Some(turn);
        }
    }

    /// Puts others in force, for every call that begins from now on.
    pub(crate) fn replace(&self, roots: Arc<Roots>) {
        let mut inner = self.inner();
        inner.base = roots;
        inner.rebuild();
    }

    /// Opens a place for every call that begins from now on; `kept` when it is written down as well.
    pub(crate) fn open(&self, narrow: &Narrow, kept: bool) {
        let mut inner = self.inner();
        if Allowed::add(&mut inner.opened, narrow.clone(), kept) {
            let mut roots = Roots::clone(&inner.now);
            open(&mut roots, narrow);
            inner.now = Arc::new(roots);
        }
    }

    /// Closes what was opened for the session only, and forgets what was said of it. Whoever else remembers allowed things
    /// asks [`LiveRoots::forgotten`].
    pub(crate) fn forget(&self) {
        let mut inner = self.inner();
        inner.opened.retain(|one| one.kept);
        inner.said.retain(|one| one.kept);
        inner.forgotten += 1;
        inner.rebuild();
    }

    /// Grows each time what was allowed for the session is taken back.
    pub(crate) fn forgotten(&self) -> u64 {
        self.inner().forgotten
    }

    /// What the user allowed for the session, a sentence each.
    pub(crate) fn of_session(&self) -> Vec<String> {
        let inner = self.inner();
        inner.said.iter().filter(|one| !one.kept).map(|one| one.what.clone()).collect()
    }

    /// Notes a sentence for the model and for the user; `kept` when it holds for longer than the session.
    pub(crate) fn say(&self, sentence: &str, kept: bool) {
        let mut inner = self.inner();
        let sentence = clean::line(sentence, SAID_CHARS);
        if Allowed::add(&mut inner.said, sentence, kept) {
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
        let escaped = |line: &Allowed<String>| line.what.replace('<', "&lt;").replace('>', "&gt;");
        let lines: Vec<String> = inner.said.iter().map(|line| format!("- {}\n", escaped(line))).collect();
        format!("<allowed_by_user>\n{}</allowed_by_user>", lines.concat())
    }
}

impl Inner {
    fn rebuild(&mut self) {
        let mut roots = Roots::clone(&self.base);
        for one in &self.opened {
            open(&mut roots, &one.what);
        }
        self.now = Arc::new(roots);
        // Repositories and secrets that came to be since are found again.
        self.looked = None;
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
            live.open(&narrow, false);
            live.say("a <word>", false);
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
        assert_eq!(live.of_session(), ["a <word>"]);
        live.open(&Narrow::Port(8080), true);
        live.say("kept", true);
        live.forget();
        assert!(!reaches("o/x") && live.of_session().is_empty() && live.forgotten() == 1);
        let now = live.now();
        assert!(now.network_rules().hosts.is_empty() && now.network_rules().ports == [8080]);
        assert!(live.said().contains("kept") && !live.said().contains("word"));
    }
}
