//! A resolved policy in sentences: what a command may write, read and reach here, and what it may not although the
//! policy would let it. One list for the user, wherever it is shown; a part of it for the model.

use std::path::{Path, PathBuf};

use super::detect::{self, Level};
use super::linux::landlock;
use super::policy::{Origin, Root, Roots};
use crate::protocol::policy::SandboxMode;

impl Roots {
    /// One line for banners, for example `workspace-write [workdir, /tmp, $TMPDIR]`.
    pub(crate) fn describe(&self) -> String {
        let rules = self.network_rules();
        let network =
            match (self.network() && !self.full_access(), rules.ports.is_empty(), rules.hosts.is_empty()) {
                (true, ..) => " (network open)",
                (false, true, true) => "",
                (false, false, true) => " (loopback ports open)",
                (false, ..) => " (network by list)",
            };
        if self.mode() != SandboxMode::WorkspaceWrite {
            return format!("{}{network}", self.mode().as_str());
        }
        let names: Vec<String> = self.roots().iter().map(name).collect();
        format!("{} [{}]{network}", self.mode().as_str(), names.join(", "))
    }
}

/// The name of a writable folder in a banner.
fn name(root: &Root) -> String {
    match root.origin {
        Origin::Workdir => "workdir".to_owned(),
        Origin::SlashTmp => "/tmp".to_owned(),
        Origin::Tmpdir => "$TMPDIR".to_owned(),
        Origin::Extra => root.path.display().to_string(),
    }
}

/// Everything that holds, one line each, at most `most` paths in one.
pub(crate) fn listing(roots: &Roots, level: Option<Level>, most: usize) -> Vec<String> {
    if roots.full_access() {
        return vec!["no sandbox: commands may do whatever you may".to_owned()];
    }
    let level = level.map_or_else(detect::level, Ok);
    let mut lines = vec![format!("enforced by: {}", enforcement(level.as_ref().ok().copied()))];
    if let Some(profile) = roots.profile() {
        lines.insert(0, format!("permission profile: {profile}"));
    }
    let write: Vec<&Path> = roots.roots().iter().map(|root| root.path.as_path()).collect();
    lines.push(format!("write: {}", paths(&write, most)));
    if !write.is_empty() {
        let mut closed = vec![Path::new(".git"), Path::new(".codex"), Path::new(".agents")];
        closed.extend(roots.protected().iter().map(PathBuf::as_path));
        closed.extend(roots.repositories().iter().map(PathBuf::as_path));
        lines.push(format!("read-only in there: {}", paths(&closed, most)));
    }
    // In an open repository names are kept from coming to be by Landlock alone.
    if let Some(folder) = roots.git_folder().filter(|_| landlock::abi() > 0) {
        lines.push(format!(
            "git: plain commands (`git add`, `git commit`, …) write {} but for hooks and settings; \
             `sandbox_workspace_write.git = false` takes that away",
            folder.display()
        ));
    }
    let hidden = roots.hidden();
    let hidden: Vec<&Path> = hidden.iter().map(PathBuf::as_path).collect();
    lines.push(format!("not readable: {}", paths(&hidden, most)));
    lines.push(format!("network: {}", network(roots, level.as_ref().ok().copied())));
    lines.extend(limits_of(roots, level.ok()).into_iter().map(|limit| format!("not here: {limit}")));
    lines
}

/// What this machine cannot do of what the policy allows, for the model; mostly nothing.
pub(crate) fn limits(roots: &Roots) -> Vec<&'static str> {
    if roots.full_access() { Vec::new() } else { limits_of(roots, detect::level().ok()) }
}

const NESTING: &str = "programs cannot confine themselves further: a sandbox inside the sandbox is refused";
const SHARING: &str = "POSIX message queues, and extended attributes other than `user.*`, are refused";
const NAMED_SOCKETS: &str = "with the network open Unix sockets with a name are refused; socket pairs work";
const OWN_SERVERS: &str = "TCP leads to servers of the same thread, named Unix sockets to those of the same command; UDP is refused, as what it sends cannot be checked";
const SERVED: &str =
    "every program of this machine reaches the servers of commands, with or without `serve_ports`";
const NESTED: &str = "inside another sandbox, where nobody can be asked, servers, `loopback_ports` and `network_allow` are refused";
const SIGNALS: &str = "nothing keeps a command from signalling other processes of yours";

/// What commands miss, or are not kept from, where there are no namespaces, with the network off. The last one only
/// before Linux 6.12.
pub(crate) const WITHOUT_NAMESPACES: &[&str] =
    &[NESTING, SHARING, OWN_SERVERS, SERVED, NAMED_SOCKETS, NESTED, SIGNALS];

fn limits_of(roots: &Roots, level: Option<Level>) -> Vec<&'static str> {
    if level != Some(Level::Landlock) {
        return Vec::new();
    }
    let mut limits = vec![NESTING, SHARING, if roots.network() { NAMED_SOCKETS } else { OWN_SERVERS }];
    if !roots.network() {
        limits.push(SERVED);
    }
    if landlock::abi() < detect::SCOPED_SIGNALS {
        limits.push(SIGNALS);
    }
    limits
}

fn enforcement(level: Option<Level>) -> String {
    match level {
        Some(Level::Namespaces) => {
            let landlock = if landlock::abi() > 0 { ", Landlock" } else { "" };
            format!("namespaces{landlock} and a filter of system calls")
        }
        Some(Level::Landlock) => {
            format!(
                "Landlock (version {}) and a filter of system calls; namespaces are not to be had here",
                landlock::abi()
            )
        }
        None => "nothing on this machine: commands in the sandbox are refused".to_owned(),
    }
}

fn network(roots: &Roots, level: Option<Level>) -> String {
    let rules = roots.network_rules();
    if roots.network() {
        return "open".to_owned();
    }
    let mut open = Vec::new();
    if level.is_some() {
        if !rules.ports.is_empty() {
            let ports: Vec<String> = rules.ports.iter().map(u16::to_string).collect();
            open.push(format!("ports {} of this machine", ports.join(", ")));
        }
        if !rules.hosts.is_empty() {
            open.push(rules.hosts.join(", "));
        }
    }
    let serve: Vec<String> = rules.serve.iter().map(u16::to_string).collect();
    let served = match (level, serve.is_empty()) {
        (None, _) => String::new(),
        (Some(Level::Landlock), _) => " (commands reach the servers of each other)".to_owned(),
        (_, true) => " (commands reach the servers of each other)".to_owned(),
        (_, false) => format!(
            " (commands reach the servers of each other; this machine reaches them at ports {})",
            serve.join(", ")
        ),
    };
    match open.is_empty() {
        true => format!("off{served}"),
        false => format!("off but for {}{served}", open.join("; ")),
    }
}

fn paths(all: &[&Path], most: usize) -> String {
    if all.is_empty() {
        return "nothing".to_owned();
    }
    let mut text: Vec<String> = all.iter().take(most).map(|path| path.display().to_string()).collect();
    if all.len() > most {
        text.push(format!("and {} more", all.len() - most));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::policy::{DenyRead, NetworkRules, SandboxPolicy};

    #[test]
    fn a_policy_is_told_with_its_grants_its_secrets_and_what_the_level_lacks() {
        let dir = tempfile::tempdir().unwrap();
        let w = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(w.join(".git")).unwrap();
        let policy = SandboxPolicy::workspace();
        let mut roots = super::super::policy::resolve(&policy, &w, None);
        roots.grant_git(&w);
        let secrets = (0..4).map(|n| w.join(format!("secret{n}"))).collect();
        roots.deny_read(DenyRead { paths: secrets, ..DenyRead::default() });
        roots.allow_network(NetworkRules {
            ports: vec![5432],
            serve: vec![3000],
            hosts: vec!["a.example".into()],
            direct: false,
        });
        let text = listing(&roots, Some(Level::Namespaces), 3).join("\n");
        for want in [
            format!("write: {}", w.display()),
            format!("write {}/.git but", w.display()),
            format!("not readable: {0}/secret0, {0}/secret1, {0}/secret2, and 1 more", w.display()),
            "network: off but for ports 5432 of this machine; a.example".to_owned(),
            "commands reach the servers of each other; this machine reaches them at ports 3000".to_owned(),
        ] {
            assert!(text.contains(&want), "{want}: {text}");
        }
        assert!(!text.contains("not here"), "{text}");
        let text = listing(&roots, Some(Level::Landlock), 3).join("\n");
        let want = "network: off but for ports 5432 of this machine; a.example (commands reach the servers of each other)\nnot here";
        assert!(text.contains(want) && text.contains("`serve_ports`"), "{text}");
        let full = super::super::policy::resolve(&SandboxPolicy::DangerFullAccess, &w, None);
        assert_eq!(listing(&full, None, 3).len(), 1);
        assert!(limits(&full).is_empty());
    }
}
