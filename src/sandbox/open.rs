//! Which folder may be given to commands when one path in it is needed: the nearest that exists, and never one that
//! holds more than somebody would give away for one file. Such paths are written outside the sandbox, asked each time.

use std::path::{Path, PathBuf};

use super::policy::Roots;

/// Folders of the system, with all that is in them.
const SYSTEM: [&str; 14] = [
    "/proc", "/sys", "/dev", "/boot", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr",
    "/run", "/var",
];
/// But not what is in here.
const TEMPORARY: &str = "/var/tmp";
/// Folders below the home folder in which a file changes what runs at the next start of anything.
const OF_HOME: [&str; 9] = [
    ".ssh",
    ".config",
    ".config/autostart",
    ".config/systemd",
    ".local",
    ".local/bin",
    ".local/share",
    "bin",
    ".git",
];

impl Roots {
    /// The folder whose opening lets commands write at `path` (as [`super::leads::real`] gives it); `None` when it stays closed.
    /// Looks at the disk.
    pub(crate) fn narrowest(&self, path: &Path) -> Option<PathBuf> {
        let folder = path
            .ancestors()
            .skip(1)
            .find_map(|above| above.canonicalize().ok().filter(|above| above.is_dir()))?;
        let in_temporary = folder.parent().is_some_and(|parent| parent.starts_with(TEMPORARY));
        let system = !in_temporary && SYSTEM.iter().any(|system| folder.starts_with(system));
        let whole = folder.components().count() < 3;
        // Above a folder that commands may write: more than the one path that was asked for.
        let above = self.roots().iter().any(|root| root.path.starts_with(&folder));
        let secret =
            self.hidden().iter().any(|hidden| hidden.starts_with(&folder) || folder.starts_with(hidden));
        let place = folder.join(path.file_name().unwrap_or_default());
        let closed =
            system || whole || above || secret || self.is_closed_home(&folder) || self.is_protected(&place);
        (!closed).then_some(folder)
    }

    fn is_closed_home(&self, folder: &Path) -> bool {
        let Some(home) = &self.home else { return false };
        // The home of another.
        let homes = home.parent().filter(|homes| homes.ends_with("home"));
        let beside = homes.is_some() && folder.parent() == homes;
        home.starts_with(folder) || beside || OF_HOME.iter().any(|name| folder == home.join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::policy::{DenyRead, SandboxPolicy};

    #[test]
    fn one_folder_is_opened_and_nothing_that_holds_more() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        for name in [
            "home/u/w/p/.git",
            "home/u/.ssh",
            "home/u/.config/tool",
            "home/u/.aws/x",
            "home/v/y",
            "home/u/o/.git",
        ] {
            std::fs::create_dir_all(top.join(name)).unwrap();
        }
        let home = top.join("home/u");
        let policy = SandboxPolicy::WorkspaceWrite {
            writable_roots: Vec::new(),
            network_access: false,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: true,
        };
        let mut roots = super::super::policy::resolve(&policy, &home.join("w/p"), None);
        roots.never_open(Some(&home));
        roots.deny_read(DenyRead::usual(Some(&home), None));
        for (path, want) in [
            ("home/u/o/x", Some("home/u/o")),
            ("home/u/o/new/deep/x", Some("home/u/o")),
            ("home/u/.config/tool/x", Some("home/u/.config/tool")),
            ("home/v/y/x", Some("home/v/y")),
            ("home/u/.profile", None),
            ("home/u/w/x", None),
            ("home/u/.ssh/authorized_keys", None),
            ("home/u/.config/x", None),
            ("home/u/.aws/x/y", None),
            ("home/v/x", None),
            ("home/x", None),
            ("home/u/w/p/.git/x", None),
        ] {
            assert_eq!(roots.narrowest(&top.join(path)), want.map(|want| top.join(want)), "{path}");
        }
        for path in ["/etc/x", "/usr/local/bin/x", "/var/lib/x", "/var/tmp/x", "/opt", "/x", "/proc/sys/x"] {
            assert_eq!(roots.narrowest(Path::new(path)), None, "{path}");
        }
    }
}
