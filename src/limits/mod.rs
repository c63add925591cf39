//! The shared rate-limit cache and all that follows from it: one value per account for every window of every
//! process, what it means, and the use of reset credits.
//!
//! - [`state`]: what is known, each value with its moment and its source
//! - [`merge`]: how readings come together (pure)
//! - [`file`]: one file per account, shared by all processes
//! - [`notice`]: hears that another process has written
//! - [`cache`]: the handle of readers and writers
//! - [`refresh`]: full readings, one per time-to-live for all processes
//! - [`text`]: names of windows, bars, moments: the same words everywhere
//! - [`forecast`]: when a window runs out (pure)
//! - [`advice`]: redeem now, wait or hold (pure)
//! - [`advice_text`]: the same with its sum, in words
//! - [`alarms`]: thresholds and expiries, told once
//! - [`history`]: readings over days
//! - [`activity`]: token activity as rows to look at (pure)
//! - [`budget`]: the price of a turn, and its cap (pure)
//! - [`explain`]: who used the limits (pure)
//! - [`require`]: remainders that must be there
//! - [`report`]: everything for machines, as versioned JSON
//! - [`show`]: everything for people, as plain lines
//! - [`marks`]: windows as a redemption remembers them, and whether they started anew
//! - [`intent`]: what is written down of a redemption, and what that forbids
//! - [`redeem`]: machine of one redemption
//! - [`journal`]: intents and receipts on disk
//! - [`redeemer`]: redeems for one account: what a wish comes to, and the start
//! - [`redemption`]: a redemption under way: carries out what the machine says
//! - [`redeem_words`]: a redemption in words

pub(crate) mod activity;
pub(crate) mod advice;
pub(crate) mod advice_text;
pub(crate) mod alarms;
pub(crate) mod budget;
pub(crate) mod cache;
pub(crate) mod explain;
pub(crate) mod file;
pub(crate) mod forecast;
pub(crate) mod history;
pub(crate) mod intent;
pub(crate) mod journal;
pub(crate) mod marks;
pub(crate) mod merge;
pub(crate) mod notice;
pub(crate) mod redeem;
pub(crate) mod redeem_words;
pub(crate) mod redeemer;
pub(crate) mod redemption;
pub(crate) mod refresh;
pub(crate) mod report;
pub(crate) mod require;
pub(crate) mod show;
pub(crate) mod state;
pub(crate) mod text;

pub(crate) use cache::Cache;
pub(crate) use state::AccountLimits;
