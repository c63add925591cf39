//! Usage limits: the shared cache, `codex usage`, and everything odd that a service can say.

mod bad;
mod bed;
mod command;
mod schema;
mod shared;
mod turns;
