//! The terminal app: a front end over `Op` and `Event`. `update` is pure, `view` only reads, effects are data.
//!
//! - [`app`]: the loop
//! - [`composer`]: the prompt
//! - [`door`]: what the app asks of the program around it
//! - [`effect`]: what the update asks for
//! - [`farewell`]: what stays in the shell
//! - [`glance`]: what can be gone on with, while nothing was said
//! - [`keymap`]: key → action, and the help sheet; [`keys`] one key press
//! - [`linear`]: plain lines, for screen readers and bare terminals; [`linear_questions`] before there is a thread; [`linear_commands`] its slash commands
//! - [`model`]: all state of the screen
//! - [`moment`]: moments in words
//! - [`msg`]: all that can happen
//! - [`narrator`]: the thread in plain lines; [`narrator_words`] its words
//! - [`onboarding`]: pages before the first prompt
//! - [`pager`]: a full page to read
//! - [`palette`]: the colours behind the roles, and colours brought down to what a terminal has
//! - [`popups`]: what stands in the prompt's place for a while
//! - [`runner`]: carries out effects
//! - [`scrollback`]: the mode in which the terminal scrolls
//! - [`setup`]: what the app starts with
//! - [`signals`]: signals as messages
//! - [`slash`]: the slash commands
//! - [`status`]: where things stand
//! - [`terminal`]: what comes from the terminal and goes to it
//! - [`text`]: text → lines: sanitising, wrapping, Markdown, highlighting, diffs
//! - [`theme`]: roles → styles, for every kind of terminal
//! - [`transcript`]: what happened, as cells
//! - [`trap`]: faults on purpose (builds for developers only)
//! - [`update`]: messages → state and effects
//! - [`usage`]: the limits of the account: `/usage`, redeeming, waiting
//! - [`view`]: the state → one screen
//! - [`window`]: when a frame is due, and how it gets onto the terminal
//! - [`pictures`]: the pictures of the README (tests only); [`svg`] draws them
//! - [`scene`]: the app played by hand (tests only); [`testing`] screens as snapshots (tests only)

pub(crate) mod app;
pub(crate) mod composer;
pub(crate) mod door;
mod effect;
mod farewell;
mod glance;
pub(crate) mod keymap;
pub(crate) mod keys;
mod linear;
mod linear_commands;
mod linear_questions;
mod model;
mod moment;
mod msg;
mod narrator;
mod narrator_words;
pub(crate) mod onboarding;
mod pager;
mod palette;
#[cfg(test)]
mod pictures;
pub(crate) mod popups;
mod runner;
#[cfg(test)]
mod scene;
mod scrollback;
pub(crate) mod setup;
mod signals;
pub(crate) mod slash;
pub(crate) mod status;
#[cfg(test)]
mod svg;
pub(crate) mod terminal;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
pub(crate) mod theme;
pub(crate) mod transcript;
#[cfg(debug_assertions)]
mod trap;
mod update;
pub(crate) mod usage;
mod view;
mod window;
