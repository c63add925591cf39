//! What every integration test stands on: a scripted backend, a home, a project, and the real binary.

pub(crate) mod alive;
pub(crate) mod backend;
pub(crate) mod codex;
pub(crate) mod road;
pub(crate) mod scripts;
pub(crate) mod world;

pub(crate) use alive::Alive;
pub(crate) use codex::Codex;
pub(crate) use world::World;

/// Whether there is a Python to write small clients and servers in; says so when a test has to be skipped.
pub(crate) fn python() -> bool {
    let there = std::process::Command::new("python3").arg("--version").output().is_ok();
    if !there {
        eprintln!("python3 is not installed, skipped");
    }
    there
}
