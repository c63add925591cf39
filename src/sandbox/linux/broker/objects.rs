//! Shared memory, semaphores and queues of System V, where no namespace makes them private: a command may use those
//! that were made for it here, by their number, and no other of this user's. They go with the command.
#![allow(unsafe_code)] // calls that rustix has no form of

use libc::c_long;
use rustix::io::Errno;

use super::files::Answer;
use super::ledger::{Ledger, Thing};

/// More would be a leak, not work.
const MOST: usize = 256;
/// Set in commands by the C library of some processors.
const WIDE: u64 = 0x100;

/// The calls that are asked about.
pub(in crate::sandbox::linux) const OBJECTS: &[c_long] = &[
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semctl,
    libc::SYS_semtimedop,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
];

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Memory,
    Semaphores,
    Queue,
}

impl Kind {
    /// Stands for it in a list.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Memory => 'm',
            Self::Semaphores => 's',
            Self::Queue => 'q',
        }
    }

    /// The other way round.
    pub(super) fn of_letter(letter: u8) -> Option<Self> {
        [Self::Memory, Self::Semaphores, Self::Queue]
            .into_iter()
            .find(|kind| kind.letter() == char::from(letter))
    }
}

#[derive(Debug)]
struct Object {
    kind: Kind,
    key: i32,
    id: i32,
}

/// What one command has made.
#[derive(Debug)]
pub(super) struct Objects(Vec<Object>, Ledger);

impl Objects {
    /// Nothing yet; what comes to be is listed here.
    pub(super) fn new(ledger: Ledger) -> Self {
        Self(Vec::new(), ledger)
    }

    /// Answers one of [`OBJECTS`].
    pub(super) fn call(&mut self, call: &libc::seccomp_data) -> Answer {
        let [a, b, c, ..] = call.args;
        let id = a as i32;
        match c_long::from(call.nr) {
            libc::SYS_shmget => self.get(Kind::Memory, id, b, c as i32),
            libc::SYS_semget => self.get(Kind::Semaphores, id, b, c as i32),
            libc::SYS_msgget => self.get(Kind::Queue, id, 0, b as i32),
            libc::SYS_shmctl => self.control(Kind::Memory, id, b),
            libc::SYS_semctl => self.control(Kind::Semaphores, id, c),
            libc::SYS_msgctl => self.control(Kind::Queue, id, b),
            libc::SYS_shmat => self.used(Kind::Memory, id),
            libc::SYS_semop | libc::SYS_semtimedop => self.used(Kind::Semaphores, id),
            _ => self.used(Kind::Queue, id),
        }
    }

    /// The number is in a register: what the kernel takes is what was looked at.
    fn used(&self, kind: Kind, id: i32) -> Answer {
        match self.0.iter().any(|object| object.kind == kind && object.id == id) {
            true => Answer::Kernel,
            false => Answer::Failed(Errno::ACCESS),
        }
    }

    fn get(&mut self, kind: Kind, key: i32, size: u64, flags: i32) -> Answer {
        let ours = self.0.iter().find(|object| object.kind == kind && object.key == key);
        if let Some(ours) = ours.filter(|_| key != libc::IPC_PRIVATE) {
            return match get(kind, key, size, flags) {
                Ok(id) if id == ours.id => Answer::Gave(id.into()),
                Ok(_) => Answer::Failed(Errno::ACCESS),
                Err(error) => Answer::Failed(error),
            };
        }
        if key != libc::IPC_PRIVATE && flags & libc::IPC_CREAT == 0 {
            return Answer::Failed(Errno::NOENT);
        }
        if self.0.len() >= MOST {
            return Answer::Failed(Errno::NOSPC);
        }
        match get(kind, key, size, flags | libc::IPC_CREAT | libc::IPC_EXCL) {
            Ok(id) => {
                self.1.made(&Thing::Object(kind, id));
                self.0.push(Object { kind, key, id });
                Answer::Gave(id.into())
            }
            Err(Errno::EXIST) if flags & libc::IPC_EXCL == 0 => Answer::Failed(Errno::ACCESS),
            Err(error) => Answer::Failed(error),
        }
    }

    /// Commands that are about an object by its number; the others look at those of everybody.
    fn control(&mut self, kind: Kind, id: i32, command: u64) -> Answer {
        let command = (command & !WIDE) as i32;
        let values = kind == Kind::Semaphores && (libc::GETPID..=libc::SETALL).contains(&command);
        if let Answer::Failed(error) = self.used(kind, id) {
            return Answer::Failed(error);
        }
        match command {
            libc::IPC_RMID => {
                self.0.retain(|object| object.kind != kind || object.id != id);
                self.1.gone(&Thing::Object(kind, id));
                remove(kind, id).into()
            }
            libc::IPC_STAT | libc::IPC_SET => Answer::Kernel,
            _ if values => Answer::Kernel,
            _ => Answer::Failed(Errno::ACCESS),
        }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        for object in &self.0 {
            let _ = remove(object.kind, object.id);
        }
    }
}

fn get(kind: Kind, key: i32, size: u64, flags: i32) -> Result<i32, Errno> {
    // SAFETY: plain numbers.
    let id = unsafe {
        match kind {
            Kind::Memory => libc::shmget(key, size as usize, flags),
            Kind::Semaphores => libc::semget(key, size as i32, flags),
            Kind::Queue => libc::msgget(key, flags),
        }
    };
    if id < 0 { Err(last()) } else { Ok(id) }
}

/// Removes an object.
///
/// # Errors
/// There is none, or it is somebody else's.
pub(super) fn remove(kind: Kind, id: i32) -> Result<(), Errno> {
    // SAFETY: for removing, the kernel takes no structure.
    let result = unsafe {
        match kind {
            Kind::Memory => libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()),
            Kind::Semaphores => libc::semctl(id, 0, libc::IPC_RMID),
            Kind::Queue => libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()),
        }
    };
    if result < 0 { Err(last()) } else { Ok(()) }
}

fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
