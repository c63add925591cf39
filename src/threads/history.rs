//! Lines read from the end → what the model sees. The walk stops at the newest summary, so the cost follows the
//! living history and not the file. Pure: lines come in, items come out.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::classify::{classify, message_of};
use super::events::plausible;
use super::line::{Kind, Reason, Record, payload};
use super::pairs::paired;
use super::settings::Settings;
use crate::base::ids::TurnId;
use crate::protocol::limits::Price;
use crate::protocol::model_item::{ModelItem, ModelItemKind};
use crate::protocol::tokens::{ThreadUsage, TokenUsage};

/// Bytes of user messages that are kept before a summary that did not store what it kept.
const KEPT_USER_BYTES: usize = 80_000;

/// Bytes of items after which nothing earlier is read: several times what the largest model takes, pictures
/// included.
const MAX_BYTES: usize = 64 << 20;

/// Takes lines from the last to the first.
#[derive(Debug)]
pub(crate) struct Collector {
    /// Items after the summary, last first.
    items: Vec<ModelItem>,
    /// Bytes of these that may still come.
    room: usize,
    /// What the newest summary left, in order; absent until it was met.
    base: Option<Vec<ModelItem>>,
    /// A summary that did not store what it left, and what is kept from before it, last first.
    bare: Option<Bare>,
    /// User messages still to be taken back.
    rolled_back: u32,
    /// Settings of the newest turn.
    pub(crate) settings: Option<Settings>,
    /// Tokens as told last.
    pub(crate) usage: Option<ThreadUsage>,
    /// What the thread had used of the limits, as told last.
    pub(crate) spent: Option<Vec<Price>>,
    /// How often the history was summarised, as far as told.
    pub(crate) window_number: u64,
    /// The turn that has no end.
    pub(crate) unfinished: Option<TurnId>,
    /// A mark of a turn's start or end was met.
    marked: bool,
}

#[derive(Debug)]
struct Bare {
    summary: String,
    users: Vec<ModelItem>,
    bytes: usize,
}

#[derive(Deserialize)]
struct CompactedIn<'a> {
    #[serde(default)]
    message: String,
    #[serde(default, borrow)]
    replacement_history: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    window_number: Option<u64>,
}

#[derive(Deserialize)]
struct TokenIn<'a> {
    #[serde(default)]
    info: Option<TokenInfoIn>,
    #[serde(default, borrow)]
    limits_spent: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct TokenInfoIn {
    total_token_usage: TokenUsage,
    last_token_usage: TokenUsage,
    #[serde(default)]
    model_context_window: Option<u64>,
}

impl From<TokenInfoIn> for ThreadUsage {
    fn from(info: TokenInfoIn) -> Self {
        Self {
            total: info.total_token_usage,
            last: info.last_token_usage,
            context_window: info.model_context_window,
        }
    }
}

/// The tokens that a `token_count` event tells.
pub(super) fn usage(raw: &RawValue) -> Option<ThreadUsage> {
    payload::<TokenIn<'_>>(raw).ok()?.info.map(ThreadUsage::from)
}

#[derive(Deserialize)]
struct MarkIn {
    #[serde(default)]
    turn_id: Option<String>,
    #[serde(default)]
    num_turns: u32,
}

impl Default for Collector {
    fn default() -> Self {
        Self::with_room(MAX_BYTES)
    }
}

impl Collector {
    /// One that takes items of about this many bytes.
    fn with_room(room: usize) -> Self {
        Self {
            items: Vec::new(),
            room,
            base: None,
            bare: None,
            rolled_back: 0,
            settings: None,
            usage: None,
            spent: None,
            window_number: 0,
            unfinished: None,
            marked: false,
        }
    }

    /// Takes the line before the last one given.
    ///
    /// # Errors
    /// The payload has the wrong shape; the line is passed over.
    pub(crate) fn feed(&mut self, record: Record<'_>) -> Result<(), Reason> {
        match record {
            Record::Context(raw) => {
                self.settings = self.settings.take().or_else(|| Settings::parse(raw));
                Ok(())
            }
            Record::Event(raw) => self.event(raw),
            Record::Model(raw) if !self.has_history() => {
                self.model(raw);
                Ok(())
            }
            Record::Compacted(raw) if self.base.is_none() && !self.is_cut() => self.compacted(payload(raw)?),
            Record::Model(_) | Record::Compacted(_) | Record::Meta(_) | Record::Other => Ok(()),
        }
    }

    /// Nothing before can change the history.
    pub(crate) fn has_history(&self) -> bool {
        self.base.is_some()
            || self.is_cut()
            || self.bare.as_ref().is_some_and(|bare| bare.bytes > KEPT_USER_BYTES)
    }

    /// There is more, but no model could take it.
    pub(crate) fn is_cut(&self) -> bool {
        self.room == 0
    }

    /// The items before the summary are kept by rule, so the start of the thread is needed.
    pub(crate) fn needs_start(&self) -> bool {
        self.base.is_none() && self.bare.is_some() && !self.is_cut()
    }

    fn event(&mut self, raw: &RawValue) -> Result<(), Reason> {
        let kind: Kind<'_> = payload(raw)?;
        match &*kind.kind {
            "token_count" if self.usage.is_none() => self.tokens(payload(raw)?),
            "turn_priced" => {
                let read: TokenIn<'_> = payload(raw)?;
                self.spent(read.limits_spent);
            }
            "thread_rolled_back" => {
                let mark: MarkIn = payload(raw)?;
                self.rolled_back = self.rolled_back.saturating_add(mark.num_turns);
            }
            "task_started" | "turn_started" => {
                if !self.marked {
                    let mark: MarkIn = payload(raw)?;
                    self.unfinished = mark.turn_id.and_then(|id| id.parse().ok());
                }
                self.marked = true;
            }
            "task_complete" | "turn_complete" | "turn_aborted" => self.marked = true,
            _ => {}
        }
        Ok(())
    }

    fn tokens(&mut self, read: TokenIn<'_>) {
        if read.info.is_some() {
            self.spent(read.limits_spent);
        }
        self.usage = self.usage.or(read.info.map(ThreadUsage::from));
    }

    /// The last line that tells it counts.
    fn spent(&mut self, told: Option<&RawValue>) {
        let read =
            || told.and_then(|raw| serde_json::from_str(raw.get()).ok()).map(plausible).unwrap_or_default();
        self.spent.get_or_insert_with(read);
    }

    fn model(&mut self, raw: &RawValue) {
        let Some(item) = classify(raw.to_owned().into()) else { return };
        if self.rolled_back > 0 {
            self.rolled_back -= u32::from(item.kind == ModelItemKind::User);
            return;
        }
        match &mut self.bare {
            None => {
                self.room = self.room.saturating_sub(item.bytes());
                self.items.push(item);
            }
            Some(bare) if item.kind == ModelItemKind::User => {
                bare.bytes = bare.bytes.saturating_add(item.bytes());
                if bare.bytes <= KEPT_USER_BYTES {
                    bare.users.push(item);
                }
            }
            Some(_) => {}
        }
    }

    fn compacted(&mut self, read: CompactedIn<'_>) -> Result<(), Reason> {
        self.window_number = self.window_number.max(read.window_number.unwrap_or(1));
        let Some(history) = read.replacement_history else {
            self.bare.get_or_insert(Bare { summary: read.message, users: Vec::new(), bytes: 0 });
            return Ok(());
        };
        let mut base: Vec<ModelItem> = history
            .into_iter()
            .filter_map(|raw| classify(raw.to_owned().into()))
            .map(|item| as_summary(item, &read.message))
            .collect();
        while self.rolled_back > 0
            && let Some(at) = base.iter().rposition(|item| item.kind == ModelItemKind::User)
        {
            base.remove(at);
            self.rolled_back -= 1;
        }
        self.base = Some(base);
        Ok(())
    }

    /// The history in order, every call answered exactly once. `start` is what stood before the first prompt of
    /// the thread; it is used only when [`needs_start`](Self::needs_start) says so.
    pub(crate) fn finish(self, start: Vec<ModelItem>) -> Vec<ModelItem> {
        let mut all = match (self.bare, self.base) {
            (None, base) => base.unwrap_or_default(),
            (Some(bare), base) => {
                let mut kept = base.unwrap_or(start);
                kept.extend(bare.users.into_iter().rev());
                kept.extend(summary_item(&bare.summary));
                kept
            }
        };
        all.extend(self.items.into_iter().rev());
        paired(all)
    }
}

/// The summary itself is a user-role message, but no prompt.
fn as_summary(mut item: ModelItem, message: &str) -> ModelItem {
    if item.kind == ModelItemKind::User && !message.is_empty() && message_of(&item.json).text == message {
        item.kind = ModelItemKind::Harness;
    }
    item
}

fn summary_item(text: &str) -> Option<ModelItem> {
    let content = [serde_json::json!({"type": "input_text", "text": text})];
    let json = serde_json::json!({"type": "message", "role": "user", "content": content});
    let raw = serde_json::value::to_raw_value(&json).ok()?;
    Some(ModelItem { json: raw.into(), kind: ModelItemKind::Harness })
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
