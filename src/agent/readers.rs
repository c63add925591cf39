//! The readers of a thread. Each has its own bounded channel; a reader that falls behind gets merged deltas,
//! and nothing else is ever merged or dropped: when it is full the thread waits for it.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::positions::Positions;
use crate::base::ids::ItemId;
use crate::protocol::event::Event;
use crate::protocol::item::ItemDelta;

/// Events a reader may leave unread before deltas are merged.
pub(crate) const EVENTS: usize = 1024;
/// Merged deltas a reader may leave unread before the thread waits for it, in bytes.
const HELD_MAX: usize = 256 * 1024;
/// What a held delta counts besides its text: deltas of many items do not merge, and some have no text.
const HELD_EACH: usize = std::mem::size_of::<(ItemId, ItemDelta)>();

/// All readers of one thread.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    readers: Vec<Reader>,
    /// Where items were shown.
    pub(crate) positions: Positions,
}

#[derive(Debug)]
struct Reader {
    sender: mpsc::Sender<Event>,
    held: VecDeque<(ItemId, ItemDelta)>,
    held_bytes: usize,
}

impl Readers {
    /// Adds a reader; it sees everything told from now on.
    pub(crate) fn subscribe(&mut self) -> mpsc::Receiver<Event> {
        let (sender, receiver) = mpsc::channel(EVENTS);
        self.readers.push(Reader { sender, held: VecDeque::new(), held_bytes: 0 });
        receiver
    }

    /// Tells every reader. Readers that went away are forgotten.
    pub(crate) async fn tell(&mut self, event: Event) {
        self.positions.see(&event);
        let mut gone = false;
        let last = self.readers.len().saturating_sub(1);
        let mut event = Some(event);
        for (index, reader) in self.readers.iter_mut().enumerate() {
            let copy = if index == last { event.take() } else { event.clone() };
            if let Some(copy) = copy {
                gone |= reader.tell(copy).await.is_err();
            }
        }
        if gone {
            self.readers.retain(|r| !r.sender.is_closed());
        }
    }

    /// Whether some reader still owes itself merged deltas.
    pub(crate) fn holding(&self) -> bool {
        self.readers.iter().any(|r| !r.held.is_empty())
    }

    /// Hands out merged deltas as room comes; readers that went away are forgotten, or they would hold theirs for
    /// ever. Cancel-safe.
    pub(crate) async fn flush(&mut self) {
        for reader in &mut self.readers {
            let _ = reader.flush().await;
        }
        self.readers.retain(|r| !r.sender.is_closed());
    }
}

/// The reader is gone.
struct Gone;

impl Reader {
    async fn tell(&mut self, event: Event) -> Result<(), Gone> {
        let (item_id, delta) = match event {
            Event::ItemDelta { item_id, delta } => (item_id, delta),
            other => {
                self.flush().await?;
                return self.sender.send(other).await.map_err(|_| Gone);
            }
        };
        if self.held.is_empty() {
            match self.sender.try_send(Event::ItemDelta { item_id, delta }) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(Gone),
                Err(mpsc::error::TrySendError::Full(event)) => {
                    if let Event::ItemDelta { item_id, delta } = event {
                        self.hold(item_id, delta);
                    }
                }
            }
        } else {
            self.hold(item_id, delta);
        }
        if self.held_bytes > HELD_MAX { self.flush().await } else { Ok(()) }
    }

    fn hold(&mut self, item_id: ItemId, delta: ItemDelta) {
        self.held_bytes += text_of(&delta).map_or(0, str::len);
        if let Some((id, last)) = self.held.back_mut()
            && *id == item_id
            && merge(last, &delta)
        {
            return;
        }
        self.held_bytes += HELD_EACH;
        self.held.push_back((item_id, delta));
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        while !self.held.is_empty() {
            let permit = self.sender.reserve().await.map_err(|_| Gone)?;
            let Some((item_id, delta)) = self.held.pop_front() else { break };
            let bytes = HELD_EACH + text_of(&delta).map_or(0, str::len);
            self.held_bytes = self.held_bytes.saturating_sub(bytes);
            permit.send(Event::ItemDelta { item_id, delta });
        }
        Ok(())
    }
}

/// Appends `more` to `into` when both are text of the same kind.
fn merge(into: &mut ItemDelta, more: &ItemDelta) -> bool {
    match (into, more) {
        (ItemDelta::Text(a), ItemDelta::Text(b))
        | (ItemDelta::Summary(a), ItemDelta::Summary(b))
        | (ItemDelta::Reasoning(a), ItemDelta::Reasoning(b))
        | (ItemDelta::Output(a), ItemDelta::Output(b)) => {
            a.push_str(b);
            true
        }
        _ => false,
    }
}

fn text_of(delta: &ItemDelta) -> Option<&str> {
    match delta {
        ItemDelta::Text(text)
        | ItemDelta::Summary(text)
        | ItemDelta::Reasoning(text)
        | ItemDelta::Output(text) => Some(text),
        ItemDelta::SummarySection => None,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn text(text: &str) -> Event {
        Event::ItemDelta { item_id: "a".into(), delta: ItemDelta::Text(text.to_owned()) }
    }

    #[tokio::test]
    async fn a_slow_reader_gets_merged_deltas_and_every_other_event() {
        let mut readers = Readers::default();
        let mut receiver = readers.subscribe();
        for _ in 0..EVENTS + 500 {
            readers.tell(text("x")).await;
        }
        assert!(readers.holding());
        let seen = async {
            let (mut letters, mut events, mut warned) = (0, 0, false);
            while let Some(event) = receiver.recv().await {
                events += 1;
                match event {
                    Event::ItemDelta { delta: ItemDelta::Text(t), .. } => letters += t.len(),
                    Event::Warning { .. } => warned = true,
                    _ => {}
                }
            }
            (letters, events, warned)
        };
        let tell = async {
            readers.tell(Event::Warning { message: String::new() }).await;
            drop(readers);
        };
        let ((letters, events, warned), ()) = tokio::join!(seen, tell);
        assert_eq!(letters, EVENTS + 500);
        assert_eq!(events, EVENTS + 2, "the rest is one merged delta and the warning");
        assert!(warned);
    }

    #[tokio::test]
    async fn a_reader_that_left_is_forgotten() {
        let mut readers = Readers::default();
        drop(readers.subscribe());
        readers.tell(Event::Closed).await;
        assert!(readers.readers.is_empty());
    }

    #[tokio::test]
    async fn a_reader_that_left_holds_nothing_back() {
        let mut readers = Readers::default();
        let receiver = readers.subscribe();
        for _ in 0..=EVENTS {
            readers.tell(text("x")).await;
        }
        assert!(readers.holding());
        drop(receiver);
        readers.flush().await;
        assert!(!readers.holding(), "whoever waits for it would flush for ever");
    }

    #[tokio::test]
    async fn deltas_without_text_are_bounded_too() {
        let mut readers = Readers::default();
        let _receiver = readers.subscribe();
        let told = (0..2 * HELD_MAX / HELD_EACH).take_while(|_| {
            let delta = ItemDelta::SummarySection;
            readers.tell(Event::ItemDelta { item_id: "a".into(), delta }).now_or_never().is_some()
        });
        assert!(told.count() < 2 * HELD_MAX / HELD_EACH, "the thread waits in the end");
        assert!(readers.readers[0].held_bytes <= HELD_MAX + HELD_EACH);
    }
}
