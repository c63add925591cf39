//! Steps as an HTTP body. Nothing is spawned: whoever drives the connection drives the body, and a client that
//! goes away takes it along.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

use super::sse::Step;

/// A body of this server.
pub(crate) type Body = UnsyncBoxBody<Bytes, Cut>;

/// The connection is to be dropped. The HTTP library does that when a body or a service fails.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// A body that is there at once.
pub(crate) fn whole(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that does one step after the other.
pub(crate) fn stepwise(steps: Vec<Step>) -> Body {
    let body = stream::unfold(VecDeque::from(steps), |mut steps| async move {
        loop {
            match steps.pop_front()? {
                Step::Send(bytes) => return Some((Ok(Frame::data(bytes)), steps)),
                Step::Wait(time) => tokio::time::sleep(time).await,
                Step::Stall => std::future::pending().await,
                Step::Cut => return Some((Err(Cut), steps)),
                Step::Forever(bytes, pace) => {
                    if !pace.is_zero() {
                        tokio::time::sleep(pace).await;
                    }
                    steps.push_front(Step::Forever(bytes.clone(), pace));
                    return Some((Ok(Frame::data(bytes)), steps));
                }
            }
        }
    });
    StreamBody::new(body).boxed_unsync()
}
