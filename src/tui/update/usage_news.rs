//! What came back of questions about limits → the state, and the page that asked.

use std::time::Duration;

use super::dispatch::Effects;
use super::follow;
use super::usage::{ASKED, read_within, redeem, tell};
use crate::backend::nudge::Nudged;
use crate::limits::advice::Pending;
use crate::limits::redemption::Outcome;
use crate::tui::model::Model;
use crate::tui::popups::any::Popup;
use crate::tui::transcript::Level;
use crate::tui::usage::look::{self, View};
use crate::tui::usage::redeem::{Flow, Move};
use crate::tui::usage::{News, ended_words};

/// What came back.
pub(crate) fn on_news(model: &mut Model, news: News, effects: &mut Effects) {
    match news {
        News::Refreshed(result) => {
            model.usage.reading = false;
            match result {
                Ok(pending) => (model.usage.pending, model.usage.failure) = (pending, None),
                Err(error) => model.usage.failure = Some(error),
            }
            if std::mem::take(&mut model.usage.read_again) {
                read_within(model, Duration::ZERO, effects);
            }
            follow::refresh_status(model, model.unix);
        }
        News::Alarms(alarms) => tell(model, &alarms),
        News::Activity(question, found) => {
            if let Some(Popup::Usage(usage)) = &mut model.popup {
                usage.activity(question, found.map_err(|error| error.to_string()));
            }
        }
        News::Planned(question, plan) => {
            let plan = plan.map_err(|error| error.to_string());
            let moved = with_flow(model, |flow, view| flow.planned(question, plan, view));
            if moved == Some(Move::Start) {
                redeem(model, effects);
            }
        }
        News::Step(step) => drop(with_flow(model, |flow, _| flow.step(&step))),
        News::Redeemed(outcome) => redeemed(model, outcome.map_err(|error| error.to_string())),
        News::Nudged(result) => {
            model.usage.nudged = Some(match result {
                Ok(Nudged::Sent) => ASKED.to_owned(),
                Ok(Nudged::TooSoon) => "they were asked a short while ago".to_owned(),
                Err(error) => format!("not asked: {}", look::plain(&error.to_string())),
            });
        }
        News::Finished(result) => {
            model.usage.finishing = false;
            if let Ok(Some(outcome)) = result
                && !matches!(*outcome, Outcome::Busy)
            {
                model.usage.pending = pending_after(&outcome, model.usage.pending);
                let words = ended_words(&outcome, &model.usage_view());
                model.transcript.notice(Level::Info, &format!("An unfinished redemption: {words}"));
            }
        }
    }
}

fn redeemed(model: &mut Model, outcome: Result<Box<Outcome>, String>) {
    model.usage.redeeming = false;
    if let Ok(outcome) = &outcome {
        model.usage.pending = pending_after(outcome, model.usage.pending);
    }
    // What was said about scarce windows may be true no more.
    model.usage.hush();
    let shown = with_flow(model, |flow, view| {
        let redeeming = flow.is_redeeming();
        if redeeming {
            flow.ended(outcome.as_deref().map_err(String::as_str), view);
        }
        redeeming
    });
    if shown != Some(true)
        && let Ok(outcome) = outcome
    {
        let words = ended_words(&outcome, &model.usage_view());
        model.transcript.notice(Level::Info, &words);
    }
}

/// What is not over after an end, when it was `before`.
fn pending_after(outcome: &Outcome, before: Option<Pending>) -> Option<Pending> {
    match outcome {
        Outcome::Settled { receipt, .. } if receipt.verdict.is_spent() && receipt.seen_at.is_none() => {
            Some(Pending::Unseen(receipt.answered_at))
        }
        Outcome::Unknown(intent, _) => Some(Pending::Unfinished(intent.made_at)),
        Outcome::Settled { .. } => None,
        _ => before,
    }
}

/// Does something with the open redemption.
fn with_flow<T>(model: &mut Model, act: impl FnOnce(&mut Flow, &View<'_>) -> T) -> Option<T> {
    let mut popup = model.popup.take();
    let done = match &mut popup {
        Some(Popup::Usage(usage)) => usage.flow().map(|flow| act(flow, &model.usage_view())),
        _ => None,
    };
    model.popup = popup;
    done
}
