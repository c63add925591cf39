//! `codex usage explain`: which threads, models and tools of this machine used the limits, and how much was used
//! elsewhere. No request is made.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::exit::Exit;
use super::usage_account::{self, Account};
use super::usage_past::{past, print};
use crate::base::clock::{Clock, SystemClock};
use crate::exec::text::clean;
use crate::limits::explain::{Explained, ThreadUses, explain};
use crate::limits::history;
use crate::limits::text;
use crate::threads::{self, Filter, Order};

/// Version of the JSON document.
const VERSION: u32 = 1;

/// Threads read at most, newest first.
const MOST_THREADS: usize = 2000;

/// Rows of each list.
const ROWS: usize = 8;

/// Columns of a title.
const TITLE: usize = 48;

/// Options of `codex usage explain`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExplainArgs {
    /// How many days to explain
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs it. Exit codes: 0, 20 no ChatGPT sign-in, 23 nothing was read yet.
pub(crate) fn run(args: &ExplainArgs, opened: Result<Account, usage_account::Error>) -> Exit {
    let (account, entries) = match past(args.json, opened) {
        Ok(past) => past,
        Err(exit) => return exit,
    };
    let from = SystemClock.now_s().saturating_sub(u64::from(args.days) * 86_400);
    let mut spent = history::spent(&entries);
    spent.retain(|spent| spent.at_ms / 1000 >= from);
    let threads = threads_since(&account.codex_home, from);
    let windows = explain(&spent, &threads);
    if args.json {
        let windows: BTreeMap<_, _> =
            windows.iter().map(|(name, explained)| (name, window_json(explained, &threads))).collect();
        let document =
            json!({"schema_version": VERSION, "days": args.days, "windows": windows, "exit_code": 0});
        return print(&(document.to_string() + "\n"));
    }
    let mut out =
        format!("The last {} days, by tokens of the threads on this machine (an estimate):\n", args.days);
    if windows.is_empty() {
        out.push_str("nothing was used between the readings\n");
    }
    for (name, explained) in &windows {
        out.push_str(&window_text(name, explained, &threads));
    }
    print(&out)
}

fn threads_since(home: &Path, from: u64) -> Vec<ThreadUses> {
    let filter = || Filter { subagents: true, ..Filter::default() };
    let archived = threads::list(home, Filter { archived: true, ..filter() }, Order::Updated);
    let live = threads::list(home, filter(), Order::Updated);
    let recent = |list: threads::List| {
        list.take_while(move |summary| summary.updated_ms / 1000 >= from).take(MOST_THREADS)
    };
    let read = |summary: threads::Summary| {
        let uses = threads::uses(&summary.found.path, from).ok()?;
        let title = summary.name.or(summary.preview).unwrap_or_else(|| "(no prompt)".to_owned());
        (!uses.is_empty()).then(|| ThreadUses { title, id: summary.found.id.to_string(), uses })
    };
    recent(live).chain(recent(archived)).filter_map(read).collect()
}

/// The largest first.
fn sorted<K: Clone + Ord>(shares: &BTreeMap<K, f64>) -> Vec<(K, f64)> {
    let mut rows: Vec<(K, f64)> = shares.iter().map(|(key, share)| (key.clone(), *share)).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    rows
}

fn window_json(explained: &Explained, threads: &[ThreadUses]) -> Value {
    let thread = |(n, percent): (usize, f64)| {
        let thread = threads.get(n);
        json!({"id": thread.map(|t| &t.id), "title": thread.map(|t| clean(&t.title)), "percent": percent})
    };
    let named = |shares: &BTreeMap<String, f64>| -> Vec<Value> {
        sorted(shares)
            .into_iter()
            .map(|(name, percent)| json!({"name": clean(&name), "percent": percent}))
            .collect()
    };
    json!({
        "total_percent": explained.total,
        "elsewhere_percent": explained.elsewhere,
        "threads": sorted(&explained.threads).into_iter().map(thread).collect::<Vec<_>>(),
        "models": named(&explained.models),
        "tools": named(&explained.tools),
    })
}

fn window_text(name: &str, explained: &Explained, threads: &[ThreadUses]) -> String {
    let mut out = format!(
        "\n{name}: {} used, {} of it while this machine asked for nothing\n",
        text::percent(explained.total),
        text::percent(explained.elsewhere)
    );
    let mut list = |head: &str, rows: Vec<(String, f64)>| {
        if rows.is_empty() {
            return;
        }
        out.push_str(&format!("  by {head}\n"));
        for (name, percent) in rows.into_iter().take(ROWS) {
            out.push_str(&format!(
                "  {:>6}  {}\n",
                text::percent(percent),
                crate::base::clean::line(&clean(&name), TITLE)
            ));
        }
    };
    let title = |n: usize| threads.get(n).map(|thread| thread.title.clone()).unwrap_or_default();
    list("thread", sorted(&explained.threads).into_iter().map(|(n, percent)| (title(n), percent)).collect());
    list("model", sorted(&explained.models));
    list("tool", sorted(&explained.tools));
    out
}
