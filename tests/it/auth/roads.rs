//! The ways that requests take: through the user's proxy and with the user's certificate authorities, for every
//! client; never on to where an answer sends them; and never in clear text beyond this machine.

use std::fs;
use std::net::TcpListener;

use super::bed::{codex, file, nowhere, store, turn, world};
use crate::support::road::{self, Road};
use crate::support::{Codex, World};

/// Every service is at an address of its own, which only the proxy knows.
fn far_away(world: &World) {
    let text = format!(
        "model = \"gpt-5.5\"\nopenai_base_url = \"https://model.codex.test/v1\"\n\
         chatgpt_base_url = \"https://account.codex.test/backend-api\"\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
        world.project().display()
    );
    fs::write(world.codex_home().join("config.toml"), text).unwrap();
}

fn through(codex: Codex, road: &Road) -> Codex {
    codex
        .env("CODEX_APP_SERVER_LOGIN_ISSUER", "https://issuer.codex.test")
        .env("HTTPS_PROXY", format!("http://someone:canary-pass@127.0.0.1:{}", road.port))
        .env("RUST_LOG", "trace")
}

#[test]
fn every_client_goes_through_the_proxy_and_trusts_the_users_authorities() {
    let world = world("");
    far_away(&world);
    let road = Road::start(world.backend.port);
    let trusting = |codex| through(codex, &road).env("CODEX_CA_CERTIFICATE", road::authority());
    let login = trusting(codex(&world).args(["login", "--device-auth"])).run().expect(0);
    let tokens = super::bed::stored(&world)["tokens"].clone();
    world.backend.oauth(r#"{"expire":true}"#);
    let turned = trusting(turn(&world)).run().expect(0);
    let usage = trusting(codex(&world).args(["usage", "--json", "--max-age", "0"])).run().expect(0);
    let logout = trusting(codex(&world).arg("logout")).run().expect(0);

    let passed = road.passed();
    let went = |host: &str, path: &str| {
        passed.iter().any(|one| one.host == format!("{host}.codex.test:443") && one.line.contains(path))
    };
    for (host, path) in [
        ("issuer", "/deviceauth/usercode"),
        ("issuer", "/deviceauth/token"),
        ("issuer", "/oauth/token"),
        ("issuer", "/oauth/revoke"),
        ("model", "/v1/responses"),
        ("account", "/wham/usage"),
    ] {
        assert!(went(host, path), "{host}{path}: {passed:#?}");
    }
    assert_eq!((world.backend.signed("renewals"), world.backend.signed("revoked")), (1, 1));
    // The proxy gets its own password, and nothing of ours.
    for one in &passed {
        assert!(one.clear.contains("c29tZW9uZTpjYW5hcnktcGFzcw=="), "{}", one.clear);
        assert!(!one.clear.contains("Bearer"), "{}", one.clear);
    }
    nowhere(&world, &[&login, &turned, &usage, &logout], &[&tokens]);
    for output in [&login, &turned, &usage, &logout] {
        assert!(!format!("{output:?}").contains("canary-pass"), "{output:?}");
    }
}

#[test]
fn without_the_authority_nothing_secret_is_sent_by_any_client() {
    let world = world("");
    far_away(&world);
    store(&world, 3600);
    let road = Road::start(world.backend.port);
    for codex in [
        codex(&world).args(["login", "--device-auth"]),
        turn(&world),
        codex(&world).args(["usage", "--max-age", "0"]),
    ] {
        let output = through(codex, &road).run();
        assert_ne!(output.code, Some(0), "{output:?}");
        assert!(format!("{output:?}").contains("certificate"), "{output:?}");
    }
    let passed = road.passed();
    assert!(passed.len() >= 3 && passed.iter().all(|one| one.line.is_empty()), "{passed:#?}");
}

#[test]
fn no_client_follows_an_answer_to_another_host() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = format!("http://127.0.0.1:{}/here", elsewhere.local_addr().unwrap().port());
    let world = world("");
    let config = world.codex_home().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let port = world.backend.port;
    let account = format!("chatgpt_base_url = \"http://127.0.0.1:{port}/backend-api\"\n");
    fs::write(&config, format!("{account}{text}")).unwrap();
    for code in [302, 307, 308] {
        let fault = |route: &str| {
            format!(
                "[[fault]]\nkind = 'status'\nroute = '{route}'\ncode = {code}\nbody_text = 'gone'\ntimes = 9\n\
                 headers = {{ location = '{address}' }}\n"
            )
        };
        store(&world, 3600);
        for (route, codex) in [
            ("/v1/responses", turn(&world)),
            ("/backend-api/wham/usage", codex(&world).args(["usage", "--max-age", "0"])),
            ("/api/accounts/deviceauth/usercode", codex(&world).args(["login", "--device-auth"])),
        ] {
            world.backend.faults(&fault(route));
            let output = codex.run();
            assert_ne!(output.code, Some(0), "{route}: {output:?}");
            world.backend.faults("");
        }
        world.backend.oauth(r#"{"expire":true}"#);
        world.backend.faults(&fault("/oauth/token"));
        assert_ne!(turn(&world).run().code, Some(0));
        world.backend.faults(&fault("/oauth/revoke"));
        codex(&world).arg("logout").run().expect(0);
        world.backend.faults("");
    }
    let followed = elsewhere.accept();
    assert!(followed.is_err(), "somebody followed: {followed:?}");
}

/// Nobody asks elsewhere instead, and who does not ask there goes on.
#[test]
fn a_bad_address_of_accounts_stops_only_who_asks_there() {
    for bad in ["http://chatgpt.example/", "no address", "ftp://127.0.0.1/"] {
        let world = world("");
        let config = world.codex_home().join("config.toml");
        let good = fs::read_to_string(&config).unwrap();
        fs::write(&config, format!("chatgpt_base_url = \"{bad}\"\n{good}")).unwrap();
        let told = |codex: Codex, code: i32| {
            let output = codex.run().expect(code);
            let told = format!("{}{}", output.stdout, output.stderr);
            assert!(told.contains("config.toml:1:") && told.contains("`chatgpt_base_url`"), "{bad}: {told}");
            told
        };
        let run = |args: &[&str]| codex(&world).args(args);
        run(&["--help"]).run().expect(0);
        let doctor = told(run(&["doctor", "--offline"]).env("CODEX_API_KEY", "sk-1"), 0);
        assert!(doctor.contains("! configuration"), "{doctor}");
        told(run(&["login", "status"]), 1);
        told(run(&["login", "--with-api-key"]).stdin(world.backend.token.clone()), 0);
        told(run(&["exec", "--skip-git-repo-check", "hello"]), 0);
        assert_eq!(world.backend.records().len(), 1);
        told(run(&["login", "--device-auth"]), 0);
        // From here on it is a ChatGPT account.
        told(turn(&world), 1);
        told(run(&["usage"]), 1);
        told(run(&["usage", "redeem", "--yes"]), 1);
        assert_eq!(world.backend.records().len(), 1);
        run(&["logout"]).run().expect(0);
        assert!(!file(&world).exists());
    }
}

#[test]
fn a_sign_in_is_not_sent_in_clear_text() {
    let world = world("");
    let config = world.codex_home().join("config.toml");
    let good = fs::read_to_string(&config).unwrap();
    for (key, text) in [
        ("openai_base_url", "openai_base_url = \"http://10.0.0.1/v1\"\n".to_owned()),
        ("chatgpt_base_url", format!("chatgpt_base_url = \"http://chatgpt.example/\"\n{good}")),
        (
            "model_providers.p.base_url",
            "model_provider = 'p'\n[model_providers.p]\nname = 'P'\nbase_url = 'http://p.example/v1'\nenv_key = 'TEST_KEY'\n"
                .to_owned(),
        ),
    ] {
        fs::write(&config, text).unwrap();
        store(&world, 3600);
        let output = turn(&world).run().expect(1);
        assert!(output.stderr.contains(key) && output.stderr.contains("config.toml:"), "{output:?}");
        assert!(output.stderr.contains("https://"), "{output:?}");
    }
    fs::write(&config, "model = 'gpt-5.5'\n").unwrap();
    let output = turn(&world).env("OPENAI_BASE_URL", "http://model.example/v1").run().expect(1);
    assert!(output.stderr.contains("OPENAI_BASE_URL"), "{output:?}");
    assert!(file(&world).exists());
}
