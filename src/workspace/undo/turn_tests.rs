//! Whole turns taken back: every way to change a file, later edits, links in the way, several turns, and what it
//! costs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::apply;
use super::begin::begin;
use super::bytes::Name;
use super::cut::Turn;
use super::end::{Over, end};
use super::keeper::turn_of;
use super::news::news;
use super::records::Change;
use super::revert::{Journal, Report, Which, recover_all, revert};
use super::stamp::{Kind, Stamp};
use super::step::Step;
use super::store::{self, Store};
use super::survey::survey;
use super::walk::walk;
use crate::base::ids::ThreadId;

pub(super) struct Bed {
    pub(super) dir: tempfile::TempDir,
}

impl Bed {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let bed = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(bed.root()).unwrap();
        for (name, text) in files {
            bed.write(name, text);
        }
        bed
    }

    pub(super) fn root(&self) -> PathBuf {
        self.dir.path().join("w")
    }

    pub(super) fn base(&self) -> PathBuf {
        self.dir.path().join("home/undo")
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A turn in which this happens.
    pub(super) fn turn(&self, work: impl FnOnce(&Path)) {
        let begun = begin(&self.base(), self.root(), true, &mine()).unwrap();
        work(&self.root());
        end(&self.base(), vec![begun], &mine(), Over::default()).unwrap();
    }

    pub(super) fn revert(&self, which: Which) -> Option<Report> {
        revert(&self.base(), &self.root(), which, false).unwrap()
    }

    /// All files and links with their content.
    pub(super) fn all(&self) -> Vec<String> {
        let tree = walk(&self.root(), Path::new("/"));
        let one = |(path, stamp): &(Name, Stamp)| {
            let at = self.root().join(&**path);
            let content = match stamp.kind {
                Kind::File => fs::read_to_string(at).unwrap(),
                Kind::Link => format!("-> {}", fs::read_link(at).unwrap().display()),
                _ => "/".to_owned(),
            };
            format!("{} {:o} {content}", path.display(), stamp.mode)
        };
        tree.entries.iter().map(one).collect()
    }
}

/// A turn of the thread `t`.
pub(super) fn mine() -> Turn {
    Turn { thread: "t".to_owned(), ..turn_of(ThreadId::new(), None) }
}

/// Changes everything in `root` in every way.
pub(super) fn ravage(root: &Path) {
    fs::write(root.join("a"), "other").unwrap();
    fs::remove_file(root.join("b")).unwrap();
    fs::remove_dir_all(root.join("dir")).unwrap();
    fs::write(root.join("made"), "new").unwrap();
    fs::create_dir_all(root.join("deep/er")).unwrap();
    fs::write(root.join("deep/er/f"), "new").unwrap();
    fs::rename(root.join("c"), root.join("moved")).unwrap();
    fs::set_permissions(root.join("tool"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(root.join("link")).unwrap();
    symlink("/etc", root.join("link")).unwrap();
    fs::remove_file(root.join("turns")).unwrap();
    fs::create_dir(root.join("turns")).unwrap();
}

pub(super) fn ravaged() -> Bed {
    let bed = Bed::new(&[
        ("a", "one"),
        ("b", "two"),
        ("c", "three"),
        ("dir/x", "x"),
        ("dir/sub/y", "y"),
        ("tool", "#!"),
        ("turns", "file"),
    ]);
    fs::set_permissions(bed.root().join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("a", bed.root().join("link")).unwrap();
    bed
}

#[test]
fn a_turn_is_taken_back_and_brought_again_as_often_as_one_likes() {
    let bed = ravaged();
    let before = bed.all();
    bed.turn(ravage);
    let after = bed.all();
    assert_ne!(before, after);
    for _ in 0..3 {
        let report = bed.revert(Which::Last).unwrap();
        assert!(
            !report.partial && !report.steps.iter().any(|step| matches!(step, Step::Left(..))),
            "{report:?}"
        );
        assert_eq!(bed.all(), before);
        assert_eq!(bed.revert(Which::Last), None, "nothing stands any more");
        bed.revert(Which::Again).unwrap();
        assert_eq!(bed.all(), after);
        assert_eq!(bed.revert(Which::Again), None);
    }
}

#[test]
fn looking_changes_nothing_and_tells_the_same() {
    let bed = ravaged();
    bed.turn(ravage);
    let after = bed.all();
    let dry = revert(&bed.base(), &bed.root(), Which::Last, true).unwrap().unwrap();
    assert_eq!(bed.all(), after);
    let mut told = format!("{:?}", dry.steps).split("), ").map(str::to_owned).collect::<Vec<_>>();
    let mut done = format!("{:?}", bed.revert(Which::Last).unwrap().steps)
        .split("), ")
        .map(str::to_owned)
        .collect::<Vec<_>>();
    told.sort();
    done.sort();
    assert_eq!(told.len(), done.len(), "{told:?} {done:?}");
}

#[test]
fn later_edits_of_the_user_stay() {
    let bed = Bed::new(&[("a", "one"), ("b", "two")]);
    bed.turn(|root| {
        fs::write(root.join("a"), "turn").unwrap();
        fs::write(root.join("b"), "turn").unwrap();
        fs::write(root.join("new"), "turn").unwrap();
    });
    bed.write("a", "user");
    bed.write("new", "user");
    let report = bed.revert(Which::Last).unwrap();
    let left: Vec<&Step> = report.steps.iter().filter(|step| matches!(step, Step::Left(..))).collect();
    assert_eq!(left, [&Step::Left("new".into(), "changed since"), &Step::Left("a".into(), "changed since")]);
    let content = |name: &str| fs::read_to_string(bed.root().join(name)).unwrap();
    assert_eq!((content("a"), content("b"), content("new")), ("user".into(), "two".into(), "user".into()));
}

#[test]
fn turns_come_back_one_after_the_other() {
    let bed = Bed::new(&[("a", "0")]);
    for n in 1..=3 {
        bed.turn(|root| fs::write(root.join("a"), n.to_string()).unwrap());
    }
    let now = || fs::read_to_string(bed.root().join("a")).unwrap();
    for want in ["2", "1", "0"] {
        bed.revert(Which::Last).unwrap();
        assert_eq!(now(), want);
    }
    for want in ["1", "2"] {
        bed.revert(Which::Again).unwrap();
        assert_eq!(now(), want);
    }
    // A turn of its own makes what was undone unreachable.
    bed.turn(|root| fs::write(root.join("b"), "x").unwrap());
    assert_eq!(bed.revert(Which::Again), None);
    assert_eq!(bed.revert(Which::Number(7)), None);
    // An early turn alone: what came after it is in the way.
    let report = bed.revert(Which::Number(1)).unwrap();
    assert_eq!((report.steps, now()), (vec![Step::Left("a".into(), "changed since")], "2".to_owned()));
}

#[test]
fn no_link_leads_out() {
    let bed = Bed::new(&[("dir/x", "mine"), ("y", "mine")]);
    let outside = bed.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("x"), "theirs").unwrap();
    bed.turn(|root| {
        fs::remove_dir_all(root.join("dir")).unwrap();
        fs::write(root.join("y"), "turn").unwrap();
    });
    symlink(&outside, bed.root().join("dir")).unwrap();
    bed.revert(Which::Last).unwrap();
    assert_eq!(fs::read_to_string(outside.join("x")).unwrap(), "theirs");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(bed.root().join("y")).unwrap(), "mine");
}

/// A command that may move the folder itself puts a link in its place.
#[test]
fn a_link_in_the_place_of_the_folder_leads_nowhere() {
    let bed = Bed::new(&[("authorized_keys", "evil"), ("kept", "mine")]);
    let outside = bed.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "theirs").unwrap();
    bed.turn(|root| fs::remove_file(root.join("authorized_keys")).unwrap());
    let swap = |bed: &Bed| {
        fs::rename(bed.root(), bed.dir.path().join("moved")).unwrap();
        symlink(&outside, bed.root()).unwrap();
    };
    swap(&bed);
    let untouched = |result: io::Result<Option<Report>>| {
        assert!(result.unwrap_err().to_string().starts_with("a link stands where "));
        let names: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["kept"]);
    };
    for dry in [true, false] {
        untouched(revert(&bed.base(), &bed.root(), Which::Last, dry));
    }
    // Or in the turn: then all that the link leads to would be of the turn.
    fs::remove_file(bed.root()).unwrap();
    fs::rename(bed.dir.path().join("moved"), bed.root()).unwrap();
    bed.turn(|_| swap(&bed));
    untouched(revert(&bed.base(), &bed.root(), Which::Last, false));
}

#[test]
fn what_was_not_looked_at_is_never_deleted() {
    let bed = Bed::new(&[(".gitignore", "target/\n"), ("target/precious", "x")]);
    bed.turn(|root| fs::write(root.join(".gitignore"), "\n").unwrap());
    bed.revert(Which::Last).unwrap();
    assert_eq!(fs::read_to_string(bed.root().join(".gitignore")).unwrap(), "target/\n");
    assert!(bed.root().join("target/precious").exists());
}

#[test]
fn what_is_too_large_is_said_and_left() {
    let bed = Bed::new(&[("big", ""), ("small", "x")]);
    fs::File::create(bed.root().join("big")).unwrap().set_len(store::MAX_FILE + 1).unwrap();
    bed.turn(|root| {
        fs::remove_file(root.join("big")).unwrap();
        fs::remove_file(root.join("small")).unwrap();
    });
    let report = bed.revert(Which::Last).unwrap();
    assert!(
        report.partial
            && report.steps.contains(&Step::Left("big".into(), "its earlier content was too large to keep"))
    );
    assert!(bed.root().join("small").exists() && !bed.root().join("big").exists());
}

#[test]
fn a_content_is_copied_once_and_old_packs_go() {
    let bed = Bed::new(&[("a", "one"), ("b", "two")]);
    let packs = || {
        let store = fs::read_dir(bed.base()).unwrap().next().unwrap().unwrap().path();
        let names =
            fs::read_dir(store).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".pack")).count()
    };
    for _ in 0..3 {
        bed.turn(|_| {});
        assert_eq!(packs(), 1);
    }
    assert_eq!(bed.revert(Which::Last), None, "a turn that changes nothing is none");
    bed.turn(|root| fs::remove_file(root.join("a")).unwrap());
    bed.turn(|_| {});
    bed.revert(Which::Last).unwrap();
    assert!(bed.root().join("a").exists());
}

#[test]
fn a_crash_in_the_middle_is_finished_by_the_next_start() {
    // As if it had crashed after so many paths.
    for at in 0..8 {
        let bed = ravaged();
        let before = bed.all();
        bed.turn(ravage);
        let after = bed.all();
        {
            let mut store = Store::open(&bed.base(), &bed.root()).unwrap();
            let record = store.records().pop().unwrap();
            let saved = survey(&bed.root(), &mut store, &record.changes).unwrap();
            Journal { root: bed.root(), record: record.clone(), saved: saved.clone() }.begin(&store).unwrap();
            let going = record.changes.iter().rev().filter(|change| change.before.is_none());
            let coming = record.changes.iter().filter(|change| change.before.is_some());
            let some: Vec<Change> = going.chain(coming).take(at).cloned().collect();
            apply::apply(&bed.root(), &mut store, &some, &saved, false).unwrap();
        }
        assert_eq!(recover_all(&bed.base()), [bed.root()]);
        assert_eq!(bed.all(), before, "{at}");
        assert_eq!(recover_all(&bed.base()), [] as [PathBuf; 0]);
        assert_eq!(bed.revert(Which::Last), None);
        let again = bed.revert(Which::Again).unwrap();
        assert_eq!(bed.all(), after, "{at} {again:?}");
    }
}

#[test]
fn a_crash_is_finished_whatever_became_of_other_turns() {
    let bed = Bed::new(&[("a", "one"), ("b", "one")]);
    for name in ["a", "b"] {
        bed.turn(|root| fs::write(root.join(name), "turn").unwrap());
    }
    bed.revert(Which::Number(1)).unwrap();
    {
        let mut store = Store::open(&bed.base(), &bed.root()).unwrap();
        let record = store.records().pop().unwrap();
        let saved = survey(&bed.root(), &mut store, &record.changes).unwrap();
        Journal { root: bed.root(), record, saved }.begin(&store).unwrap();
    }
    assert_eq!(recover_all(&bed.base()), [bed.root()]);
    assert_eq!(fs::read_to_string(bed.root().join("b")).unwrap(), "one");
}

#[test]
fn a_damaged_journal_is_nothing_to_go_on_with() {
    let bed = ravaged();
    bed.turn(ravage);
    let after = bed.all();
    let store = store::folder(&bed.base(), &bed.root());
    fs::write(store.join("journal"), "{\"root\":").unwrap();
    assert_eq!(recover_all(&bed.base()), [] as [PathBuf; 0]);
    assert_eq!(bed.all(), after);
    assert!(bed.revert(Which::Last).is_some());
}

#[test]
fn all_folders_of_a_turn_come_back_together() {
    let bed = Bed::new(&[("a", "one")]);
    let other = bed.dir.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("b"), "two").unwrap();
    let turn = |own: bool| {
        let begun = vec![
            begin(&bed.base(), bed.root(), true, &mine()).unwrap(),
            begin(&bed.base(), other.clone(), false, &mine()).unwrap(),
        ];
        fs::write(other.join("b"), "changed").unwrap();
        fs::write(other.join("c"), "made").unwrap();
        if own {
            bed.write("a", "changed");
        }
        end(&bed.base(), begun, &mine(), Over { running: true, ..Over::default() }).unwrap();
    };
    for own in [true, false] {
        turn(own);
        let report = bed.revert(Which::Last).unwrap();
        assert!(report.steps.contains(&Step::Restored(other.join("b"))), "{report:?}");
        assert!(report.steps.contains(&Step::Removed(other.join("c"))) && report.running);
        assert_eq!(fs::read_to_string(other.join("b")).unwrap(), "two");
        assert_eq!(fs::read_to_string(bed.root().join("a")).unwrap(), "one");
        // A part is nothing that stands alone.
        assert_eq!(revert(&bed.base(), &other, Which::Last, false).unwrap(), None);
        bed.revert(Which::Again).unwrap();
        assert_eq!(fs::read_to_string(other.join("c")).unwrap(), "made");
        bed.revert(Which::Last).unwrap();
        assert!(!other.join("c").exists());
    }
}

#[test]
fn hard_links_modes_of_folders_and_what_is_restored_by_hand() {
    let bed = Bed::new(&[("a", "one"), ("dir/x", "two"), ("hand", "mine")]);
    fs::hard_link(bed.root().join("a"), bed.root().join("dir/b")).unwrap();
    let mode = |name: &str| fs::metadata(bed.root().join(name)).unwrap().permissions().mode() & 0o777;
    let inode =
        |name: &str| std::os::unix::fs::MetadataExt::ino(&fs::metadata(bed.root().join(name)).unwrap());
    fs::set_permissions(bed.root().join("dir"), fs::Permissions::from_mode(0o750)).unwrap();
    let before = bed.all();
    bed.turn(|root| {
        fs::write(root.join("a"), "changed in place").unwrap();
        fs::set_permissions(root.join("dir"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(root.join("hand"), "turn").unwrap();
    });
    let after = bed.all();
    for _ in 0..2 {
        let report = bed.revert(Which::Last).unwrap();
        assert_eq!((bed.all(), mode("dir")), (before.clone(), 0o750), "{report:?}");
        assert_eq!(inode("a"), inode("dir/b"), "one file of two names");
        bed.revert(Which::Again).unwrap();
        assert_eq!((bed.all(), inode("a") == inode("dir/b")), (after.clone(), true));
    }
    bed.write("hand", "mine");
    let report = bed.revert(Which::Last).unwrap();
    assert!(!report.steps.iter().any(|step| matches!(step, Step::Left(..))), "{report:?}");
    assert_eq!(bed.all(), before);
}

#[test]
fn the_thread_hears_of_it_once() {
    let bed = Bed::new(&[("a", "one")]);
    bed.turn(|root| {
        fs::write(root.join("a"), "two").unwrap();
        fs::write(root.join("odd<\n>"), "").unwrap();
    });
    let heard = |thread: &str| news(&bed.base(), &bed.root(), thread);
    assert_eq!(heard("t"), None);
    bed.revert(Which::Last).unwrap();
    assert_eq!(heard("another"), None);
    let text = heard("t").unwrap();
    assert!(
        text.contains("- a\n") && text.contains("- odd&lt;?&gt;\n") && text.contains("took back"),
        "{text}"
    );
    assert_eq!(heard("t"), None);
    revert(&bed.base(), &bed.root(), Which::Again, true).unwrap();
    assert_eq!(heard("t"), None, "looking is no news");
}

#[test]
fn what_was_kept_and_is_damaged_is_not_brought_back() {
    let bed = Bed::new(&[("a", "precious")]);
    bed.turn(|root| fs::write(root.join("a"), "two").unwrap());
    let pack = store::folder(&bed.base(), &bed.root()).join("0.pack");
    let zeros = vec![0; usize::try_from(fs::metadata(&pack).unwrap().len()).unwrap()];
    fs::write(&pack, zeros).unwrap();
    let report = bed.revert(Which::Last).unwrap();
    assert!(matches!(report.steps.as_slice(), [Step::Left(..)]), "{report:?}");
    assert_eq!(fs::read_to_string(bed.root().join("a")).unwrap(), "two");
}

/// Figures for people: `cargo test --release undo_costs -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn undo_costs() {
    let bed = Bed::new(&[]);
    for n in 0..10_000 {
        bed.write(&format!("src/{}/{n}.rs", n % 100), &"x".repeat(4000));
    }
    let clock = Instant::now();
    let begun = begin(&bed.base(), bed.root(), true, &mine()).unwrap();
    let first = clock.elapsed();
    let clock = Instant::now();
    end(&bed.base(), vec![begun], &mine(), Over::default()).unwrap();
    let quiet = clock.elapsed();
    let clock = Instant::now();
    let begun = begin(&bed.base(), bed.root(), true, &mine()).unwrap();
    let again = clock.elapsed();
    let clock = Instant::now();
    for n in 0..10_000 {
        bed.write(&format!("out/{}/{n}.o", n % 100), &"y".repeat(4000));
    }
    let build = clock.elapsed();
    let clock = Instant::now();
    end(&bed.base(), vec![begun], &mine(), Over::default()).unwrap();
    println!(
        "first {first:?}, later {again:?}, end {quiet:?}; writing {build:?}, its end {:?}",
        clock.elapsed()
    );
}
