//! Threads that are opened again show what was on the screen before, in the same order.

use super::bed::{READY, be_read, calls_then, codex, count, exec, ready, ready_sized, says};
use super::terminal::{CTRL_C, CTRL_D, ENTER, Terminal};
use crate::support::World;

/// The rows of the transcript: from the first prompt to the last row before the prompt line.
fn cells(terminal: &Terminal) -> Vec<String> {
    let rows = terminal.rows();
    let from = rows.iter().position(|row| row.starts_with("› do it")).expect("the prompt is shown");
    let to = rows.iter().rposition(|row| row.starts_with('›')).unwrap();
    rows[from..to].iter().filter(|row| !row.is_empty()).cloned().collect()
}

#[test]
fn resume_shows_the_same_cells() {
    let world = World::new("");
    let calls = [
        "[[rule.output]]\ncommentary = 'I look around.'\n".to_owned(),
        exec("echo seen; exit 3"),
        exec("ls"),
        "[[rule.output]]\npatch = '''*** Begin Patch\n*** Add File: new.txt\n+one\n+two\n*** End Patch\n'''\n"
            .to_owned(),
        "[[rule.output]]\ncall = 'no_such_tool'\narguments = '{}'\n".to_owned(),
    ];
    world.backend.script(&calls_then(&calls.concat(), "That is **all**."));
    let args = ["-a", "never", "-s", "workspace-write"];
    let terminal = ready_sized(codex(&world).args(args), 100, 60);
    terminal.submit("do it now");
    terminal.until("That is all.");
    terminal.until(READY);
    terminal.submit("!echo mine; exit 4");
    terminal.until("You ran");
    terminal.until(READY);
    let before = cells(&terminal);
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
    let again = Terminal::with(
        codex(&world).args(["resume", "--last"]).args(args),
        super::terminal::Options { cols: 100, rows: 60, ..Default::default() },
    );
    again.until("You ran");
    again.until(READY);
    assert_eq!(cells(&again), before);
    again.submit("and then");
    again.until_that("an answer", |rows| count(rows, "That is all.") == 2);
    assert_eq!(world.rollouts().len(), 1);
    let sent = world.backend.requests().last().unwrap().to_string();
    for words in ["do it now", "echo mine", "and then"] {
        assert_eq!(sent.matches(words).count(), 1, "the model sees {words:?} once: {sent}");
    }
}

#[test]
fn the_picker_opens_a_thread() {
    let world = World::new(&says("the first answer"));
    let terminal = ready(&world);
    terminal.submit("a question to find");
    terminal.until("• the first answer");
    terminal.keys(CTRL_D);
    let told = terminal.end().restored().code(0);
    assert!(told.text().contains("codex resume "), "{}", told.text());
    assert!(told.text().contains("the first answer"), "{}", told.text());
    let again = Terminal::start(codex(&world).arg("resume"));
    again.until("a question to find");
    again.keys(ENTER);
    again.until("• the first answer");
}

#[test]
fn all_lists_the_threads_of_other_folders() {
    let world = World::new(&says("an answer from there"));
    let terminal = ready(&world);
    terminal.submit("a question asked there");
    terminal.until("• an answer from there");
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
    let other = world.root().join("other");
    std::fs::create_dir(&other).unwrap();
    let config = world.codex_home().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let trusted = format!("[projects.\"{}\"]\ntrust_level = \"trusted\"\n", other.display());
    std::fs::write(&config, text + &trusted).unwrap();
    let from_there = |args: &[&str]| Terminal::start(codex(&world).cwd(&other).arg("resume").args(args));
    from_there(&[]).until("No threads in this folder");
    let listed = from_there(&["--all"]);
    listed.until_that("the thread with its folder", |rows| {
        rows.iter().any(|row| row.contains("a question asked there") && row.ends_with("/project"))
    });
    assert!(listed.text().contains("Folder: all"), "{}", listed.text());
    listed.keys(ENTER);
    listed.until("Where to go on with this thread?");
    be_read();
    listed.keys("1");
    listed.until("• an answer from there");
    // One program writes a thread.
    listed.keys(CTRL_D);
    listed.end().restored().code(0);
    from_there(&["--last"]).until("no earlier thread was started in this folder");
    from_there(&["--last", "--all"]).until("Where to go on with this thread?");
}

#[test]
fn a_draft_survives_a_kill() {
    let world = World::new(&says("hello"));
    let terminal = ready(&world);
    terminal.keys("words nobody may lose");
    terminal.until("› words nobody may lose");
    let drafts = world.codex_home().join("tmp/drafts");
    let started = std::time::Instant::now();
    // The draft reaches the disk by itself, a moment after the last key.
    let kept = || {
        let files = std::fs::read_dir(&drafts).into_iter().flatten().flatten();
        let mut files = files.filter(|file| file.path().extension().is_some_and(|e| e == "json"));
        files.any(|file| std::fs::read_to_string(file.path()).is_ok_and(|text| text.contains("may lose")))
    };
    while !kept() {
        assert!(started.elapsed().as_secs() < 20, "no draft in {}", drafts.display());
        std::thread::yield_now();
    }
    terminal.signal("KILL");
    drop(terminal);
    let terminal = Terminal::start(codex(&world));
    terminal.until("› words nobody may lose");
}

#[test]
fn cleared_text_comes_back() {
    let world = World::new(&says("hello"));
    let terminal = ready(&world);
    terminal.keys("some text");
    terminal.until("› some text");
    terminal.keys(CTRL_C);
    terminal.until_gone("› some text");
    terminal.keys(super::terminal::UP);
    terminal.until("› some text");
}

#[test]
fn a_thread_that_is_not_there_costs_nothing() {
    let world = World::new(&says("still the same"));
    let terminal = ready_sized(codex(&world), 100, 50);
    terminal.submit("begin here");
    terminal.until("• still the same");
    terminal.until(READY);
    terminal.submit("/resume no-such-thread");
    terminal.until("no-such-thread`");
    terminal.until("› begin here");
    terminal.submit("and go on");
    terminal.until_that("an answer", |rows| count(rows, "still the same") == 2);
    assert_eq!(world.rollouts().len(), 1, "it went on in the thread before");
    terminal.until(READY);
    terminal.submit("/fork");
    terminal.until("You go on in a copy");
    assert_eq!(count(&terminal.rows(), "still the same"), 2, "nothing is shown twice");
    terminal.submit("in the copy");
    terminal.until_that("an answer", |rows| count(rows, "still the same") == 3);
    assert_eq!(world.rollouts().len(), 2);
}

/// Everything above the prompt line, header and all.
fn screen(terminal: &Terminal) -> Vec<String> {
    let rows = terminal.rows();
    let to = rows.iter().rposition(|row| row.starts_with('›')).expect("the prompt line");
    rows[..to].iter().filter(|row| !row.is_empty()).cloned().collect()
}

/// Waits until the thread's file tells these words: what a killed program cannot take back.
#[track_caller]
fn kept(world: &World, words: &str) {
    let started = std::time::Instant::now();
    let in_file = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap().contains(words);
    while !world.rollouts().iter().any(in_file) {
        assert!(started.elapsed().as_secs() < 20, "{words:?} is in no file");
        std::thread::yield_now();
    }
}

/// Waits until no draft on disk holds these words: one that was cleared is not brought back.
#[track_caller]
fn no_draft(world: &World, words: &str) {
    let started = std::time::Instant::now();
    let drafts = world.codex_home().join("tmp/drafts");
    let holds = |entry: std::fs::DirEntry| {
        std::fs::read_to_string(entry.path()).is_ok_and(|draft| draft.contains(words))
    };
    while std::fs::read_dir(&drafts).is_ok_and(|mut all| all.any(|entry| entry.is_ok_and(holds))) {
        assert!(started.elapsed().as_secs() < 20, "{words:?} is kept as a draft");
        std::thread::yield_now();
    }
}

fn big(codex: crate::support::Codex) -> Terminal {
    Terminal::with(codex, super::terminal::Options { cols: 100, rows: 90, ..Default::default() })
}

/// What the program itself said stays in its place: before the first turn, inside turns and between them.
#[test]
fn a_killed_thread_comes_back_with_every_line_that_was_seen() {
    let world = World::new("");
    let asked = "[[rule.output]]\nexec = 'echo asked > asked.txt'\n\
                 args = { sandbox_permissions = 'require_escalated', justification = 'I want to.' }\n";
    let patch = "[[rule.output]]\npatch = '''*** Begin Patch\n*** Add File: new.txt\n+one\n+two\n*** End Patch\n'''\n";
    let failing = "[[rule.output]]\ncommentary = 'I look first.'\n";
    world.backend.script(&calls_then(&[failing, asked, patch].concat(), "Done with it."));
    let args = ["-a", "on-request", "-s", "workspace-write"];
    let terminal = big(codex(&world).args(args));
    terminal.until(READY);
    terminal.submit("/pwd");
    terminal.until("/project");
    terminal.submit("do it now");
    terminal.until("Run this command?");
    super::bed::be_read();
    terminal.keys("y");
    terminal.until("Done with it.");
    terminal.until(READY);
    terminal.until("1 file +2 −0");
    terminal.submit("/status");
    terminal.until("Thread id:");
    terminal.keys("\x1b.");
    terminal.until("• Model: ");
    terminal.submit("!echo mine; exit 4");
    terminal.until("You ran");
    terminal.submit("/nonsense");
    terminal.until_that("the command is refused", |rows| {
        rows.iter().any(|row| row.starts_with("• ") && row.contains("nonsense"))
    });
    kept(&world, "nonsense");
    terminal.keys("\x15");
    terminal.until(READY);
    no_draft(&world, "nonsense");
    let before = screen(&terminal);
    terminal.signal("KILL");
    drop(terminal);
    let again = big(codex(&world).args(["resume", "--last"]).args(args));
    again.until("nonsense");
    again.until(READY);
    assert_eq!(screen(&again), before);
    let granted = before.iter().position(|row| row.starts_with("✔ You allowed it")).expect("the grant");
    let last = before.iter().position(|row| row.contains("Done with it.")).unwrap();
    assert!(granted < last, "{before:#?}");
    // The model hears of none of it.
    world.backend.script(&says("the end"));
    again.submit("and then");
    again.until("• the end");
    let sent = world.backend.requests().last().unwrap().to_string();
    assert!(!sent.contains("You allowed it") && !sent.contains("nonsense"), "{sent}");
}

#[test]
fn notes_go_with_a_fork_and_with_what_is_taken_back() {
    let world = World::new(&says("the answer"));
    let terminal = big(codex(&world));
    terminal.until(READY);
    terminal.submit("first words");
    terminal.until("• the answer");
    terminal.until(READY);
    terminal.submit("/fork");
    terminal.until("You go on in a copy");
    terminal.submit("second words");
    terminal.until_that("two answers", |rows| count(rows, "• the answer") == 2);
    terminal.until(READY);
    terminal.submit("/pwd");
    terminal.until_that("the folder", |rows| {
        rows.iter().any(|row| row.starts_with("• ") && row.ends_with("/project"))
    });
    terminal.keys("\x1b");
    terminal.until("again");
    terminal.keys("\x1b");
    terminal.until("enter go back");
    terminal.keys(ENTER);
    terminal.until("Went back");
    terminal.keys("\x15");
    terminal.until(READY);
    let before = screen(&terminal);
    let gone =
        |row: &String| row.contains("second words") || (row.starts_with("• ") && row.ends_with("/project"));
    assert!(!before.iter().any(gone), "{before:#?}");
    assert_eq!(count(&before, "first words"), 1, "a copy shows its past once: {before:#?}");
    kept(&world, "Went back");
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
    let again = big(codex(&world).args(["resume", "--last"]));
    again.until("Went back");
    again.until(READY);
    assert_eq!(screen(&again), before);
}

/// It has its line in the file when it ends; it is shown where it began.
#[test]
fn a_command_of_the_user_that_ends_later_keeps_its_place() {
    let world = World::new("");
    let gate = world.root().join("gate");
    let args = ["-a", "never", "-s", "workspace-write"];
    let terminal = ready_sized(codex(&world).args(args), 100, 50);
    world.backend.script(&calls_then(&exec("echo worked"), "The first answer"));
    terminal.submit("do it first");
    terminal.until("• The first answer");
    terminal.until(READY);
    let wait = format!("until test -e {}; do sleep 0.02; done; echo mine", gate.display());
    terminal.submit(&format!("!{wait}"));
    terminal.until("• Running until");
    world.backend.script(&calls_then(&exec("echo again"), "The second answer"));
    terminal.submit("then this");
    terminal.until("• The second answer");
    std::fs::write(&gate, "").unwrap();
    terminal.until("You ran until");
    terminal.until(READY);
    let before = cells(&terminal);
    let at = |words: &str| before.iter().position(|row| row.contains(words)).unwrap();
    assert!(at("The first answer") < at("You ran") && at("You ran") < at("then this"), "{before:#?}");
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
    let again = ready_sized(codex(&world).args(["resume", "--last"]).args(args), 100, 50);
    again.until("• The second answer");
    assert_eq!(cells(&again), before);
}

/// What a run without a screen was warned of is there when its thread is opened.
#[test]
fn warnings_of_exec_are_shown_by_resume() {
    let world =
        World::new("[[rule]]\nheaders = { openai-model = 'gpt-other' }\noutput = [{ text = 'an answer' }]\n");
    let first = world.exec(&["do it"]).run();
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let id = first.events()[0]["thread_id"].as_str().unwrap().to_owned();
    let terminal = ready_sized(codex(&world).args(["resume", &id]), 100, 40);
    terminal.until("• an answer");
    let rows = cells(&terminal);
    assert_eq!(count(&rows, "⚠ The service answers with gpt-other instead of"), 1, "{rows:#?}");
}
