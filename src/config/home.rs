//! The folder of the user's files, and the configuration in it; other files are named where they are read.
//! Finding it creates nothing: whoever writes first makes the folder, so that looking at a configuration leaves
//! no trace.

use std::path::{Path, PathBuf};

use super::env::Env;
use super::error::Error;

/// Finds the folder: `CODEX_HOME`, which must then exist, or `~/.codex`, which need not.
///
/// # Errors
/// `CODEX_HOME` is not a folder, or there is no home folder.
pub(crate) fn find(env: &Env) -> Result<PathBuf, Error> {
    let Some(set) = env.codex_home() else {
        return env.home().map(|home| home.join(".codex")).ok_or(Error::NoHome);
    };
    let fail = |problem: String| Error::Home { path: set.to_owned(), problem };
    let path = match env.cwd() {
        Some(cwd) => cwd.join(set),
        None if set.is_absolute() => set.to_owned(),
        None => return Err(fail("the path is relative and there is no working directory".to_owned())),
    };
    let real = path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            fail("there is no such folder: create it or unset the variable".to_owned())
        }
        _ => fail(format!("it cannot be opened: {error}")),
    })?;
    if real.is_dir() { Ok(real) } else { Err(fail("that is not a folder".to_owned())) }
}

/// The user's configuration.
pub(crate) fn config_file(home: &Path) -> PathBuf {
    home.join("config.toml")
}

/// The file of a profile; the name must have been checked.
pub(crate) fn profile_file(home: &Path, name: &str) -> PathBuf {
    home.join(format!("{name}.config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_not_created_and_an_explicit_one_must_exist() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let home = root.to_str().unwrap();
        assert_eq!(find(&Env::of(&[("HOME", home)], &root)).unwrap(), root.join(".codex"));
        assert!(!root.join(".codex").exists());

        std::fs::create_dir(root.join("mine")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        assert_eq!(find(&Env::of(&[("CODEX_HOME", "mine")], &root)).unwrap(), root.join("mine"));
        for (set, says) in
            [("no-such", "no such folder"), ("file", "not a folder"), ("file/x", "cannot be opened")]
        {
            let error = find(&Env::of(&[("CODEX_HOME", set)], &root)).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains(set), "{error}");
        }
        assert!(matches!(find(&Env::of(&[], &root)), Err(Error::NoHome)));
    }
}
