//! `auth.json` as a file: whose it is, who can read it, where a link to it leads, and whether it can be written. All of
//! that is found out before a token is spent for what is to stand in it.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

use super::error::Error;
use super::store::{FILE_NAME, MAX_BYTES, Store, system_words};
use crate::base::clock::{Clock, SystemClock};
use crate::base::fs;
use crate::config::schema::login::CredentialStore;

/// Room that must be free on the disk before a token is spent.
const PROBE_BYTES: usize = 64 << 10;

/// Stands beside a store that is no file: whoever changes what is kept there replaces it.
const CHANGED: &str = "auth.changed";

/// What tells one state of a file from another without reading it; `None` where there is none.
type Look = Option<(u64, i64, i64, u64)>;

/// What tells one state of the store from another without reading it: the file, and the sign of a change elsewhere.
pub(super) type Stamp = [Look; 2];

impl Store {
    /// The state of the store, cheap enough to be looked at for every request.
    pub(super) fn stamp(&self) -> Stamp {
        let look = |path: &Path| {
            let about = path.metadata().ok()?;
            Some((about.ino(), about.mtime(), about.mtime_nsec(), about.size()))
        };
        [look(&self.path), look(&self.home.join(CHANGED))]
    }

    /// Tells other processes that what the keyring holds has changed, as far as the home can be written.
    pub(super) fn mark_changed(&self) {
        let _ = fs::replace_for(&self.home.join(CHANGED), b"", 0o600, self.owner(&self.home));
    }

    /// Takes the file from other users' eyes, if it is ours and they could read it; says so.
    pub(crate) fn tighten(&self) -> Option<String> {
        let metadata = self.path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 == 0 {
            return None;
        }
        let path = self.path.display();
        let ours = metadata.uid() == rustix::process::geteuid().as_raw();
        let done = ours && std::fs::set_permissions(&self.path, Permissions::from_mode(mode & 0o700)).is_ok();
        Some(match done {
            true => format!(
                "The credential file {path} could be read or changed by other users (mode {mode:o}): now it is \
                 yours alone. If others use this machine, sign in anew."
            ),
            false => format!(
                "The credential file {path} can be read or changed by other users (mode {mode:o}), and it is not \
                 yours to change: have its owner run chmod 600 on it."
            ),
        })
    }

    /// Makes sure that [`write`](Self::write) will work, as far as one can know before.
    ///
    /// # Errors
    /// It will not.
    pub(super) fn check_writable(&self) -> Result<(), Error> {
        if self.is_ephemeral() || (!matches!(self.keep, CredentialStore::File) && !self.path.exists()) {
            return Ok(());
        }
        let fail = |reason: &str| {
            Err(Error::File { path: self.path.clone(), doing: "replaced", reason: reason.to_owned() })
        };
        let path = match self.real_path() {
            Ok(path) => path,
            Err(error) => return fail(&system_words(&error)),
        };
        if let Ok(metadata) = path.metadata()
            && metadata.permissions().readonly()
        {
            return fail("it is read-only");
        }
        let about = statx(CWD, &path, AtFlags::empty(), StatxFlags::BASIC_STATS);
        if about.is_ok_and(|about| about.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)) {
            return fail("the file itself is mounted, so it cannot be replaced");
        }
        let probe = || -> std::io::Result<()> {
            let dir = path.parent().unwrap_or(&self.home);
            let mut file = tempfile::Builder::new().prefix(".codex-").tempfile_in(dir)?;
            std::io::Write::write_all(&mut file, &vec![b' '; PROBE_BYTES])?;
            if let Some((uid, gid)) = self.owner(&path) {
                std::os::unix::fs::fchown(&file, Some(uid), Some(gid))?;
            }
            file.as_file().sync_all()
        };
        probe().map_err(|e| Error::File {
            path: self.path.clone(),
            doing: "replaced",
            reason: system_words(&e),
        })
    }

    /// Where the file really is: a link to it stays a link. One that leads nowhere, or to something that is no file,
    /// is an error: putting a file in its place would be a second store that its maker knows nothing of.
    pub(super) fn real_path(&self) -> std::io::Result<PathBuf> {
        if !self.path.is_symlink() {
            return Ok(self.path.clone());
        }
        match self.path.canonicalize() {
            Ok(real) if real.is_file() => Ok(real),
            Ok(_) => Err(std::io::Error::other("it is a link to something that is no file")),
            Err(e) => Err(std::io::Error::new(e.kind(), "it is a link to a file that is not there")),
        }
    }

    /// Whose a file has to be after the superuser wrote it: whose it was, or whose the folder is. Anybody else can
    /// write for themselves only.
    pub(super) fn owner(&self, path: &Path) -> Option<(u32, u32)> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let metadata = path.metadata().or_else(|_| self.home.metadata()).ok()?;
        Some((metadata.uid(), metadata.gid())).filter(|(uid, _)| *uid != 0)
    }

    /// Removes the file; of a link also what it leads to, for there the secrets are.
    pub(super) fn delete_file(&self) -> Result<bool, Error> {
        if self.path.is_symlink()
            && let Ok(real) = self.path.canonicalize()
            && real.is_file()
        {
            std::fs::remove_file(&real).map_err(|e| self.file_error("removed", &e))?;
        }
        match std::fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(self.file_error("removed", &e)),
        }
    }

    /// Renames a damaged file: it may be all that is left of a sign-in. Behind a link it is copied instead.
    pub(super) fn set_aside(&self) -> Result<(), Error> {
        let aside = self.home.join(format!("{FILE_NAME}.damaged-{}", SystemClock.now_s()));
        if self.path.is_symlink() {
            let copied = fs::read_bounded(&self.path, MAX_BYTES)
                .and_then(|bytes| fs::replace_for(&aside, &bytes, 0o600, self.owner(&self.path)));
            return copied.map_err(|e| self.file_error("written", &e));
        }
        match std::fs::rename(&self.path, aside) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(self.file_error("written", &e)),
            _ => Ok(()),
        }
    }
}
