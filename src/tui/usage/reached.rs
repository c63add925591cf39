//! What to do when a limit is reached, or a budget that the user set: one question, its most helpful answer first.
//! The prompt that could not be answered stands in the composer behind it, and is lost by no answer.

use ratatui::text::Line;

use super::look::{View, countdown, plain, wrapped};
use super::menu::Want;
use super::windows;
use crate::backend::nudge::More;
use crate::limits::text as words;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::responses::usage_limit;
use crate::tui::keymap::Keymap;
use crate::tui::keys::Key;
use crate::tui::popups::frame::{self, Drawn};
use crate::tui::popups::list::{List, Picked, Row};
use crate::tui::popups::wish::{Outcome, Wish};
use crate::tui::theme::{Role, Theme};

/// Seconds after the moment of a reset at which the prompt is sent: clocks differ a little.
const AFTER_S: u64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Redeem,
    Wait(u64),
    Model,
    Nudge(More),
    GoOn,
    Dismiss,
}

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panel {
    error: ErrorInfo,
    selected: usize,
}

impl Panel {
    /// Asks what to do about this error: a limit or a budget.
    pub(crate) fn new(error: ErrorInfo) -> Self {
        Self { error, selected: 0 }
    }

    fn is_budget(&self) -> bool {
        self.error.kind == ErrorKind::Budget
    }

    fn choices(&self, view: &View<'_>) -> Vec<(Row, Choice)> {
        let mut rows = Vec::new();
        if self.is_budget() {
            rows.push((Row::new("Go on").detail("allows the same once more"), Choice::GoOn));
            rows.push((Row::new("Stop here").detail("the prompt stays below"), Choice::Dismiss));
            return rows;
        }
        let workspace = held_by_workspace(view).is_some();
        if let Some(count) = view.resets().filter(|count| *count > 0 && !workspace) {
            rows.push((Row::new("Redeem a reset").detail(format!("{count} available")), Choice::Redeem));
        }
        if let Some(at) = comes_back(view) {
            let now = view.now();
            let left = words::span(at.saturating_sub(now));
            let detail = format!("at {}, in {left}", words::moment(at, now, view.zone));
            // On our clock, for that is the one we wait by.
            let ours = view.now_s.saturating_add(at.saturating_sub(now)).saturating_add(AFTER_S);
            rows.push((Row::new("Wait, then send again").detail(detail), Choice::Wait(ours)));
        }
        rows.extend(ask_owner(view).map(|(row, more)| (row, Choice::Nudge(more))));
        if other_family(view) {
            rows.push((Row::new("Switch model").detail("another model has its own limit"), Choice::Model));
        }
        if view.resets().is_none() && view.standing.shared && !workspace {
            rows.push((Row::new("Redeem a reset").detail("check availability"), Choice::Redeem));
        }
        rows.push((Row::new("Dismiss").detail("the prompt stays below"), Choice::Dismiss));
        rows
    }

    fn list(&self, view: &View<'_>) -> (List, Vec<Choice>) {
        let (rows, choices) = self.choices(view).into_iter().unzip();
        let mut list = List::numbered(rows);
        list.select(self.selected);
        (list, choices)
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, view: &View<'_>, keymap: &Keymap) -> Outcome {
        if key == Key::ctrl('c') {
            return Outcome::Close;
        }
        let (mut list, choices) = self.list(view);
        let picked = list.on_key(key, keymap);
        self.selected = list.selected();
        let wish = |want| Outcome::Wish(Wish::Usage(want));
        match picked {
            Picked::Closed => Outcome::Close,
            Picked::Refused(why) => Outcome::Keep(Wish::Notice(why)),
            Picked::Nothing | Picked::Moved => Outcome::Stay,
            Picked::Row(index) => match choices.get(index) {
                Some(Choice::Redeem) => wish(Want::RedeemForPrompt),
                Some(Choice::Wait(at)) => wish(Want::WaitUntil(*at)),
                Some(Choice::Model) => wish(Want::Model),
                Some(Choice::Nudge(more)) => Outcome::Keep(Wish::Usage(Want::Nudge(*more))),
                Some(Choice::GoOn) => wish(Want::Resend),
                Some(Choice::Dismiss) | None => Outcome::Close,
            },
        }
    }

    /// Its rows, at most `height`.
    pub(crate) fn draw(&self, view: &View<'_>, width: u16, height: usize, theme: &Theme) -> Drawn {
        let title = if self.is_budget() { "Budget used up" } else { "Usage limit reached" };
        let mut lines = vec![frame::title(title, "", width, theme)];
        lines.extend(wrapped(&plain(&self.error.message), Role::Text, 2, width, theme));
        if !self.is_budget() {
            lines.push(Line::default());
            lines.extend(windows::rows(view, width, theme));
            if comes_back(view).is_none()
                && let Some(hint) = &self.error.hint
            {
                lines.extend(wrapped(&plain(hint), Role::Dim, 2, width, theme));
            }
        }
        let (list, _) = self.list(view);
        let mut keep = vec![Line::default()];
        keep.extend(list.lines(width, list.len(), theme));
        keep.extend([Line::default(), frame::hint("enter select · esc dismiss", width, theme)]);
        let kept = keep.len();
        lines.extend(keep);
        Drawn::rows(frame::fit(lines, height, kept, theme))
    }
}

/// What a member of a workspace can ask its owner for, when that is what is missing.
pub(super) fn ask_owner(view: &View<'_>) -> Option<(Row, More)> {
    let limits = view.limits.filter(|limits| limits.is_reached(view.now_s))?;
    let more = More::of(&limits.reached.as_ref()?.value)?;
    let label = match more {
        More::Credits => "Ask for credits",
        More::Limit => "Ask for a higher limit",
    };
    let detail = view.standing.nudged.clone().unwrap_or_else(|| "the owner gets a mail".to_owned());
    Some((Row::new(label).detail(detail), more))
}

/// That the limit is reached, and when it comes back; nothing when it is not.
pub(super) fn standing(view: &View<'_>) -> Option<String> {
    view.limits.filter(|limits| limits.is_reached(view.now_s))?;
    let now = view.now();
    let back = comes_back(view).map(|at| {
        let (moment, span) = (words::moment(at, now, view.zone), words::span(at.saturating_sub(now)));
        format!(": it comes back at {moment}, in {span}")
    });
    let workspace = || Some(format!(": {}", usage_limit::of_workspace(held_by_workspace(view)?)?));
    Some(format!("The usage limit is reached{}.", back.or_else(workspace).unwrap_or_default()))
}

fn held_by_workspace<'a>(view: &View<'a>) -> Option<&'a str> {
    view.limits?.held_by_workspace(view.now_s)
}

/// When everything that is used up has come back, on the service's clock; nothing when nobody knows. What a workspace
/// lacks does not come back by itself, whatever the windows do.
fn comes_back(view: &View<'_>) -> Option<u64> {
    let limits = view.limits?;
    if held_by_workspace(view).is_some() {
        return None;
    }
    let windows = limits.windows(view.now_s);
    let full = windows.iter().filter(|window| window.is_main() && window.used >= 100.0);
    let spend = limits.spend.as_ref().map(|spend| &spend.value);
    let spent = spend.filter(|spend| spend.reached && spend.resets_at.is_none_or(|at| at > view.now()));
    full.map(|window| window.resets_at)
        .chain(spent.map(|spend| spend.resets_at))
        .try_fold(None, |latest: Option<u64>, at| Some(latest.max(Some(at?))))?
}

/// Whether a limit of other models is known that is not reached.
fn other_family(view: &View<'_>) -> bool {
    let Some(limits) = view.limits else { return false };
    let windows = limits.windows(view.now_s);
    let others: Vec<_> = windows.iter().filter(|window| !window.is_main()).collect();
    others
        .iter()
        .any(|window| others.iter().filter(|other| other.family == window.family).all(|w| w.used < 100.0))
}

/// The row above the prompt while one waits: when it is sent, and how long that is.
pub(super) fn waiting(at: u64, view: &View<'_>) -> String {
    let left = at.saturating_sub(view.now_s);
    format!(
        "⏳ sends again at {} (in {}) · esc stops waiting",
        words::moment(at, view.now_s, view.zone),
        words::span(left)
    )
}

/// The row above the prompt while it waits for a thread that is not open.
pub(super) fn waiting_elsewhere(at: u64, view: &View<'_>) -> String {
    let moment = words::moment(at, view.now_s, view.zone);
    match at > view.now_s {
        true => format!("⏳ waits for its thread until {moment} · enter sends it here"),
        false => format!("⏳ due since {moment} in its thread · enter sends it here"),
    }
}

/// Seconds until that row reads differently.
pub(super) fn waiting_rest_s(at: u64, view: &View<'_>) -> u64 {
    countdown(at.saturating_sub(view.now_s))
}

#[cfg(test)]
#[path = "reached_tests.rs"]
mod tests;
