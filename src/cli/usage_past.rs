//! `codex usage activity` and `codex usage history`: what was used, as the service counts it per day, and as this
//! machine has read it.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::exit::Exit;
use super::usage_account::{self, Account};
use crate::backend::activity::{self, Activity};
use crate::exec::text::clean;
use crate::limits::activity::{View, rows};
use crate::limits::history::{self, Entry, Spent};
use crate::limits::text;

/// Version of the JSON documents.
const VERSION: u32 = 1;

/// Columns when nobody says how many there are.
const COLUMNS: usize = 80;

/// Options of `codex usage activity`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ActivityArgs {
    /// daily, weekly or cumulative
    #[arg(default_value = "daily", value_parser = view, hide_default_value = true)]
    view: View,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Options of `codex usage history`.
#[derive(Args, Clone, Debug)]
pub(crate) struct HistoryArgs {
    /// How many days to show
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

fn view(word: &str) -> Result<View, String> {
    View::of(word).ok_or_else(|| "allowed: daily, weekly, cumulative".to_owned())
}

/// Runs `codex usage activity`. Exit codes: 0, 20 no ChatGPT sign-in, 21 the service cannot be reached.
pub(crate) fn activity(args: &ActivityArgs, opened: Result<Account, usage_account::Error>) -> Exit {
    let account = match opened {
        Ok(account) => account,
        Err(error) => return failed(args.json, error.code(), &error.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(args.json, 1, &format!("cannot start: {error}")),
    };
    let read = runtime.block_on(activity::read(&account.backend));
    runtime.shutdown_background();
    match read {
        Ok(activity) if args.json => print(&(activity_json(&activity, args.view).to_string() + "\n")),
        Ok(activity) => {
            let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
            let rows = rows(&activity, args.view, today, columns());
            print(&rows.iter().map(|row| clean(row) + "\n").collect::<String>())
        }
        Err(error) => failed(args.json, if error.is_sign_in() { 20 } else { 21 }, &error.in_full()),
    }
}

fn activity_json(activity: &Activity, view: View) -> Value {
    let days = activity.days.as_ref().map(|days| {
        days.iter()
            .map(|(day, tokens)| json!({"date": day.to_string(), "tokens": tokens}))
            .collect::<Vec<_>>()
    });
    json!({
        "schema_version": VERSION,
        "view": view.word(),
        "lifetime_tokens": activity.lifetime_tokens,
        "peak_daily_tokens": activity.peak_daily_tokens,
        "longest_turn_s": activity.longest_turn_s,
        "streak_days": activity.streak_days,
        "longest_streak_days": activity.longest_streak_days,
        "days": days,
        "exit_code": 0,
    })
}

/// Runs `codex usage history`: no request is made. Exit codes: 0, 20 no ChatGPT sign-in, 23 nothing was read yet.
pub(crate) fn history(args: &HistoryArgs, opened: Result<Account, usage_account::Error>) -> Exit {
    let (_, entries) = match past(args.json, opened) {
        Ok(past) => past,
        Err(exit) => return exit,
    };
    let days = per_day(&history::spent(&entries), &TimeZone::system());
    let shown: Vec<_> = days.iter().rev().take(usize::from(args.days)).collect();
    if args.json {
        let days: Vec<Value> = shown
            .iter()
            .map(|(day, windows)| json!({"date": day.to_string(), "spent_percent": windows}))
            .collect();
        let document =
            json!({"schema_version": VERSION, "readings": entries.len(), "days": days, "exit_code": 0});
        return print(&(document.to_string() + "\n"));
    }
    let mut out = format!("{} readings. Use per day, in percent of each window:\n", entries.len());
    for (day, windows) in &shown {
        let parts: Vec<String> =
            windows.iter().map(|(name, percent)| format!("{name} {}", text::percent(*percent))).collect();
        out.push_str(&format!("{day}  {}\n", parts.join("  ")));
    }
    if shown.is_empty() {
        out.push_str("nothing was used between the readings\n");
    }
    print(&out)
}

fn per_day(spent: &[Spent], zone: &TimeZone) -> BTreeMap<Date, BTreeMap<&'static str, f64>> {
    let mut days: BTreeMap<Date, BTreeMap<&'static str, f64>> = BTreeMap::new();
    for spent in spent {
        let moment = i64::try_from(spent.at_ms).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        let Some(moment) = moment else { continue };
        let day = days.entry(moment.to_zoned(zone.clone()).date()).or_default();
        *day.entry(spent.window).or_insert(0.0) += spent.percent;
    }
    days
}

/// Columns of the terminal.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(COLUMNS)
}

/// The account and what was read about its limits before; the exit after saying why there is none.
pub(crate) fn past(
    json: bool,
    opened: Result<Account, usage_account::Error>,
) -> Result<(Account, Vec<Entry>), Exit> {
    let account = opened.map_err(|error| failed(json, error.code(), &error.to_string()))?;
    let entries = account.cache.history();
    if entries.is_empty() {
        return Err(failed(json, 23, "Nothing was read yet about the limits of this account."));
    }
    Ok((account, entries))
}

/// Says what is wrong, in the form that was asked for.
pub(crate) fn failed(json: bool, code: u8, text: &str) -> Exit {
    if json {
        let document =
            json!({"schema_version": VERSION, "error": {"message": clean(text)}, "exit_code": code});
        let _ = print(&(document.to_string() + "\n"));
    } else {
        let _ = writeln!(std::io::stderr(), "ERROR: {}", clean(text));
    }
    Exit::Other(code)
}

/// Prints; nobody may be reading.
pub(crate) fn print(text: &str) -> Exit {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Success,
        Err(_) => Exit::OutputClosed,
    }
}
