//! Signing in by every way, and signing out.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use super::bed::{address, codex, fetch, file, nowhere, store, stored, turn, world};
use crate::support::World;
use crate::support::codex::Running;

/// A sign-in in a browser that does not open by itself, and the address to visit.
fn in_browser(world: &World, args: &[&str]) -> (Running, String) {
    let login = ["login", "--browser", "--experimental_port", "0"];
    let mut running = codex(world).args(login).args(args).env("BROWSER", "true").open_stdin().start();
    let told = running.until_told("Waiting");
    let url = address(&told);
    (running, url)
}

#[test]
fn with_a_code() {
    let world = world("");
    let output = codex(&world).arg("login").run().expect(0);
    assert!(
        output.stderr.contains("--browser") && output.stderr.contains("/codex/device"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("demo@example.org"), "{}", output.stderr);
    assert_eq!(output.stdout, "");
    assert_eq!(fs::metadata(file(&world)).unwrap().permissions().mode() & 0o777, 0o600);
    let stored = stored(&world);
    assert_eq!(
        (&stored["auth_mode"], &stored["tokens"]["account_id"]),
        (&"chatgpt".into(), &"acct-demo".into())
    );
    assert_eq!(stored["tokens"]["oauth_provenance"]["issuer"], world.backend.issuer());
    let status = codex(&world).args(["login", "status"]).run().expect(0);
    assert!(status.stderr.contains("Logged in using ChatGPT"), "{}", status.stderr);

    let turn = turn(&world).run().expect(0);
    assert_eq!(world.backend.records()[0]["headers"]["chatgpt-account-id"], "acct-demo");
    nowhere(&world, &[&output, &status, &turn], &[&stored["tokens"]]);
}

#[test]
fn a_code_that_is_refused_or_not_to_be_had() {
    let world = world("");
    world.backend.oauth(r#"{"settings":{"refuse":"not for\u001b[31m you"}}"#);
    let output = codex(&world).args(["login", "--device-auth"]).run().expect(1);
    assert!(output.stderr.contains("not for") && !output.stderr.contains('\u{1b}'), "{:?}", output.stderr);
    world.backend.oauth(r#"{"settings":{"device":false}}"#);
    let output = codex(&world).args(["login", "--device-auth"]).run().expect(1);
    assert!(output.stderr.contains("codex login --browser"), "{}", output.stderr);
    assert!(!file(&world).exists());
}

#[test]
fn over_ssh_the_code_comes_first() {
    let world = world("");
    for (name, first) in [("SSH_CONNECTION", true), ("BROWSER", false)] {
        let mut login =
            codex(&world).arg("login").env("DISPLAY", ":0").env("BROWSER", "true").env(name, "true");
        if !first {
            login = login.args(["--experimental_port", "0"]).open_stdin();
        }
        let mut running = login.start();
        let told = running.until_told("Waiting");
        assert_eq!(told.contains("/codex/device"), first, "{told}");
        running.kill();
    }
}

#[test]
fn in_a_browser() {
    let world = world("");
    let (running, url) = in_browser(&world, &[]);
    let order = [
        "response_type=",
        "client_id=",
        "redirect_uri=",
        "code_challenge=",
        "code_challenge_method=S256",
        "state=",
        "scope=",
        "id_token_add_organizations=true",
        "codex_cli_simplified_flow=true",
        "originator=",
    ];
    let places: Vec<_> =
        order.iter().map(|part| url.find(part).unwrap_or_else(|| panic!("{part}: {url}"))).collect();
    assert!(places.is_sorted(), "{url}");

    let (status, back, _) = fetch(&url, "");
    assert_eq!(status, 302);
    let wrong = back.replace("state=", "state=x");
    assert_eq!(fetch(&wrong, "").0, 400, "and it goes on waiting");
    let (base, _) = back.split_once("/auth/").unwrap();
    assert_eq!(fetch(&format!("{base}/favicon.ico"), "").0, 404);
    assert_eq!(fetch(&format!("{base}/cancel"), "sec-fetch-site: cross-site\r\n").0, 404, "a page elsewhere");
    let (status, success, _) = fetch(&back, "");
    assert_eq!((status, success.as_str()), (302, "/success"), "no token in an address");
    assert!(fetch(&format!("{base}/success"), "").2.contains("Signed in"));
    let output = running.wait().expect(0);
    assert!(output.stderr.contains("Signed in with ChatGPT"), "{}", output.stderr);
    turn(&world).run().expect(0);
    let stored = stored(&world);
    nowhere(&world, &[&output], &[&stored["tokens"]]);
}

#[test]
fn callers_that_are_not_the_browser() {
    let world = world("");
    let (running, url) = in_browser(&world, &[]);
    let (_, back, _) = fetch(&url, "");
    let (base, _) = back.split_once("/auth/").unwrap();
    let port = base.rsplit(':').next().unwrap();
    let say = |text: &str| {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    // A page elsewhere whose name was made to point here; no name at all; another method; far too much.
    for head in ["host: evil.example", &format!("host: evil.example:{port}"), "x: y"] {
        let answer = say(&format!("GET /cancel HTTP/1.1\r\n{head}\r\nconnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"), "{head}: {answer}");
    }
    let host = format!("host: 127.0.0.1:{port}\r\nconnection: close");
    assert!(say(&format!("POST /cancel HTTP/1.1\r\n{host}\r\n\r\n")).starts_with("HTTP/1.1 404"));
    let long = "x".repeat(200_000);
    assert!(!say(&format!("GET /auth/callback?{long} HTTP/1.1\r\n{host}\r\n\r\n")).contains(" 200 "));
    assert!(!say(&format!("GET / HTTP/1.1\r\n{host}\r\ny: {long}\r\n\r\n")).contains(" 200 "));
    // Many who say nothing, or never finish, keep nobody out.
    let idle: Vec<TcpStream> = (0..100)
        .map(|number| {
            let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
            if number % 2 == 0 {
                let _ = stream.write_all(b"GET /auth/callback?code=");
            }
            stream
        })
        .collect();
    assert_eq!(fetch(&back.replace("state=", "state=x"), "").0, 400, "a guessed state");
    assert_eq!(fetch(&back, "").0, 302);
    fetch(&format!("{base}/success"), "");
    running.wait().expect(0);
    drop(idle);
    assert_eq!(world.backend.signed("exchanges"), 1);
}

#[test]
fn a_service_that_answers_a_code_in_other_words() {
    const ROUTE: &str = "route = '/api/accounts/deviceauth/token'\nkind = 'status'";
    let login = |faults: &str| {
        let world = world("");
        world.backend.faults(faults);
        let output = codex(&world).args(["login", "--device-auth"]).run();
        (output.code, output.stderr, world.backend.signed("exchanges"))
    };
    let fault = |code: u16, body: &str, times: u32| {
        format!("[[fault]]\n{ROUTE}\ncode = {code}\nbody_text = '{body}'\ntimes = {times}\n")
    };
    for (faults, words) in [
        (fault(400, r#"{"error":"authorization_pending"}"#, 3), ""),
        (fault(503, "<html>", 3), ""),
        (fault(503, "<html>", 9), "503"),
        (fault(400, r#"{"error":"expired_token"}"#, 1), "expired"),
        (fault(403, r#"{"error":{"code":"access_denied","message":"no"}}"#, 1), "403: no"),
        (fault(400, "<html>", 1), "400"),
    ] {
        let (code, told, exchanges) = login(&faults);
        assert_eq!(
            (code, exchanges),
            (Some(i32::from(!words.is_empty())), u64::from(words.is_empty())),
            "{told}"
        );
        assert!(told.contains(words), "{faults}: {told}");
    }
}

#[test]
fn by_pasting_the_address() {
    let world = world("");
    let (mut running, url) = in_browser(&world, &[]);
    let (_, back, _) = fetch(&url, "");
    running.type_in("");
    running.type_in("https://example.org/?code=1&state=2");
    running.until_told("That is not the address");
    running.type_in(&format!("  {back}  "));
    running.wait().expect(0);
    assert_eq!(stored(&world)["tokens"]["account_id"], "acct-demo");
}

#[test]
fn a_browser_that_brings_a_refusal() {
    let world = world("");
    world.backend.oauth(r#"{"settings":{"refuse":"missing_codex_entitlement"}}"#);
    let (running, url) = in_browser(&world, &[]);
    let (_, back, _) = fetch(&url, "");
    let (status, _, page) = fetch(&back, "");
    assert!(status == 200 && page.contains("no access"), "{status} {page}");
    assert!(running.wait().expect(1).stderr.contains("no access to Codex"));
    assert!(!file(&world).exists());
}

#[test]
fn a_second_sign_in_takes_the_port_from_the_first() {
    let world = world("");
    let (first, url) = in_browser(&world, &[]);
    let (_, back, _) = fetch(&url, "");
    let port = back.split(['/', ':']).nth(4).unwrap().to_owned();
    let mut second = codex(&world)
        .args(["login", "--browser", "--experimental_port", &port])
        .env("BROWSER", "true")
        .open_stdin()
        .start();
    let told = second.until_told("Waiting");
    assert!(first.wait().expect(1).stderr.contains("cancelled"));
    let (_, back, _) = fetch(&address(&told), "");
    fetch(&back, "");
    fetch(&format!("http://127.0.0.1:{port}/success"), "");
    second.wait().expect(0);
}

#[test]
fn with_an_access_token() {
    let world = world("");
    let tokens = world.backend.sign_in();
    let token = tokens["access_token"].as_str().unwrap();
    let login = |typed: &str| codex(&world).args(["login", "--with-access-token"]).stdin(typed).run();
    for bad in ["", "sk-123", "a.b.c", "two words"] {
        login(bad).expect(1);
        assert!(!file(&world).exists());
    }
    let output = login(&format!("{token}\n")).expect(0);
    let turned = turn(&world).run().expect(0);
    world.backend.oauth(r#"{"expire":true}"#);
    let refused = turn(&world).run().expect(1);
    assert!(refused.stdout.contains("codex login"), "{}", refused.stdout);
    assert_eq!(world.backend.signed("renewals"), 0);
    nowhere(&world, &[&output, &turned, &refused], &[&tokens]);
    // The same by the environment, before what is stored.
    fs::write(file(&world), r#"{"auth_mode":"apikey","OPENAI_API_KEY":"sk-wrong"}"#).unwrap();
    let fresh = world.backend.sign_in();
    turn(&world).env("CODEX_ACCESS_TOKEN", fresh["access_token"].as_str().unwrap()).run().expect(0);
}

#[test]
fn only_what_the_configuration_accepts() {
    let world = world("forced_chatgpt_workspace_id = ['acct-other', 'acct-third']");
    let output = codex(&world).args(["login", "--device-auth"]).run().expect(1);
    assert!(output.stderr.contains("acct-other or acct-third"), "{}", output.stderr);
    assert!(!file(&world).exists());
    let (mut running, url) = in_browser(&world, &[]);
    assert!(url.contains("allowed_workspace_id=acct-other%2Cacct-third"), "{url}");
    let (_, back, _) = fetch(&url, "");
    running.type_in(&back);
    running.wait().expect(1);
    store(&world, 3600);
    let output = turn(&world).run().expect(1);
    assert!(output.stderr.contains("acct-other"), "{}", output.stderr);
    assert!(output.stderr.contains("was removed") && !file(&world).exists(), "{}", output.stderr);
    // Whoever asks for the limits of such an account is told the same, in the same words.
    store(&world, 3600);
    let usage = codex(&world).args(["usage"]).run().expect(20);
    assert!(usage.stderr.contains("was removed") && usage.stderr.contains("acct-other"), "{}", usage.stderr);
    assert!(!file(&world).exists());
    // What only one run asks for removes nothing.
    let world = super::bed::world("");
    store(&world, 3600);
    for rule in ["forced_login_method='api'", "forced_chatgpt_workspace_id='acct-other'"] {
        turn(&world).args(["-c", rule]).run().expect(1);
        assert!(file(&world).exists());
    }
    codex(&world).args(["login", "status"]).run().expect(0);

    let world = super::bed::world("forced_login_method = 'chatgpt'");
    codex(&world).args(["login", "--with-api-key"]).stdin("sk-1").run().expect(1);
    let output = turn(&world).env("CODEX_API_KEY", "sk-1").run().expect(1);
    assert!(output.stderr.contains("forced_login_method"), "{}", output.stderr);
    let world = super::bed::world("forced_login_method = 'api'");
    let output = codex(&world).args(["login", "--device-auth"]).run().expect(1);
    assert!(output.stderr.contains("--with-api-key"), "{}", output.stderr);
    assert_eq!(world.backend.signed("device_codes"), 0);
}

#[test]
fn signing_out_ends_the_sign_in_at_the_service() {
    let world = world("");
    let tokens = store(&world, 3600);
    let output = codex(&world).arg("logout").run().expect(0);
    assert!(!file(&world).exists());
    assert_eq!(world.backend.signed("revoked"), 1);
    nowhere(&world, &[&output], &[&tokens]);
    // A service that does not answer does not keep anybody signed in.
    store(&world, 3600);
    world.backend.faults("[[fault]]\nkind = 'status'\ncode = 500\nroute = '/oauth/revoke'\n");
    codex(&world).arg("logout").run().expect(0);
    assert!(!file(&world).exists());
    // Without a refresh token it is the access token that is ended.
    let mut tokens = store(&world, 3600);
    tokens["refresh_token"] = serde_json::Value::Null;
    fs::write(file(&world), serde_json::json!({"auth_mode": "chatgpt", "tokens": tokens}).to_string())
        .unwrap();
    let before = world.backend.signed("revocations");
    codex(&world).arg("logout").run().expect(0);
    assert_eq!((world.backend.signed("revocations"), world.backend.signed("revoked")), (before + 1, 2));
    // Another sign-in in its place ends the one before.
    store(&world, 3600);
    codex(&world).args(["login", "--device-auth"]).run().expect(0);
    codex(&world).args(["login", "--with-api-key"]).stdin("sk-1").run().expect(0);
    assert_eq!(world.backend.signed("revoked"), 4);
}
