//! Undo of whole turns through the real binary: what a script and a patch did, without git, and what was touched since.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::World;
use crate::tui::bed::{calls_then, exec};

/// A turn that changes files by a script and by a patch.
fn changed() -> World {
    let patch = "[[rule.output]]\npatch = '''*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+patched\n*** End Patch\n'''\n";
    let script = exec("sed -i s/two/script/ b.txt; rm c.txt; mkdir made; echo new > made/d.txt");
    let world = World::new(&calls_then(&format!("{patch}{script}"), "done"));
    fs::remove_dir_all(world.project().join(".git")).unwrap();
    for (name, text) in [("a.txt", "one\n"), ("b.txt", "two\n"), ("c.txt", "three\n")] {
        fs::write(world.project().join(name), text).unwrap();
    }
    let run = world.exec(&["--skip-git-repo-check", "-s", "workspace-write", "change them"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(files(&world), ["a.txt patched", "b.txt script", "made/d.txt new"]);
    world
}

fn files(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["a.txt", "b.txt", "c.txt", "made/d.txt"] {
        if let Ok(text) = fs::read_to_string(world.project().join(name)) {
            found.push(format!("{name} {}", text.trim_end()));
        }
    }
    found
}

#[test]
fn a_turn_is_taken_back_and_brought_again() {
    let world = changed();
    let dry = world.codex().args(["undo", "--dry-run"]).run();
    assert_eq!(dry.code, Some(0), "{}{}", dry.stdout, dry.stderr);
    for line in ["Turn 1: would be taken back", "restored  a.txt", "restored  c.txt", "removed   made/d.txt"]
    {
        assert!(dry.stdout.contains(line), "{line}: {}", dry.stdout);
    }
    assert_eq!(files(&world).len(), 3);
    let undo = world.codex().args(["undo"]).run();
    assert_eq!(undo.code, Some(0), "{}{}", undo.stdout, undo.stderr);
    assert_eq!(files(&world), ["a.txt one", "b.txt two", "c.txt three"]);
    assert!(!world.project().join("made").exists());
    let again = world.codex().args(["undo"]).run();
    assert!(again.code == Some(1) && again.stderr.contains("no turn"), "{}", again.stderr);
    assert_eq!(world.codex().args(["undo", "--redo"]).run().code, Some(0));
    assert_eq!(files(&world), ["a.txt patched", "b.txt script", "made/d.txt new"]);
}

#[test]
fn edits_after_the_turn_stay_and_are_named() {
    let world = changed();
    fs::write(world.project().join("b.txt"), "mine\n").unwrap();
    let undo = world.codex().args(["undo", "--turn", "1"]).run();
    assert_eq!(undo.code, Some(1), "{}", undo.stderr);
    assert!(undo.stdout.contains("left      b.txt (changed since)"), "{}", undo.stdout);
    assert_eq!(files(&world), ["a.txt one", "b.txt mine", "c.txt three"]);
}

#[test]
fn folders_that_were_added_come_back_with_the_turn() {
    let world = World::new("");
    let other = world.root().join("other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("x"), "before").unwrap();
    let script = format!("echo after > {0}/x; echo new > {0}/y; echo z > z.txt", other.display());
    world.backend.script(&calls_then(&exec(&script), "done"));
    let shown = other.display().to_string();
    let run = world.exec(&["-s", "workspace-write", "--add-dir", &shown, "change them"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(other.join("y").exists());
    let undo = world.codex().args(["undo"]).run();
    assert_eq!(undo.code, Some(0), "{}{}", undo.stdout, undo.stderr);
    for line in ["removed   z.txt".to_owned(), format!("restored  {shown}/x"), format!("removed   {shown}/y")]
    {
        assert!(undo.stdout.contains(&line), "{line}: {}", undo.stdout);
    }
    assert_eq!(fs::read_to_string(other.join("x")).unwrap(), "before");
    assert!(!other.join("y").exists() && !world.project().join("z.txt").exists());
}

#[test]
fn an_ephemeral_thread_keeps_nothing() {
    let world = World::new(&calls_then(&exec("echo x > x.txt"), "done"));
    let run = world.exec(&["--ephemeral", "-s", "workspace-write", "write it"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(!world.codex_home().join("undo").exists());
}

#[test]
fn a_turn_that_was_killed_can_be_taken_back() {
    let world = World::new(&calls_then(&exec("echo turn > a.txt; echo new > made.txt; sleep 600"), "done"));
    fs::write(world.project().join("a.txt"), "one\n").unwrap();
    let running = world.exec(&["-s", "workspace-write", "change them"]).start();
    let made = world.project().join("made.txt");
    let begun = Instant::now();
    while !fs::read_to_string(&made).is_ok_and(|text| text == "new\n") {
        assert!(begun.elapsed() < Duration::from_secs(60), "the command never ran");
        std::thread::yield_now();
    }
    running.kill();
    let dry = world.codex().args(["undo", "--turn", "1", "--dry-run"]).run();
    assert_eq!(dry.code, Some(0), "{}{}", dry.stdout, dry.stderr);
    for line in ["restored  a.txt", "removed   made.txt", "The program was killed in this turn"] {
        assert!(dry.stdout.contains(line), "{line}: {}", dry.stdout);
    }
    assert_eq!(world.codex().args(["undo"]).run().code, Some(0));
    assert_eq!(fs::read_to_string(world.project().join("a.txt")).unwrap(), "one\n");
    assert!(!made.exists());
}

#[test]
fn the_turns_of_a_folder_are_listed_by_the_numbers_that_undo_takes() {
    let world = changed();
    let list = |world: &World| world.codex().args(["undo", "--list"]).run();
    let one = list(&world);
    assert_eq!(one.code, Some(0), "{}", one.stderr);
    assert!(one.stdout.starts_with("   1  ") && one.stdout.contains("a.txt and 3 more"), "{}", one.stdout);
    assert_eq!(world.codex().args(["undo", "--turn", "1"]).run().code, Some(0));
    assert!(list(&world).stdout.trim_end().ends_with("(taken back)"));
    let empty = World::new("");
    let none = list(&empty);
    assert!(none.code == Some(1) && none.stderr.contains("no turn"), "{}", none.stderr);
}

#[test]
fn a_turn_that_could_not_be_kept_is_told_and_no_earlier_one_is_meant_instead() {
    let world = changed();
    let stores = fs::read_dir(world.codex_home().join("undo")).unwrap().flatten();
    let held: Vec<fs::File> = stores
        .filter(|store| store.path().join("1.turn").exists())
        .map(|store| fs::File::open(store.path().join("lock")).unwrap())
        .inspect(|lock| lock.lock().unwrap())
        .collect();
    assert_eq!(held.len(), 1);
    world.backend.script(&calls_then(&exec("echo lost > lost.txt"), "done"));
    let run = world.exec(&["--skip-git-repo-check", "-s", "workspace-write", "change more"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told = "What this turn changes cannot be taken back by undo: another program held";
    assert_eq!(run.stdout.matches(told).count(), 1, "{}", run.stdout);
    drop(held);
    for arguments in [&["undo"][..], &["undo", "--dry-run"]] {
        let undo = world.codex().args(arguments).run();
        assert_eq!(undo.code, Some(1), "{}{}", undo.stdout, undo.stderr);
        for words in ["was not kept: another program held", "turn 1", "codex undo --turn 1"] {
            assert!(undo.stderr.contains(words), "{words}: {}", undo.stderr);
        }
    }
    assert_eq!(files(&world), ["a.txt patched", "b.txt script", "made/d.txt new"]);
    // A later turn that is kept is the last one, and the gap stands behind it.
    world.backend.script(&calls_then(&exec("echo kept > kept.txt"), "done"));
    let run = world.exec(&["--skip-git-repo-check", "-s", "workspace-write", "change more"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(world.codex().args(["undo"]).run().code, Some(0));
    assert!(!world.project().join("kept.txt").exists());
    assert_eq!(world.codex().args(["undo"]).run().code, Some(1));
    assert_eq!(world.codex().args(["undo", "--turn", "1"]).run().code, Some(0));
    assert_eq!(files(&world), ["a.txt one", "b.txt two", "c.txt three"]);
    assert!(world.project().join("lost.txt").exists());
}
