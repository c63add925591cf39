//! Hears that another process has replaced a file in the shared folder. The kernel tells (inotify), so an idle
//! process is not woken for nothing. Where it does not tell, the file is looked at once per second.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::Interest;

use crate::process::polled::Polled;

/// How often a file is looked at when nobody tells.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Waits for changes in one folder.
#[derive(Debug)]
pub(crate) struct Notice {
    told: Option<Polled>,
}

impl Notice {
    /// Watches the files of `dir`, which exists.
    pub(crate) fn of(dir: &Path) -> Self {
        Self { told: watch(dir).ok() }
    }

    /// Waits until something may have changed. Cancel safe.
    pub(crate) async fn changed(&self) {
        let Some(told) = &self.told else { return tokio::time::sleep(LOOK_EVERY).await };
        let mut events = [0_u8; 4096];
        if told.read(&mut events).await.is_err() {
            return tokio::time::sleep(LOOK_EVERY).await;
        }
        // Several changes are one.
        while let Ok(Some(1..)) = told.try_read(&mut events) {}
    }
}

fn watch(dir: &Path) -> io::Result<Polled> {
    let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    inotify::add_watch(&fd, dir, WatchFlags::MOVED_TO | WatchFlags::DELETE)?;
    Polled::stream(fd, Interest::READABLE)
}
