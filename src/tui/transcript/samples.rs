//! Events for tests: short ways to say what happened. Only tests use it.

use std::path::PathBuf;

use super::{Now, Setup, Transcript};
use crate::base::ids::TurnId;
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::input::UserInput;
use crate::protocol::item::{
    ChangeKind, CommandAction, CommandItem, CommandSource, FileChange, Item, ItemDelta, ItemStatus,
};
use crate::protocol::tokens::TokenUsage;
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// An empty transcript in `/home/me/app`, with a clock that knows one time.
pub(super) fn transcript() -> Transcript {
    Transcript::new(Setup {
        version: "0.1.0",
        cwd: PathBuf::from("/home/me/app"),
        directory: "~/app".to_owned(),
        wall_clock: |_| "11:34".to_owned(),
    })
}

/// A moment, in milliseconds.
pub(super) fn at(ms: u64) -> Now {
    Now { ms, unix: 1_700_000_000 }
}

pub(super) fn user(id: &str, text: &str) -> Item {
    Item::UserMessage { id: id.into(), content: vec![UserInput::Text { text: text.to_owned() }] }
}

pub(super) fn message(id: &str, text: &str) -> Item {
    Item::AgentMessage { id: id.into(), text: text.to_owned(), phase: None }
}

pub(super) fn reasoning(id: &str, summary: &str) -> Item {
    let summary = if summary.is_empty() { Vec::new() } else { vec![summary.to_owned()] };
    Item::Reasoning { id: id.into(), summary, content: Vec::new() }
}

/// A command that runs.
pub(super) fn running(id: &str, line: &str) -> CommandItem {
    CommandItem {
        id: id.into(),
        command: line.to_owned(),
        cwd: PathBuf::from("/home/me/app"),
        process_id: None,
        source: CommandSource::UnifiedExecStartup,
        status: ItemStatus::InProgress,
        command_actions: vec![CommandAction::Unknown { command: line.to_owned() }],
        aggregated_output: None,
        exit_code: None,
        duration_ms: None,
    }
}

/// The same command, ended.
pub(super) fn ended(mut item: CommandItem, exit: i32, output: &str, ms: u64) -> CommandItem {
    item.status = if exit == 0 { ItemStatus::Completed } else { ItemStatus::Failed };
    item.exit_code = Some(exit);
    item.aggregated_output = Some(output.to_owned());
    item.duration_ms = Some(ms);
    item
}

pub(super) fn command(item: CommandItem) -> Item {
    Item::CommandExecution(item)
}

/// A command that reads a file.
pub(super) fn read(id: &str, name: &str) -> CommandItem {
    let line = format!("cat {name}");
    let action = CommandAction::Read { command: line.clone(), name: name.to_owned(), path: name.into() };
    CommandItem { command_actions: vec![action], ..running(id, &line) }
}

/// A command that searches.
pub(super) fn grep(id: &str, query: &str, path: &str) -> CommandItem {
    let line = format!("rg {query} {path}");
    let action = CommandAction::Search {
        command: line.clone(),
        query: Some(query.to_owned()),
        path: Some(path.to_owned()),
    };
    CommandItem { command_actions: vec![action], ..running(id, &line) }
}

pub(super) fn patch(id: &str, changes: Vec<FileChange>, status: ItemStatus, error: Option<&str>) -> Item {
    Item::FileChange { id: id.into(), changes, status, error: error.map(str::to_owned) }
}

pub(super) fn edit(path: &str, diff: &str) -> FileChange {
    FileChange {
        path: PathBuf::from("/home/me/app").join(path),
        kind: ChangeKind::Update { move_path: None },
        diff: diff.to_owned(),
    }
}

pub(super) fn started(item: &Item) -> Event {
    Event::ItemStarted { item: item.clone() }
}

pub(super) fn completed(item: &Item) -> Event {
    Event::ItemCompleted { item: item.clone() }
}

pub(super) fn delta(id: &str, delta: ItemDelta) -> Event {
    Event::ItemDelta { item_id: id.into(), delta }
}

pub(super) fn output(id: &str, text: &str) -> Event {
    delta(id, ItemDelta::Output(text.to_owned()))
}

pub(super) fn text(id: &str, more: &str) -> Event {
    delta(id, ItemDelta::Text(more.to_owned()))
}

pub(super) fn turn_end(status: TurnStatus, error: Option<ErrorInfo>, ms: u64) -> Event {
    Event::TurnCompleted(Box::new(TurnEnd {
        turn_id: TurnId::new(),
        status,
        error,
        usage: TokenUsage::default(),
        last_message: None,
        duration_ms: ms,
        price: Vec::new(),
        changed: None,
        network: Default::default(),
        price_so_far: false,
    }))
}

impl Transcript {
    /// Takes events that all happen at once.
    pub(super) fn feed(&mut self, events: &[Event], ms: u64) {
        for event in events {
            self.apply(event, at(ms));
        }
    }
}
