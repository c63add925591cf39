//! What is shown, what is kept, and who is told.

use crate::config::error::Error;

use super::choice::words;
use super::reader::Reader;
use super::tui::{self, Tui};

words! {
    /// Which prompts are kept in `history.jsonl`.
    Persistence {
        /// All.
        SaveAll = "save-all",
        /// None.
        None = "none",
    }
}

words! {
    /// Editor that opens linked files, in programs that link them.
    FileOpener {
        /// Visual Studio Code.
        VsCode = "vscode",
        /// Its preview edition.
        VsCodeInsiders = "vscode-insiders",
        /// Windsurf.
        Windsurf = "windsurf",
        /// Cursor.
        Cursor = "cursor",
        /// No links.
        None = "none",
    }
}

/// Settings of front ends.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    /// Program and arguments called after each turn; empty for none.
    pub(crate) notify: Vec<String>,
    /// Reasoning is not shown.
    pub(crate) hide_agent_reasoning: bool,
    /// Raw reasoning is shown where the model gives it.
    pub(crate) show_raw_agent_reasoning: bool,
    /// Which prompts are kept.
    pub(crate) history: Persistence,
    /// Size at which the oldest prompts go.
    pub(crate) history_max_bytes: Option<u64>,
    /// Quick keys are never taken for a paste.
    pub(crate) disable_paste_burst: bool,
    /// A smaller model is never offered when a limit is nearly used up.
    pub(crate) no_model_nudge: bool,
    /// The terminal app.
    pub(crate) tui: Tui,
}

/// Reads the keys.
///
/// # Errors
/// A value is not allowed.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Interface, Error> {
    let notify = reader.texts("notify")?.unwrap_or_default();
    if notify.first().is_some_and(String::is_empty) {
        return Err(
            reader.fault("notify", "begins with an empty string; allowed: a program and its arguments")
        );
    }
    let (history, history_max_bytes) = reader.table("history", |table| {
        let persistence = table.choice("persistence")?.unwrap_or(Persistence::SaveAll);
        Ok((persistence, table.number("max_bytes", 0)?))
    })?;
    let no_model_nudge = reader.table("notice", |table| table.flag("hide_rate_limit_model_nudge"))?;
    // Nothing opens files from here; a word that is none is told all the same.
    reader.choice::<FileOpener>("file_opener")?;
    Ok(Interface {
        notify,
        hide_agent_reasoning: reader.flag("hide_agent_reasoning")?.unwrap_or(false),
        show_raw_agent_reasoning: reader.flag("show_raw_agent_reasoning")?.unwrap_or(false),
        history,
        history_max_bytes,
        disable_paste_burst: reader.flag("disable_paste_burst")?.unwrap_or(false),
        no_model_nudge: no_model_nudge.unwrap_or(false),
        tui: reader.table("tui", tui::read)?,
    })
}
