//! Doors for the benchmarks: a rollout of a given size, written and read the way a real thread is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::value::RawValue;

use super::classify::classify;
use super::error::Error;
use super::load::load;
use super::meta::NewThread;
use super::page::{PageSize, tail};
use super::settings::Settings;
use super::writer::Writer;
use crate::base::clock::SystemClock;
use crate::base::ids::{ThreadId, TurnId};
use crate::protocol::input::UserInput;
use crate::protocol::item::Item;
use crate::protocol::model_item::ModelItem;
use crate::protocol::thread::ThreadSource;
use crate::protocol::tokens::TokenUsage;
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// Bytes of output of the one call of each turn.
const OUTPUT: usize = 8 << 10;

/// Writes a thread of at least `bytes` under `home` and returns its file.
pub(crate) fn write(home: &Path, bytes: usize) -> Result<PathBuf, Error> {
    let thread = NewThread {
        id: ThreadId::new(),
        cwd: home.to_owned(),
        source: ThreadSource::Exec,
        cli_version: String::new(),
        model_provider: String::new(),
        base_instructions: None,
        forked_from: None,
        git: None,
    };
    let mut writer = Writer::create(home, thread, Arc::new(SystemClock));
    let items = turn_items();
    let turns = bytes / (OUTPUT + 1400) + 1;
    for _ in 0..turns {
        let turn_id = TurnId::new();
        writer.turn_started(turn_id, None)?;
        writer.settings(&Settings::default())?;
        let (prompt, answer) = (vec![UserInput::Text { text: "do it".to_owned() }], "done".to_owned());
        writer.item(&Item::UserMessage { id: "u".into(), content: prompt }, turn_id)?;
        items.iter().try_for_each(|item| writer.model_item(item))?;
        writer.item(&Item::AgentMessage { id: "a".into(), text: answer, phase: None }, turn_id)?;
        writer.turn_completed(&TurnEnd {
            turn_id,
            status: TurnStatus::Completed,
            error: None,
            usage: TokenUsage::default(),
            last_message: None,
            duration_ms: 1,
            price: Vec::new(),
            changed: None,
            network: Default::default(),
            price_so_far: false,
        })?;
    }
    Ok(writer.path().map(Path::to_owned).unwrap_or_default())
}

fn turn_items() -> Vec<ModelItem> {
    let output = "some words of output\\n".repeat(OUTPUT / 22);
    [
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"do it"}]}"#.to_owned(),
        r#"{"type":"function_call","call_id":"c","name":"exec_command","arguments":"{\"cmd\":\"ls\"}"}"#
            .to_owned(),
        format!(r#"{{"type":"function_call_output","call_id":"c","output":"{output}"}}"#),
        r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"done"}]}"#
            .to_owned(),
    ]
    .into_iter()
    .filter_map(|json| classify(RawValue::from_string(json).ok()?.into()))
    .collect()
}

/// Rebuilds the history; tells how many items it has.
pub(crate) fn read_history(home: &Path, path: &Path) -> Result<usize, Error> {
    Ok(load(home, path)?.history.len())
}

/// Reads the last turns; tells how many items they have.
pub(crate) fn read_tail(home: &Path, path: &Path) -> Result<usize, Error> {
    let page = tail(home, path, PageSize { turns: 10, bytes: 1 << 20 })?;
    Ok(page.turns.iter().map(|turn| turn.items.len()).sum())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::threads::index::{Filter, Order, last, list};

    #[test]
    fn the_doors_lead_somewhere() {
        let home = tempfile::tempdir().unwrap();
        let path = write(home.path(), 200 << 10).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() > 200 << 10);
        assert_eq!(read_history(home.path(), &path).unwrap() % 4, 0);
        assert_eq!(read_tail(home.path(), &path).unwrap(), 30);
    }

    /// `cargo test --release threads::bench -- --ignored --nocapture`
    #[test]
    #[ignore = "prints figures"]
    fn figures() {
        for megabytes in [10, 300] {
            let home = tempfile::tempdir().unwrap();
            let begin = Instant::now();
            let path = write(home.path(), megabytes << 20).unwrap();
            println!("{megabytes} MB written in {:?}", begin.elapsed());
            let begin = Instant::now();
            read_tail(home.path(), &path).unwrap();
            println!("last turns in {:?}", begin.elapsed());
            let begin = Instant::now();
            read_history(home.path(), &path).unwrap();
            println!("history in {:?}", begin.elapsed());
        }
        let home = tempfile::tempdir().unwrap();
        for _ in 0..10_000 {
            write(home.path(), 0).unwrap();
        }
        for order in [Order::Created, Order::Updated] {
            let begin = Instant::now();
            assert_eq!(list(home.path(), Filter::default(), order).take(50).count(), 50);
            println!("first 50 of 10000 threads, {order:?}: {:?}", begin.elapsed());
        }
        let begin = Instant::now();
        assert!(last(home.path(), Some(Path::new("/elsewhere"))).is_none());
        println!("no thread of another folder among 10000: {:?}", begin.elapsed());
    }
}
