//! `codex usage redeem` in a terminal: it asks, and everything but a yes means no.

use std::fs;

use serde_json::{Value, json};

use super::terminal::{CTRL_D, ENTER, Terminal};
use crate::support::World;

fn world() -> World {
    let world = World::new("");
    let tokens = json!({"id_token": "e30.e30.e30", "access_token": world.backend.token, "refresh_token": "r",
        "account_id": "acct-demo"});
    let auth = json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": null, "tokens": tokens});
    fs::write(world.codex_home().join("auth.json"), auth.to_string()).unwrap();
    let base = format!("http://127.0.0.1:{}/backend-api", world.backend.port);
    world.config(&format!("chatgpt_base_url = \"{base}\""));
    world
}

fn consumed(world: &World) -> usize {
    let (_, body) = world.backend.call("GET", "/control/account", "");
    let told: Value = serde_json::from_str(&body).unwrap();
    told["consumed"].as_array().unwrap().len()
}

#[test]
fn only_a_yes_is_a_yes() {
    let world = world();
    for (keys, code, used) in
        [(ENTER, 1, 0), ("n\r", 1, 0), (CTRL_D, 1, 0), ("yikes\r", 1, 0), ("\u{3}", 130, 0), ("y\r", 0, 1)]
    {
        let terminal = Terminal::start(world.codex().args(["usage", "redeem", "--no-wait"]));
        terminal.until("[y/N]");
        for part in ["Use this reset?", "Full reset", "expires", "82% used", "You have 2 reset credits"] {
            terminal.until(part);
        }
        terminal.keys(keys);
        let end = terminal.end();
        let got = end
            .status
            .code()
            .or_else(|| std::os::unix::process::ExitStatusExt::signal(&end.status).map(|s| 128 + s));
        assert_eq!(got, Some(code), "{keys:?}: {}", end.text());
        assert_eq!(consumed(&world), used, "{keys:?}");
    }
}
