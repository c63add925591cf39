//! `/usage redeem` in plain lines: the pages of a redemption one after the other, each question put once, its answer a
//! line that was typed after it could be heard. What is on its way goes on while other lines come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::Standing;
use super::look::View;
use super::redeem::{Flow, Move};
use crate::base::clock::{Clock, SystemClock};
use crate::limits::AccountLimits;
use crate::tui::door::{Call, Door, LimitsCall, Redeeming};
use crate::tui::keys::GUARD_MS;
use crate::tui::linear::say;
use crate::tui::narrator::TOO_SOON;

/// A redemption in plain lines.
pub(crate) struct Redemption {
    flow: Flow,
    limits: watch::Receiver<Arc<AccountLimits>>,
    /// What comes of it, while it is on its way.
    pub(crate) steps: Option<mpsc::Receiver<Redeeming>>,
    question: u64,
    put: Instant,
    over: bool,
}

impl Redemption {
    /// Looks up what can be redeemed and puts the first question.
    pub(crate) async fn begin(door: &Door, limits: watch::Receiver<Arc<AccountLimits>>) -> Self {
        let flow = Flow::new(0, false);
        let mut redemption =
            Self { flow, limits, steps: None, question: 0, put: Instant::now(), over: false };
        redemption.load(door).await;
        redemption
    }

    /// Whether nothing more is asked or waited for.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes a line.
    pub(crate) async fn on_line(&mut self, line: &str, door: &Door) {
        let asks = self.steps.is_none();
        if asks && !line.is_empty() && self.put.elapsed() < Duration::from_millis(GUARD_MS) {
            return say([TOO_SOON]);
        }
        match self.flow.on_line(line) {
            None => say(["Type one of the numbers and press enter; enter alone leaves."]),
            Some(moved) => self.go(moved, door).await,
        }
    }

    /// Something came of it; `None` when nobody is left to tell.
    pub(crate) fn on_step(&mut self, step: Option<Redeeming>) {
        match step {
            Some(Redeeming::Step(step)) => {
                let before = self.spoken();
                self.flow.step(&step);
                let now = self.spoken();
                if now != before {
                    say(now);
                }
                return;
            }
            Some(Redeeming::Ended(outcome)) => self.with_view(|flow, view| flow.ended(Ok(&outcome), view)),
            None => {
                self.with_view(|flow, view| {
                    flow.ended(Err("the redemption was not carried to its end"), view)
                });
            }
        }
        self.steps = None;
        self.put_question();
    }

    async fn go(&mut self, moved: Move, door: &Door) {
        match moved {
            Move::Stay => self.put_question(),
            Move::Held => say(["The reset is on its way and cannot be taken back now."]),
            Move::Load => Box::pin(self.load(door)).await,
            Move::Start => self.start(door).await,
            Move::Back | Move::Resend => {
                self.over = true;
                say(["Back to the prompt."]);
            }
        }
    }

    async fn load(&mut self, door: &Door) {
        self.question += 1;
        self.flow.load(self.question);
        let wish = self.flow.wish();
        let plan = door.call(|reply| Call::Limits(LimitsCall::Plan(wish, reply))).await;
        let question = self.question;
        let moved =
            self.with_view(|flow, view| flow.planned(question, plan.map_err(|e| e.to_string()), view));
        self.go(moved, door).await;
    }

    async fn start(&mut self, door: &Door) {
        let Some((plan, wish)) = self.flow.start() else { return };
        let (told, steps) = mpsc::channel(8);
        say(self.spoken());
        self.steps = Some(steps);
        if door.send(Call::Limits(LimitsCall::Redeem(plan, wish, told))).await.is_err() {
            self.on_step(None);
        }
    }

    fn put_question(&mut self) {
        say(self.spoken());
        self.put = Instant::now();
        self.over = self.flow.is_told_out();
    }

    fn spoken(&mut self) -> Vec<String> {
        self.with_view(|flow, view| flow.spoken(view))
    }

    fn with_view<T>(&mut self, work: impl FnOnce(&mut Flow, &View<'_>) -> T) -> T {
        let limits = self.limits.borrow().clone();
        let mut standing = Standing::new(true);
        standing.shared = true;
        let (now_s, zone) = (SystemClock.now_s(), crate::tui::moment::zone());
        work(&mut self.flow, &View { limits: Some(&limits), standing: &standing, now_s, zone })
    }
}
