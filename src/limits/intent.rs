//! What is written down of a redemption: the intent before its request, the receipt after its answer, and what they
//! forbid. Plain data and pure decisions; [`journal`](super::journal) keeps them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::advice::Pending;
use super::marks::{self, Mark, Moved, moved};
use crate::protocol::limits::{ConsumeOutcome, CreditStatus, ResetCredit, ResetCredits, ResetType};

/// Receipts that are kept.
const KEPT: usize = 32;

/// A confirmed wish to redeem, not yet answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// Makes all its requests one: the service carries it out at most once.
    pub(crate) key: String,
    /// Account that it is for.
    pub(crate) account: String,
    /// The credit; without it the service picks one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) credit_id: Option<String>,
    /// Unix seconds of the confirmation.
    pub(crate) made_at: u64,
    /// The windows then.
    pub(crate) before: Vec<Mark>,
    /// How many credits there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) count_before: Option<u64>,
    /// Runs that were about to send its key, this one included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) runs: u32,
    /// Unix seconds at which the last of them began to.
    #[serde(default, skip_serializing_if = "is_zero_s")]
    pub(crate) sent_at: u64,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_zero_s(number: &u64) -> bool {
    *number == 0
}

/// How an intent came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The service reset the windows.
    Reset,
    /// The service had done so for an earlier request of the same intent.
    AlreadyRedeemed,
    /// No answer said so, but windows and credits show it.
    SeenByReading,
    /// The windows were not in use; nothing was spent.
    NothingToReset,
    /// The credit is not there; nothing was spent.
    NoCredit,
    /// No request ever left; nothing was spent.
    NotSent,
    /// It never came to pass, and what it was for is over; nothing was spent.
    Outdated,
    /// The service never answered, and long after the last request the credit was still there and the windows were
    /// the same.
    Unanswered,
}

impl Verdict {
    /// Whether a credit was used.
    pub(crate) fn is_spent(self) -> bool {
        match self {
            Self::Reset | Self::AlreadyRedeemed | Self::SeenByReading => true,
            Self::NothingToReset | Self::NoCredit | Self::NotSent | Self::Outdated | Self::Unanswered => {
                false
            }
        }
    }
}

impl From<ConsumeOutcome> for Verdict {
    fn from(outcome: ConsumeOutcome) -> Self {
        match outcome {
            ConsumeOutcome::Reset => Self::Reset,
            ConsumeOutcome::AlreadyRedeemed => Self::AlreadyRedeemed,
            ConsumeOutcome::NothingToReset => Self::NothingToReset,
            ConsumeOutcome::NoCredit => Self::NoCredit,
        }
    }
}

/// What is kept of an intent that came to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// What was wanted.
    #[serde(flatten)]
    pub(crate) intent: Intent,
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// Unix seconds of the answer.
    pub(crate) answered_at: u64,
    /// Unix seconds at which the windows were first seen to have started anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seen_at: Option<u64>,
    /// The windows then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) after: Vec<Mark>,
}

/// All that is written down for one account.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Book {
    /// The intent without an answer.
    pub(crate) intent: Option<Intent>,
    /// Intents that came to their end, oldest first.
    pub(crate) receipts: Vec<Receipt>,
    /// The file was damaged and is now here. Stays until the user has heard of it.
    pub(crate) damaged: Option<PathBuf>,
}

impl Book {
    /// Writes an intent down. The confirmation of a new one knew of any damage.
    pub(crate) fn open(&mut self, intent: Intent) {
        if self.intent.as_ref().is_none_or(|known| known.key != intent.key) {
            self.damaged = None;
        }
        self.intent = Some(intent);
    }

    /// Writes a receipt down in place of its intent, or of its earlier form.
    pub(crate) fn settle(&mut self, receipt: Receipt) {
        if self.intent.as_ref().is_some_and(|intent| intent.key == receipt.intent.key) {
            self.intent = None;
        }
        match self.receipts.iter_mut().find(|known| known.intent.key == receipt.intent.key) {
            Some(known) => *known = receipt,
            None => self.receipts.push(receipt),
        }
        let surplus = self.receipts.len().saturating_sub(KEPT);
        self.receipts.drain(..surplus);
    }

    /// Key of what was written last: it changes whenever somebody redeems.
    pub(crate) fn last_key(&self) -> Option<&str> {
        let intent = self.intent.as_ref().or(self.receipts.last().map(|receipt| &receipt.intent));
        intent.map(|intent| intent.key.as_str())
    }

    /// The credit of the last redemption, when the service never answered for it: should its request be carried out
    /// after all, a new one for the same credit uses no second one.
    fn doubtful(&self) -> Option<&str> {
        let last = self.receipts.last().filter(|receipt| receipt.verdict == Verdict::Unanswered)?;
        last.intent.credit_id.as_deref()
    }

    /// The last redemption that used a credit, as long as its effect has not been seen.
    pub(crate) fn unseen(&self) -> Option<&Receipt> {
        let last = self.receipts.iter().rev().find(|receipt| receipt.verdict.is_spent())?;
        last.seen_at.is_none().then_some(last)
    }

    /// What is not over yet, for the advice.
    pub(crate) fn pending(&self) -> Option<Pending> {
        let unfinished = self.intent.as_ref().map(|intent| Pending::Unfinished(intent.made_at));
        unfinished.or_else(|| self.unseen().map(|receipt| Pending::Unseen(receipt.answered_at)))
    }

    /// Notes in the last receipt that the windows were seen to have started anew; true when that is news.
    pub(crate) fn notice(&mut self, reading: &Reading) -> bool {
        let Some(receipt) = self.unseen() else { return false };
        if moved(&receipt.intent.before, &reading.marks, reading.at) != Moved::Yes {
            return false;
        }
        let mut receipt = receipt.clone();
        receipt.seen_at = Some(reading.at);
        receipt.after.clone_from(&reading.marks);
        self.settle(receipt);
        true
    }
}

/// The account as it was just read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    /// Unix seconds, by the clock of the service.
    pub(crate) at: u64,
    /// The windows.
    pub(crate) marks: Vec<Mark>,
    /// The credits, as far as the service tells.
    pub(crate) credits: Option<ResetCredits>,
}

impl Reading {
    fn list(&self) -> &[ResetCredit] {
        self.credits.as_ref().and_then(|credits| credits.credits.as_deref()).unwrap_or_default()
    }

    /// The credit of this id, when it is listed.
    pub(crate) fn credit(&self, id: &str) -> Option<&ResetCredit> {
        self.list().iter().find(|credit| credit.id == id)
    }

    /// The credits that can be used, the one that is gone first in front; those that never go come last.
    pub(crate) fn available(&self) -> Vec<&ResetCredit> {
        let usable = |credit: &&ResetCredit| {
            credit.status == CreditStatus::Available && credit.expires_at.is_none_or(|at| at > self.at)
        };
        let mut found: Vec<_> = self.list().iter().filter(usable).collect();
        found.sort_by_key(|credit| {
            let known = credit.reset_type == ResetType::CodexRateLimits;
            (!known, credit.expires_at.unwrap_or(u64::MAX), credit.expiry_unreadable)
        });
        found
    }

    /// Whether every credit that can be used is listed.
    pub(crate) fn is_complete(&self) -> bool {
        let listed = self.available().len() as u64;
        self.credits.as_ref().is_some_and(|all| all.credits.is_some() && listed >= all.available_count)
    }

    /// How many credits there are, when it is known.
    pub(crate) fn count(&self) -> Option<u64> {
        self.credits.as_ref().map(|credits| credits.available_count)
    }
}

/// Why nothing new may be redeemed now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// Another credit was named than the one whose redemption is unfinished.
    Unfinished(Box<Intent>),
    /// The windows of the last reset have not started anew yet.
    NotMoved(Box<Receipt>),
    /// The credit is not among those that can be used.
    NoSuchCredit(String),
    /// There are no credits.
    NoCredits,
    /// There are only credits of kinds this program does not know: they have to be named.
    OnlyUnknown,
    /// Nothing of any window is used.
    NothingUsed,
}

/// What a wish to redeem comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// An earlier intent comes first, with its own key.
    Finish(Box<Intent>),
    /// A credit can be redeemed.
    Redeem {
        /// Which; `None` leaves the choice to the service.
        credit: Option<Box<ResetCredit>>,
        /// Its id; also known when the service does not list it.
        credit_id: Option<String>,
        /// The windows of this earlier reset have not started anew; the user insists.
        despite: Option<Box<Receipt>>,
    },
    /// It must not be.
    Refuse(Refusal),
}

/// What a wish to redeem comes to, by what is written down and what was just read. `named`: the credit the user named;
/// `force`: redeem although the last reset has not been seen yet.
pub(crate) fn decide(book: &Book, reading: &Reading, named: Option<&str>, force: bool) -> Decision {
    if let Some(intent) = &book.intent {
        let same = named.is_none() || named == intent.credit_id.as_deref();
        let intent = Box::new(intent.clone());
        return if same { Decision::Finish(intent) } else { Decision::Refuse(Refusal::Unfinished(intent)) };
    }
    let waiting = book
        .unseen()
        .filter(|receipt| moved(&receipt.intent.before, &reading.marks, reading.at) == Moved::No)
        .map(|receipt| Box::new(receipt.clone()));
    let despite = match waiting {
        Some(receipt) if !force => return Decision::Refuse(Refusal::NotMoved(receipt)),
        other => other,
    };
    if let Some(id) = named
        && let Some(credits) = &reading.credits
    {
        let usable = reading.available().iter().any(|credit| credit.id == id);
        let sure = reading.is_complete() || reading.credit(id).is_some() || credits.available_count == 0;
        if !usable && sure {
            return Decision::Refuse(Refusal::NoSuchCredit(id.to_owned()));
        }
    }
    if reading.count() == Some(0) && reading.available().is_empty() {
        return Decision::Refuse(Refusal::NoCredits);
    }
    if marks::untouched(&reading.marks) {
        return Decision::Refuse(Refusal::NothingUsed);
    }
    let known = |credit: &&ResetCredit| credit.reset_type == ResetType::CodexRateLimits;
    let credit = match named {
        Some(id) => reading.credit(id).cloned(),
        None => {
            let usable = reading.available();
            let doubtful = usable.iter().find(|credit| book.doubtful() == Some(credit.id.as_str()));
            doubtful.copied().or_else(|| usable.iter().copied().find(|credit| known(credit))).cloned()
        }
    };
    if credit.is_none() && named.is_none() && !reading.available().is_empty() && reading.is_complete() {
        return Decision::Refuse(Refusal::OnlyUnknown);
    }
    let credit_id = named.map(str::to_owned).or_else(|| credit.as_ref().map(|credit| credit.id.clone()));
    Decision::Redeem { credit: credit.map(Box::new), credit_id, despite }
}

#[cfg(test)]
#[path = "intent_tests.rs"]
mod tests;
