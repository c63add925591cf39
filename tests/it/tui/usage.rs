//! Limits on the screen: `/usage`, redeeming with every outcome, two apps on one home.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bed::{READY, codex, count, ready_sized};
use super::terminal::{CTRL_C, ENTER, ESC, Terminal, UP};
use crate::support::World;

const CONSUME: &str = "/backend-api/wham/rate-limit-reset-credits/consume";
pub(super) const USAGE: &str = "/backend-api/wham/usage";

/// A home that is signed in with ChatGPT.
pub(super) fn world(script: &str) -> World {
    let world = World::new(script);
    let tokens = json!({"id_token": "e30.e30.e30", "access_token": world.backend.token,
        "refresh_token": "refresh-canary", "account_id": "acct-demo"});
    let auth = json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": null, "tokens": tokens});
    fs::write(world.codex_home().join("auth.json"), auth.to_string()).unwrap();
    configure(&world, "");
    world
}

pub(super) fn configure(world: &World, more: &str) {
    let backend = &world.backend;
    let config = format!(
        "model = \"gpt-5.5\"\nopenai_base_url = \"{}\"\nchatgpt_base_url = \"http://127.0.0.1:{}/backend-api\"\n\
         [projects.\"{}\"]\ntrust_level = \"trusted\"\n{more}\n",
        backend.base_url,
        backend.port,
        world.project().display()
    );
    fs::write(world.codex_home().join("config.toml"), config).unwrap();
}

#[track_caller]
pub(super) fn account(world: &World, change: &Value) {
    let (status, body) = world.backend.call("PATCH", "/control/account", &change.to_string());
    assert_eq!(status, 200, "{body}");
}

#[track_caller]
pub(super) fn fault(world: &World, route: &str, fault: &str) {
    let text = format!("[[fault]]\nroute = '{route}'\n{fault}\n");
    let (status, body) = world.backend.call("POST", "/control/faults", &text);
    assert_eq!(status, 200, "{body}");
}

/// Keys of what the service carried out.
pub(super) fn consumed(world: &World) -> Vec<String> {
    let (_, body) = world.backend.call("GET", "/control/account", "");
    let told: Value = serde_json::from_str(&body).unwrap();
    told["consumed"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect()
}

/// Keys of all redemption requests.
fn keys(world: &World) -> Vec<String> {
    let (_, body) = world.backend.call("GET", "/control/requests", "");
    let read: Vec<Value> = serde_json::from_str(&body).unwrap();
    let consumes = read.iter().filter(|record| record["path"] == CONSUME);
    consumes.map(|record| record["body"]["redeem_request_id"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn asked(world: &World, route: &str) -> u64 {
    world.backend.state()["routes"][route].as_u64().unwrap_or(0)
}

pub(super) fn app(world: &World) -> Terminal {
    ready_sized(codex(world), 80, 30)
}

/// Opens `/usage`.
#[track_caller]
fn open(terminal: &Terminal) {
    terminal.submit("/usage");
    terminal.until("Redeem reset");
}

/// From `/usage` to the answer of the redemption of the first credit.
#[track_caller]
fn redeem(terminal: &Terminal) {
    terminal.until("2 available");
    terminal.keys("2");
    terminal.until("usage limit resets available.");
    terminal.keys(ENTER);
    terminal.until("Use this reset?");
    terminal.until("› No, go back");
    terminal.keys(UP);
    terminal.until("› Yes, use reset");
    terminal.keys(ENTER);
}

pub(super) fn exhausted() -> Value {
    json!({"windows": [{"used": 100, "seconds": 18000, "resets_in": 4000}, {"used": 64, "seconds": 604_800, "resets_in": 90_000}]})
}

#[test]
fn usage_opens_and_changes_in_place() {
    let world = world("");
    let terminal = app(&world);
    open(&terminal);
    for part in ["Usage · Plus", "5h", "18% left", "Weekly", "36% left", "resets in 2h 1m", "as of"] {
        terminal.until(part);
    }
    account(&world, &json!({"windows": [{"used": 97, "seconds": 18000, "resets_in": 3000}]}));
    terminal.keys("r");
    terminal.until("3% left");
    terminal.until("resets in 49m");
    assert_eq!(
        count(&terminal.rows(), "% left"),
        1,
        "a full reading takes windows away\n{}",
        terminal.text()
    );
    terminal.keys(ESC);
    terminal.until(READY);
    terminal.until("⚠ ");
}

#[test]
fn a_key_has_no_usage() {
    let world = World::new("");
    let terminal = app(&world);
    terminal.submit("/usage");
    terminal.until("belong to a ChatGPT plan");
    terminal.until(READY);
}

#[test]
fn a_failed_reading_is_said_and_leaves_a_way() {
    let world = world("");
    let terminal = app(&world);
    terminal.until("5h 18% left");
    fault(&world, USAGE, "kind = 'status'\ncode = 502\nbody = 'html'\ntimes = 9");
    open(&terminal);
    terminal.keys("r");
    terminal.until("⚠ ");
    terminal.until("18% left");
    let text = terminal.text();
    assert!(!text.contains("<html>") && text.contains("2 available"), "{text}");
}

#[test]
fn a_reset_is_redeemed_and_seen() {
    let world = world("");
    account(&world, &json!({"move_after": 1}));
    let terminal = app(&world);
    open(&terminal);
    redeem(&terminal);
    terminal.until("Usage reset. You have 1 usage limit reset left.");
    assert_eq!((consumed(&world).len(), keys(&world).len()), (1, 1));
    terminal.keys(ENTER);
    terminal.until("100% left");
    terminal.until("1 available");
}

#[test]
fn every_other_outcome_is_told_as_it_is() {
    let untouched = json!({"windows": [{"used": 0, "seconds": 18000, "resets_in": 18000}]});
    for (after_plan, after, words, spent) in [
        (None, json!(["drop"]), "by your earlier request; nothing was", 1),
        (None, json!([{"status": 500}, {"status": 502}, "drop"]), "Usage reset", 1),
        (Some(untouched), json!([]), "Nothing was spent", 0),
        (Some(json!({"credits": []})), json!([]), "That reset is gone. Nothing was spent.", 0),
    ] {
        let world = world("");
        account(&world, &json!({"after": after}));
        let terminal = app(&world);
        open(&terminal);
        terminal.until("2 available");
        terminal.keys("2");
        terminal.until("usage limit resets available.");
        if let Some(change) = &after_plan {
            account(&world, change);
        }
        terminal.keys(ENTER);
        terminal.until("› No, go back");
        terminal.keys(UP);
        terminal.until("› Yes, use reset");
        terminal.keys(ENTER);
        terminal.until(words);
        assert_eq!(consumed(&world).len(), spent, "{words}\n{}", terminal.text());
        let mut all = keys(&world);
        all.dedup();
        assert_eq!(all.len(), 1, "one key for all requests");
    }
}

#[test]
fn an_unknown_result_is_retried_with_the_same_key() {
    let world = world("");
    // Nothing can be seen by reading, either.
    account(&world, &json!({"listed": false, "move_after": 9, "after": ["unknown", "unknown", "unknown"]}));
    let terminal = app(&world);
    open(&terminal);
    redeem(&terminal);
    terminal.until("Result unknown");
    terminal.until("Trying again is safe");
    terminal.keys(ENTER);
    terminal.until("Usage was reset by your earlier request");
    let mut all = keys(&world);
    assert!(all.len() >= 4, "{all:?}");
    all.dedup();
    assert_eq!((all.len(), consumed(&world).len()), (1, 1));
}

#[test]
fn a_redemption_under_way_cannot_be_left() {
    let world = world("");
    account(&world, &json!({"after": [{"slow": 1500}]}));
    let terminal = app(&world);
    open(&terminal);
    redeem(&terminal);
    terminal.until("Resetting …");
    for key in [ESC, CTRL_C, ENTER, "q"] {
        terminal.keys(key);
    }
    terminal.until("Usage reset.");
    assert_eq!(consumed(&world).len(), 1);
}

#[test]
fn what_a_killed_app_left_is_finished_by_the_next() {
    let world = world("");
    account(&world, &json!({"after": ["hang"]}));
    let terminal = app(&world);
    open(&terminal);
    redeem(&terminal);
    terminal.until("Resetting …");
    let started = Instant::now();
    while consumed(&world).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "the request never came");
    }
    terminal.signal("KILL");
    drop(terminal);
    let again = app(&world);
    again.until("An unfinished redemption: Usage was reset by your earlier request");
    let mut all = keys(&world);
    assert_eq!(all.len(), 2, "{all:?}");
    all.dedup();
    assert_eq!((all.len(), consumed(&world).len()), (1, 1));
}

#[test]
fn two_apps_show_the_same_within_a_second() {
    let world = world("");
    let (one, two) = (app(&world), app(&world));
    open(&one);
    open(&two);
    one.until("18% left");
    two.until("18% left");
    account(&world, &json!({"windows": [{"used": 41, "seconds": 18000, "resets_in": 3000}]}));
    let before = asked(&world, USAGE);
    one.keys("r");
    one.until("59% left");
    let seen = Instant::now();
    two.until("59% left");
    assert!(seen.elapsed() < Duration::from_secs(1), "{:?}", seen.elapsed());
    assert_eq!(asked(&world, USAGE), before + 1, "the other one asked nobody");
}

#[test]
fn token_activity_is_a_page_of_its_own() {
    let world = world("");
    let terminal = app(&world);
    terminal.submit("/usage weekly");
    terminal.until("Lifetime");
    terminal.until("weeks, tallest");
    terminal.keys("d");
    terminal.until("busiest day");
    terminal.keys("c");
    terminal.until("weeks, top");
    terminal.keys(ESC);
    terminal.until("Redeem reset");
}

#[test]
fn status_reads_anew_and_is_updated_in_place() {
    let world = world("");
    let terminal = app(&world);
    terminal.until("5h 18% left");
    terminal.submit("/status");
    terminal.until("18% left (resets");
    account(&world, &json!({"windows": [{"used": 55, "seconds": 18000, "resets_in": 3000}]}));
    terminal.submit("/usage");
    terminal.until("Read again");
    terminal.keys("r");
    terminal.until("45% left");
    terminal.keys(ESC);
    terminal.until("45% left (resets");
    assert_eq!(count(&terminal.rows(), "18% left"), 0, "{}", terminal.text());
}
