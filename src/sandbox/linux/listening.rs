//! What the commands of a thread listen on, where no network namespace says it: sockets of the loopback by inode and
//! port, in memory that all supervisors of the thread share, so that the next command reaches what one serves.
#![allow(unsafe_code)] // shared memory

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// More servers of one thread are not reached.
const MOST: usize = 1024;

/// The list. Clones and forks share it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listening(NonNull<[AtomicU64; MOST]>);

impl Listening {
    /// An empty one.
    ///
    /// # Errors
    /// Out of memory.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let size = size_of::<[AtomicU64; MOST]>();
        // SAFETY: a new anonymous mapping, zero-filled, never unmapped: valid for the life of every process that has it.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0) };
        match NonNull::new(at.cast()) {
            Some(list) if at != libc::MAP_FAILED => Ok(Self(list)),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// One more.
    pub(crate) fn add(self, inode: u64, port: u16) {
        let entry = entry(inode, port);
        let _ = self.all().iter().any(|place| {
            place.load(Ordering::Acquire) == entry
                || place.compare_exchange(0, entry, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        });
    }

    /// Whether it is one of them.
    pub(crate) fn has(self, inode: u64, port: u16) -> bool {
        inode != 0 && self.all().iter().any(|place| place.load(Ordering::Acquire) == entry(inode, port))
    }

    /// Forgets those of a port that are not among `inodes`: their numbers can become somebody else's.
    pub(crate) fn only(self, port: u16, inodes: &[u64]) {
        for place in self.all() {
            let found = place.load(Ordering::Acquire);
            let of_port = found != 0 && found & 0xffff == u64::from(port);
            if of_port && !inodes.iter().any(|inode| entry(*inode, port) == found) {
                let _ = place.compare_exchange(found, 0, Ordering::AcqRel, Ordering::Relaxed);
            }
        }
    }

    fn all(&self) -> &[AtomicU64; MOST] {
        // SAFETY: see `new`; only ever used as atomics.
        unsafe { self.0.as_ref() }
    }
}

/// The kernel's numbers of sockets have 32 bits.
fn entry(inode: u64, port: u16) -> u64 {
    inode << 16 | u64::from(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_known_by_both_numbers_until_they_are_gone() {
        let list = Listening::new().unwrap();
        let other = list;
        list.add(4711, 80);
        list.add(4712, 80);
        list.add(4711, 81);
        assert!(other.has(4711, 80) && other.has(4711, 81) && !other.has(4712, 81) && !other.has(0, 0));
        other.only(80, &[4712]);
        assert!(!list.has(4711, 80) && list.has(4712, 80) && list.has(4711, 81));
        for inode in 10_000..12_000 {
            list.add(inode, 90);
        }
        assert!(list.has(10_000, 90) && !list.has(11_999, 90));
        list.only(90, &[]);
        list.add(11_999, 90);
        assert!(list.has(11_999, 90));
    }
}
