//! The scripted backend: a model service on loopback that plays scenarios, and fails on purpose when asked to.
//!
//! It shares no code with the client but the HTTP library, so that a fault of the client cannot hide in here.
//! Only `cli` and the tests use it.
//!
//! - [`script`]: a scenario: what is asked, what is answered, what must be true afterwards; errors with file and line
//! - [`script_file`]: the TOML form of a scenario
//! - [`fault_file`]: the TOML form of a fault
//! - [`values`]: values in scenarios that can be written in more than one way
//! - [`rule`]: one rule of a scenario: when to answer, and what
//! - [`rules`]: which rule answers a request
//! - [`template`]: `{{last_output}}`, `{{cwd}}` and the like inside answers
//! - [`request`]: what the client sent, as the rules see it
//! - [`validate`]: what a request must look like; every breach is a 400 and is counted
//! - [`prefix`]: whether a request repeats its forerunner byte for byte
//! - [`answer`]: outputs of a rule as the events of one response
//! - [`sse`]: events as bytes, cut into pieces of odd sizes
//! - [`play`]: bytes, waits, stalls and cuts as an HTTP body
//! - [`activity`]: the token activity of the scripted account
//! - [`faults`]: what can go wrong on purpose
//! - [`early`]: faults where an answer is small: what comes in its place
//! - [`state`]: counters, recorded requests, pending faults
//! - [`server`]: the listener and its routes
//! - [`responses`]: the model route: validate, choose a rule, answer
//! - [`account_file`]: what is set of the scripted account, as it is written down
//! - [`account_state`]: the scripted account: windows, reset credits, what was redeemed
//! - [`reset_credits`]: the account routes: usage, reset credits, redemption, activity, asking for more
//! - [`oauth`]: the sign-in service: its routes, codes, counters
//! - [`oauth_settings`]: how the sign-in service behaves
//! - [`tokens`]: the tokens that the sign-in service gave
//! - [`devices`]: codes for other devices
//! - [`control`]: the routes by which tests script the backend and look into it
//! - [`setting`]: a temporary project and home for a scenario
//! - [`scenarios`]: the scenarios that are built in
//! - [`client`]: runs the real client in a setting
//! - [`show`]: plays scenarios for a person
//! - [`check`]: plays scenarios and verifies everything that can be verified
//! - [`check_events`]: the JSON lines of the client
//! - [`check_files`]: the files it left
//! - [`check_rollout`]: the thread it stored
//! - [`error`]: what can go wrong by accident

mod account_file;
pub(crate) mod account_state;
pub(crate) mod activity;
pub(crate) mod answer;
pub(crate) mod check;
pub(crate) mod check_events;
pub(crate) mod check_files;
pub(crate) mod check_rollout;
pub(crate) mod client;
pub(crate) mod control;
mod devices;
mod early;
pub(crate) mod error;
mod fault_file;
pub(crate) mod faults;
pub(crate) mod oauth;
mod oauth_settings;
pub(crate) mod play;
pub(crate) mod prefix;
pub(crate) mod request;
pub(crate) mod reset_credits;
pub(crate) mod responses;
pub(crate) mod rule;
pub(crate) mod rules;
pub(crate) mod scenarios;
pub(crate) mod script;
pub(crate) mod script_file;
pub(crate) mod server;
pub(crate) mod setting;
pub(crate) mod show;
pub(crate) mod sse;
pub(crate) mod state;
pub(crate) mod template;
mod tokens;
pub(crate) mod validate;
mod values;
