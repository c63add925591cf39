//! Which items are stored and how much of their output. Deltas, beginnings and questions never reach the disk:
//! an item is written once, when it is complete. What an item shows is capped here, because the model's own
//! record of the same output is stored beside it and a thread must stay quick to open.

use std::borrow::Cow;

use crate::protocol::item::{Item, ItemStatus, ToolStatus};

/// Bytes of a command's output that are kept for replay: half from the start, half from the end.
pub(crate) const MAX_OUTPUT: usize = 128 << 10;

/// Whether an item is complete and has something to show.
pub(crate) fn stored(item: &Item) -> bool {
    match item {
        Item::CommandExecution(command) => command.status != ItemStatus::InProgress,
        Item::FileChange { status, .. } => *status != ItemStatus::InProgress,
        Item::ToolCall { status, .. } => *status != ToolStatus::InProgress,
        Item::Reasoning { summary, content, .. } => !summary.is_empty() || !content.is_empty(),
        Item::UserMessage { .. }
        | Item::AgentMessage { .. }
        | Item::WebSearch { .. }
        | Item::ImageView { .. }
        | Item::EnteredReviewMode { .. }
        | Item::ExitedReviewMode { .. }
        | Item::ContextCompaction { .. } => true,
    }
}

/// `text` itself, or its start and end with a line between them that says how much is missing.
pub(crate) fn capped(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_OUTPUT {
        return Cow::Borrowed(text);
    }
    let half = MAX_OUTPUT / 2;
    let head = text.get(..text.floor_char_boundary(half)).unwrap_or_default();
    let tail = text.get(text.floor_char_boundary(text.len() - half)..).unwrap_or_default();
    let gone = text.len() - head.len() - tail.len();
    Cow::Owned(format!("{head}\n[{gone} bytes are not kept in the thread file]\n{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_stays_as_it_is() {
        let text = "x".repeat(MAX_OUTPUT);
        assert!(matches!(capped(&text), Cow::Borrowed(_)));
    }

    #[test]
    fn long_text_keeps_both_ends_and_whole_characters() {
        let text = format!("<{}>", "ä".repeat(MAX_OUTPUT));
        let kept = capped(&text);
        assert!(kept.starts_with("<ä") && kept.ends_with("ä>"));
        assert!(kept.len() < MAX_OUTPUT + 100);
        let shown: usize = kept.chars().filter(|c| "<ä>".contains(*c)).map(char::len_utf8).sum();
        assert!(kept.contains(&format!("[{} bytes are not", text.len() - shown)), "counts exactly");
    }
}
