//! Tokens, keys and codes of an account are in `auth.json` and in the headers of requests, and nowhere else: everything
//! that the account touches is done, well and badly, and then every file and every output is searched.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::bed::{Bed, USAGE};
use super::redeem_bed::CONSUME;

/// The files below `dir` that hold `canary`, but for the credentials themselves.
fn holding(dir: &Path, canary: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, canary));
        } else if path.file_name().is_some_and(|name| name != "auth.json")
            && fs::read(&path).is_ok_and(|bytes| memchr::memmem::find(&bytes, canary.as_bytes()).is_some())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

/// The secrets of a sign-in that is stored now.
fn secrets(bed: &Bed) -> Vec<String> {
    let text = fs::read_to_string(bed.world.codex_home().join("auth.json")).unwrap();
    let read: Value = serde_json::from_str(&text).unwrap();
    ["id_token", "access_token", "refresh_token"]
        .iter()
        .filter_map(|name| read["tokens"][name].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn nothing_secret_of_an_account_is_anywhere() {
    let bed = Bed::new("[[rule]]\nlimits = [30.0, 10.0]\noutput = [{ text = 'done' }]\n");
    let origin = format!("http://127.0.0.1:{}", bed.world.backend.port);
    let (status, tokens) = bed.world.backend.call("POST", "/control/oauth/tokens", "");
    assert_eq!(status, 200);
    let mut tokens: Value = serde_json::from_str(&tokens).unwrap();
    tokens["account_id"] = json!("acct-demo");
    let auth = json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": null, "tokens": tokens});
    fs::write(bed.world.codex_home().join("auth.json"), auth.to_string()).unwrap();
    let mut canaries = secrets(&bed);
    let mut told = String::new();
    let mut run = |codex: crate::support::Codex| {
        let output = codex.env("CODEX_APP_SERVER_LOGIN_ISSUER", &origin).env("RUST_LOG", "trace").run();
        told.push_str(&output.stdout);
        told.push_str(&output.stderr);
        output.code
    };
    // All is well, and every form of output is used.
    assert_eq!(run(bed.usage(&["--json"])), Some(0));
    for args in [&["credits", "--json"][..], &["activity"], &["redeem", "--dry-run", "--json"], &["explain"]]
    {
        run(bed.usage(args));
    }
    assert_eq!(run(bed.world.exec(&["hello"])), Some(0));
    // The token runs out, is renewed once, and the next is refused for good.
    bed.world.backend.call("POST", "/control/oauth", &json!({"expire": true}).to_string());
    assert_eq!(run(bed.usage(&["--max-age", "0"])), Some(0));
    canaries.extend(secrets(&bed));
    // The service repeats in its errors what it was sent.
    for secret in secrets(&bed) {
        for route in [USAGE, CONSUME] {
            let fault = format!("kind = 'status'\ncode = 400\nbody_text = \"bad \\u001b[2J {secret}\"");
            bed.fault(route, &fault);
        }
        run(bed.usage(&["--max-age", "0", "--json"]));
        run(bed.redeem(&["--yes", "--no-wait", "--json"]));
        let fault = format!("kind = 'status'\ncode = 400\nbody_text = \"no {secret}\"");
        bed.fault("/v1/responses", &fault);
        run(bed.world.exec(&["hello"]));
    }
    run(bed.redeem(&["--yes", "--no-wait"]));
    run(bed.usage(&["credits"]));
    bed.world.backend.call("POST", "/control/oauth", &json!({"expire": true, "end": true}).to_string());
    assert_eq!(run(bed.usage(&["--max-age", "0"])), Some(20));
    run(bed.world.exec(&["hello"]));
    run(bed.world.codex().args(["login", "status"]));
    run(bed.world.codex().args(["logout"]));
    let keys = bed.keys();
    assert!(!keys.is_empty() && canaries.len() >= 6, "{canaries:?}");
    // Not even a part of one: texts are cut.
    let parts: Vec<String> = canaries.iter().filter_map(|c| c.get(60..100).map(str::to_owned)).collect();
    for canary in canaries.iter().chain(&parts) {
        let shown: Vec<&str> = told.lines().filter(|line| line.contains(canary.as_str())).collect();
        assert_eq!(shown, [""; 0], "a secret was shown");
        assert_eq!(holding(bed.world.root(), canary), [""; 0], "a secret was kept");
    }
    for key in &keys {
        assert!(!told.contains(key.as_str()), "a key of a redemption was shown: {told}");
        let kept = holding(bed.world.root(), key);
        assert!(kept.iter().all(|path| path.ends_with(".journal")), "{kept:?}");
    }
}
