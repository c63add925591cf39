//! Who the command is: the same user, without power. An ordinary user keeps exactly its own id. Root keeps
//! all ids of its own namespace, so that files show their owners, and of all capabilities only those over files
//! (a workspace often belongs to another user): what can be written is decided by mounts and Landlock, which no
//! capability inside opens.

use std::fs;
use std::io;

use rustix::process::{getegid, geteuid};
use rustix::thread::{self, CapabilitiesSecureBits, CapabilitySet, CapabilitySets};

use crate::process::supervise::SetupError;

/// Power over files, for root only.
const OVER_FILES: CapabilitySet =
    CapabilitySet::CHOWN.union(CapabilitySet::DAC_OVERRIDE).union(CapabilitySet::FOWNER);

/// Writes the id maps of process `pid`, which has just entered a new user namespace.
///
/// # Errors
/// The system forbids it; nothing can be set up in that namespace then.
pub(super) fn map(pid: i32) -> Result<(), SetupError> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let proc = format!("/proc/{pid}");
    if uid == 0 && map_all(&proc).is_ok() {
        return Ok(());
    }
    let one = || -> io::Result<()> {
        fs::write(format!("{proc}/setgroups"), "deny")?;
        fs::write(format!("{proc}/gid_map"), format!("{gid} {gid} 1\n"))?;
        fs::write(format!("{proc}/uid_map"), format!("{uid} {uid} 1\n"))
    };
    one().map_err(|error| SetupError::new("user namespace", error))
}

/// Every id we have ourselves, mapped to itself. The user map last: it decides the result.
fn map_all(proc: &str) -> io::Result<()> {
    for name in ["gid_map", "uid_map"] {
        let ours = fs::read_to_string(format!("/proc/self/{name}"))?;
        let mut text = String::new();
        for line in ours.lines() {
            let mut words = line.split_whitespace();
            if let (Some(inside), Some(_), Some(count)) = (words.next(), words.next(), words.next()) {
                text.push_str(&format!("{inside} {inside} {count}\n"));
            }
        }
        fs::write(format!("{proc}/{name}"), text)?;
    }
    Ok(())
}

/// Gives up every capability but, for root, those over files; for good, also through set-user-id programs.
///
/// # Errors
/// The system refused; the command must not run.
pub(super) fn drop_capabilities() -> Result<(), SetupError> {
    let fail = |error: rustix::io::Errno| SetupError::new("capabilities", error);
    let bits = CapabilitiesSecureBits::NO_ROOT
        | CapabilitiesSecureBits::NO_ROOT_LOCKED
        | CapabilitiesSecureBits::NO_SETUID_FIXUP
        | CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED
        | CapabilitiesSecureBits::KEEP_CAPS_LOCKED;
    // Belt to the braces of no-new-privileges, which alone keeps an execution as root from gaining any; a
    // container may not allow it.
    let _ = thread::set_capabilities_secure_bits(bits);
    let held = thread::capabilities(None).map_err(fail)?.permitted;
    let keep = if geteuid().is_root() { OVER_FILES & held } else { CapabilitySet::empty() };
    let sets = CapabilitySets { effective: keep, permitted: keep, inheritable: keep };
    thread::set_capabilities(None, sets).map_err(fail)?;
    for capability in keep {
        thread::configure_capability_in_ambient_set(capability, true).map_err(fail)?;
    }
    Ok(())
}
