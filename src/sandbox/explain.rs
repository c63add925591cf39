//! What the sandbox refused a command, in sentences, each with the narrowest grant that would have allowed it.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use super::detect::Level;
use super::leads::real;
use super::linux::{About, Refusal};
use super::names;
use super::policy::Roots;

/// So many places are named in one sentence.
const NAMED: usize = 3;

/// A refusal in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// What was wanted.
    verb: &'static str,
    /// Of what.
    place: String,
    /// Why not, and what would allow it.
    pub(super) why: String,
}

impl Said {
    fn new(verb: &'static str, place: impl Into<String>, why: impl Into<String>) -> Self {
        Self { verb, place: place.into(), why: why.into() }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.verb, self.place, self.why)
    }
}

/// What the sandbox refused, a sentence for everything that has the same reason; others (missing permissions of a file,
/// closed ports) are left out.
pub(crate) fn sentences(roots: &Roots, level: Level, refusals: &[Refusal]) -> Vec<String> {
    let mut groups: Vec<(Said, Vec<String>)> = Vec::new();
    for said in refusals.iter().filter_map(|refusal| sentence(roots, level, refusal)) {
        let same = groups.iter_mut().find(|(first, _)| first.verb == said.verb && first.why == said.why);
        match same {
            Some((_, places)) if places.contains(&said.place) => {}
            Some((_, places)) => places.push(said.place),
            None => {
                let place = said.place.clone();
                groups.push((said, vec![place]));
            }
        }
    }
    let joined = |(said, places): (Said, Vec<String>)| {
        let more = places.len().saturating_sub(NAMED);
        let mut place = places.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
        if more > 0 {
            place.push_str(&format!(" and {more} more"));
        }
        Said { place, ..said }.to_string()
    };
    groups.into_iter().map(joined).collect()
}

fn sentence(roots: &Roots, level: Level, refusal: &Refusal) -> Option<Said> {
    match &refusal.about {
        About::Write(path) => write(roots, &place(path)).or_else(|| inside(roots, level, refusal, path)),
        About::Read(path) => read(roots, &place(path)).or_else(|| stranger(path)),
        About::Address(address) => network(roots, *address, refusal.errno),
        About::Socket(path) => Some(socket(path)),
        About::Sort(family, sort) => kind_of_socket(roots, refusal, *family, *sort),
        About::Process(process) => Some(Said::new(
            "signal",
            format!("process {process}"),
            "it is none of the command's own; a command that must has to ask to run outside the sandbox",
        )),
        About::Call => call(refusal),
    }
}

/// The last part is not followed: it may be what was to be replaced.
fn place(path: &Path) -> std::path::PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        _ => real(path),
    }
}

/// Refused where writing is allowed: what the level cannot tell apart from what is not.
fn inside(roots: &Roots, level: Level, refusal: &Refusal, path: &Path) -> Option<Said> {
    let denied = [libc::EPERM, libc::EACCES].contains(&refusal.errno);
    if !denied || !roots.can_write(&place(path)) {
        return None;
    }
    let shown = path.display().to_string();
    match (refusal.call.starts_with("mknod"), level) {
        (true, _) => {
            Some(Said::new("make device", shown, "no command of the sandbox may; no grant allows it"))
        }
        (false, Level::Namespaces) => None,
        (false, Level::Landlock) => Some(Said::new(
            "change",
            shown,
            "without namespaces, which are not to be had here, extended attributes are refused everywhere, and inside \
             another sandbox also entries beside a protected folder and changes of modes, owners and times",
        )),
    }
}

/// A file of a process that is none of the command's.
fn stranger(path: &Path) -> Option<Said> {
    let process = path.strip_prefix("/proc").ok()?.components().next()?.as_os_str().to_str()?;
    let number = process.bytes().all(|byte| byte.is_ascii_digit());
    let why = "of a process that is none of the command's own; no grant opens it";
    number.then(|| Said::new("read", path.display().to_string(), why))
}

/// Why a path is not writable; `None` when it is.
pub(super) fn write(roots: &Roots, path: &Path) -> Option<Said> {
    let said = |why: &str| Some(Said::new("write", path.display().to_string(), why));
    if path.starts_with("/proc") || path.starts_with("/sys") || path.starts_with("/dev") {
        return said("belongs to the system; no grant opens it");
    }
    if roots.is_protected(path) {
        return said(match path.components().any(|part| part.as_os_str() == ".git") {
            true => {
                "a repository is written by plain commands of git only (`git add`, `git commit`, …), its settings and \
                 hooks by none; others have to ask to run outside the sandbox"
            }
            false => "protected; a command that must has to ask to run outside the sandbox",
        });
    }
    if roots.can_write(path) {
        return None;
    }
    let read_only = roots.roots().is_empty();
    if read_only && roots.is_workspace(path) {
        return said("the sandbox is read-only; `-s workspace-write` opens the workspace");
    }
    match roots.narrowest(path) {
        Some(folder) if read_only => said(&format!(
            "the sandbox is read-only; `-s workspace-write --add-dir {}` would allow it",
            folder.display()
        )),
        Some(folder) => {
            said(&format!("outside the writable folders; `--add-dir {}` would allow it", folder.display()))
        }
        None => said(
            "outside the writable folders, and its folder is never opened as a whole; a command that must has to ask to \
             run outside the sandbox",
        ),
    }
}

/// Why a path cannot be read; `None` when the sandbox lets it.
pub(super) fn read(roots: &Roots, path: &Path) -> Option<Said> {
    let hidden = roots.hidden().into_iter().find(|hidden| names::below(&real(path), hidden))?;
    Some(kept_secret(path, &hidden))
}

/// The sentence about `path`, which is or is in `hidden`.
pub(super) fn secret(path: &Path, hidden: &Path) -> String {
    kept_secret(path, hidden).to_string()
}

fn kept_secret(path: &Path, hidden: &Path) -> Said {
    let allow = hidden.display();
    let why =
        format!("on the list of secrets; `deny_read.allow = [\"{allow}\"]` in config.toml would allow it");
    Said::new("read", path.display().to_string(), why)
}

fn network(roots: &Roots, address: SocketAddr, errno: i32) -> Option<Said> {
    if roots.network() {
        return None;
    }
    let listed = address.ip().is_loopback() && roots.network_rules().ports.contains(&address.port());
    if listed {
        // Else nobody is there.
        return (errno == libc::EPERM).then(|| {
            let why = "listed, but inside another sandbox, where nobody can be asked, no port is opened";
            Said::new("connect", address.to_string(), why)
        });
    }
    let grant =
        "`network_allow` (by name) or `network_access = true` in [sandbox_workspace_write] would allow it";
    let off = format!("the network is off; {grant}");
    Some(match address.ip().is_loopback() {
        true => Said::new(
            "connect",
            address.to_string(),
            format!(
                "the host's loopback is not the sandbox's; `sandbox_workspace_write.loopback_ports = [{}]` would allow it",
                address.port()
            ),
        ),
        false if address.port() == 53 => Said::new("look up", "names", off),
        false => Said::new("connect", address.to_string(), off),
    })
}

fn socket(path: &Path) -> Said {
    match path.as_os_str().is_empty() {
        true => Said::new(
            "connect",
            "to a socket without a path",
            "sockets of the host are out of reach; no grant opens them",
        ),
        false => Said::new(
            "connect",
            path.display().to_string(),
            "sockets of the host are out of reach; a command that needs this one has to ask to run outside the sandbox",
        ),
    }
}

/// A socket of a sort that is not to be had.
fn kind_of_socket(roots: &Roots, refusal: &Refusal, family: i32, sort: i32) -> Option<Said> {
    if roots.network() && refusal.errno != libc::EPERM {
        return None;
    }
    let outside = "a command that needs one has to ask to run outside the sandbox";
    let (place, why) = match (family, sort) {
        (libc::AF_UNIX, libc::SOCK_DGRAM) => (
            "datagram socket of Unix".to_owned(),
            format!(
                "it would reach daemons of this machine by name; stream sockets and pairs of any work; {outside}"
            ),
        ),
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_RAW) => ("raw socket".to_owned(), outside.to_owned()),
        (libc::AF_INET | libc::AF_INET6, _) => (
            "internet socket".to_owned(),
            "the network is off; `network_access = true` in [sandbox_workspace_write] would allow it"
                .to_owned(),
        ),
        (libc::AF_NETLINK, _) => ("netlink socket".to_owned(), outside.to_owned()),
        (libc::AF_VSOCK, _) => ("vsock socket".to_owned(), outside.to_owned()),
        (libc::AF_PACKET, _) => ("packet socket".to_owned(), outside.to_owned()),
        _ => (format!("socket of family {family}"), outside.to_owned()),
    };
    Some(Said::new("make", place, why))
}

fn call(refusal: &Refusal) -> Option<Said> {
    if refusal.call == UNDER_EXPLAIN && refusal.errno == libc::EPERM {
        return None;
    }
    let why = "no command of the sandbox may; one that needs it has to ask to run outside";
    Some(Said::new("system call", refusal.call.clone(), why))
}

/// The call that fails because the command is followed, and not because of the sandbox.
const UNDER_EXPLAIN: &str = "ptrace";

/// What following a command spoilt for it; `None` mostly.
pub(crate) fn spoilt(refusals: &[Refusal]) -> Option<&'static str> {
    let traced = |one: &Refusal| one.call == UNDER_EXPLAIN && one.errno == libc::EPERM;
    refusals.iter().any(traced).then_some(
        "ptrace failed because `explain` follows the command itself; without it, debuggers and strace work in the sandbox \
         on what they start",
    )
}

/// Whether a refusal is worth remembering.
pub(crate) fn matters(roots: &Roots, level: Level, refusal: &Refusal) -> bool {
    sentence(roots, level, refusal).is_some() || spoilt(std::slice::from_ref(refusal)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::policy::{DenyRead, SandboxPolicy};
    use std::path::PathBuf;

    #[test]
    fn each_refusal_names_its_place_and_grant() {
        let dir = tempfile::tempdir().unwrap();
        let w = dir.path().canonicalize().unwrap();
        // Beside the workspace, in no other writable folder.
        let (other, w) = (w.join("other"), w.join("w"));
        for folder in [&other, &w] {
            std::fs::create_dir(folder).unwrap();
        }
        let policy = SandboxPolicy::WorkspaceWrite {
            writable_roots: Vec::new(),
            network_access: false,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: true,
        };
        let mut roots = super::super::policy::resolve(&policy, &w, None);
        roots.deny_read(DenyRead { paths: vec![w.join("key")], ..DenyRead::default() });
        let says = |about: About| {
            let refusal = Refusal { call: "bpf".to_owned(), about, errno: libc::EPERM };
            sentences(&roots, Level::Namespaces, &[refusal.clone(), refusal]).join("|")
        };
        for (about, want) in [
            (
                About::Write("/etc/x/y".into()),
                "write /etc/x/y: outside the writable folders, and its folder is never opened",
            ),
            (
                About::Write(other.join("x")),
                &format!("outside the writable folders; `--add-dir {}`", other.display()),
            ),
            (About::Write(w.join(".git/index.lock")), "plain commands of git"),
            (About::Write(w.join(".codex/x")), "protected"),
            (About::Write("/proc/sys/x".into()), "no grant"),
            (About::Read(w.join("key")), "on the list of secrets; `deny_read.allow"),
            (About::Address("10.1.2.3:443".parse().unwrap()), "connect 10.1.2.3:443: the network is off"),
            (About::Address("127.0.0.1:5432".parse().unwrap()), "loopback"),
            (About::Socket("/run/docker.sock".into()), "connect /run/docker.sock"),
            (About::Call, "system call bpf"),
            (About::Sort(libc::AF_UNIX, libc::SOCK_DGRAM), "make datagram socket of Unix"),
            (About::Sort(libc::AF_NETLINK, libc::SOCK_RAW), "make netlink socket"),
            (About::Process(1), "signal process 1: it is none of the command's own"),
            (About::Read("/proc/1/environ".into()), "none of the command's own"),
        ] {
            let said = says(about.clone());
            assert!(said.contains(want) && !said.contains('|'), "{about:?}: {said}");
        }
        let silent: [About; 2] = [About::Write(w.join("own")), About::Read(PathBuf::from("/etc/shadow"))];
        assert!(silent.into_iter().all(|about| says(about).is_empty()));
    }

    #[test]
    fn one_reason_is_told_once_and_following_is_no_refusal() {
        let dir = tempfile::tempdir().unwrap();
        let roots = super::super::policy::resolve(&SandboxPolicy::workspace(), dir.path(), None);
        let refusal = |call: &str, about| Refusal { call: call.to_owned(), about, errno: libc::EPERM };
        let writes: Vec<Refusal> =
            (0..5).map(|n| refusal("openat", About::Write(format!("/etc/x{n}").into()))).collect();
        let said = sentences(&roots, Level::Namespaces, &writes);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("write /etc/x0, /etc/x1, /etc/x2 and 2 more: outside"), "{said:?}");
        let traced = [refusal("ptrace", About::Call)];
        assert!(sentences(&roots, Level::Namespaces, &traced).is_empty());
        assert!(spoilt(&traced).is_some() && spoilt(&writes).is_none());
        let device = [refusal("mknodat", About::Write(dir.path().join("dev")))];
        assert!(sentences(&roots, Level::Namespaces, &device)[0].starts_with("make device"));
    }
}
