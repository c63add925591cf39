//! Unix sockets of a network that have a name in the file system.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// All of the network that this process is in, once each, symlinks on the way resolved.
pub(super) fn of_network() -> Vec<PathBuf> {
    let mut found = parse(&fs::read("/proc/net/unix").unwrap_or_default());
    for path in &mut found {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name())
            && let Ok(folder) = fs::canonicalize(folder)
        {
            *path = folder.join(name);
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The eighth column, when it is a path. Abstract names start with `@`, unnamed sockets have no such column.
fn parse(table: &[u8]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = table.split(|byte| *byte == b'\n').skip(1).filter_map(path).collect();
    found.sort();
    found.dedup();
    found
}

fn path(line: &[u8]) -> Option<PathBuf> {
    let mut rest = line;
    for _ in 0..7 {
        let start = rest.iter().position(|byte| *byte != b' ')?;
        rest = rest.get(start..)?;
        rest = rest.get(rest.iter().position(|byte| *byte == b' ')?..)?;
    }
    let name = rest.get(1..)?;
    name.starts_with(b"/").then(|| Path::new(OsStr::from_bytes(name)).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_also_with_spaces_and_nothing_else() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 16158 /run/a b\n\
            0000000000000000: 00000002 00000000 00010000 0001 01   158 @/tmp/.X11-unix/X0\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 22222\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 16158 /run/a b\n";
        assert_eq!(parse(table), [PathBuf::from("/run/a b")]);
        assert!(parse(b"").is_empty());
    }
}
