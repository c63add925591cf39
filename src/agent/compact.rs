//! Compaction: the conversation is replaced by the user's own words, the present context and a hand-over note
//! that the model writes. It happens by itself at a threshold and when the service says "too long", and never
//! without hope: if what cannot be compacted is itself too big, the threshold moves up to the hard window.

use super::context::instructions;
use super::history::History;
use super::request;
use super::turn::{Stop, Turn};
use crate::base::ids::ItemId;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::protocol::item::Item;
use crate::protocol::model_item::{ModelItem, ModelItemKind, OutputKind};
use crate::responses::items::{self, OutputBody};

/// The user's own messages that survive word for word, newest first, in bytes (about 20,000 tokens).
const USER_BUDGET: usize = 80_000;
/// How often the request for the note is repeated with less in it.
const SHRINKS: u32 = 8;
/// Outputs longer than this are replaced when the request for the note does not fit, in bytes.
const OUTPUT_KEPT: usize = 2_000;

/// Where the next compaction is due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Threshold {
    /// Context fill right after the last compaction, in tokens.
    floor: Option<u64>,
}

impl Threshold {
    /// Notes how full the context is right after a compaction.
    pub(crate) fn compacted(&mut self, tokens: u64) {
        self.floor = Some(tokens);
    }

    /// Whether `tokens` call for a compaction. When the last one could not get well below `limit`, only the
    /// hard `window` counts: otherwise every turn would begin with another one.
    pub(crate) fn is_due(self, tokens: u64, limit: u64, window: u64) -> bool {
        let limit = match self.floor {
            Some(floor) if floor > limit / 4 * 3 => limit.max(window),
            _ => limit,
        };
        tokens >= limit
    }
}

impl Turn<'_> {
    /// Compacts when the threshold is reached and the model has added something since the last time.
    pub(crate) async fn compact_if_due(&mut self) -> Result<(), Stop> {
        let settings = &self.thread.settings;
        let tokens = self.thread.tokens();
        if self.thread.since_compaction == 0
            || !self.thread.threshold.is_due(tokens, settings.compact_limit, settings.context_window)
        {
            return Ok(());
        }
        self.compact().await
    }

    /// Replaces the conversation by a shorter one. An empty conversation stays as it is.
    pub(crate) async fn compact(&mut self) -> Result<(), Stop> {
        let spoken = |item: &ModelItem| matches!(item.kind, ModelItemKind::User | ModelItemKind::Assistant);
        if !self.thread.history.items().iter().any(spoken) {
            return Ok(());
        }
        // A compaction can come between calls and their outputs only by mistake; the request would be refused.
        self.thread.close_open_calls("aborted");
        let item = Item::ContextCompaction { id: ItemId::with_prefix("cmp") };
        self.thread.readers.tell(Event::ItemStarted { item: item.clone() }).await;
        let summary = match self.summarise().await {
            Ok(summary) => summary,
            Err(stop) => {
                self.thread.readers.tell(Event::ItemDropped { item_id: item.id().clone() }).await;
                return Err(stop);
            }
        };
        // What is about to be replaced must be on disk for good first.
        self.thread.sync().await?;
        let context = request::whole_context(self.thread);
        let replacement = rebuilt(&self.thread.history, context, &summary);
        self.thread.replace_history(&summary, replacement);
        self.thread.store_settings();
        self.thread.complete(item).await;
        self.thread.writable()?;
        self.warn_when_tight().await;
        Ok(())
    }

    async fn warn_when_tight(&mut self) {
        let tokens = self.thread.tokens();
        let limit = self.thread.settings.compact_limit;
        if tokens > limit / 4 * 3 {
            let message = format!(
                "after compaction the context still holds about {tokens} tokens of the {limit} at which it is \
                 compacted; it will not be compacted again before the window is full"
            );
            self.thread.readers.tell(Event::Warning { message }).await;
        }
    }

    /// Asks the model for its note; gives it less to read when even that does not fit.
    async fn summarise(&mut self) -> Result<String, Stop> {
        let mut input = self.thread.history.items().to_vec();
        for round in 0..=SHRINKS {
            let stream = request::compaction_stream(self.thread, self.id, &self.state, &input, &self.cancel);
            match self.sample(stream, false).await {
                Ok(ingest) => {
                    let text = ingest.message_text();
                    if text.trim().is_empty() {
                        let error =
                            ErrorInfo::new(ErrorKind::Server, "the summary of the conversation is empty");
                        return Err(error.into());
                    }
                    return Ok(text);
                }
                Err(Stop::Failed(error)) if error.kind == ErrorKind::ContextTooLong && round < SHRINKS => {
                    input = shrink(input, round);
                }
                Err(stop) => return Err(stop),
            }
        }
        Err(ErrorInfo::new(ErrorKind::ContextTooLong, "the conversation is too long to be summarised")
            .with_hint("start a new thread")
            .into())
    }
}

/// Less to read for the model that writes the note: long outputs first, then all tool work, then the oldest half
/// of what is left, again and again.
fn shrink(input: Vec<ModelItem>, round: u32) -> Vec<ModelItem> {
    match round {
        0 => input.into_iter().map(without_long_output).collect(),
        1 => input
            .into_iter()
            .filter(|item| {
                !matches!(
                    item.kind,
                    ModelItemKind::Call { .. } | ModelItemKind::Output { .. } | ModelItemKind::Reasoning
                )
            })
            .collect(),
        _ => {
            let half = input.len() / 2;
            input.into_iter().skip(half).collect()
        }
    }
}

fn without_long_output(item: ModelItem) -> ModelItem {
    let ModelItemKind::Output { call_id } = &item.kind else { return item };
    if item.bytes() <= OUTPUT_KEPT {
        return item;
    }
    let custom = item.json.get().contains("\"custom_tool_call_output\"");
    let kind = if custom { OutputKind::Custom } else { OutputKind::Function };
    items::output(call_id, kind, &OutputBody::Text("[long output left out]".to_owned()))
}

/// The shorter conversation: the user's own messages within the budget, the present context before the last of
/// them, the note at the end.
fn rebuilt(history: &History, context: Vec<ModelItem>, summary: &str) -> Vec<ModelItem> {
    let mut kept = Vec::new();
    let mut left = USER_BUDGET;
    for item in history.items().iter().rev().filter(|item| item.kind == ModelItemKind::User) {
        if item.bytes() <= left {
            left -= item.bytes();
            kept.push(item.clone());
            continue;
        }
        let text = item.texts().join("\n");
        if !text.is_empty() && left > 200 {
            let cut: String = text.chars().take(left / 4).collect();
            let cut = format!("{cut}\n[cut here to free context]");
            kept.push(items::user(&ItemId::with_prefix("msg"), &[items::Part::text(cut)]));
        }
        break;
    }
    kept.reverse();
    let last = kept.pop();
    kept.extend(context);
    kept.extend(last);
    kept.push(items::harness(format!(
        "<conversation_summary>\n{}{}\n</conversation_summary>",
        instructions::SUMMARY_INTRO,
        summary.trim()
    )));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> ModelItem {
        items::user(&ItemId::with_prefix("msg"), &[items::Part::text(text)])
    }

    fn kinds(items: &[ModelItem]) -> Vec<&ModelItemKind> {
        items.iter().map(|item| &item.kind).collect()
    }

    #[test]
    fn the_users_words_survive_and_tool_work_does_not() {
        let mut history = History::default();
        history.push(items::developer(&[items::Part::text("<permissions instructions>")]));
        history.push(user("first"));
        history.push(items::assistant("answer"));
        history.push(user("second"));
        let new = rebuilt(&history, vec![items::developer(&[items::Part::text("ctx")])], "note");
        assert_eq!(
            kinds(&new),
            [&ModelItemKind::User, &ModelItemKind::Developer, &ModelItemKind::User, &ModelItemKind::Harness]
        );
        assert!(new[0].json.get().contains("first") && new[2].json.get().contains("second"));
        assert!(new[3].json.get().contains("note"));
    }

    #[test]
    fn the_message_that_crosses_the_budget_is_cut_and_older_ones_go() {
        let mut history = History::default();
        history.push(user("oldest"));
        history.push(user(&"x".repeat(USER_BUDGET)));
        history.push(user("newest"));
        let new = rebuilt(&history, Vec::new(), "note");
        assert_eq!(new.len(), 3);
        assert!(new[0].json.get().contains("cut here"), "{}", new[0].json);
        assert!(new[0].bytes() < USER_BUDGET);
        assert!(new[1].json.get().contains("newest"));
    }

    #[test]
    fn threshold_moves_up_when_compaction_cannot_help() {
        let mut threshold = Threshold::default();
        assert!(!threshold.is_due(89, 90, 100));
        assert!(threshold.is_due(90, 90, 100));
        threshold.compacted(10);
        assert!(threshold.is_due(90, 90, 100), "it helped: the limit stays");
        threshold.compacted(80);
        assert!(!threshold.is_due(95, 90, 100), "it did not: only the window counts");
        assert!(threshold.is_due(100, 90, 100));
    }

    #[test]
    fn shrinking_ends_with_little() {
        let mut input: Vec<ModelItem> = (0..16).map(|n| user(&n.to_string())).collect();
        for round in 0..SHRINKS {
            input = shrink(input, round);
        }
        assert!(input.len() <= 1, "{}", input.len());
    }
}
