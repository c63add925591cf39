//! A folder after a turn: it is looked at again, and the difference is the record. What the user changes later has
//! other marks than the record says, and stays.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::begin::{Begun, home_of};
use super::bytes::Name;
use super::cut::Turn;
use super::records::{Change, Record};
use super::stamp::Stamp;
use super::state::{Before, State};
use super::store::Store;
use super::walk::{Tree, walk};

/// The number of the record, and what is in each folder now.
pub(super) type Ended = (Option<u64>, Vec<(PathBuf, Tree)>);

/// What is known of a turn besides its folders.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Over {
    /// Commands of it still run.
    pub(super) running: bool,
    /// It may have written to a folder that could not be looked at.
    pub(super) lacking: bool,
}

/// Writes down what `turn` changed in the folders that it began in, the working directory first.
///
/// # Errors
/// It cannot be written down.
pub(super) fn end(base: &Path, begun: Vec<Begun>, turn: &Turn, over: Over) -> io::Result<Ended> {
    let mut begun = begun.into_iter();
    let Some(own) = begun.next() else { return Ok(Ended::default()) };
    let (mut also, mut trees) = (Vec::new(), Vec::new());
    let mut partial = over.lacking;
    for other in begun {
        let root = other.root.clone();
        // One folder that cannot be written down does not keep the others from it.
        let Ok((number, after)) = close(base, other, Record::default(), None) else {
            partial = true;
            continue;
        };
        also.extend(number.map(|number| (root.clone(), number)));
        trees.push((root, after));
    }
    let (thread, root) = (Some(turn.thread.clone()), own.root.clone());
    let (between, turn) = (turn.between, turn.of.clone());
    let running = over.running;
    let record = Record { thread, turn, running, partial, also, between, ..Record::default() };
    let (number, after) = close(base, own, record, None)?;
    trees.push((root, after));
    Ok((number, trees))
}

/// Writes down what changed in one folder, when anything did; the number of the record, and what is there now. What
/// changed after `until` was not the turn.
///
/// # Errors
/// What was there before is lost, another program works there, or the disk says no.
pub(super) fn close(
    base: &Path,
    begun: Begun,
    mut record: Record,
    until: Option<SystemTime>,
) -> io::Result<(Option<u64>, Tree)> {
    let Begun { root, before, open } = begun;
    let after = walk(&root, home_of(base));
    let before = before.or_else(|| open.as_ref()?.before()).ok_or(io::ErrorKind::InvalidData)?;
    let mut changes = changes(&before, &after);
    if changes.is_empty() && record.also.is_empty() {
        return Ok((None, after));
    }
    if let Some(until) = until {
        for stamp in changes.iter_mut().filter_map(|change| change.after.as_mut()) {
            if stamp.is_later(until) {
                *stamp = stamp.nobodys();
            }
        }
    }
    let lacks = |change: &Change| change.before.is_some_and(|state| state.lacks());
    record.partial |= before.gaps.partial || after.gaps.partial || changes.iter().any(lacks);
    record.skipped = before.gaps.ignored || after.gaps.ignored;
    let mut store = Store::open(base, &root)?;
    let number = store.next_number();
    store.write(&Record { number, changes, ..record }, true)?;
    drop(open);
    Ok((Some(number), after))
}

/// What is another now than before, both in the order of their paths.
fn changes(before: &Before, after: &Tree) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut old, mut new) = (before.entries.iter().peekable(), after.entries.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let was = if order.is_le() { old.next() } else { None };
        let is = if order.is_ge() { new.next() } else { None };
        changes.extend(change(before, was, is));
    }
}

fn change(before: &Before, was: Option<&(Name, State)>, is: Option<&(Name, Stamp)>) -> Option<Change> {
    let (path, _) = was.map(|(path, state)| (path, state.stamp)).or(is.map(|(path, stamp)| (path, *stamp)))?;
    let changed = match (was, is) {
        (Some((_, state)), Some((_, stamp))) => state.stamp != *stamp,
        // What was merely not looked at before is not new: undo would delete it.
        (None, Some((path, _))) => before.gaps.spare(path),
        _ => true,
    };
    let (before, after) = (was.map(|(_, state)| *state), is.map(|(_, stamp)| *stamp));
    changed.then(|| Change { path: PathBuf::from(&**path), before, after })
}
