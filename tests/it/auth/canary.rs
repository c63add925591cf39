//! Everything secret of a sign-in, looked for everywhere but in its store, while a service does its worst: it repeats
//! in its answers whatever it was sent.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::bed::{codex, file, nowhere, store, turn, world};
use crate::support::{Codex, World};

/// A service that gives codes for devices, and answers everything else with an error that is the request itself.
pub(crate) struct Echo {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    pub(crate) fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                answer(socket, status, &notes);
            }
        });
        Self { port, heard }
    }

    pub(crate) fn heard(&self) -> String {
        self.heard.lock().unwrap().join("\n")
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Points all services of this world at it.
    pub(crate) fn serve(&self, world: &World) {
        let text = format!(
            "model = \"gpt-5.5\"\nopenai_base_url = \"{0}/v1\"\nchatgpt_base_url = \"{0}/backend-api\"\n\
             [projects.\"{1}\"]\ntrust_level = \"trusted\"\n",
            self.address(),
            world.project().display()
        );
        fs::write(world.codex_home().join("config.toml"), text).unwrap();
    }

    pub(crate) fn issues(&self, codex: Codex) -> Codex {
        codex.env("CODEX_APP_SERVER_LOGIN_ISSUER", self.address()).env("RUST_LOG", "trace")
    }
}

fn answer(mut socket: TcpStream, status: u16, notes: &Mutex<Vec<String>>) -> Option<()> {
    socket.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let (mut bytes, mut chunk) = (Vec::new(), [0; 16384]);
    let request = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lower = text.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.and_then(|number| number.trim().parse().ok()).unwrap_or(0);
        if text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length) {
            break text;
        }
        match socket.read(&mut chunk).ok()? {
            0 => return None,
            n => bytes.extend_from_slice(&chunk[..n]),
        }
    };
    let path = request.split(' ').nth(1)?.to_owned();
    let (status, body) = match path.as_str() {
        "/api/accounts/deviceauth/usercode" => {
            (200, json!({"device_auth_id": "canary-device-id", "user_code": "ABCD-EFGH", "interval": "0.1"}))
        }
        "/api/accounts/deviceauth/token" => {
            let code = "canary-device/code+1";
            (200, json!({"authorization_code": code, "code_verifier": "canary-device-verifier"}))
        }
        _ => {
            // The short part first: texts are cut, and what comes late is not seen at all.
            let body = request.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())?;
            let bearer = request.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization"));
            let short: Vec<&str> = body.split(['&', ',']).filter(|part| part.len() < 2000).collect();
            let said = format!(
                "{} {}",
                bearer.unwrap_or_default(),
                short.iter().rev().copied().collect::<Vec<_>>().join(" ")
            );
            (status, json!({"error": {"code": "odd", "message": said}, "detail": said}))
        }
    };
    notes.lock().unwrap().push(request);
    let body = body.to_string();
    write!(
        socket,
        "HTTP/1.1 {status} Odd\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()
}

/// The value of a field of a form that was sent, as it was sent and as it was meant.
fn sent(heard: &str, field: &str) -> Vec<String> {
    let forms = heard.lines().filter(|line| line.contains("grant_type=authorization_code"));
    let of = |form: &str| {
        let raw = form.split('&').find_map(|pair| pair.strip_prefix(&format!("{field}=")))?.to_owned();
        let meant =
            url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == field)?.1.into_owned();
        Some([raw, meant])
    };
    forms.filter_map(of).flatten().collect()
}

#[test]
fn codes_and_verifiers_of_a_sign_in_are_nowhere() {
    for status in [400, 401, 500] {
        let world = world("");
        let echo = Echo::start(status);
        let mut all = String::new();
        let login = ["login", "--browser", "--experimental_port", "0"];
        let mut running = echo.issues(codex(&world).args(login).env("BROWSER", "true")).open_stdin().start();
        let told = running.until_told("Waiting");
        let url = url::Url::parse(&super::bed::address(&told)).unwrap();
        let get = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        running.type_in(&format!("{}?code=canary-code%2F%2B1&state={}", get("redirect_uri"), get("state")));
        let browser = running.wait().expect(1);
        assert!(browser.stderr.contains("The sign-in did not work"), "{}", browser.stderr);
        let device = echo.issues(codex(&world).args(["login", "--device-auth"])).run().expect(1);
        for output in [&browser, &device] {
            all.push_str(&output.stdout);
            all.push_str(&output.stderr);
        }
        let heard = echo.heard();
        let mut canaries = sent(&heard, "code");
        canaries.extend(sent(&heard, "code_verifier"));
        canaries.push("canary-device-id".to_owned());
        assert!(canaries.len() == 9 && canaries.contains(&"canary-code/+1".to_owned()), "{canaries:?}");
        for canary in &canaries {
            assert!(!all.contains(canary), "{status}: {canary} in {all}");
            assert_eq!(super::bed::files_with(world.root(), canary), [""; 0], "{canary}");
        }
        assert!(!file(&world).exists());
    }
}

#[test]
fn tokens_that_services_repeat_are_nowhere() {
    for status in [400, 401, 403, 500] {
        let world = world("");
        let echo = Echo::start(status);
        let tokens = store(&world, 3600);
        echo.serve(&world);
        let run = |codex: Codex| echo.issues(codex).run();
        let mut outputs = vec![
            run(codex(&world).args(["usage", "--json", "--max-age", "0"])),
            run(codex(&world).args(["usage", "credits"])),
            run(codex(&world).args(["usage", "redeem", "--yes", "--no-wait"])),
        ];
        if status != 500 {
            // Only this one is repeated for minutes.
            outputs.push(run(turn(&world)));
        }
        let other = store(&world, -60);
        outputs.push(run(codex(&world).args(["usage", "--max-age", "0"])));
        outputs.push(run(codex(&world).args(["login", "status"])));
        outputs.push(run(codex(&world).arg("logout")));
        let heard = echo.heard();
        for token in [&tokens["access_token"], &other["refresh_token"]] {
            assert!(heard.contains(token.as_str().unwrap()), "{status}: it was sent and repeated");
        }
        nowhere(&world, &outputs.iter().collect::<Vec<_>>(), &[&tokens, &other]);
    }
}

/// Words about this machine and this account, for people and for machines, with every kind of secret at hand.
#[test]
fn what_tells_how_things_stand_tells_no_secret() {
    let world = world(
        "[model_providers.p]\nname = 'P'\nbase_url = 'https://p.example'\nenv_key = 'MINE'\n\
         http_headers = { x-key = 'canary-header' }\nexperimental_bearer_token = 'canary-bearer'",
    );
    let tokens = store(&world, 3600);
    let keys = ["OPENAI_API_KEY", "CODEX_API_KEY", "MINE"];
    let run = |args: &[&str]| {
        let mut codex = codex(&world).args(args).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        for key in keys {
            codex = codex.env(key, format!("canary-{key}"));
        }
        codex.run()
    };
    let outputs = [
        run(&["doctor", "--offline"]),
        run(&["doctor", "--offline", "--json"]),
        run(&["login", "status"]),
        run(&["usage", "--offline"]),
        run(&["usage", "--offline", "--json"]),
        run(&["sandbox", "--", "env"]),
        run(&["exec", "hello"]),
        run(&["exec", "--json", "hello"]),
        run(&["logout"]),
    ];
    assert!(outputs[0].stdout.contains("credentials") && outputs[1].stdout.contains("\"schema\""));
    nowhere(&world, &outputs.iter().collect::<Vec<_>>(), &[&tokens]);
    // What a variable is called may be said, and its value never.
    let said = format!("{outputs:?}").replace("canary-header", "canary-").matches("canary-").count();
    assert_eq!(said, 0, "{outputs:#?}");
    for key in keys {
        assert_eq!(super::bed::files_with(world.root(), &format!("canary-{key}")), [""; 0]);
    }
}

#[test]
fn the_password_of_a_proxy_is_nowhere() {
    let world = world("");
    store(&world, 3600);
    let text = "model = 'gpt-5.5'\nmodel_provider = 'p'\nchatgpt_base_url = 'https://account.codex.test/backend-api'\n\
                [model_providers.p]\nname = 'P'\nbase_url = 'https://model.codex.test/v1'\nrequires_openai_auth = true\n\
                request_max_retries = 0\nstream_max_retries = 0\n";
    fs::write(world.codex_home().join("config.toml"), text).unwrap();
    // Nobody listens at the first; the second refuses, and repeats what it was sent.
    let echo = Echo::start(407);
    for port in [9, echo.port] {
        let proxy = format!("http://someone:canary-pass@127.0.0.1:{port}");
        for args in [
            &["usage", "--max-age", "0"][..],
            &["login", "--device-auth"],
            &["doctor"],
            &["exec", "--skip-git-repo-check", "hello"],
        ] {
            let output = codex(&world)
                .args(args)
                .env("CODEX_APP_SERVER_LOGIN_ISSUER", "https://issuer.codex.test")
                .env("RUST_LOG", "trace")
                .env("HTTPS_PROXY", &proxy)
                .run();
            for canary in ["canary-pass", "c29tZW9uZTpjYW5hcnktcGFzcw"] {
                assert!(!format!("{output:?}").contains(canary), "{args:?}: {output:?}");
                assert_eq!(super::bed::files_with(world.root(), canary), [""; 0], "{args:?}");
            }
        }
    }
    assert!(echo.heard().contains("c29tZW9uZTpjYW5hcnktcGFzcw"), "the proxy gets it: {}", echo.heard());
}
