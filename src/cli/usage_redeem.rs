//! `codex usage redeem`: asks, redeems, says what came of it. Progress goes to standard error, the result to standard
//! output, so that a script reads one line or one JSON document.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use super::usage_account::{self, Account};
use super::usage_redeem_told::{Teller, error_code, unsent};
use crate::base::clock::{Clock, SystemClock};
use crate::exec::text::clean;
use crate::limits::intent::{Decision, Reading};
use crate::limits::redeem_words::{self as words, When};
use crate::limits::redeemer::{Plan, Wish};
use crate::limits::redemption::{Outcome, Redemption};
use crate::limits::{advice, advice_text};
use crate::protocol::limits::ResetCredit;

/// What `codex usage redeem` says below its options.
pub(crate) const HELP: &str = "\
What is under way is written down in this CODEX_HOME, for all processes that use it. A second CODEX_HOME of the same
account does not know of it: wait until the windows show the first reset before you redeem from another one.

Exit codes:
  0   redeemed, now or by an earlier request
  1   nothing was redeemed: answered with no, or this machine's files cannot be used
  12  nothing to reset
  13  no such credit, or none left
  14  refused: a redemption is unfinished, or the last one cannot be seen yet
  20  no ChatGPT sign-in
  21  the service cannot be reached; nothing was sent
  22  the result is unknown; run it again to find out
  64  wrong use: bad arguments, or no terminal and no --yes";

/// Options of `codex usage redeem`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RedeemArgs {
    /// Use this credit; without it the one that expires first
    #[arg(long, value_name = "ID", value_parser = credit_id)]
    credit: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would be done, send nothing
    #[arg(long)]
    dry_run: bool,
    /// Redeem although the last reset cannot be seen yet
    #[arg(long)]
    force: bool,
    /// Return with the answer, without waiting for the windows to move
    #[arg(long)]
    no_wait: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

fn credit_id(text: &str) -> Result<String, String> {
    let usable = !text.is_empty() && text.len() <= 200 && text.chars().all(|c| c.is_ascii_graphic());
    if usable { Ok(text.to_owned()) } else { Err("that is no id of a credit".to_owned()) }
}

/// Runs it.
pub(crate) fn run(args: &RedeemArgs, opened: Result<Account, usage_account::Error>) -> Exit {
    let asks = !args.yes && !args.dry_run;
    if asks && !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Teller::new(args.json).end(
            64,
            "wrong_use",
            "There is nobody to ask. To redeem without asking: --yes",
            &[],
        );
    }
    let teller = Teller::new(args.json);
    let account = match opened {
        Ok(account) => account,
        Err(error) => return teller.end(error.code(), error.word(), &error.to_string(), &[]),
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(redeem(args, &account, &teller));
            runtime.shutdown_background();
            exit
        }
        Err(error) => teller.end(1, "failed", &format!("cannot start: {error}"), &[]),
    }
}

async fn redeem(args: &RedeemArgs, account: &Account, teller: &Teller) -> Exit {
    let mut wish =
        Wish { credit: args.credit.clone(), force: args.force, no_wait: args.no_wait, ..Wish::default() };
    let plan = match account.redeemer.prepare(&wish).await {
        Ok(plan) => plan,
        Err(error) => {
            let (code, word) = error_code(&error);
            return teller.end(code, word, &unsent(&error), &[]);
        }
    };
    if let Some(aside) = &plan.damaged {
        teller.warn(&words::damaged(aside));
    }
    let finishes = matches!(plan.decision, Decision::Finish(_));
    match &plan.decision {
        Decision::Refuse(refusal) => return teller.outcome(&Outcome::Refused(refusal.clone())),
        Decision::Finish(intent) => {
            let at = crate::limits::text::moment(intent.made_at, teller.when.now, &teller.when.zone);
            teller.say(&format!("A redemption of {at} is unfinished; finishing it with its own key."));
        }
        Decision::Redeem { despite: Some(_), .. } => {
            teller.warn(
                "The windows of the last reset have not moved yet. This may reset the same windows again.",
            );
        }
        Decision::Redeem { despite: None, .. } => {}
    }
    if args.dry_run {
        return dry_run(&plan, &advice(account, &teller.when), teller);
    }
    if plan.damaged.is_some() {
        if !finishes && args.yes {
            // A yes that was typed before this was known does not count.
            let _ = account.redeemer.damage_told().await;
            return teller.end(
                14,
                "refused",
                "Nothing was redeemed. To redeem all the same, run this again.",
                &[],
            );
        }
        wish.despite_damage = true;
    }
    if !args.yes && !finishes && !teller.ask(&plan, &advice(account, &teller.when)) {
        return teller.end(1, "declined", "Nothing was redeemed.", &[]);
    }
    let damaged = plan.damaged.is_some();
    let outcome = match follow(account.redeemer.start(plan, wish), teller).await {
        Some(outcome) => outcome,
        None => return Exit::Interrupted,
    };
    if damaged || matches!(outcome, Outcome::Damaged(_)) {
        let _ = account.redeemer.damage_told().await;
    }
    teller.outcome(&outcome)
}

/// Finishes what an earlier run, or a process that is gone, left unfinished; in silence when there is nothing.
/// True when what became of it is still unknown.
pub(crate) async fn finish_first(account: &Account) -> bool {
    let (unknown, text) = finish(account).await;
    text.iter().for_each(|text| drop(writeln!(std::io::stderr(), "{}", clean(text))));
    unknown
}

/// The same, told by somebody else: whether it is still unknown, and a sentence for the user.
pub(crate) async fn finish(account: &Account) -> (bool, Option<String>) {
    if !account.redeemer.book().await.is_ok_and(|book| book.intent.is_some()) {
        return (false, None);
    }
    let wish = Wish { no_wait: true, at_once: true, ..Wish::default() };
    let Ok(plan) = account.redeemer.prepare(&wish).await else { return (true, None) };
    if !matches!(plan.decision, Decision::Finish(_)) {
        return (false, None);
    }
    let when = When { now: SystemClock.now_s(), zone: TimeZone::system() };
    let mut outcome = account.redeemer.start(plan, wish).outcome().await;
    if let Outcome::Settled { receipt, .. } = &mut outcome
        && receipt.verdict.is_spent()
        && receipt.seen_at.is_none()
    {
        // Numbers from before it are not shown as if they were of now; whether they have moved is said at once.
        let _ = account.cache.refresh(Duration::ZERO).await;
        account.redeemer.notice(&account.cache.get()).await;
        let book = account.redeemer.book().await.unwrap_or_default();
        if let Some(seen) = book.receipts.into_iter().find(|known| known.intent.key == receipt.intent.key) {
            **receipt = seen;
        }
    }
    let text = format!("An unfinished redemption: {}", words::outcome(&outcome, &when));
    (matches!(outcome, Outcome::Unknown(..)), (!matches!(outcome, Outcome::Busy)).then_some(text))
}

/// What speaks for and against using a credit now.
fn advice(account: &Account, when: &When) -> Vec<String> {
    let state = account.cache.get();
    let advice = advice::advise(&advice::situation(&state, when.now, None));
    let now = state.server_now(when.now);
    let mut lines = vec![advice_text::headline(&advice, now, &when.zone)];
    lines.extend(advice_text::sum(&advice, now, &when.zone).into_iter().map(|line| format!("  {line}")));
    lines
}

/// Tells the steps until the end; `None` when the user does not want to wait for it.
async fn follow(mut redemption: Redemption, teller: &Teller) -> Option<Outcome> {
    let mut interrupts = signal(SignalKind::interrupt()).ok();
    let mut warned = false;
    loop {
        let interrupted = async {
            match &mut interrupts {
                Some(interrupts) => interrupts.recv().await,
                None => std::future::pending().await,
            }
        };
        // Steps and interrupts are queues: what is not taken now is taken by the next round.
        tokio::select! {
            step = redemption.steps.recv() => match step {
                Some(step) => words::step(&step).into_iter().for_each(|line| teller.say(&line)),
                None => return Some(redemption.outcome().await),
            },
            _ = interrupted => {
                if warned {
                    teller.warn("Left before the end. The next start finishes it with the same key.");
                    return None;
                }
                warned = true;
                teller.warn("A request under way cannot be taken back; waiting for its answer. Ctrl-C again leaves.");
            }
        }
    }
}

fn dry_run(plan: &Plan, advice: &[String], teller: &Teller) -> Exit {
    let text = match &plan.decision {
        Decision::Redeem { credit, credit_id, .. } => {
            let what = match (credit, credit_id) {
                (Some(credit), _) => describe(credit, plan.reading.as_ref(), &teller.when),
                (None, Some(id)) => format!("the credit {id}"),
                (None, None) => "a credit that the service picks".to_owned(),
            };
            format!("Would redeem: {what}. Nothing was sent.")
        }
        Decision::Finish(_) => "Would finish the unfinished redemption first. Nothing was sent.".to_owned(),
        Decision::Refuse(refusal) => words::refusal(refusal, &teller.when),
    };
    let id = match &plan.decision {
        Decision::Redeem { credit_id, .. } => credit_id.clone(),
        Decision::Finish(intent) => intent.credit_id.clone(),
        Decision::Refuse(_) => None,
    };
    let before = plan.reading.as_ref().map(|reading| json!(reading.marks)).unwrap_or_default();
    if matches!(plan.decision, Decision::Redeem { .. }) {
        advice.iter().for_each(|line| teller.say(line));
    }
    teller.end(
        0,
        "dry_run",
        &text,
        &[("credit_id", json!(id)), ("before", before), ("advice", json!(advice))],
    )
}

fn describe(credit: &ResetCredit, reading: Option<&Reading>, when: &When) -> String {
    let marks = reading.map(|reading| reading.marks.as_slice()).unwrap_or_default();
    format!("{} ({}), {}", words::title(credit, marks), credit.id, words::expiry(credit, when))
}
