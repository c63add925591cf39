//! The pages of one redemption, drawn; what they mean is in [`super::redeem`], and as lines without a screen they are
//! in [`super::redeem_spoken`].

use ratatui::text::{Line, Span};

use super::credits;
use super::ending::Ending;
use super::forecast;
use super::look::{View, plain, wrapped};
use super::redeem::{Flow, State};
use crate::protocol::limits::ResetCredit;
use crate::tui::popups::frame;
use crate::tui::popups::list::List;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Rows of credits that are shown at once.
const SHOWN: usize = 5;

/// What redeeming before the last reset is seen can mean.
pub(super) const FORCED: &str =
    "Your windows do not show the last reset yet: this may reset the same windows again.";

impl Flow {
    /// Its rows, about `height`: a body that may be cut, and the rows that must stay.
    pub(crate) fn draw(
        &self,
        view: &View<'_>,
        width: u16,
        height: usize,
        theme: &Theme,
    ) -> (Vec<Line<'static>>, Vec<Line<'static>>) {
        let blank = Line::default;
        let hint = |words| frame::hint(words, width, theme);
        match self.state() {
            State::Loading(_) => {
                let body = vec![
                    frame::title("Usage limit resets", "", width, theme),
                    Line::styled("  Looking up your resets …", theme.style(Role::Dim)),
                ];
                (body, vec![blank(), hint("esc back")])
            }
            State::Picker(list) => {
                let mut body = vec![frame::title("Usage limit resets", "", width, theme)];
                body.extend(wrapped(&self.available(), Role::Text, 2, width, theme));
                body.push(blank());
                let room = height.saturating_sub(body.len() + 2);
                body.extend(self.picker_rows(list, view, width, room, theme));
                (body, vec![blank(), hint("enter select · esc back")])
            }
            State::Confirm(list) => {
                let mut body = vec![frame::title("Use this reset?", "", width, theme)];
                body.extend(self.chosen(view, width, theme));
                body.push(blank());
                body.extend(forecast::sum(view, self.picked(), width, theme));
                if self.is_forced() {
                    body.extend(wrapped(FORCED, Role::Bad, 2, width, theme));
                }
                let mut keep = vec![blank()];
                keep.extend(list.lines(width, 2, theme));
                keep.extend([blank(), hint("↑ ↓ · enter select · esc back")]);
                (body, keep)
            }
            State::Redeeming(words) => {
                let mut body = vec![frame::title("Use this reset?", "", width, theme)];
                body.extend(wrapped(words, Role::Accent, 2, width, theme));
                (body, vec![blank(), hint("this cannot be taken back now")])
            }
            State::Ended(ending, list) => {
                let mut body = vec![frame::title(ending.title, "", width, theme)];
                let role = if ending.good { Role::Good } else { Role::Text };
                body.extend(wrapped(&words_at_end(ending, view), role, 2, width, theme));
                let mut keep = vec![blank()];
                keep.extend(list.lines(width, list.len(), theme));
                keep.extend([blank(), hint("enter select · esc back")]);
                (body, keep)
            }
        }
    }

    /// How many resets there are.
    pub(super) fn available(&self) -> String {
        let reading = self.reading();
        match reading.and_then(|reading| reading.count()) {
            Some(1) => "1 usage limit reset available.".to_owned(),
            Some(count) => format!("{count} usage limit resets available."),
            None => "How many resets you have is not known.".to_owned(),
        }
    }

    /// The rows around the selected credit that fit: at least its own.
    fn picker_rows(
        &self,
        list: &List,
        view: &View<'_>,
        width: u16,
        room: usize,
        theme: &Theme,
    ) -> Vec<Line<'static>> {
        let (selected, total) = (list.selected(), list.len());
        let block = |index: usize| self.picker_block(index, selected, total, view, width, theme);
        let (mut first, mut after) = (selected, selected + 1);
        let mut rows = block(selected);
        let mut fits = [true, true];
        while fits.contains(&true) && after - first <= SHOWN {
            let next = (after < total).then(|| block(after)).filter(|next| rows.len() + next.len() <= room);
            fits[0] = next.is_some();
            if let Some(next) = next {
                rows.extend(next);
                after += 1;
            }
            let before = first.checked_sub(1).map(block).filter(|rest| rows.len() + rest.len() <= room);
            fits[1] = before.is_some();
            if let Some(before) = before {
                rows.splice(0..0, before);
                first -= 1;
            }
        }
        rows
    }

    /// Two rows and more per credit: its title, and when it was granted and expires.
    fn picker_block(
        &self,
        index: usize,
        selected: usize,
        total: usize,
        view: &View<'_>,
        width: u16,
        theme: &Theme,
    ) -> Vec<Line<'static>> {
        let credit = self.credits().get(index);
        let title = match credit {
            Some(credit) => credits::title(credit, view),
            None if index + 1 == total => "Cancel".to_owned(),
            None => credits::generic(view),
        };
        let (mark, style) = if index == selected {
            (Span::styled("› ", theme.style(Role::Accent)), theme.style(Role::Selected))
        } else {
            (Span::raw("  "), theme.style(Role::Text))
        };
        let label = Span::styled(format!("{}. {title}", index + 1), style);
        let mut rows = vec![text::truncate_line(Line::from(vec![mark, label]), usize::from(width))];
        match credit {
            Some(credit) => rows.extend(date_rows(credit, view, 5, width, theme)),
            None if index + 1 == total => {}
            None => rows.extend(wrapped("the service picks which one", Role::Dim, 5, width, theme)),
        }
        rows
    }

    /// The credit that was picked: name, dates, what the service says of it.
    pub(super) fn chosen(&self, view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let Some(credit) = self.picked() else {
            let words = format!("{} · the service picks which one", credits::generic(view));
            return wrapped(&words, Role::Strong, 2, width, theme);
        };
        let mut rows = wrapped(&credits::title(credit, view), Role::Strong, 2, width, theme);
        rows.extend(date_rows(credit, view, 2, width, theme));
        if let Some(words) = credit.description.as_deref().map(plain).filter(|words| !words.is_empty()) {
            rows.extend(wrapped(&words, Role::Dim, 2, width, theme));
        }
        rows
    }
}

/// When a credit expires and when it was granted.
pub(super) fn dates(credit: &ResetCredit, view: &View<'_>) -> String {
    let granted = credits::granted(credit, view).map(|words| format!(" · {words}")).unwrap_or_default();
    format!("{}{granted}", credits::expiry(credit, view))
}

/// When it expires and when it was granted: in one row, or in one each.
fn date_rows(
    credit: &ResetCredit,
    view: &View<'_>,
    indent: usize,
    width: u16,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let role = credits::expiry_role(credit, view.now());
    let both = dates(credit, view);
    if text::width(&both) + indent <= usize::from(width) {
        return wrapped(&both, role, indent, width, theme);
    }
    let mut rows = wrapped(&credits::expiry(credit, view), role, indent, width, theme);
    if let Some(granted) = credits::granted(credit, view) {
        rows.extend(wrapped(&granted, role, indent, width, theme));
    }
    rows
}

/// What is said of the end, and what is left.
pub(super) fn words_at_end(ending: &Ending, view: &View<'_>) -> String {
    let left = match view.resets().filter(|_| ending.left) {
        None => String::new(),
        Some(0) => " You have no usage limit resets left.".to_owned(),
        Some(1) => " You have 1 usage limit reset left.".to_owned(),
        Some(count) => format!(" You have {count} usage limit resets left."),
    };
    format!("{}{left}", ending.text)
}
