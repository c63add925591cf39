//! Text → lines. Everything that came from outside (model, commands, files) passes [`sanitize`] before it is laid
//! out; every function here keeps to the width it is given, in cells of the terminal.
//!
//! - [`width`]: how many cells a text takes; cutting to a width
//! - [`wrap`]: lines that fit
//! - [`sanitize`]: nothing a terminal could obey
//! - [`reveal`]: what would be invisible, made visible
//! - [`ansi`]: output of commands, its colours kept
//! - [`links`]: OSC 8 links as part of a style
//! - [`markdown`]: Markdown, also while it streams in
//! - [`highlight`]: code in colours
//! - [`syntaxes`]: grammars and colour themes behind it
//! - [`diff`]: unified diffs with line numbers
//! - [`hunks`]: what a unified diff says, line by line

pub(crate) mod ansi;
#[cfg(test)]
mod cost_tests;
pub(crate) mod diff;
pub(crate) mod highlight;
mod hunks;
pub(crate) mod links;
pub(crate) mod markdown;
mod reveal;
mod sanitize;
pub(crate) mod syntaxes;
mod width;
mod wrap;

pub(crate) use reveal::{lookalikes, reveal, reveal_line};
pub(crate) use sanitize::{Sanitizer, sanitize};
pub(crate) use width::{line_width, truncate_end, truncate_line, truncate_middle, truncate_start, width};
pub(crate) use wrap::{Flow, hard_wrap, wrap};
