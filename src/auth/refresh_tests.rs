//! Tests of renewal against the scripted sign-in service: when, once, what is kept, what is never sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::auth::claims::fake_token;
use crate::auth::credentials::{Credentials, OpenAi};
use crate::auth::issuer::Overrides;
use crate::auth::manager::Manager;
use crate::auth::source::TokenSource;
use crate::auth::store::{FILE_NAME, Stored};
use crate::auth::workspace::Rules;
use crate::base::clock::SystemClock;
use crate::demo::oauth;
use crate::demo::script::Script;
use crate::demo::server::{Options, Server};
use crate::net::http::HttpSettings;

/// A home whose sign-in comes from a scripted service.
struct Bed {
    server: Server,
    dir: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        let script = Script::read("t", "").unwrap();
        let server = Server::start(script, Options { port: 0, auth: true, scale: 0.0 }).await.unwrap();
        Self { server, dir: tempfile::tempdir().unwrap() }
    }

    /// Stores a sign-in whose access token runs out in `lifetime` seconds.
    fn sign_in(&self, lifetime: i64) {
        self.order(&json!({ "settings": { "lifetime": lifetime } }));
        let tokens = self.server.backend().state().oauth.sign_in();
        self.order(&json!({ "settings": {} }));
        self.write(&json!({
            "auth_mode": "chatgpt", "OPENAI_API_KEY": null, "custom": [1],
            "last_refresh": "2026-01-01T00:00:00Z",
            "tokens": {
                "id_token": tokens["id_token"], "access_token": tokens["access_token"],
                "refresh_token": tokens["refresh_token"], "account_id": "acct-demo", "more": {"x": 1},
            },
        }));
    }

    fn order(&self, order: &Value) {
        let mut state = self.server.backend().state();
        let done = oauth::control(&mut state.oauth, "/control/oauth", &order.to_string());
        assert_eq!(done.unwrap().status(), 200, "{order}");
    }

    fn fault(&self, toml: &str) {
        let script = Script::read("f", &format!("[[fault]]\nroute = \"/oauth/token\"\n{toml}")).unwrap();
        self.server.backend().state().add_faults(script.faults);
    }

    fn write(&self, value: &Value) {
        std::fs::write(self.file(), value.to_string()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join(FILE_NAME)
    }

    fn read(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }

    fn counted(&self, what: &str) -> u64 {
        self.server.backend().state().oauth.counted(what)
    }

    /// How often the token endpoint was asked, faults included.
    fn asked(&self) -> u64 {
        self.server.backend().state().counted("/oauth/token")
    }

    fn issuer(&self) -> Issuer {
        let base = self.server.base_url().trim_end_matches("/v1").to_owned();
        let overrides = Overrides { issuer: Some(base), ..Overrides::default() };
        Issuer::new(overrides, "test", HttpSettings { user_agent: "t".to_owned(), ca_file: None }).unwrap()
    }

    fn credentials(&self) -> Credentials {
        Credentials::OpenAi(Box::new(OpenAi {
            codex_api_key: None,
            codex_access_token: None,
            openai_api_key: None,
            store: Store::new(self.dir.path()),
            issuer: self.issuer(),
            rules: Rules::default(),
        }))
    }

    fn manager(&self) -> Arc<Manager> {
        Manager::open(self.credentials()).unwrap()
    }

    fn job(&self, reason: Reason) -> Job {
        let store = Store::new(self.dir.path());
        let Some(Stored::ChatGpt(mine)) = store.load().unwrap() else { panic!("no sign-in") };
        Job { issuer: self.issuer(), store, clock: Arc::new(SystemClock), reason, mine }
    }
}

#[test]
fn when_a_token_is_due() {
    let tokens = |exp: Option<u64>, last: Option<u64>, refresh: bool| Tokens {
        access: Secret::new("a"),
        refresh: refresh.then(|| Secret::new("r")),
        account_id: None,
        identity: crate::auth::claims::Claims::default(),
        expires_at: exp,
        last_refresh: last,
        provenance: None,
    };
    let (now, day) = (2_000_000, 86_400);
    for (exp, last, want) in [
        (Some(now + 250), None, Some(Reason::Proactive)),
        (Some(now + 400), None, None),
        (Some(now), None, Some(Reason::Proactive)),
        (Some(0), None, Some(Reason::Proactive)),
        (Some(u64::MAX), Some(now - 20 * day), None),
        (None, Some(now - 9 * day), Some(Reason::Scheduled)),
        (None, Some(now - 7 * day), None),
        (None, Some(now + day), None),
        (None, None, None),
    ] {
        assert_eq!(due(&tokens(exp, last, true), now), want, "{exp:?} {last:?}");
        assert_eq!(due(&tokens(exp, last, false), now), None, "nothing to renew it with");
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_runs_out_and_what_else_is_stored_stays() {
    let bed = Bed::new().await;
    bed.sign_in(250);
    let before = bed.read();
    let auth = bed.manager().authorization().await.unwrap();
    let after = bed.read();
    assert_eq!(after["tokens"]["access_token"], auth.bearer.unwrap().expose());
    for changed in ["access_token", "refresh_token", "id_token"] {
        assert_ne!(after["tokens"][changed], before["tokens"][changed], "{changed}");
    }
    assert_eq!((&after["custom"], &after["tokens"]["more"]), (&json!([1]), &json!({"x": 1})));
    assert_ne!(after["last_refresh"], before["last_refresh"]);
    assert_eq!((bed.counted("renewals"), bed.counted("renewals_proactive")), (1, 1));

    bed.sign_in(400);
    bed.manager().authorization().await.unwrap();
    assert_eq!(bed.counted("renewals"), 1, "there is time");
}

#[tokio::test]
async fn a_part_of_an_answer_leaves_the_rest() {
    let bed = Bed::new().await;
    bed.sign_in(10);
    let before = bed.read();
    bed.order(&json!({ "settings": { "omit": ["refresh_token", "id_token"] } }));
    bed.manager().authorization().await.unwrap();
    let after = bed.read();
    assert_eq!(after["tokens"]["refresh_token"], before["tokens"]["refresh_token"]);
    assert_eq!(after["tokens"]["id_token"], before["tokens"]["id_token"]);
    assert_ne!(after["tokens"]["access_token"], before["tokens"]["access_token"]);
}

#[tokio::test]
async fn tokens_without_an_end_or_without_sense() {
    let bed = Bed::new().await;
    for (access, last, renewals) in [
        (fake_token(&json!({"x": 1})), "2026-01-01T00:00:00Z", 1),
        ("garbage".to_owned(), "2026-01-01T00:00:00Z", 2),
        ("a.!!.c".to_owned(), "yesterday", 2),
        (fake_token(&json!({"exp": "soon"})), "2999-01-01T00:00:00Z", 2),
        (fake_token(&json!({"exp": -5})), "2026-01-01T00:00:00Z", 3),
        (fake_token(&json!({"exp": 1e300})), "2026-01-01T00:00:00Z", 3),
    ] {
        bed.sign_in(1000);
        let mut value = bed.read();
        value["tokens"]["access_token"] = json!(access);
        value["last_refresh"] = json!(last);
        bed.write(&value);
        bed.manager().authorization().await.unwrap();
        assert_eq!(bed.counted("renewals"), renewals, "{access} {last}");
    }
}

#[tokio::test]
async fn twenty_tasks_renew_once_and_whoever_leaves_loses_nothing() {
    let bed = Bed::new().await;
    bed.sign_in(-10);
    bed.order(&json!({ "settings": { "renewal_ms": 300 } }));
    let manager = bed.manager();
    // The first one starts the renewal and leaves, like an interrupted turn.
    let begun = async {
        while bed.counted("renewals") == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = manager.authorization() => panic!("it takes longer than that"),
        () = begun => {}
    }
    let all = futures_util::future::join_all((0..20).map(|_| manager.authorization())).await;
    let first = all[0].clone().unwrap();
    assert!(all.iter().all(|auth| auth.as_ref() == Ok(&first)));
    assert_eq!((bed.counted("renewals"), bed.counted("reused")), (1, 0));
    assert_eq!(bed.read()["tokens"]["access_token"], first.bearer.unwrap().expose());
}

#[tokio::test]
async fn managers_of_one_home_renew_once() {
    let bed = Bed::new().await;
    bed.sign_in(-10);
    bed.order(&json!({ "settings": { "renewal_ms": 50 } }));
    let managers: Vec<_> = (0..10).map(|_| bed.manager()).collect();
    let all = futures_util::future::join_all(managers.iter().map(|manager| manager.authorization())).await;
    assert!(all.iter().all(|auth| auth == &all[0] && auth.is_ok()));
    assert_eq!((bed.counted("renewals"), bed.counted("reused")), (1, 0));
}

#[tokio::test]
async fn the_401_machine_takes_two_requests_and_one_renewal() {
    let bed = Bed::new().await;
    bed.sign_in(3600);
    let manager = bed.manager();
    let began = std::time::Instant::now();
    let first = manager.authorization().await.unwrap();
    assert_eq!(manager.recover_in_turn(&first, began).await, Ok(true));
    assert_eq!(manager.authorization().await.unwrap(), first, "once more with the same");
    assert_eq!(bed.counted("renewals"), 0);
    assert_eq!(manager.recover_in_turn(&first, began).await, Ok(true));
    let second = manager.authorization().await.unwrap();
    assert_ne!(second, first);
    assert_eq!(bed.counted("renewals_unauthorized"), 1);
    assert_eq!(manager.recover_in_turn(&first, began).await, Ok(true), "a late 401 of the old one");
    assert_eq!(manager.authorization().await.unwrap(), second);
    // For ever refused: the rest of the turn, and what happens around it, renews nothing.
    for _ in 0..3 {
        let _ = manager.recover_in_turn(&second, began).await;
        let _ = manager.recover(&second).await;
    }
    assert_eq!(manager.recover_in_turn(&second, began).await, Ok(false));
    assert_eq!(bed.counted("renewals"), 1);
}

#[tokio::test]
async fn what_another_process_has_renewed_is_taken_over() {
    let bed = Bed::new().await;
    bed.sign_in(3600);
    let manager = bed.manager();
    let old = manager.authorization().await.unwrap();
    renew(bed.job(Reason::Unauthorized)).await.unwrap();
    assert_eq!(manager.recover(&old).await, Ok(true));
    assert_ne!(manager.authorization().await.unwrap(), old);
    assert_eq!(bed.counted("renewals"), 1);
    // The same between two steps of the machine: what was looked at has changed by the time of the lock.
    let job = bed.job(Reason::Unauthorized);
    renew(job.clone()).await.unwrap();
    let taken = renew(job).await.unwrap();
    assert!(!taken.minted);
    assert_eq!((bed.counted("renewals"), bed.counted("reused")), (2, 0));
}

#[tokio::test]
async fn refusals_are_remembered_with_their_cause() {
    for (body, cause, lasting) in [
        (r#"{"error":{"code":"refresh_token_expired"}}"#, Cause::Expired, true),
        (r#"{"error":"refresh_token_reused"}"#, Cause::Used, true),
        (r#"{"code":"Refresh_Token_Invalidated"}"#, Cause::Revoked, true),
        ("<html>no</html>", Cause::Unknown, false),
    ] {
        let bed = Bed::new().await;
        bed.sign_in(-10);
        let before = bed.read();
        bed.fault(&format!("kind = 'status'\ncode = 401\nbody_text = '{body}'"));
        let manager = bed.manager();
        let refused = Err(Error::Refused { cause });
        assert_eq!(manager.authorization().await.map(drop), refused, "{body}");
        assert_eq!(manager.authorization().await.map(drop), refused, "at once");
        assert_eq!(bed.asked(), 1);
        let again = bed.manager().authorization().await.map(drop);
        assert_eq!(again.is_err(), lasting, "{body}");
        assert_eq!(bed.asked(), if lasting { 1 } else { 2 }, "another process, {body}");
        if lasting {
            assert_eq!(bed.read(), before);
            bed.sign_in(-10);
            assert!(bed.manager().authorization().await.is_ok(), "a new sign-in is another matter");
        }
    }
}

#[tokio::test]
async fn a_token_whose_answer_was_lost_is_never_sent_again() {
    // The service renewed and nobody heard of it; or it answered what cannot be read.
    for fault in ["kind = 'cut'\nat = 'headers'", ""] {
        let bed = Bed::new().await;
        bed.sign_in(-10);
        let before = bed.read();
        match fault {
            "" => {
                bed.order(&json!({ "settings": { "omit": ["id_token", "access_token", "refresh_token"] } }))
            }
            fault => bed.fault(fault),
        }
        for _ in 0..2 {
            let manager = bed.manager();
            for _ in 0..2 {
                let error = manager.authorization().await.unwrap_err();
                assert_eq!(error, Error::Refused { cause: Cause::Unanswered }, "{fault}");
                assert!(error.hint().contains("codex login") && !error.is_transient());
            }
        }
        assert_eq!((bed.counted("renewals"), bed.counted("reused"), bed.read()), (1, 0, before), "{fault}");
        bed.sign_in(-10);
        assert!(bed.manager().authorization().await.is_ok(), "a new sign-in is another matter");
    }
    // While it is good the token does its work.
    let bed = Bed::new().await;
    bed.sign_in(200);
    bed.fault("kind = 'cut'\nat = 'headers'");
    for _ in 0..3 {
        assert!(bed.manager().authorization().await.is_ok());
    }
    assert_eq!((bed.asked(), bed.counted("reused")), (1, 0));
}

#[tokio::test]
async fn what_was_certainly_not_spent_may_be_sent_again() {
    let bed = Bed::new().await;
    bed.sign_in(-10);
    let Credentials::OpenAi(mut open) = bed.credentials() else { panic!() };
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let overrides = Overrides { issuer: Some(format!("http://{nobody}")), ..Overrides::default() };
    open.issuer = Issuer::new(overrides, "test", HttpSettings::default()).unwrap();
    let error = Manager::open(Credentials::OpenAi(open)).unwrap().authorization().await.unwrap_err();
    assert!(error.is_transient(), "nobody listens there: {error}");
    bed.fault("kind = 'status'\ncode = 503");
    assert!(bed.manager().authorization().await.unwrap_err().is_transient());
    assert!(bed.manager().authorization().await.is_ok());
    assert_eq!((bed.counted("renewals"), bed.counted("reused")), (1, 0));
}

#[tokio::test]
async fn an_answer_that_could_not_be_stored_serves_this_process_and_the_next_one_knows() {
    let bed = Bed::new().await;
    bed.sign_in(-10);
    bed.order(&json!({ "settings": { "renewal_ms": 150 } }));
    let manager = bed.manager();
    let meddle = async {
        while bed.counted("renewals") == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let whole = std::fs::read(bed.file()).unwrap();
        std::fs::write(bed.file(), &whole[..20]).unwrap();
        whole
    };
    let (got, whole) = tokio::join!(manager.authorization(), meddle);
    assert!(got.is_ok());
    std::fs::write(bed.file(), whole).unwrap();
    let error = bed.manager().authorization().await.unwrap_err();
    assert_eq!(error, Error::Refused { cause: Cause::Unanswered });
    assert_eq!((bed.counted("renewals"), bed.counted("reused")), (1, 0));
}

#[tokio::test]
async fn trouble_ahead_of_time_does_not_stop_a_good_token() {
    let bed = Bed::new().await;
    bed.sign_in(200);
    bed.fault("kind = 'status'\ncode = 500\ntimes = 9");
    let manager = bed.manager();
    for _ in 0..5 {
        assert!(manager.authorization().await.is_ok());
    }
    assert_eq!(bed.asked(), 1, "and it is not tried with every request");
}

#[tokio::test]
async fn what_fails_for_now_may_be_tried_again() {
    let bed = Bed::new().await;
    bed.sign_in(-10);
    let before = bed.read();
    bed.fault("kind = 'status'\ncode = 500\nbody = 'html'");
    let manager = bed.manager();
    let error = manager.authorization().await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("500"), "{error}");
    assert_eq!(bed.read(), before);
    assert!(manager.authorization().await.is_ok());
}

#[tokio::test]
async fn nothing_is_sent_when_the_answer_could_not_be_kept() {
    use std::os::unix::fs::PermissionsExt;
    let bed = Bed::new().await;
    bed.sign_in(-10);
    let before = std::fs::read(bed.file()).unwrap();
    std::fs::set_permissions(bed.file(), std::fs::Permissions::from_mode(0o400)).unwrap();
    let error = bed.manager().authorization().await.unwrap_err();
    assert!(matches!(error, Error::File { doing: "replaced", .. }), "{error}");
    std::fs::set_permissions(bed.file(), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::remove_file(bed.dir.path().join("auth.lock")).unwrap();
    std::fs::create_dir(bed.dir.path().join("auth.lock")).unwrap();
    let error = bed.manager().authorization().await.unwrap_err();
    assert!(matches!(error, Error::File { doing: "replaced", .. }), "{error}");
    assert_eq!(bed.asked(), 0);
    assert_eq!(std::fs::read(bed.file()).unwrap(), before);
}

#[tokio::test]
async fn another_account_in_the_answer_is_never_kept() {
    let bed = Bed::new().await;
    bed.sign_in(-10);
    let before = bed.read();
    bed.order(&json!({ "settings": { "renewed_account": "acct-other" } }));
    let refused = Err(Error::Refused { cause: Cause::OtherAccount });
    assert_eq!(bed.manager().authorization().await.map(drop), refused);
    assert_eq!(bed.manager().authorization().await.map(drop), refused);
    assert_eq!((bed.read(), bed.counted("renewals")), (before, 1));
}

/// What somebody without our lock does while a renewal is under way, and what must come of the renewal.
type Meddling = (fn(&Path), fn(&Result<(), Error>) -> bool);

#[tokio::test]
async fn what_replaced_the_file_meanwhile_stays() {
    let changed: fn(&Result<(), Error>) -> bool = |r| matches!(r, Err(Error::AccountChanged { .. }));
    let cases: [Meddling; 4] = [
        (|file| std::fs::remove_file(file).unwrap(), |r| *r == Err(Error::SignedOut)),
        (|file| std::fs::write(file, r#"{"auth_mode":"apikey","OPENAI_API_KEY":"k"}"#).unwrap(), changed),
        (
            |file| {
                let other = r#"{"auth_mode":"chatgpt","tokens":{"access_token":"x","account_id":"other"}}"#;
                std::fs::write(file, other).unwrap();
            },
            changed,
        ),
        (|file| std::fs::write(file, r#"{"auth_mode":"chat"#).unwrap(), Result::is_ok),
    ];
    for (number, (replace, fits)) in cases.into_iter().enumerate() {
        let bed = Bed::new().await;
        bed.sign_in(-10);
        bed.order(&json!({ "settings": { "renewal_ms": 150 } }));
        let manager = bed.manager();
        let asked = manager.authorization();
        let meddle = async {
            while bed.counted("renewals") == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            replace(&bed.file());
            std::fs::read(bed.file()).ok()
        };
        let (got, written) = tokio::join!(asked, meddle);
        assert!(fits(&got.map(drop)), "case {number}");
        assert_eq!(std::fs::read(bed.file()).ok(), written, "case {number}");
    }
}

#[tokio::test]
async fn damage_and_absence_spend_nothing() {
    for (bytes, what) in [(&b"{\"auth_mode\":"[..], "Corrupt"), (b"", "Corrupt"), (b"{}", "SignedOut")] {
        let bed = Bed::new().await;
        bed.sign_in(-10);
        let manager = bed.manager();
        std::fs::write(bed.file(), bytes).unwrap();
        let error = manager.authorization().await.unwrap_err();
        assert!(format!("{error:?}").starts_with(what), "{error:?}");
        assert_eq!(bed.asked(), 0);
        assert_eq!(std::fs::read(bed.file()).unwrap(), bytes);
    }
}

/// A clock that is a day ahead.
struct Ahead;

impl Clock for Ahead {
    fn now_ms(&self) -> u64 {
        SystemClock.now_ms() + 86_400_000
    }
}

#[tokio::test]
async fn a_clock_that_is_off_costs_one_renewal() {
    let bed = Bed::new().await;
    bed.sign_in(3600);
    let manager = Manager::open_at(bed.credentials(), Arc::new(Ahead)).unwrap();
    for _ in 0..5 {
        assert!(manager.authorization().await.is_ok());
    }
    assert_eq!(bed.counted("renewals"), 1);
}
