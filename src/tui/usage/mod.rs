//! `/usage` and what else the app does with the limits of the account: looking, redeeming, waiting. Drawn from the
//! one value that all processes share; nothing here asks a service or reads a clock.
//!
//! - [`traffic`]: what is asked, and what comes back
//! - [`standing`]: what the app itself knows besides the numbers
//! - [`look`]: what pages are drawn from
//! - [`windows`]: a bar for every window
//! - [`credits`]: plan, bought credits, spend control, reset credits
//! - [`forecast`]: what to expect and what to do
//! - [`menu`]: the page that `/usage` opens
//! - [`redeem`]: the way of one redemption
//! - [`redeem_page`]: the pages of a redemption, drawn
//! - [`redeem_spoken`]: its pages as lines, where there is no screen
//! - [`redeem_lines`]: the same way in plain lines
//! - [`ending`]: how a redemption ended, in words
//! - [`activity`]: tokens per day, week, in all
//! - [`reached`]: what to do when a limit or a budget is used up
//! - [`notice`]: the rows above the prompt
//! - [`box_tests`]: the box of a redemption over whole screens (tests only)
//! - [`samples`]: accounts, plans and endings for tests (tests only)

mod activity;
mod credits;
mod ending;
mod forecast;
pub(crate) mod look;
pub(crate) mod menu;
pub(crate) mod notice;
pub(crate) mod reached;
pub(crate) mod redeem;
pub(crate) mod redeem_lines;
mod redeem_page;
mod redeem_spoken;
mod standing;
mod traffic;
pub(crate) mod windows;

#[cfg(test)]
mod box_tests;
#[cfg(test)]
pub(crate) mod samples;

pub(crate) use credits::plan_name;
pub(crate) use ending::words as ended_words;
pub(crate) use standing::{Hint, Kept, Offered, Parked, Standing};
pub(crate) use traffic::{Ask, News};
