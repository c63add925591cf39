//! Caches that programs cannot do without. npm, go and their like fail when the folder below the user's home in which
//! they keep what they downloaded or built cannot be written, though nothing they are asked for needs it. The home is not
//! opened for that: what a command leaves in there is used outside later. They are lent a folder among the temporary
//! files instead, of this user alone, which only confined commands use.
#![allow(unsafe_code)] // the environment before the command exists

use std::env;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::wrap::Confine;

/// The variable that moves a cache, and where below the home it is without.
const CACHES: [(&str, &str); 6] = [
    ("npm_config_cache", ".npm"),
    ("YARN_CACHE_FOLDER", ".cache/yarn"),
    ("GOCACHE", ".cache/go-build"),
    ("UV_CACHE_DIR", ".cache/uv"),
    ("CCACHE_DIR", ".cache/ccache"),
    ("ELECTRON_CACHE", ".cache/electron"),
];

/// Tells the command of caches it can write, where it cannot write those of the home and was told of no others. One
/// thread only.
#[allow(clippy::disallowed_methods, reason = "the environment of a supervisor is that of its command")]
pub(super) fn lend(confine: &Confine) {
    let writable = |path: &Path| confine.write.iter().any(|root| path.starts_with(root.path.path()));
    let temporary = env::var_os("TMPDIR").map(PathBuf::from).into_iter().chain([PathBuf::from("/tmp")]);
    let Some(temporary) = temporary.filter_map(|path| path.canonicalize().ok()).find(|path| writable(path))
    else {
        return;
    };
    let Some(home) = env::var_os("HOME").map(PathBuf::from) else { return };
    let missed =
        CACHES.iter().filter(|(name, below)| env::var_os(name).is_none() && !writable(&home.join(below)));
    let missed: Vec<&str> = missed.map(|(name, _)| *name).collect();
    let Some(lent) = (!missed.is_empty()).then(|| own_folder(&temporary)).flatten() else { return };
    for name in missed {
        // SAFETY: supervisors have one thread; the command inherits its environment.
        unsafe { env::set_var(name, lent.join(name)) };
    }
}

/// A folder in there that nobody else can have put anything into; `None` when somebody took its name.
fn own_folder(temporary: &Path) -> Option<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let path = temporary.join(format!("codex-caches-{user}"));
    let _ = DirBuilder::new().mode(0o700).create(&path);
    let found = fs::symlink_metadata(&path).ok()?;
    (found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_folder_is_made_once_and_nobody_elses_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = own_folder(dir.path()).unwrap();
        assert_eq!(own_folder(dir.path()).as_deref(), Some(path.as_path()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(own_folder(dir.path()), None, "others could have filled it");
        fs::remove_dir(&path).unwrap();
        symlink("/etc", &path).unwrap();
        assert_eq!(own_folder(dir.path()), None, "a link leads elsewhere");
    }
}
