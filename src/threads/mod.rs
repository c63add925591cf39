//! History on disk: one append-only file of JSON lines per thread (a "rollout"), in the layout and record format
//! that other Codex programs read and write. Files are the only truth; there is no database to repair.
//!
//! - [`error`]: what can go wrong, by what the caller can do about it
//! - [`line`]: the frame of a line: timestamp, type, payload
//! - [`meta`]: the first line of a file: what thread it is; [`settings`] the settings line of each turn
//! - [`keep`]: which items are stored, and how much of their output
//! - [`shapes`]: pieces of payloads that are spelled the same in every record mode; [`words`] and words
//! - [`written`]: items as the events we write; [`payloads`] their shapes
//! - [`events`]: stored events as items and turn marks; [`items`] commands, patches, calls, reviews
//! - [`paginated`]: items as the newer record mode writes them; read only
//! - [`append`]: all-or-nothing appends with a queue for what could not be written
//! - [`locks`]: who may append to a thread
//! - [`writer`]: the one owner of a live thread's file; [`file`] that file
//! - [`reader`]: raw lines from the start or from the end, in bounded memory
//! - [`chain`]: a thread spread over several files by forks and reverts
//! - [`classify`]: what a stored model item is to the history
//! - [`fork`]: a copy of a thread to go on in
//! - [`head`]: the start of a file: thread, turn marks, first prompt
//! - [`history`]: lines from the end → what the model sees; [`pairs`] every call with one output
//! - [`turns`]: lines → what the user saw; [`turn`] the turn itself
//! - [`notes`]: notes among the items of turns; [`places`] and items that were shown elsewhere
//! - [`derive`]: items that only calls and outputs tell of; [`told`] what an output says; [`user_shell`] records of `!`
//! - [`load`]: a stored thread as it is continued; [`page`] its turns for the screen
//! - [`index`]: find and list threads by walking the date folders; [`names`] names the user gave
//! - [`repair`]: mend a torn end
//! - [`spending`]: what a thread's requests cost, for the explanation of limits
//! - [`bench`]: doors for the benchmarks; [`samples`] stored threads for tests

mod append;
pub(crate) mod bench;
mod chain;
mod classify;
mod derive;
mod error;
mod events;
mod file;
mod fork;
mod head;
mod history;
mod index;
mod items;
mod keep;
mod line;
mod load;
mod locks;
mod meta;
pub(crate) mod names;
mod notes;
mod page;
mod paginated;
mod pairs;
mod payloads;
mod places;
mod reader;
mod repair;
#[cfg(test)]
mod samples;
mod settings;
mod shapes;
mod spending;
mod told;
mod turn;
mod turns;
mod user_shell;
mod words;
mod writer;
mod written;

pub(crate) use error::Error;
pub(crate) use fork::fork;
pub(crate) use index::{Filter, Found, List, Order, Summary, find, folder_of, id_of, last, list, resolve};
pub(crate) use load::{Loaded, load};
pub(crate) use meta::{Git, NewThread};
pub(crate) use notes::Placed;
pub(crate) use page::{Cursor, PageSize, earlier, tail};
pub(crate) use settings::Settings;
pub(crate) use spending::{Use, uses};
pub(crate) use turn::Turn;
pub(crate) use writer::{Compacted, Writer};
