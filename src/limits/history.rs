//! Readings over days: one line per change of a window, written by whichever process saw it, in a file beside the
//! shared one. It answers "what was used when" and holds the budget of the day. Bounded: the older half goes when
//! the file has become too long. Lines that cannot be read are passed over.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::merge;
use super::state::{AccountLimits, Held, MAIN, Slot, Source};
use super::text;
use crate::base::fs;
use crate::protocol::limits::LimitWindow;

/// Size at which the older half goes, in bytes.
const MAX_BYTES: u64 = 512 << 10;

/// Changes below this are not worth a line, in percent.
const SMALLEST: f64 = 0.05;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Unix milliseconds.
    pub(crate) at_ms: u64,
    /// Family.
    pub(crate) limit_id: String,
    /// Which of its windows.
    pub(crate) slot: Slot,
    /// The window.
    #[serde(flatten)]
    pub(crate) window: LimitWindow,
    /// Where the reading came from.
    pub(crate) source: Source,
}

/// Use of one window between two readings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spent {
    /// The reading before, unix milliseconds.
    pub(crate) after_ms: u64,
    /// The reading that showed it.
    pub(crate) at_ms: u64,
    /// Name of the window.
    pub(crate) window: &'static str,
    /// Percent.
    pub(crate) percent: f64,
}

/// The lines for what changed from one state to the next.
pub(crate) fn changes(before: &AccountLimits, after: &AccountLimits) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (id, family) in &after.families {
        let old = before.families.get(id);
        for (slot, held, old) in [
            (Slot::Primary, &family.primary, old.and_then(|old| old.primary.as_ref())),
            (Slot::Secondary, &family.secondary, old.and_then(|old| old.secondary.as_ref())),
        ] {
            if let Some(held) = held
                && !old.is_some_and(|old| unchanged(old, held))
            {
                let (window, source) = (held.window, held.source);
                entries.push(Entry { at_ms: held.at_ms, limit_id: id.clone(), slot, window, source });
            }
        }
    }
    entries
}

fn unchanged(old: &Held, new: &Held) -> bool {
    (old.window.used_percent - new.window.used_percent).abs() < SMALLEST
        && merge::same(&old.window, &new.window)
}

/// Adds lines. Blocks; the caller holds the lock.
pub(crate) fn append(path: &Path, entries: &[Entry]) {
    if entries.is_empty() {
        return;
    }
    let mut text = String::new();
    for entry in entries {
        text.push_str(&serde_json::to_string(entry).unwrap_or_default());
        text.push('\n');
    }
    // The numbers themselves are in the shared file; a lost line costs a detail.
    let Ok(mut file) = fs::open_private_append(path) else { return };
    let _ = file.write_all(text.as_bytes());
    if file.metadata().is_ok_and(|metadata| metadata.len() > MAX_BYTES)
        && let Ok(bytes) = fs::read_bounded(path, MAX_BYTES * 2)
    {
        let half = bytes.get(bytes.len() / 2..).unwrap_or_default();
        let begin = memchr::memchr(b'\n', half).map_or(half.len(), |at| at + 1);
        let _ = fs::replace_unsynced(path, half.get(begin..).unwrap_or_default(), 0o600);
    }
}

/// All lines that can be read, in order of time. Blocks.
pub(crate) fn read(path: &Path) -> Vec<Entry> {
    let Ok(bytes) = fs::read_bounded(path, MAX_BYTES * 2) else { return Vec::new() };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut entries: Vec<Entry> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    entries.retain(|entry| entry.window.used_percent.is_finite());
    entries.sort_by_key(|entry| entry.at_ms);
    entries
}

/// What the main family's windows were used, reading by reading.
pub(crate) fn spent(entries: &[Entry]) -> Vec<Spent> {
    let mut last: BTreeMap<Slot, &Entry> = BTreeMap::new();
    let mut spent = Vec::new();
    for entry in entries.iter().filter(|entry| entry.limit_id == MAIN) {
        let used = entry.window.used_percent.clamp(0.0, 100.0);
        let window = text::window_name(entry.window.window_minutes, entry.slot);
        match last.insert(entry.slot, entry) {
            Some(old) if merge::same(&old.window, &entry.window) => {
                let percent = used - old.window.used_percent.clamp(0.0, 100.0);
                spent.push(Spent { after_ms: old.at_ms, at_ms: entry.at_ms, window, percent });
            }
            Some(old) => spent.push(Spent { after_ms: old.at_ms, at_ms: entry.at_ms, window, percent: used }),
            // Before the first reading anybody may have used it, at any time.
            None => {}
        }
    }
    spent.retain(|spent| spent.percent > 0.0);
    spent
}

/// Percent of each window used since `from_ms`.
pub(crate) fn total_since(spent: &[Spent], from_ms: u64) -> BTreeMap<&'static str, f64> {
    let mut totals = BTreeMap::new();
    for spent in spent.iter().filter(|spent| spent.at_ms >= from_ms) {
        *totals.entry(spent.window).or_insert(0.0) += spent.percent;
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64, used: f64, resets_at: u64) -> Entry {
        let window =
            LimitWindow { used_percent: used, window_minutes: Some(300), resets_at: Some(resets_at) };
        Entry { at_ms: at, limit_id: MAIN.to_owned(), slot: Slot::Primary, window, source: Source::Usage }
    }

    #[test]
    fn use_is_summed_over_resets() {
        let entries =
            [entry(10, 40.0, 9_000), entry(20, 55.0, 9_000), entry(30, 55.0, 9_001), entry(40, 3.0, 30_000)];
        let spent = spent(&entries);
        assert_eq!(
            spent.iter().map(|s| (s.after_ms, s.at_ms, s.percent)).collect::<Vec<_>>(),
            [(10, 20, 15.0), (30, 40, 3.0)]
        );
        assert_eq!(total_since(&spent, 0)["5h"], 18.0);
        assert_eq!(total_since(&spent, 30)["5h"], 3.0);
    }

    #[test]
    fn the_file_is_bounded_and_forgives_garbage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h.jsonl");
        std::fs::write(&path, "garbage\n{\"at_ms\":1}\n\n").unwrap();
        append(&path, &[entry(5, 1.0, 9)]);
        assert_eq!(read(&path), [entry(5, 1.0, 9)]);
        let many: Vec<_> = (0..3000).map(|at| entry(at, 1.0, 9)).collect();
        for _ in 0..3 {
            append(&path, &many);
        }
        assert!(std::fs::metadata(&path).unwrap().len() <= MAX_BYTES);
        assert!(read(&path).len() > 1000);
    }
}
