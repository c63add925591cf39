//! Refuses to let a model work where nothing could be undone: outside a git repository and outside the folders
//! the user trusts. Only the decision and its words; finding repositories is not done here.

use std::path::Path;

/// `exec` was called in a folder that is neither versioned nor trusted.
#[derive(Debug, thiserror::Error)]
#[error(
    "{folder} is neither in a git repository nor a trusted folder, so changes there could not be undone. \
     Work in a repository, or add --skip-git-repo-check."
)]
pub(crate) struct NotVersioned {
    folder: String,
}

/// Lets the run pass or says why not. `skip`: the user said so, or lifted all guards.
///
/// # Errors
/// The folder is neither in a git repository nor trusted, and the check was not skipped.
pub(crate) fn check(cwd: &Path, in_git: bool, trusted: bool, skip: bool) -> Result<(), NotVersioned> {
    if in_git || trusted || skip { Ok(()) } else { Err(NotVersioned { folder: cwd.display().to_string() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_good_reason_is_enough() {
        let dir = Path::new("/p");
        assert!(check(dir, true, false, false).is_ok());
        assert!(check(dir, false, true, false).is_ok());
        assert!(check(dir, false, false, true).is_ok());
        let text = check(dir, false, false, false).unwrap_err().to_string();
        assert!(text.contains("/p") && text.contains("--skip-git-repo-check"), "{text}");
    }
}
