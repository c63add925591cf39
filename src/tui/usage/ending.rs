//! How a redemption ended, or why there is none: a sentence, and what can be done next. Each says what is still true:
//! whether something was spent, and whether trying again can spend it twice.

use std::path::Path;

use jiff::tz::TimeZone;

use super::look::{View, plain};
use crate::limits::intent::{Receipt, Refusal, Verdict};
use crate::limits::redemption::Outcome;
use crate::limits::text::moment;

/// What a row of the last page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Back to the first page.
    Close,
    /// Look again; what is unfinished is finished with its own key.
    Load,
    /// Look again, and redeem although the last reset cannot be seen yet.
    Force,
    /// Look again, knowing that the journal was damaged.
    Despite,
    /// Send the prompt again.
    Resend,
}

/// The last page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// In a few words.
    pub(super) title: &'static str,
    /// In sentences.
    pub(super) text: String,
    /// It went well.
    pub(super) good: bool,
    /// How many resets are left belongs to it.
    pub(super) left: bool,
    /// What can be done.
    pub(super) rows: Vec<(&'static str, Then)>,
}

const CLOSE: (&str, Then) = ("Close", Then::Close);
const AGAIN: (&str, Then) = ("Try again", Then::Load);

impl Ending {
    fn new(title: &'static str, text: impl Into<String>, rows: &[(&'static str, Then)]) -> Self {
        Self { title, text: text.into(), good: false, left: false, rows: rows.to_vec() }
    }

    /// The list could not be read.
    pub(super) fn not_loaded(why: &str) -> Self {
        let text = format!("The resets could not be looked up: {} Nothing was sent.", sentence(why));
        Self::new("Usage limit resets", text, &[AGAIN, CLOSE])
    }

    /// The journal was damaged, and nobody has said yes knowing that.
    pub(super) fn damaged(aside: &Path) -> Self {
        let text = format!(
            "The notes about earlier redemptions were damaged, or an old copy was put back. They are kept as {}. An \
             earlier redemption may be \
             unfinished: look at your windows and credits before you use a reset.",
            aside.display()
        );
        Self::new("Usage limit resets", text, &[("Go on", Then::Despite), CLOSE])
    }

    /// Nobody knows the end.
    pub(super) fn lost(why: &str) -> Self {
        let text = format!(
            "Not known whether the reset happened: {} Trying again is safe: it asks with the same key, so nothing can \
             be spent twice.",
            sentence(why)
        );
        Self::new("Result unknown", text, &[AGAIN, CLOSE])
    }

    /// What `outcome` means at `now`. `resend`: a prompt waits for the reset.
    pub(super) fn of(outcome: &Outcome, now: u64, zone: &TimeZone, resend: bool) -> Self {
        match outcome {
            Outcome::Settled { receipt, elsewhere, unwritten } => {
                let mut ending = settled(receipt, *elsewhere, now, zone, resend);
                if let Some(why) = unwritten {
                    let note = format!(
                        " The receipt could not be written ({}); the next start asks again with the same key.",
                        plain(why)
                    );
                    ending.text.push_str(&note);
                }
                ending
            }
            Outcome::NotSent(trouble) => {
                let help = if trouble.sign_in { " Sign in again with: codex login" } else { "" };
                let text =
                    format!("Nothing was spent: the request was not sent. {}{help}", sentence(&trouble.why));
                Self::new("Not reset", text, &[AGAIN, CLOSE])
            }
            Outcome::Unknown(_, trouble) => Self::lost(&trouble.why),
            Outcome::Refused(why) => Self::refused(why, now, zone),
            Outcome::Damaged(aside) => Self::damaged(aside),
            Outcome::Busy => Self::new(
                "Not reset",
                "Another codex is redeeming and does not come to its end. Nothing was spent here.",
                &[AGAIN, CLOSE],
            ),
            Outcome::NotRead(error) => {
                let text = format!(
                    "Nothing was spent: your limits could not be read. {}",
                    sentence(&error.to_string())
                );
                Self::new("Not reset", text, &[AGAIN, CLOSE])
            }
            Outcome::Journal(why) => {
                let text =
                    format!("Nothing was sent: the intent could not be written down. {}", sentence(why));
                Self::new("Not reset", text, &[AGAIN, CLOSE])
            }
        }
    }

    /// Why it must not be.
    pub(super) fn refused(why: &Refusal, now: u64, zone: &TimeZone) -> Self {
        match why {
            Refusal::NoCredits => Self::new(
                "Usage limit resets",
                "You have no usage limit resets.",
                &[CLOSE, ("Check again", Then::Load)],
            ),
            Refusal::OnlyUnknown => Self::new(
                "Usage limit resets",
                "Your resets are of a kind that this version does not know.",
                &[CLOSE],
            ),
            Refusal::NothingUsed => Self::new(
                "Nothing to reset",
                "Your usage needs no reset now: none of your windows is used. Nothing was spent.",
                &[CLOSE],
            ),
            Refusal::NoSuchCredit(_) => gone(),
            Refusal::Unfinished(intent) => Self::new(
                "Not reset",
                format!(
                    "A redemption of {} is unfinished. It comes first, with its own key.",
                    moment(intent.made_at, now, zone)
                ),
                &[("Finish it", Then::Load), CLOSE],
            ),
            Refusal::NotMoved(receipt) => Self::new(
                "Not yet",
                format!(
                    "A reset was used at {}, and your windows do not show it yet. Another one would reset the same \
                     windows. Give the service a moment.",
                    moment(receipt.answered_at, now, zone)
                ),
                &[CLOSE, ("Look again", Then::Load), ("Use another reset all the same", Then::Force)],
            ),
        }
    }
}

/// How it ended, in sentences, for where there is nothing to choose.
pub(crate) fn words(outcome: &Outcome, view: &View<'_>) -> String {
    Ending::of(outcome, view.now(), view.zone, false).text
}

fn gone() -> Ending {
    Ending::new("Not reset", "That reset is gone. Nothing was spent.", &[AGAIN, CLOSE])
}

fn settled(receipt: &Receipt, elsewhere: bool, now: u64, zone: &TimeZone, resend: bool) -> Ending {
    match receipt.verdict {
        Verdict::Reset | Verdict::AlreadyRedeemed | Verdict::SeenByReading => {
            let mut text = match (elsewhere, receipt.verdict) {
                (true, _) => "Usage reset, by another codex just now.",
                (false, Verdict::AlreadyRedeemed) => {
                    "Usage was reset by your earlier request; nothing was spent twice."
                }
                (false, _) => "Usage reset.",
            }
            .to_owned();
            if receipt.seen_at.is_none() {
                text.push_str(" Your windows do not show it yet; until they do, no other reset is used.");
            }
            let mut rows = vec![CLOSE];
            if resend {
                rows.insert(0, ("Send the prompt again", Then::Resend));
            }
            Ending { title: "Done", text, good: true, left: true, rows }
        }
        Verdict::NothingToReset => {
            Ending::new("Nothing to reset", "Your usage needs no reset now. Nothing was spent.", &[CLOSE])
        }
        Verdict::NoCredit if receipt.intent.credit_id.is_some() => gone(),
        Verdict::NoCredit => {
            Ending::new("Not reset", "You have no usage limit resets. Nothing was spent.", &[CLOSE])
        }
        Verdict::NotSent => Ending::new(
            "Not reset",
            "The request did not reach the service. Nothing was spent.",
            &[AGAIN, CLOSE],
        ),
        Verdict::Unanswered => Ending::new(
            "Not reset",
            format!(
                "The service never answered the redemption of {}. The reset is still there and the windows are the \
                 same: it was not carried out. Nothing was spent.",
                moment(receipt.intent.made_at, now, zone)
            ),
            &[AGAIN, CLOSE],
        ),
        Verdict::Outdated => Ending::new(
            "Not reset",
            format!(
                "The redemption of {} was never carried out, and the windows it was meant for are over. Nothing was \
                 spent.",
                moment(receipt.intent.made_at, now, zone)
            ),
            &[AGAIN, CLOSE],
        ),
    }
}

/// A text of elsewhere that begins and ends like a sentence.
fn sentence(text: &str) -> String {
    let text = super::windows::capital(&plain(text));
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}
