//! `codex usage credits`: the reset credits, when each is gone, and what was redeemed with them.

use std::io::Write;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::exit::Exit;
use super::usage::UNKNOWN;
use super::usage_account::{self, Account};
use super::usage_redeem;
use super::usage_redeem_told::receipt_json;
use crate::backend::{self, reset_credits};
use crate::base::clock::{Clock, SystemClock};
use crate::exec::text::clean;
use crate::limits::intent::{Book, Receipt};
use crate::limits::redeem_words::{self as words, When};
use crate::limits::text::{age, full_moment, moment, rfc3339};
use crate::protocol::limits::{ResetCredit, ResetCredits};

/// Version of the JSON document.
const VERSION: u64 = 1;
/// Receipts shown to people.
const RECEIPTS: usize = 5;

/// Options of `codex usage credits`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CreditsArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs it. Exit codes: 0 fine, 1 files cannot be read, 20 no ChatGPT sign-in, 21 the service cannot be reached, 22
/// what became of a redemption is unknown.
pub(crate) fn run(args: &CreditsArgs, opened: Result<Account, usage_account::Error>) -> Exit {
    let account = match opened {
        Ok(account) => account,
        Err(error) => return failed(args, error.code(), &error.to_string()),
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(show(args, &account));
            runtime.shutdown_background();
            exit
        }
        Err(error) => failed(args, 1, &format!("cannot start: {error}")),
    }
}

async fn show(args: &CreditsArgs, account: &Account) -> Exit {
    let unknown = usage_redeem::finish_first(account).await;
    let (list, book) = tokio::join!(reset_credits::list(&account.backend), account.redeemer.book());
    let book = match book {
        Ok(book) => book,
        Err(error) => return failed(args, 1, &error.to_string()),
    };
    let when = When { now: SystemClock.now_s(), zone: TimeZone::system() };
    let code = if unknown { UNKNOWN } else { 0 };
    match list {
        Ok(list) if args.json => print(&document(&list, &book, &when, code).to_string()),
        Ok(list) => print(&lines(&list, &book, &when).join("\n")),
        Err(error) => return not_listed(args, &error, unknown, account, &book, &when),
    }
    Exit::Other(code)
}

/// The list cannot be had: what is known of it, with its age, and why it is not newer.
fn not_listed(
    args: &CreditsArgs,
    error: &backend::Error,
    unknown: bool,
    account: &Account,
    book: &Book,
    when: &When,
) -> Exit {
    let code = match (error.is_sign_in(), unknown) {
        (true, _) => 20,
        (false, true) => UNKNOWN,
        (false, false) => 21,
    };
    let state = account.cache.get();
    let Some(held) = state.reset_credits.as_ref().filter(|_| code != 20) else {
        return failed(args, code, &error.in_full());
    };
    let at = held.at_ms / 1000;
    if args.json {
        let mut known = document(&held.value, book, when, code);
        known["captured_at"] = json!(rfc3339(at));
        known["message"] = json!(clean(&error.in_full()));
        print(&known.to_string());
        return Exit::Other(code);
    }
    print(&lines(&held.value, book, when).join("\n"));
    let text = format!("That is as of {}. {}", age(at, when.now), error.in_full());
    let _ = writeln!(std::io::stderr(), "{}", clean(&text));
    Exit::Other(code)
}

fn failed(args: &CreditsArgs, code: u8, text: &str) -> Exit {
    let text = clean(text);
    if args.json {
        print(&json!({ "schema_version": VERSION, "exit_code": code, "message": text }).to_string());
    } else {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    Exit::Other(code)
}

fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The list for people.
fn lines(list: &ResetCredits, book: &Book, when: &When) -> Vec<String> {
    let mut lines = Vec::new();
    match list.available_count {
        0 => lines.push("You have no reset credits.".to_owned()),
        n => lines.push(format!("You have {}. To use one: codex usage redeem", words::count(n))),
    }
    let credits = list.credits.as_deref().unwrap_or_default();
    lines.extend(credits.iter().map(|credit| clean(&line(credit, when))));
    let hidden = list.available_count.saturating_sub(credits.len() as u64);
    if hidden > 0 {
        let more = if credits.is_empty() { "" } else { "more " };
        lines.push(format!("  {hidden} {more}that the service does not list"));
    }
    if let Some(intent) = &book.intent {
        let at = moment(intent.made_at, when.now, &when.zone);
        lines.push(format!("A redemption of {at} is unfinished. To finish it: codex usage redeem"));
    }
    if !book.receipts.is_empty() {
        lines.push("Redeemed from this home:".to_owned());
        lines.extend(book.receipts.iter().rev().take(RECEIPTS).map(|receipt| past(receipt, when)));
    }
    lines
}

fn line(credit: &ResetCredit, when: &When) -> String {
    let granted = credit
        .granted_at
        .map_or_else(String::new, |at| format!(" · granted {}", full_moment(at, &when.zone)));
    let standing = words::standing(credit.status).map_or_else(String::new, |word| format!(" · {word}"));
    let (title, expiry) = (words::title(credit, &[]), words::expiry(credit, when));
    format!("  {}  {title} · {expiry}{granted}{standing}", credit.id)
}

fn past(receipt: &Receipt, when: &When) -> String {
    use crate::limits::intent::Verdict as V;
    let what = match (receipt.verdict, receipt.seen_at) {
        (V::Reset | V::AlreadyRedeemed | V::SeenByReading, Some(_)) => "usage reset",
        (V::Reset | V::AlreadyRedeemed | V::SeenByReading, None) => "usage reset, not visible yet",
        (V::NothingToReset, _) => "nothing to reset, nothing spent",
        (V::NoCredit, _) => "no such credit, nothing spent",
        (V::NotSent, _) => "not sent, nothing spent",
        (V::Unanswered, _) => "never answered, still there, nothing spent",
        (V::Outdated, _) => "never carried out, nothing spent",
    };
    let id = receipt.intent.credit_id.as_deref().unwrap_or("picked by the service");
    format!("  {}  {what} ({id})", moment(receipt.answered_at, when.now, &when.zone))
}

/// The list for machines.
fn document(list: &ResetCredits, book: &Book, when: &When, code: u8) -> Value {
    let credits =
        list.credits.as_ref().map(|credits| credits.iter().map(|c| credit_json(c, when)).collect::<Vec<_>>());
    json!({
        "schema_version": VERSION,
        "exit_code": code,
        "available_count": list.available_count,
        "credits": credits,
        "unfinished": book.intent.as_ref().map(|intent| json!({
            "credit_id": intent.credit_id, "confirmed_at": intent.made_at })),
        "receipts": book.receipts.iter().map(receipt_json).collect::<Vec<_>>(),
    })
}

fn credit_json(credit: &ResetCredit, when: &When) -> Value {
    json!({
        "id": credit.id,
        "reset_type": credit.reset_type,
        "status": credit.status,
        "title": credit.title,
        "description": credit.description,
        "granted_at": credit.granted_at.and_then(rfc3339),
        "expires_at": credit.expires_at.and_then(rfc3339),
        "expires_in_s": credit.expires_at.map(|at| at.saturating_sub(when.now)),
        "expiry_unreadable": credit.expiry_unreadable,
    })
}
