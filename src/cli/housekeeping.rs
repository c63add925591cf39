//! What a start finds of earlier runs: patches that a crash cut off are undone before anything else happens. Costs
//! nothing when there is nothing.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::patch;
use crate::workspace::undo;

/// Folder of the journals of running patches.
pub(crate) fn journals(config: &Config) -> PathBuf {
    config.codex_home.join("tmp").join("patches")
}

/// Folder of complete outputs, one folder per thread.
pub(crate) fn outputs(config: &Config) -> PathBuf {
    config.codex_home.join("tmp").join("outputs")
}

/// Folder of what undo keeps, one folder per working directory.
pub(crate) fn undo(codex_home: &Path) -> PathBuf {
    codex_home.join("undo")
}

/// Writes down what a turn had changed, and finishes what was being taken back, when a crash came; sentences for the
/// user about each.
pub(crate) fn recover_undo(config: &Config) -> Vec<String> {
    let base = undo(&config.codex_home);
    let cut = undo::recover_turns(&base).into_iter().map(|root| {
        format!("an earlier run ended in the middle of a turn in {}; `codex undo --dry-run` there shows what it had changed", root.display())
    });
    let mended = undo::recover_reverts(&base).into_iter();
    let mended = mended.map(|root| {
        format!("an earlier run ended while it took back a turn in {}; it was finished", root.display())
    });
    cut.chain(mended).collect()
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
