//! Faults on the routes with small answers, where there is no stream to break: what happens in place of the answer.

use hyper::{Response, StatusCode};

use super::faults::Fault;
use super::play::{Body, Cut};
use super::server::{add_header, text};

/// What comes in place of the answer; `None`: the answer comes after all, late perhaps. A fault that only makes
/// sense in a stream cuts the connection.
pub(super) async fn instead(fault: Option<Fault>) -> Option<Result<Response<Body>, Cut>> {
    match fault? {
        Fault::Status(refusal) => {
            let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = text(status, refusal.content_type, refusal.body);
            for (name, value) in &refusal.headers {
                add_header(response.headers_mut(), name, value);
            }
            Some(Ok(response))
        }
        Fault::Stall { time: Some(time), .. } => {
            tokio::time::sleep(time).await;
            None
        }
        Fault::Stall { time: None, .. } => std::future::pending().await,
        Fault::Garbage => Some(Ok(text(StatusCode::OK, "text/html", "<html><title>Welcome</title></html>"))),
        _ => Some(Err(Cut)),
    }
}
