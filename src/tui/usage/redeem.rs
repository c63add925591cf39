//! The way of one redemption on the screen: look up, pick, confirm, redeem, end. What must never happen is that a key
//! pressed too early spends something: the confirmation begins with "No", and numbers do not choose in it.

use super::ending::{Ending, Then};
use super::look::View;
use crate::limits::intent::{Decision, Reading, Refusal};
use crate::limits::redeemer::{Plan, Wish};
use crate::limits::redemption::{Outcome, Step};
use crate::protocol::limits::ResetCredit;
use crate::tui::keymap::Keymap;
use crate::tui::keys::Key;
use crate::tui::popups::list::{List, Picked, Row};

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

    /// The account as the plan read it.
    pub(super) fn reading(&self) -> Option<&Reading> {
        self.plan.as_ref()?.reading.as_ref()
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
}

fn confirm() -> List {
    let mut list = List::plain(vec![Row::new("Yes, use reset"), Row::new("No, go back")]);
    list.select(1);
    list
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
