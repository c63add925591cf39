//! Landlock: the kernel refuses every write that is not granted below. Beside namespaces it is the second wall;
//! without them the only one, and then what cannot be granted without also granting something protected is not
//! granted: a right on a folder holds for everything in it, so a folder with a protected child gets none itself.

use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, Scope,
};

use crate::process::supervise::SetupError;
use crate::sandbox::names;

/// The newest version this file knows the meaning of.
const NEWEST: ABI = ABI::V6;
/// From here on it keeps signals and abstract sockets in.
const SCOPES: i32 = 6;
/// Entries of one folder that get a grant of their own. The others are written by way of the supervisor, so that a
/// large folder costs no more than a small one.
const ENTRIES: usize = 128;

/// The kernel's version, 0 without Landlock.
pub(crate) fn abi() -> i32 {
    super::sys::landlock_abi()
}

/// What may be written.
pub(super) struct Grants<'a> {
    /// Folders, whole when nothing protected is in them.
    pub(super) write: &'a [PathBuf],
    /// Never granted; empty when mounts protect it.
    pub(super) except: &'a [PathBuf],
    /// Writable among them, but nothing gets a symlink or takes what lay elsewhere: see `Places::in_repository`.
    pub(super) plain: &'a [PathBuf],
    /// Folders and devices that are private to the command, or harmless.
    pub(super) private: &'a [&'a str],
    /// Must not be read, and of devices only the private ones; `None` when mounts hide it.
    pub(super) hide: Option<&'a [PathBuf]>,
}

/// A ruleset ready to be entered. `None` on a kernel without Landlock.
///
/// # Errors
/// The kernel refused.
pub(super) fn ruleset(grants: &Grants<'_>, abi: i32) -> Result<Option<OwnedFd>, SetupError> {
    let mut handled = AccessFs::from_write(ABI::from(abi).min(NEWEST));
    // Disks hold all files, keyboards and terminals what is typed.
    let closed = grants.hide.map(|hide| {
        let devices = Path::new("/dev").to_owned();
        hide.iter().filter(|path| path.exists()).cloned().chain([devices]).collect::<Vec<_>>()
    });
    if closed.is_some() {
        handled |= AccessFs::ReadFile;
    }
    let create = || {
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(handled)?;
        match abi >= SCOPES {
            true => ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal)?.create(),
            false => ruleset.create(),
        }
    };
    let mut ruleset = create().map_err(|error| SetupError::new("landlock", error))?;
    let written = writing() & handled;
    let everywhere = |_: &Path| true;
    for root in grants.write {
        ruleset = grant_around(
            ruleset,
            root,
            &Around { except: grants.except, access: written, plain: grants.plain, few: &everywhere },
        )?;
    }
    if let Some(hide) = &closed {
        // Where the command makes files the supervisor opens them for it, see `Places::hides_inside`.
        let few = |folder: &Path| grants.write.iter().any(|root| folder.starts_with(root));
        let around = Around { except: hide, access: AccessFs::ReadFile.into(), plain: &[], few: &few };
        ruleset = grant_around(ruleset, Path::new("/"), &around)?;
        let beside: Vec<PathBuf> = hide.iter().filter(|path| *path != Path::new("/dev")).cloned().collect();
        ruleset = grant_around(ruleset, Path::new("/dev/shm"), &Around { except: &beside, ..around })?;
    }
    for path in grants.private {
        ruleset = grant(ruleset, Path::new(path), written | (handled & AccessFs::ReadFile))?;
    }
    for fd in [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()] {
        ruleset = grant_inherited(ruleset, fd, handled)?;
    }
    Ok(ruleset.into())
}

/// One right, and where it is not given.
#[derive(Clone, Copy)]
struct Around<'a> {
    except: &'a [PathBuf],
    access: BitFlags<AccessFs>,
    plain: &'a [PathBuf],
    /// Whether only the first entries of this folder are worth a grant.
    few: &'a dyn Fn(&Path) -> bool,
}

/// Grants `path`, or when it contains something excepted, each of its children that may be granted.
fn grant_around(
    ruleset: RulesetCreated,
    path: &Path,
    around: &Around<'_>,
) -> Result<RulesetCreated, SetupError> {
    let Around { except, access, plain, few } = *around;
    if except.iter().any(|excepted| names::below(path, excepted)) {
        return Ok(ruleset);
    }
    if !except.iter().any(|excepted| names::below(excepted, path)) {
        let plain = plain.iter().any(|plain| path.starts_with(plain));
        let less = if plain { AccessFs::MakeSym | AccessFs::Refer } else { BitFlags::empty() };
        return grant(ruleset, path, access & !less);
    }
    let Ok(entries) = fs::read_dir(path) else { return Ok(ruleset) };
    let mut ruleset = ruleset;
    let most = if few(path) { ENTRIES } else { usize::MAX };
    for entry in entries.flatten().take(most) {
        // A grant follows a symlink to its target, which is not in this folder.
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            ruleset = grant_around(ruleset, &entry.path(), around)?;
        }
    }
    Ok(ruleset)
}

/// Nobody's work needs new device nodes.
fn writing() -> BitFlags<AccessFs> {
    AccessFs::from_write(NEWEST) & !(AccessFs::MakeChar | AccessFs::MakeBlock)
}

fn grant(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, SetupError> {
    // Vanished or unreadable: nothing to grant.
    let Ok(fd) = PathFd::new(path) else { return Ok(ruleset) };
    add(ruleset, fd, access)
}

/// A terminal or file that the command got as stdio may also be opened by its name (`> /dev/stderr`).
fn grant_inherited(
    ruleset: RulesetCreated,
    fd: BorrowedFd<'_>,
    handled: BitFlags<AccessFs>,
) -> Result<RulesetCreated, SetupError> {
    use std::os::unix::fs::FileTypeExt;
    let Ok(file) = fd.try_clone_to_owned().map(File::from) else { return Ok(ruleset) };
    let Ok(flags) = rustix::fs::fcntl_getfl(&file) else { return Ok(ruleset) };
    let mode = flags & rustix::fs::OFlags::ACCMODE;
    let mut access = BitFlags::empty();
    if mode != rustix::fs::OFlags::RDONLY {
        access |= AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    }
    if mode != rustix::fs::OFlags::WRONLY {
        access |= AccessFs::ReadFile | AccessFs::IoctlDev;
    }
    match file.metadata().map(|meta| meta.file_type()) {
        Ok(kind) if (kind.is_file() || kind.is_char_device()) && !(access & handled).is_empty() => {
            add(ruleset, file, access & handled)
        }
        _ => Ok(ruleset),
    }
}

fn add(
    ruleset: RulesetCreated,
    fd: impl AsFd,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, SetupError> {
    ruleset.add_rule(PathBeneath::new(fd, access)).map_err(|error| SetupError::new("landlock", error))
}
