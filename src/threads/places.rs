//! Items among the items of turns that were shown elsewhere: a command of the user has its line when it ends, but was
//! seen where it began. It goes behind the item that was shown before it, on the same side of the turn's end. One whose
//! forerunner is not known stays where its line stands.

use super::turn::Turn;
use crate::base::ids::ItemId;
use crate::protocol::note::Place;

/// Puts these items where they were shown. Those that began first go first: others may stand behind them.
pub(super) fn put(turns: &mut [Turn], mut places: Vec<(ItemId, Place)>) {
    places.sort_by(|a, b| a.0.cmp(&b.0));
    let mut moved: Vec<(ItemId, ItemId)> = Vec::new();
    for (id, place) in places {
        // Several behind the same one keep their order.
        let mut after = place.after.clone();
        while let Some((_, last)) = moved.iter().rev().find(|(behind, _)| *behind == after) {
            after = last.clone();
        }
        if after != id && put_one(turns, &id, &after, place.after_end) {
            moved.push((after, id));
        }
    }
}

fn find(turns: &[Turn], id: &ItemId) -> Option<(usize, usize)> {
    turns.iter().enumerate().rev().find_map(|(turn, one)| {
        let at = one.items.iter().position(|item| item.id() == id)?;
        Some((turn, at))
    })
}

fn put_one(turns: &mut [Turn], id: &ItemId, after: &ItemId, after_end: bool) -> bool {
    let (Some((from, at)), true) = (find(turns, id), find(turns, after).is_some()) else { return false };
    let Some(old) = turns.get_mut(from) else { return false };
    let item = old.items.remove(at);
    old.ended_at = old.ended_at.map(|end| if at < end { end - 1 } else { end });
    let Some((to, behind)) = find(turns, after) else { return false };
    let Some(turn) = turns.get_mut(to) else { return false };
    let at = match (after_end, turn.ended_at) {
        (true, Some(end)) => end.max(behind + 1),
        _ => behind + 1,
    };
    turn.ended_at = turn.ended_at.map(|end| if !after_end && at <= end { end + 1 } else { end });
    turn.items.insert(at, item);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::item::Item;
    use crate::protocol::turn::TurnStatus;

    fn turn(items: &str, end: usize) -> Turn {
        let item =
            |c: char| Item::AgentMessage { id: c.to_string().into(), text: String::new(), phase: None };
        let items = items.chars().map(item).collect();
        Turn { items, ended_at: Some(end), ..Turn::new(None, TurnStatus::Completed, None) }
    }

    fn shown(turns: &[Turn]) -> String {
        let one = |turn: &Turn| {
            let mut text: String = turn.items.iter().map(|item| item.id().as_str()).collect();
            text.insert(turn.ended_at.unwrap(), '|');
            text
        };
        turns.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn items_go_to_where_they_were_shown() {
        // The items of two turns with their ends, item and forerunner and side of the end, what is shown.
        type Row<'a> = (&'a [(&'a str, usize)], &'a [(&'a str, &'a str, bool)], &'a str);
        let rows: [Row<'_>; 8] = [
            (&[("ABx", 2)], &[("x", "A", false)], "AxB|"),
            (&[("ABx", 3)], &[("x", "A", false)], "AxB|"),
            (&[("ABx", 2)], &[("x", "B", true)], "AB|x"),
            (&[("AB", 2), ("CxD", 3)], &[("x", "A", false)], "AxB| CD|"),
            (&[("AB", 2), ("CxD", 3)], &[("x", "B", true)], "AB|x CD|"),
            (&[("ABCyx", 3)], &[("x", "A", false), ("y", "x", false)], "AxyBC|"),
            (&[("ABCyx", 3)], &[("y", "A", false), ("x", "A", false)], "AxyBC|"),
            (&[("ABx", 2)], &[("x", "gone", false)], "AB|x"),
        ];
        for (given, places, want) in rows {
            let mut turns: Vec<Turn> = given.iter().map(|(items, end)| turn(items, *end)).collect();
            let place = |(id, after, after_end): &(&str, &str, bool)| {
                (ItemId::from(*id), Place { after: ItemId::from(*after), after_end: *after_end })
            };
            put(&mut turns, places.iter().map(place).collect());
            assert_eq!(shown(&turns), want, "{given:?} {places:?}");
        }
    }
}
