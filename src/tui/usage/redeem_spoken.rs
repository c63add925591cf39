//! The way of one redemption where there is no screen: each page as lines, its choices with numbers, an answer as a
//! line. The steps are those of [`super::redeem`]; an empty line never spends anything.

use super::credits;
use super::forecast;
use super::look::{View, plain};
use super::redeem::{Flow, Move, State};
use super::redeem_page::{FORCED, dates, words_at_end};
use crate::tui::theme::Theme;

/// So wide that no line is broken: who reads aloud breaks them.
const WIDE: u16 = 2000;
/// Credits that are read out.
const LISTED: usize = 20;

impl Flow {
    /// The page in lines, ending with what can be chosen.
    pub(crate) fn spoken(&self, view: &View<'_>) -> Vec<String> {
        match self.state() {
            State::Loading(_) => vec!["Looking up your resets.".to_owned()],
            State::Redeeming(words) => vec![words.clone()],
            State::Picker(_) => {
                let mut lines = vec![self.available()];
                lines.extend(self.credits().iter().take(LISTED).enumerate().map(|(at, credit)| {
                    format!("{}: {}, {}", at + 1, credits::title(credit, view), dates(credit, view))
                }));
                if self.credits().is_empty() {
                    lines.push(format!("1: {}, the service picks which one", credits::generic(view)));
                }
                lines.push("Type a number and press enter; enter alone leaves.".to_owned());
                lines
            }
            State::Confirm(_) => self.question(view),
            State::Ended(ending, _) => {
                let mut lines = vec![format!("{}: {}", ending.title, plain(&words_at_end(ending, view)))];
                if !is_over(&ending.rows) {
                    let rows = ending.rows.iter().enumerate();
                    lines.extend(rows.map(|(at, (label, _))| format!("{}: {label}", at + 1)));
                    lines.push("Type a number and press enter; enter alone leaves.".to_owned());
                }
                lines
            }
        }
    }

    fn question(&self, view: &View<'_>) -> Vec<String> {
        let theme = Theme::default();
        let mut lines = vec!["Use this reset?".to_owned()];
        let rows = self.chosen(view, WIDE, &theme).into_iter();
        let sum = forecast::sum(view, self.picked(), WIDE, &theme);
        lines.extend(rows.chain(sum).map(|line| line.to_string().trim().to_owned()));
        lines.extend(self.is_forced().then(|| FORCED.to_owned()));
        lines.extend(
            ["1: yes, use reset", "2: no, do not", "Type a number and press enter; enter alone means no."]
                .map(str::to_owned),
        );
        lines
    }

    /// Whether there is nothing more to choose.
    pub(crate) fn is_told_out(&self) -> bool {
        matches!(self.state(), State::Ended(ending, _) if is_over(&ending.rows))
    }

    /// Takes a typed line; nothing when it is none of the choices.
    pub(crate) fn on_line(&mut self, line: &str) -> Option<Move> {
        if self.is_redeeming() {
            return Some(Move::Held);
        }
        if line.is_empty() {
            return Some(Move::Back);
        }
        let at = line.parse::<usize>().ok()?.checked_sub(1)?;
        match self.state() {
            State::Picker(_) if at < self.credits().len().clamp(1, LISTED) => {
                self.pick(at);
                Some(Move::Stay)
            }
            State::Confirm(_) if at == 0 => Some(Move::Start),
            State::Confirm(_) if at == 1 => Some(Move::Back),
            State::Ended(ending, _) => {
                let then = ending.rows.get(at)?.1;
                Some(self.then(then))
            }
            _ => None,
        }
    }
}

/// Whether "Close" is all that can be chosen.
fn is_over(rows: &[(&'static str, super::ending::Then)]) -> bool {
    rows.iter().all(|(_, then)| *then == super::ending::Then::Close)
}
