//! Many apps and calls on one home: one request per time to live for all of them, and the same numbers on all.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::terminal::Terminal;
use super::usage::{USAGE, account, app, asked, world};
use crate::support::World;
use crate::support::codex::Running;

const LIST: &str = "/backend-api/wham/rate-limit-reset-credits";
const CROWD: usize = 10;
/// Seconds for which numbers are fresh enough for somebody who looks at them.
const LOOK_TTL: u64 = 5;
/// And for the background.
const BACKGROUND_TTL: u64 = 60;

/// What ten calls say at the same time, which is one thing.
#[track_caller]
fn called(world: &World, args: &[&str]) -> Vec<f64> {
    let start = |_| world.codex().args(["usage", "--json"]).args(args).start();
    let running: Vec<Running> = (0..CROWD).map(start).collect();
    let said = running.into_iter().map(|run| {
        let read: Value = serde_json::from_str(&run.wait().expect(0).stdout).unwrap();
        let windows = read["windows"].as_array().unwrap().iter();
        windows.map(|window| window["used_percent"].as_f64().unwrap()).collect::<Vec<_>>()
    });
    let mut said: Vec<_> = said.collect();
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0)
}

/// How many requests a time may see: the first, and one more for each time to live that has passed.
fn allowed(since: Instant, ttl: u64) -> u64 {
    1 + since.elapsed().as_secs() / ttl
}

#[test]
fn ten_apps_and_ten_calls_ask_once_and_show_the_same() {
    let world = world("");
    let begun = Instant::now();
    let apps: Vec<Terminal> = (0..CROWD).map(|_| app(&world)).collect();
    apps.iter().for_each(|app| app.until("5h 18% left"));
    assert_eq!(called(&world, &["--max-age", "60"]), [82.0, 64.0]);
    let background = asked(&world, USAGE);
    assert!(background <= allowed(begun, BACKGROUND_TTL), "{background} requests in {:?}", begun.elapsed());

    // Everybody looks.
    let looked = Instant::now();
    apps.iter().for_each(|app| app.submit("/usage"));
    apps.iter().for_each(|app| app.until("Redeem reset"));
    assert_eq!(called(&world, &[]), [82.0, 64.0]);
    let looks = asked(&world, USAGE) - background;
    assert!(looks <= allowed(looked, LOOK_TTL), "{looks} requests in {:?}", looked.elapsed());

    // What one reads, all show.
    account(&world, &json!({"windows": [{"used": 41, "seconds": 18000, "resets_in": 3000}]}));
    let before = asked(&world, USAGE);
    apps[0].keys("r");
    apps[0].until("59% left");
    let seen = Instant::now();
    apps.iter().for_each(|app| app.until("59% left"));
    assert!(seen.elapsed() < Duration::from_secs(1), "{:?}", seen.elapsed());
    assert_eq!(called(&world, &["--offline"]), [41.0]);
    assert!(asked(&world, USAGE) <= before + allowed(seen, LOOK_TTL), "{before} {}", asked(&world, USAGE));
    assert_eq!(asked(&world, LIST), asked(&world, USAGE), "the list comes with each reading");
    println!(
        "{} requests in {:?}, shown by all within {:?}",
        asked(&world, USAGE),
        begun.elapsed(),
        seen.elapsed()
    );
}
