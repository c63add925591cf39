//! The attempts of one request as one stream of events, pulled by its reader: no task, no channel, nothing runs
//! while nobody waits. The stream ends with exactly one end event, or with none after it was cancelled.
//!
//! [`ResponseStream::next`] may be dropped while it waits and called again: every wait lives in the state, not
//! in the call. So a reader can listen to something else at the same time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::client::{Job, Shared};
use super::decode::{Decoded, decode};
use super::errors::{Failure, Then};
use super::event::ResponseEvent;
use super::open::{Opened, Refused, Repeat, open};
use crate::base::secret::Secret;
use crate::base::tasks::CancellationToken;
use crate::net::retry::{Jitter, LONGEST, backoff};
use crate::net::sse::SseParser;
use crate::protocol::error::{ErrorInfo, ErrorKind};

/// While there is no connection, tries come at most this far apart.
const NETWORK_PAUSE: Duration = Duration::from_secs(5);

/// A line that is still arriving gets one second for each of these many bytes, beyond the idle time: a slow line
/// of megabytes is alive, a byte now and then is not.
const SLOWEST_BYTES_PER_S: u64 = 16 << 10;

/// Comments keep a stream alive while the model thinks, but not for ever: without an event for this many idle
/// times it counts as stalled.
const IDLE_TIMES_OF_COMMENTS: u32 = 4;

/// The largest answer accepted, in bytes: ten times what the longest one takes, and still no danger to memory.
const MAX_ANSWER_BYTES: u64 = 256 << 20;

/// One request and its retries.
pub(crate) struct ResponseStream {
    shared: Arc<Shared>,
    job: Arc<Job>,
    cancel: CancellationToken,
    state: State,
    queue: VecDeque<ResponseEvent>,
    jitter: Jitter,
    retries: u32,
    outage: Option<Outage>,
}

enum State {
    Opening(BoxFuture<'static, Result<Opened, Refused>>, mpsc::Receiver<Repeat>),
    Reading(Box<Reading>),
    Waiting(Instant),
    Done,
}

/// A series of failed connections.
struct Outage {
    since: Instant,
    tries: u32,
}

/// An answer that is being read.
struct Reading {
    response: reqwest::Response,
    parser: SseParser,
    bearer: Option<Secret>,
    /// In whose name it was asked.
    account_id: Option<String>,
    idle: Duration,
    /// When the last complete line came.
    alive_at: Instant,
    lines: u64,
    /// When the last event came.
    event_at: Instant,
    /// Of the body, so far.
    bytes: u64,
}

/// What came of waiting.
enum Step {
    Opened(Result<Opened, Refused>),
    Repeats(Repeat),
    Read(Result<(), Failure>),
    Waited,
    Cancelled,
}

impl ResponseStream {
    pub(super) fn new(shared: Arc<Shared>, job: Arc<Job>, cancel: CancellationToken) -> Self {
        let mut stream = Self {
            shared,
            job,
            cancel,
            state: State::Done,
            queue: VecDeque::new(),
            jitter: Jitter::random(),
            retries: 0,
            outage: None,
        };
        stream.open();
        stream
    }

    /// The next event; `None` after the end event and after cancellation.
    pub(crate) async fn next(&mut self) -> Option<ResponseEvent> {
        loop {
            self.take_buffered();
            if let Some(event) = self.queue.pop_front() {
                if event.is_end() {
                    self.queue.clear();
                    self.finish();
                }
                return Some(event);
            }
            if matches!(self.state, State::Done) {
                return None;
            }
            match self.wait().await {
                Step::Opened(Ok(opened)) => self.read(opened),
                Step::Opened(Err(refused)) => {
                    self.queue.extend(refused.events);
                    self.fail(refused.failure);
                }
                Step::Repeats((delay, error)) => self.tell_repeat(delay, error),
                Step::Read(Ok(())) => {}
                Step::Read(Err(failure)) => self.fail(failure),
                Step::Waited => self.open(),
                Step::Cancelled => self.state = State::Done,
            }
        }
    }

    async fn wait(&mut self) -> Step {
        let work = async {
            match &mut self.state {
                State::Opening(opening, repeats) => tokio::select! {
                    biased;
                    Some(repeat) = repeats.recv() => Step::Repeats(repeat),
                    opened = opening => Step::Opened(opened),
                },
                State::Reading(reading) => Step::Read(reading.more().await),
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    Step::Waited
                }
                State::Done => Step::Cancelled,
            }
        };
        tokio::select! {
            biased; // an interrupt beats whatever arrives with it
            () = self.cancel.cancelled() => Step::Cancelled,
            step = work => step,
        }
    }

    fn open(&mut self) {
        let (tell, repeats) = mpsc::channel(1);
        self.state = State::Opening(open(self.shared.clone(), self.job.clone(), tell).boxed(), repeats);
    }

    /// Repetitions of the request count for the attempt that comes after them.
    fn tell_repeat(&mut self, delay: Duration, error: ErrorInfo) {
        let max = self.shared.provider.stream_max_retries.max(1);
        let attempt = self.retries.saturating_add(1).min(max);
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.queue.push_back(ResponseEvent::Retrying { attempt, max, delay_ms, error });
    }

    fn read(&mut self, opened: Opened) {
        self.outage = None;
        self.queue.extend(opened.events);
        self.state = State::Reading(Box::new(Reading {
            response: opened.response,
            parser: SseParser::default(),
            bearer: opened.bearer,
            account_id: opened.account_id,
            idle: Duration::from_millis(self.shared.provider.stream_idle_timeout_ms),
            alive_at: Instant::now(),
            lines: 0,
            event_at: Instant::now(),
            bytes: 0,
        }));
    }

    /// Decodes the next useful frame of what has arrived.
    fn take_buffered(&mut self) {
        let State::Reading(reading) = &mut self.state else { return };
        if !self.queue.is_empty() {
            return;
        }
        let failure = loop {
            let decoded = match reading.parser.next_frame() {
                Ok(Some(frame)) => {
                    reading.event_at = Instant::now();
                    decode(&frame)
                }
                Ok(None) => return,
                Err(error) => {
                    let message = format!("The answer is not usable: {error}.");
                    break Failure::new(ErrorKind::Server, message, Then::Stop);
                }
            };
            match decoded {
                Decoded::Event(ResponseEvent::Limits(mut limits)) => {
                    limits.account_id.clone_from(&reading.account_id);
                    return self.queue.push_back(ResponseEvent::Limits(limits));
                }
                Decoded::Event(event) => return self.queue.push_back(event),
                Decoded::Failure(failure) => break *failure,
                Decoded::Skip => {}
            }
        };
        let bearer = reading.bearer.take();
        let info = failure.info;
        let message = self.shared.without_secrets(info.message, bearer.as_ref());
        self.fail(Failure { info: ErrorInfo { message, ..info }, then: failure.then });
    }

    /// Ends the stream, or plans the next attempt.
    fn fail(&mut self, failure: Failure) {
        let planned = match failure.then {
            Then::Stop | Then::Recover => None,
            Then::RepeatRequest => self.plan_retry(None),
            Then::RepeatStream(after) => self.plan_retry(after),
            Then::AwaitNetwork => self.plan_reconnect(),
        };
        let Some((attempt, max, delay)) = planned else {
            let mut info = failure.info;
            let tries = match failure.then {
                Then::Stop | Then::Recover => 0,
                Then::AwaitNetwork => self.outage.as_ref().map_or(0, |outage| outage.tries),
                Then::RepeatRequest | Then::RepeatStream(_) => self.retries.saturating_add(1),
            };
            if tries > 1 {
                if !info.message.ends_with(['.', '!', '?']) {
                    info.message.push('.');
                }
                info.message.push_str(&format!(" Gave up after {tries} attempts."));
            }
            self.queue.push_back(ResponseEvent::Failed(info));
            self.state = State::Done;
            return;
        };
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.queue.push_back(ResponseEvent::Retrying { attempt, max, delay_ms, error: failure.info });
        self.state = State::Waiting(Instant::now() + delay);
    }

    fn plan_retry(&mut self, after: Option<Duration>) -> Option<(u32, u32, Duration)> {
        let max = self.shared.provider.stream_max_retries;
        if self.retries >= max {
            return None;
        }
        self.retries += 1;
        let delay = after.unwrap_or_else(|| backoff(self.retries, LONGEST, &mut self.jitter));
        Some((self.retries, max, delay))
    }

    fn plan_reconnect(&mut self) -> Option<(u32, u32, Duration)> {
        let outage = self.outage.get_or_insert(Outage { since: Instant::now(), tries: 0 });
        outage.tries = outage.tries.saturating_add(1);
        let delay = backoff(outage.tries, NETWORK_PAUSE, &mut self.jitter);
        let budget = self.shared.provider.connect_budget_ms.map(Duration::from_millis);
        if self.shared.provider.stream_max_retries == 0 {
            return None;
        }
        let in_time = budget.is_none_or(|budget| outage.since.elapsed() + delay <= budget);
        in_time.then_some((outage.tries, 0, delay))
    }

    /// After the end event. Asks once for the rest of the body, without waiting for it: a connection whose
    /// answer was read to its end can serve the next request.
    fn finish(&mut self) {
        if let State::Reading(mut reading) = std::mem::replace(&mut self.state, State::Done)
            && reading.response.chunk().now_or_never().is_none()
        {
            self.shared.keep_tail(Some(reading.response));
        }
    }
}

impl Reading {
    /// Waits for more bytes.
    async fn more(&mut self) -> Result<(), Failure> {
        if self.parser.lines() != self.lines {
            self.lines = self.parser.lines();
            self.alive_at = Instant::now();
        }
        let extra = self.parser.pending_bytes() as u64 / SLOWEST_BYTES_PER_S;
        let extra = Duration::from_secs(extra);
        let silent_at = self.alive_at + self.idle;
        let deadline = silent_at.min(self.event_at + self.idle * IDLE_TIMES_OF_COMMENTS) + extra;
        let cut =
            |message: String| Err(Failure::new(ErrorKind::StreamCut, message, Then::RepeatStream(None)));
        match timeout_at(deadline, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.bytes = self.bytes.saturating_add(bytes.len() as u64);
                if self.bytes > MAX_ANSWER_BYTES {
                    let message = format!(
                        "The answer is not usable: it is larger than {} MiB.",
                        MAX_ANSWER_BYTES >> 20
                    );
                    return Err(Failure::new(ErrorKind::Server, message, Then::Stop));
                }
                self.parser.push(&bytes);
                Ok(())
            }
            Ok(Ok(None)) => cut("The answer broke off before it was complete.".to_owned()),
            Ok(Err(error)) => {
                let reason =
                    crate::base::clean::line(&crate::net::http::with_causes(&error.without_url()), 200);
                cut(format!("The answer broke off before it was complete: {reason}."))
            }
            Err(_) => {
                let (what, time) = if deadline < silent_at {
                    ("no event", self.idle * IDLE_TIMES_OF_COMMENTS)
                } else {
                    ("nothing", self.idle)
                };
                cut(format!("The answer stalled: {what} came for {} s.", time.as_secs_f64()))
            }
        }
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
