//! How long the files of `spill` are kept. Nobody else removes them, so there must be a bound for one thread and
//! one for all of them: the oldest go first. Trouble is ignored, the next sweep tries again.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Most that the files of one thread may take, in bytes; one more file may come on top.
pub(super) const THREAD_MAX: u64 = 512 << 20;
/// Most that the files of all threads may take, in bytes.
const ALL_MAX: u64 = 1 << 30;
/// Older files are removed whatever they take.
const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Sweeps the folder of all threads. Done when a thread starts; costs one listing per thread that left files.
pub(crate) fn sweep(all: &Path) {
    bound(all, ALL_MAX, AGE_MAX);
}

/// Removes the oldest text files in `dir` and its folders until both bounds hold, and folders left empty.
pub(super) fn bound(dir: &Path, max_bytes: u64, max_age: Duration) {
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    let mut folders = Vec::new();
    for entry in entries(dir) {
        match entry.file_type() {
            // Links are not followed: `file_type` is that of the link.
            Ok(kind) if kind.is_dir() => {
                files.extend(entries(&entry.path()).filter_map(|entry| text_file(&entry)));
                folders.push(entry.path());
            }
            _ => files.extend(text_file(&entry)),
        }
    }
    files.sort_unstable_by(|a, b| b.cmp(a));
    let now = SystemTime::now();
    let mut total = 0_u64;
    for (changed, bytes, path) in files {
        total = total.saturating_add(bytes);
        let old = now.duration_since(changed).is_ok_and(|age| age > max_age);
        if old || total > max_bytes {
            let _ = fs::remove_file(path);
        }
    }
    for folder in folders {
        // Refused while anything is in it.
        let _ = fs::remove_dir(folder);
    }
}

fn entries(dir: &Path) -> impl Iterator<Item = DirEntry> {
    fs::read_dir(dir).into_iter().flatten().flatten()
}

fn text_file(entry: &DirEntry) -> Option<(SystemTime, u64, PathBuf)> {
    let path = entry.path();
    let meta = entry.metadata().ok()?;
    let ours = meta.is_file() && path.extension().is_some_and(|extension| extension == "txt");
    if ours { Some((meta.modified().ok()?, meta.len(), path)) } else { None }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn the_oldest_files_go_first_and_empty_folders_with_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, age_s: u64| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, [0; 100]).unwrap();
            let changed = SystemTime::now() - Duration::from_secs(age_s);
            File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
            path
        };
        let (new, older, oldest) = (file("a/new.txt", 0), file("a/older.txt", 60), file("b/oldest.txt", 120));
        let (other, ancient) = (file("c/other.md", 999_999), file("d/ancient.txt", 999_999));
        bound(dir.path(), 1000, Duration::from_secs(600));
        assert!(new.exists() && older.exists() && oldest.exists(), "both bounds hold");
        assert!(!ancient.exists() && !dir.path().join("d").exists(), "too old");
        bound(dir.path(), 250, Duration::from_secs(600));
        assert!(new.exists() && older.exists() && !oldest.exists() && !dir.path().join("b").exists());
        assert!(other.exists(), "not one of ours");
        bound(&dir.path().join("a"), 100, AGE_MAX);
        assert!(new.exists() && !older.exists());
        sweep(&dir.path().join("missing"));
    }
}
