//! Tells whether a process lives, without looking at process numbers (they mean nothing inside a sandbox) and
//! without asking again and again: a command opens a named pipe for writing, and the pipe ends when the last
//! process that holds it is gone.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Far more than any test needs on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A named pipe that somebody is expected to hold.
pub(crate) struct Alive {
    path: PathBuf,
    told: mpsc::Receiver<String>,
}

impl Alive {
    /// Makes the pipe `name` in `dir`.
    pub(crate) fn new(dir: &Path, name: &str) -> Self {
        let path = dir.join(name);
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success(), "{}", path.display());
        let (sender, told) = mpsc::sync_channel(16);
        let reading = path.clone();
        thread::spawn(move || {
            // Waits here until somebody opens the pipe for writing.
            let Ok(mut pipe) = File::open(reading) else { return };
            let mut chunk = [0; 4096];
            while let Ok(n) = pipe.read(&mut chunk) {
                if n == 0 || sender.send(String::from_utf8_lossy(&chunk[..n]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { path, told }
    }

    /// A piece of shell that opens the pipe as number 9 and says that it lives.
    pub(crate) fn hold(&self) -> String {
        format!("exec 9>'{}'; echo up >&9", self.path.display())
    }

    /// Waits until something was written into the pipe.
    #[track_caller]
    pub(crate) fn up(&self) -> String {
        self.told.recv_timeout(LIMIT).expect("the command writes into its pipe")
    }

    /// Waits until nobody holds the pipe any more.
    #[track_caller]
    pub(crate) fn gone(&self) {
        loop {
            match self.told.recv_timeout(LIMIT) {
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("{} is still held", self.path.display()),
            }
        }
    }
}
