//! `history.jsonl`: one line per submitted prompt, shared by all sessions. Written under a lock of the file, read
//! from its end in pages, so that its size never matters. Lines that are not understood are passed over.
//! Everything here blocks on the disk: call it on a blocking task.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::base;
use crate::base::lock::{is_at, lock_within};

/// A longer prompt is not written: it stays in the memory of its session.
const MAX_TEXT: usize = 1 << 20;
/// How long the lock is waited for.
const LOCK_TIME: Duration = Duration::from_secs(1);
const BLOCK: u64 = 128 << 10;
const MAX_LINE: u64 = 8 << 20;
const PAGE: usize = 200;

#[derive(Serialize)]
struct LineOut<'a> {
    session_id: &'a str,
    ts: u64,
    text: &'a str,
}

#[derive(Deserialize)]
struct LineIn {
    text: String,
}

/// Some earlier prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Their texts, newest first.
    pub(crate) entries: Vec<String>,
    /// Where to go on reading; `None` at the start of the file.
    pub(crate) next: Option<u64>,
}

/// Adds a prompt. With `max_bytes` the oldest lines go when the file grows beyond it.
pub(crate) fn append(
    path: &Path,
    session_id: &str,
    ts_s: u64,
    text: &str,
    max_bytes: Option<u64>,
) -> io::Result<()> {
    if text.len() > MAX_TEXT {
        return Ok(());
    }
    let mut line = serde_json::to_vec(&LineOut { session_id, ts: ts_s, text }).map_err(io::Error::other)?;
    line.push(b'\n');
    let mut file = open_locked(path)?;
    let len = file.metadata()?.len();
    if base::fs::ends_torn(&mut file)? {
        line.insert(0, b'\n');
    }
    file.write_all(&line)?;
    match max_bytes.filter(|max| len + line.len() as u64 > *max) {
        Some(max) => trim(path, &mut file, max),
        None => Ok(()),
    }
}

/// Opens the file and locks it, again when somebody replaced it in between. Nobody keeps the lock for longer than a
/// write takes; a program that was stopped in the middle must not stop this one too.
fn open_locked(path: &Path) -> io::Result<File> {
    let begin = Instant::now();
    loop {
        let file = base::fs::open_private_append(path)?;
        if !lock_within(&file, LOCK_TIME.saturating_sub(begin.elapsed()))? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "another program holds it"));
        }
        if is_at(&file, path)? {
            return Ok(file);
        }
    }
}

/// Keeps the newest four fifths of `max` bytes, so that not every prompt rewrites the file.
fn trim(path: &Path, file: &mut File, max: u64) -> io::Result<()> {
    let len = file.metadata()?.len();
    let from = len.saturating_sub(max / 5 * 4);
    file.seek(SeekFrom::Start(from.saturating_sub(1)))?;
    let mut kept = Vec::new();
    file.take(max).read_to_end(&mut kept)?;
    let start = kept.iter().position(|b| *b == b'\n').map_or(kept.len(), |i| i + 1);
    base::fs::replace(path, kept.get(start..).unwrap_or_default(), 0o600)
}

/// Reads the prompts before byte `before` (from the end when `None`). No file is no prompts.
pub(crate) fn read_older(path: &Path, before: Option<u64>) -> io::Result<Page> {
    let mut file = match base::fs::open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Page::default()),
        Err(error) => return Err(error),
    };
    let end = before.unwrap_or(u64::MAX).min(file.metadata()?.len());
    let mut size = BLOCK;
    loop {
        let start = end.saturating_sub(size);
        let mut block = Vec::with_capacity((end - start) as usize);
        file.seek(SeekFrom::Start(start))?;
        (&mut file).take(end - start).read_to_end(&mut block)?;
        // Unless at the start of the file, the first line of the block may be the end of a longer one.
        let first = match start {
            0 => Some(0),
            _ => block.iter().position(|b| *b == b'\n').map(|i| i + 1),
        };
        let complete = first.filter(|f| start == 0 || *f < block.len());
        match complete {
            Some(first) => return Ok(page(&block, first, start)),
            None if size >= MAX_LINE => return Ok(Page { entries: Vec::new(), next: Some(start) }),
            None => size *= 4,
        }
    }
}

/// The newest entries of `block`, whose first complete line is at `first` and which stands at `start`.
fn page(block: &[u8], first: usize, start: u64) -> Page {
    let mut entries = Vec::new();
    let mut end = block.len();
    while end > first && entries.len() < PAGE {
        let line_end = if block.get(end - 1) == Some(&b'\n') { end - 1 } else { end };
        let body = block.get(first..line_end).unwrap_or_default();
        let line_start = body.iter().rposition(|b| *b == b'\n').map_or(first, |i| first + i + 1);
        let line = block.get(line_start..line_end).unwrap_or_default();
        if let Ok(LineIn { text }) = serde_json::from_slice(line) {
            entries.push(text);
        }
        end = line_start;
    }
    let next = start + end as u64;
    Page { entries, next: (next > 0).then_some(next) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(path: &Path) -> Vec<String> {
        let mut out = Vec::new();
        let mut before = None;
        loop {
            let page = read_older(path, before).unwrap();
            out.extend(page.entries);
            before = page.next;
            if before.is_none() {
                return out;
            }
        }
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_told_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        append(&path, "s", 1, "before", None).unwrap();
        let stuck = File::open(&path).unwrap();
        stuck.lock().unwrap();
        let error = append(&path, "s", 2, "not now", None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(all(&path), ["before"], "reading needs no lock");
        drop(stuck);
        append(&path, "s", 3, "after", None).unwrap();
        assert_eq!(all(&path), ["after", "before"]);
    }

    #[test]
    fn prompts_come_back_newest_first_through_many_pages() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        assert_eq!(all(&path), [""; 0]);
        for n in 0..1000 {
            append(&path, "s", n, &format!("prompt {n}\nsecond line"), None).unwrap();
        }
        let texts = all(&path);
        assert_eq!(texts.len(), 1000);
        assert_eq!(texts.first().unwrap(), "prompt 999\nsecond line");
        assert_eq!(texts.last().unwrap(), "prompt 0\nsecond line");
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn damage_costs_only_the_damaged_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h");
        append(&path, "s", 1, "one", None).unwrap();
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"\xff\xfe not json\n\n{\"text\":\"half").unwrap();
        append(&path, "s", 2, "two", None).unwrap();
        assert_eq!(all(&path), ["two", "one"]);
    }

    #[test]
    fn a_line_longer_than_a_block_is_read_and_a_monster_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h");
        append(&path, "s", 1, "first", None).unwrap();
        append(&path, "s", 1, &"x".repeat(700_000), None).unwrap();
        append(&path, "s", 1, &"y".repeat(MAX_TEXT + 1), None).unwrap();
        let lengths: Vec<usize> = all(&path).iter().map(String::len).collect();
        assert_eq!(lengths, [700_000, 5]);
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&vec![b'z'; 20 << 20]).unwrap();
        append(&path, "s", 1, "last", None).unwrap();
        let lengths: Vec<usize> = all(&path).iter().map(String::len).collect();
        assert_eq!(lengths, [4, 700_000, 5]);
    }

    #[test]
    fn the_oldest_go_when_the_file_is_full() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h");
        for n in 0..100 {
            append(&path, "s", n, &format!("prompt {n:04}"), Some(1000)).unwrap();
            assert!(std::fs::metadata(&path).unwrap().len() <= 1000);
        }
        let texts = all(&path);
        assert_eq!(texts.first().unwrap(), "prompt 0099");
        assert!(texts.len() > 10 && texts.len() < 30, "{}", texts.len());
    }

    #[test]
    fn writers_at_the_same_time_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for n in 0..50 {
                        append(path, "s", n, &format!("{writer}-{n}"), Some(100_000)).unwrap();
                    }
                });
            }
        });
        assert_eq!(all(&path).len(), 200);
    }
}
