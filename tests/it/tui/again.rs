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
