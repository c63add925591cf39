//! From launch to the first prompt: what is typed early is kept in order, nothing is asked of the network, and a
//! terminal that answers nothing is no hindrance.

use std::fs;

use super::bed::{READY, codex, count, ready, ready_sized, ready_with, says};
use super::terminal::{ENTER, Options, Terminal};
use crate::support::World;

#[test]
fn the_first_frame_has_all_parts() {
    let world = World::new(&says("hello"));
    let terminal = ready(&world);
    terminal.until("gpt-5.5");
    let rows = terminal.rows();
    assert!(rows[0].starts_with(">_ "), "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("› ")), "{rows:#?}");
    assert!(rows[23].contains("for shortcuts"), "{rows:#?}");
    assert!(
        terminal.look(|emulator| emulator.screen().alternate_screen() && emulator.screen().bracketed_paste())
    );
    assert_eq!(
        world.backend.state()["requests"].as_u64().unwrap_or(0),
        0,
        "nothing is asked before a prompt"
    );
}

#[test]
fn keys_typed_before_the_start_come_out_in_order() {
    let world = World::new(&says("hello"));
    let ahead = "abcdefghij 0123456789";
    let terminal = Terminal::with(codex(&world), Options { ahead, ..Options::default() });
    terminal.keys("KLMNOP");
    terminal.until("› abcdefghij 0123456789KLMNOP");
}

#[test]
fn a_command_runs_at_any_speed() {
    let world = World::new(&says("hello"));
    let terminal = ready(&world);
    // Faster than any hand.
    terminal.keys("/status\r");
    terminal.until("Directory");
    terminal.until(READY);
    assert_eq!(count(&terminal.rows(), "› /status"), 0, "{}", terminal.text());
    // Key by key.
    let terminal = ready(&world);
    let typed = "/status";
    for (at, key) in typed.char_indices() {
        terminal.keys(&key.to_string());
        terminal.until(&format!("› {}", &typed[..=at]));
    }
    terminal.keys(ENTER);
    terminal.until("Directory");
}

#[test]
fn a_command_typed_before_the_start_runs() {
    let world = World::new(&says("hello"));
    let terminal = Terminal::with(codex(&world), Options { ahead: "/status\n", ..Options::default() });
    terminal.until("Directory");
}

#[test]
fn the_prompt_of_the_command_line_is_submitted() {
    let world = World::new(&says("the answer"));
    let terminal = Terminal::start(codex(&world).arg("the question"));
    terminal.until("• the answer");
    assert_eq!(count(&terminal.rows(), "› the question"), 1, "{}", terminal.text());
}

#[test]
fn a_terminal_that_answers_nothing_works() {
    let world = World::new(&says("the answer"));
    let terminal = Terminal::with(codex(&world), Options { quiet: true, ..Options::default() });
    terminal.until(READY);
    terminal.submit("hello there");
    terminal.until("• the answer");
}

/// Over a slow line the answers come while somebody types, in pieces.
#[test]
fn a_terminal_that_answers_late_types_nothing() {
    let world = World::new(&says("the answer"));
    let terminal = Terminal::with(codex(&world), Options { quiet: true, ..Options::default() });
    terminal.until(READY);
    terminal.keys("half");
    terminal.until("› half");
    let pieces = [
        "\x1b[?0u\x1b]10;rgb:0000/0000",
        "/0000\x1b\\\x1b]11;rgb:ffff/",
        "ffff/ffff\x1b",
        "\\\x1b[?62;2",
        "2c",
    ];
    for (piece, typed) in pieces.into_iter().zip(["", "", "", "", " a thought"]) {
        terminal.keys(piece);
        terminal.keys(typed);
    }
    terminal.until("› half a thought");
    assert!(!terminal.text().contains("rgb") && !terminal.text().contains("62;"), "{}", terminal.text());
    terminal.keys(ENTER);
    terminal.until("• the answer");
    let input = world.backend.requests().last().unwrap()["input"].to_string();
    assert!(input.contains("half a thought"), "{input}");
}

#[test]
fn a_dead_endpoint_does_not_hinder_the_start() {
    let world = World::new("");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let terminal = ready_with(
        codex(&world).args(["-c", &format!("model_providers.test.base_url='http://127.0.0.1:{port}/v1'")]),
    );
    terminal.submit("hello there");
    terminal.until("Waiting for the network");
    terminal.keys("\x1b");
    terminal.until("■ Interrupted");
}

#[test]
fn the_folder_is_asked_for_and_can_be_opened_read_only() {
    let world = World::new(&says("hello"));
    let config = world.codex_home().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.split("[projects").next().unwrap()).unwrap();
    let terminal = Terminal::start(codex(&world));
    terminal.until("rust");
    let page = terminal.text();
    assert!(page.contains("project"), "{page}");
    assert!(page.to_lowercase().contains("read"), "{page}");
}

#[test]
fn small_and_large_windows() {
    let world = World::new(&says("hello"));
    for (cols, rows) in [(40, 12), (300, 100)] {
        let terminal = ready_sized(codex(&world), cols, rows);
        terminal.submit("hi there");
        terminal.until("• hello");
    }
}

#[test]
fn no_without_leaving_starts_read_only() {
    let world = World::new("");
    world.backend.script(&super::bed::calls_then(&super::bed::exec("touch made.txt"), "tried it"));
    let config = world.codex_home().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.split("[projects").next().unwrap()).unwrap();
    let terminal = Terminal::start(codex(&world).args(["-a", "never"]));
    terminal.until("rust");
    // Keys typed ahead answer nothing here either.
    terminal.keys(ENTER);
    super::bed::be_read();
    assert!(terminal.text().contains("1."), "{}", terminal.text());
    terminal.keys("2");
    terminal.until(READY);
    terminal.submit("make a file");
    terminal.until("• tried it");
    assert!(!world.project().join("made.txt").exists(), "{}", terminal.text());
    assert!(!fs::read_to_string(&config).unwrap().contains("trusted"));
}

#[test]
fn the_status_line_shows_what_is_left() {
    let world = World::new("[[rule]]\nlimits = [13.0, 40.0]\noutput = [{ text = 'hello' }]\n");
    let terminal = ready(&world);
    terminal.submit("hi there");
    terminal.until("context left · 5h 87% left");
}

#[test]
fn files_of_git_are_never_proposed() {
    let world = World::new(&says("hello"));
    fs::write(world.project().join("needle_one.txt"), "").unwrap();
    fs::write(world.project().join(".git/needle_two"), "").unwrap();
    let terminal = ready(&world);
    terminal.keys("see @needle");
    terminal.until("needle_one.txt");
    assert!(!terminal.text().contains("needle_two"), "{}", terminal.text());
    terminal.keys(ENTER);
    terminal.until("› see needle_one.txt");
    assert!(!terminal.text().contains('@'), "{}", terminal.text());
}

#[test]
fn a_command_nobody_knows_stays_in_the_prompt() {
    let world = World::new(&says("hello"));
    let terminal = ready(&world);
    terminal.keys("/nosuchthing\r");
    terminal.until("› /nosuchthing");
    terminal.until_that("an explanation", |rows| count(rows, "nosuchthing") == 2);
}
