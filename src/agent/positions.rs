//! Where items are shown first. A command of the user goes on beside the turns and has its line in the file when it
//! ends; what is told here while it begins says where it was seen. Pure: fed with every event that leaves.

use std::collections::{HashMap, HashSet};

use crate::base::ids::ItemId;
use crate::protocol::event::Event;
use crate::protocol::item::{CommandSource, Item};
use crate::protocol::note::Place;

/// What was told of a thread, as far as positions need it.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    /// The item that was shown last.
    last: Option<ItemId>,
    /// Shown and not complete.
    open: HashSet<ItemId>,
    /// A turn is at it.
    in_turn: bool,
    /// Of the user's commands that run.
    known: HashMap<ItemId, Place>,
}

impl Positions {
    /// Takes an event on its way to the readers.
    pub(crate) fn see(&mut self, event: &Event) {
        match event {
            Event::TurnStarted { .. } => self.in_turn = true,
            Event::TurnCompleted(_) => self.in_turn = false,
            Event::ItemStarted { item } if !self.open.contains(item.id()) => {
                let id = item.id().clone();
                let own = matches!(item, Item::CommandExecution(c) if c.source == CommandSource::UserShell);
                if let Some(after) = self.last.replace(id.clone()).filter(|_| own) {
                    self.known.insert(id.clone(), Place { after, after_end: !self.in_turn });
                }
                self.open.insert(id);
            }
            Event::ItemCompleted { item } => {
                self.known.remove(item.id());
                if !self.open.remove(item.id()) {
                    self.last = Some(item.id().clone());
                }
            }
            Event::ItemDropped { item_id } => drop(self.open.remove(item_id)),
            _ => {}
        }
    }

    /// Where this item is shown, when others were shown since.
    pub(crate) fn of(&self, id: &ItemId) -> Option<&Place> {
        self.known.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::item::{CommandItem, ItemStatus};

    fn item(id: &str) -> Item {
        Item::AgentMessage { id: ItemId::from(id), text: String::new(), phase: None }
    }

    fn own(id: &str) -> Item {
        Item::CommandExecution(CommandItem {
            id: ItemId::from(id),
            command: "ls".to_owned(),
            cwd: "/".into(),
            process_id: None,
            source: CommandSource::UserShell,
            status: ItemStatus::InProgress,
            command_actions: Vec::new(),
            aggregated_output: None,
            exit_code: None,
            duration_ms: None,
        })
    }

    #[test]
    fn a_command_stands_behind_what_was_shown_before_it() {
        let mut positions = Positions::default();
        positions.see(&Event::ItemStarted { item: own("early") });
        assert_eq!(positions.of(&ItemId::from("early")), None, "nothing was shown before");
        positions.see(&Event::TurnStarted { turn_id: crate::base::ids::TurnId::new() });
        positions.see(&Event::ItemStarted { item: item("a") });
        positions.see(&Event::ItemStarted { item: own("x") });
        positions.see(&Event::ItemCompleted { item: item("a") });
        positions.see(&Event::ItemCompleted { item: item("b") });
        let after = |id: &str, after_end| Place { after: ItemId::from(id), after_end };
        assert_eq!(positions.of(&ItemId::from("x")), Some(&after("a", false)));
        positions.see(&Event::ItemStarted { item: own("y") });
        assert_eq!(positions.of(&ItemId::from("y")), Some(&after("b", false)));
        positions.see(&Event::ItemCompleted { item: own("x") });
        assert_eq!(positions.of(&ItemId::from("x")), None, "it is on disk");
    }
}
