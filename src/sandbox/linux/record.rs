//! What a command reached through its chosen ways, and what it was refused there: a line for every connection, counted
//! when the command has ended. The lines go through a pipe that nobody waits for; what does not fit any more is not
//! counted, and that is said. The ports of a thread have one record for all of its commands: the one that ends first
//! after a connection tells of it.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};

use rustix::io::ioctl_fionbio;

use crate::protocol::network::{Outcome, Visits};

/// As much as the pipe holds.
const HELD: usize = 64 * 1024;

/// The two ends.
#[derive(Debug)]
pub(super) struct Record {
    told: PipeReader,
    write: PipeWriter,
}

impl Record {
    /// An empty one.
    ///
    /// # Errors
    /// No descriptors.
    pub(super) fn new() -> io::Result<Self> {
        let (told, write) = io::pipe()?;
        ioctl_fionbio(told.as_fd(), true)?;
        ioctl_fionbio(write.as_fd(), true)?;
        Ok(Self { told, write })
    }

    /// One connection, or why there will be none.
    pub(super) fn note(&self, outcome: Outcome, host: &str, port: u16) {
        let mark = match outcome {
            Outcome::Reached => '+',
            Outcome::Refused => '-',
            Outcome::Unknown => '?',
            Outcome::InUse => '!',
        };
        let line = match host.contains(':') {
            true => format!("{mark}[{host}]:{port}\n"),
            false => format!("{mark}{host}:{port}\n"),
        };
        let _ = (&self.write).write(line.as_bytes());
    }

    /// The same, to be held by somebody else as well.
    ///
    /// # Errors
    /// No descriptors.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { told: self.told.try_clone()?, write: self.write.try_clone()? })
    }

    /// The end that must stay open where connections are made.
    pub(super) fn writer(&self) -> RawFd {
        self.write.as_raw_fd()
    }

    /// What was noted since the last time.
    pub(super) fn take(&mut self) -> Visits {
        let mut bytes = vec![0; HELD];
        let read = self.told.read(&mut bytes).unwrap_or(0);
        let mut visits = Visits::default();
        for line in String::from_utf8_lossy(bytes.get(..read).unwrap_or_default()).lines() {
            let outcome = match line.chars().next() {
                Some('+') => Outcome::Reached,
                Some('-') => Outcome::Refused,
                Some('?') => Outcome::Unknown,
                Some('!') => Outcome::InUse,
                _ => continue,
            };
            visits.add(line.trim_start_matches(['+', '-', '?', '!']), outcome, 1);
        }
        // Lines do not fill it to the last byte.
        visits.more += u64::from(read > HELD - HELD / 8);
        visits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_by_place_and_outcome() {
        let mut record = Record::new().unwrap();
        assert!(record.take().is_empty());
        record.note(Outcome::Reached, "a.example", 443);
        record.note(Outcome::Refused, "b.example", 22);
        record.note(Outcome::InUse, "127.0.0.1", 3000);
        record.note(Outcome::Unknown, "c.example", 443);
        record.note(Outcome::Reached, "a.example", 443);
        let want = "127.0.0.1:3000 in use on this machine, not served, a.example:443 (2 times), b.example:22 refused, c.example:443 could not be looked up";
        assert_eq!(record.take().words().as_deref(), Some(want));
        for _ in 0..10_000 {
            record.note(Outcome::Reached, "flood.example", 443);
        }
        assert!(record.take().words().unwrap().ends_with(", and 1 more"));
    }
}
