//! The part of the terminal app's door that is about the limits of the account. Every question is a task of its own:
//! a slow service holds up nothing else, and a redemption outlives the thread from which it was begun.

use tokio::sync::mpsc;

use super::usage_account::Account;
use crate::backend::{activity, nudge};
use crate::base::tasks::{self, Task};
use crate::limits::intent::Decision;
use crate::limits::redeemer::{Error, Plan, Wish};
use crate::limits::refresh;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::tui::door::{LimitsCall, Redeeming};

/// Finished questions are looked for when there are more than this.
const TASKS: usize = 16;

/// Questions that are being answered.
#[derive(Default)]
pub(super) struct LimitsDesk {
    tasks: Vec<Task<()>>,
}

impl LimitsDesk {
    /// Begins to answer.
    pub(super) fn answer(&mut self, account: Option<&Account>, call: LimitsCall) {
        // Without an account the place for the answer is dropped, and whoever waits is told.
        let Some(account) = account.cloned() else { return refuse(call) };
        if self.tasks.len() >= TASKS {
            self.tasks.retain(|task| !task.is_finished());
        }
        self.tasks.push(tasks::spawn("limits of the account", carry_out(account, call)));
    }
}

fn refuse(call: LimitsCall) {
    let error = || ErrorInfo::new(ErrorKind::Unauthorized, "This needs a ChatGPT sign-in.");
    match call {
        LimitsCall::Refresh(_, reply) => drop(reply.send(Err(error()))),
        LimitsCall::Alarms(reply) => drop(reply.send(Ok(Vec::new()))),
        LimitsCall::Activity(reply) => drop(reply.send(Err(error()))),
        LimitsCall::Plan(_, reply) => drop(reply.send(Err(error()))),
        LimitsCall::Nudge(_, reply) => drop(reply.send(Err(error()))),
        LimitsCall::Finish(reply) => drop(reply.send(Ok(None))),
        LimitsCall::Redeem(..) => {}
    }
}

async fn carry_out(account: Account, call: LimitsCall) {
    match call {
        LimitsCall::Refresh(max_age, reply) => {
            let read = account.cache.refresh(max_age).await;
            let redeemer = account.redeemer.in_force();
            redeemer.notice(&account.cache.get()).await;
            let pending = redeemer.book().await.ok().and_then(|book| book.pending());
            drop(reply.send(read.map(|()| pending).map_err(|error| not_read(&error))));
        }
        LimitsCall::Alarms(reply) => drop(reply.send(Ok(account.cache.alarms().await))),
        LimitsCall::Activity(reply) => {
            let read = activity::read(&account.backend).await;
            drop(reply.send(read.map_err(|error| refused(&error))));
        }
        LimitsCall::Nudge(more, reply) => {
            let id = account.cache.account_id().unwrap_or_default();
            let asked = nudge::nudge(&account.backend, &id, more).await;
            drop(reply.send(asked.map_err(|error| refused(&error))));
        }
        LimitsCall::Plan(wish, reply) => {
            account.cache.follow_sign_in().await;
            let plan = account.redeemer.in_force().prepare(&wish).await.map(Box::new);
            drop(reply.send(plan.map_err(|error| not_judged(&error))));
        }
        LimitsCall::Redeem(plan, wish, told) => redeem(&account, *plan, wish, told).await,
        LimitsCall::Finish(reply) => drop(reply.send(Ok(finish(&account).await))),
    }
}

async fn redeem(account: &Account, plan: Plan, wish: Wish, told: mpsc::Sender<Redeeming>) {
    let damaged = plan.damaged.is_some() && wish.despite_damage;
    let redeemer = account.redeemer.in_force();
    let mut redemption = redeemer.start(plan, wish);
    while let Some(step) = redemption.steps.recv().await {
        // Whoever looks away misses steps, never the end.
        let _ = told.try_send(Redeeming::Step(step));
    }
    let outcome = redemption.outcome().await;
    if damaged {
        let _ = redeemer.damage_told().await;
    }
    let _ = told.send(Redeeming::Ended(Box::new(outcome))).await;
}

/// Finishes what an earlier run, or a process that is gone, left unfinished.
async fn finish(account: &Account) -> Option<Box<crate::limits::redemption::Outcome>> {
    account.cache.follow_sign_in().await;
    let redeemer = account.redeemer.in_force();
    if !redeemer.book().await.is_ok_and(|book| book.intent.is_some()) {
        return None;
    }
    let wish = Wish { at_once: true, ..Wish::default() };
    let plan = redeemer.prepare(&wish).await.ok()?;
    if !matches!(plan.decision, Decision::Finish(_)) {
        return None;
    }
    Some(Box::new(redeemer.start(plan, wish).outcome().await))
}

fn not_read(error: &refresh::Error) -> ErrorInfo {
    let kind = if error.is_sign_in() { ErrorKind::Unauthorized } else { ErrorKind::Connection };
    let info = ErrorInfo::new(kind, error.to_string());
    match error.hint() {
        Some(hint) => info.with_hint(hint),
        None => info,
    }
}

fn refused(error: &crate::backend::Error) -> ErrorInfo {
    let kind = if error.is_sign_in() { ErrorKind::Unauthorized } else { ErrorKind::Connection };
    let info = ErrorInfo::new(kind, error.to_string());
    match error.hint() {
        Some(hint) => info.with_hint(hint),
        None => info,
    }
}

fn not_judged(error: &Error) -> ErrorInfo {
    match error {
        Error::Backend(error) => refused(error),
        Error::Journal(_) => ErrorInfo::new(ErrorKind::Io, error.to_string()),
        Error::Busy => ErrorInfo::new(ErrorKind::Internal, error.to_string()),
    }
}
