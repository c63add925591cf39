//! What the app asks about limits and what comes back. Numbers in front of answers are those of the question: an
//! answer to a page that is gone is dropped.

use std::time::Duration;

use crate::backend::nudge::{More, Nudged};
use crate::limits::activity::Activity;
use crate::limits::advice::Pending;
use crate::limits::alarms::Alarm;
use crate::limits::redeemer::{Plan, Wish};
use crate::limits::redemption::{Outcome, Step};
use crate::protocol::error::ErrorInfo;

/// A question.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Read anew when the numbers are older than this.
    Refresh(Duration),
    /// What the user has to be told.
    Alarms,
    /// Token activity.
    Activity(u64),
    /// What a wish to redeem comes to.
    Plan(u64, Wish),
    /// Redeem.
    Redeem(Box<Plan>, Wish),
    /// Ask the owner of the workspace for more.
    Nudge(More),
    /// Finish what an earlier run left unfinished.
    Finish,
}

/// An answer.
#[derive(Debug)]
pub(crate) enum News {
    /// The numbers were read, and what is written down of a redemption that is not over; or why not.
    Refreshed(Result<Option<Pending>, ErrorInfo>),
    /// To be told now.
    Alarms(Vec<Alarm>),
    /// Token activity.
    Activity(u64, Result<Box<Activity>, ErrorInfo>),
    /// What a wish comes to.
    Planned(u64, Result<Box<Plan>, ErrorInfo>),
    /// A step of the redemption under way.
    Step(Step),
    /// Its end; the error means that nobody knows it.
    Redeemed(Result<Box<Outcome>, ErrorInfo>),
    /// The owner was asked for more, or not.
    Nudged(Result<Nudged, ErrorInfo>),
    /// What was left unfinished is finished; nothing when there was nothing.
    Finished(Result<Option<Box<Outcome>>, ErrorInfo>),
}
