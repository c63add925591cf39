//! Questions about the limits of the account: through the door, and what comes back as messages.

use tokio::sync::mpsc;

use super::run::Done;
use crate::tui::door::{Call, Door, LimitsCall, Redeeming};
use crate::tui::msg::Answer;
use crate::tui::usage::{Ask, News};

/// Steps of a redemption that may wait; there are never so many.
const STEPS: usize = 64;

/// Asks, and tells what came back.
pub(super) async fn carry_out(ask: Ask, door: Door, done: mpsc::Sender<Done>) {
    let call = |call: LimitsCall| Call::Limits(call);
    let news = match ask {
        Ask::Refresh(max_age) => {
            News::Refreshed(door.call(|reply| call(LimitsCall::Refresh(max_age, reply))).await)
        }
        Ask::Alarms => {
            News::Alarms(door.call(|reply| call(LimitsCall::Alarms(reply))).await.unwrap_or_default())
        }
        Ask::Activity(id) => {
            News::Activity(id, door.call(|reply| call(LimitsCall::Activity(reply))).await.map(Box::new))
        }
        Ask::Plan(id, wish) => {
            News::Planned(id, door.call(|reply| call(LimitsCall::Plan(wish, reply))).await)
        }
        Ask::Nudge(more) => News::Nudged(door.call(|reply| call(LimitsCall::Nudge(more, reply))).await),
        Ask::Finish => News::Finished(door.call(|reply| call(LimitsCall::Finish(reply))).await),
        Ask::Redeem(plan, wish) => {
            let (told, mut steps) = mpsc::channel(STEPS);
            let begun = door.send(call(LimitsCall::Redeem(plan, wish, told))).await;
            while let Some(step) = steps.recv().await {
                let news = match step {
                    Redeeming::Step(step) => News::Step(step),
                    Redeeming::Ended(outcome) => {
                        tell(&done, News::Redeemed(Ok(outcome))).await;
                        return;
                    }
                };
                tell(&done, news).await;
            }
            // Nobody told the end: the intent, if there is one, is on disk.
            News::Redeemed(Err(begun.err().unwrap_or_else(crate::tui::door::gone)))
        }
    };
    tell(&done, news).await;
}

async fn tell(done: &mpsc::Sender<Done>, news: News) {
    let _ = done.send(Done::Answer(Answer::Limits(news))).await;
}
