//! `write_stdin`: talks to a session. As long as the session's own item is open, that item shows what happens;
//! afterwards (a later turn) the call shows an item of its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::arguments::{clamped, function, parse};
use super::commands::{Commands, item_id};
use super::context::ToolContext;
use super::exec_command::chunk_id;
use super::output::{State, Told, aborted_text, exec_text};
use super::sessions::{About, News};
use super::tool::{Tool, ToolCall, ToolOutput};
use crate::process::spawn::Exit;
use crate::protocol::event::Event;
use crate::protocol::item::{CommandItem, CommandSource, Item, ItemStatus};

/// Wait after writing: default and range, in milliseconds.
const WRITE_MS: u64 = 250;
const WRITE_MAX_MS: u64 = 30_000;
/// Wait without writing: default, which is also the shortest, and longest, in milliseconds.
const POLL_MS: u64 = 5_000;
const POLL_MAX_MS: u64 = 300_000;

/// The tool.
pub(crate) struct WriteStdin {
    commands: Arc<Commands>,
}

impl WriteStdin {
    /// Talks to the sessions of these commands.
    pub(crate) fn new(commands: Arc<Commands>) -> Self {
        Self { commands }
    }
}

#[derive(Deserialize)]
struct Args {
    session_id: f64,
    #[serde(default)]
    chars: String,
    yield_time_ms: Option<f64>,
    max_output_tokens: Option<f64>,
}

impl Tool for WriteStdin {
    fn name(&self) -> &'static str {
        "write_stdin"
    }

    fn definition(&self) -> Option<Value> {
        let parameters = json!({
            "session_id": { "type": "number", "description": "ID that `exec_command` gave." },
            "chars": { "type": "string", "description": "What to write; empty = only wait for output." },
            "yield_time_ms": { "type": "number", "description": "How long to collect output. Default 250 when writing, else 5000." },
            "max_output_tokens": { "type": "number", "description": "Longest output to return. Default 10000." },
        });
        let description = include_str!("../../assets/tools/write_stdin.md");
        Some(function(self.name(), description, &parameters, &["session_id"]))
    }

    fn call<'a>(&'a self, ctx: &'a ToolContext, call: ToolCall) -> BoxFuture<'a, ToolOutput> {
        Box::pin(async move {
            match parse::<Args>(ctx, &call).await {
                Ok(args) => self.run(ctx, &call, args).await,
                Err(output) => output,
            }
        })
    }
}

impl WriteStdin {
    async fn run(&self, ctx: &ToolContext, call: &ToolCall, args: Args) -> ToolOutput {
        let unknown =
            || ToolOutput::text(format!("write_stdin failed: Unknown process id {}", args.session_id));
        let id = args.session_id as u32;
        let Some(handle) = self.commands.sessions.find(id).filter(|_| f64::from(id) == args.session_id)
        else {
            return unknown();
        };
        let started = Instant::now();
        let wait = match args.chars.is_empty() {
            true => clamped(args.yield_time_ms, POLL_MS, POLL_MS, POLL_MAX_MS),
            false => clamped(args.yield_time_ms, WRITE_MS, WRITE_MS, WRITE_MAX_MS),
        };
        let tokens = clamped(args.max_output_tokens, ctx.output_tokens, 0, u64::from(u32::MAX));
        let Some(about) = handle.write(args.chars.into_bytes()).await else { return unknown() };
        if let Err(reason) = about.written {
            return ToolOutput::text(format!("write_stdin failed: {reason}"));
        }
        let mut item = own_item(ctx, call, &about, id);
        if let Some(item) = &item {
            ctx.tell(Event::ItemStarted { item: Item::CommandExecution(item.clone()) }).await;
        }
        let aborted = tokio::select! {
            biased; // an interrupt beats everything
            () = ctx.cancel.cancelled() => true,
            () = handle.ended() => false,
            () = sleep(Duration::from_millis(wait)) => false,
        };
        let news = handle.news(tokens).await;
        if let Some(item) = item.take() {
            complete(ctx, item, news.as_ref(), started).await;
        }
        let Some(News { chunk, file, exit, reached }) = news else { return unknown() };
        if exit.is_some() {
            self.commands.sessions.forget(id);
        }
        let state = exit.map_or(State::Running(id), |exit| State::Exited(exit.code()));
        let told = Told {
            wall: started.elapsed(),
            state,
            chunk,
            tokens,
            file,
            notes: reached.into_iter().collect(),
        };
        let text = if aborted { aborted_text(&told) } else { exec_text(&told, &chunk_id()) };
        ToolOutput::text(text)
    }
}

/// The call's own item, when the session's item is closed.
fn own_item(ctx: &ToolContext, call: &ToolCall, about: &About, id: u32) -> Option<CommandItem> {
    (!about.item_open).then(|| CommandItem {
        id: item_id(&call.call_id),
        command: about.command.clone(),
        cwd: ctx.cwd.clone(),
        process_id: Some(id.to_string()),
        source: CommandSource::UnifiedExecInteraction,
        status: ItemStatus::InProgress,
        command_actions: Vec::new(),
        aggregated_output: None,
        exit_code: None,
        duration_ms: None,
    })
}

async fn complete(ctx: &ToolContext, mut item: CommandItem, news: Option<&News>, started: Instant) {
    item.exit_code = news.and_then(|news| news.exit.as_ref()).map(Exit::code);
    let good = news.is_some() && item.exit_code.is_none_or(|code| code == 0);
    item.status = if good { ItemStatus::Completed } else { ItemStatus::Failed };
    item.aggregated_output = news.map(|news| news.chunk.text.clone());
    item.duration_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    ctx.tell(Event::ItemCompleted { item: Item::CommandExecution(item) }).await;
}
