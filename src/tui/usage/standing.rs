//! What the app itself knows about limits, besides the numbers: whether somebody is signed in, what is being asked,
//! what the user was told, and the prompt that waits for a reset.

use serde::{Deserialize, Serialize};

use crate::base::ids::ThreadId;
use crate::limits::advice::Pending;
use crate::protocol::error::ErrorInfo;

/// How long a sentence stands above the prompt, in milliseconds.
const NOTICE_MS: u64 = 20_000;

/// A prompt that is sent again when the limit has come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parked {
    /// Unix seconds, on our clock.
    pub(crate) at: u64,
    /// What stood in the prompt then: another text is another wish.
    pub(crate) text: String,
    /// It is sent as soon as the note on disk is gone.
    pub(crate) leaving: bool,
}

/// The note on disk that the draft beside it waits for a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Unix seconds.
    pub(crate) at: u64,
    /// The thread that it is for.
    pub(crate) thread: ThreadId,
}

/// When the way back to a prompt that waits in another thread was offered last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Offered {
    /// Before its time.
    Early,
    /// When its time had come.
    Late,
}

/// The hint at reset credits after the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hint {
    /// No full reading yet.
    #[default]
    Due,
    /// It stands above the prompt.
    Shown,
    /// It was read, or there is nothing to hint at.
    Gone,
}

/// What the app knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// Somebody is signed in with ChatGPT: there are shared limits.
    pub(crate) shared: bool,
    /// The numbers are being read.
    pub(crate) reading: bool,
    /// The user wants them read once more after that.
    pub(crate) read_again: bool,
    /// A turn has ended since the last full reading.
    pub(crate) spent: bool,
    /// Why the last reading of this app failed.
    pub(crate) failure: Option<ErrorInfo>,
    /// A redemption that is not over, as the last reading found it.
    pub(crate) pending: Option<Pending>,
    /// The hint at reset credits.
    pub(crate) hint: Hint,
    /// `/usage` was typed, with this behind it, before it was known whose limits there are.
    pub(crate) wanted: Option<String>,
    /// A redemption is under way here.
    pub(crate) redeeming: bool,
    /// Something left unfinished is looked after.
    pub(crate) finishing: bool,
    /// What became of asking the owner of the workspace for more, in words.
    pub(crate) nudged: Option<String>,
    /// A smaller model was offered, or is never to be.
    pub(crate) offered_model: bool,
    /// Why the last prompt was refused: a limit or a budget.
    pub(crate) refusal: Option<ErrorInfo>,
    /// The user is to be asked what to do about that, when nothing else is open.
    pub(crate) panel_due: bool,
    /// A prompt that waits for a reset.
    pub(crate) parked: Option<Parked>,
    /// A prompt that waits for a thread which is not open: it was left, or an earlier run did.
    pub(crate) kept: Option<Kept>,
    /// The way back to it was offered.
    pub(crate) offered: Option<Offered>,
    /// There is a note on disk about one of the two.
    pub(crate) on_disk: bool,
    notice: Option<(String, u64)>,
    asked: u64,
}

impl Standing {
    /// Nothing is known yet. `no_model_nudge`: a smaller model is never offered.
    pub(crate) fn new(no_model_nudge: bool) -> Self {
        Self { offered_model: no_model_nudge, ..Self::default() }
    }

    /// The number of the next question.
    pub(crate) fn next(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    /// Says something above the prompt for a while.
    pub(crate) fn tell(&mut self, text: String, now_ms: u64) {
        self.notice = Some((text, now_ms + NOTICE_MS));
    }

    /// Nothing is said any more.
    pub(crate) fn hush(&mut self) {
        self.notice = None;
    }

    /// What is being said.
    pub(crate) fn told(&self) -> Option<&str> {
        self.notice.as_ref().map(|(text, _)| text.as_str())
    }

    /// When it has been said long enough.
    pub(crate) fn told_until_ms(&self) -> Option<u64> {
        self.notice.as_ref().map(|(_, until)| *until)
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        self.notice.take_if(|(_, until)| *until <= now_ms);
    }

    /// The account is another one, or nobody is signed in.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            asked: self.asked,
            redeeming: self.redeeming,
            kept: self.kept,
            offered: self.offered,
            offered_model: self.offered_model,
            on_disk: self.on_disk,
            ..Self::default()
        };
    }
}
