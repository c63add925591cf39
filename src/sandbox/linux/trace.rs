//! Follows a command and all it starts, and notes every system call that was refused, with the path or address
//! it was about: what the kernel does not tell and programs often hide. On demand only, because following costs
//! two stops per call. Runs inside the sandbox itself, as the parent of the command, where it may trace no more
//! than a debugger may.
#![allow(unsafe_code)] // ptrace, fork and exec

use std::collections::HashMap;
use std::ffi::{CString, OsString, c_char, c_long};
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::calls::{Call, Kind, call};

/// More than this many different refusals say nothing more.
const MOST: usize = 64;
/// Of a path in the command's memory.
const PATH_BYTES: usize = 4096;
/// Without the flags.
const SOCKET_TYPE: i32 = 0xf;
/// Exit code of a child whose program is missing.
const NOT_FOUND: i32 = 127;

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Name of the system call, or its number.
    pub(crate) call: String,
    /// What it was about.
    pub(crate) about: About,
    /// The system's error number.
    pub(crate) errno: i32,
}

/// What a refused call was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Changing this.
    Write(PathBuf),
    /// Reading this.
    Read(PathBuf),
    /// Talking to this address.
    Address(SocketAddr),
    /// Talking to this Unix socket; empty for one without a name.
    Socket(PathBuf),
    /// Making a socket of this family and type.
    Sort(i32, i32),
    /// Signalling this process, as the command counts processes.
    Process(i32),
    /// The call itself.
    Call,
}

/// What became of a command that was followed.
#[derive(Debug)]
pub(crate) enum Followed {
    /// It ran to its end, with this wait status, and was refused this, each once, in order.
    Ran(i32, Vec<Refusal>),
    /// It could not be executed, for this reason.
    NotRun(i32),
}

/// Runs `argv` to its end and keeps the refusals that `keep` wants. What it leaves behind is ended with it, as it is
/// without this.
///
/// # Errors
/// The command cannot be started or followed.
pub(crate) fn follow(argv: &[CString], keep: &dyn Fn(&Refusal) -> bool) -> io::Result<Followed> {
    let child = start(argv)?;
    let mut tracer = Tracer { open: HashMap::new(), refusals: Vec::new(), keep };
    let mut status = wait(child)?.1;
    if libc::WIFEXITED(status) {
        // Before its first stop, which its execution is.
        return Ok(Followed::NotRun(match libc::WEXITSTATUS(status) {
            NOT_FOUND => libc::ENOENT,
            _ => libc::EACCES,
        }));
    }
    if libc::WIFSTOPPED(status) {
        let options = libc::PTRACE_O_TRACESYSGOOD
            | libc::PTRACE_O_TRACEFORK
            | libc::PTRACE_O_TRACEVFORK
            | libc::PTRACE_O_TRACECLONE
            | libc::PTRACE_O_TRACEEXEC
            | libc::PTRACE_O_EXITKILL;
        ptrace(libc::PTRACE_SETOPTIONS, child, options as usize)?;
        status = tracer.run(child)?;
    }
    Ok(Followed::Ran(status, tracer.refusals))
}

fn start(argv: &[CString]) -> io::Result<libc::pid_t> {
    let mut words: Vec<*const c_char> = argv.iter().map(|word| word.as_ptr()).collect();
    words.push(std::ptr::null());
    // SAFETY: one thread, so the child may go on like the parent; it makes only system calls, on C strings that
    // were made before and on a null-terminated list of them.
    unsafe {
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
                libc::execvp(*words.as_ptr(), words.as_ptr());
                let missing = io::Error::last_os_error().raw_os_error() == Some(libc::ENOENT);
                libc::_exit(if missing { NOT_FOUND } else { 126 })
            }
            child => Ok(child),
        }
    }
}

fn wait(pid: libc::pid_t) -> io::Result<(libc::pid_t, i32)> {
    let mut status = 0;
    loop {
        // SAFETY: a valid place for the status.
        match unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) } {
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            -1 => return Err(io::Error::last_os_error()),
            pid => return Ok((pid, status)),
        }
    }
}

fn ptrace(request: libc::c_uint, pid: libc::pid_t, data: usize) -> io::Result<c_long> {
    // SAFETY: only requests that take a number as data, or a buffer whose address is in `data`, come here.
    let result = unsafe { libc::ptrace(request, pid, std::ptr::null_mut::<u8>(), data) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

struct Tracer<'a> {
    /// The call each thread is in.
    open: HashMap<libc::pid_t, (u64, [u64; 6])>,
    refusals: Vec<Refusal>,
    /// Most refusals are none of the sandbox's: a search path through folders of somebody else.
    keep: &'a dyn Fn(&Refusal) -> bool,
}

impl Tracer<'_> {
    /// Until `first` is gone; gives its status. The others are ended by the end of this process, and of the sandbox.
    fn run(&mut self, first: libc::pid_t) -> io::Result<i32> {
        let mut next = Some((first, 0));
        loop {
            if let Some((pid, signal)) = next.take() {
                // A thread that was killed meanwhile is reported by the next wait.
                let _ = ptrace(libc::PTRACE_SYSCALL, pid, signal);
            }
            let (pid, status) = wait(-1)?;
            if libc::WIFSTOPPED(status) {
                next = Some((pid, self.stopped(pid, status)));
            } else {
                self.open.remove(&pid);
                if pid == first {
                    return Ok(status);
                }
            }
        }
    }

    /// Looks at a stopped thread; gives the signal to go on with.
    fn stopped(&mut self, pid: libc::pid_t, status: i32) -> usize {
        let signal = libc::WSTOPSIG(status);
        if signal == libc::SIGTRAP | 0x80 {
            self.call(pid);
            return 0;
        }
        // Births and executions are told as traps; the first stop of something born is a SIGSTOP.
        let told = signal == libc::SIGTRAP || (signal == libc::SIGSTOP && !self.open.contains_key(&pid));
        self.open.entry(pid).or_insert((u64::MAX, [0; 6]));
        if told { 0 } else { signal as usize }
    }

    fn call(&mut self, pid: libc::pid_t) {
        // SAFETY: plain data, valid when zeroed.
        let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes at most the size given; the request takes size and buffer in this order.
        let read = unsafe {
            libc::ptrace(
                libc::PTRACE_GET_SYSCALL_INFO,
                pid,
                size_of::<libc::ptrace_syscall_info>(),
                &raw mut info,
            )
        };
        if read < 0 {
            return;
        }
        match info.op {
            libc::PTRACE_SYSCALL_INFO_ENTRY | libc::PTRACE_SYSCALL_INFO_SECCOMP => {
                // SAFETY: the member that the kernel fills for this operation.
                let entry = unsafe { info.u.entry };
                self.open.insert(pid, (entry.nr, entry.args));
            }
            libc::PTRACE_SYSCALL_INFO_EXIT => {
                // SAFETY: the member that the kernel fills for this operation.
                let exit = unsafe { info.u.exit };
                if let Some((number, args)) = self.open.get(&pid).copied().filter(|_| exit.is_error != 0) {
                    self.failed(pid, number, &args, -exit.sval as i32);
                }
            }
            _ => {}
        }
    }

    fn failed(&mut self, pid: libc::pid_t, number: u64, args: &[u64; 6], errno: i32) {
        // Mounts over protected names make them busy.
        let refused = [libc::EPERM, libc::EACCES, libc::EROFS, libc::ENOSYS, libc::EXDEV, libc::EBUSY];
        let unreached = [libc::ECONNREFUSED, libc::EINPROGRESS, libc::ENETUNREACH, libc::EADDRNOTAVAIL];
        let Some(known) = call(number, args) else { return };
        let network = matches!(known.kind, Kind::Address(_));
        let ours = refused.contains(&errno) || (network && unreached.contains(&errno));
        if !ours {
            return;
        }
        let from = match known.kind {
            Kind::Move { from, .. } => path_of(pid, args, from.0, from.1).map(About::Write),
            _ => None,
        };
        for about in from.into_iter().chain(about(pid, &known, args)) {
            self.keep(pid, Refusal { call: known.name.to_owned(), about, errno });
        }
    }

    fn keep(&mut self, pid: libc::pid_t, refusal: Refusal) {
        if let About::Address(address) = &refusal.about
            && refusal.errno == libc::EINPROGRESS
            && address.ip().is_loopback()
            && listens(pid, address.port())
        {
            // A server of the command's own.
            return;
        }
        if self.refusals.len() < MOST && !self.refusals.contains(&refusal) && (self.keep)(&refusal) {
            self.refusals.push(refusal);
        }
    }
}

/// Whether somebody in the command's network listens at this port.
fn listens(pid: libc::pid_t, port: u16) -> bool {
    const LISTENING: &str = "0A";
    let wanted = format!(":{port:04X}");
    ["tcp", "tcp6"].iter().any(|table| {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        table.lines().any(|line| {
            let mut words = line.split_whitespace().skip(1);
            let (local, state) = (words.next(), words.nth(1));
            local.is_some_and(|local| local.ends_with(&wanted)) && state == Some(LISTENING)
        })
    })
}

fn about(pid: libc::pid_t, call: &Call, args: &[u64; 6]) -> Option<About> {
    let arg = |at: usize| args.get(at).copied().unwrap_or_default();
    let path = |folder, at| path_of(pid, args, folder, at);
    let descriptor = |fd: u64| fs::read_link(format!("/proc/{pid}/fd/{}", fd as i32)).ok();
    Some(match call.kind {
        // Without a path some calls mean the descriptor itself.
        Kind::Write(Some(folder), at) if arg(at) == 0 => About::Write(descriptor(arg(folder))?),
        Kind::Write(folder, at) => About::Write(path(folder, at)?),
        Kind::Move { to: (folder, at), .. } => About::Write(path(folder, at)?),
        Kind::Read(folder, at) => About::Read(path(folder, at)?),
        Kind::Descriptor(at) => About::Write(descriptor(arg(at))?),
        Kind::Address(at) => address(&memory(pid, arg(at), (arg(at + 1) as usize).min(128))?)?,
        Kind::Sort => About::Sort(arg(0) as i32, arg(1) as i32 & SOCKET_TYPE),
        Kind::Process(at) => About::Process(arg(at) as i32),
        Kind::Call => About::Call,
    })
}

/// The path at this argument, below the folder at that one.
fn path_of(pid: libc::pid_t, args: &[u64; 6], folder: Option<usize>, at: usize) -> Option<PathBuf> {
    let arg = |at: usize| args.get(at).copied().unwrap_or_default();
    Some(resolved(pid, folder.map(arg), text_at(pid, arg(at))?))
}

fn address(bytes: &[u8]) -> Option<About> {
    let family = u16::from_ne_bytes([*bytes.first()?, *bytes.get(1)?]);
    let port = || Some(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    Some(match i32::from(family) {
        libc::AF_INET => {
            let ip: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            About::Address(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port()?))
        }
        libc::AF_INET6 => {
            let ip: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            About::Address(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(ip)), port()?))
        }
        libc::AF_UNIX => {
            let name = bytes.get(2..)?.split(|byte| *byte == 0).next().unwrap_or_default();
            About::Socket(PathBuf::from(OsString::from_vec(name.to_vec())))
        }
        _ => About::Call,
    })
}

/// Where a path of the command's leads, as far as that can be told without following its last part.
fn resolved(pid: libc::pid_t, folder: Option<u64>, text: PathBuf) -> PathBuf {
    if text.is_absolute() {
        return text;
    }
    let link = match folder.map(|fd| fd as i32).filter(|fd| *fd != libc::AT_FDCWD) {
        Some(fd) => format!("/proc/{pid}/fd/{fd}"),
        None => format!("/proc/{pid}/cwd"),
    };
    let base = fs::read_link(link).unwrap_or_default();
    if text.as_os_str().is_empty() { base } else { base.join(text) }
}

fn text_at(pid: libc::pid_t, at: u64) -> Option<PathBuf> {
    let mut bytes = memory(pid, at, PATH_BYTES)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    bytes.truncate(end);
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

/// Word by word through the tracer's own right, which needs no file in `/proc`.
fn memory(pid: libc::pid_t, at: u64, len: usize) -> Option<Vec<u8>> {
    const WORD: usize = size_of::<c_long>();
    let mut bytes = Vec::with_capacity(len + WORD);
    while at != 0 && bytes.len() < len {
        let address = at.checked_add(bytes.len() as u64)?;
        // SAFETY: errno tells an error from a word that looks like one; the request changes nothing.
        let word = unsafe {
            *libc::__errno_location() = 0;
            libc::ptrace(libc::PTRACE_PEEKDATA, pid, address, 0)
        };
        if word == -1 && io::Error::last_os_error().raw_os_error() != Some(0) {
            break;
        }
        bytes.extend_from_slice(&word.to_ne_bytes());
        // A path is all that is long, and it ends with a zero.
        if len > 128 && word.to_ne_bytes().contains(&0) {
            break;
        }
    }
    bytes.truncate(len);
    (!bytes.is_empty()).then_some(bytes)
}
