//! Machine of one redemption: intent → request → answer → reading until the windows moved → receipt. Pure: it takes
//! what happened and says the one thing to do next, so that every order of failures is a row in a table.
//!
//! What it must never do: send a request whose intent is not on disk, make a second key, or call a result known that
//! is not. The same key may be sent again at any time; only when the intent is older than the memory of a service can
//! be trusted, the account is read first.

use super::intent::{Intent, Reading, Receipt, Verdict};
use super::marks::{Moved, moved};
use crate::protocol::limits::{ConsumeOutcome, CreditStatus};

/// An intent older than this, in seconds, is looked after by reading before its key is sent again.
const OLD_S: u64 = 600;
/// After so many runs without an answer an old intent is decided by reading, once its last request is as old as
/// [`OLD_S`]: no request lives that long.
const RUNS: u32 = 3;
/// Requests of one run.
const SENDS: u32 = 3;
/// Pause before the second request, in milliseconds; doubled before the third.
const PAUSE_MS: u64 = 500;
/// Pauses before the readings that wait for the windows, in milliseconds.
const WATCH_MS: [u64; 4] = [1000, 2000, 4000, 8000];
/// Longest wait for the windows in all, in milliseconds.
const WATCH_TOTAL_MS: u64 = 20_000;

/// What is to be done next; exactly one thing at a time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Put the intent on disk and wait until it is safe there.
    NoteIntent(Intent),
    /// Put the receipt on disk in place of its intent.
    NoteReceipt(Receipt),
    /// Send the request of the intent; the number counts from 1.
    Send(u32),
    /// Read windows and credits anew, in at most so many milliseconds.
    Read(u64),
    /// Wait so many milliseconds.
    Wait(u64),
    /// It is over.
    End(Ended),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    /// The disk has it; the error is why not.
    Noted(Result<(), String>),
    /// The request came to this.
    Answered(Answer),
    /// The account was read; the error is why not.
    Read(Result<Reading, String>),
    /// The wait is over.
    Waited,
}

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The service said it clearly.
    Said(ConsumeOutcome),
    /// It did not leave this machine.
    NotSent(Trouble),
    /// It may have left, and no answer came that can be relied on.
    Lost(Trouble),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// In words, cleaned.
    pub(crate) why: String,
    /// Sending again at once may help.
    pub(crate) again: bool,
    /// The sign-in is what is wrong.
    pub(crate) sign_in: bool,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ended {
    /// It was answered. The error is why the receipt is not on disk.
    Settled(Box<Receipt>, Option<String>),
    /// Nothing reached the service; the intent is closed.
    NotSent(Trouble),
    /// The intent could not be put on disk; nothing was sent.
    NotNoted(String),
    /// Whether it was carried out is unknown; the intent stays.
    Unknown(Box<Intent>, Trouble),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The intent is being written.
    Noting,
    /// An old intent: reading before sending.
    Looking,
    /// A request is on its way.
    Sending,
    /// Before the next request.
    Pausing,
    /// A "no" after an earlier request without answer: perhaps that one did it.
    Doubting(ConsumeOutcome),
    /// No answer to be had: perhaps it can be read.
    Searching,
    /// The receipt is being written.
    Settling,
    /// Before the next reading.
    Waiting,
    /// Reading whether the windows moved.
    Watching,
    /// The receipt with what was seen is being written.
    Closing,
}

/// One redemption.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    intent: Intent,
    phase: Phase,
    watch: bool,
    /// Requests of this run.
    sends: u32,
    /// A request of this intent may have reached the service without an answer.
    unanswered: bool,
    trouble: Option<Trouble>,
    receipt: Option<Receipt>,
    not_noted: Option<String>,
    settled_ms: u64,
    watched: usize,
}

impl Machine {
    /// Begins a new intent. `watch`: wait for the windows to move.
    pub(crate) fn begin(intent: Intent, watch: bool) -> (Self, Effect) {
        let now_ms = intent.made_at.saturating_mul(1000);
        let mut machine = Self::new(intent, Phase::Noting, watch, false);
        let effect = machine.note(now_ms);
        (machine, effect)
    }

    /// Goes on with an intent of an earlier run, or of another process that is gone. `now_ms`: unix milliseconds.
    pub(crate) fn resume(intent: Intent, watch: bool, now_ms: u64) -> (Self, Effect) {
        // A clock that went back makes the age unknown, which counts as old.
        let young = (now_ms / 1000).checked_sub(intent.made_at).is_some_and(|age| age <= OLD_S);
        let mut machine = Self::new(intent, Phase::Looking, watch, true);
        let effect = if young { machine.note(now_ms) } else { Effect::Read(WATCH_TOTAL_MS) };
        (machine, effect)
    }

    fn new(intent: Intent, phase: Phase, watch: bool, unanswered: bool) -> Self {
        Self {
            intent,
            phase,
            watch,
            sends: 0,
            unanswered,
            trouble: None,
            receipt: None,
            not_noted: None,
            settled_ms: 0,
            watched: 0,
        }
    }

    /// What this is about.
    pub(crate) fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Whether the windows are waited for, rather than the next request.
    pub(crate) fn is_watching(&self) -> bool {
        matches!(self.phase, Phase::Waiting)
    }

    /// Takes what happened at `now_ms` (unix milliseconds); returns what is next.
    pub(crate) fn step(&mut self, now_ms: u64, input: Input) -> Effect {
        match (self.phase, input) {
            (Phase::Noting, Input::Noted(Ok(()))) => self.send(),
            (Phase::Noting, Input::Noted(Err(why))) => Effect::End(Ended::NotNoted(why)),
            (Phase::Looking, Input::Read(Ok(reading))) => self.looked(now_ms, &reading),
            (Phase::Looking, Input::Read(Err(why))) => {
                self.unknown(Trouble { why, again: false, sign_in: false })
            }
            (Phase::Sending, Input::Answered(answer)) => self.answered(now_ms, answer),
            (Phase::Pausing, Input::Waited) => self.send(),
            (Phase::Doubting(outcome), Input::Read(read)) => match read {
                Ok(reading) if self.shows(&reading) => {
                    self.settle(now_ms, Verdict::SeenByReading, Some(&reading))
                }
                Ok(_) => self.settle(now_ms, outcome.into(), None),
                // The earlier request may be what made it a "no": nobody may be told that nothing was spent.
                Err(why) => {
                    self.trouble = Some(Trouble { why, again: false, sign_in: false });
                    self.give_up()
                }
            },
            (Phase::Searching, Input::Read(read)) => match read {
                Ok(reading) if self.shows(&reading) => {
                    self.settle(now_ms, Verdict::SeenByReading, Some(&reading))
                }
                _ => self.give_up(),
            },
            (Phase::Settling, Input::Noted(noted)) => {
                self.not_noted = noted.err();
                self.settled(now_ms)
            }
            (Phase::Waiting, Input::Waited) => {
                self.phase = Phase::Watching;
                let left = (self.settled_ms + WATCH_TOTAL_MS).saturating_sub(now_ms);
                Effect::Read(left.max(1000))
            }
            (Phase::Watching, Input::Read(read)) => self.watched(now_ms, read),
            (Phase::Closing, Input::Noted(noted)) => {
                self.not_noted = noted.err();
                self.end()
            }
            // What does not belong to the phase can only come from a faulty runner: nothing is sent because of it.
            (_, Input::Noted(_) | Input::Answered(_) | Input::Read(_) | Input::Waited) => self.end(),
        }
    }

    /// Before the first request of a run: that it is about to leave is written down.
    fn note(&mut self, now_ms: u64) -> Effect {
        self.phase = Phase::Noting;
        self.intent.runs = self.intent.runs.saturating_add(1);
        self.intent.sent_at = now_ms / 1000;
        Effect::NoteIntent(self.intent.clone())
    }

    fn send(&mut self) -> Effect {
        self.phase = Phase::Sending;
        self.sends += 1;
        Effect::Send(self.sends)
    }

    /// An old intent was looked after.
    fn looked(&mut self, now_ms: u64, reading: &Reading) -> Effect {
        let was = moved(&self.intent.before, &reading.marks, reading.at);
        match (self.is_there(reading), was) {
            (Some(false), _) | (None, Moved::Yes) => {
                self.settle(now_ms, Verdict::SeenByReading, Some(reading))
            }
            // The credit was not used, and what it was meant for is over: using it now is another decision.
            (Some(true), Moved::Yes | Moved::Past) => self.settle(now_ms, Verdict::Outdated, None),
            (there, _) if self.intent.runs >= RUNS => self.unanswered(now_ms, there == Some(true)),
            (Some(true), Moved::No) | (None, Moved::No | Moved::Past) => self.note(now_ms),
        }
    }

    /// The service was asked often enough: what is read decides, when the last request is old enough for that.
    fn unanswered(&mut self, now_ms: u64, is_there: bool) -> Effect {
        let quiet = (now_ms / 1000).checked_sub(self.intent.sent_at).is_some_and(|age| age > OLD_S);
        match (quiet, is_there) {
            (true, true) => self.settle(now_ms, Verdict::Unanswered, None),
            // Neither the service nor the account tells: the same key may always be sent again.
            (true, false) => self.note(now_ms),
            (false, _) => {
                let why = format!(
                    "the service gave no answer in {} runs; ten minutes after the last one the account is looked at \
                     once more, and if the reset is still there the redemption ends",
                    self.intent.runs
                );
                self.unknown(Trouble { why, again: false, sign_in: false })
            }
        }
    }

    /// Whether the credit of the intent can still be used; `None` when the reading does not tell.
    fn is_there(&self, reading: &Reading) -> Option<bool> {
        match &self.intent.credit_id {
            Some(id) => match reading.credit(id).map(|credit| credit.status) {
                Some(CreditStatus::Available) => Some(true),
                Some(CreditStatus::Redeemed) => Some(false),
                Some(CreditStatus::Redeeming | CreditStatus::Unknown) => None,
                // A service may list only what is left.
                None => reading.is_complete().then_some(false),
            },
            None => Some(reading.count()? >= self.intent.count_before?),
        }
    }

    /// Whether a reading shows that the intent was carried out.
    fn shows(&self, reading: &Reading) -> bool {
        let was_used = self.intent.before.iter().any(|mark| mark.used_percent > 0.0);
        let is_anew = was_used && moved(&self.intent.before, &reading.marks, reading.at) == Moved::Yes;
        is_anew || (self.intent.credit_id.is_some() && self.is_there(reading) == Some(false))
    }

    fn answered(&mut self, now_ms: u64, answer: Answer) -> Effect {
        match answer {
            Answer::Said(outcome @ (ConsumeOutcome::Reset | ConsumeOutcome::AlreadyRedeemed)) => {
                self.settle(now_ms, outcome.into(), None)
            }
            Answer::Said(outcome) if self.unanswered => {
                self.phase = Phase::Doubting(outcome);
                Effect::Read(WATCH_TOTAL_MS)
            }
            Answer::Said(outcome) => self.settle(now_ms, outcome.into(), None),
            Answer::NotSent(trouble) => self.again(now_ms, trouble),
            Answer::Lost(trouble) => {
                self.unanswered = true;
                self.again(now_ms, trouble)
            }
        }
    }

    /// After a request without answer.
    fn again(&mut self, now_ms: u64, trouble: Trouble) -> Effect {
        let again = trouble.again && self.sends < SENDS;
        let sign_in = trouble.sign_in;
        self.trouble = Some(trouble);
        if again {
            self.phase = Phase::Pausing;
            return Effect::Wait(PAUSE_MS << self.sends.saturating_sub(1).min(8));
        }
        if !self.unanswered {
            return self.settle(now_ms, Verdict::NotSent, None);
        }
        if sign_in {
            return self.give_up();
        }
        self.phase = Phase::Searching;
        Effect::Read(WATCH_TOTAL_MS)
    }

    /// The intent has come to its end.
    fn settle(&mut self, now_ms: u64, verdict: Verdict, seen: Option<&Reading>) -> Effect {
        self.phase = Phase::Settling;
        self.settled_ms = now_ms;
        let mut receipt = Receipt {
            intent: self.intent.clone(),
            verdict,
            answered_at: now_ms / 1000,
            seen_at: None,
            after: Vec::new(),
        };
        if let Some(reading) = seen {
            note_seen(&mut receipt, reading);
        }
        self.receipt = Some(receipt.clone());
        Effect::NoteReceipt(receipt)
    }

    /// The receipt is written: wait for the windows, if there is something to wait for.
    fn settled(&mut self, now_ms: u64) -> Effect {
        let waiting = self.receipt.as_ref().is_some_and(|r| r.verdict.is_spent() && r.seen_at.is_none());
        let next = WATCH_MS.get(self.watched).copied();
        match next.filter(|wait| now_ms.saturating_sub(self.settled_ms) + wait <= WATCH_TOTAL_MS) {
            Some(wait) if waiting && self.watch => {
                self.phase = Phase::Waiting;
                self.watched += 1;
                Effect::Wait(wait)
            }
            _ => self.end(),
        }
    }

    fn watched(&mut self, now_ms: u64, read: Result<Reading, String>) -> Effect {
        if let (Ok(reading), Some(receipt)) = (read, &mut self.receipt) {
            note_seen(receipt, &reading);
            if receipt.seen_at.is_some() {
                self.phase = Phase::Closing;
                return Effect::NoteReceipt(receipt.clone());
            }
        }
        self.settled(now_ms)
    }

    fn end(&mut self) -> Effect {
        match self.receipt.clone() {
            Some(receipt) if receipt.verdict == Verdict::NotSent => {
                Effect::End(Ended::NotSent(self.trouble()))
            }
            Some(receipt) => Effect::End(Ended::Settled(Box::new(receipt), self.not_noted.take())),
            None => self.give_up(),
        }
    }

    fn give_up(&mut self) -> Effect {
        let trouble = self.trouble();
        self.unknown(trouble)
    }

    fn trouble(&mut self) -> Trouble {
        let unknown =
            || Trouble { why: "the request was not answered".to_owned(), again: false, sign_in: false };
        self.trouble.take().unwrap_or_else(unknown)
    }

    fn unknown(&self, trouble: Trouble) -> Effect {
        Effect::End(Ended::Unknown(Box::new(self.intent.clone()), trouble))
    }
}

/// Notes in the receipt when the reading shows the windows anew.
fn note_seen(receipt: &mut Receipt, reading: &Reading) {
    if moved(&receipt.intent.before, &reading.marks, reading.at) == Moved::Yes {
        receipt.seen_at = Some(reading.at);
        receipt.after.clone_from(&reading.marks);
    }
}

#[cfg(test)]
#[path = "redeem_tests.rs"]
mod tests;
