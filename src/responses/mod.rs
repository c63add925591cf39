//! The model API: a request goes out, a stream of events comes back.
//!
//! - [`provider`]: where requests go and how patient we are, as resolved from the configuration
//! - [`items`]: entries of the history that we write ourselves
//! - [`request`]: history, tools and settings → body
//! - [`headers`]: what we tell about thread and turn beside the body
//! - [`wire`]: the JSON shapes of this API, nowhere else
//! - [`event`]: what a stream tells
//! - [`decode`]: frame → event
//! - [`stream`]: the attempts of one request, as one pull-based stream of events
//! - [`open`]: one attempt up to the answer's headers
//! - [`client`]: one per thread; starts streams
//! - [`limit_headers`]: answer headers and limit events → limits snapshots
//! - [`errors`]: status, body and stream trouble → what happened and whether to try again
//! - [`usage_limit`]: what to say when the limit of the plan is reached
//! - `testing`: a server that does exactly what a test says (tests only)

pub(crate) mod client;
pub(crate) mod decode;
pub(crate) mod errors;
pub(crate) mod event;
pub(crate) mod headers;
pub(crate) mod items;
pub(crate) mod limit_headers;
pub(crate) mod open;
pub(crate) mod provider;
pub(crate) mod request;
pub(crate) mod stream;
#[cfg(test)]
mod testing;
pub(crate) mod usage_limit;
pub(crate) mod wire;

pub(crate) use client::{Client, TurnState};
pub(crate) use event::{Output, OutputItem, ResponseEvent};
pub(crate) use provider::ProviderSettings;
pub(crate) use request::{Reasoning, Request};
pub(crate) use stream::ResponseStream;
