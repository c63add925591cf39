//! What the program itself says in the transcript. A note is kept with the thread and is shown again when that is opened
//! again; a remark belongs to this start of the program.

use super::cells::block::Block;
use super::cells::notice::Notice;
use super::list::{Body, Key};
use super::model::Model;
use crate::protocol::note::Note;

impl Model {
    /// Adds a line of the program itself; it is to be kept.
    pub(crate) fn notice(&mut self, notice: Notice) {
        self.keep(notice.note());
        self.remark(notice);
    }

    /// Adds a line of the program itself that belongs to this start of it, not to the thread.
    pub(crate) fn remark(&mut self, notice: Notice) {
        self.cells.push(Body::Notice(Box::new(notice)));
    }

    /// Adds a block; it is to be kept.
    pub(crate) fn push(&mut self, block: Block) -> Key {
        self.keep(block.note());
        self.cells.push(Body::Block(Box::new(block)))
    }

    /// Gives a block newer rows; it is to be kept anew when they differ.
    pub(crate) fn replace(&mut self, key: Key, rows: Vec<(String, String)>) {
        if let Some(slot) = self.cells.get_mut(key)
            && let Body::Block(block) = &mut slot.body
            && block.set(rows)
        {
            slot.revision += 1;
            let note = block.note();
            self.keep(note);
        }
    }

    /// Shows a note as it was kept.
    pub(super) fn kept(&mut self, note: &Note) {
        self.cells.push(match note.rows.is_empty() {
            true => Body::Notice(Box::new(Notice::kept(note))),
            false => Body::Block(Box::new(Block::kept(note))),
        });
    }

    fn keep(&mut self, note: Note) {
        self.fresh.push(Note { after: self.last.clone(), after_end: self.ended, ..note });
    }

    /// The notes since the last time, to be kept with the thread.
    pub(crate) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.fresh)
    }
}
