//! What the model already knows. A fragment is sent when it differs from the last one of its kind in the
//! history, so that the prefix of every request stays as it was; after a compaction or a resume the history
//! itself says what is still known.

use crate::agent::history::History;
use crate::protocol::model_item::ModelItemKind;

/// Text by which a fragment of each kind begins.
const TAGS: [(Fragment, &str); 4] = [
    (Fragment::Permissions, "<permissions instructions>"),
    (Fragment::AgentsMd, "# AGENTS.md instructions"),
    (Fragment::Environment, "<environment_context>"),
    (Fragment::Allowed, "<allowed_by_user>"),
];

/// A kind of fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fragment {
    /// What the model may do (developer message).
    Permissions,
    /// Instruction files (user message).
    AgentsMd,
    /// Where it works (user message).
    Environment,
    /// What the user allowed in this thread (user message).
    Allowed,
}

/// The last text of this kind in `history`.
fn last_of(history: &History, kind: Fragment) -> Option<String> {
    let tag = TAGS.iter().find(|(k, _)| *k == kind).map(|(_, tag)| *tag)?;
    history
        .items()
        .iter()
        .rev()
        .filter(|item| matches!(item.kind, ModelItemKind::Developer | ModelItemKind::Harness))
        // A cheap look at the raw text first: only messages that can match are parsed.
        .filter(|item| item.json.get().contains(tag))
        .find_map(|item| item.texts().into_iter().find(|text| text.starts_with(tag)))
}

/// Whether `text` must be sent: it is not empty and not what the model was told last.
pub(crate) fn is_due(history: &History, kind: Fragment, text: &str) -> bool {
    !text.is_empty() && last_of(history, kind).as_deref() != Some(text)
}
