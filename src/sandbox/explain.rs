//! What the sandbox refused a command, in sentences, each with the narrowest grant that would have allowed it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use super::detect::Level;
use super::linux::{About, Refusal};
use super::names;
use super::policy::{Roots, real};

/// One sentence per refusal that is the sandbox's; others (missing permissions of a file, closed ports) are left
/// out.
pub(crate) fn sentences(roots: &Roots, level: Level, refusals: &[Refusal]) -> Vec<String> {
    let mut said = BTreeSet::new();
    let each = refusals.iter().filter_map(|refusal| sentence(roots, level, refusal));
    each.filter(|sentence| said.insert(sentence.clone())).collect()
}

fn sentence(roots: &Roots, level: Level, refusal: &Refusal) -> Option<String> {
    match &refusal.about {
        About::Write(path) => write(roots, &place(path)).or_else(|| inside(roots, level, refusal, path)),
        About::Read(path) => read(roots, &place(path)),
        About::Address(address) => network(roots, *address),
        About::Socket(path) => Some(socket(path)),
        About::Call => call(roots, refusal),
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
fn inside(roots: &Roots, level: Level, refusal: &Refusal, path: &Path) -> Option<String> {
    let ours = level == Level::Landlock && [libc::EPERM, libc::EACCES].contains(&refusal.errno);
    (ours && roots.can_write(&place(path))).then(|| {
        format!(
            "{} {}: without namespaces, which this machine does not allow, extended attributes are refused \
             everywhere, and inside another sandbox also entries beside a protected folder and changes of modes, \
             owners and times",
            refusal.call,
            path.display()
        )
    })
}

/// Why a path is not writable; `None` when it is.
pub(super) fn write(roots: &Roots, path: &Path) -> Option<String> {
    if path.starts_with("/proc") || path.starts_with("/sys") || path.starts_with("/dev") {
        return Some(format!("{}: belongs to the system; no grant opens it", path.display()));
    }
    let shown = path.display();
    if roots.is_protected(path) {
        return Some(match path.components().any(|part| part.as_os_str() == ".git") {
            true => format!(
                "write {shown}: a repository is written by plain commands of git only (`git add`, `git commit`, …); \
                 other programs have to ask to run outside the sandbox"
            ),
            false => {
                format!("write {shown}: protected; a command that must has to ask to run outside the sandbox")
            }
        });
    }
    if roots.can_write(path) {
        return None;
    }
    let read_only = roots.roots().is_empty();
    if read_only && roots.is_workspace(path) {
        return Some(format!(
            "write {shown}: the sandbox is read-only; `-s workspace-write` opens the workspace"
        ));
    }
    Some(match roots.narrowest(path) {
        Some(folder) if read_only => format!(
            "write {shown}: the sandbox is read-only; `-s workspace-write --add-dir {}` would allow it",
            folder.display()
        ),
        Some(folder) => {
            let folder = folder.display();
            format!("write {shown}: outside the writable folders; `--add-dir {folder}` would allow it")
        }
        None => format!(
            "write {shown}: outside the writable folders, in one that is not given away as a whole; a command that \
             must has to ask to run outside the sandbox"
        ),
    })
}

/// Why a path cannot be read; `None` when the sandbox lets it.
pub(super) fn read(roots: &Roots, path: &Path) -> Option<String> {
    let hidden = roots.hidden().into_iter().find(|hidden| names::below(&real(path), hidden))?;
    Some(secret(path, &hidden))
}

/// The sentence about `path`, which is or is in `hidden`.
pub(super) fn secret(path: &Path, hidden: &Path) -> String {
    format!(
        "read {}: on the list of secrets; `deny_read.allow = [\"{}\"]` in config.toml would allow it",
        path.display(),
        hidden.display()
    )
}

fn network(roots: &Roots, address: SocketAddr) -> Option<String> {
    if roots.network() {
        return None;
    }
    let grant =
        "`network_allow` (by name) or `network_access = true` in [sandbox_workspace_write] would allow it";
    Some(match address.ip().is_loopback() {
        true => format!(
            "connect {address}: the host's loopback is not the sandbox's; \
             `sandbox_workspace_write.loopback_ports = [{}]` would allow it",
            address.port()
        ),
        false if address.port() == 53 => format!("look up a name at {address}: the network is off; {grant}"),
        false => format!("connect {address}: the network is off; {grant}"),
    })
}

fn socket(path: &Path) -> String {
    match path.as_os_str().is_empty() {
        true => {
            "connect to a socket without a path: sockets of the host are out of reach; no grant opens them"
                .to_owned()
        }
        false => format!(
            "connect {}: sockets of the host are out of reach; a command that needs this one has to ask to run \
             outside the sandbox",
            path.display()
        ),
    }
}

fn call(roots: &Roots, refusal: &Refusal) -> Option<String> {
    if refusal.call == "socket" && roots.network() && refusal.errno != libc::EPERM {
        return None;
    }
    let call = &refusal.call;
    Some(format!("system call {call}: refused to every command; one that needs it has to ask to run outside"))
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
                "write /etc/x/y: outside the writable folders, in one that is not given away",
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
        ] {
            let said = says(about.clone());
            assert!(said.contains(want) && !said.contains('|'), "{about:?}: {said}");
        }
        let silent: [About; 2] = [About::Write(w.join("own")), About::Read(PathBuf::from("/etc/shadow"))];
        assert!(silent.into_iter().all(|about| says(about).is_empty()));
    }
}
