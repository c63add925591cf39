//! A line that a front end showed beside the items of a thread: what the user allowed, that the model is another one
//! now, a warning, the block of `/status`. It is kept with the thread, so that a resumed thread reads as it was seen;
//! the model never hears of it.
//!
//! Kept is what the user saw happen in the conversation. Not kept is what belongs to one start of the program (its
//! warnings, the words of the tour), what stands beside the conversation (toasts, limits above the prompt), and
//! what tells that there is no thread to keep anything.

use serde::{Deserialize, Serialize};

use crate::base::ids::ItemId;

/// What kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Something to know.
    Info,
    /// Attention.
    Warning,
    /// It went wrong.
    Error,
    /// The user said yes.
    Granted,
}

/// Where in a thread something was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Behind this item.
    pub(crate) after: ItemId,
    /// No turn was at it.
    pub(crate) after_end: bool,
}

/// One line, or a block of labels and values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Identity. A note with the identity of an earlier one takes its place.
    pub(crate) id: ItemId,
    /// The item it was shown after, as far as known; several notes after one item keep their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<ItemId>,
    /// The turn had ended, or none had begun.
    #[serde(default)]
    pub(crate) after_end: bool,
    /// What kind of line.
    pub(crate) level: Level,
    /// The words; of a block, its title.
    pub(crate) message: String,
    /// The next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Labels and values of a block; none of a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rows: Vec<(String, String)>,
}
