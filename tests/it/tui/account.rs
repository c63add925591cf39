//! Accounts in the terminal app: signing in on the first page, giving up, and going on as another account.

use std::fs;

use super::bed::{READY, be_read};
use super::terminal::{ENTER, ESC, Terminal, UP};
use crate::auth::bed::{self, file, store};
use crate::support::{Codex, World};

fn codex(world: &World) -> Codex {
    bed::codex(world).env("TERM", "xterm-256color").env("SSH_CONNECTION", "1 2 3 4")
}

#[test]
fn the_first_page_signs_in_with_a_code() {
    let world = bed::world("");
    world.backend.oauth(r#"{"settings":{"pending":2000}}"#);
    let terminal = Terminal::start(codex(&world));
    terminal.until("1. Sign in with a code");
    terminal.keys(ENTER);
    terminal.until("Type this code there");
    let shown = terminal.text();
    assert!(shown.contains(&world.backend.issuer()), "{shown}");
    terminal.keys(ESC);
    terminal.until("How do you want to sign in?");
    terminal.keys(ENTER);
    terminal.until("Type this code there");
    let rows = terminal.rows();
    let at = rows.iter().position(|row| row.contains("Type this code there")).unwrap();
    let code = rows[at + 2].trim().to_owned();
    bed::fetch(&format!("{}/codex/device?code={code}", world.backend.issuer()), "");
    terminal.until(READY);
    assert!(file(&world).exists());
    terminal.keys("hello");
    terminal.until("› hello");
    terminal.keys(ENTER);
    terminal.until("• Hello.");
}

#[test]
fn a_sign_in_that_fails_says_why_and_can_be_tried_again() {
    let world = bed::world("");
    world.backend.oauth(r#"{"settings":{"device":false}}"#);
    let terminal = Terminal::start(codex(&world));
    terminal.until("1. Sign in with a code");
    terminal.keys(ENTER);
    terminal.until("■");
    terminal.until("no sign-in by code");
    world.backend.oauth(r#"{"settings":{}}"#);
    terminal.keys(ENTER);
    terminal.until(READY);
}

#[test]
fn another_account_is_only_gone_on_with_when_the_user_says_so() {
    let world = bed::world("");
    let config = world.codex_home().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let port = world.backend.port;
    fs::write(&config, format!("chatgpt_base_url = \"http://127.0.0.1:{port}/backend-api\"\n{text}"))
        .unwrap();
    store(&world, 3600);
    let terminal = Terminal::start(codex(&world));
    terminal.until(READY);
    terminal.keys("/status");
    terminal.until("› /status");
    terminal.keys(ENTER);
    terminal.until("demo@example.org");
    // Somebody signs in elsewhere, and the old token is no longer good.
    world.backend.oauth(r#"{"expire":true,"settings":{"account":"acct-two","email":"two@example.org"}}"#);
    let tokens = world.backend.sign_in();
    let other = serde_json::json!({"auth_mode": "chatgpt", "tokens": { "id_token": tokens["id_token"],
        "access_token": tokens["access_token"], "refresh_token": tokens["refresh_token"], "account_id": "acct-two" }});
    fs::write(file(&world), other.to_string()).unwrap();
    terminal.keys("hello");
    terminal.until("› hello");
    terminal.keys(ENTER);
    terminal.until("Go on as another account?");
    terminal.until("two@example.org");
    assert_eq!(world.backend.records().len(), 0, "neither token was sent");
    be_read();
    terminal.keys("2");
    terminal.until("codex goes on as ChatGPT (two@example.org");
    terminal.keys("again");
    terminal.until("› again");
    terminal.keys(ENTER);
    terminal.until("• Hello.");
    assert_eq!(world.backend.records()[0]["headers"]["chatgpt-account-id"], "acct-two");
    // What is redeemed from here on is that account's.
    terminal.until(READY);
    terminal.submit("/usage");
    terminal.until("2 available");
    terminal.keys("2");
    terminal.until("usage limit resets available.");
    terminal.keys(ENTER);
    terminal.until("› No, go back");
    terminal.keys(UP);
    terminal.until("› Yes, use reset");
    terminal.keys(ENTER);
    terminal.until("Usage reset.");
    let (_, body) = world.backend.call("GET", "/control/account", "");
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["consumed"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["consumed"][0]["account"], "acct-two");
    assert_eq!(world.backend.signed("renewals"), 0);
}

#[test]
fn whoever_signs_out_in_the_app_sends_nothing_more() {
    for chatgpt in [true, false] {
        let world = bed::world("");
        match chatgpt {
            true => drop(store(&world, 3600)),
            false => {
                let key = serde_json::json!({"auth_mode": "apikey", "OPENAI_API_KEY": world.backend.token});
                fs::write(file(&world), key.to_string()).unwrap();
            }
        }
        let terminal = Terminal::start(codex(&world).env("TEST_KEY", ""));
        terminal.until(READY);
        terminal.submit("/logout");
        terminal.until("credentials are gone");
        assert!(!file(&world).exists());
        terminal.submit("hello");
        terminal.until("You have since signed out");
        assert_eq!(world.backend.records().len(), 0);
    }
}

/// Builds for tests have a trap in them. What is written down about a fault is read by others.
#[test]
#[cfg(debug_assertions)]
fn the_report_of_a_fault_holds_no_token() {
    let world = bed::world("");
    let tokens = store(&world, 3600);
    let loud = codex(&world).env("RUST_BACKTRACE", "full").env("OPENAI_API_KEY", "canary-openai");
    let terminal = Terminal::start(loud);
    terminal.until(READY);
    terminal.submit("hello");
    terminal.until("• Hello.");
    terminal.paste("codex-trap:view");
    let ended = terminal.end().restored().code(101);
    let log = fs::read_to_string(world.codex_home().join("log/codex-tui.log")).unwrap();
    assert!(log.contains("on purpose in the view"), "{log}");
    for secret in ["id_token", "access_token", "refresh_token"].map(|name| tokens[name].as_str().unwrap()) {
        assert!(!ended.text().contains(secret) && !log.contains(secret));
        assert_eq!(bed::files_with(world.root(), secret), [""; 0]);
    }
    assert_eq!(bed::files_with(world.root(), "canary-openai"), [""; 0]);
}

/// The screen is a text like any other: nothing secret is on it, also not in bytes that were drawn over since.
#[test]
fn no_token_is_ever_on_the_screen() {
    let world = bed::world("");
    let echo = crate::auth::canary::Echo::start(400);
    let tokens = store(&world, 3600);
    echo.serve(&world);
    let terminal = Terminal::start(echo.issues(codex(&world)));
    terminal.until(READY);
    terminal.submit("hello");
    terminal.until("■");
    terminal.until(READY);
    terminal.submit("/usage");
    terminal.until("400");
    let heard = echo.heard();
    assert!(heard.contains(tokens["access_token"].as_str().unwrap()), "{heard}");
    for name in ["id_token", "access_token", "refresh_token"] {
        let token = tokens[name].as_str().unwrap();
        let part = token.get(token.len() - 30..).unwrap();
        assert!(!terminal.raw().contains(part), "{name} was drawn");
        assert_eq!(bed::files_with(world.root(), token), [""; 0], "{name}");
    }
    drop(terminal);
    // A code that was pasted, and its verifier.
    fs::remove_file(file(&world)).unwrap();
    let desk = bed::codex(&world).env("TERM", "xterm-256color").env("DISPLAY", ":0").env("BROWSER", "true");
    let terminal = Terminal::start(echo.issues(desk));
    terminal.until("1. Sign in");
    terminal.keys(ENTER);
    terminal.until("state=");
    let shown: String = terminal.rows().iter().map(|row| row.trim()).collect();
    let value = |name: &str| {
        let rest = shown.split(&format!("{name}=")).nth(1).unwrap();
        rest.split(|c: char| !c.is_ascii_alphanumeric() && !"-_%.".contains(c)).next().unwrap().to_owned()
    };
    let back = value("redirect_uri").replace("%3A", ":").replace("%2F", "/");
    terminal.paste(&format!("{back}?code=canary-pasted-code&state={}", value("state")));
    terminal.keys(ENTER);
    terminal.until("did not work");
    let heard = echo.heard();
    let verifier = heard.split("code_verifier=").nth(1).unwrap().split(['&', '\n', '\r']).next().unwrap();
    let raw = terminal.raw();
    assert!(!raw.contains(verifier), "the verifier was drawn");
    let after = raw.rsplit("did not work").next().unwrap();
    assert!(!after.contains("canary-pasted-code"), "the code is repeated: {after}");
    assert_eq!(bed::files_with(world.root(), "canary-pasted-code"), [""; 0]);
}
