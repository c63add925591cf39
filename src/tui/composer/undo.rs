//! Undo and redo of the editor as whole earlier texts. The text is small by design (long pastes are tokens), so
//! copies are cheaper than an edit log that could go wrong. Characters typed in a row are one step per word.

/// What an edit was, so that edits of one kind in a row become one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A character was typed.
    Type,
    /// A character was deleted.
    Delete,
    /// Anything else: always a step of its own.
    Other,
}

/// A text with its cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The text, tokens included.
    pub(crate) text: String,
    /// Cursor, in bytes.
    pub(crate) cursor: usize,
}

/// Earlier and undone states; bounded by count and bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Undo {
    earlier: Vec<State>,
    undone: Vec<State>,
    last: Option<(Kind, usize)>,
}

const MAX_STEPS: usize = 500;
const MAX_BYTES: usize = 8 << 20;

impl Undo {
    /// Remembers `before` unless the coming edit of `kind` continues the last one (the cursor is where that
    /// left it, and no new word starts).
    pub(crate) fn record(&mut self, before: &State, kind: Kind, starts_word: bool) {
        self.undone.clear();
        let goes_on = self.last == Some((kind, before.cursor)) && kind != Kind::Other && !starts_word;
        if !goes_on {
            self.earlier.push(before.clone());
            self.trim();
        }
        self.last = None;
    }

    /// Tells where the recorded edit left the cursor.
    pub(crate) fn done(&mut self, kind: Kind, cursor: usize) {
        self.last = Some((kind, cursor));
    }

    /// The state before the last step, `now` becoming the one to redo.
    pub(crate) fn undo(&mut self, now: State) -> Option<State> {
        let state = self.earlier.pop()?;
        self.undone.push(now);
        self.last = None;
        Some(state)
    }

    /// The state that was undone last.
    pub(crate) fn redo(&mut self, now: State) -> Option<State> {
        let state = self.undone.pop()?;
        self.earlier.push(now);
        self.last = None;
        Some(state)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn trim(&mut self) {
        let mut bytes: usize = self.earlier.iter().map(|s| s.text.len()).sum();
        let mut drop = self.earlier.len().saturating_sub(MAX_STEPS);
        for state in self.earlier.iter().skip(drop) {
            if bytes <= MAX_BYTES {
                break;
            }
            bytes -= state.text.len();
            drop += 1;
        }
        self.earlier.drain(..drop.min(self.earlier.len().saturating_sub(1)));
    }
}
