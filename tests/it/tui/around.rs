//! What a start finds around it: the thread used last here, a thread of another folder, credentials that cannot be read.

use std::fs;

use super::bed::{READY, be_read, calls_then, codex, exec, ready, says};
use super::terminal::{CTRL_D, Terminal};
use crate::support::World;

const F5: &str = "\x1b[15~";

#[test]
fn an_empty_conversation_offers_the_last_thread_and_one_key_resumes_it() {
    let world = World::new(&says("the first answer"));
    world.codex().args(["exec", "a question to go on with"]).run().expect(0);
    fs::write(world.project().join("fresh.txt"), "new").unwrap();
    let terminal = ready(&world);
    terminal.until("a question to go on with · ");
    terminal.until("new on ");
    assert!(terminal.text().contains("f5 resumes it"), "{}", terminal.text());
    terminal.keys(F5);
    terminal.until("• the first answer");
    assert_eq!(world.rollouts().len(), 1);
}

#[test]
fn only_looking_is_read_only_whatever_is_configured() {
    let world = World::new("");
    world.backend.script(&calls_then(&exec("touch made.txt"), "tried it"));
    let config = world.codex_home().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let untrusted = text.split("[projects").next().unwrap();
    fs::write(&config, format!("sandbox_mode = \"workspace-write\"\n{untrusted}")).unwrap();
    let terminal = Terminal::start(codex(&world).args(["-a", "never"]));
    terminal.until("Workspace: this folder is writable, network off; never asks.");
    terminal.until("Read only: nothing is writable, network off; never asks.");
    be_read();
    terminal.keys("2");
    terminal.until(READY);
    terminal.submit("make a file");
    terminal.until("• tried it");
    assert!(!world.project().join("made.txt").exists(), "{}", terminal.text());
}

#[test]
fn a_thread_of_another_folder_goes_on_where_the_user_says() {
    let world = World::new(&says("an answer from there"));
    let terminal = ready(&world);
    terminal.submit("a question asked there");
    terminal.until("• an answer from there");
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
    let other = world.root().join("other");
    fs::create_dir(&other).unwrap();
    let config = world.codex_home().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}[projects.\"{}\"]\ntrust_level = \"trusted\"\n", other.display()))
        .unwrap();
    world.backend.script(&calls_then(&exec("touch went_on.txt"), "touched it"));
    let last = |args: &[&str]| {
        Terminal::start(codex(&world).cwd(&other).args(["resume", "--last", "--all"]).args(args))
    };
    let terminal = last(&["touch a file"]);
    terminal.until("Where to go on with this thread?");
    be_read();
    terminal.keys("2");
    terminal.until("• touched it");
    assert!(world.project().join("went_on.txt").exists() && !other.join("went_on.txt").exists());
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
    let here = other.display().to_string();
    let terminal = last(&["-C", &here]);
    terminal.until("• an answer from there");
    assert!(!terminal.text().contains("Where to go on"), "{}", terminal.text());
}

#[test]
fn a_prompt_for_a_thread_that_does_not_open_comes_back() {
    let world = World::new(&says("hello"));
    let nobody = "01a00000-0000-7000-8000-000000000000";
    let terminal = Terminal::start(codex(&world).args(["resume", nobody, "words nobody may lose"]));
    terminal.until("no thread is called");
    terminal.until("› words nobody may lose");
    terminal.keys("\x03");
    terminal.submit("/new");
    terminal.until(READY);
    assert!(world.backend.requests().is_empty(), "nothing goes to the next thread by itself");
}

#[test]
fn credentials_that_are_no_file_are_named() {
    let world = World::new(&says("hello"));
    let config = world.codex_home().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let trust = text.find("[projects").map(|at| text.split_at(at).1).unwrap_or_default();
    fs::write(&config, trust).unwrap();
    let file = world.codex_home().join("auth.json");
    let _ = fs::remove_file(&file);
    fs::create_dir(&file).unwrap();
    let terminal = Terminal::start(codex(&world));
    terminal.until("auth.json");
    terminal.until("Move it away or mend it");
    assert!(terminal.text().contains("Sign in with ChatGPT"), "{}", terminal.text());
}
