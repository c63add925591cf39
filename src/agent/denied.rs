//! What a command was refused, and the one place whose opening would have let it through. Read from the words of the
//! command and from what it printed: the kernel does not say. So it is only ever offered, with the place by its full
//! name, and the command then runs in the sandbox as before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use url::{Host, Url};

use crate::approvals::{effects, lists, network};
use crate::net::neighbours::is_listened_to;
use crate::process::parse::{Commands, Shape};
use crate::protocol::ask::{Effect, Narrow};
use crate::protocol::policy::SandboxMode;
use crate::sandbox::Roots;
use crate::tools::gate::CommandRequest;

/// Only the end of a long output is searched.
const SEARCHED_BYTES: usize = 32 * 1024;

/// A command that was stopped, as it is remembered.
#[derive(Clone, Debug)]
pub(crate) struct Denied {
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: PathBuf,
    /// What was refused; empty when nothing is known but the failure.
    pub(crate) what: String,
    /// What would have let it through.
    pub(crate) narrow: Option<Narrow>,
}

impl Denied {
    /// A command that failed without saying that the sandbox was the reason.
    pub(crate) fn silent(request: &CommandRequest) -> Self {
        let (argv, cwd) = (request.argv.clone(), request.cwd.clone());
        Self { argv, cwd, what: String::new(), narrow: None }
    }

    /// Whether it is about the same command in the same folder.
    pub(crate) fn is_of(&self, request: &CommandRequest) -> bool {
        self.argv == request.argv && self.cwd == request.cwd
    }
}

/// Whether everything that the words of `commands` name to write, delete or connect to is open in the sandbox, and
/// something of it is there because somebody opened it.
pub(crate) fn is_open(roots: &Roots, commands: &Commands, cwd: &Path) -> bool {
    if roots.mode() != SandboxMode::WorkspaceWrite || commands.shape != Shape::Plain {
        return false;
    }
    let all: Vec<usize> = (0..commands.pieces.len()).collect();
    let mut opened = false;
    effects::outside(commands, &all, cwd).into_iter().all(|effect| match effect {
        Effect::Writes(path) | Effect::Deletes(path) => {
            let place = place(&path);
            opened |= place.as_deref().is_some_and(|place| roots.is_opened(place));
            place.is_some_and(|place| roots.can_write(&place))
        }
        Effect::Connects(to) => {
            opened = true;
            let all = |narrow: Option<Narrow>| match narrow {
                Some(Narrow::Host(host)) => network::reaches(roots.network_rules(), &host),
                Some(Narrow::Hosts(hosts)) => {
                    hosts.iter().all(|host| network::reaches(roots.network_rules(), host))
                }
                _ => false,
            };
            roots.network()
                || all(hosts_of(&to))
                || network::reaches(roots.network_rules(), &to)
                || own_port(roots, &to)
        }
        Effect::Outside(_) => true,
        _ => false,
    }) && opened
}

/// Whether `to` is an open port of this machine.
fn own_port(roots: &Roots, to: &str) -> bool {
    let port =
        to.rsplit_once(':').filter(|(host, _)| is_loopback(host)).and_then(|(_, port)| port.parse().ok());
    port.is_some_and(|port| roots.network_rules().ports.contains(&port))
}

/// The place that `commands`, run in `cwd`, were probably refused; `None` when it is not exactly one, or when it must
/// stay closed. Blocks: it looks at the disk and at the kernel's lists.
pub(crate) fn narrow(roots: &Roots, commands: &Commands, cwd: &Path, output: &str) -> Option<Narrow> {
    if roots.mode() != SandboxMode::WorkspaceWrite {
        return None;
    }
    let output = searched(output);
    if !roots.network()
        && let Some(found) = unreached(commands, output)
    {
        return Some(found);
    }
    folder(roots, commands, cwd, output)
}

/// The one closed place that the words of `commands` name, before anything was tried; `None` when they name none, several
/// or what is not known to be a place. Blocks like [`narrow`].
pub(crate) fn foreseen(roots: &Roots, commands: &Commands, cwd: &Path) -> Option<Narrow> {
    if roots.mode() != SandboxMode::WorkspaceWrite || commands.shape != Shape::Plain {
        return None;
    }
    let all: Vec<usize> = (0..commands.pieces.len()).collect();
    let (mut paths, mut connects) = (Vec::new(), Vec::new());
    for effect in effects::outside(commands, &all, cwd) {
        match effect {
            Effect::Writes(path) | Effect::Deletes(path) => paths.push(path),
            Effect::Connects(to) => connects.push(to),
            Effect::Outside(_) => {}
            _ => return None,
        }
    }
    if connects.is_empty() || roots.network() {
        return one_folder(roots, paths.into_iter());
    }
    let writable = |path: &PathBuf| place(path).is_some_and(|place| roots.can_write(&place));
    let targets: BTreeSet<(String, u16)> =
        commands.pieces.iter().flatten().flat_map(|word| targets(word)).collect();
    let open = paths.iter().all(writable);
    match connects.as_slice() {
        _ if !open => None,
        [service] if targets.is_empty() => hosts_of(service),
        _ => the_one(targets),
    }
}

/// The hosts of a service that commands connect to without naming them.
fn hosts_of(service: &str) -> Option<Narrow> {
    let (_, hosts) = lists::SERVICES.iter().find(|(name, _)| *name == service)?;
    let mut hosts: Vec<String> = hosts.iter().map(|host| format!("{host}:443")).collect();
    Some(if hosts.len() == 1 { Narrow::Host(hosts.remove(0)) } else { Narrow::Hosts(hosts) })
}

/// The service that could not be reached, by one of its hosts in what was printed or by the words of the command.
fn unreached_service(commands: &Commands, signs: &[&str]) -> Option<Narrow> {
    let names = |host: &&str| signs.iter().any(|line| line.contains(host));
    let mut printed = lists::SERVICES.iter().filter(|(_, hosts)| hosts.iter().any(names));
    match (printed.next(), printed.next()) {
        (Some((service, _)), None) => return hosts_of(service),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    let all: Vec<usize> = (0..commands.pieces.len()).collect();
    let mut services = effects::outside(commands, &all, Path::new("/")).into_iter().filter_map(|effect| {
        let Effect::Connects(to) = effect else { return None };
        Some(to)
    });
    let only = services.next().filter(|_| services.next().is_none())?;
    hosts_of(&only)
}

/// What to open for the one of these hosts.
fn the_one(targets: BTreeSet<(String, u16)>) -> Option<Narrow> {
    let mut targets = targets.into_iter();
    let (host, port) = targets.next().filter(|_| targets.next().is_none())?;
    if is_loopback(&host) {
        // A server of the command's own that does not answer is no matter of the sandbox.
        return is_listened_to(port).then_some(Narrow::Port(port));
    }
    Some(Narrow::Host(format!("{host}:{port}")))
}

/// The part of an output that is searched.
pub(crate) fn searched(output: &str) -> &str {
    let start = output.ceil_char_boundary(output.len().saturating_sub(SEARCHED_BYTES));
    output.get(start..).unwrap_or(output)
}

fn says(line: &str, signs: &[&str]) -> bool {
    let lower = line.to_ascii_lowercase();
    signs.iter().any(|sign| lower.contains(sign))
}

/// The host that could not be reached.
fn unreached(commands: &Commands, output: &str) -> Option<Narrow> {
    const SIGNS: [&str; 10] = [
        "resolve host",
        "name resolution",
        "eai_again",
        "enotfound",
        "network is unreachable",
        "enetunreach",
        "couldn't connect",
        "could not connect",
        "connection refused",
        "econnrefused",
    ];
    let signs: Vec<&str> = output.lines().filter(|line| says(line, &SIGNS)).collect();
    if signs.is_empty() {
        return None;
    }
    let script = commands.script.as_deref().unwrap_or_default();
    let words =
        commands.pieces.iter().flatten().map(String::as_str).chain([script]).chain(signs.iter().copied());
    let targets: BTreeSet<(String, u16)> = words.flat_map(targets).collect();
    match targets
        .iter()
        .all(|(host, _)| lists::SERVICES.iter().any(|(_, hosts)| hosts.contains(&host.as_str())))
    {
        // Hosts that are known to need others.
        true => unreached_service(commands, &signs),
        false => the_one(targets),
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "::1" | "[::1]") || host.starts_with("127.")
}

/// Hosts with ports in a text: addresses, and ports of this machine.
fn targets(text: &str) -> Vec<(String, u16)> {
    let ends = |c: char| c.is_whitespace() || "'\"`<>(),;|\\".contains(c);
    let mut found = Vec::new();
    for word in text.split(ends) {
        let url = word.find("://").and_then(|at| {
            let begins = word.get(..at)?.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
            Url::parse(word.get(begins..)?).ok()
        });
        if let Some(url) = url {
            if let (Some(host), Some(port)) = (url.host(), url.port_or_known_default())
                && url.scheme() != "file"
            {
                let name = match host {
                    Host::Domain(name) => name.to_ascii_lowercase(),
                    Host::Ipv4(ip) => ip.to_string(),
                    Host::Ipv6(ip) => ip.to_string(),
                };
                found.push((name, port));
            }
        } else if let Some((host, port)) = word.rsplit_once(':')
            && is_loopback(host)
        {
            found.extend(port.parse().ok().map(|port| (host.to_owned(), port)));
        }
    }
    let words: Vec<&str> = text.split(ends).filter(|word| !word.is_empty()).collect();
    for at in words.windows(3) {
        if let [host, "port", port] = at
            && is_loopback(host)
        {
            found.extend(port.trim_end_matches(':').parse().ok().map(|port| ((*host).to_owned(), port)));
        }
    }
    // One name for this machine.
    found
        .into_iter()
        .map(|(host, port)| if is_loopback(&host) { ("localhost".to_owned(), port) } else { (host, port) })
        .collect()
}

/// The folder that could not be written.
fn folder(roots: &Roots, commands: &Commands, cwd: &Path, output: &str) -> Option<Narrow> {
    const SIGNS: [&str; 6] =
        ["read-only file system", "erofs", "permission denied", "operation not permitted", "eacces", "eperm"];
    let all: Vec<usize> = (0..commands.pieces.len()).collect();
    let named = effects::outside(commands, &all, cwd).into_iter().filter_map(|effect| match effect {
        Effect::Writes(path) | Effect::Deletes(path) => Some(path),
        _ => None,
    });
    let quotes = |c: char| c.is_whitespace() || "'\"`‘’,()".contains(c);
    let printed = output
        .lines()
        .filter(|line| says(line, &SIGNS))
        .flat_map(|line| {
            let paths: Vec<&str> = line.split(quotes).filter(|word| word.starts_with('/')).collect();
            // "/bin/bash: line 1: /a/b: Read-only file system": the first is who says it.
            let speaker = paths.len() > 1
                && paths.first().is_some_and(|first| line.starts_with(first) && first.ends_with(':'));
            paths.into_iter().skip(usize::from(speaker))
        })
        .map(|word| PathBuf::from(word.trim_end_matches([':', '.'])));
    one_folder(roots, named.chain(printed))
}

/// The one folder that holds those of `paths` that commands cannot write; `None` when it is not exactly one.
pub(crate) fn one_folder(roots: &Roots, paths: impl Iterator<Item = PathBuf>) -> Option<Narrow> {
    let mut folders = BTreeSet::new();
    for path in paths {
        let place = place(&path)?;
        if !roots.can_write(&place) {
            folders.insert(roots.narrowest(&place)?);
        }
    }
    let mut folders = folders.into_iter();
    let only = folders.next().filter(|_| folders.next().is_none())?;
    Some(Narrow::Folder(only))
}

/// A path as it would be written: links in it followed, its last part kept.
fn place(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1).find_map(|above| Some((above.canonicalize().ok()?, above)))?;
    let (real, written) = above;
    Some(real.join(path.strip_prefix(written).ok()?))
}

#[cfg(test)]
#[path = "denied_tests.rs"]
mod tests;
