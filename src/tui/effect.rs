//! What the update asks for. Effects change no state: what they come to is a message.

use std::path::PathBuf;

use super::composer::Draft;
use super::door::{Begin, Setting, ThreadFilter, Way};
use super::popups::review::Kind;
use super::usage::{Ask, Kept};
use crate::base::ids::ThreadId;
use crate::base::secret::Secret;
use crate::protocol::op::Op;
use crate::workspace::undo::{Wanted, Which};

/// Something to be done outside.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Hand this to the open thread, in order.
    Op(Op),
    /// Open a thread; the one before ends.
    Open(Begin),
    /// See what can be gone on with in this folder.
    Glance,
    /// See where the thread worked that would be continued.
    Locate(Begin),
    /// Drop what was handed over and waits for a thread: it went back to the user.
    Forget,
    /// Find the turns before those shown.
    Earlier,
    /// List stored threads.
    Threads(ThreadFilter),
    /// Name the thread.
    Rename(String),
    /// See what git calls changed.
    Diff,
    /// Look for branches or commits to review in this folder.
    ReviewList(PathBuf, Kind),
    /// Take back what a turn changed below this folder, or bring it again.
    Undo {
        /// The working directory.
        cwd: PathBuf,
        /// Which turn.
        which: Which,
    },
    /// Take back what these turns changed below a folder; `dry`: only look.
    Since {
        /// The working directory.
        cwd: PathBuf,
        /// The turns.
        wanted: Wanted,
        /// Only look.
        dry: bool,
    },
    /// Look whether this folder (relative to the present one) exists.
    CheckFolder(PathBuf, PathBuf),
    /// Store that the folder is trusted.
    Trust,
    /// Look at the folder without trusting it.
    LookOnly,
    /// Store an API key.
    SignIn(Secret),
    /// Sign in with ChatGPT.
    SignInBy(Way),
    /// Hand in the address a browser ended at.
    Pasted(Secret),
    /// Go on as whoever is signed in now.
    Adopt,
    /// Stop the sign-in that waits.
    GiveUp,
    /// Use the scripted service.
    Demo,
    /// Forget credentials.
    Logout,
    /// Store a setting.
    Save(Setting),
    /// Ask about the limits of the account.
    Limits(Ask),
    /// Add to the prompt history of a thread.
    Remember(Option<ThreadId>, String),
    /// Read prompts before this byte.
    LoadHistory(Option<u64>),
    /// Search files below this folder.
    FindFiles(PathBuf, String),
    /// Look which of these paths, relative to a folder, are images.
    CheckImages(char, PathBuf, Vec<PathBuf>),
    /// Take an image from the clipboard.
    PasteImage,
    /// Keep the draft on disk.
    SaveDraft(Draft),
    /// Note on disk that the draft waits for a reset, or that it does not.
    Park(Option<Kept>),
    /// Take that note away; the prompt is sent when it is gone.
    Release,
    /// Bring back a draft that an earlier run left.
    LoadDraft,
    /// Open the user's editor with this text.
    Editor(String),
    /// Put text into the clipboard; the first says what it is.
    Copy(String, String),
    /// Write text to a file.
    Export(PathBuf, String),
    /// Tell the user though the window may be hidden.
    Notify(String),
    /// Call the user's program with this JSON.
    NotifyProgram(String),
    /// Draw everything anew.
    Redraw,
    /// Go to the background of the shell.
    Suspend,
    /// Leave.
    Quit,
}
