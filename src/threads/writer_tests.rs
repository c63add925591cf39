//! Files come with their first line; what cannot be written waits; a killed program loses nothing it was told is
//! stored.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::*;
use crate::base::clock::SystemClock;
use crate::threads::file::SESSIONS;
use crate::threads::index::{self, Found};
use crate::threads::load::load;
use crate::threads::samples::{Noon, thread, user};

#[test]
fn the_file_comes_with_the_first_line_and_is_private() {
    let home = tempfile::tempdir().unwrap();
    let id = ThreadId::new();
    let mut writer = Writer::create(home.path(), thread(id), Arc::new(SystemClock));
    assert!(writer.path().is_none() && writer.flush().unwrap().is_none());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "a thread nobody used leaves nothing");
    writer.turn_started(TurnId::new(), None).unwrap();
    let path = writer.path().unwrap().to_owned();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    for dir in path.ancestors().skip(1).take_while(|dir| *dir != home.path()) {
        assert_eq!(mode(dir), 0o700, "{}", dir.display());
    }
    writer.flush().unwrap().unwrap().run().unwrap();
    let found = index::find(home.path(), id).unwrap();
    assert_eq!(found, Found { id, path, archived: false });
}

#[test]
fn an_fsync_covers_what_is_new_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let clock = || -> Arc<dyn Clock> { Arc::new(Noon) };
    let mut first = Writer::create(home.path(), thread(ThreadId::new()), clock());
    first.turn_started(TurnId::new(), None).unwrap();
    let day = first.path().unwrap().parent().unwrap().to_owned();
    let all: Vec<_> = day.ancestors().take(5).map(Path::to_owned).collect();
    assert_eq!(all.last().unwrap(), home.path());
    assert_eq!(first.flush().unwrap().unwrap().dirs, all, "every folder is new");
    assert!(first.flush().unwrap().is_none(), "nothing was written since");
    first.turn_started(TurnId::new(), None).unwrap();
    assert!(first.flush().unwrap().unwrap().dirs.is_empty(), "the file only");
    let mut second = Writer::create(home.path(), thread(ThreadId::new()), clock());
    second.turn_started(TurnId::new(), None).unwrap();
    assert_eq!(second.flush().unwrap().unwrap().dirs, [day], "its own name only");
}

#[test]
fn an_ephemeral_thread_leaves_nothing() {
    let mut writer = Writer::ephemeral(Arc::new(Noon));
    writer.turn_started(TurnId::new(), None).unwrap();
    writer.model_item(&user("hi")).unwrap();
    assert!(writer.path().is_none() && writer.flush().unwrap().is_none());
}

#[test]
fn a_second_writer_is_told_which_thread_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let id = ThreadId::new();
    let mut first = Writer::create(home.path(), thread(id), Arc::new(Noon));
    first.model_item(&user("hi")).unwrap();
    let path = first.path().unwrap().to_owned();
    let second = Writer::reopen(home.path(), id, &path, Arc::new(Noon));
    assert!(matches!(second, Err(Error::InUse { id: taken }) if taken == id));
    drop(first);
    let (mut third, mended) = Writer::reopen(home.path(), id, &path, Arc::new(Noon)).unwrap();
    assert_eq!(mended, Mended::Nothing);
    third.model_item(&user("again")).unwrap();
    assert_eq!(load(home.path(), &path).unwrap().history.len(), 2);
}

#[test]
fn a_torn_end_is_mended_before_the_next_line() {
    let home = tempfile::tempdir().unwrap();
    let id = ThreadId::new();
    let mut writer = Writer::create(home.path(), thread(id), Arc::new(Noon));
    writer.model_item(&user("one")).unwrap();
    writer.model_item(&user("two")).unwrap();
    let path = writer.path().unwrap().to_owned();
    drop(writer);
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for cut in last..=whole.len() {
        for tail in [&b""[..], b"\0\0\0"] {
            fs::write(&path, [&whole[..cut], tail].concat()).unwrap();
            let (mut writer, mended) = Writer::reopen(home.path(), id, &path, Arc::new(Noon)).unwrap();
            writer.model_item(&user("three")).unwrap();
            let want = match (cut == whole.len(), cut == whole.len() - 1, cut == last, tail.is_empty()) {
                (true, _, _, true) | (_, _, true, true) => Mended::Nothing,
                (_, true, _, true) => Mended::Ended,
                (true, _, _, false) => Mended::Cut { bytes: 3 },
                _ => Mended::Cut { bytes: (cut - last + tail.len()) as u64 },
            };
            assert_eq!(mended, want, "cut at {cut}, {tail:?} after it");
            let loaded = load(home.path(), &path).unwrap();
            let two = usize::from(cut == whole.len() || (cut == whole.len() - 1 && tail.is_empty()));
            assert_eq!((loaded.history.len(), loaded.problems.count), (2 + two, 0), "cut at {cut}");
        }
    }
}

#[test]
fn lines_wait_for_the_disk_and_go_out_in_order() {
    let home = tempfile::tempdir().unwrap();
    // A file stands where the folder should be: nothing can be created.
    let obstacle = home.path().join(SESSIONS);
    fs::write(&obstacle, b"").unwrap();
    let mut writer = Writer::create(home.path(), thread(ThreadId::new()), Arc::new(Noon));
    assert!(matches!(writer.model_item(&user("one")), Err(Error::Io { .. })));
    assert!(matches!(writer.model_item(&user("two")), Err(Error::Io { .. })));
    assert!(writer.unsaved() > 0 && writer.flush().is_err());
    fs::remove_file(&obstacle).unwrap();
    writer.model_item(&user("three")).unwrap();
    assert_eq!(writer.unsaved(), 0);
    let loaded = load(home.path(), writer.path().unwrap()).unwrap();
    let texts: Vec<_> =
        loaded.history.iter().map(|item| super::super::classify::message_of(&item.json).text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

#[test]
fn a_full_disk_is_told_and_the_queue_is_bounded() {
    let home = tempfile::tempdir().unwrap();
    let (mut writer, _) =
        Writer::reopen(home.path(), ThreadId::new(), Path::new("/dev/full"), Arc::new(Noon)).unwrap();
    let big = user(&"x".repeat(6 << 20));
    assert!(matches!(writer.model_item(&big), Err(Error::Io { .. })));
    assert!(matches!(writer.model_item(&big), Err(Error::Io { .. })));
    let before = writer.unsaved();
    assert!(matches!(writer.model_item(&big), Err(Error::QueueFull { .. })));
    assert_eq!(writer.unsaved(), before, "what waits stays");
}

/// Not a test of its own: the program that [`killed_at_any_moment`] kills.
#[test]
#[ignore = "run by killed_at_any_moment"]
fn child_that_is_killed() {
    let home = Path::new(".");
    let Ok(id) = fs::read_to_string(home.join("child")) else { return };
    let mut writer = Writer::create(home, thread(id.parse().unwrap()), Arc::new(SystemClock));
    for n in 0.. {
        writer.model_item(&user(&format!("{n} {}", "x".repeat(n % 5000)))).unwrap();
        println!("\nwrote {n}");
    }
}

#[test]
fn killed_at_any_moment() {
    for stop_at in [0, 1, 50, 777] {
        let home = tempfile::tempdir().unwrap();
        let id = ThreadId::new();
        fs::write(home.path().join("child"), id.to_string()).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "threads::writer::tests::child_that_is_killed", "--ignored", "--nocapture"])
            .current_dir(home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines.filter_map(|line| line.unwrap().strip_prefix("wrote ")?.parse().ok());
        let told: usize = told.take_while(|n: &usize| *n <= stop_at).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let path = index::find(home.path(), id).unwrap().path;
        let (mut writer, _) = Writer::reopen(home.path(), id, &path, Arc::new(SystemClock)).unwrap();
        writer.model_item(&user("goes on")).unwrap();
        let loaded = load(home.path(), &path).unwrap();
        assert_eq!(loaded.problems.count, 0);
        let count = loaded.history.len() - 1;
        assert!(count > told, "{count} lines are there, {told} and more were promised");
        for (n, item) in loaded.history[..count].iter().enumerate() {
            assert!(item.json.get().contains(&format!("\"{n} ")), "line {n} is in its place");
        }
    }
}
