//! The end of a turn: how long it took and what time it was, or that it was stopped.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use crate::limits::text::percent;
use crate::protocol::limits::Price;
use crate::protocol::turn::Changed;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};
use crate::tui::transcript::rows::{clock, inner, marked, prose};

/// How a turn ended.
#[derive(Debug)]
pub(crate) struct TurnEnd {
    /// Not when it was stopped before it was known how long it took.
    took_ms: Option<u64>,
    /// Wall clock, as the user reads it.
    at: Option<Box<str>>,
    /// What it cost of each limit window, when that is worth a word.
    price: Option<Box<str>>,
    /// What its patches changed.
    changed: Option<Changed>,
    interrupted: bool,
}

impl TurnEnd {
    /// It came to its end.
    pub(crate) fn done(took_ms: u64, at: Option<String>, changed: Option<Changed>) -> Self {
        Self { took_ms: Some(took_ms), at: at.map(Into::into), price: None, changed, interrupted: false }
    }

    /// What it cost, also when that becomes known later. `so_far`: what the last answer cost is not in it.
    pub(crate) fn set_price(&mut self, price: &[Price], so_far: bool) {
        let worth = price.iter().filter(|price| price.percent >= 0.05);
        let price: Vec<String> = worth
            .map(|price| format!("{} of {}", percent(price.percent), text::sanitize(&price.window)))
            .collect();
        let least = if so_far { "at least " } else { "" };
        self.price = (!price.is_empty()).then(|| format!("used {least}{}", price.join(", ")).into());
    }

    /// The user stopped it.
    pub(crate) fn interrupted(took_ms: Option<u64>) -> Self {
        Self { took_ms, at: None, price: None, changed: None, interrupted: true }
    }

    fn words(&self) -> String {
        let time = self.took_ms.map(clock);
        if self.interrupted {
            let time = time.map(|time| format!(" after {time}")).unwrap_or_default();
            return format!("Interrupted{time}");
        }
        let at = self.at.as_deref().map(|at| format!(" · {at}")).unwrap_or_default();
        let price = self.price.as_deref().map(|price| format!(" · {price}")).unwrap_or_default();
        let changed = self.changed.map(size).unwrap_or_default();
        format!("Worked for {}{at}{changed}{price}", time.unwrap_or_default())
    }
}

/// What was changed, as a piece of the line.
fn size(changed: Changed) -> String {
    let Changed { files, added, removed } = changed;
    let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    format!(" · {files} +{added} −{removed}")
}

impl Cell for TurnEnd {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        if self.interrupted {
            let rows = prose(&self.words(), look.style(Role::Bad), inner(width));
            return marked(Span::styled("■", look.style(Role::Bad)), rows, width);
        }
        let line = Line::styled(format!("  {}", self.words()), look.style(Role::Dim));
        vec![text::truncate_line(line, usize::from(width))]
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(self.words())
    }
}
