//! `codex exec`: one turn without a screen. Progress goes to stderr, the answer alone to stdout; or, with
//! `--json`, one event per line to stdout.
//!
//! - [`run`]: the loop: hands the prompt in, shows events, handles signals, ends the thread
//! - [`brake`]: signals and deadlines over every wait
//! - [`input`]: the prompt, from the command line and from stdin
//! - [`human`]: machine: event → text for people
//! - [`jsonl`]: machine: event → JSON lines
//! - [`jsonl_lines`]: these lines as they are written
//! - [`text`]: colours, cleaning of foreign text, shortening
//! - [`output`]: writes stdout and stderr in order, on a thread of its own
//! - [`output_schema`]: reads the file of `--output-schema`
//! - [`gate`]: refuses to work where changes could not be undone
//! - [`last_message`]: writes the file of `-o`

pub(crate) mod brake;
pub(crate) mod gate;
pub(crate) mod human;
pub(crate) mod input;
pub(crate) mod jsonl;
mod jsonl_lines;
pub(crate) mod last_message;
pub(crate) mod output;
pub(crate) mod output_schema;
pub(crate) mod run;
pub(crate) mod text;
