//! Open questions. A question is settled exactly once: by an answer, or by the end of its turn.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::base::ids::AskId;
use crate::protocol::ask::Answer;

/// Questions that wait for the user.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    next: u64,
    open: BTreeMap<AskId, oneshot::Sender<Answer>>,
}

impl Asks {
    /// Opens a question; the answer will go to `sender`.
    pub(crate) fn open(&mut self, sender: oneshot::Sender<Answer>) -> AskId {
        self.next += 1;
        let id = AskId(self.next);
        self.open.insert(id, sender);
        id
    }

    /// Settles a question. False when it is not open (answered twice, or its turn is over).
    pub(crate) fn answer(&mut self, id: AskId, answer: Answer) -> bool {
        self.open.remove(&id).is_some_and(|sender| sender.send(answer).is_ok())
    }

    /// Settles everything that is open with "cancel" and tells which questions those were.
    pub(crate) fn cancel_all(&mut self) -> Vec<AskId> {
        std::mem::take(&mut self.open)
            .into_iter()
            .map(|(id, sender)| {
                let _ = sender.send(Answer::Cancel);
                id
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_settled_once() {
        let mut asks = Asks::default();
        let (sender, mut receiver) = oneshot::channel();
        let id = asks.open(sender);
        assert!(asks.answer(id, Answer::Accept));
        assert!(!asks.answer(id, Answer::Decline));
        assert_eq!(receiver.try_recv().unwrap(), Answer::Accept);
    }

    #[test]
    fn the_end_of_a_turn_cancels_what_is_open() {
        let mut asks = Asks::default();
        let (sender, mut receiver) = oneshot::channel();
        let id = asks.open(sender);
        assert_eq!(asks.cancel_all(), vec![id]);
        assert_eq!(receiver.try_recv().unwrap(), Answer::Cancel);
    }
}
