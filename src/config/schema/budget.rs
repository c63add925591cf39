//! `[budget]`: how much of the usage limits may be used before codex stops and waits for a word. Read as text here;
//! what the shares mean is known to `limits/require.rs`.

use crate::config::error::Error;

use super::reader::Reader;

/// Budgets as written, each like `week=2%, 5h=10%`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BudgetTable {
    /// Of one turn.
    pub(crate) turn: Option<String>,
    /// Of one thread.
    pub(crate) session: Option<String>,
    /// Of one day.
    pub(crate) day: Option<String>,
}

/// Reads the table.
///
/// # Errors
/// A value is not a text.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<BudgetTable, Error> {
    Ok(BudgetTable { turn: reader.text("turn")?, session: reader.text("session")?, day: reader.text("day")? })
}
