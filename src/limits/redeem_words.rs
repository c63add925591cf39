//! A redemption in words, the same for every front end. Each sentence says what happened, what is still true, and what
//! to do next. Pure: moment and time zone come in.

use jiff::tz::TimeZone;

use super::intent::{Intent, Reading, Receipt, Refusal, Verdict};
use super::marks::Mark;
use super::redemption::{Outcome, Step};
use super::state::Slot;
use super::text::{full_moment, moment, span, window_name};
use crate::protocol::limits::{CreditStatus, ResetCredit, ResetType};

/// What a moment is told relative to.
#[derive(Clone, Debug)]
pub(crate) struct When {
    /// Unix seconds.
    pub(crate) now: u64,
    /// The user's zone.
    pub(crate) zone: TimeZone,
}

/// "1 reset credit", "3 reset credits".
pub(crate) fn count(n: u64) -> String {
    if n == 1 { "1 reset credit".to_owned() } else { format!("{n} reset credits") }
}

/// The name of a credit: the service's, or what it resets.
pub(crate) fn title(credit: &ResetCredit, marks: &[Mark]) -> String {
    if let Some(title) = &credit.title {
        return title.clone();
    }
    match credit.reset_type {
        ResetType::CodexRateLimits => format!("Full reset{}", scope(marks)),
        ResetType::Unknown => "Reset of an unknown kind".to_owned(),
    }
}

/// " (weekly + 5h)" by the windows there are, the longest first.
fn scope(marks: &[Mark]) -> String {
    let mut names: Vec<_> = marks.iter().map(|mark| (mark.minutes, name(mark))).collect();
    names.sort_by_key(|(minutes, _)| std::cmp::Reverse(*minutes));
    let names: Vec<_> = names.into_iter().map(|(_, name)| name).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(" + ")) }
}

fn name(mark: &Mark) -> &'static str {
    let slot = if mark.window == "primary" { Slot::Primary } else { Slot::Secondary };
    window_name(mark.minutes, slot)
}

/// When a credit is gone.
pub(crate) fn expiry(credit: &ResetCredit, when: &When) -> String {
    match credit.expires_at {
        Some(at) if at <= when.now => format!("expired {}", full_moment(at, &when.zone)),
        Some(at) => format!("expires {} (in {})", full_moment(at, &when.zone), span(at - when.now)),
        None if credit.expiry_unreadable => "expires at a time that cannot be read".to_owned(),
        None => "does not expire".to_owned(),
    }
}

/// Where a credit stands, when it is not simply available.
pub(crate) fn standing(status: CreditStatus) -> Option<&'static str> {
    match status {
        CreditStatus::Available => None,
        CreditStatus::Redeeming => Some("being used"),
        CreditStatus::Redeemed => Some("used"),
        CreditStatus::Unknown => Some("in an unknown state"),
    }
}

/// One line per window: what is used, and when it starts anew by itself.
pub(crate) fn windows(marks: &[Mark], when: &When) -> Vec<String> {
    marks
        .iter()
        .map(|mark| {
            let reset = mark.resets_at.filter(|at| *at > when.now).map_or_else(String::new, |at| {
                format!(
                    " · starts anew by itself {} (in {})",
                    moment(at, when.now, &when.zone),
                    span(at - when.now)
                )
            });
            format!("{:<8} {:>3.0}% used{reset}", name(mark), mark.used_percent)
        })
        .collect()
}

/// What is asked before a credit is used.
pub(crate) fn question(credit: Option<&ResetCredit>, reading: &Reading, when: &When) -> Vec<String> {
    let what = credit.map_or_else(
        || "a reset credit (the service picks which)".to_owned(),
        |credit| format!("{} · {}", title(credit, &reading.marks), expiry(credit, when)),
    );
    let mut lines = vec![format!("Use this reset?  {what}")];
    if let Some(text) = credit.and_then(|credit| credit.description.as_deref()) {
        lines.push(format!("  {text}"));
    }
    lines.extend(windows(&reading.marks, when).into_iter().map(|line| format!("  {line}")));
    if let Some(n) = reading.count().filter(|n| *n > 0) {
        lines.push(format!(
            "  You have {}; {} after this.",
            count(n),
            if n == 1 { "none".to_owned() } else { (n - 1).to_string() }
        ));
    }
    lines
}

/// One step of a redemption under way.
pub(crate) fn step(step: &Step) -> Option<String> {
    Some(match step {
        Step::Queued => "Another process is redeeming; waiting for it …".to_owned(),
        Step::Noted => return None,
        Step::Sending(1) => "Redeeming …".to_owned(),
        Step::Sending(n) => format!("Sending the same request again ({n} of 3) …"),
        Step::Again(_) => "No clear answer.".to_owned(),
        Step::Reading => return None,
        Step::Answered(receipt) if receipt.verdict.is_spent() && receipt.seen_at.is_none() => {
            "Redeemed.".to_owned()
        }
        Step::Answered(_) => return None,
        Step::Watching(ms) => format!("Waiting for the windows to move; looking again in {} s …", ms / 1000),
    })
}

/// How it ended.
pub(crate) fn outcome(outcome: &Outcome, when: &When) -> String {
    match outcome {
        Outcome::Settled { receipt, elsewhere, unwritten } => {
            let mut text = settled(receipt, *elsewhere, when);
            if let Some(why) = unwritten {
                text.push_str(&format!(
                    " The receipt could not be written ({why}); the next start asks the service again with the same key."
                ));
            }
            text
        }
        Outcome::NotSent(trouble) => {
            let help = if trouble.sign_in { " Sign in with: codex login" } else { " Try again later." };
            format!("Nothing was redeemed: {}{help}", sentence(&trouble.why))
        }
        Outcome::Unknown(intent, trouble) => format!(
            "The result is unknown: {} {} may have been used or not. Nothing else will be redeemed before this is \
             clear. Run this again: it asks with the same key, so that nothing is used twice.",
            sentence(&trouble.why),
            wanted(intent)
        ),
        Outcome::Refused(why) => refusal(why, when),
        Outcome::Damaged(aside) => damaged(aside),
        Outcome::Busy => {
            "Another process is redeeming and does not come to its end. Nothing was redeemed here.".to_owned()
        }
        Outcome::NotRead(error) => format!("Nothing was redeemed: {}", sentence(&error.in_full())),
        Outcome::Journal(why) => format!("Nothing was redeemed: {}", sentence(why)),
    }
}

/// What a damaged journal means.
pub(crate) fn damaged(aside: &std::path::Path) -> String {
    format!(
        "The redemption journal was damaged, or an old copy of it was put back. It is kept as {}. An earlier \
         redemption may be unfinished: look at the \
         windows and credits before you redeem.",
        aside.display()
    )
}

fn settled(receipt: &Receipt, elsewhere: bool, when: &When) -> String {
    let by = if elsewhere { " by another process, just now" } else { "" };
    match receipt.verdict {
        Verdict::Reset | Verdict::AlreadyRedeemed | Verdict::SeenByReading => {
            let done = match receipt.verdict {
                Verdict::AlreadyRedeemed => "Usage was reset by an earlier request",
                _ => "Usage reset",
            };
            let seen = match receipt.seen_at {
                Some(_) => String::new(),
                None => {
                    " The windows do not show it yet; that can take a while. Until they do, nothing else is \
                         redeemed."
                        .to_owned()
                }
            };
            format!("{done}{by}. {} was used.{seen}", wanted(&receipt.intent))
        }
        Verdict::NothingToReset => {
            format!("Nothing to reset{by}: the windows are not in use. Nothing was spent.")
        }
        Verdict::NoCredit => match &receipt.intent.credit_id {
            Some(id) => format!("The reset credit {id} is gone. Nothing was spent. See: codex usage credits"),
            None => "There is no reset credit. Nothing was spent.".to_owned(),
        },
        Verdict::NotSent => format!("A redemption was tried{by}, and no request reached the service."),
        Verdict::Unanswered => format!(
            "The service never answered the redemption of {}. {} is still there and the windows are the same, so it \
             was not carried out; nothing was spent. To redeem now, run this again.",
            moment(receipt.intent.made_at, when.now, &when.zone),
            wanted(&receipt.intent)
        ),
        Verdict::Outdated => format!(
            "A redemption of {} was never carried out, and the windows it was meant for are over. Nothing was spent. \
             To redeem now, run this again.",
            moment(receipt.intent.made_at, when.now, &when.zone)
        ),
    }
}

/// Why not, and what to do.
pub(crate) fn refusal(why: &Refusal, when: &When) -> String {
    let at = |at: u64| moment(at, when.now, &when.zone);
    match why {
        Refusal::Unfinished(intent) => format!(
            "A redemption of {} is unfinished ({}). Finish it first: codex usage redeem",
            at(intent.made_at),
            wanted(intent)
        ),
        Refusal::NotMoved(receipt) => format!(
            "A reset was redeemed at {}, and the windows do not show it yet. Another one would reset the same \
             windows. Look again with: codex usage. To redeem all the same: --force",
            at(receipt.answered_at)
        ),
        Refusal::NoSuchCredit(id) => {
            format!("There is no reset credit {id} that can be used. See: codex usage credits")
        }
        Refusal::NoCredits => "You have no reset credits.".to_owned(),
        Refusal::OnlyUnknown => {
            "Your reset credits are of a kind this version does not know. To use one, name it: --credit ID"
                .to_owned()
        }
        Refusal::NothingUsed => {
            "Nothing to reset: none of your windows is used. Nothing was spent.".to_owned()
        }
    }
}

fn wanted(intent: &Intent) -> String {
    intent
        .credit_id
        .as_ref()
        .map_or_else(|| "One reset credit".to_owned(), |id| format!("The reset credit {id}"))
}

/// A text that ends like a sentence.
fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::redeem::Trouble;

    fn when() -> When {
        When { now: 1_000_000, zone: TimeZone::UTC }
    }

    fn intent(credit: Option<&str>) -> Intent {
        Intent {
            key: "secret-key".to_owned(),
            account: "acct".to_owned(),
            credit_id: credit.map(str::to_owned),
            made_at: 999_000,
            before: Vec::new(),
            count_before: None,
            runs: 0,
            sent_at: 0,
        }
    }

    fn settled(verdict: Verdict, seen_at: Option<u64>, elsewhere: bool, unwritten: Option<&str>) -> Outcome {
        let receipt = Receipt {
            intent: intent(Some("c-1")),
            verdict,
            answered_at: 999_500,
            seen_at,
            after: Vec::new(),
        };
        Outcome::Settled { receipt: Box::new(receipt), elsewhere, unwritten: unwritten.map(str::to_owned) }
    }

    fn trouble(sign_in: bool) -> Trouble {
        Trouble { why: "it broke".to_owned(), again: false, sign_in }
    }

    #[test]
    fn every_end_says_what_is_true_and_what_to_do() {
        let unseen = || {
            let Outcome::Settled { receipt, .. } = settled(Verdict::Reset, None, false, None) else {
                panic!()
            };
            receipt
        };
        for (end, parts) in [
            (settled(Verdict::Reset, Some(1), false, None), &["Usage reset.", "c-1 was used"][..]),
            (settled(Verdict::Reset, None, false, None), &["Usage reset.", "do not show it yet"]),
            (settled(Verdict::AlreadyRedeemed, Some(1), false, None), &["by an earlier request"]),
            (settled(Verdict::SeenByReading, Some(1), true, None), &["Usage reset by another process"]),
            (
                settled(Verdict::Reset, Some(1), false, Some("full")),
                &["could not be written (full)", "same key"],
            ),
            (settled(Verdict::NothingToReset, None, false, None), &["Nothing to reset", "Nothing was spent"]),
            (settled(Verdict::NoCredit, None, false, None), &["c-1 is gone", "Nothing was spent"]),
            (settled(Verdict::NotSent, None, true, None), &["no request reached"]),
            (settled(Verdict::Outdated, None, false, None), &["never carried out", "run this again"]),
            (
                settled(Verdict::Unanswered, None, false, None),
                &["never answered", "still there", "run this again"],
            ),
            (Outcome::NotSent(trouble(false)), &["Nothing was redeemed: it broke.", "later"]),
            (Outcome::NotSent(trouble(true)), &["codex login"]),
            (Outcome::Unknown(Box::new(intent(None)), trouble(false)), &["unknown", "it broke.", "same key"]),
            (Outcome::Refused(Refusal::Unfinished(Box::new(intent(Some("c-1"))))), &["unfinished", "c-1"]),
            (Outcome::Refused(Refusal::NotMoved(unseen())), &["--force", "codex usage"]),
            (Outcome::Refused(Refusal::NoSuchCredit("x".to_owned())), &["x", "codex usage credits"]),
            (Outcome::Refused(Refusal::NoCredits), &["no reset credits"]),
            (Outcome::Refused(Refusal::OnlyUnknown), &["--credit"]),
            (Outcome::Refused(Refusal::NothingUsed), &["Nothing was spent"]),
            (Outcome::Damaged("/h/x.damaged-1".into()), &["/h/x.damaged-1", "unfinished"]),
            (Outcome::Busy, &["Another process"]),
            (Outcome::NotRead(crate::backend::Error::NotSignedIn), &["sign-in"]),
            (Outcome::Journal("disk full".to_owned()), &["Nothing was redeemed: disk full."]),
        ] {
            let text = outcome(&end, &when());
            for part in parts {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(!text.contains("secret-key") && !text.contains(".."), "{text}");
        }
    }

    #[test]
    fn names_of_credits_tell_what_they_reset() {
        let mark = |minutes, window: &str| Mark {
            limit: "codex".to_owned(),
            window: window.to_owned(),
            minutes: Some(minutes),
            used_percent: 42.4,
            resets_at: Some(1_003_600),
        };
        let marks = [mark(300, "primary"), mark(10_080, "secondary")];
        let credit = ResetCredit {
            id: "c".to_owned(),
            reset_type: ResetType::CodexRateLimits,
            status: CreditStatus::Available,
            granted_at: None,
            expires_at: Some(1_090_000),
            expiry_unreadable: false,
            title: None,
            description: None,
        };
        assert_eq!(title(&credit, &marks), "Full reset (weekly + 5h)");
        assert_eq!(expiry(&credit, &when()), "expires 14:46 on 13 Jan 1970 (in 1d 1h)");
        let never = ResetCredit { expires_at: None, ..credit.clone() };
        assert_eq!(expiry(&never, &when()), "does not expire");
        let odd = ResetCredit { expiry_unreadable: true, ..never };
        assert_eq!(expiry(&odd, &when()), "expires at a time that cannot be read");
        assert_eq!(windows(&marks, &when())[0], "5h        42% used · starts anew by itself 14:46 (in 1h)");
    }
}
