//! What a start finds of earlier runs: patches that a crash cut off are undone before anything else happens, and
//! outputs that no thread will ask for any more are removed. Both cost nothing when there is nothing.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::base::tasks;
use crate::config::Config;
use crate::patch;

/// Complete outputs of commands are kept this long: threads are rarely resumed later.
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Folder of the journals of running patches.
pub(crate) fn journals(config: &Config) -> PathBuf {
    config.codex_home.join("tmp").join("patches")
}

/// Folder of complete outputs, one folder per thread.
pub(crate) fn outputs(config: &Config) -> PathBuf {
    config.codex_home.join("tmp").join("outputs")
}

/// Undoes or finishes patches that a crash cut off; sentences for the user about each.
pub(crate) fn recover_patches(config: &Config) -> Vec<String> {
    let journals = journals(config);
    if !journals.is_dir() {
        return Vec::new();
    }
    let mut told = Vec::new();
    for patch in patch::recover(&journals) {
        if patch.undone && patch.problems.is_empty() {
            let first = patch.paths.first().map(|path| path.display().to_string()).unwrap_or_default();
            let more = match patch.paths.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            told.push(format!("an earlier run ended in the middle of a patch; it was undone: {first}{more}"));
        }
        told.extend(patch.problems.iter().map(|problem| format!("an earlier run left a patch: {problem}")));
    }
    told
}

/// Removes the outputs of threads that have not run for long. Trouble is left for the next time.
pub(crate) async fn prune(outputs: PathBuf) {
    let _ = tasks::blocking("prune outputs", move || prune_now(&outputs, SystemTime::now())).await;
}

fn prune_now(outputs: &Path, now: SystemTime) {
    for entry in std::fs::read_dir(outputs).into_iter().flatten().flatten() {
        let old = entry
            .metadata()
            .and_then(|meta| meta.modified())
            .is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > KEPT));
        if old {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_outputs_go() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("thread")).unwrap();
        prune_now(dir.path(), SystemTime::now());
        assert!(dir.path().join("thread").exists());
        prune_now(dir.path(), SystemTime::now() + KEPT + Duration::from_secs(60));
        assert!(!dir.path().join("thread").exists());
    }
}
