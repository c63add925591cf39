//! One answer of the model: its stream is told as it comes, and kept when the service has said that it is complete,
//! never half. What was seen of an answer that will not be repeated is kept as well.

use super::calls;
use super::ingest::{Ingest, Step};
use super::turn::{Stop, Turn};
use crate::protocol::event::Event;
use crate::protocol::limits::LimitsSnapshot;
use crate::responses::{ResponseEvent, ResponseStream};

impl Turn<'_> {
    /// One answer of the model, with all the retries it takes. An answer that is not `visible` (the note of a
    /// compaction) is not shown while it is written, and never stored.
    ///
    /// # Errors
    /// The turn ends without an answer: interrupted, or every attempt failed.
    pub(crate) async fn sample(&mut self, mut stream: ResponseStream, visible: bool) -> Result<Ingest, Stop> {
        let mut ingest = Ingest::default();
        loop {
            let event = tokio::select! {
                biased; // ops first: an interrupt must not wait behind a flood of deltas
                op = self.ops.recv() => {
                    self.on_op(op);
                    if self.cancel.is_cancelled() {
                        self.salvage(ingest, visible).await;
                        return Err(Stop::Interrupted);
                    }
                    continue;
                }
                Some(event) = self.thread.tool_events.recv() => {
                    self.thread.on_tool_event(event).await;
                    continue;
                }
                event = stream.next() => match event {
                    Some(event) => event,
                    // Only a cancelled stream ends without an end event.
                    None => {
                        self.salvage(ingest, visible).await;
                        return Err(Stop::Interrupted);
                    }
                },
                () = self.thread.readers.flush(), if self.thread.readers.holding() => continue,
            };
            if let ResponseEvent::Model(name) = &event {
                self.answered_by(name).await;
            }
            match ingest.on(event, &mut self.thread.seen_ids) {
                Step::Tell(events) => {
                    for event in events.into_iter().filter(|e| visible || !is_item(e)) {
                        if let Event::Limits(limits) = &event {
                            self.limits_told(limits).await;
                        }
                        self.thread.readers.tell(event).await;
                    }
                }
                Step::Complete(usage) => {
                    if let Some(usage) = usage {
                        self.count(usage).await;
                    }
                    return Ok(ingest);
                }
                Step::Failed { error, usage } => {
                    if let Some(usage) = usage {
                        self.count(usage).await;
                    }
                    if visible && self.can_help(&error) {
                        // It will be sent again: what was written so far comes anew.
                        for event in ingest.drop_attempt() {
                            self.thread.readers.tell(event).await;
                        }
                    } else {
                        self.salvage(ingest, visible).await;
                    }
                    return Err(Stop::Failed(error));
                }
            }
        }
    }

    /// The service may answer with another model than the one that was asked; that is said once for each.
    async fn answered_by(&mut self, name: &str) {
        let asked = &self.thread.settings.model;
        if is_model(name, asked) || self.thread.answered_by.as_deref() == Some(name) {
            return;
        }
        let message = format!("The service answers with {name} instead of {asked}.");
        self.thread.answered_by = Some(name.to_owned());
        self.thread.readers.tell(Event::Warning { message }).await;
    }

    /// Limits go into the cache that all processes share; those of the main family also into the rollout.
    async fn limits_told(&mut self, limits: &LimitsSnapshot) {
        if limits.limit_id.as_deref().is_none_or(|id| id == "codex") {
            self.thread.limits = Some(limits.clone());
        }
        if let Some(cache) = &self.thread.services.limits {
            cache.record(vec![limits.clone()]).await;
            if let Some(priced) = self.thread.ledger.told(&self.thread.services) {
                self.thread.priced(priced).await;
            }
        }
    }

    /// Keeps the text of an attempt that will not be repeated: the user saw it.
    async fn salvage(&mut self, ingest: Ingest, visible: bool) {
        if !visible {
            return;
        }
        let (kept, dropped) = ingest.salvage();
        for event in dropped {
            self.thread.readers.tell(event).await;
        }
        for (message, item) in kept {
            self.thread.remember(message);
            self.thread.complete(item).await;
        }
    }

    /// Stores what a complete attempt brought; returns the calls to carry out.
    pub(super) async fn commit(&mut self, ingest: Ingest) -> Result<Vec<calls::Pending>, Stop> {
        let mut pending = Vec::new();
        let (done, dropped) = ingest.into_done();
        for event in dropped {
            self.thread.readers.tell(event).await;
        }
        for done in done {
            if let Some(text) = done.answer() {
                self.last_message = Some(text.to_owned());
            }
            self.thread.remember(done.model_item);
            if let Some(item) = done.item {
                self.thread.complete(item).await;
            }
            pending.extend(done.call);
        }
        self.thread.writable()?;
        Ok(pending)
    }
}

/// Whether the name of the model that answers means the one that was asked: itself, or a dated version of it.
fn is_model(name: &str, asked: &str) -> bool {
    let (name, asked) = (name.to_ascii_lowercase(), asked.to_ascii_lowercase());
    let date = name.strip_prefix(asked.as_str()).map(|rest| rest.trim_start_matches(['-', '@']));
    date.is_some_and(|date| date.chars().all(|c| c.is_ascii_digit() || c == '-'))
}

/// Whether an event shows an item.
fn is_item(event: &Event) -> bool {
    matches!(event, Event::ItemStarted { .. } | Event::ItemDelta { .. } | Event::ItemDropped { .. })
}

#[cfg(test)]
mod tests {
    use super::is_model;

    #[test]
    fn a_dated_version_is_the_same_model() {
        for (name, asked, same) in [
            ("gpt-5.5", "gpt-5.5", true),
            ("GPT-5.5", "gpt-5.5", true),
            ("gpt-5.5-2026-04-01", "gpt-5.5", true),
            ("gpt-5.5-mini", "gpt-5.5", false),
            ("gpt-5.2", "gpt-5.5", false),
            ("gpt-5", "gpt-5.5", false),
        ] {
            assert_eq!(is_model(name, asked), same, "{name} for {asked}");
        }
    }
}
