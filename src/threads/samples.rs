//! Stored threads for tests: every file in `tests/fixtures/rollouts` is one.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::classify::classify;
use super::line::{self, Line, Record};
use super::meta::{Git, Meta, NewThread};
use super::page::PageSize;
use super::turn::Turn;
use crate::base::clock::Clock;
use crate::base::ids::{ThreadId, TurnId};
use crate::protocol::error::ErrorInfo;
use crate::protocol::item::Item;
use crate::protocol::model_item::ModelItem;
use crate::protocol::thread::ThreadSource;
use crate::protocol::tokens::TokenUsage;
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// Everything on one page.
pub(super) const ALL: PageSize = PageSize { turns: usize::MAX, bytes: usize::MAX };

/// The files of other programs that are kept for tests.
pub(super) fn fixtures() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rollouts");
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Puts `text` where the thread it tells of belongs.
pub(super) fn install(home: &Path, text: &[u8], stamp: &str) -> PathBuf {
    let first = text.split(|b| *b == b'\n').next().unwrap();
    let Ok(Line { record: Record::Meta(raw), .. }) = line::parse(first) else { panic!("no meta") };
    let id = Meta::parse(raw).unwrap().id;
    let dir = home.join("sessions/2026/11/20");
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join(format!("rollout-2026-11-20T{stamp}-{id}.jsonl"));
    fs::write(&path, text).unwrap();
    path
}

/// A home that holds all fixtures.
pub(super) fn home() -> (tempfile::TempDir, Vec<(String, PathBuf)>) {
    let home = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (place, fixture) in fixtures().into_iter().enumerate() {
        let text = fs::read(&fixture).unwrap();
        let path = install(home.path(), &text, &format!("11-37-{place:02}"));
        files.push((fixture.file_stem().unwrap().to_str().unwrap().to_owned(), path));
    }
    (home, files)
}

/// What the user said in these turns.
pub(super) fn prompts(turns: &[Turn]) -> Vec<String> {
    let items = turns.iter().flat_map(|turn| &turn.items);
    let prompt = |item: &Item| match item {
        Item::UserMessage { content, .. } => Some(format!("{content:?}")),
        _ => None,
    };
    items.filter_map(prompt).collect()
}

/// A clock that stands still.
pub(super) struct Noon;

impl Clock for Noon {
    fn now_ms(&self) -> u64 {
        1_795_174_635_635
    }
}

/// A thread that begins.
pub(super) fn thread(id: ThreadId) -> NewThread {
    NewThread {
        id,
        cwd: "/home/user/project".into(),
        source: ThreadSource::Exec,
        cli_version: "1.2.3".into(),
        model_provider: "openai".into(),
        base_instructions: Some("Be \"brief\".\n".into()),
        forked_from: None,
        git: Some(Git { branch: Some("main".into()), ..Default::default() }),
    }
}

/// An entry of the model's history, as text.
pub(super) fn raw(json: &str) -> ModelItem {
    classify(RawValue::from_string(json.to_owned()).unwrap().into()).unwrap()
}

/// A prompt as the model sees it.
pub(super) fn user(text: &str) -> ModelItem {
    raw(&format!(r#"{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{text}"}}]}}"#))
}

/// The end of a turn.
pub(super) fn turn_end(turn_id: TurnId, status: TurnStatus, error: Option<ErrorInfo>) -> TurnEnd {
    TurnEnd {
        turn_id,
        status,
        error,
        usage: TokenUsage::default(),
        last_message: None,
        duration_ms: 1234,
        price: Vec::new(),
        changed: None,
        network: Default::default(),
        price_so_far: false,
    }
}
