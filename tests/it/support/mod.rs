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
