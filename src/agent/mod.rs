//! The core: a thread takes ops and tells events; a turn is request, stream, calls, again.
//!
//! - [`handle`]: the door of a live thread
//! - [`sample`]: one answer of the model, told and kept
//! - [`services`]: what threads work with
//! - [`settings`]: what the turns of a thread are frozen with
//! - [`thread`]: one task per thread; owns its state
//! - [`record`]: what a thread keeps and tells
//! - [`turn`]: one turn from input to answer
//! - [`budget`]: budgets of turns, threads and days
//! - [`ingest`]: stream events → items; pure
//! - [`calls`]: carries out the calls of an answer
//! - [`live_roots`]: the writable paths in force, and what the user opened
//! - [`denied`]: what a command was refused, and what would open it
//! - [`places`]: what the user opens, for how long; may this patch be written
//! - [`permit`]: may this command run
//! - [`consent`]: the question about a command, and what is kept of its answer
//! - [`retry`]: what follows when the sandbox stopped a command
//! - [`toolbox`]: the tools of a thread, joined with its permissions
//! - [`configure`]: new settings for a live thread
//! - [`user_shell`]: the user's own commands
//! - [`request`]: state → request, and the context before it
//! - [`context`]: what the model is told besides the conversation
//! - [`history`]: what the model sees
//! - [`past`]: what a continued thread was before, read when it is needed
//! - [`compact`]: a long conversation → a short one
//! - [`review`]: a reviewer's conversation inside a turn
//! - [`input`]: the user's input → a message
//! - [`readers`]: the channels to the front ends
//! - [`positions`]: where items are shown first
//! - [`asks`]: open questions
//! - [`errors`]: errors of the areas below → the one error that is shown

pub(crate) mod asks;
pub(crate) mod budget;
mod calls;
pub(crate) mod compact;
pub(crate) mod configure;
mod consent;
pub(crate) mod context;
mod denied;
pub(crate) mod errors;
pub(crate) mod handle;
pub(crate) mod history;
pub(crate) mod ingest;
pub(crate) mod input;
pub(crate) mod live_roots;
pub(crate) mod past;
pub(crate) mod permit;
pub(crate) mod places;
mod positions;
pub(crate) mod readers;
mod record;
pub(crate) mod request;
mod retry;
pub(crate) mod review;
mod sample;
pub(crate) mod services;
pub(crate) mod settings;
pub(crate) mod thread;
pub(crate) mod toolbox;
pub(crate) mod turn;
pub(crate) mod user_shell;
