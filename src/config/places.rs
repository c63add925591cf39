//! Places that the user opened for good: folders, hosts and ports that commands may use without leaving the sandbox.
//! Those of all projects stand in `[sandbox_workspace_write]`, those of one project under its name in `[projects]`, both
//! in the user's own `config.toml`: what one user allows must not reach others through a repository, nor come from one.

use std::path::{Path, PathBuf};

use toml_edit::Value;

use super::edit;
use super::error::Error;
use super::schema::reader::Reader;
use crate::protocol::ask::Narrow;

/// The table that holds in every project.
const EVERYWHERE: &str = "sandbox_workspace_write";

/// What is open in one project besides what is open everywhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    /// The project as it is written.
    pub(crate) project: PathBuf,
    /// Absolute folders.
    pub(crate) writable_roots: Vec<PathBuf>,
    /// Ports of the machine's loopback.
    pub(crate) loopback_ports: Vec<u16>,
    /// Hosts, perhaps with port.
    pub(crate) network_allow: Vec<String>,
}

impl Opened {
    /// Reads the places of the project `name`.
    ///
    /// # Errors
    /// A value is not allowed.
    pub(super) fn read(name: &str, reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            project: PathBuf::from(name),
            writable_roots: reader.paths("writable_roots")?,
            loopback_ports: reader.ports("loopback_ports")?,
            network_allow: reader.texts("network_allow")?.unwrap_or_default(),
        })
    }

    /// Whether it is about `project`, also by another spelling of its path.
    pub(super) fn is_about(&self, project: &Path) -> bool {
        let real = || self.project.canonicalize().is_ok_and(|real| real == project);
        self.project == project || (self.project.is_absolute() && real())
    }
}

/// The list and the entries that keep a place; `None` when they cannot be written on one line.
fn entries(narrow: &Narrow) -> Option<(&'static str, Vec<Value>)> {
    let (list, entries) = match narrow {
        Narrow::Folder(folder) => ("writable_roots", vec![folder.to_str()?.into()]),
        Narrow::Host(host) => ("network_allow", vec![host.as_str().into()]),
        Narrow::Hosts(hosts) => ("network_allow", hosts.iter().map(|host| host.as_str().into()).collect()),
        Narrow::Port(port) => ("loopback_ports", vec![i64::from(*port).into()]),
    };
    let plain = |entry: &Value| entry.as_str().is_none_or(|text| !text.chars().any(char::is_control));
    Some((list, entries)).filter(|(_, entries)| entries.iter().all(plain))
}

/// What [`keep`] would write, for people; `None` when it cannot. Without a project: for all of them.
pub(crate) fn words(narrow: &Narrow, project: Option<&Path>) -> Option<String> {
    let (list, entries) = entries(narrow)?;
    let entries: Vec<String> = entries.iter().map(|entry| entry.to_string().trim().to_owned()).collect();
    let entry = entries.join(", ");
    Some(match project {
        None => format!("{entry} in {list} of [{EVERYWHERE}]"),
        Some(project) => {
            let name = project.to_str().filter(|name| !name.chars().any(char::is_control))?;
            format!("{entry} in {list} of [projects.{}]", Value::from(name))
        }
    })
}

/// Writes a place into the file at `path`. Blocks.
///
/// # Errors
/// See [`edit::Error`]; the file is as it was then.
pub(crate) fn keep(path: &Path, narrow: &Narrow, project: Option<&Path>) -> Result<(), edit::Error> {
    let Some((list, entries)) = entries(narrow) else { return Ok(()) };
    for entry in entries {
        match project.map(Path::to_str) {
            None => edit::add(path, &[EVERYWHERE, list], entry)?,
            Some(Some(project)) => edit::add(path, &["projects", project, list], entry)?,
            Some(None) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_was_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let project = Path::new("/w/my \"p\"");
        for (narrow, everywhere, here) in [
            (
                Narrow::Folder("/opt/a b".into()),
                "\"/opt/a b\" in writable_roots of [sandbox_workspace_write]",
                "\"/opt/a b\" in writable_roots of [projects.'/w/my \"p\"']",
            ),
            (
                Narrow::Host("a.org:8443".to_owned()),
                "\"a.org:8443\" in network_allow of [sandbox_workspace_write]",
                "\"a.org:8443\" in network_allow of [projects.'/w/my \"p\"']",
            ),
            (
                Narrow::Hosts(vec!["a.org:8443".to_owned(), "b.org:443".to_owned()]),
                "\"a.org:8443\", \"b.org:443\" in network_allow of [sandbox_workspace_write]",
                "\"a.org:8443\", \"b.org:443\" in network_allow of [projects.'/w/my \"p\"']",
            ),
            (
                Narrow::Port(5432),
                "5432 in loopback_ports of [sandbox_workspace_write]",
                "5432 in loopback_ports of [projects.'/w/my \"p\"']",
            ),
        ] {
            assert_eq!(words(&narrow, None).unwrap(), everywhere);
            assert_eq!(words(&narrow, Some(project)).unwrap(), here);
            keep(&path, &narrow, None).unwrap();
            keep(&path, &narrow, Some(project)).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lists = "writable_roots = [\"/opt/a b\"]\nnetwork_allow = [\"a.org:8443\", \"b.org:443\"]\nloopback_ports = [5432]\n";
        assert_eq!(text.matches(lists).count(), 2, "{text}");
        assert_eq!(words(&Narrow::Folder("/a\nb".into()), None), None);
    }
}
