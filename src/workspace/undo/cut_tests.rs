//! Turns that end in another way: killed, beside another one, with commands that run on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::begin::begin;
use super::cut::{self, Turn};
use super::end::{Over, end};
use super::keeper::Keeper;
use super::revert::Which;
use super::step::Step;
use super::store::{self, Store};
use super::turn_tests::{Bed, mine, ravage, ravaged};
use super::walk::walk;
use crate::base::ids::{ThreadId, TurnId};

/// What is on disk when the program is killed in a turn in `root`, as if it had been alive until now.
fn killed(bed: &Bed, turn: &Turn, own: bool, root: &Path, work: impl FnOnce()) {
    let begun = begin(&bed.base(), root.to_owned(), own, turn).unwrap();
    work();
    let store = store::folder(&bed.base(), root);
    let names = ["open", "before"].map(|ending| store.join(format!("{}.{ending}", turn.id)));
    let texts = names.clone().map(|name| fs::read(name).unwrap());
    drop(begun);
    for (name, text) in names.iter().zip(texts) {
        fs::write(name, text).unwrap();
    }
}

#[test]
fn a_turn_whose_program_was_killed_is_taken_back_in_all_its_folders() {
    let bed = ravaged();
    let before = bed.all();
    let (turn, other) = (mine(), bed.dir.path().join("other"));
    fs::create_dir(&other).unwrap();
    killed(&bed, &turn, false, &other, || fs::write(other.join("x"), "made").unwrap());
    killed(&bed, &turn, true, &bed.root(), || ravage(&bed.root()));
    let report = bed.revert(Which::Last).unwrap();
    assert!(report.killed && report.number == 1, "{report:?}");
    assert_eq!((bed.all(), other.join("x").exists()), (before, false));
    assert_eq!(cut::recover_all(&bed.base()), [] as [PathBuf; 0], "only once");
}

#[test]
fn what_the_user_changes_after_the_program_was_killed_stays() {
    let bed = Bed::new(&[("a", "one"), ("b", "two")]);
    let turn = mine();
    killed(&bed, &turn, true, &bed.root(), || {
        bed.write("a", "turn");
        bed.write("b", "turn");
        bed.write("made", "turn");
    });
    // The last sign of life is long ago for what is written now.
    let store = store::folder(&bed.base(), &bed.root());
    let mark = fs::File::options().write(true).open(store.join(format!("{}.open", turn.id))).unwrap();
    let changed = |name: &str| fs::metadata(bed.root().join(name)).unwrap().modified().unwrap();
    let last = changed("made").max(changed("a"));
    while changed("b") < last + Duration::from_millis(5) {
        bed.write("b", "mine");
    }
    mark.set_modified(last - Duration::from_millis(1500)).unwrap();
    assert_eq!(cut::recover_all(&bed.base()), [bed.root()]);
    let report = bed.revert(Which::Last).unwrap();
    assert!(report.steps.contains(&Step::Left("b".into(), "changed since")), "{report:?}");
    let read = |name: &str| fs::read_to_string(bed.root().join(name)).ok();
    assert_eq!((read("a").as_deref(), read("b").as_deref(), read("made")), (Some("one"), Some("mine"), None));
}

#[test]
fn a_turn_under_way_elsewhere_is_left_alone() {
    let bed = Bed::new(&[("a", "one")]);
    let begun = begin(&bed.base(), bed.root(), true, &mine()).unwrap();
    bed.turn(|root| fs::write(root.join("a"), "two").unwrap());
    assert_eq!(cut::recover_all(&bed.base()), [] as [PathBuf; 0]);
    end(&bed.base(), vec![begun], &mine(), Over::default()).unwrap();
    bed.revert(Which::Last).unwrap();
    assert_eq!(fs::read_to_string(bed.root().join("a")).unwrap(), "one");
}

#[tokio::test]
async fn what_commands_write_after_their_turn_has_a_record_of_its_own() {
    let bed = Bed::new(&[("a", "one"), ("b", "one")]);
    let (keeper, thread) = (Keeper::new(Some(bed.base())), ThreadId::new());
    keeper.before_change((thread, TurnId::new()), &bed.root(), Vec::new()).await;
    bed.write("a", "two");
    keeper.after_turn(thread, true, true).await;
    bed.write("a", "late");
    bed.write("log", "late");
    keeper.before_change((thread, TurnId::new()), &bed.root(), Vec::new()).await;
    bed.write("b", "next");
    keeper.after_turn(thread, false, false).await;
    let text = |name: &str| fs::read_to_string(bed.root().join(name)).ok();
    // The next turn and the first one are taken back without what nobody knows the owner of.
    assert_eq!(bed.revert(Which::Last).unwrap().number, 3);
    let first = bed.revert(Which::Last).unwrap();
    assert_eq!((first.number, first.later), (1, Some(2)));
    assert_eq!((text("a").as_deref(), text("b").as_deref()), (Some("late"), Some("one")));
    let between = bed.revert(Which::Number(2)).unwrap();
    assert_eq!(between.between, Some(1));
    assert_eq!((text("a").as_deref(), text("log")), (Some("two"), None));
}

#[tokio::test]
async fn what_a_turn_made_is_kept_while_nobody_waits() {
    let bed = Bed::new(&[]);
    let (keeper, thread) = (Keeper::new(Some(bed.base())), ThreadId::new());
    keeper.before_change((thread, TurnId::new()), &bed.root(), Vec::new()).await;
    bed.write("made", "by the turn");
    keeper.after_turn(thread, false, false).await;
    let stamp = walk(&bed.root(), Path::new("/")).entries[0].1;
    let waited = Instant::now();
    loop {
        let store = Store::open(&bed.base(), &bed.root()).unwrap();
        let known = store.index().entries.iter().find(|(path, _)| &**path == "made");
        if known.is_some_and(|(_, state)| state.stamp == stamp && state.kept.is_some()) {
            break;
        }
        drop(store);
        assert!(waited.elapsed() < Duration::from_secs(20), "never kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
