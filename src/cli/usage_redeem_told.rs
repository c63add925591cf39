//! What `codex usage redeem` tells: progress to standard error, the result to standard output, and the exit code and
//! word of every end.

use std::io::{BufRead, Write};

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::exit::Exit;
use crate::base::clock::{Clock, SystemClock};
use crate::exec::text::clean;
use crate::limits::intent::{Decision, Receipt, Refusal, Verdict};
use crate::limits::redeem_words::{self as words, When};
use crate::limits::redeemer::{Error, Plan};
use crate::limits::redemption::Outcome;

/// Version of the JSON document.
const VERSION: u64 = 1;

/// Why a wish could not even be judged.
pub(super) fn unsent(error: &Error) -> String {
    let why = match error {
        Error::Backend(error) => error.in_full(),
        Error::Journal(_) | Error::Busy => error.to_string(),
    };
    format!("{}. Nothing was redeemed.", why.trim_end_matches('.'))
}

/// Exit code and word of a wish that could not be judged.
pub(super) fn error_code(error: &Error) -> (u8, &'static str) {
    match error {
        Error::Journal(_) => (1, "failed"),
        Error::Busy => (14, "refused"),
        Error::Backend(error) => backend_code(error),
    }
}

fn backend_code(error: &crate::backend::Error) -> (u8, &'static str) {
    if error.is_sign_in() { (20, "no_sign_in") } else { (21, "unreachable") }
}

/// Exit code and word of an end.
fn code(outcome: &Outcome) -> (u8, &'static str) {
    match outcome {
        Outcome::Settled { receipt, .. } => verdict_code(receipt.verdict),
        Outcome::NotSent(trouble) | Outcome::Unknown(_, trouble) if trouble.sign_in => (20, "no_sign_in"),
        Outcome::NotSent(_) => (21, "unreachable"),
        Outcome::Unknown(..) => (22, "unknown"),
        Outcome::Refused(refusal) => match refusal {
            Refusal::Unfinished(_) | Refusal::NotMoved(_) => (14, "refused"),
            Refusal::NoSuchCredit(_) | Refusal::NoCredits | Refusal::OnlyUnknown => (13, "no_credit"),
            Refusal::NothingUsed => (12, "nothing_to_reset"),
        },
        Outcome::Damaged(_) | Outcome::Busy => (14, "refused"),
        Outcome::NotRead(error) => backend_code(error),
        Outcome::Journal(_) => (1, "failed"),
    }
}

fn verdict_code(verdict: Verdict) -> (u8, &'static str) {
    match verdict {
        Verdict::Reset | Verdict::SeenByReading => (0, "reset"),
        Verdict::AlreadyRedeemed => (0, "already_redeemed"),
        Verdict::NothingToReset | Verdict::Outdated => (12, "nothing_to_reset"),
        Verdict::NoCredit => (13, "no_credit"),
        Verdict::NotSent | Verdict::Unanswered => (21, "unreachable"),
    }
}

/// What a receipt tells to machines. Its key stays in the journal.
pub(crate) fn receipt_json(receipt: &Receipt) -> Value {
    json!({
        "result": verdict_code(receipt.verdict).1,
        "credit_id": receipt.intent.credit_id,
        "confirmed_at": receipt.intent.made_at,
        "answered_at": receipt.answered_at,
        "visible_at": receipt.seen_at,
        "before": receipt.intent.before,
        "after": receipt.after,
    })
}

/// Speaks to the user, or to a script.
pub(super) struct Teller {
    json: bool,
    pub(super) when: When,
}

impl Teller {
    pub(super) fn new(json: bool) -> Self {
        Self { json, when: When { now: SystemClock.now_s(), zone: TimeZone::system() } }
    }

    /// Progress: for people only.
    pub(super) fn say(&self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{}", clean(text));
        }
    }

    pub(super) fn warn(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "warning: {}", clean(text));
    }

    /// Asks. Enter alone, the end of the input and everything but a yes mean no.
    pub(super) fn ask(&self, plan: &Plan, advice: &[String]) -> bool {
        let (Decision::Redeem { credit, .. }, Some(reading)) = (&plan.decision, &plan.reading) else {
            return false;
        };
        let mut err = std::io::stderr();
        for line in words::question(credit.as_deref(), reading, &self.when) {
            let _ = writeln!(err, "{}", clean(&line));
        }
        for line in advice {
            let _ = writeln!(err, "  {}", clean(line));
        }
        let _ = write!(err, "Use it now? [y/N] ");
        let _ = err.flush();
        let mut typed = String::new();
        let read = std::io::stdin().lock().read_line(&mut typed);
        read.is_ok() && matches!(typed.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    pub(super) fn outcome(&self, outcome: &Outcome) -> Exit {
        let (code, word) = code(outcome);
        let more = match outcome {
            Outcome::Settled { receipt, elsewhere, .. } => {
                vec![("receipt", receipt_json(receipt)), ("elsewhere", json!(elsewhere))]
            }
            Outcome::Unknown(intent, _) => vec![("credit_id", json!(intent.credit_id))],
            _ => Vec::new(),
        };
        let now = When { now: SystemClock.now_s(), zone: self.when.zone.clone() };
        self.end(code, word, &words::outcome(outcome, &now), &more)
    }

    /// The last word.
    pub(super) fn end(&self, code: u8, word: &str, text: &str, more: &[(&str, Value)]) -> Exit {
        let text = clean(text);
        if self.json {
            let mut document =
                json!({ "schema_version": VERSION, "result": word, "exit_code": code, "message": text });
            if let Some(map) = document.as_object_mut() {
                map.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            }
            let _ = writeln!(std::io::stdout(), "{document}");
        } else if code == 0 || code == 12 {
            let _ = writeln!(std::io::stdout(), "{text}");
        } else {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
        Exit::Other(code)
    }
}
