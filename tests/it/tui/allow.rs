//! What an answer is good for: rules that it writes, and what is not asked again.

use std::fs;

use super::bed::{READY, be_read, calls_then, codex, exec, ready_with};
use super::terminal::Terminal;
use crate::support::World;

const QUESTION: &str = "Run this command?";

/// A command that asks to leave the sandbox.
fn leaving(command: &str) -> String {
    format!(
        "[[rule.output]]\nexec = '''{command}'''\nargs = {{ sandbox_permissions = 'require_escalated', login = false }}\n"
    )
}

fn start(world: &World) -> Terminal {
    ready_with(codex(world).args(["-a", "on-request", "-s", "workspace-write"]))
}

/// The same, with the folder of [`elsewhere`] open to commands from the start, for their temporary files.
fn start_beside(world: &World) -> Terminal {
    elsewhere(world);
    let folder = world.root().join("elsewhere");
    ready_with(codex(world).args(["-a", "on-request", "-s", "workspace-write"]).env("TMPDIR", folder))
}

/// A file outside the workspace, so that running it needs no path of the project.
fn elsewhere(world: &World) -> String {
    let dir = world.root().join("elsewhere");
    fs::create_dir_all(&dir).unwrap();
    dir.join("mark").display().to_string()
}

#[test]
fn the_question_shows_effects_and_always_makes_a_rule() {
    let world = World::new("");
    let mark = elsewhere(&world);
    world.backend.script(&calls_then(&leaving(&format!("true && touch {mark}")), "it ran"));
    let terminal = start_beside(&world);
    terminal.resize(120, 40);
    terminal.submit("touch it");
    terminal.until(QUESTION);
    let dense: String = terminal.text().split_whitespace().collect();
    assert!(dense.contains("Leavesthesandboxtouch") && dense.contains(&format!("Writes{mark}")), "{dense}");
    assert!(
        dense.contains(&format!("prefix_rule(pattern=[\"touch\",\"{mark}\"],decision=\"allow\")")),
        "{dense}"
    );
    be_read();
    terminal.keys("p");
    terminal.until("• it ran");
    let written = fs::read_to_string(world.codex_home().join("rules/default.rules")).unwrap();
    assert!(
        written.ends_with(&format!("prefix_rule(pattern=[\"touch\", \"{mark}\"], decision=\"allow\")\n"))
    );
    // Neither this thread nor another one asks again.
    for () in [(), ()] {
        fs::remove_file(&mark).unwrap();
        let terminal = start_beside(&world);
        terminal.submit("again");
        terminal.until("• it ran");
        assert!(fs::exists(&mark).unwrap());
    }
}

#[test]
fn a_rule_of_the_project_is_kept_with_the_users_files() {
    let world = World::new(&calls_then(&leaving("./tool.sh a"), "it ran"));
    let tool = world.project().join("tool.sh");
    fs::write(&tool, format!("#!/bin/sh\ntouch {}\n", elsewhere(&world))).unwrap();
    fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let terminal = start(&world);
    terminal.submit("run it");
    terminal.until("in this project");
    assert!(!terminal.text().contains("Yes, always"), "a relative path means something else elsewhere");
    be_read();
    terminal.keys("t");
    terminal.until("• it ran");
    assert!(fs::exists(elsewhere(&world)).unwrap());
    let files: Vec<_> = fs::read_dir(world.codex_home().join("rules/projects")).unwrap().collect();
    let text = fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    assert!(text.contains("prefix_rule(pattern=[\"./tool.sh\", \"a\"], decision=\"allow\")"), "{text}");
    assert!(!world.project().join(".codex").exists());
}

#[test]
fn what_the_session_allows_is_not_asked_again_beside_other_commands() {
    let world = World::new("");
    let mark = elsewhere(&world);
    let (first, second) = (leaving(&format!("touch {mark}")), leaving(&format!("echo x && touch {mark}")));
    world.backend.script(&calls_then(&first, "it ran"));
    let terminal = start_beside(&world);
    terminal.submit("touch it");
    terminal.until(QUESTION);
    be_read();
    terminal.keys("a");
    terminal.until("• it ran");
    fs::remove_file(&mark).unwrap();
    world.backend.script(&calls_then(&second, "it ran again"));
    terminal.submit("once more");
    terminal.until("• it ran again");
    assert!(fs::exists(&mark).unwrap());
}

#[test]
fn a_deletion_inside_the_workspace_is_no_question() {
    let world = World::new(&calls_then(&exec("rm -rf build"), "it is gone"));
    fs::create_dir_all(world.project().join("build/x")).unwrap();
    let terminal = start(&world);
    terminal.submit("clean");
    terminal.until("• it is gone");
    assert!(!world.project().join("build").exists());
}

#[test]
fn undo_and_redo_from_the_prompt() {
    let world = World::new(&calls_then(&exec("echo made > made.txt"), "it ran"));
    let terminal = start(&world);
    terminal.submit("make it");
    terminal.until("• it ran");
    terminal.until(READY);
    let made = world.project().join("made.txt");
    assert!(made.exists());
    terminal.submit("/undo");
    terminal.until("taken back");
    assert!(!made.exists());
    terminal.submit("/redo");
    terminal.until("brought again");
    assert!(made.exists());
}

#[test]
fn what_a_command_writes_after_its_turn_has_a_number_of_its_own() {
    let late = "echo early > early.txt; cat go; echo late > late.txt; echo done > done";
    let call = format!("{}args = {{ login = false, yield_time_ms = 250 }}\n", exec(late));
    let world = World::new(&calls_then(&call, "it goes on"));
    let at = |name: &str| world.project().join(name);
    let made = std::process::Command::new("mkfifo").args([at("go"), at("done")]).status().unwrap();
    assert!(made.success());
    let terminal = start(&world);
    terminal.submit("begin");
    terminal.until("• it goes on");
    terminal.until(READY);
    assert!(at("early.txt").exists() && !at("late.txt").exists());
    // Both wait for the command at the other end.
    fs::write(at("go"), "go").unwrap();
    assert_eq!(fs::read_to_string(at("done")).unwrap(), "done\n");
    terminal.submit("/exit");
    terminal.end().code(0);
    let undo = |turn: &str| world.codex().args(["undo", "--turn", turn]).run();
    let first = undo("1");
    assert!(
        first.stdout.contains("removed   early.txt") && !first.stdout.contains("late.txt"),
        "{}",
        first.stdout
    );
    assert!(!at("early.txt").exists() && at("late.txt").exists());
    let between = undo("2");
    assert!(between.stdout.contains("made after turn 1"), "{}", between.stdout);
    assert!(between.stdout.contains("removed   late.txt"), "{}", between.stdout);
    assert!(!at("late.txt").exists());
}

/// A workspace that holds nothing but the project.
fn start_narrow(world: &World, approval: &str) -> Terminal {
    let terminal = ready_with(codex(world).args([
        "-a",
        approval,
        "-s",
        "workspace-write",
        "-c",
        "sandbox_workspace_write.exclude_slash_tmp=true",
        "-c",
        "sandbox_workspace_write.exclude_tmpdir_env_var=true",
    ]));
    terminal.resize(140, 45);
    terminal
}

#[test]
fn after_a_denial_the_one_place_can_be_opened() {
    let world = World::new("");
    let mark = elsewhere(&world);
    world.backend.script(&calls_then(&exec(&format!("touch {mark}")), "it ran"));
    let terminal = start_narrow(&world, "on-failure");
    terminal.submit("touch it");
    terminal.until(QUESTION);
    let dense: String = terminal.text().split_whitespace().collect();
    let folder = world.root().join("elsewhere").display().to_string();
    assert!(dense.contains("Wasrefused") && dense.contains(&format!("writein{folder}")), "{dense}");
    assert!(!fs::exists(&mark).unwrap());
    be_read();
    terminal.keys("o");
    terminal.until("• it ran");
    assert!(fs::exists(&mark).unwrap());
    // The place is open now, everything else is as closed as before, and the model knows.
    world.backend.script(&calls_then(&exec(&format!("touch {mark}2; touch {folder}3")), "once more"));
    terminal.until(READY);
    terminal.submit("again");
    terminal.until(QUESTION);
    be_read();
    terminal.keys("d");
    terminal.until("• once more");
    assert!(fs::exists(format!("{mark}2")).unwrap() && !fs::exists(format!("{folder}3")).unwrap());
    let told = world.backend.requests().last().unwrap().to_string();
    assert!(told.contains("<allowed_by_user>") && told.contains(&format!("write in {folder}")), "{told}");
}

/// A command that asks to leave, in a call of its own.
fn leaves(command: &str) -> String {
    format!("{}args = {{ sandbox_permissions = 'require_escalated', login = false }}\n", exec(command))
}

#[test]
fn an_open_place_is_open_to_every_command_and_every_start() {
    for (key, table) in [("t", "projects"), ("p", "sandbox_workspace_write")] {
        let world = World::new("");
        let mark = elsewhere(&world);
        let folder = world.root().join("elsewhere").display().to_string();
        world.backend.script(&calls_then(&exec(&format!("touch {mark}")), "it ran"));
        let terminal = start_narrow(&world, "on-failure");
        terminal.submit("touch it");
        terminal.until(QUESTION);
        let dense: String = terminal.text().split_whitespace().collect();
        assert!(dense.contains(&format!("\"{folder}\"inwritable_rootsof[projects.")), "{dense}");
        assert!(dense.contains(&format!("of[{table}")), "{dense}");
        be_read();
        terminal.keys(key);
        terminal.until("• it ran");
        let config = fs::read_to_string(world.codex_home().join("config.toml")).unwrap();
        assert!(config.contains(&format!("writable_roots = [\"{folder}\"]")), "{config}");
        assert!(config.contains(&format!("[{table}")), "{config}");
        // What it is about is open now: another command that asks to leave for it needs nobody's word.
        for (n, terminal) in [terminal, start_narrow(&world, "on-request")].into_iter().enumerate() {
            world.backend.script(&calls_then(&leaves(&format!("cp {mark} {mark}{n}")), "copied"));
            terminal.until(READY);
            terminal.submit("copy it");
            terminal.until("• copied");
            assert!(fs::exists(format!("{mark}{n}")).unwrap());
            terminal.until(READY);
            terminal.submit("/permissions");
            terminal.until("What may codex do");
            let dense: String = terminal.text().split_whitespace().collect();
            assert!(dense.contains(&format!("write:{},{folder}", world.project().display())), "{dense}");
        }
    }
}

#[test]
fn what_is_open_in_the_project_is_open_in_its_folders() {
    let world = World::new("");
    let mark = elsewhere(&world);
    let below = world.project().join("below");
    fs::create_dir(&below).unwrap();
    world.backend.script(&calls_then(&leaves(&format!("touch {mark}")), "it ran"));
    let terminal = start_narrow(&world, "on-request");
    terminal.submit("touch it");
    // Nothing failed before: the words name the one place, and a rule is the greater favour.
    terminal.until(QUESTION);
    let dense: String = terminal.text().split_whitespace().collect();
    assert!(dense.contains("1.Yes,inside,andwritein"), "{dense}");
    assert!(dense.contains("7.Yes,always,outsidethesandbox"), "{dense}");
    terminal.resize(120, 40);
    be_read();
    terminal.keys("t");
    terminal.until("• it ran");
    terminal.until("elsewhere from now on in this project");
    for folder in [world.project(), below] {
        fs::remove_file(&mark).unwrap();
        let folder = folder.display().to_string();
        let more = "sandbox_workspace_write.exclude_slash_tmp=true";
        let args = ["-a", "on-request", "-s", "workspace-write", "-c", more, "-C", &folder];
        let terminal = ready_with(codex(&world).args(args));
        terminal.submit("touch it");
        terminal.until("• it ran");
        assert!(fs::exists(&mark).unwrap(), "{folder}");
    }
}

#[test]
fn where_everything_is_asked_about_a_rule_spares_the_question_and_keeps_the_sandbox() {
    for (key, file) in [("t", "rules/sandboxed/projects"), ("p", "rules/sandboxed/default.rules")] {
        let world = World::new("");
        let mark = elsewhere(&world);
        world.backend.script(&calls_then(&exec(&format!("touch made {mark}")), "it ran"));
        let terminal = start_narrow(&world, "untrusted");
        terminal.submit("touch it");
        terminal.until("in the sandbox only");
        be_read();
        terminal.keys(key);
        terminal.until("• it ran");
        assert!(fs::exists(world.codex_home().join(file)).unwrap());
        fs::remove_file(world.project().join("made")).unwrap();
        let terminal = start_narrow(&world, "untrusted");
        terminal.submit("touch it");
        terminal.until("• it ran");
        assert!(fs::exists(world.project().join("made")).unwrap() && !fs::exists(&mark).unwrap());
    }
}

#[test]
fn a_patch_outside_offers_its_folder() {
    let world = World::new("");
    let mark = elsewhere(&world);
    let patch = |name: &str| {
        let text = format!("*** Begin Patch\n*** Add File: {mark}{name}\n+One\n*** End Patch\n");
        format!("[[rule.output]]\npatch = {}\n", serde_json::json!(text))
    };
    world.backend.script(&calls_then(&patch("1"), "patched"));
    let terminal = start_narrow(&world, "on-request");
    terminal.submit("patch it");
    terminal.until("Make this change?");
    be_read();
    terminal.keys("o");
    terminal.until("• patched");
    // Neither another patch nor a command there is asked about.
    world.backend.script(&calls_then(&(patch("2") + &exec(&format!("touch {mark}3"))), "and more"));
    terminal.until(READY);
    terminal.submit("more");
    terminal.until("• and more");
    assert!(["1", "2", "3"].iter().all(|name| fs::exists(format!("{mark}{name}")).unwrap()));
    let config = fs::read_to_string(world.codex_home().join("config.toml")).unwrap_or_default();
    assert!(!config.contains("elsewhere"), "{config}");
}

#[test]
fn what_fails_in_an_open_place_is_asked_about() {
    let world = World::new("");
    let mark = elsewhere(&world);
    let folder = world.root().join("elsewhere").display().to_string();
    let open = format!("sandbox_workspace_write.writable_roots=['{folder}']");
    let call = leaves(&format!("cp /nothing/at/all {mark}"));
    world.backend.script(&calls_then(&call, "it failed"));
    let terminal = ready_with(codex(&world).args(["-a", "on-request", "-s", "workspace-write", "-c", &open]));
    terminal.submit("try it");
    terminal.until("• it failed");
    terminal.until(READY);
    world.backend.script(&calls_then(&call, "once more"));
    terminal.submit("again");
    terminal.until(QUESTION);
    be_read();
    terminal.keys("d");
    terminal.until("• once more");
}

#[test]
fn a_long_command_is_read_to_its_end() {
    let world = World::new("");
    let steps: String = (1..=90).map(|n| format!("echo step {n} of many && ")).collect();
    world.backend.script(&calls_then(&leaves(&format!("{steps}touch end.txt")), "it ran"));
    let terminal = start(&world);
    terminal.resize(80, 24);
    terminal.submit("do it");
    terminal.until("more rows: page-down");
    be_read();
    terminal.keys("y");
    terminal.until("before you allow it");
    assert!(!world.project().join("end.txt").exists());
    for _ in 0..12 {
        terminal.keys("\u{1b}[6~");
    }
    terminal.until("touch end.txt");
    be_read();
    terminal.keys("y");
    terminal.until("• it ran");
    assert!(world.project().join("end.txt").exists());
}

#[test]
fn what_was_refused_is_shown_when_the_model_asks_to_leave() {
    let world = World::new("");
    let mark = elsewhere(&world);
    let command = format!("touch {mark}");
    world.backend.script(&calls_then(&exec(&command), "it failed"));
    let terminal = start_narrow(&world, "on-request");
    terminal.submit("touch it");
    terminal.until("• it failed");
    let escalated = format!("{}args = {{ sandbox_permissions = 'require_escalated' }}\n", exec(&command));
    world.backend.script(&calls_then(&escalated, "it ran"));
    terminal.until(READY);
    terminal.submit("ask");
    terminal.until(QUESTION);
    terminal.until("Was refused");
    be_read();
    terminal.keys("o");
    terminal.until("• it ran");
    assert!(fs::exists(&mark).unwrap());
    assert!(!world.codex_home().join("rules").exists());
}

#[test]
fn rules_that_another_program_writes_count_at_once() {
    let world = World::new(&calls_then(&exec("echo one > one.txt"), "first"));
    let terminal = start(&world);
    terminal.submit("one");
    terminal.until("• first");
    let dir = world.codex_home().join("rules");
    fs::create_dir_all(&dir).unwrap();
    let rule = "prefix_rule(pattern=['touch'], decision='forbidden', justification='not now')\n";
    fs::write(dir.join("a.rules"), rule).unwrap();
    world.backend.script(&calls_then(&exec("touch two.txt"), "second"));
    terminal.until(READY);
    terminal.submit("two");
    terminal.until("• second");
    assert!(!world.project().join("two.txt").exists());
    assert!(world.backend.requests().last().unwrap().to_string().contains("not now"));
}

#[test]
fn the_model_hears_what_was_taken_back() {
    let world = World::new(&calls_then(&exec("echo made > made.txt"), "it ran"));
    let terminal = start(&world);
    terminal.submit("make it");
    terminal.until("• it ran");
    terminal.until(READY);
    terminal.submit("/undo");
    terminal.until("taken back");
    for prompt in ["go on", "and on"] {
        world.backend.script(&super::bed::says(prompt));
        terminal.submit(prompt);
        terminal.until(&format!("• {prompt}"));
        let told = world.backend.requests().last().unwrap().to_string();
        assert_eq!(told.matches("<files_taken_back>").count(), 1, "{told}");
        assert!(told.contains("- made.txt"), "{told}");
        terminal.until(READY);
    }
}
