//! Names that come, go and are opened. Each call is made here with the folder that was looked at, so that nothing
//! the command changes meanwhile leads it elsewhere. What may not be done here is left to the kernel: there
//! Landlock refuses it, in the words the program knows.

use std::os::fd::OwnedFd;

use rustix::fs::{
    self, AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, fcntl_getfl, fcntl_setfl, linkat, mkdirat,
    mknodat, openat, renameat_with, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::caller::{Caller, Entry, entry, kind, own, real};
use super::devices::Own;
use super::places::Places;

/// What becomes of a call.
#[derive(Debug)]
pub(super) enum Answer {
    /// The kernel does as it would have.
    Kernel,
    /// It was made here.
    Done,
    /// It was made here and gave this descriptor; `true` to be closed on execution.
    Opened(OwnedFd, bool),
    /// It was made here and gave this number.
    Gave(i64),
    /// It failed.
    Failed(Errno),
}

impl From<Result<(), Errno>> for Answer {
    fn from(result: Result<(), Errno>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) => Self::Failed(error),
        }
    }
}

/// A path of the caller's, as a call names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) folder: u64,
    pub(super) path: u64,
}

impl Named {
    fn find(self, caller: Caller, follow: bool) -> Option<Entry> {
        entry(caller.base(self.folder)?, &caller.path(self.path)?, follow)
    }

    /// The entry, when it may be changed.
    fn writable(self, caller: Caller, ground: &Ground<'_>) -> Option<Entry> {
        self.find(caller, false).filter(|entry| ground.may_write(entry))
    }
}

/// Where the command may change something.
pub(super) struct Ground<'a> {
    pub(super) places: &'a Places,
    pub(super) own: &'a mut Own,
}

impl Ground<'_> {
    fn may_write(&self, entry: &Entry) -> bool {
        self.places.may_write(&entry.path) || self.own.has(entry)
    }
}

/// `openat`.
pub(super) fn open(caller: Caller, ground: &mut Ground<'_>, named: Named, flags: u64, mode: u64) -> Answer {
    let flags = OFlags::from_bits_retain(flags as u32);
    if flags.contains(OFlags::PATH) {
        return Answer::Kernel;
    }
    let changes = OFlags::WRONLY | OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC;
    let Some(path) = caller.path(named.path) else { return Answer::Kernel };
    if !flags.intersects(changes) && ground.places.is_of_the_system(path.to_bytes()) {
        return Answer::Kernel;
    }
    let new_only = flags.contains(OFlags::CREATE | OFlags::EXCL);
    let follow = !flags.contains(OFlags::NOFOLLOW) && !new_only;
    let Some(entry) = caller.base(named.folder).and_then(|base| entry(base, &path, follow)) else {
        return Answer::Kernel;
    };
    if Own::makes_terminal(&entry, flags) {
        return terminal(ground, &entry, flags);
    }
    let makes = flags.contains(OFlags::CREATE) && ground.own.may_make(&entry);
    let reads = !flags.intersects(changes) && ground.places.may_read(&entry.path);
    if !makes && !reads && !ground.may_write(&entry) {
        return Answer::Kernel;
    }
    let ordinary = [FileType::RegularFile, FileType::Directory, FileType::Fifo];
    if kind(&entry).is_some_and(|kind| !ordinary.contains(&kind) && !ground.own.has(&entry)) {
        return Answer::Kernel;
    }
    // Never waits, and takes nothing that was put there since.
    let mut ours = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    ours.set(OFlags::EXCL, makes || flags.contains(OFlags::EXCL));
    let opened = masked(caller, || openat(&entry.folder, &entry.name, ours, mode_of(mode)));
    if makes && opened.is_ok() {
        ground.own.made(&entry);
    }
    handed(opened, flags)
}

/// A new terminal.
fn terminal(ground: &mut Ground<'_>, entry: &Entry, flags: OFlags) -> Answer {
    let ours = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    let opened = openat(&entry.folder, &entry.name, ours, Mode::empty());
    if let Ok(file) = &opened {
        ground.own.made_terminal(file);
    }
    handed(opened, flags)
}

/// What was opened, as the caller wanted it.
fn handed(opened: Result<OwnedFd, Errno>, flags: OFlags) -> Answer {
    let file = match opened {
        Ok(file) => file,
        Err(error) => return Answer::Failed(error),
    };
    if !flags.contains(OFlags::NONBLOCK)
        && let Ok(now) = fcntl_getfl(&file)
    {
        let _ = fcntl_setfl(&file, now - OFlags::NONBLOCK);
    }
    Answer::Opened(file, flags.contains(OFlags::CLOEXEC))
}

/// `mkdirat`.
pub(super) fn make_folder(caller: Caller, ground: &mut Ground<'_>, named: Named, mode: u64) -> Answer {
    let Some(entry) = named.writable(caller, ground) else { return Answer::Kernel };
    masked(caller, || mkdirat(&entry.folder, &entry.name, mode_of(mode))).into()
}

/// `mknodat`, without devices.
pub(super) fn make_node(caller: Caller, ground: &mut Ground<'_>, named: Named, mode: u64) -> Answer {
    let kind = FileType::from_raw_mode(mode as u32);
    let ordinary = [FileType::RegularFile, FileType::Fifo, FileType::Socket];
    let kind = if mode as u32 & libc::S_IFMT == 0 { FileType::RegularFile } else { kind };
    let Some(entry) = named.writable(caller, ground).filter(|_| ordinary.contains(&kind)) else {
        return Answer::Kernel;
    };
    masked(caller, || mknodat(&entry.folder, &entry.name, kind, mode_of(mode), 0)).into()
}

/// `symlinkat`.
pub(super) fn make_link(caller: Caller, ground: &mut Ground<'_>, target: u64, named: Named) -> Answer {
    let (Some(entry), Some(target)) = (named.writable(caller, ground), caller.path(target)) else {
        return Answer::Kernel;
    };
    if ground.places.in_repository(&entry.path) {
        return Answer::Failed(Errno::PERM);
    }
    symlinkat(target, &entry.folder, &entry.name).into()
}

/// `unlinkat`.
pub(super) fn remove(caller: Caller, ground: &mut Ground<'_>, named: Named, flags: u64) -> Answer {
    let entry = named.writable(caller, ground).filter(|entry| !ground.places.is_pinned(&entry.path));
    let Some(entry) = entry else { return Answer::Kernel };
    let removed = unlinkat(&entry.folder, &entry.name, AtFlags::from_bits_retain(flags as u32));
    if removed.is_ok() {
        ground.own.gone(&entry);
    }
    removed.into()
}

/// `renameat2`.
pub(super) fn rename(caller: Caller, ground: &mut Ground<'_>, from: Named, to: Named, flags: u64) -> Answer {
    let flags = RenameFlags::from_bits_retain(flags as u32);
    // A whiteout is a device.
    if flags.contains(RenameFlags::WHITEOUT) {
        return Answer::Kernel;
    }
    let places = ground.places;
    let movable = |named: Named| {
        let entry = named.find(caller, false)?;
        (places.may_write(&entry.path) && !places.is_pinned(&entry.path)).then_some(entry)
    };
    let (Some(from), Some(to)) = (movable(from), movable(to)) else { return Answer::Kernel };
    if places.in_repository(&to.path) != places.in_repository(&from.path) {
        return Answer::Failed(Errno::XDEV);
    }
    renameat_with(&from.folder, &from.name, &to.folder, &to.name, flags).into()
}

/// `linkat`.
pub(super) fn link(caller: Caller, ground: &mut Ground<'_>, from: Named, to: Named, flags: u64) -> Answer {
    let flags = AtFlags::from_bits_retain(flags as u32);
    let follow = flags.contains(AtFlags::SYMLINK_FOLLOW);
    if flags.contains(AtFlags::EMPTY_PATH) {
        return Answer::Kernel;
    }
    let from = from.find(caller, follow).filter(|entry| ground.may_write(entry));
    let (Some(from), Some(to)) = (from, to.find(caller, false)) else { return Answer::Kernel };
    // Memory stays memory: it gets no name elsewhere, and nothing else gets a name there.
    let memory = ground.own.has(&from);
    let may = if memory { ground.own.may_make(&to) } else { ground.places.may_write(&to.path) };
    if !may || (ground.places.in_repository(&to.path) && !ground.places.in_repository(&from.path)) {
        return Answer::Kernel;
    }
    let open = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match openat(&from.folder, &from.name, open, Mode::empty()) {
        Ok(file) => file,
        Err(error) => return Answer::Failed(error),
    };
    // What was opened is what gets the name.
    let opened = Entry { path: real(&file).unwrap_or_default(), ..from };
    if !ground.may_write(&opened) {
        return Answer::Kernel;
    }
    let linked = linkat(CWD, own(&file), &to.folder, &to.name, AtFlags::SYMLINK_FOLLOW);
    if memory && linked.is_ok() {
        ground.own.made(&to);
    }
    linked.into()
}

/// `truncate`.
pub(super) fn cut(caller: Caller, ground: &mut Ground<'_>, path: u64, length: u64) -> Answer {
    let named = Named { folder: libc::AT_FDCWD as u64, path };
    match open(caller, ground, named, libc::O_WRONLY as u64, 0) {
        Answer::Opened(file, _) => fs::ftruncate(file, length).into(),
        other => other,
    }
}

fn mode_of(mode: u64) -> Mode {
    Mode::from_raw_mode(mode as u32 & 0o7777)
}

/// Makes something with the caller's mask in force; this process has one thread.
pub(super) fn masked<T>(caller: Caller, make: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    let ours = rustix::process::umask(caller.umask().ok_or(Errno::PERM)?);
    let made = make();
    rustix::process::umask(ours);
    made
}
