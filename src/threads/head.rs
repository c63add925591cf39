//! The start of a file: what thread it is, how its turns are marked, and the first thing the user asked. Listing
//! reads nothing else, so this stops as soon as it knows enough.

use std::io;
use std::path::Path;

use super::classify::{classify, kind_of, message_of};
use super::events::{self, Seen};
use super::line::{self, Record};
use super::meta::Meta;
use super::reader::Forwards;
use crate::base::ids::ItemId;
use crate::protocol::input::UserInput;
use crate::protocol::item::Item;
use crate::protocol::model_item::{ModelItem, ModelItemKind};

/// Lines and bytes after which the start is over, whatever it lacks.
const MAX_LINES: u64 = 200;
const MAX_BYTES: u64 = 1 << 20;

/// Characters of a preview.
const MAX_PREVIEW: usize = 200;

/// What begins a turn in a file. Older programs wrote fewer marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marks {
    /// `task_started` events.
    Started,
    /// `user_message` events.
    UserEvent,
    /// User messages among the model items; there are no events at all.
    Prompt,
}

/// The start of a file.
#[derive(Debug)]
pub(crate) struct Head {
    /// The thread, when its first line can be read.
    pub(crate) meta: Option<Meta>,
    /// Ordinal of the first line that has one.
    pub(crate) ordinal: Option<u64>,
    /// What begins a turn.
    pub(crate) marks: Marks,
    /// Where the first turn begins.
    pub(crate) first_turn: Option<u64>,
    /// First prompt of the user, one line, shortened.
    pub(crate) preview: Option<String>,
}

/// Reads the start of a file.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read(path: &Path) -> io::Result<Head> {
    let mut head = Head { meta: None, ordinal: None, marks: Marks::Prompt, first_turn: None, preview: None };
    let mut lines = Forwards::open(path)?;
    let mut count = 0;
    while let Some(raw) = lines.next()? {
        count += 1;
        let offset = raw.offset;
        if let Ok(Ok(read)) = raw.bytes.map(line::parse) {
            head.ordinal = head.ordinal.or(read.ordinal);
            head.take(read.record, offset);
        }
        let enough = head.marks != Marks::Prompt && head.preview.is_some() && head.meta.is_some();
        if enough || count >= MAX_LINES || offset >= MAX_BYTES {
            break;
        }
    }
    Ok(head)
}

impl Head {
    fn take(&mut self, record: Record<'_>, offset: u64) {
        match record {
            Record::Meta(raw) => self.meta = self.meta.take().or_else(|| Meta::parse(raw)),
            Record::Event(raw) => match events::read(raw, || ItemId::from("")) {
                Ok(Some(Seen::TurnStarted { .. })) => self.mark(Marks::Started, offset),
                Ok(Some(Seen::Item { item: Item::UserMessage { content, .. }, .. })) => {
                    self.mark(Marks::UserEvent, offset);
                    self.preview = self.preview.take().or_else(|| preview_of(&content));
                }
                Ok(Some(Seen::Item { item: Item::EnteredReviewMode { review, .. }, .. })) => {
                    self.preview = self.preview.take().or_else(|| shorten(&format!("Review: {review}")));
                }
                // Told before the first turn.
                Ok(Some(Seen::Note(_))) => {
                    self.first_turn.get_or_insert(offset);
                }
                _ => {}
            },
            Record::Model(raw) if self.preview.is_none() => {
                if kind_of(raw) == Some(ModelItemKind::User) {
                    self.preview = shorten(&message_of(raw).text);
                    self.first_turn.get_or_insert(offset);
                }
            }
            Record::Model(_) | Record::Context(_) | Record::Compacted(_) | Record::Other => {}
        }
    }

    /// The first kind of mark that is met decides; a prompt alone does not.
    fn mark(&mut self, marks: Marks, offset: u64) {
        if self.marks == Marks::Prompt {
            self.marks = marks;
            self.first_turn.get_or_insert(offset);
        }
    }
}

fn preview_of(content: &[UserInput]) -> Option<String> {
    let text = content.iter().find_map(|part| match part {
        UserInput::Text { text } => Some(text.as_str()),
        UserInput::Image { .. } | UserInput::LocalImage { .. } => None,
    });
    shorten(text.unwrap_or("[image]"))
}

/// One line of at most [`MAX_PREVIEW`] characters; `None` when nothing is left.
fn shorten(text: &str) -> Option<String> {
    let words = text.split_whitespace().take(MAX_PREVIEW).collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(MAX_PREVIEW).collect();
    (!short.is_empty()).then_some(short)
}

/// What stands before the first prompt: the instructions a thread begins with.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn opening_items(path: &Path) -> io::Result<Vec<ModelItem>> {
    let mut items = Vec::new();
    let mut lines = Forwards::open(path)?;
    let mut count = 0;
    while let Some(raw) = lines.next()?
        && count < MAX_LINES
    {
        count += 1;
        let Ok(Ok(read)) = raw.bytes.map(line::parse) else { continue };
        let Record::Model(raw) = read.record else { continue };
        let Some(item) = classify(raw.to_owned().into()) else { continue };
        match item.kind {
            ModelItemKind::Developer | ModelItemKind::Harness => items.push(item),
            _ => break,
        }
    }
    Ok(items)
}
