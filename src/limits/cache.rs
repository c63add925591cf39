//! The handle that everybody holds. Readers watch one value; writers change the shared file under its lock and every
//! reader of this process sees the result at once, those of other processes as soon as the kernel tells them.
//!
//! The account is part of the value: when the credentials turn out to be of another account, everything known is
//! put aside and the other account's file is opened. A writer that speaks for an account that is not the current
//! one is refused.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::alarms::{self, Alarm};
use super::file::LimitsFile;
use super::history::{self, Entry};
use super::merge::{self, Writer};
use super::notice::Notice;
use super::state::AccountLimits;
use crate::backend::Backend;
use crate::base::clock::Clock;
use crate::base::tasks::{self, Task};
use crate::protocol::limits::LimitsSnapshot;

/// The shared limits of the account that is signed in. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cache {
    pub(super) inner: Arc<Inner>,
}

/// What the clones share.
pub(super) struct Inner {
    home: PathBuf,
    file: Mutex<LimitsFile>,
    value: watch::Sender<Arc<AccountLimits>>,
    pub(super) backend: Option<Arc<Backend>>,
    clock: Arc<dyn Clock>,
    /// One refresh at a time in this process; the file's lock does the same between processes.
    pub(super) refreshing: tokio::sync::Mutex<()>,
}

impl Cache {
    /// Opens the shared limits of `account_id` and reads what is stored. Without `backend` nothing is ever asked
    /// for.
    pub(crate) fn open(
        codex_home: PathBuf,
        account_id: Option<&str>,
        backend: Option<Arc<Backend>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let file = LimitsFile::new(&codex_home, account_id);
        let (value, _) = watch::channel(Arc::new(file.load_or_empty()));
        let inner = Inner {
            home: codex_home,
            file: Mutex::new(file),
            value,
            backend,
            clock,
            refreshing: tokio::sync::Mutex::new(()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What is known now.
    pub(crate) fn get(&self) -> Arc<AccountLimits> {
        self.inner.value.borrow().clone()
    }

    /// What is known, now and after each change.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<AccountLimits>> {
        self.inner.value.subscribe()
    }

    /// The time, in unix seconds.
    pub(crate) fn now_s(&self) -> u64 {
        self.inner.clock.now_s()
    }

    /// The same in milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        self.inner.clock.now_ms()
    }

    /// All readings of the last days, in order. Blocks.
    pub(crate) fn history(&self) -> Vec<Entry> {
        history::read(&self.file().history())
    }

    /// Opens the file of whoever is signed in now, when that is another account.
    pub(crate) async fn follow_sign_in(&self) {
        let Some(backend) = &self.inner.backend else { return };
        if let Some(id) = backend.account_in_force().await
            && self.file().account_id() != id.as_deref()
        {
            self.switch(id.as_deref());
        }
    }

    /// Whose limits these are.
    pub(crate) fn account_id(&self) -> Option<String> {
        self.file().account_id().map(str::to_owned)
    }

    /// Writes down what an answer of the model told. Readings of another account are left out.
    pub(crate) async fn record(&self, snapshots: Vec<LimitsSnapshot>) {
        let now_ms = self.now_ms();
        self.follow_account(&snapshots).await;
        let mine = self.file();
        let snapshots: Vec<_> =
            snapshots.into_iter().filter(|s| s.account_id.as_deref() == mine.account_id()).collect();
        if snapshots.is_empty() {
            return;
        }
        self.change(move |state| {
            for snapshot in &snapshots {
                let account_id = snapshot.account_id.as_deref();
                // Another account signed in meanwhile: these numbers are not its own.
                let _ = merge::sparse(state, snapshot, Writer { account_id, at_ms: now_ms, now_ms });
            }
        })
        .await;
    }

    /// When an answer is of another account, and that one is signed in now, its file is opened. An answer that was on
    /// its way while somebody signed in changes nothing.
    async fn follow_account(&self, snapshots: &[LimitsSnapshot]) {
        let mine = self.file();
        let other = snapshots.iter().find(|told| told.account_id.as_deref() != mine.account_id());
        let (Some(other), Some(backend)) = (other, &self.inner.backend) else { return };
        if other.account_id.is_some() && backend.account_in_force().await == Some(other.account_id.clone()) {
            self.switch(other.account_id.as_deref());
        }
    }

    /// What the user has to be told and nobody has told yet; from now on it counts as told, in all processes.
    pub(crate) async fn alarms(&self) -> Vec<Alarm> {
        let now_s = self.now_s();
        // Usually nothing is due, and then nothing is locked.
        if alarms::due(&self.get(), now_s).is_empty() {
            return Vec::new();
        }
        let told = self.change(move |state| {
            let due = alarms::due(state, now_s);
            alarms::mark(&mut state.told, &due);
            due
        });
        told.await.unwrap_or_default()
    }

    /// Follows other processes as long as the task is held.
    pub(crate) fn follow(&self) -> Task<()> {
        let cache = self.clone();
        tasks::spawn("limits of other processes", async move {
            loop {
                let file = cache.file();
                let _ = file.prepare();
                let notice = Notice::of(file.dir());
                // Between reading and watching somebody may have written.
                cache.reload().await;
                loop {
                    notice.changed().await;
                    cache.reload().await;
                    if cache.file().account_id() != file.account_id() {
                        break;
                    }
                }
            }
        })
    }

    /// Reads the file again.
    pub(super) async fn reload(&self) {
        let file = self.file();
        let loaded = tasks::blocking("read shared limits", move || file.load()).await;
        if let Ok(Some(state)) = loaded {
            self.publish(state);
        }
    }

    /// Changes the shared state; `None` when the runtime goes down.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut AccountLimits) -> T + Send + 'static,
    ) -> Option<T> {
        let (file, known) = (self.file(), self.get());
        let changed = tasks::blocking("write shared limits", move || file.change(&known, change)).await;
        let (state, out) = changed.ok()?;
        self.publish(state);
        Some(out)
    }

    /// The file in force.
    pub(super) fn file(&self) -> LimitsFile {
        self.inner.file.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another account is signed in: what is known is put aside, its file is opened.
    pub(super) fn switch(&self, account_id: Option<&str>) {
        let file = LimitsFile::new(&self.inner.home, account_id);
        let state = file.load_or_empty();
        *self.inner.file.lock().unwrap_or_else(PoisonError::into_inner) = file;
        self.inner.value.send_replace(Arc::new(state));
    }

    fn publish(&self, state: AccountLimits) {
        if state.account_id.as_deref() != self.file().account_id() {
            return;
        }
        self.inner.value.send_if_modified(|held| {
            let changed = **held != state;
            if changed {
                *held = Arc::new(state);
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::auth::error::Error;
    use crate::auth::source::{Authorization, TokenSource};
    use crate::base::clock::SystemClock;
    use crate::net::http::HttpSettings;
    use crate::protocol::limits::LimitWindow;

    /// Somebody is signed in to this account.
    struct SignedIn(Mutex<&'static str>);

    impl TokenSource for SignedIn {
        fn authorization(&self) -> BoxFuture<'_, Result<Authorization, Error>> {
            let account_id = Some((*self.0.lock().unwrap()).to_owned());
            std::future::ready(Ok(Authorization { bearer: None, account_id })).boxed()
        }

        fn remedy(&self) -> String {
            String::new()
        }

        fn recover<'a>(&'a self, _used: &'a Authorization) -> BoxFuture<'a, Result<bool, Error>> {
            std::future::ready(Ok(false)).boxed()
        }
    }

    fn told(account: &str, used_percent: f64) -> Vec<LimitsSnapshot> {
        let window = LimitWindow { used_percent, window_minutes: Some(300), resets_at: None };
        vec![LimitsSnapshot {
            primary: Some(window),
            account_id: Some(account.to_owned()),
            ..LimitsSnapshot::default()
        }]
    }

    fn used(cache: &Cache) -> (Option<String>, Vec<f64>) {
        let state = cache.get();
        (state.account_id.clone(), state.windows(cache.now_s()).iter().map(|window| window.used).collect())
    }

    #[tokio::test]
    async fn answers_of_the_account_that_is_signed_in_now_are_taken_at_once() {
        let home = tempfile::tempdir().unwrap();
        let tokens = Arc::new(SignedIn(Mutex::new("a")));
        let settings = HttpSettings { user_agent: "test".to_owned(), ca_file: None };
        let backend = Backend::new("http://127.0.0.1:9/", settings, tokens.clone()).unwrap();
        let home = home.path().to_owned();
        let cache = Cache::open(home, Some("a"), Some(Arc::new(backend)), Arc::new(SystemClock));
        cache.record(told("a", 10.0)).await;
        cache.record(told("b", 20.0)).await;
        assert_eq!(used(&cache), (Some("a".to_owned()), vec![10.0]), "nobody signed in to it");
        *tokens.0.lock().unwrap() = "b";
        cache.record(told("b", 30.0)).await;
        assert_eq!(used(&cache), (Some("b".to_owned()), vec![30.0]));
        cache.record(told("a", 40.0)).await;
        assert_eq!(used(&cache), (Some("b".to_owned()), vec![30.0]), "it was on its way");
        *tokens.0.lock().unwrap() = "a";
        cache.record(told("a", 50.0)).await;
        assert_eq!(used(&cache), (Some("a".to_owned()), vec![50.0]));
    }
}
