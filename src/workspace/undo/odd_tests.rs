//! What files can be besides plain ones: odd names, pipes, other owners and rights, names that lead away, what cannot be
//! read, no room, and a store that somebody damaged.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::begin::begin;
use super::end::{Over, end};
use super::revert::{Report, Which};
use super::step::Step;
use super::store::{self, Store};
use super::turn_tests::{Bed, mine};

fn left(report: &Report) -> Vec<&Step> {
    report.steps.iter().filter(|step| matches!(step, Step::Left(..))).collect()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn names_are_any_bytes() {
    let bed = Bed::new(&[("line\nbreak", "one"), ("Case", "upper")]);
    let odd = bed.root().join(OsStr::from_bytes(b"\xff\xfe/"));
    fs::create_dir(&odd).unwrap();
    let inside = odd.join(OsStr::from_bytes(b"\xc3\x28"));
    fs::write(&inside, "two").unwrap();
    bed.turn(|root| {
        fs::remove_dir_all(&odd).unwrap();
        fs::remove_file(root.join("line\nbreak")).unwrap();
        fs::rename(root.join("Case"), root.join("case")).unwrap();
        fs::write(root.join(OsStr::from_bytes(b"made\x80")), "x").unwrap();
    });
    let report = bed.revert(Which::Last).unwrap();
    assert!(!report.partial && left(&report).is_empty(), "{report:?}");
    assert_eq!(fs::read(&inside).unwrap(), b"two");
    assert_eq!(fs::read(bed.root().join("line\nbreak")).unwrap(), b"one");
    assert_eq!(fs::read_dir(bed.root()).unwrap().count(), 3);
    bed.revert(Which::Again).unwrap();
    assert!(!odd.exists() && bed.root().join("case").exists());
}

#[test]
fn rights_alone_are_set_in_place_at_any_size() {
    let bed = Bed::new(&[("tool", "#!"), ("big", "")]);
    let big = bed.root().join("big");
    fs::File::create(&big).unwrap().set_len(store::MAX_FILE + 1).unwrap();
    let outside = bed.dir.path().join("other name");
    fs::hard_link(bed.root().join("tool"), &outside).unwrap();
    for name in ["tool", "big"] {
        mode(&bed.root().join(name), 0o750);
    }
    bed.turn(|root| {
        mode(&root.join("tool"), 0o400);
        mode(&root.join("big"), 0o000);
    });
    let report = bed.revert(Which::Last).unwrap();
    assert!(left(&report).is_empty(), "{report:?}");
    let meta = |path: &Path| fs::metadata(path).unwrap();
    for name in ["tool", "big"] {
        assert_eq!(meta(&bed.root().join(name)).mode() & 0o777, 0o750, "{name}");
    }
    assert_eq!(meta(&outside).ino(), meta(&bed.root().join("tool")).ino(), "still one file");
    bed.revert(Which::Again).unwrap();
    assert_eq!((meta(&big).mode() & 0o777, meta(&outside).mode() & 0o777), (0, 0o400));
    bed.revert(Which::Last).unwrap();
    assert_eq!(meta(&big).mode() & 0o777, 0o750);
}

/// Root works in folders of other people.
#[test]
fn owners_come_back() {
    let bed = Bed::new(&[("theirs", "one"), ("dir/theirs", "two")]);
    let paths = ["theirs", "dir", "dir/theirs"].map(|name| bed.root().join(name));
    if paths.iter().any(|path| std::os::unix::fs::chown(path, Some(65_533), Some(65_533)).is_err()) {
        // Nobody else can give files away.
        return;
    }
    bed.turn(|root| {
        fs::remove_dir_all(root.join("dir")).unwrap();
        fs::remove_file(root.join("theirs")).unwrap();
        fs::write(root.join("theirs"), "root's").unwrap();
    });
    bed.revert(Which::Last).unwrap();
    for path in paths {
        let meta = fs::metadata(&path).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (65_533, 65_533), "{}", path.display());
    }
}

#[test]
fn pipes_are_never_read_and_said_to_be_left() {
    let bed = Bed::new(&[("a", "one")]);
    let pipe = bed.root().join("pipe");
    let make = |path: &Path| {
        use rustix::fs::{CWD, FileType, Mode};
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from(0o600), 0).unwrap();
    };
    make(&pipe);
    bed.turn(|root| {
        fs::remove_file(&pipe).unwrap();
        fs::remove_file(root.join("a")).unwrap();
        make(&root.join("made"));
    });
    let report = bed.revert(Which::Last).unwrap();
    assert_eq!(left(&report), [&Step::Left("pipe".into(), "a pipe, socket or device")]);
    assert!(bed.root().join("a").exists() && !bed.root().join("made").exists());
    let again = bed.revert(Which::Again).unwrap();
    assert_eq!(left(&again), [&Step::Left("made".into(), "a pipe, socket or device")]);
}

#[test]
fn files_links_and_folders_take_each_others_place() {
    let bed = Bed::new(&[("file", "one"), ("dir/x", "two"), ("empty/keep", "")]);
    symlink("file", bed.root().join("link")).unwrap();
    symlink("dir", bed.root().join("to_dir")).unwrap();
    fs::remove_file(bed.root().join("empty/keep")).unwrap();
    let before = bed.all();
    bed.turn(|root| {
        fs::remove_file(root.join("file")).unwrap();
        symlink("dir/x", root.join("file")).unwrap();
        fs::remove_file(root.join("link")).unwrap();
        fs::create_dir_all(root.join("link/deep")).unwrap();
        fs::remove_file(root.join("to_dir")).unwrap();
        fs::rename(root.join("dir"), root.join("to_dir")).unwrap();
        fs::write(root.join("dir"), "a file").unwrap();
        fs::remove_dir(root.join("empty")).unwrap();
    });
    let after = bed.all();
    for _ in 0..2 {
        let report = bed.revert(Which::Last).unwrap();
        assert_eq!((left(&report).len(), bed.all()), (0, before.clone()), "{report:?}");
        let report = bed.revert(Which::Again).unwrap();
        assert_eq!((left(&report).len(), bed.all()), (0, after.clone()), "{report:?}");
    }
}

#[test]
fn what_was_left_counts_again_when_nothing_is_in_the_way() {
    let bed = Bed::new(&[("a", "one"), ("b", "two")]);
    bed.turn(|root| {
        fs::write(root.join("a"), "turn").unwrap();
        fs::write(root.join("b"), "turn").unwrap();
    });
    let text = |name: &str| fs::read_to_string(bed.root().join(name)).unwrap();
    let kept = bed.root().join("b.mine");
    fs::rename(bed.root().join("b"), &kept).unwrap();
    bed.write("b", "user");
    assert_eq!(left(&bed.revert(Which::Last).unwrap()).len(), 1);
    assert_eq!((text("a"), text("b")), ("one".into(), "user".into()));
    // The very file that the turn left is there again, by content.
    bed.revert(Which::Again).unwrap();
    bed.write("b", "two");
    let report = bed.revert(Which::Last).unwrap();
    assert_eq!((left(&report).len(), text("a"), text("b")), (0, "one".into(), "two".into()), "{report:?}");
    bed.revert(Which::Again).unwrap();
    assert_eq!(text("a"), "turn");
}

#[test]
fn a_damaged_store_overwrites_nothing() {
    for (ending, at) in [(".pack", 0), (".turn", 40), ("index", 20), ("heads.json", 3)] {
        let bed = Bed::new(&[("a", "precious"), ("b", "kept")]);
        bed.turn(|root| fs::write(root.join("a"), "turn").unwrap());
        let store = store::folder(&bed.base(), &bed.root());
        for entry in fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.to_str().unwrap().ends_with(ending) {
                let mut bytes = fs::read(&entry).unwrap();
                bytes[at] ^= 0x55;
                fs::write(&entry, bytes).unwrap();
            }
        }
        let report = bed.revert(Which::Last);
        let a = fs::read_to_string(bed.root().join("a")).unwrap();
        match ending {
            ".pack" => assert!(report.is_some_and(|report| left(&report).len() == 1) && a == "turn"),
            ".turn" => assert!(report.is_none() && a == "turn"),
            _ => assert_eq!(a, "precious", "{ending}"),
        }
        // And the next turn is kept as ever.
        bed.turn(|root| fs::write(root.join("b"), "turn").unwrap());
        bed.revert(Which::Last).unwrap();
        assert_eq!(fs::read_to_string(bed.root().join("b")).unwrap(), "kept", "{ending}");
    }
}

/// A turn holds what was before it on disk; somebody removes it in the turn.
#[test]
fn without_what_was_before_there_is_no_record() {
    let bed = Bed::new(&[("a", "one")]);
    let begun = begin(&bed.base(), bed.root(), true, &mine()).unwrap();
    let dir = store::folder(&bed.base(), &bed.root());
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|ending| ending == "before") {
            fs::write(entry, "junk").unwrap();
        }
    }
    bed.write("a", "turn");
    assert!(end(&bed.base(), vec![begun], &mine(), Over::default()).is_err());
    assert_eq!(bed.revert(Which::Last), None);
}

/// What the disk has no room for is not taken for kept: `/dev/full` in the place of a pack.
#[test]
fn a_full_disk_keeps_what_it_has_and_says_so() {
    let bed = Bed::new(&[("a", "one")]);
    bed.turn(|_| {});
    symlink("/dev/full", store::folder(&bed.base(), &bed.root()).join("1.pack")).unwrap();
    let mut store = Store::open(&bed.base(), &bed.root()).unwrap();
    let known = store.index().entries[0].1.kept.unwrap();
    assert_eq!(store.content(known).unwrap(), b"one", "what was kept before");
    store.use_pack(1);
    let kept: Vec<_> = (0..4).filter_map(|n| store.keep(&vec![n; 100_000])).collect();
    assert!(!kept.iter().any(|kept| store.holds(kept)) && store.holds(&known), "{kept:?}");
    assert_eq!(store.keep(b"more"), None);
}

#[test]
fn folders_that_git_ignores_are_named_only_where_there_are_some() {
    for ignored in [false, true] {
        let bed = Bed::new(&[("a", "one"), (".git/HEAD", "x"), ("target/x", "x")]);
        bed.write(".gitignore", if ignored { "target\n" } else { "other\n" });
        bed.turn(|root| fs::write(root.join("a"), "turn").unwrap());
        assert_eq!(bed.revert(Which::Last).unwrap().skipped, ignored);
    }
}
