//! Names the user gave to threads: one line per naming in a shared file, the last line of a thread wins. The
//! file only grows and is read tolerantly, because other Codex programs write it too.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::index::{Filter, find, summary};
use super::line::timestamp;
use super::reader::Forwards;
use crate::base::fs::{ends_torn, open_private_append};
use crate::base::ids::ThreadId;

const FILE: &str = "session_index.jsonl";

#[derive(Serialize, Deserialize)]
struct Entry {
    id: ThreadId,
    thread_name: String,
    #[serde(default)]
    updated_at: String,
}

/// All names. None when the file is missing or unreadable.
pub(crate) fn all(home: &Path) -> HashMap<ThreadId, String> {
    entries(home).into_iter().map(|entry| (entry.id, entry.thread_name)).collect()
}

/// Threads that bear this name now, the one named last first.
pub(crate) fn ids(home: &Path, name: &str) -> Vec<ThreadId> {
    let entries = entries(home);
    let current: HashMap<ThreadId, usize> =
        entries.iter().enumerate().map(|(place, entry)| (entry.id, place)).collect();
    let mut places: Vec<usize> = current.into_values().collect();
    places.sort_unstable_by(|a, b| b.cmp(a));
    let newest_first = places.into_iter().filter_map(|place| entries.get(place));
    newest_first.filter(|entry| entry.thread_name == name).map(|entry| entry.id).collect()
}

/// Names a thread.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn set(home: &Path, id: ThreadId, name: &str, now_ms: u64) -> Result<(), Error> {
    let path = home.join(FILE);
    let entry = Entry { id, thread_name: name.to_owned(), updated_at: timestamp(now_ms) };
    let mut file = open_private_append(&path).map_err(Error::io("open", &path))?;
    // A line that a crash tore would swallow this one.
    let torn = ends_torn(&mut file).map_err(Error::io("read", &path))?;
    let mut line = if torn { vec![b'\n'] } else { Vec::new() };
    serde_json::to_writer(&mut line, &entry)?;
    line.push(b'\n');
    file.write_all(&line).map_err(Error::io("write", &path))
}

fn entries(home: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    let Ok(mut lines) = Forwards::open(&home.join(FILE)) else { return entries };
    while let Ok(Some(raw)) = lines.next() {
        entries.extend(raw.bytes.ok().and_then(|bytes| serde_json::from_slice::<Entry>(bytes).ok()));
    }
    entries
}

/// What a thread is called, or else the first words of its first prompt; `None` when it is not stored.
pub(crate) fn called(home: &Path, id: ThreadId) -> Option<String> {
    let summary = summary(find(home, id).ok()?, &Filter { subagents: true, ..Filter::default() })?;
    all(home).remove(&id).or(summary.preview)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_only_itself() {
        let home = tempfile::tempdir().unwrap();
        let (a, b) = (ThreadId::new(), ThreadId::new());
        set(home.path(), a, "one", 0).unwrap();
        open_private_append(&home.path().join(FILE)).unwrap().write_all(b"{\"id\":\"01").unwrap();
        set(home.path(), b, "two", 0).unwrap();
        assert_eq!(ids(home.path(), "one"), [a]);
        assert_eq!(ids(home.path(), "two"), [b]);
    }

    #[test]
    fn the_last_name_wins_and_strange_lines_are_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let (a, b) = (ThreadId::new(), ThreadId::new());
        assert!(all(home.path()).is_empty());
        set(home.path(), a, "one", 0).unwrap();
        set(home.path(), b, "one", 0).unwrap();
        let mut file = open_private_append(&home.path().join(FILE)).unwrap();
        file.write_all(b"\0\0not json\n{\"id\":7}\n").unwrap();
        set(home.path(), a, "two", 1_795_174_635_635).unwrap();
        assert_eq!(all(home.path())[&a], "two");
        assert_eq!(ids(home.path(), "one"), [b]);
        set(home.path(), a, "one", 0).unwrap();
        assert_eq!(ids(home.path(), "one"), [a, b]);
        let text = std::fs::read_to_string(home.path().join(FILE)).unwrap();
        assert!(text.contains(r#""thread_name":"two","updated_at":"2026-11-20T11:37:15.635Z"}"#), "{text}");
    }
}
