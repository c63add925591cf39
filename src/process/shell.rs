//! Which shell runs a command line: the user's, when it is one that understands our options, else bash, else sh.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::env::Vars;

/// A shell that takes `-c` and `-lc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shell {
    path: PathBuf,
}

impl Shell {
    /// The shell of the user whose environment this is.
    pub(crate) fn of_user(env: &Vars) -> Self {
        Self::choose(env.get(OsStr::new("SHELL")).map(Path::new), &|path| path.is_file())
    }

    fn choose(wanted: Option<&Path>, exists: &dyn Fn(&Path) -> bool) -> Self {
        let known = |path: &&Path| {
            let name = path.file_name().and_then(OsStr::to_str);
            path.is_absolute() && matches!(name, Some("bash" | "zsh" | "sh"))
        };
        let candidates =
            [wanted.filter(known), Some(Path::new("/bin/bash")), Some(Path::new("/usr/bin/bash"))];
        let found = candidates.into_iter().flatten().find(|path| exists(path));
        Self { path: found.unwrap_or(Path::new("/bin/sh")).to_owned() }
    }

    /// A shell the model names: a path, or a name to be found in `PATH`.
    pub(crate) fn named(path: &str) -> Self {
        Self { path: PathBuf::from(path) }
    }

    /// Program and arguments that run `script`, with the user's profile read first when `login`.
    pub(crate) fn argv(&self, script: &str, login: bool) -> Vec<String> {
        let flag = if login { "-lc" } else { "-c" };
        vec![self.path.to_string_lossy().into_owned(), flag.to_owned(), script.to_owned()]
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_back_step_by_step() {
        for (wanted, present, want) in [
            (Some("/usr/bin/zsh"), &["/usr/bin/zsh", "/bin/bash"][..], "/usr/bin/zsh"),
            (Some("/usr/bin/zsh"), &["/bin/bash"], "/bin/bash"),
            (Some("/usr/bin/fish"), &["/usr/bin/fish", "/bin/bash"], "/bin/bash"),
            (Some("bash"), &["bash", "/usr/bin/bash"], "/usr/bin/bash"),
            (None, &[], "/bin/sh"),
        ] {
            let exists = |path: &Path| present.iter().any(|here| path == Path::new(here));
            assert_eq!(Shell::choose(wanted.map(Path::new), &exists).path(), Path::new(want));
        }
    }

    #[test]
    fn login_reads_the_profile() {
        let shell = Shell::named("/bin/bash");
        assert_eq!(shell.argv("ls", true), ["/bin/bash", "-lc", "ls"]);
        assert_eq!(shell.argv("ls", false), ["/bin/bash", "-c", "ls"]);
    }
}
