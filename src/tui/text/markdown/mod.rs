//! Markdown → lines, also while it streams in. A text is cut into segments as its lines arrive; each segment is
//! laid out by itself, so that what is finished never changes and nothing costs more than what is new.
//!
//! - [`stream`]: the text, its segments, and their rows at a width
//! - [`scan`]: the machine that cuts
//! - [`line`]: what a line begins
//! - [`mend`]: the last line while it is incomplete
//! - [`rows`]: what is known of the rows at one width, and how segments become rows
//! - [`prose`]: everything but long code: events of the parser → rows
//! - [`inline`]: emphasis, links, paths
//! - [`table`]: tables, as a grid or as blocks
//! - [`code`]: code blocks and their colours
//! - [`plain`]: the words alone

mod code;
mod inline;
mod line;
mod mend;
mod plain;
mod prose;
mod rows;
mod scan;
mod stream;
mod table;

pub(crate) use code::blocks;
pub(crate) use plain::plain;
pub(crate) use stream::{Stream, render};
