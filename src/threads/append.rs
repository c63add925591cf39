//! All-or-nothing appends. A line that cannot be written whole leaves no piece behind: the file is cut back to
//! where it ended. What could not be written waits in a bounded queue and goes out, in order, before anything
//! that comes later, so that a full disk costs nothing once there is room again.

use std::fs::File;
use std::io::{self, Write};

/// Bytes that may wait for the disk.
pub(crate) const MAX_QUEUE: usize = 16 << 20;

/// What is appended to: a file, or a broken one in tests.
pub(crate) trait Storage {
    /// Appends some of `bytes` and says how many.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Present length.
    fn len(&self) -> io::Result<u64>;
    /// Cuts to `len`.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

impl Storage for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}

/// Lines that wait for the disk.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    bytes: Vec<u8>,
}

impl Queue {
    /// Adds whole lines unless there is no room; then nothing is added.
    pub(crate) fn add(&mut self, lines: &[u8]) -> bool {
        let fits = self.bytes.len() + lines.len() <= MAX_QUEUE;
        if fits {
            self.bytes.extend_from_slice(lines);
        }
        fits
    }

    /// How much waits.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Everything that waits, taken out.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// The end of a file that only grows by whole lines.
#[derive(Debug)]
pub(crate) struct Appender<S> {
    storage: S,
    /// Where a failed append left a piece that could not be cut off; cut before the next one.
    torn_at: Option<u64>,
}

impl<S: Storage> Appender<S> {
    /// Appends after what is there.
    pub(crate) fn new(storage: S) -> Self {
        Self { storage, torn_at: None }
    }

    /// What is appended to.
    pub(crate) fn storage(&self) -> &S {
        &self.storage
    }

    /// Writes all of `bytes` (whole lines) or nothing.
    ///
    /// # Errors
    /// The file is as before; the caller keeps the bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.mend()?;
        let before = self.storage.len()?;
        match self.write_all(bytes) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.torn_at = Some(before);
                // The error that counts is the one of the write; a failing cut is tried again next time.
                let _ = self.mend();
                Err(error)
            }
        }
    }

    fn mend(&mut self) -> io::Result<()> {
        if let Some(end) = self.torn_at {
            if self.storage.len()? > end {
                self.storage.cut(end)?;
            }
            self.torn_at = None;
        }
        Ok(())
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.storage.append(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `room` bytes, then is full. Cutting works unless `stuck`.
    struct Disk {
        content: Vec<u8>,
        room: usize,
        stuck: bool,
    }

    impl Storage for Disk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room).min(3);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.content.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn len(&self) -> io::Result<u64> {
            Ok(self.content.len() as u64)
        }

        fn cut(&mut self, len: u64) -> io::Result<()> {
            if self.stuck {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            self.content.truncate(len as usize);
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_leaves_no_torn_line_at_any_fill() {
        for room in 0..12 {
            let disk = Disk { content: b"old\n".to_vec(), room, stuck: false };
            let mut appender = Appender::new(disk);
            let fits = room >= 10;
            assert_eq!(appender.append(b"123456789\n").is_ok(), fits, "room {room}");
            let want: &[u8] = if fits { b"old\n123456789\n" } else { b"old\n" };
            assert_eq!(appender.storage.content, want, "room {room}");
        }
    }

    #[test]
    fn a_piece_that_could_not_be_cut_goes_before_the_next_line() {
        let disk = Disk { content: Vec::new(), room: 4, stuck: true };
        let mut appender = Appender::new(disk);
        assert!(appender.append(b"123456789\n").is_err());
        assert_eq!(appender.storage.content, b"1234");
        assert!(appender.append(b"x\n").is_err(), "nothing may be glued to the piece");
        appender.storage.stuck = false;
        appender.storage.room = 100;
        appender.append(b"x\n").unwrap();
        assert_eq!(appender.storage.content, b"x\n");
    }

    #[test]
    fn the_queue_is_bounded_and_takes_lines_whole() {
        let mut queue = Queue::default();
        assert!(queue.add(&vec![b'x'; MAX_QUEUE - 1]));
        assert!(!queue.add(b"ab"));
        assert!(queue.add(b"a"));
        assert_eq!(queue.take().len(), MAX_QUEUE);
        assert!(queue.is_empty());
    }
}
