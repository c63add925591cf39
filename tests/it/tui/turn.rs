//! A turn on the screen: text, commands while they run, whatever went wrong, and what is typed meanwhile.

use std::time::{Duration, Instant};

use super::bed::{READY, calls_then, codex, count, exec, ready, ready_sized, ready_with, says};
use super::terminal::{CTRL_T, ENTER, ESC, TAB, Terminal};
use crate::support::{Alive, World};

const MARKDOWN: &str = "# Heading\n\nSome **bold** words and `code`.\n\n- one\n  - two\n- [x] done\n\n\
| Name | 数 |\n|---|---:|\n| héllo | 1 |\n| 👩‍👩‍👧 | 22 |\n\n```rust\nfn main() {}\n```\n\nThe end.";

#[test]
fn an_answer_is_rendered_once() {
    let world = World::new(&format!("[wire]\ndelta_chars = 1\n{}", says(MARKDOWN)));
    let terminal = ready_sized(codex(&world), 80, 40);
    terminal.submit("show me");
    terminal.until("The end.");
    let rows = terminal.rows();
    for (text, times) in [
        ("# Heading", 1),
        ("**", 0),
        ("`", 0),
        ("fn main() {}", 1),
        ("☑ done", 1),
        ("héllo", 1),
        ("| Name", 0),
    ] {
        assert_eq!(count(&rows, text), times, "{text}\n{}", rows.join("\n"));
    }
    terminal.until(READY);
}

#[test]
fn a_running_command_is_visible_with_its_output() {
    let world = World::new("");
    let alive = Alive::new(&world.project(), "alive");
    let command = format!("{}; echo first line; read -r x < /dev/zero", alive.hold());
    world.backend.script(&calls_then(&exec(&command), "done"));
    let terminal = ready(&world);
    terminal.submit("run it");
    alive.up();
    let started = Instant::now();
    terminal.until("first line");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let text = terminal.text();
    assert!(text.contains("• Running") && text.contains("esc to interrupt"), "{text}");
    terminal.keys(ESC);
    alive.gone();
    terminal.until("■ Interrupted");
    terminal.until(READY);
}

#[test]
fn whatever_went_wrong_leaves_a_cell() {
    let world = World::new("");
    let calls = [
        exec("touch /usr/not-mine"),
        "[[rule.output]]\npatch = '''*** Begin Patch\n*** Update File: gone.txt\n@@\n-a\n+b\n*** End Patch\n'''\n"
            .to_owned(),
        "[[rule.output]]\ncall = 'no_such_tool'\narguments = '{}'\n".to_owned(),
    ];
    world.backend.script(&calls_then(&calls.concat(), "all done"));
    let terminal = ready_with(codex(&world).args(["-a", "never", "-s", "workspace-write"]));
    terminal.submit("do it");
    terminal.until("• all done");
    let text = terminal.text();
    for word in ["touch /usr/not-mine", "gone.txt", "no_such_tool"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    assert!(text.contains("✗ Exited (status 1) touch"), "{text}");
    let unfolded = {
        terminal.keys(CTRL_T);
        terminal.until("$ touch");
        terminal.text()
    };
    assert!(unfolded.contains("✗ exited (status 1)"), "{unfolded}");
}

#[test]
fn a_diff_shows_twelve_changed_lines() {
    let world = World::new("");
    let lines: String = (1..=20).map(|n| format!("+line {n}\n")).collect();
    let patch = format!(
        "[[rule.output]]\npatch = '''*** Begin Patch\n*** Add File: new.txt\n{lines}*** End Patch\n'''\n"
    );
    world.backend.script(&calls_then(&patch, "patched"));
    let terminal = ready_with(codex(&world).args(["-a", "never", "-s", "workspace-write"]));
    terminal.resize(80, 40);
    terminal.submit("add it");
    terminal.until("• patched");
    let text = terminal.text();
    assert!(text.contains("Added new.txt (+20 -0)"), "{text}");
    assert!(text.contains("line 12") && !text.contains("line 13"), "{text}");
}

/// A turn whose first step waits until the pipe `gate` is opened by the test.
fn gated(world: &World, end: &str) -> Alive {
    let alive = Alive::new(&world.project(), "alive");
    let command = format!("{}; while [ ! -e go ]; do sleep 0.05; done; echo over", alive.hold());
    let script = calls_then(&exec(&command), end).replace("round = 0", "round = 0, turn = 1");
    world.backend.script(&script);
    alive
}

#[track_caller]
fn running(terminal: &Terminal, alive: &Alive) {
    terminal.submit("begin now");
    alive.up();
    terminal.until("• Running");
}

/// The texts of all user messages of the last request.
fn said(world: &World) -> String {
    world.backend.requests().last().unwrap()["input"].to_string()
}

#[test]
fn a_message_steers_the_turn() {
    let world = World::new("");
    let alive = gated(&world, "steered");
    let terminal = ready(&world);
    running(&terminal, &alive);
    terminal.submit("go left please");
    terminal.until("↳ go left please");
    assert_eq!(world.backend.requests().len(), 1);
    std::fs::write(world.project().join("go"), "").unwrap();
    terminal.until("• steered");
    assert!(said(&world).contains("go left please"), "{}", said(&world));
    let rows = terminal.rows();
    assert_eq!(count(&rows, "go left please"), 1, "{}", rows.join("\n"));
}

#[test]
fn queued_messages_are_sent_one_after_the_other() {
    let world = World::new("");
    let alive = gated(&world, "round done");
    let terminal = ready_sized(codex(&world), 80, 40);
    running(&terminal, &alive);
    for word in ["second thing", "third thing"] {
        terminal.keys(word);
        terminal.until(&format!("› {word}"));
        terminal.keys(TAB);
        terminal.until_gone(&format!("› {word}"));
    }
    let text = terminal.text();
    assert!(text.contains("second thing") && text.contains("third thing"), "{text}");
    std::fs::write(world.project().join("go"), "").unwrap();
    terminal.until_that("three answers", |rows| count(rows, "• round done") == 3);
    let rows = terminal.all_rows();
    let place = |word: &str| rows.iter().position(|row| row.contains(word)).unwrap();
    assert!(place("second thing") < place("third thing"), "{rows:#?}");
}

#[test]
fn esc_gives_back_what_waits() {
    let world = World::new("");
    let alive = gated(&world, "never");
    let terminal = ready(&world);
    running(&terminal, &alive);
    terminal.keys("for later");
    terminal.until("› for later");
    terminal.keys(TAB);
    terminal.until_gone("› for later");
    terminal.keys(ESC);
    terminal.until("■ Interrupted");
    alive.gone();
    terminal.until("› for later");
    terminal.keys(ENTER);
    terminal.until_that("a prompt again", |rows| count(rows, "› for later") >= 1);
}

#[test]
fn an_answer_that_was_cut_stands_there_once() {
    let world = World::new("");
    world.config_with("", "stream_max_retries = 2\nstream_idle_timeout_ms = 20000");
    world.backend.script(&format!(
        "[[rule]]\ntimes = 1\nfault = {{ kind = 'cut', events = 12 }}\noutput = [{{ text = {0} }}]\n\
         [[rule]]\noutput = [{{ text = {0} }}]\n",
        serde_json::json!(format!("Begin. {} The end.", "lorem ipsum ".repeat(20)))
    ));
    let terminal = ready(&world);
    terminal.submit("say it");
    terminal.until("The end.");
    let rows = terminal.all_rows();
    assert_eq!(count(&rows, "Begin."), 1, "{}", rows.join("\n"));
    assert_eq!(world.backend.requests().len(), 2);
}

#[test]
fn the_view_stays_while_text_arrives() {
    let world = World::new(&says(&(1..200).map(|n| format!("line {n}\n\n")).collect::<String>()));
    let terminal = ready(&world);
    terminal.submit("long one");
    terminal.until("line 199");
    terminal.keys(super::terminal::PAGE_UP);
    terminal.until("Back to bottom");
    let before = terminal.rows()[..15].to_vec();
    world.backend.script(&says("more text"));
    terminal.keys("again please");
    terminal.until("› again please");
    assert_eq!(terminal.rows()[..15], before[..]);
    terminal.keys(super::terminal::END);
    terminal.keys(ESC);
    terminal.until_gone("Back to bottom");
}

#[test]
fn a_full_context_is_compacted_and_the_prompt_sent_again() {
    let world = World::new(
        "[[rule]]\nwhen = { request = 'compaction' }\noutput = [{ text = 'a summary' }]\n\
         [[rule]]\nwhen = { turn = 1 }\noutput = [{ text = 'the first answer' }]\n\
         [[rule]]\ntimes = 1\nfault = { kind = 'failed', error = 'context_length_exceeded' }\noutput = [{ text = 'x' }]\n\
         [[rule]]\noutput = [{ text = 'the second answer' }]\n",
    );
    let terminal = ready_sized(codex(&world), 80, 40);
    terminal.submit("first prompt");
    terminal.until("• the first answer");
    terminal.until(READY);
    terminal.submit("second prompt");
    terminal.until("answer");
    terminal.until_that("a second answer", |rows| count(rows, "answer") >= 2);
    assert!(terminal.text().contains("ompacted"), "{}", terminal.text());
}

#[test]
fn a_wait_says_what_for_and_how_long() {
    // Attempts of the whole request, and repetitions before there was any answer.
    for (requests, streams, told) in [(0, 8, "/8"), (8, 1, "1/1")] {
        let world = World::new("");
        let patience = format!(
            "request_max_retries = {requests}\nstream_max_retries = {streams}\nstream_idle_timeout_ms = 20000"
        );
        world.config_with("", &patience);
        world
            .backend
            .script("[[rule]]\nfault = { kind = 'status', code = 503 }\noutput = [{ text = 'never' }]\n");
        let terminal = ready(&world);
        terminal.submit("say it");
        terminal.until(told);
        terminal.until("503");
        terminal.until_that("when", |rows| count(rows, "next try in") + count(rows, "trying again") > 0);
        terminal.keys(ESC);
        terminal.until("■ Interrupted");
    }
}

#[test]
fn an_earlier_prompt_can_be_edited() {
    let world = World::new(&says("an answer"));
    let terminal = ready(&world);
    terminal.submit("the first one");
    terminal.until("• an answer");
    terminal.until(READY);
    terminal.submit("the second one");
    terminal.until_that("two answers", |rows| count(rows, "• an answer") == 2);
    terminal.until(READY);
    terminal.keys(ESC);
    terminal.until("again to edit");
    terminal.keys(ESC);
    terminal.until("enter go back");
    terminal.keys(ENTER);
    terminal.until_that("one answer", |rows| count(rows, "• an answer") == 1);
    terminal.until("› the second one");
    terminal.keys(ENTER);
    terminal.until_that("two answers", |rows| count(rows, "• an answer") == 2);
    let input = world.backend.requests().last().unwrap()["input"].to_string();
    assert_eq!(input.matches("the second one").count(), 1, "{input}");
}

#[test]
fn an_answer_can_be_copied_and_found() {
    let world = World::new(&says("the haystack with a needle in it"));
    let terminal = ready(&world);
    terminal.submit("speak");
    terminal.until("needle in it");
    terminal.until(READY);
    terminal.keys("/copy\r");
    terminal.until_that("a choice or the end", |rows| count(rows, "1. ") > 0 || count(rows, "opied") > 0);
    if terminal.text().contains("1. ") {
        terminal.keys("1");
    }
    terminal.until("opied");
    let copied = terminal.look(|emulator| emulator.seen().copied.clone());
    assert_eq!(copied.len(), 1, "{copied:?}");
    terminal.keys("\x1bOR");
    terminal.keys("needle");
    terminal.until("Find: needle");
    terminal.keys(ESC);
    terminal.until(READY);
}

#[test]
fn another_model_that_answers_is_named_once() {
    let world =
        World::new("[[rule]]\nheaders = { openai-model = 'gpt-other' }\noutput = [{ text = 'an answer' }]\n");
    let terminal = ready(&world);
    terminal.submit("one");
    terminal.until("The service answers with gpt-other instead of");
    terminal.until(READY);
    terminal.submit("two");
    terminal.until_that("two answers", |rows| count(rows, "• an answer") == 2);
    assert_eq!(count(&terminal.rows(), "gpt-other"), 1, "{}", terminal.text());
    let human = world.codex().args(["exec", "four"]).run().expect(0);
    assert!(human.stderr.contains("warning: The service answers with gpt-other"), "{}", human.stderr);
}
