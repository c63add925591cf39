//! What the model can call: one file = one tool, plus what several of them share.
//!
//! - [`tool`]: the seam: a call comes in, items are told, an output goes back
//! - [`context`]: what a tool may use while it runs
//! - [`gate`]: may this command run, and how; wired to approvals and sandbox from outside
//! - [`arguments`]: JSON of a call → its parameters
//! - [`output`]: what the model is told about a command, within its budget
//! - [`commands`]: from a request to a running command: ask, start, wait, repeat when allowed
//! - [`live`]: a running command with its output and its item
//! - [`sessions`]: commands that outlive their call
//! - [`registry`]: which tools a thread offers and accepts
//! - [`apply_patch`]: changes files
//! - [`exec_command`]: runs a command line
//! - [`write_stdin`]: talks to a session
//! - [`shell`]: the older shell tools, accepted but not offered
//! - [`user_shell`]: the user's own commands
//! - [`update_plan`]: the model's plan
//! - [`view_image`]: shows the model an image
//! - [`picture`]: image bytes → a `data:` URL of bounded size

pub(crate) mod apply_patch;
mod arguments;
pub(crate) mod commands;
pub(crate) mod context;
pub(crate) mod exec_command;
pub(crate) mod gate;
mod live;
mod output;
pub(crate) mod picture;
pub(crate) mod registry;
mod sessions;
pub(crate) mod shell;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tool;
pub(crate) mod update_plan;
mod user_shell;
pub(crate) mod view_image;
pub(crate) mod write_stdin;
