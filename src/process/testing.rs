//! For tests: the supervisor is the program itself, which `cargo test` builds beside the test binary.

use super::spawn::Launcher;

/// Starts commands under the real supervisor.
pub(crate) fn launcher() -> Launcher {
    let here = std::env::current_exe().unwrap();
    let binary = here.parent().and_then(|deps| deps.parent()).unwrap().join("codex");
    assert!(binary.is_file(), "{} is missing: build the binary first (cargo build)", binary.display());
    Launcher::at(binary)
}
