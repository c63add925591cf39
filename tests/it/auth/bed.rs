//! What the tests start from: the built-in provider pointed at the scripted backend, which also signs people in;
//! and a browser made by hand.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::codex::Output;
use crate::support::{Codex, World};

/// A world of the built-in provider. `more` goes into the configuration.
pub(crate) fn world(more: &str) -> World {
    let world = World::new("[[rule]]\noutput = [{ text = 'Hello.' }]\n");
    let text = format!(
        "model = \"gpt-5.5\"\nopenai_base_url = \"{}\"\n{more}\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
        world.backend.base_url,
        world.project().display()
    );
    fs::write(world.codex_home().join("config.toml"), text).unwrap();
    world
}

/// The binary, signing in at the backend.
pub(crate) fn codex(world: &World) -> Codex {
    world.codex().env("CODEX_APP_SERVER_LOGIN_ISSUER", world.backend.issuer())
}

/// One turn.
pub(crate) fn turn(world: &World) -> Codex {
    codex(world).args(["exec", "--json", "hello"])
}

pub(crate) fn file(world: &World) -> PathBuf {
    world.codex_home().join("auth.json")
}

/// Stores a sign-in made at the backend, whose access token lives so many seconds.
pub(crate) fn store(world: &World, lifetime: i64) -> Value {
    world.backend.oauth(&json!({ "settings": { "lifetime": lifetime } }).to_string());
    let tokens = world.backend.sign_in();
    world.backend.oauth(r#"{"settings":{}}"#);
    let document = json!({
        "auth_mode": "chatgpt", "OPENAI_API_KEY": null, "last_refresh": "2026-11-20T11:31:31.875874132Z",
        "kept": {"by": "others"},
        "tokens": { "id_token": tokens["id_token"], "access_token": tokens["access_token"],
            "refresh_token": tokens["refresh_token"], "account_id": "acct-demo" },
    });
    fs::write(file(world), document.to_string()).unwrap();
    tokens
}

/// What is stored.
pub(crate) fn stored(world: &World) -> Value {
    serde_json::from_slice(&fs::read(file(world)).unwrap()).unwrap()
}

/// An address fetched without following: status, `Location`, body.
pub(crate) fn fetch(url: &str, headers: &str) -> (u16, String, String) {
    let rest = url.strip_prefix("http://").expect("an http address");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).expect("somebody listens");
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\n{headers}connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let find = |line: &str| {
        line.split_once(": ")
            .filter(|(name, _)| name.eq_ignore_ascii_case("location"))
            .map(|(_, v)| v.to_owned())
    };
    (status, head.lines().find_map(find).unwrap_or_default(), body.to_owned())
}

/// The first address in a text.
pub(crate) fn address(text: &str) -> String {
    text.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned()
}

/// No token of `tokens` is in the outputs or in any file but the store.
#[track_caller]
pub(crate) fn nowhere(world: &World, outputs: &[&Output], tokens: &[&Value]) {
    for tokens in tokens {
        for name in ["id_token", "access_token", "refresh_token"] {
            let token = tokens[name].as_str().unwrap();
            for output in outputs {
                assert!(!output.stdout.contains(token) && !output.stderr.contains(token), "{name} in output");
            }
            assert_eq!(files_with(world.root(), token), [""; 0], "{name}");
        }
    }
}

pub(crate) fn files_with(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files_with(&path, text));
        } else if !path.ends_with(".codex/auth.json")
            && memchr::memmem::find(&fs::read(&path).unwrap_or_default(), text.as_bytes()).is_some()
        {
            found.push(path.display().to_string());
        }
    }
    found
}
