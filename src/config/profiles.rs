//! The permission profile of the user's own that was chosen, made into a policy for one working directory. The line
//! about the longest path counts; what a sandbox that grants folders cannot enforce is refused with its key and place,
//! never left out.

use std::path::{Path, PathBuf};

use super::diagnose::quoted;
use super::error::{Error, Place};
use super::schema::profiles::{Access, FileRule, Network, Profile, Profiles, Target};
use crate::protocol::policy::{NetworkRules, Profiled, SandboxPolicy};

/// Profiles that build on each other.
const DEEPEST: usize = 16;

/// What a profile comes to.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The policy that follows.
    pub(crate) policy: SandboxPolicy,
    /// What the policy has no words for.
    pub(crate) profiled: Profiled,
    /// What commands cannot read.
    pub(crate) denied: Vec<PathBuf>,
    /// What they can, in there.
    pub(crate) readable: Vec<PathBuf>,
    /// What they reach while the network is off.
    pub(crate) network: NetworkRules,
}

/// All lines that count, those of the profile itself last.
#[derive(Default)]
struct Whole {
    files: Vec<FileRule>,
    roots: Vec<PathBuf>,
    network: Network,
    description: Option<String>,
    /// Where the profile itself begins.
    place: Option<Place>,
}

/// Makes the profile `name`, chosen at `chosen`, into a policy.
///
/// # Errors
/// There is no such profile, it has a fault, or it asks for what cannot be enforced.
pub(crate) fn compile(
    name: &str,
    chosen: Place,
    profiles: Profiles,
    cwd: &Path,
    tmpdir: Option<&Path>,
) -> Result<Compiled, Error> {
    let mut profiles = profiles;
    let mut chain = Vec::new();
    let (mut next, mut asked) = (Some((name.to_owned(), chosen)), "default_permissions".to_owned());
    let mut whole = Whole::default();
    while let Some((wanted, place)) = next.take() {
        if let Some(files) = built_in(&wanted) {
            let rule =
                |(target, access)| FileRule { target, access, key: wanted.clone(), place: place.clone() };
            whole.files.extend(files.into_iter().map(rule));
            break;
        }
        if wanted == ":danger-full-access" {
            let problem =
                "is \":danger-full-access\", which has no sandbox that a profile could shape".to_owned();
            return Err(Error::Value { place, key: asked, problem });
        }
        let Some(at) = profiles.iter().position(|(known, _)| *known == wanted) else {
            let known = profiles.iter().map(|(name, _)| quoted(name)).chain(BUILT_IN.map(quoted));
            let known = known.collect::<Vec<_>>().join(", ");
            let problem = match chain.contains(&wanted) {
                true => format!("is {}, which builds on itself", quoted(&wanted)),
                false => {
                    format!("is {}; there is no such permission profile, allowed: {known}", quoted(&wanted))
                }
            };
            return Err(Error::Value { place, key: asked, problem });
        };
        let profile: Profile = profiles.swap_remove(at).1?;
        if chain.len() >= DEEPEST {
            return Err(Error::Value {
                place,
                key: asked,
                problem: "builds on too many profiles".to_owned(),
            });
        }
        asked = format!("permissions.{wanted}.extends");
        chain.push(wanted);
        next.clone_from(&profile.extends);
        whole.below(profile);
    }
    // Read from the profile down; the last line about a place is to be the profile's own.
    whole.files.reverse();
    whole.policy(name, cwd, tmpdir)
}

/// Those that are always there and can be built on.
const BUILT_IN: [&str; 2] = [":read-only", ":workspace"];

/// What the built-in profiles say about files. Without any sandbox there is nothing to restrict.
fn built_in(name: &str) -> Option<Vec<(Target, Access)>> {
    let read = (Target::Root, Access::Read);
    let write = |target| (target, Access::Write);
    match name {
        ":read-only" => Some(vec![read]),
        ":workspace" => {
            let project = Target::Project(PathBuf::new());
            Some(vec![read, write(project), write(Target::Tmpdir), write(Target::SlashTmp)])
        }
        _ => None,
    }
}

impl Whole {
    /// Adds a profile below those that were added.
    fn below(&mut self, profile: Profile) {
        self.files.extend(profile.files.into_iter().rev());
        self.roots.extend(profile.roots);
        let (ours, theirs) = (&mut self.network, profile.network);
        ours.enabled = ours.enabled.or(theirs.enabled);
        ours.domains = ours.domains.take().or(theirs.domains);
        ours.loopback_ports = ours.loopback_ports.take().or(theirs.loopback_ports);
        ours.serve_ports = ours.serve_ports.take().or(theirs.serve_ports);
        ours.upstream = ours.upstream.or(theirs.upstream);
        self.description = self.description.take().or(profile.description);
        self.place.get_or_insert(profile.place);
    }

    /// The last line about a target.
    fn about(&self, target: &Target) -> Option<&FileRule> {
        self.files.iter().rfind(|rule| rule.target == *target)
    }

    fn policy(self, name: &str, cwd: &Path, tmpdir: Option<&Path>) -> Result<Compiled, Error> {
        let root = self.root(name)?;
        let mut projects = vec![cwd.to_owned()];
        projects.extend(self.roots.iter().cloned());
        let places = self.places(&projects, tmpdir);
        let mut found = Found::default();
        if root == Access::Write {
            found.write.push(PathBuf::from("/"));
        }
        // The temporary folders have words of their own in a policy.
        for (path, rule) in places.iter().filter(|(_, rule)| !rule.is_temporary()) {
            let around = places.iter().filter(|(other, _)| other != path && path.starts_with(other));
            let around = around.max_by_key(|(other, _)| other.components().count());
            found.add(path, rule, around.map_or(root, |(_, rule)| rule.access))?;
        }
        let written = |target| self.about(&target).is_some_and(|rule| rule.access == Access::Write);
        let (tmpdir, slash_tmp) = (written(Target::Tmpdir), written(Target::SlashTmp));
        let workdir = found.write.iter().any(|path| path == cwd);
        found.write.retain(|path| path != cwd);
        let network = self.network(name, !found.write.is_empty() || workdir || tmpdir || slash_tmp)?;
        let open = self.network.enabled == Some(true) && self.network.domains.is_none();
        let writes = workdir || tmpdir || slash_tmp || !found.write.is_empty();
        let policy = match writes {
            false => SandboxPolicy::ReadOnly { network_access: open },
            true => SandboxPolicy::WorkspaceWrite {
                writable_roots: found.write,
                network_access: open,
                exclude_tmpdir_env_var: !tmpdir,
                exclude_slash_tmp: !slash_tmp,
            },
        };
        let profiled = Profiled {
            name: name.to_owned(),
            description: self.description,
            policy: policy.clone(),
            read_only: found.read_only,
            workdir: workdir || root == Access::Write,
        };
        Ok(Compiled { policy, profiled, denied: found.denied, readable: found.readable, network })
    }

    /// What holds where no other line does, and that the special names ask for nothing odd.
    fn root(&self, name: &str) -> Result<Access, Error> {
        for target in [Target::Minimal, Target::Tmpdir, Target::SlashTmp, Target::Project(PathBuf::new())] {
            match self.about(&target) {
                Some(rule) if rule.access == Access::Deny => {
                    return Err(rule.refuse("cannot be denied: commands run there"));
                }
                Some(rule) if rule.access == Access::Write && target == Target::Minimal => {
                    return Err(rule.refuse("cannot be \"write\": those are the programs of the system"));
                }
                _ => {}
            }
        }
        match self.about(&Target::Root) {
            Some(rule) if rule.access == Access::Deny => {
                Err(rule.refuse("cannot be denied: this sandbox hides single places, not everything but some"))
            }
            Some(rule) => Ok(rule.access),
            None => Err(Error::Value {
                place: self.begins(name),
                key: format!("permissions.{name}.filesystem"),
                problem: "says nothing about \":root\", which would hide everything else; this sandbox hides single \
                          places only: add \":root\" = \"read\", or extends = \":workspace\""
                    .to_owned(),
            }),
        }
    }

    fn begins(&self, name: &str) -> Place {
        self.place.clone().unwrap_or_else(|| Place::file(Path::new(name)))
    }

    /// All lines about paths, for these projects; of several about one path the last.
    fn places(&self, projects: &[PathBuf], tmpdir: Option<&Path>) -> Vec<(PathBuf, &FileRule)> {
        let mut places: Vec<(PathBuf, &FileRule)> = Vec::new();
        for rule in &self.files {
            let paths = match &rule.target {
                Target::Project(below) => projects.iter().map(|project| project.join(below)).collect(),
                Target::Path(path) => vec![path.clone()],
                Target::SlashTmp => vec![PathBuf::from("/tmp")],
                Target::Tmpdir => tmpdir.map(Path::to_owned).into_iter().collect(),
                Target::Root | Target::Minimal => Vec::new(),
            };
            for path in paths {
                // `join("")` leaves a slash at the end.
                let path: PathBuf = path.components().collect();
                places.retain(|(known, _)| *known != path);
                places.push((path, rule));
            }
        }
        places.sort_by(|(one, _), (other, _)| one.cmp(other));
        places
    }

    fn network(&self, name: &str, writes: bool) -> Result<NetworkRules, Error> {
        let Network { enabled, domains, loopback_ports, serve_ports, upstream } = &self.network;
        let on = *enabled != Some(false);
        let rules = NetworkRules {
            ports: loopback_ports.clone().unwrap_or_default(),
            serve: serve_ports.clone().unwrap_or_default(),
            hosts: domains.clone().filter(|_| on).unwrap_or_default(),
            direct: *upstream == Some(false),
        };
        let some = !(rules.ports.is_empty() && rules.serve.is_empty() && rules.hosts.is_empty());
        match some && !writes {
            false => Ok(rules),
            true => Err(Error::Value {
                place: self.begins(name),
                key: format!("permissions.{name}.network"),
                problem: "opens single hosts or ports, which needs a profile that writes something"
                    .to_owned(),
            }),
        }
    }
}

/// What follows from single lines.
#[derive(Default)]
struct Found {
    write: Vec<PathBuf>,
    read_only: Vec<PathBuf>,
    denied: Vec<PathBuf>,
    readable: Vec<PathBuf>,
}

impl Found {
    /// Adds a line about `path`; `around` is what holds where it stands.
    fn add(&mut self, path: &Path, rule: &FileRule, around: Access) -> Result<(), Error> {
        let closed = || self.read_only.iter().any(|closed| path.starts_with(closed));
        match (rule.access, around) {
            (Access::Write, Access::Deny) => {
                return Err(rule.refuse("cannot be \"write\": it is in a folder that is denied"));
            }
            (Access::Write, _) if closed() => {
                return Err(rule.refuse("cannot be \"write\": it is in a \"read\" folder of a writable one"));
            }
            (Access::Write, _) if path.exists() && !path.is_dir() => {
                return Err(rule.refuse("cannot be \"write\": it is a file, and only folders can be opened"));
            }
            (Access::Write, _) => self.write.push(path.to_owned()),
            (Access::Read, Access::Write) => self.read_only.push(path.to_owned()),
            (Access::Read, Access::Deny) => self.readable.push(path.to_owned()),
            (Access::Read, Access::Read) => {}
            (Access::Deny, _) => self.denied.push(path.to_owned()),
        }
        Ok(())
    }
}

impl FileRule {
    fn is_temporary(&self) -> bool {
        matches!(self.target, Target::Tmpdir | Target::SlashTmp)
    }

    fn refuse(&self, problem: &str) -> Error {
        Error::Value { place: self.place.clone(), key: self.key.clone(), problem: problem.to_owned() }
    }
}

#[cfg(test)]
#[path = "profiles_tests.rs"]
mod tests;
