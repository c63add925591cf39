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

    pub(super) fn now_ms(&self) -> u64 {
        self.inner.clock.now_ms()
    }

    /// All readings of the last days, in order. Blocks.
    pub(crate) fn history(&self) -> Vec<Entry> {
        history::read(&self.file().history())
    }

    /// Writes down what an answer of the model told. Readings of another account are left out.
    pub(crate) async fn record(&self, snapshots: Vec<LimitsSnapshot>) {
        let now_ms = self.now_ms();
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
