//! Messages → state and effects. Pure: no clock, no IO.
//!
//! - [`dispatch`]: message → component, one line per case
//! - [`start`]: from the first frame to the first prompt
//! - [`threads`]: which thread is open, and what is given meanwhile
//! - [`route`]: keys and pastes → whoever is on top
//! - [`chat`]: prompts on their way: sent, queued, interrupted
//! - [`back`]: going back to an earlier prompt, with the files or without
//! - [`commands`]: slash commands → what they do
//! - [`waiting`]: a prompt that waits for a reset
//! - [`wishes`]: wishes of popups → what they do
//! - [`follow`]: events of the thread → the state around the transcript
//! - [`review`]: `/review`, and what is typed while one runs
//! - [`usage`]: limits: what comes, what is wanted, what waits
//! - [`usage_news`]: what came back of questions about limits
//! - [`answers`]: what effects came to → the state

mod answers;
mod back;
mod chat;
mod commands;
mod dispatch;
mod follow;
mod review;
mod route;
mod start;
mod threads;
mod usage;
mod usage_news;
mod waiting;
mod wishes;

pub(super) use dispatch::update;
pub(super) use start::begin;
