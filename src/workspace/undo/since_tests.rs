//! Several turns taken back at once: what is told beforehand is what happens, later edits stay, and one step brings
//! all of it again.

use std::fs;
use std::path::Path;

use super::begin::begin;
use super::cut::Turn;
use super::end::{Over, end};
use super::news::news;
use super::revert::{Report, Which};
use super::since::{Wanted, since};
use super::step::Step;
use super::turn_tests::{Bed, mine};

impl Bed {
    /// A turn of this name in which this happens.
    fn named(&self, name: &str, work: impl FnOnce(&Path)) {
        let turn = Turn { of: Some(name.to_owned()), ..mine() };
        let begun = begin(&self.base(), self.root(), true, &turn).unwrap();
        work(&self.root());
        end(&self.base(), vec![begun], &turn, Over::default()).unwrap();
    }

    fn since(&self, turns: &[&str], amid: Option<&str>, dry: bool) -> Option<Report> {
        let turns = turns.iter().map(|turn| (*turn).to_owned()).collect();
        let wanted = Wanted { turns, amid: amid.map(str::to_owned), thread: None };
        since(&self.base(), &self.root(), &wanted, dry).unwrap()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.root().join(name)).unwrap_or_default()
    }
}

fn restored(path: &str) -> Step {
    Step::Restored(path.into())
}

/// Three turns that work on the same files.
fn three() -> Bed {
    let bed = Bed::new(&[("a", "0"), ("b", "0")]);
    bed.named("one", |root| fs::write(root.join("a"), "1").unwrap());
    bed.named("two", |root| {
        fs::write(root.join("a"), "2").unwrap();
        fs::create_dir(root.join("dir")).unwrap();
        fs::write(root.join("dir/new"), "2").unwrap();
    });
    bed.named("three", |root| {
        fs::write(root.join("a"), "3").unwrap();
        fs::write(root.join("dir/new"), "3").unwrap();
        fs::remove_file(root.join("b")).unwrap();
    });
    bed
}

#[test]
fn what_is_told_is_what_happens_and_one_step_brings_it_again() {
    let rows = [
        (
            vec!["one", "two", "three"],
            vec![restored("a"), restored("b"), Step::Removed("dir/new".into())],
            "0",
        ),
        (vec!["three", "two"], vec![restored("a"), restored("b"), Step::Removed("dir/new".into())], "1"),
        (vec!["three"], vec![restored("a"), restored("b"), restored("dir/new")], "2"),
    ];
    for (turns, want, a) in rows {
        let bed = three();
        let whole = bed.all();
        for _ in 0..2 {
            let told = bed.since(&turns, None, true).unwrap();
            assert_eq!((&told.steps, told.with.len() + 1), (&want, turns.len()), "{turns:?}");
            assert_eq!(bed.all(), whole, "looking changes nothing");
            assert_eq!(bed.since(&turns, None, false).unwrap(), told);
            assert_eq!(bed.text("a"), a);
            assert_eq!(bed.since(&turns, None, true), None, "they do not stand any more");
            let again = bed.revert(Which::Again).unwrap();
            assert_eq!(again.with, told.with);
            assert_eq!(bed.all(), whole, "all of it came again");
            assert_eq!(bed.revert(Which::Again), None);
        }
        // What came again is single turns.
        bed.revert(Which::Last).unwrap();
        assert_eq!(bed.text("a"), "2");
    }
}

#[test]
fn the_thread_that_forgets_turns_is_told_of_none_but_of_those_that_come_again() {
    let bed = three();
    bed.since(&["two", "three"], None, false).unwrap();
    assert_eq!(news(&bed.base(), &bed.root(), "t"), None);
    bed.revert(Which::Again).unwrap();
    let told = news(&bed.base(), &bed.root(), "t").unwrap();
    assert_eq!(told.matches("brought again").count(), 2, "{told}");
}

#[test]
fn what_somebody_else_changed_stays_and_is_said() {
    let bed = three();
    bed.write("a", "mine");
    let told = bed.since(&["two", "three"], None, true).unwrap();
    assert!(told.steps.contains(&Step::Left("a".into(), "changed since")), "{told:?}");
    let done = bed.since(&["two", "three"], None, false).unwrap();
    assert_eq!((told, bed.text("a")), (done, "mine".to_owned()));
    assert_eq!(bed.text("b"), "0");
}

#[test]
fn what_was_changed_between_two_turns_is_as_it_was_then() {
    let bed = Bed::new(&[("a", "0"), ("b", "0")]);
    bed.named("one", |root| fs::write(root.join("a"), "1").unwrap());
    bed.write("a", "mine");
    bed.named("two", |root| {
        fs::write(root.join("a"), "2").unwrap();
        fs::write(root.join("b"), "2").unwrap();
    });
    let told = bed.since(&["one", "two"], None, true).unwrap();
    let want = [Step::Partly("a".into()), restored("b")];
    assert_eq!(told.steps, want);
    assert_eq!(bed.since(&["one", "two"], None, false).unwrap(), told);
    assert_eq!((bed.text("a"), bed.text("b")), ("mine".to_owned(), "0".to_owned()));
}

#[test]
fn turns_without_a_record_and_the_turn_amid() {
    let bed = three();
    assert_eq!(bed.since(&["four"], None, true), None);
    assert_eq!(Bed::new(&[]).since(&["one"], None, true), None, "nothing was ever kept");
    let amid = bed.since(&["four"], Some("three"), true).unwrap();
    assert!(amid.amid && amid.steps.is_empty());
    assert!(bed.since(&["three"], Some("two"), true).unwrap().amid);
    assert!(!bed.since(&["three"], Some("four"), true).unwrap().amid);
}

#[test]
fn turns_that_the_thread_forgot_before_are_taken_along() {
    let bed = Bed::new(&[("a", "0")]);
    for n in ["1", "2", "3"] {
        bed.named(n, |root| fs::write(root.join("a"), n).unwrap());
    }
    for (thread, turns, amid, a) in [
        ("t", "2", None, "1"),
        ("other", "3", None, "2"),
        ("t", "", Some("1"), "1"),
        ("other", "2", None, "3"),
    ] {
        let turns = turns.chars().map(String::from).collect();
        let wanted = Wanted { turns, amid: amid.map(str::to_owned), thread: Some(thread.to_owned()) };
        since(&bed.base(), &bed.root(), &wanted, false).unwrap().unwrap();
        assert_eq!(bed.text("a"), a, "{thread} {wanted:?}");
        bed.revert(Which::Again);
    }
}

#[test]
fn other_folders_of_the_turns_come_along() {
    let bed = Bed::new(&[("a", "0")]);
    let other = bed.dir.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("x"), "0").unwrap();
    for n in ["1", "2"] {
        let turn = Turn { of: Some(n.to_owned()), ..mine() };
        let begun = [(bed.root(), true), (other.clone(), false)]
            .map(|(root, own)| begin(&bed.base(), root, own, &turn).unwrap());
        fs::write(bed.root().join("a"), n).unwrap();
        fs::write(other.join("x"), n).unwrap();
        end(&bed.base(), begun.into(), &turn, Over::default()).unwrap();
    }
    let done = bed.since(&["1", "2"], None, false).unwrap();
    assert!(done.steps.contains(&Step::Restored(other.join("x"))), "{done:?}");
    let x = || fs::read_to_string(other.join("x")).unwrap();
    assert_eq!((bed.text("a"), x()), ("0".to_owned(), "0".to_owned()));
    bed.revert(Which::Again).unwrap();
    assert_eq!((bed.text("a"), x()), ("2".to_owned(), "2".to_owned()));
}
