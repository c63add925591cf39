//! What every integration test stands on: a scripted backend, a home, a project, and the real binary.

pub mod backend;
pub mod codex;
pub mod world;

pub use codex::Codex;
pub use world::World;
