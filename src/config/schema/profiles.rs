//! `[permissions.<name>]`: permission profiles of the user's own, as written. What a profile comes to in a folder is
//! worked out where the folder is known; what no sandbox of ours can enforce is a fault here, with its place. Faults
//! of profiles that nobody chose wait until somebody does.

use std::path::{Component, Path, PathBuf};

use crate::config::error::{Error, Place};
use crate::config::tree::Value;

use super::reader::Reader;

/// One profile.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// What it is for, in the user's words.
    pub(crate) description: Option<String>,
    /// The profile it begins with, and where that is said.
    pub(crate) extends: Option<(String, Place)>,
    /// Folders besides the working directory that are workspaces too.
    pub(crate) roots: Vec<PathBuf>,
    /// What is said about files.
    pub(crate) files: Vec<FileRule>,
    /// What is said about the network.
    pub(crate) network: Network,
    /// Where it begins.
    pub(crate) place: Place,
}

/// One line about files.
#[derive(Clone, Debug)]
pub(crate) struct FileRule {
    /// What it is about.
    pub(crate) target: Target,
    /// What commands may do there.
    pub(crate) access: Access,
    /// Dotted path of the key.
    pub(crate) key: String,
    /// Where it is written.
    pub(crate) place: Place,
}

/// What a line about files names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// `:root`: everything.
    Root,
    /// `:minimal`: what programs need to run.
    Minimal,
    /// `:project_roots`, or something below each of them.
    Project(PathBuf),
    /// `:tmpdir`.
    Tmpdir,
    /// `:slash_tmp`.
    SlashTmp,
    /// Absolute; `*` in its last part when it is denied.
    Path(PathBuf),
}

/// What commands may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read.
    Read,
    /// Read and write.
    Write,
    /// Neither.
    Deny,
}

/// What is said about the network; what is absent comes from the profile below.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    /// Commands may use it.
    pub(crate) enabled: Option<bool>,
    /// These hosts and no others; empty = every one.
    pub(crate) domains: Option<Vec<String>>,
    /// Ports of this machine.
    pub(crate) loopback_ports: Option<Vec<u16>>,
    /// Ports of commands' own servers.
    pub(crate) serve_ports: Option<Vec<u16>>,
    /// Hosts may be reached by the proxy of the user's environment.
    pub(crate) upstream: Option<bool>,
}

/// All of them by name.
pub(crate) type Profiles = Vec<(String, Result<Profile, Error>)>;

/// Reads all of them.
///
/// # Errors
/// `permissions` is no table of tables.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Profiles, Error> {
    reader.each("permissions", |name, one| Ok((name.to_owned(), profile(one))))
}

fn profile(reader: &mut Reader<'_>) -> Result<Profile, Error> {
    let place = reader.first_place();
    let extends = reader.name("extends")?.zip(reader.place("extends"));
    Ok(Profile {
        description: reader.name("description")?,
        extends,
        roots: reader.paths("workspace_roots")?,
        files: reader.table("filesystem", files)?,
        network: reader.table("network", network)?,
        place,
    })
}

fn files(reader: &mut Reader<'_>) -> Result<Vec<FileRule>, Error> {
    const WORDS: &str = "allowed: \"read\", \"write\", \"deny\"";
    let mut rules = Vec::new();
    for (name, _, value) in reader.written() {
        let Some(place) = reader.place(name) else { continue };
        let mut add = |below: Option<&str>, word: &Value| -> Result<(), Error> {
            let access = match word {
                Value::Text(word) => access(word),
                _ => None,
            };
            let Some(access) = access else {
                return Err(reader.fault(name, &format!("has another value; {WORDS}")));
            };
            let target = match below {
                Some(".") | None if name == ":project_roots" => Target::Project(PathBuf::new()),
                Some(below) => Target::Project(within(reader, name, below)?),
                None => target(reader, name)?,
            };
            pattern(reader, name, &target, access)?;
            let key = format!("{}.{}", reader.path_text(), below.unwrap_or(name));
            rules.push(FileRule { target, access, key, place: place.clone() });
            Ok(())
        };
        match value {
            Value::Table(below) if name == ":project_roots" => {
                for (below, entry) in below {
                    add(Some(below), &entry.node.value)?;
                }
            }
            value => add(None, value)?,
        }
    }
    reader.names_are_free();
    Ok(rules)
}

fn access(word: &str) -> Option<Access> {
    match word {
        "read" => Some(Access::Read),
        "write" => Some(Access::Write),
        "deny" | "none" => Some(Access::Deny),
        _ => None,
    }
}

fn target(reader: &Reader<'_>, name: &str) -> Result<Target, Error> {
    Ok(match name {
        ":root" => Target::Root,
        ":minimal" => Target::Minimal,
        ":tmpdir" => Target::Tmpdir,
        ":slash_tmp" => Target::SlashTmp,
        _ if name.starts_with(':') => {
            let known = ":root, :minimal, :project_roots, :tmpdir, :slash_tmp";
            return Err(reader.fault(name, &format!("is not known; allowed: {known}, or a path")));
        }
        _ if name.starts_with('/') || name.starts_with('~') => Target::Path(reader.path_named(name)),
        _ => Target::Project(within(reader, name, name)?),
    })
}

/// A relative path that stays below.
fn within(reader: &Reader<'_>, key: &str, text: &str) -> Result<PathBuf, Error> {
    let path: PathBuf = Path::new(text).components().filter(|part| *part != Component::CurDir).collect();
    let stays = path.components().all(|part| matches!(part, Component::Normal(_)));
    match stays {
        true => Ok(path),
        false => Err(reader.fault(key, "leads out of the project; write the whole path instead")),
    }
}

/// Patterns can be hidden where one of them names the end of a path, and nothing else.
fn pattern(reader: &Reader<'_>, key: &str, target: &Target, access: Access) -> Result<(), Error> {
    let (Target::Path(path) | Target::Project(path)) = target else { return Ok(()) };
    let text = path.to_string_lossy();
    if !text.contains(['*', '?', '[', '{']) {
        return Ok(());
    }
    let last = path.file_name().unwrap_or_default().to_string_lossy();
    let one = text.matches('*').count() == 1 && last.contains('*') && !text.contains(['?', '[', '{']);
    match (one, access) {
        (true, Access::Deny) => Ok(()),
        (false, Access::Deny) => Err(reader.fault(
            key,
            "is a pattern that this sandbox cannot enforce: one `*` in the last part of a path can be denied \
             (`.env` files of the workspace are by [deny_read])",
        )),
        (_, Access::Read | Access::Write) => Err(reader.fault(key, "is a pattern; only \"deny\" takes one")),
    }
}

fn network(reader: &mut Reader<'_>) -> Result<Network, Error> {
    let has = |reader: &mut Reader<'_>, key| reader.node(key).is_some();
    let loopback_ports = has(reader, "loopback_ports").then(|| reader.ports("loopback_ports")).transpose()?;
    let serve_ports = has(reader, "serve_ports").then(|| reader.ports("serve_ports")).transpose()?;
    for (path, word) in reader.text_map("unix_sockets")? {
        if access(&word) != Some(Access::Deny) {
            let problem =
                format!("opens {path:?}, which this sandbox cannot: sockets of the machine stay closed");
            return Err(reader.fault("unix_sockets", &problem));
        }
    }
    let mut domains = None;
    let mut closed = Vec::new();
    for (host, word) in reader.text_map("domains")? {
        let list: &mut Vec<String> = domains.get_or_insert_default();
        match word.as_str() {
            "allow" => list.push(host),
            "deny" => closed.push(host),
            _ => return Err(reader.fault("domains", "has another value; allowed: \"allow\", \"deny\"")),
        }
    }
    if let Some(list) = &domains
        && list.is_empty()
    {
        return Err(
            reader.fault("domains", "only denies; what is not allowed is closed, so list what is open")
        );
    }
    let covers = |wide: &String, host: &String| {
        wide == host || wide.strip_prefix('*').is_some_and(|end| host.ends_with(end))
    };
    if let Some(host) = closed.iter().find(|host| domains.iter().flatten().any(|wide| covers(wide, host))) {
        let problem = format!("denies {host:?}, which it allows too: no list can say \"all but one\"");
        return Err(reader.fault("domains", &problem));
    }
    let (enabled, upstream) = (reader.flag("enabled")?, reader.flag("allow_upstream_proxy")?);
    Ok(Network { enabled, domains, loopback_ports, serve_ports, upstream })
}
