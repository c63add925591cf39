//! All that can happen to the app.

use std::path::PathBuf;
use std::sync::Arc;

use super::composer::history_file;
use super::door::{Begin, Elsewhere, Glimpse, Setting, ThreadFilter, ThreadInfo, ThreadRow, Undone, Way};
use super::popups::review::Choices;
use super::terminal::Input;
use super::usage::News;
use crate::limits::AccountLimits;
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::tokens::ThreadUsage;
use crate::threads::Turn;
use crate::workspace::search::Found;
use crate::workspace::undo::Report;

/// The time of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct At {
    /// A clock that only runs forward, in milliseconds.
    pub(crate) ms: u64,
    /// Unix seconds.
    pub(crate) unix: u64,
}

/// Something that happened.
#[allow(clippy::large_enum_variant, reason = "one message at a time, none is kept")]
pub(crate) enum Msg {
    /// From the terminal.
    Input(Input),
    /// The window has another size.
    Resize(u16, u16),
    /// Time has passed.
    Tick,
    /// From the open thread.
    Event(Event),
    /// The limits of the account changed.
    Limits(Arc<AccountLimits>),
    /// A thread was opened, or not.
    Opened(Result<Box<Opened>, ErrorInfo>),
    /// What an effect came to.
    Answer(Answer),
}

/// An opened thread without its channels.
pub(crate) struct Opened {
    /// What it is.
    pub(crate) info: ThreadInfo,
    /// The last page of what was shown before.
    pub(crate) past: Vec<Turn>,
    /// There is more before that.
    pub(crate) earlier: bool,
    /// Tokens so far.
    pub(crate) usage: Option<ThreadUsage>,
    /// Sentences for the user.
    pub(crate) warnings: Vec<String>,
    /// The limits of the account; `None` without a ChatGPT sign-in.
    pub(crate) limits: Option<Arc<AccountLimits>>,
}

/// What an effect came to.
pub(crate) enum Answer {
    /// Something that can be gone on with.
    Glimpse(Glimpse),
    /// Where the thread worked that is to be continued.
    Located(Begin, Result<Option<Elsewhere>, ErrorInfo>),
    /// Files for `@`.
    Files(Found),
    /// Earlier prompts.
    History(history_file::Page),
    /// Which of the pasted paths are images.
    Images(char, Vec<PathBuf>),
    /// An image from the clipboard.
    Attached(Result<PathBuf, String>),
    /// Text back from the editor.
    Edited(Result<String, String>),
    /// A draft that an earlier run left.
    Draft(Box<super::composer::Draft>, Option<super::usage::Kept>),
    /// The note that the draft waits is gone, or why not.
    Released(Result<(), String>),
    /// Changes in git.
    Diff(Result<String, ErrorInfo>),
    /// What there is to review, or why nothing.
    ReviewList(Result<Choices, ErrorInfo>),
    /// What undo came to.
    Undone(Result<Undone, ErrorInfo>),
    /// What going back does to files (true: would do), if anything.
    Since(bool, Result<Option<Report>, ErrorInfo>),
    /// Stored threads.
    Threads(ThreadFilter, Vec<ThreadRow>),
    /// That was all of them.
    ThreadsDone(ThreadFilter),
    /// Earlier turns, and whether there are more.
    Earlier(Result<(Vec<Turn>, bool), ErrorInfo>),
    /// The thread has a name now.
    Renamed(String, Result<(), ErrorInfo>),
    /// A folder exists (absolute), or why it cannot be used.
    Folder(Result<PathBuf, String>),
    /// A setting was stored.
    Saved(Setting, Result<(), ErrorInfo>),
    /// The folder is trusted.
    Trusted(Result<(), ErrorInfo>),
    /// Credentials are there.
    SignedIn(Result<(), ErrorInfo>),
    /// Where to go to sign in: address, and code if there is one.
    SignInShown(Way, String, Option<String>),
    /// Who the thread goes on as, or why not.
    Adopted(Result<String, ErrorInfo>),
    /// An address was taken, or why not.
    Pasted(Result<(), ErrorInfo>),
    /// Credentials are gone; what is true now.
    LoggedOut(Result<String, ErrorInfo>),
    /// Something is in the clipboard or in a file; where, or why not.
    Copied(String, Result<String, String>),
    /// About the limits of the account.
    Limits(News),
    /// A small thing went wrong.
    Trouble(String),
}
