//! What is there before anything is taken back, kept for the way back and for a crash in the middle.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::place::{keep, open_root, parent};
use super::records::Change;
use super::stamp::stamp_at;
use super::state::State;
use super::store::Store;

/// What is at the paths that will change, kept before the first of them does; `None` = nothing is there.
pub(crate) type Saved = BTreeMap<PathBuf, Option<State>>;

/// Keeps what is now at every path that can be taken back.
///
/// # Errors
/// The root cannot be opened. What cannot be kept is left out: it will not be overwritten.
pub(crate) fn survey(root: &Path, store: &mut Store, changes: &[Change]) -> io::Result<Saved> {
    let root = open_root(root)?;
    let mut saved = Saved::new();
    for change in changes {
        let Some(name) = change.path.file_name().map(Path::new) else { continue };
        let now = match parent(&root, &change.path, false) {
            Ok(parent) => stamp_at(&parent, name).ok().flatten().map(|stamp| (parent, stamp)),
            Err(_) => None,
        };
        let state = match now {
            Some((_, stamp)) if Some(stamp) != change.after => continue,
            Some((parent, stamp)) => match keep(&parent, name, store, stamp) {
                Ok(state) => Some(state),
                Err(_) => continue,
            },
            None => None,
        };
        saved.insert(change.path.clone(), state);
    }
    Ok(saved)
}
