//! The way of one redemption on the screen: look up, pick, confirm, redeem, end. What must never happen is that a key
//! pressed too early spends something: the confirmation begins with "No", and numbers do not choose in it.

use ratatui::text::{Line, Span};

use super::credits;
use super::ending::{Ending, Then};
use super::forecast;
use super::look::{View, plain, wrapped};
use crate::limits::intent::{Decision, Refusal};
use crate::limits::redeemer::{Outcome, Plan, Step, Wish};
use crate::protocol::limits::ResetCredit;
use crate::tui::keymap::Keymap;
use crate::tui::keys::Key;
use crate::tui::popups::frame;
use crate::tui::popups::list::{List, Picked, Row};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Rows of credits that are shown at once.
const SHOWN: usize = 5;
/// What redeeming before the last reset is seen can mean.
pub(super) const FORCED: &str =
    "Your windows do not show the last reset yet: this may reset the same windows again.";

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Nothing.
    Stay,
    /// Back to the page before.
    Back,
    /// Look up what the wish comes to.
    Load,
    /// Carry it out.
    Start,
    /// It cannot be left now.
    Held,
    /// Send the prompt again.
    Resend,
}

/// Which page is open.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// What the wish comes to is being looked up, by this question.
    Loading(u64),
    /// Which credit?
    Picker(List),
    /// Really?
    Confirm(List),
    /// On its way; the words say where.
    Redeeming(String),
    /// Over.
    Ended(Ending, List),
}

/// The way of one redemption.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    state: State,
    plan: Option<Box<Plan>>,
    /// The credits to pick from.
    credits: Vec<ResetCredit>,
    /// The picked one; `None` leaves it to the service.
    picked: Option<ResetCredit>,
    force: bool,
    despite: bool,
    /// A prompt waits for the reset.
    resend: bool,
}

impl Flow {
    /// Begins to look up, by this question.
    pub(crate) fn new(question: u64, resend: bool) -> Self {
        Self {
            state: State::Loading(question),
            plan: None,
            credits: Vec::new(),
            picked: None,
            force: false,
            despite: false,
            resend,
        }
    }

    /// Looks up once more.
    pub(crate) fn load(&mut self, question: u64) {
        self.state = State::Loading(question);
        (self.plan, self.picked) = (None, None);
    }

    /// The wish as it is so far.
    pub(crate) fn wish(&self) -> Wish {
        Wish {
            credit: self.picked.as_ref().map(|credit| credit.id.clone()),
            force: self.force,
            despite_damage: self.despite,
            ..Wish::default()
        }
    }

    /// What is to be carried out, once; afterwards the page is on its way.
    pub(crate) fn start(&mut self) -> Option<(Box<Plan>, Wish)> {
        let order = (self.plan.take()?, self.wish());
        self.state = State::Redeeming("Resetting …".to_owned());
        Some(order)
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn credits(&self) -> &[ResetCredit] {
        &self.credits
    }

    pub(super) fn picked(&self) -> Option<&ResetCredit> {
        self.picked.as_ref()
    }

    pub(super) fn is_forced(&self) -> bool {
        self.force
    }

    /// Picks this credit, or what the service picks, and asks whether it is really meant.
    pub(super) fn pick(&mut self, index: usize) {
        self.picked = self.credits.get(index).cloned();
        self.state = State::Confirm(confirm());
    }

    /// Whether it is on its way and cannot be left.
    pub(crate) fn is_redeeming(&self) -> bool {
        matches!(self.state, State::Redeeming(_))
    }

    /// What the wish comes to. Answers to earlier questions are dropped.
    pub(crate) fn planned(
        &mut self,
        question: u64,
        result: Result<Box<Plan>, String>,
        view: &View<'_>,
    ) -> Move {
        if !matches!(self.state, State::Loading(asked) if asked == question) {
            return Move::Stay;
        }
        let plan = match result {
            Ok(plan) => plan,
            Err(why) => return self.end(Ending::not_loaded(&why)),
        };
        if let Some(aside) = plan.damaged.as_ref().filter(|_| !self.despite) {
            return self.end(Ending::damaged(aside));
        }
        match &plan.decision {
            Decision::Finish(_) => {
                // The person said yes to this one before; its key makes it safe.
                self.plan = Some(plan);
                return Move::Start;
            }
            Decision::Refuse(why) if !matches!(why, Refusal::OnlyUnknown) => {
                let ending = Ending::refused(why, view.now(), view.zone);
                return self.end(ending);
            }
            Decision::Refuse(_) | Decision::Redeem { .. } => {}
        }
        let reading = plan.reading.as_ref();
        let available = reading.map(|reading| reading.available()).unwrap_or_default();
        let count = reading.and_then(|reading| reading.count()).and_then(|count| usize::try_from(count).ok());
        self.credits = available.into_iter().take(count.unwrap_or(usize::MAX).max(1)).cloned().collect();
        self.plan = Some(plan);
        self.state = State::Picker(self.picker());
        Move::Stay
    }

    fn picker(&self) -> List {
        let mut rows: Vec<Row> = self.credits.iter().map(|_| Row::default()).collect();
        if rows.is_empty() {
            rows.push(Row::default());
        }
        rows.push(Row::new("Cancel"));
        List::numbered(rows)
    }

    fn end(&mut self, ending: Ending) -> Move {
        let rows = ending.rows.iter().map(|(label, _)| Row::new(*label)).collect();
        self.state = State::Ended(ending, List::numbered(rows));
        Move::Stay
    }

    /// A step was taken.
    pub(crate) fn step(&mut self, step: &Step) {
        if let (State::Redeeming(words), Some(now)) = (&mut self.state, words_of(step)) {
            *words = now;
        }
    }

    /// It is over; the error means that nobody knows how.
    pub(crate) fn ended(&mut self, outcome: Result<&Outcome, &str>, view: &View<'_>) {
        let ending = match outcome {
            Ok(outcome) => Ending::of(outcome, view.now(), view.zone, self.resend),
            Err(why) => Ending::lost(why),
        };
        self.end(ending);
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Move {
        let cancel = key == Key::ctrl('c');
        match &mut self.state {
            State::Redeeming(_) => Move::Held,
            _ if cancel => Move::Back,
            State::Loading(_) => match List::plain(Vec::new()).on_key(key, keymap) {
                Picked::Closed => Move::Back,
                _ => Move::Stay,
            },
            State::Picker(list) => match list.on_key(key, keymap) {
                Picked::Closed => Move::Back,
                Picked::Row(index) if index + 1 == list.len() => Move::Back,
                Picked::Row(index) => {
                    self.pick(index);
                    Move::Stay
                }
                _ => Move::Stay,
            },
            State::Confirm(list) => match list.on_key(key, keymap) {
                Picked::Row(0) => Move::Start,
                Picked::Row(_) | Picked::Closed => {
                    self.picked = None;
                    self.state = State::Picker(self.picker());
                    Move::Stay
                }
                _ => Move::Stay,
            },
            State::Ended(ending, list) => match list.on_key(key, keymap) {
                Picked::Closed => Move::Back,
                Picked::Row(index) => {
                    let then = ending.rows.get(index).map_or(Then::Close, |(_, then)| *then);
                    self.then(then)
                }
                _ => Move::Stay,
            },
        }
    }

    pub(super) fn then(&mut self, then: Then) -> Move {
        match then {
            Then::Close => Move::Back,
            Then::Load => Move::Load,
            Then::Force => {
                self.force = true;
                Move::Load
            }
            Then::Despite => {
                self.despite = true;
                Move::Load
            }
            Then::Resend => Move::Resend,
        }
    }

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
        match &self.state {
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
                body.extend(forecast::sum(view, self.picked.as_ref(), width, theme));
                if self.force {
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

    pub(super) fn available(&self) -> String {
        let reading = self.plan.as_ref().and_then(|plan| plan.reading.as_ref());
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
        let credit = self.credits.get(index);
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
        let Some(credit) = &self.picked else {
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

fn confirm() -> List {
    let mut list = List::plain(vec![Row::new("Yes, use reset"), Row::new("No, go back")]);
    list.select(1);
    list
}

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

pub(super) fn words_at_end(ending: &Ending, view: &View<'_>) -> String {
    let left = match view.resets().filter(|_| ending.left) {
        None => String::new(),
        Some(0) => " You have no usage limit resets left.".to_owned(),
        Some(1) => " You have 1 usage limit reset left.".to_owned(),
        Some(count) => format!(" You have {count} usage limit resets left."),
    };
    format!("{}{left}", ending.text)
}

/// Where a redemption stands; nothing when the words stay.
fn words_of(step: &Step) -> Option<String> {
    Some(match step {
        Step::Queued => "Another codex is redeeming; waiting for it …".to_owned(),
        Step::Noted | Step::Reading => return None,
        Step::Sending(1) => "Resetting …".to_owned(),
        Step::Sending(number) => {
            format!("No clear answer. Asking again with the same key ({number} of 3) …")
        }
        Step::Again(_) => "No clear answer. Asking again with the same key …".to_owned(),
        Step::Answered(receipt) if receipt.verdict.is_spent() => {
            "Done. Waiting until your windows show it …".to_owned()
        }
        Step::Answered(_) => return None,
        Step::Watching(ms) => {
            format!("Done. Your windows do not show it yet; looking again in {} s …", ms.div_ceil(1000))
        }
    })
}

#[cfg(test)]
#[path = "redeem_tests.rs"]
mod tests;
