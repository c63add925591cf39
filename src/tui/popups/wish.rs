//! What a popup wants done. Popups decide, the app carries out.

use std::path::PathBuf;

use super::review::Kind;
use crate::base::ids::{AskId, ThreadId};
use crate::protocol::ask::Answer;
use crate::protocol::review::Target;
use crate::protocol::turn::Change;
use crate::tui::door::{Setting, ThreadFilter};
use crate::tui::keys::Key;
use crate::tui::pager::Page;
use crate::tui::transcript;
use crate::tui::usage::menu::Want;

/// What a key did to a popup.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It stays open.
    Stay,
    /// It closes.
    Close,
    /// It closes and wants this.
    Wish(Wish),
    /// It stays open and wants this.
    Keep(Wish),
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wish {
    /// Answer a question of the thread.
    Answer(AskId, Answer, Option<String>),
    /// These keys were typed before the question could be read: they belong to the prompt.
    TypedAhead(Vec<Key>),
    /// Show this on a page of its own.
    Page(Box<Page>),
    /// Choose the effort of this model next.
    Efforts(String),
    /// Ask once more before everything is allowed.
    ConfirmFullAccess,
    /// Take back what this turn changed in files.
    Undo(u64),
    /// Take back what was allowed for the session.
    TakeBack,
    /// Change what the next turns run with.
    Change(Box<Change>),
    /// Use this model and effort, from now on also in other threads when `save`.
    Model {
        /// Slug.
        slug: String,
        /// Effort; `None` leaves it to the model.
        effort: Option<String>,
        /// Also for threads to come.
        save: bool,
    },
    /// Open this thread.
    Resume(ThreadId),
    /// Open this thread, and work in this folder.
    ResumeIn(ThreadId, PathBuf),
    /// Do not open the thread after all.
    NotResumed,
    /// List threads of another kind.
    Threads(ThreadFilter),
    /// Name the thread.
    Rename(String),
    /// Put this text into the clipboard; the label says what it is.
    Copy(String, String),
    /// Use this syntax theme for now.
    PreviewTheme(String),
    /// Store a setting.
    Save(Setting),
    /// Go on as whoever is signed in now.
    Adopt,
    /// Drop this prompt and what follows; true: and undo the edits of files since.
    Rewind(transcript::Key, bool),
    /// The warning in this place was read.
    DropWarning(usize),
    /// Ask what is to be reviewed.
    ReviewMenu,
    /// List what it can be.
    ReviewList(Kind),
    /// Let the user say it.
    ReviewWords,
    /// Review this.
    Review(Target),
    /// Something about limits.
    Usage(Want),
    /// Tell the user this.
    Notice(String),
}
