//! Sockets of the network that this process is in. A name in the file system leads to a socket whatever network that
//! is in, so a socket of the machine's is found by its name from within; this tells it from one of the command's. It
//! is asked of the kernel by the file, not by the name: the same name can lead elsewhere a moment later.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use super::super::sockets::of_network;

const HEADER: usize = 16;
/// After the header: family, kind, state, a gap, the socket's number and its cookie.
const BODY: usize = 16;
const FILE: u16 = 1;
const DONE: u16 = 3;
const ERROR: u16 = 2;
/// More answers than any network of commands has sockets.
const MOST: usize = 4096;

/// Whether the socket at an open name is in this network. Kernels that cannot say so still list the names of the sockets
/// in it; one with a name that does not begin at the root counts as somebody else's then.
///
/// # Errors
/// It is no socket, or the kernel fails otherwise.
pub(super) fn has(file: &OwnedFd) -> Result<bool, Errno> {
    let stat = fstat(file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return Err(Errno::CONNREFUSED);
    }
    let wanted = (stat.st_ino as u32, device(file).ok_or(Errno::PERM)?);
    match files() {
        Ok(files) => Ok(files.contains(&wanted)),
        Err(Errno::NOENT | Errno::PROTONOSUPPORT) => Ok(is_named(file)),
        Err(error) => Err(error),
    }
}

/// Whether a name that the kernel lists leads to the file.
fn is_named(file: &OwnedFd) -> bool {
    let wanted = fstat(file).map(|stat| (stat.st_dev, stat.st_ino));
    let is = |path: &PathBuf| rustix::fs::lstat(path).map(|stat| (stat.st_dev, stat.st_ino)) == wanted;
    wanted.is_ok() && of_network().iter().any(is)
}

/// The device of the file system, as the kernel counts inside: some file systems show others to programs.
fn device(file: &OwnedFd) -> Option<u32> {
    let information = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
    let mount = information.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
    device_of(&fs::read_to_string("/proc/self/mountinfo").ok()?, mount)
}

fn device_of(mounts: &str, mount: &str) -> Option<u32> {
    let mut lines = mounts.lines().map(|line| line.split(' '));
    let mut words = lines.find_map(|mut words| (words.next() == Some(mount)).then_some(words))?;
    let (major, minor) = words.nth(1)?.split_once(':')?;
    Some(major.parse::<u32>().ok()? << 20 | minor.parse::<u32>().ok()?)
}

/// The files of all named Unix sockets here: inode and device.
fn files() -> Result<Vec<(u32, u32)>, Errno> {
    let kernel =
        socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    send(&kernel, &question(), SendFlags::empty())?;
    let mut buffer = vec![0; 32 * 1024];
    let mut files = Vec::new();
    while files.len() < MOST {
        let (got, _) = recv(&kernel, &mut buffer[..], RecvFlags::empty())?;
        if messages(buffer.get(..got).unwrap_or_default(), &mut files)? {
            return Ok(files);
        }
    }
    Err(Errno::NOBUFS)
}

/// All Unix sockets, whatever their state, with their files.
fn question() -> Vec<u8> {
    const BY_FAMILY: u16 = 20;
    const REQUEST_ALL: u16 = 0x301;
    const SHOW_FILE: u32 = 2;
    let mut bytes = Vec::new();
    bytes.extend(40u32.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST_ALL.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([libc::AF_UNIX as u8, 0, 0, 0]);
    for word in [u32::MAX, 0, SHOW_FILE, u32::MAX, u32::MAX] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes
}

/// Takes the files out of answers; `true` after the last one.
fn messages(mut bytes: &[u8], files: &mut Vec<(u32, u32)>) -> Result<bool, Errno> {
    while let Some(length) = word(bytes, 0) {
        let Some((message, rest)) = bytes.split_at_checked((length as usize).max(HEADER)) else { break };
        match half(message, 4) {
            Some(DONE) => return Ok(true),
            Some(ERROR) => {
                let error = word(message, HEADER).unwrap_or_default() as i32;
                return Err(Errno::from_raw_os_error(error.wrapping_neg()));
            }
            _ => files.extend(file(message.get(HEADER + BODY..).unwrap_or_default())),
        }
        bytes = rest.get(padding(message.len())..).unwrap_or_default();
    }
    Ok(false)
}

fn file(mut attributes: &[u8]) -> Option<(u32, u32)> {
    loop {
        let length = usize::from(half(attributes, 0)?).max(4);
        let (attribute, rest) = attributes.split_at_checked(length)?;
        if half(attribute, 2) == Some(FILE) {
            return Some((word(attribute, 4)?, word(attribute, 8)?));
        }
        attributes = rest.get(padding(length)..)?;
    }
}

fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_ours_is_found_by_its_file_and_a_closed_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let open = || {
            let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
            rustix::fs::open(&path, flags, rustix::fs::Mode::empty()).unwrap()
        };
        assert_eq!(has(&open()), Ok(true));
        assert!(is_named(&open()));
        drop(listener);
        assert!(!is_named(&open()));
        if files().is_ok() {
            assert_eq!(has(&open()), Ok(false));
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "").unwrap();
        assert_eq!(has(&open()), Err(Errno::CONNREFUSED));
    }

    #[test]
    fn odd_answers_are_no_sockets() {
        let mut files = Vec::new();
        for odd in [&[][..], &[0; 3], &[0; 16], &[255; 40], &[8, 0, 0, 0, 20, 0, 0, 0]] {
            let _ = messages(odd, &mut files);
        }
        assert!(files.is_empty());
        let table = "22 1 0:25 / /w rw - tmpfs t rw\n31 22 254:1 /x /y rw - ext4 d rw\n";
        assert_eq!(device_of(table, "31"), Some(254 << 20 | 1));
        assert_eq!(device_of(table, "3"), None);
    }
}
