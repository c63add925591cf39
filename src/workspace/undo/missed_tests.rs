//! Turns that could not be kept are told, and no earlier one is meant instead.

use std::fs;
use std::path::Path;

use super::*;
use crate::base::ids::{ThreadId, TurnId};
use crate::workspace::undo::{Keeper, Which, last, revert};

async fn turn(base: &Path, root: &Path, name: &str) -> [Option<String>; 2] {
    let (keeper, thread) = (Keeper::new(Some(base.to_owned())), ThreadId::new());
    let began = keeper.before_change((thread, TurnId::new()), root, Vec::new()).await;
    fs::write(root.join(name), name).unwrap();
    [began, keeper.after_turn(thread, false, false).await]
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_told_and_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let (base, root) = (dir.path().join("home/undo"), dir.path().join("w"));
    fs::create_dir(&root).unwrap();
    assert_eq!(turn(&base, &root, "a").await, [None, None]);
    // A file where the folder of the store was: nothing can be written there, by nobody.
    let (store, away) = (store::folder(&base, &root), dir.path().join("away"));
    fs::rename(&store, &away).unwrap();
    fs::write(&store, "").unwrap();
    let told = turn(&base, &root, "b").await;
    let want = "What this turn changes cannot be taken back by undo: what undo keeps cannot be written.";
    assert_eq!(told, [Some(want.to_owned()), None]);
    fs::remove_file(&store).unwrap();
    fs::rename(&away, &store).unwrap();
    assert_eq!(last(&base, &root).unwrap().missed.map(|missed| missed.why), Some(Why::Unwritable));
    revert(&base, &root, Which::Number(1), false).unwrap();
    assert!(root.join("b").exists() && !root.join("a").exists());
}

#[tokio::test]
async fn what_cannot_be_written_down_at_the_end_is_told_then() {
    let dir = tempfile::tempdir().unwrap();
    let (base, root) = (dir.path().join("home/undo"), dir.path().join("w"));
    fs::create_dir(&root).unwrap();
    let (keeper, thread) = (Keeper::new(Some(base.clone())), ThreadId::new());
    assert_eq!(keeper.before_change((thread, TurnId::new()), &root, Vec::new()).await, None);
    fs::write(root.join("a"), "a").unwrap();
    // A folder in the way of the record.
    fs::create_dir(store::folder(&base, &root).join("1.turn")).unwrap();
    for name in fs::read_dir(store::folder(&base, &root)).unwrap().flatten() {
        if name.path().extension().is_some_and(|ending| ending == "before") {
            fs::write(name.path(), "damaged").unwrap();
        }
    }
    let told = keeper.after_turn(thread, false, false).await.unwrap();
    assert!(told.starts_with("What this turn changed cannot be taken back by undo: "), "{told}");
    assert!(last(&base, &root).unwrap().missed.is_some());
}

#[test]
fn marks_say_why_and_are_gone_when_somebody_went_past_them() {
    let dir = tempfile::tempdir().unwrap();
    let (base, root) = (dir.path().join("undo"), dir.path());
    for why in [Why::Busy, Why::Full, Why::Unwritable] {
        mark(&base, root, why);
        let found = last_of(&base, root);
        assert_eq!((found.after, found.why, found.at.is_some()), (0, why, true));
        forget(&base, root, 0);
        assert_eq!(super::last(&base, root, 0), None);
    }
}

fn last_of(base: &Path, root: &Path) -> Missed {
    super::last(base, root, 0).unwrap()
}
