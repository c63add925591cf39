//! The advice in words: one line that says what to do, and the sum behind it. Shown in `/usage`, in the
//! confirmation of a redemption and in JSON.

use jiff::tz::TimeZone;

use super::advice::{Action, Advice, Pending, Why};
use super::text::{moment, percent, span};

/// The word for machines.
pub(crate) fn word(action: Action) -> &'static str {
    match action {
        Action::Unknown => "unknown",
        Action::NoCredit => "none",
        Action::RedeemNow => "redeem_now",
        Action::WaitUntil(_) => "wait_until",
        Action::UseBefore(_) => "use_before",
        Action::Hold => "hold",
    }
}

/// What to do, and why, in one sentence.
pub(crate) fn headline(advice: &Advice, now: u64, zone: &TimeZone) -> String {
    let expires = advice.credit.as_ref().and_then(|credit| credit.expires_at);
    let left = |at: u64| span(at.saturating_sub(now));
    match (advice.action, advice.why) {
        (Action::Unknown, _) => "Not known yet whether a reset would help.".to_owned(),
        (Action::NoCredit, _) => "There is no reset to use.".to_owned(),
        (Action::RedeemNow, Why::LastCall) => {
            let left = expires.map(left).unwrap_or_default();
            format!("Redeem now: the reset expires in {left}.")
        }
        (Action::RedeemNow, Why::ExpiresFirst) => {
            "Redeem now: the reset expires before the limit comes back by itself.".to_owned()
        }
        (Action::RedeemNow, _) => "Redeem now: the limit is used up and comes back late.".to_owned(),
        (Action::WaitUntil(at), Why::FreeResetNear) => {
            format!("Wait until {}: the limit comes back by itself in {}.", moment(at, now, zone), left(at))
        }
        (Action::WaitUntil(at), _) => format!(
            "Wait until about {}: a reset brings most when the limit is used up.",
            moment(at, now, zone)
        ),
        (Action::UseBefore(at), _) => {
            format!("Use the reset before {}: it expires in {}.", moment(at, now, zone), left(at))
        }
        (Action::Hold, Why::Pending(earlier)) => pending(earlier, now, zone),
        (Action::Hold, Why::Workspace) => {
            "Hold: a limit of your workspace is reached, and a reset does not lift it.".to_owned()
        }
        (Action::Hold, Why::NothingUsed) => {
            "Hold: nothing is used, so a reset would bring nothing.".to_owned()
        }
        (Action::Hold, Why::RunsOutNearReset) => {
            "Hold: the limit may run out, but comes back by itself shortly after.".to_owned()
        }
        (Action::Hold, Why::Lasts) => "Hold: at this rate the limits last until their own reset.".to_owned(),
        (Action::Hold, _) => "Hold: too few readings yet to say when a reset helps most.".to_owned(),
    }
}

/// Why nothing else is to be redeemed before an earlier redemption is over.
pub(crate) fn pending(pending: Pending, now: u64, zone: &TimeZone) -> String {
    match pending {
        Pending::Unfinished(at) => format!(
            "Hold: what became of the redemption of {} is not known yet. Redeeming finishes it first.",
            moment(at, now, zone)
        ),
        Pending::Unseen(at) => format!(
            "Hold: the reset of {} cannot be seen yet. Another one would reset the same windows.",
            moment(at, now, zone)
        ),
    }
}

/// The sum: what a reset now gives back, when that comes by itself, what moves, when the credit expires.
pub(crate) fn sum(advice: &Advice, now: u64, zone: &TimeZone) -> Vec<String> {
    let mut lines = Vec::new();
    // While an earlier redemption is open the numbers are those from before it.
    if matches!(advice.action, Action::Unknown | Action::NoCredit) || matches!(advice.why, Why::Pending(_)) {
        return lines;
    }
    for (name, used, resets_at) in &advice.regained {
        let free = resets_at.map_or(String::new(), |at| {
            format!(" (free at {}, in {})", moment(at, now, zone), span(at.saturating_sub(now)))
        });
        lines.push(format!("{name}: a reset now gives back {}{free}", percent(*used)));
    }
    let used = advice.regained.iter().any(|(_, used, _)| *used >= 1.0);
    if let Some((name, at)) = advice.long_moves_to.filter(|_| used) {
        lines.push(format!("the next {name} reset would then be {}", moment(at, now, zone)));
    }
    if let Some(credit) = &advice.credit {
        lines.push(match credit.expires_at {
            Some(at) => {
                format!("the reset expires {} (in {})", moment(at, now, zone), span(at.saturating_sub(now)))
            }
            None if credit.id.is_some() && !credit.expiry_unreadable => {
                "the reset does not expire".to_owned()
            }
            None => "when the reset expires is not known".to_owned(),
        });
    }
    lines
}
