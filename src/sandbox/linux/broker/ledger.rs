//! What a command has made that would stay on the machine after it: memory, semaphores and queues. Written by the
//! process that answers the command, into a file that is only in memory and shared with the supervisor: if the writer
//! is killed, the supervisor removes what is listed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{MemfdFlags, memfd_create};

use super::objects::{Kind, remove};
use crate::process::supervise::SetupError;

/// Then what is gone is left out.
const LARGE: u64 = 256 * 1024;

/// The list; none without a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Option<Rc<File>>);

/// One thing on it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    /// An object of System V.
    Object(Kind, i32),
    /// A file of shared memory.
    Memory(PathBuf),
}

impl Ledger {
    /// An empty list.
    ///
    /// # Errors
    /// No memory or no descriptors.
    pub(crate) fn new() -> Result<Self, SetupError> {
        let file = memfd_create("things", MemfdFlags::CLOEXEC);
        let file = file.map_err(|error| SetupError::new("descriptors", error))?;
        Ok(Self(Some(Rc::new(File::from(file)))))
    }

    /// It was made.
    pub(super) fn made(&self, thing: &Thing) {
        self.note(b'+', thing);
    }

    /// It is gone.
    pub(super) fn gone(&self, thing: &Thing) {
        self.note(b'-', thing);
    }

    /// Nothing of it is left.
    pub(crate) fn forget(&self) {
        if let Some(file) = &self.0 {
            let _ = file.set_len(0);
        }
    }

    /// Removes what is listed.
    pub(crate) fn clear(&self) {
        for thing in self.read() {
            match thing {
                Thing::Object(kind, id) => drop(remove(kind, id)),
                Thing::Memory(path) => drop(fs::remove_file(path)),
            }
        }
        self.forget();
    }

    fn note(&self, sign: u8, thing: &Thing) {
        let Some(file) = &self.0 else { return };
        let end = || file.metadata().map_or(0, |meta| meta.len());
        let _ = file.write_all_at(&record(sign, thing), end());
        if end() > LARGE {
            let all: Vec<u8> = self.read().iter().flat_map(|thing| record(b'+', thing)).collect();
            // Longer for a moment rather than shorter: a thing that is listed twice is removed once.
            let _ = file.write_all_at(&all, 0);
            let _ = file.set_len(all.len() as u64);
        }
    }

    fn read(&self) -> BTreeSet<Thing> {
        let mut things = BTreeSet::new();
        let Some(file) = &self.0 else { return things };
        let mut bytes = vec![0; file.metadata().map_or(0, |meta| meta.len() as usize)];
        if file.read_exact_at(&mut bytes, 0).is_err() {
            return things;
        }
        for text in bytes.split(|byte| *byte == 0) {
            match text.split_first().map(|(sign, rest)| (sign, thing(rest))) {
                Some((b'+', Some(thing))) => drop(things.insert(thing)),
                Some((_, Some(thing))) => drop(things.remove(&thing)),
                _ => {}
            }
        }
        things
    }
}

fn record(sign: u8, thing: &Thing) -> Vec<u8> {
    let mut bytes = vec![sign];
    match thing {
        Thing::Object(kind, id) => bytes.extend(format!("{}{id}", kind.letter()).into_bytes()),
        Thing::Memory(path) => bytes.extend_from_slice(path.as_os_str().as_bytes()),
    }
    bytes.push(0);
    bytes
}

fn thing(text: &[u8]) -> Option<Thing> {
    if text.starts_with(b"/") {
        return Some(Thing::Memory(Path::new(&OsString::from_vec(text.to_vec())).to_owned()));
    }
    let (letter, id) = text.split_first()?;
    Some(Thing::Object(Kind::of_letter(*letter)?, std::str::from_utf8(id).ok()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_and_is_not_gone_is_listed_however_much_that_was() {
        let ledger = Ledger::new().unwrap();
        let memory = |number: usize| Thing::Memory(PathBuf::from(format!("/dev/shm/odd\n{number}")));
        for number in 0..20_000 {
            ledger.made(&memory(number));
            if number != 7 {
                ledger.gone(&memory(number));
            }
        }
        ledger.made(&Thing::Object(Kind::Queue, 12));
        ledger.made(&Thing::Object(Kind::Semaphores, 12));
        ledger.gone(&Thing::Object(Kind::Semaphores, 12));
        let want = BTreeSet::from([memory(7), Thing::Object(Kind::Queue, 12)]);
        assert_eq!(ledger.read(), want);
        assert!(ledger.0.as_ref().unwrap().metadata().unwrap().len() <= LARGE + 64);
        ledger.forget();
        assert!(ledger.read().is_empty() && Ledger::default().read().is_empty());
    }
}
