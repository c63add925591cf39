//! What of a thread's changes was taken back or brought again, told to its model once.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::records::Record;
use super::revert::Report;
use super::step::Step;
use super::store::{self, Store};

/// Paths that the model is told of.
const TOLD_PATHS: usize = 40;
/// Pieces of news that are kept for threads that may never come back.
const MAX_NEWS: usize = 50;
const NEWS: &str = "news.json";

/// Something that a thread does not know yet.
#[derive(Debug, Serialize, Deserialize)]
struct News {
    thread: String,
    number: u64,
    again: bool,
    paths: Vec<String>,
    more: usize,
}

/// Tells the thread whose turn it was. The files are what counts; a thread that hears nothing of it will see them.
pub(super) fn tell(base: &Path, root: &Path, report: &Report, record: &Record) {
    if let Some(thread) = &record.thread {
        let _ = note(base, root, thread, report, record.undone);
    }
}

fn note(base: &Path, root: &Path, thread: &str, report: &Report, again: bool) -> io::Result<()> {
    let changed = report.steps.iter().filter_map(Step::changed);
    let mut paths: Vec<String> = changed.map(|path| path.display().to_string()).collect();
    let more = paths.len().saturating_sub(TOLD_PATHS);
    paths.truncate(TOLD_PATHS);
    let store = Store::open(base, root)?;
    let mut all = store.get_json::<Vec<News>>(NEWS).unwrap_or_default();
    all.push(News { thread: thread.to_owned(), number: report.number, again, paths, more });
    let surplus = all.len().saturating_sub(MAX_NEWS);
    all.drain(..surplus);
    store.put_json(NEWS, &all)
}

/// What `thread` has to hear about `root`, once.
pub(super) fn news(base: &Path, root: &Path, thread: &str) -> Option<String> {
    if !store::folder(base, root).join(NEWS).exists() {
        return None;
    }
    let store = Store::open(base, root).ok()?;
    let (own, others): (Vec<News>, Vec<News>) =
        store.get_json::<Vec<News>>(NEWS)?.into_iter().partition(|news| news.thread == thread);
    match others.is_empty() {
        true => store.remove(NEWS),
        false => store.put_json(NEWS, &others).ok()?,
    }
    let escaped = |text: &str| {
        let plain: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        plain.replace('<', "&lt;").replace('>', "&gt;")
    };
    let each = own.iter().map(|news| {
        let done = if news.again { "brought again" } else { "took back" };
        let mut text = format!(
            "The user {done} what an earlier turn had changed. Read these files again before using them:\n"
        );
        text.extend(news.paths.iter().map(|path| format!("- {}\n", escaped(path))));
        if news.more > 0 {
            text.push_str(&format!("- and {} more\n", news.more));
        }
        text
    });
    let text: String = each.collect();
    (!text.is_empty()).then(|| format!("<files_taken_back>\n{text}</files_taken_back>"))
}
