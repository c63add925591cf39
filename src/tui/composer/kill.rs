//! The kill ring: what `ctrl-k`, `ctrl-u`, `ctrl-w` and their like cut, for `ctrl-y` to bring back. Cuts in a row
//! are one entry, in reading order.

use std::collections::VecDeque;

const ENTRIES: usize = 16;

/// Cut texts, newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct KillRing {
    entries: VecDeque<String>,
    growing: bool,
}

impl KillRing {
    /// Takes in a cut; `forward` when it stood after the cursor.
    pub(crate) fn cut(&mut self, text: &str, forward: bool) {
        if text.is_empty() {
            return;
        }
        match self.entries.front_mut().filter(|_| self.growing) {
            Some(entry) if forward => entry.push_str(text),
            Some(entry) => entry.insert_str(0, text),
            None => {
                self.entries.push_front(text.to_owned());
                self.entries.truncate(ENTRIES);
            }
        }
        self.growing = true;
    }

    /// Anything but a cut happened: the following cut is an entry of its own.
    pub(crate) fn rest(&mut self) {
        self.growing = false;
    }

    /// The newest cut.
    pub(crate) fn newest(&self) -> Option<&str> {
        self.entries.front().map(String::as_str)
    }

    /// Makes the second newest cut the newest, for `alt-y`.
    pub(crate) fn rotate(&mut self) -> Option<&str> {
        self.entries.rotate_left(usize::from(self.entries.len() > 1));
        self.newest()
    }

    /// Rewrites every entry, for when its tokens lose their meaning.
    pub(crate) fn map(&mut self, f: impl Fn(&str) -> String) {
        for entry in &mut self.entries {
            *entry = f(entry);
        }
        self.entries.retain(|e| !e.is_empty());
    }
}
