//! What an asking process means: its words, folders and descriptors, looked up from outside. Everything here may
//! have changed a moment later; what counts is that each path is decided and acted on through the same open folder.
#![allow(unsafe_code)] // process_vm_readv, and a request of the kernel's

use std::ffi::{CStr, CString, OsString};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno;

/// As many as the kernel follows.
const LINKS: usize = 40;
const PAGE: u64 = 4096;

/// A thread that waits for its call to be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pid: u32,
    /// The same as `/proc` counts; 0 when it is not there.
    shown: u32,
    question: Question,
}

/// What it waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) questions: RawFd,
    pub(super) id: u64,
}

/// A name in an open folder.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) folder: OwnedFd,
    pub(super) name: CString,
    /// The real path of the folder, and the name.
    pub(super) path: PathBuf,
}

impl Caller {
    /// The thread of this number, as counted here, of which `/proc` may be older than our pid namespace: containers
    /// that hide a part of it allow no fresh one.
    pub(super) fn new(pid: u32, older_proc: bool, question: Question) -> Self {
        let shown = if older_proc { shown(pid).unwrap_or(0) } else { pid };
        Self { pid, shown, question }
    }

    /// Whether it waits still. One that is gone has left its number, which may be another's: whatever was looked up by
    /// it counts only when this holds afterwards.
    pub(super) fn waits(self) -> bool {
        let Question { questions, id } = self.question;
        // SAFETY: a number to look for.
        unsafe { libc::ioctl(questions, libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const id) == 0 }
    }

    /// Whether `/proc` counts as we do.
    pub(super) fn is_shown_by_its_number() -> bool {
        fs::read_link("/proc/self").is_ok_and(|link| link == *std::process::id().to_string())
    }

    /// Bytes of its memory, all or none.
    pub(super) fn bytes<const N: usize>(self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        (self.read(at, &mut bytes) == N).then_some(bytes)
    }

    /// So many bytes of its memory, all or none.
    pub(super) fn exactly(self, at: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        (self.read(at, &mut bytes) == length).then_some(bytes)
    }

    /// A path in its memory.
    pub(super) fn path(self, at: u64) -> Option<CString> {
        let mut bytes = Vec::new();
        while bytes.len() < libc::PATH_MAX as usize {
            let from = at.checked_add(bytes.len() as u64)?;
            // Not across a page that may not be there.
            let mut chunk = [0; PAGE as usize];
            let room = chunk.get_mut(..(PAGE - from % PAGE) as usize)?;
            let read = self.read(from, room);
            let chunk = chunk.get(..read).filter(|chunk| !chunk.is_empty())?;
            if let Some(end) = chunk.iter().position(|byte| *byte == 0) {
                bytes.extend_from_slice(chunk.get(..end)?);
                return CString::new(bytes).ok();
            }
            bytes.extend_from_slice(chunk);
        }
        None
    }

    fn read(self, at: u64, into: &mut [u8]) -> usize {
        let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
        let remote = libc::iovec { iov_base: at as *mut _, iov_len: into.len() };
        // SAFETY: writes at most as many bytes as there is room for; the other address is the caller's business.
        let read =
            unsafe { libc::process_vm_readv(self.pid as i32, &raw const local, 1, &raw const remote, 1, 0) };
        usize::try_from(read).ok().filter(|_| self.waits()).unwrap_or(0)
    }

    /// The folder that relative paths start from; `at` is the call's argument.
    pub(super) fn base(self, at: u64) -> Option<OwnedFd> {
        let folder = match at as i32 {
            libc::AT_FDCWD => format!("/proc/{}/cwd", self.shown),
            fd => format!("/proc/{}/fd/{fd}", self.shown),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(CWD, folder, flags, Mode::empty()).ok().filter(|_| self.waits())
    }

    /// What one of its descriptors is open for, and where that is.
    pub(super) fn descriptor(self, fd: u64) -> Result<(OwnedFd, PathBuf), Errno> {
        let name = format!("/proc/{}/fd/{}", self.shown, fd as i32);
        let file =
            openat(CWD, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(|_| Errno::BADF)?;
        let path = real(&file).filter(|_| self.waits()).ok_or(Errno::PERM)?;
        Ok((file, path))
    }

    /// Its mask for the modes of what it makes.
    pub(super) fn umask(self) -> Option<Mode> {
        u32::from_str_radix(&self.status("Umask:")?, 8).ok().map(Mode::from_raw_mode)
    }

    /// The process of the thread.
    pub(super) fn group(self) -> Option<i32> {
        // The last number is the innermost.
        let group = self.status("NStgid:").or_else(|| self.status("Tgid:"))?;
        group.split_whitespace().last()?.parse().ok()
    }

    fn status(self, name: &str) -> Option<String> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.shown)).ok().filter(|_| self.waits())?;
        status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    }
}

/// The thread of our pid namespace with this number, as an older `/proc` counts it.
fn shown(pid: u32) -> Option<u32> {
    let numbers = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
    };
    let namespace = |name: &str| fs::read_link(format!("/proc/{name}/ns/pid")).ok();
    let ours = namespace("self")?;
    let is = |thread: &u32| {
        let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
        let counted = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        counted.and_then(|line| line.split_whitespace().last()) == Some(pid.to_string().as_str())
    };
    numbers(PathBuf::from("/proc"))
        .filter(|process| namespace(&process.to_string()).as_ref() == Some(&ours))
        .find_map(|process| numbers(PathBuf::from(format!("/proc/{process}/task"))).find(is))
}

/// The name that `path` is about, its folder opened; `None` when the kernel should answer by itself.
pub(super) fn entry(base: OwnedFd, path: &CStr, follow: bool) -> Option<Entry> {
    let (mut base, mut path) = (base, path.to_bytes().to_vec());
    for _ in 0..LINKS {
        while path.len() > 1 && path.ends_with(b"/") {
            path.pop();
        }
        let split = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let (above, name) = path.split_at_checked(split)?;
        if name.is_empty() || name == b"." || name == b".." {
            return None;
        }
        let above = if above.is_empty() { b"." } else { above };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // The links of /proc would be those of this process.
        let folder = openat2(&base, above, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS).ok()?;
        let name = CString::new(name).ok()?;
        if follow && let Ok(target) = readlinkat(&folder, &name, Vec::new()) {
            (base, path) = (folder, target.into_bytes());
            continue;
        }
        let path = real(&folder)?.join(OsString::from_vec(name.as_bytes().to_vec()));
        return Some(Entry { folder, name, path });
    }
    None
}

/// What is at `path`, opened without any right but to name it, and where it is.
pub(super) fn place(base: OwnedFd, path: &CStr, follow: bool) -> Result<(OwnedFd, PathBuf), Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let file = openat2(base, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS)?;
    let path = real(&file).ok_or(Errno::PERM)?;
    Ok((file, path))
}

/// Where an open file is. One without a name is where its name was.
pub(super) fn real(file: impl AsFd) -> Option<PathBuf> {
    let path = fs::read_link(own(&file)).ok()?;
    let bytes = path.as_os_str().as_bytes();
    let bytes = match rustix::fs::fstat(&file).ok()?.st_nlink {
        0 => bytes.strip_suffix(b" (deleted)").unwrap_or(bytes),
        _ => bytes,
    };
    let path = Path::new(std::ffi::OsStr::from_bytes(bytes)).to_owned();
    path.is_absolute().then_some(path)
}

/// The name of an open file of ours, by which calls can be made that take no descriptor.
pub(super) fn own(file: impl AsFd) -> String {
    format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())
}

/// The kind of what is at an entry, when there is something.
pub(super) fn kind(entry: &Entry) -> Option<rustix::fs::FileType> {
    let stat = rustix::fs::statat(&entry.folder, &entry.name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(rustix::fs::FileType::from_raw_mode(stat.st_mode))
}
