//! Doors for `cargo bench`: one function per hot path, in plain bytes, text and paths, so that no type of the
//! program becomes public for a benchmark's sake. Each gives back a count of what it did: a path that suddenly
//! does nothing fails its benchmark instead of looking fast. Nothing else may call them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::agent::ingest::{Ingest, Step};
use crate::base::ids::ThreadId;
use crate::exec::jsonl::Lines;
use crate::exec::run::Show;
use crate::net::sse::SseParser;
use crate::patch::{self, Disk};
use crate::responses::ResponseEvent;
use crate::responses::decode::{Decoded, decode};
use crate::threads;

/// One answer as a service streams it: `deltas` pieces of text of `bytes` bytes each, then the whole again.
pub fn stream(deltas: usize, bytes: usize) -> Vec<u8> {
    let piece: String =
        "the quick brown fox, \\\"jumping\\\" over the lazy dog\\n".chars().cycle().take(bytes).collect();
    // A piece that would end inside an escape is closed.
    let piece = if piece.ends_with('\\') { format!("{}x", piece.trim_end_matches('\\')) } else { piece };
    let mut out = String::with_capacity(deltas * (bytes + 160));
    let mut say = |body: &str| {
        out.push_str("data: ");
        out.push_str(body);
        out.push_str("\n\n");
    };
    say(r#"{"type":"response.created","response":{"id":"r"}}"#);
    let message = |status: &str, content: &str| {
        format!(
            r#"{{"id":"m","type":"message","role":"assistant","status":"{status}","content":[{content}]}}"#
        )
    };
    let item = message("in_progress", "");
    say(&format!(r#"{{"type":"response.output_item.added","output_index":0,"item":{item}}}"#));
    for _ in 0..deltas {
        say(&format!(
            r#"{{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"{piece}"}}"#
        ));
    }
    let text = format!(r#"{{"type":"output_text","text":"{}","annotations":[]}}"#, piece.repeat(deltas));
    let item = message("completed", &text);
    say(&format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{item}}}"#));
    say(
        r#"{"type":"response.completed","response":{"id":"r","usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}"#,
    );
    out.into_bytes()
}

/// Decoded events on their way to the agent.
#[derive(Debug)]
pub struct Events(Vec<ResponseEvent>);

impl Events {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Bytes, as they come from the network in chunks → events.
pub fn decode_stream(stream: &[u8], chunk: usize) -> Events {
    let mut events = Vec::new();
    each_event(stream, chunk, |event| events.push(event));
    Events(events)
}

/// Events → items. Gives the number of complete items.
pub fn ingest(events: Events) -> usize {
    let mut ingest = Ingest::default();
    let mut seen = HashSet::new();
    for event in events.0 {
        ingest.on(event, &mut seen);
    }
    ingest.into_done().0.len()
}

/// The whole way of an answer, without network and disk: bytes → events → items → lines of `exec --json`. Gives
/// the bytes of those lines.
pub fn answer_to_lines(stream: &[u8], chunk: usize) -> usize {
    let mut ingest = Ingest::default();
    let mut seen = HashSet::new();
    let mut lines = Lines::new(Show::Summaries);
    let mut written = lines.open(ThreadId::new()).len();
    each_event(stream, chunk, |event| {
        if let Step::Tell(events) = ingest.on(event, &mut seen) {
            written += events.iter().map(|event| lines.event(event).len()).sum::<usize>();
        }
    });
    for item in ingest.into_done().0.into_iter().filter_map(|done| done.item) {
        written += lines.event(&crate::protocol::event::Event::ItemCompleted { item }).len();
    }
    written
}

fn each_event(stream: &[u8], chunk: usize, mut take: impl FnMut(ResponseEvent)) {
    let mut parser = SseParser::default();
    for bytes in stream.chunks(chunk.max(1)) {
        parser.push(bytes);
        while let Ok(Some(frame)) = parser.next_frame() {
            if let Decoded::Event(event) = decode(&frame) {
                take(event);
            }
        }
    }
}

/// A file `long.rs` of `lines` lines, and a patch that changes `places` of them.
pub fn patch_sample(lines: usize, places: usize) -> (String, String) {
    patch::sample(lines, places)
}

/// Parses a patch and finds its places in the files below `dir`; writes nothing. Gives the number of files.
pub fn patch_locate(patch: &str, dir: &Path) -> Option<usize> {
    let plan = patch::plan(&patch::parse(patch).ok()?, dir, &Disk).ok()?;
    Some(plan.report.len())
}

/// Applies a patch to the files below `dir`. Gives the number of files.
pub fn patch_apply(patch: &str, dir: &Path) -> Option<usize> {
    let plan = patch::plan(&patch::parse(patch).ok()?, dir, &Disk).ok()?;
    patch::commit(&plan, None).ok()?;
    Some(plan.report.len())
}

/// Writes a rollout of at least `bytes` below `home`, line by line as a thread does. Gives its file.
pub fn rollout_append(home: &Path, bytes: usize) -> Option<PathBuf> {
    threads::bench::write(home, bytes).ok()
}

/// Rebuilds what the model sees from a rollout. Gives the number of entries.
pub fn rollout_history(home: &Path, file: &Path) -> Option<usize> {
    threads::bench::read_history(home, file).ok()
}

/// Reads what a screen shows first of a rollout: its last turns. Gives the number of items.
pub fn rollout_tail(home: &Path, file: &Path) -> Option<usize> {
    threads::bench::read_tail(home, file).ok()
}
