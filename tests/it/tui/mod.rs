//! The terminal app in a real pseudo terminal, seen through an emulator.
//!
//! - [`emulator`]: a strict terminal
//! - [`terminal`]: the program in it
//! - [`bed`]: what the tests start from
//! - [`account`]: signing in, and going on as another account
//! - [`children`]: what programs get that the app starts
//! - [`start`]: from launch to the first prompt
//! - [`turn`]: a turn on the screen
//! - [`shell`]: commands of the user
//! - `ask`: questions
//! - [`allow`]: what an answer is good for
//! - [`again`]: threads that are opened again
//! - [`back`]: going back to an earlier prompt
//! - [`around`]: what a start finds: the last thread, another folder, credentials that cannot be read
//! - [`hostile`]: input that wants to do harm
//! - [`leave`]: every way out
//! - [`redeem_ask`]: the question before a reset credit is used
//! - [`redeem_lines`]: the same in plain lines, inside the app
//! - [`review`]: reviews, from the command to the findings
//! - [`reached`]: a limit or a budget that is reached
//! - [`usage`]: limits and redeeming; [`usage_crowd`]: many apps on one home
//! - [`modes`]: terminals that can do less, and the other ways to show

mod account;
mod again;
mod allow;
mod around;
mod ask;
mod back;
pub(crate) mod bed;
mod children;
mod emulator;
mod hostile;
mod leave;
mod modes;
mod reached;
mod redeem_ask;
mod redeem_lines;
mod review;
mod shell;
mod start;
mod terminal;
mod turn;
mod usage;
mod usage_crowd;
