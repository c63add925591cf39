//! What the user hands in.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One part of the user's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum UserInput {
    /// Text as typed.
    Text {
        /// The text.
        text: String,
    },
    /// An image by URL (`https:` or `data:`).
    Image {
        /// The URL.
        url: String,
    },
    /// An image on disk, read when the turn starts.
    LocalImage {
        /// Absolute path.
        path: PathBuf,
    },
}
