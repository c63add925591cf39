//! What a command reached through its chosen ways out, and what it was refused there: a line for every connection,
//! counted when the command has ended. The lines go through a pipe that nobody waits for; what does not fit any more
//! is not counted, and that is said.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};

use rustix::io::ioctl_fionbio;

/// Places told one by one.
const TOLD: usize = 20;
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

    /// One connection.
    pub(super) fn note(&self, allowed: bool, host: &str, port: u16) {
        let line = format!("{}{host}:{port}\n", if allowed { '+' } else { '-' });
        let _ = (&self.write).write(line.as_bytes());
    }

    /// A port that could not be opened to the machine.
    pub(super) fn taken(&self, port: u16) {
        let _ = (&self.write).write(format!("-port {port} of this machine, which is in use:{port}\n").as_bytes());
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

    /// What was noted since the last time, and whether there was more.
    fn take(&mut self) -> (String, bool) {
        let mut bytes = vec![0; HELD];
        let read = self.told.read(&mut bytes).unwrap_or(0);
        bytes.truncate(read);
        (String::from_utf8_lossy(&bytes).into_owned(), read == HELD)
    }
}

/// All that these hold in one line; `None` when there was no connection.
pub(super) fn line<'a>(records: impl Iterator<Item = &'a mut Record>) -> Option<String> {
    let (texts, full): (Vec<_>, Vec<_>) = records.map(Record::take).unzip();
    sum(&texts.concat(), full.contains(&true))
}

fn sum(text: &str, full: bool) -> Option<String> {
    let mut counts = BTreeMap::<(&str, bool), usize>::new();
    for line in text.lines() {
        let allowed = line.starts_with('+');
        if let Some(place) = line.strip_prefix(['+', '-']) {
            *counts.entry((place, allowed)).or_default() += 1;
        }
    }
    let more = counts.len().saturating_sub(TOLD);
    let mut told: Vec<String> = counts
        .into_iter()
        .take(TOLD)
        .map(|((place, allowed), count)| {
            let refused = if allowed { "" } else { " refused" };
            let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
            format!("{place}{refused}{times}")
        })
        .collect();
    match (more, full) {
        (0, false) => {}
        (0, true) => told.push("and more".to_owned()),
        (more, _) => told.push(format!("and {more} more")),
    }
    (!told.is_empty()).then(|| told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_by_place_and_outcome() {
        let mut record = Record::new().unwrap();
        let mut line = |record: &mut Record| line(std::iter::once(record));
        assert_eq!(line(&mut record), None);
        record.note(true, "a.example", 443);
        record.note(false, "b.example", 22);
        record.note(true, "a.example", 443);
        assert_eq!(line(&mut record).as_deref(), Some("a.example:443 (2 times), b.example:22 refused"));
        let many: String = (0..30).map(|n| format!("+h{n}:1\n")).collect();
        assert!(sum(&many, false).unwrap().ends_with(", and 10 more"));
        for _ in 0..10_000 {
            record.note(true, "flood.example", 443);
        }
        assert!(line(&mut record).unwrap().starts_with("flood.example:443 ("));
    }
}
