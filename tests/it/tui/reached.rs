//! A limit or a budget that is reached: a reset for the refused prompt, waiting, asking the owner, a smaller model.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bed::{READY, be_read, codex, count, says};
use super::terminal::{ENTER, Terminal, UP};
use super::usage::{account, app, configure, consumed, exhausted, fault, world};
use crate::support::World;

/// An app whose prompt waits for the reset of its only window, so many seconds from now.
#[track_caller]
fn waiting(world: &World, resets_in: u64) -> Terminal {
    let window = json!({"used": 100, "seconds": 18000, "resets_in": resets_in});
    account(world, &json!({"credits": [], "windows": [window]}));
    let terminal = app(world);
    terminal.until("5h 0% left");
    // Without headers: what is known is what the account says.
    let refusal = r#"{"error":{"type":"usage_limit_reached","message":"used up","plan_type":"plus"}}"#;
    fault(world, "/v1/responses", &format!("kind = 'status'\ncode = 429\nbody_text = '{refusal}'"));
    terminal.submit("when you can");
    terminal.until("1. Wait, then send again");
    terminal.keys("1");
    terminal.until("⏳ sends again at");
    terminal
}

#[test]
fn after_a_limit_a_reset_sends_the_prompt_once() {
    let world = world(&says("here you are"));
    account(&world, &exhausted());
    let terminal = app(&world);
    fault(&world, "/v1/responses", "kind = 'status'\ncode = 429\nbody = 'usage-limit'");
    terminal.submit("please do it");
    terminal.until("Usage limit reached");
    terminal.until("1. Redeem a reset");
    terminal.until("2. Wait, then send again");
    terminal.keys("1");
    terminal.until("usage limit resets available.");
    terminal.keys(ENTER);
    terminal.until("› No, go back");
    terminal.keys(UP);
    terminal.until("› Yes, use reset");
    terminal.keys(ENTER);
    terminal.until("1. Send the prompt again");
    terminal.keys(ENTER);
    terminal.until("here you are");
    terminal.until(READY);
    let requests = world.backend.requests();
    let prompts = |body: &Value| body["input"].to_string().matches("please do it").count();
    assert_eq!(requests.iter().map(prompts).collect::<Vec<_>>(), [1, 1], "refused once, sent once");
    assert_eq!(count(&terminal.rows(), "please do it"), 1, "{}", terminal.text());
    assert_eq!(consumed(&world).len(), 1);
}

#[test]
fn a_refused_prompt_outlives_the_app() {
    let world = world("");
    account(&world, &exhausted());
    let terminal = app(&world);
    fault(&world, "/v1/responses", "kind = 'status'\ncode = 429\nbody = 'usage-limit'");
    terminal.submit("do not lose me");
    terminal.until("Usage limit reached");
    let drafts = world.codex_home().join("tmp/drafts");
    let started = Instant::now();
    let kept =
        || {
            fs::read_dir(&drafts).into_iter().flatten().flatten().any(|draft| {
                fs::read_to_string(draft.path()).is_ok_and(|text| text.contains("do not lose me"))
            })
        };
    while !kept() {
        assert!(started.elapsed() < Duration::from_secs(20), "the draft was not kept");
    }
    terminal.signal("KILL");
    drop(terminal);
    let again = Terminal::start(codex(&world));
    again.until("› do not lose me");
}

#[test]
fn a_prompt_waits_for_the_reset() {
    let world = world(&says("better late"));
    let terminal = waiting(&world, 12);
    terminal.until("better late");
    assert_eq!(world.backend.requests().len(), 2);
    assert_eq!(count(&terminal.rows(), "⏳"), 0);
}

#[test]
fn a_member_of_a_workspace_asks_its_owner() {
    let world = world("");
    let mut limits = exhausted();
    limits["plan"] = json!("team");
    limits["credits"] = json!([]);
    limits["reached"] = json!("workspace_member_usage_limit_reached");
    account(&world, &limits);
    let terminal = app(&world);
    terminal.until("5h 0% left");
    terminal.submit("/usage");
    terminal.until("2. Ask for a higher limit");
    terminal.keys("2");
    terminal.until("asked: the owner got a mail");
    let (_, body) = world.backend.call("GET", "/control/account", "");
    assert!(body.contains(r#""nudges":["usage_limit"]"#), "{body}");
    drop(terminal);
    // Somebody else, a little later.
    let terminal = app(&world);
    terminal.until("5h 0% left");
    terminal.submit("/usage");
    terminal.until("2. Ask for a higher limit");
    terminal.keys("2");
    terminal.until("they were asked a short while ago");
}

#[test]
fn a_smaller_model_is_offered_and_can_be_switched_off_for_ever() {
    let world = world("[[rule]]\noutput = [{ text = 'one more' }]\nlimits = [92.0, 12.5]\n");
    let terminal = app(&world);
    terminal.until("5h 18% left");
    terminal.submit("first");
    terminal.until("Use a smaller model?");
    be_read();
    terminal.keys("3");
    terminal.until_gone("Use a smaller model?");
    let started = Instant::now();
    let config = || fs::read_to_string(world.codex_home().join("config.toml")).unwrap();
    while !config().contains("hide_rate_limit_model_nudge = true") {
        assert!(started.elapsed() < Duration::from_secs(20), "{}", config());
    }
    drop(terminal);
    let terminal = app(&world);
    terminal.submit("second");
    terminal.until("one more");
    terminal.until(READY);
    assert_eq!(count(&terminal.rows(), "Use a smaller model?"), 0, "{}", terminal.text());
}

/// Waiting outlives the app: the next start goes back and sends the prompt, once, and it stands there once.
#[test]
fn waiting_goes_on_after_a_crash() {
    let world = world(&says("better late"));
    let terminal = waiting(&world, 8);
    let waits = || {
        let drafts = fs::read_dir(world.codex_home().join("tmp/drafts")).into_iter().flatten().flatten();
        drafts.filter(|entry| entry.path().extension().is_some_and(|end| end == "waits")).count()
    };
    let started = Instant::now();
    while waits() == 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "the waiting was not kept");
    }
    terminal.signal("KILL");
    drop(terminal);
    let again = Terminal::start(codex(&world));
    again.until("A prompt is waiting");
    be_read();
    again.keys("1");
    again.until("⏳ sends again at");
    again.until("better late");
    again.until(READY);
    assert_eq!((world.backend.requests().len(), waits()), (2, 0));
    let last = world.backend.requests().pop().unwrap();
    assert_eq!(last["input"].to_string().matches("when you can").count(), 1, "{}", last["input"]);
    assert_eq!(count(&again.rows(), "when you can"), 1, "{}", again.text());
    drop(again);
    let third = app(&world);
    third.until("5h ");
    assert_eq!(world.backend.requests().len(), 2, "it was sent");
}

#[test]
fn a_budget_stops_before_the_next_request() {
    let world = world("[[rule]]\noutput = [{ text = 'one more' }]\nlimits = [90.0, 12.5]\n");
    account(&world, &json!({"windows": [{"used": 10, "seconds": 18000, "resets_in": 4000}]}));
    configure(&world, "[notice]\nhide_rate_limit_model_nudge = true\n[budget]\nsession = \"5h=20%\"");
    let terminal = app(&world);
    terminal.until("5h 90% left");
    terminal.submit("first");
    terminal.until("one more");
    terminal.until("used at least 90% of 5h");
    terminal.submit("second");
    terminal.until("Budget used up");
    assert_eq!(world.backend.requests().len(), 1, "nothing left");
    terminal.keys("1");
    terminal.until("Worked for");
    terminal.until_gone("Budget used up");
    terminal.until(READY);
    assert_eq!(world.backend.requests().len(), 2);
}
