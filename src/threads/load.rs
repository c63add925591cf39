//! A stored thread as it is continued: what the model sees, and the settings, tokens and limits it had. Read from
//! the end and only as far as needed, so that neither time nor memory follows the size of the file. Blocking: call it
//! on a blocking task.

use std::path::Path;

use super::chain;
use super::error::Error;
use super::head;
use super::history::Collector;
use super::meta::Meta;
use super::reader::Problems;
use super::settings::Settings;
use crate::base::ids::TurnId;
use crate::protocol::limits::Price;
use crate::protocol::model_item::ModelItem;
use crate::protocol::tokens::ThreadUsage;

/// How far before the newest summary the settings of the last turn are looked for, in bytes.
const SETTINGS_REACH: u64 = 64 << 20;

/// What is needed to continue a thread.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What the thread is.
    pub(crate) meta: Meta,
    /// What the model sees, every call answered exactly once.
    pub(crate) history: Vec<ModelItem>,
    /// Settings of the last turn, as far as known.
    pub(crate) settings: Settings,
    /// Tokens as told last.
    pub(crate) usage: Option<ThreadUsage>,
    /// What the thread had used of the limits, as told last.
    pub(crate) spent: Vec<Price>,
    /// How often the history was summarised.
    pub(crate) window_number: u64,
    /// The last turn, if its end was never written: its program was killed.
    pub(crate) unfinished: Option<TurnId>,
    /// The start of the history is not in it: it is longer than any model takes.
    pub(crate) cut: bool,
    /// Lines that were passed over.
    pub(crate) problems: Problems,
}

impl Loaded {
    /// Nothing of the thread could be read, not even what it is: there is nothing to continue.
    pub(crate) fn is_lost(&self) -> bool {
        self.history.is_empty() && self.meta.cwd.is_none()
    }
}

/// Rebuilds what is needed to continue the thread in `path`.
///
/// # Errors
/// The file cannot be read. Broken lines and missing earlier files are problems, not errors.
pub(crate) fn load(home: &Path, path: &Path) -> Result<Loaded, Error> {
    let mut problems = Problems::default();
    let chain = chain::open(home, path, &mut problems)?;
    let mut collector = Collector::default();
    let mut reach = SETTINGS_REACH;
    'files: for segment in &chain.segments {
        let mut lines = segment.backwards()?;
        while let Some(raw) = lines.next().map_err(Error::io("read", &segment.path))? {
            if collector.has_history() {
                reach = reach.saturating_sub(raw.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
                if collector.settings.is_some() || reach == 0 {
                    break 'files;
                }
            }
            let offset = raw.offset;
            let fed = segment.good(raw, &mut problems).map(|line| collector.feed(line.record));
            if let Some(Err(reason)) = fed {
                problems.push(offset, None, reason);
            }
        }
    }
    let start = match chain.segments.last().filter(|_| collector.needs_start()) {
        Some(first) => head::opening_items(&first.path).map_err(Error::io("read", &first.path))?,
        None => Vec::new(),
    };
    Ok(Loaded {
        meta: chain.meta,
        settings: collector.settings.take().unwrap_or_default(),
        usage: collector.usage,
        spent: collector.spent.take().unwrap_or_default(),
        window_number: collector.window_number,
        unfinished: collector.unfinished,
        cut: collector.is_cut(),
        history: collector.finish(start),
        problems,
    })
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
