//! The contract: plain data, no IO, no tokio. A front end needs nothing but these types and the door.
//!
//! - [`op`]: everything a front end can ask of a thread
//! - [`event`]: everything a thread tells
//! - [`item`]: one visible thing of a thread, the same for screen, rollout and JSON-RPC
//! - [`model_item`]: one entry of what the model sees, kept as the JSON it travels as
//! - [`turn`]: turn status and per-turn settings
//! - [`thread`]: where a thread comes from
//! - [`ask`]: questions to the user and their answers
//! - [`policy`]: approval, sandbox and child-environment policies
//! - [`input`]: what the user hands in
//! - [`tokens`]: token usage
//! - [`network`]: what commands reached through their chosen ways
//! - [`note`]: a line of a front end, kept with the thread
//! - [`limits`]: rate-limit windows and credits
//! - [`review`]: what is reviewed, and what was found
//! - [`error`]: the only error a front end shows

pub(crate) mod ask;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod input;
pub(crate) mod item;
pub(crate) mod limits;
pub(crate) mod model_item;
pub(crate) mod network;
pub(crate) mod note;
pub(crate) mod op;
pub(crate) mod policy;
pub(crate) mod review;
pub(crate) mod thread;
pub(crate) mod tokens;
pub(crate) mod turn;
