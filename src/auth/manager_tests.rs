//! Tests of precedence, of the errors before any network, and of reading the store again after a 401.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::auth::claims;
use crate::auth::credentials::OpenAi;
use crate::auth::issuer::{Issuer, Overrides};
use crate::auth::store::{FILE_NAME, Store};
use crate::auth::workspace::Rules;
use crate::base::secret::Secret;
use crate::config::schema::login::LoginMethod;
use crate::net::http::HttpSettings;

fn home(auth: Option<serde_json::Value>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    if let Some(value) = auth {
        std::fs::write(dir.path().join(FILE_NAME), value.to_string()).unwrap();
    }
    dir
}

fn chatgpt(access: &str, account: &str) -> serde_json::Value {
    json!({"auth_mode": "chatgpt", "tokens": {"access_token": access, "account_id": account}})
}

fn secret(text: &str) -> Option<Secret> {
    (!text.is_empty()).then(|| Secret::new(text))
}

fn bearer(manager: &Manager) -> Option<String> {
    manager.inner.authorization().bearer.map(|b| b.expose().to_owned())
}

fn openai(home: &Path, codex_api_key: Option<Secret>, openai_api_key: Option<Secret>) -> Credentials {
    Credentials::OpenAi(Box::new(OpenAi {
        codex_api_key,
        codex_access_token: None,
        openai_api_key,
        store: Store::new(home),
        issuer: Issuer::new(Overrides::default(), "test", HttpSettings::default()).unwrap(),
        rules: Rules::default(),
    }))
}

#[test]
fn precedence_of_the_builtin_provider() {
    let key = json!({"auth_mode": "apikey", "OPENAI_API_KEY": "stored"});
    for (codex_key, stored, openai_key, want) in [
        ("codex", Some(&key), "openai", Some("codex")),
        ("codex", None, "", Some("codex")),
        ("", Some(&key), "openai", Some("stored")),
        ("", None, "openai", Some("openai")),
        (" ", None, "openai\n", Some("openai")),
        ("", Some(&chatgpt("token", "a")), "openai", Some("token")),
        ("", Some(&json!({})), "openai", Some("openai")),
        ("", None, "", None),
    ] {
        let dir = home(stored.cloned());
        let got = Manager::open(openai(dir.path(), secret(codex_key), secret(openai_key)));
        match want {
            Some(want) => assert_eq!(bearer(&got.unwrap()).as_deref(), Some(want)),
            None => assert_eq!(got.unwrap_err(), Error::NotSignedIn),
        }
    }
}

#[test]
fn a_damaged_store_is_told_but_a_key_in_the_environment_goes_before_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE_NAME), b"{\"OPENAI").unwrap();
    let open = |codex_key| Manager::open(openai(dir.path(), secret(codex_key), secret("openai")));
    assert!(matches!(open("").unwrap_err(), Error::Corrupt { .. }));
    assert_eq!(bearer(&open("codex").unwrap()).as_deref(), Some("codex"));
}

#[test]
fn what_the_provider_names_itself() {
    let variable = |value| Credentials::Variable {
        provider: "mine".to_owned(),
        name: "MY_KEY".to_owned(),
        instructions: Some("ask Ann".to_owned()),
        value: secret(value),
    };
    assert_eq!(bearer(&Manager::open(variable("k")).unwrap()).as_deref(), Some("k"));
    let error = Manager::open(variable("")).unwrap_err();
    assert!(error.to_string().contains("MY_KEY"), "{error}");
    assert_eq!(error.hint(), "ask Ann");
    let error = Manager::open(variable("two\nlines")).unwrap_err();
    assert!(error.to_string().contains("MY_KEY") && !format!("{error:?}").contains("two"), "{error:?}");

    assert_eq!(bearer(&Manager::open(Credentials::None).unwrap()), None);
    let token = Manager::open(Credentials::Bearer(Secret::new("t"))).unwrap();
    assert_eq!(bearer(&token).as_deref(), Some("t"));
    assert!(!token.is_chatgpt());
}

#[tokio::test]
async fn after_a_401_the_store_is_read_again() {
    let dir = home(Some(chatgpt("old", "acct")));
    let manager = Manager::open(openai(dir.path(), None, None)).unwrap();
    assert!(manager.is_chatgpt());
    let used = manager.authorization().await.unwrap();
    assert_eq!(used.account_id.as_deref(), Some("acct"));
    std::fs::write(dir.path().join(FILE_NAME), chatgpt("new", "acct").to_string()).unwrap();
    assert_eq!(manager.recover(&used).await, Ok(true));
    assert_eq!(bearer(&manager).as_deref(), Some("new"));
    let used = manager.authorization().await.unwrap();
    assert_eq!(manager.recover(&used).await, Err(Error::RunOut), "it was looked at, and cannot be renewed");
}

#[tokio::test]
async fn another_account_stops_everything_until_it_is_adopted() {
    let dir = home(Some(chatgpt("old", "acct")));
    let file = dir.path().join(FILE_NAME);
    let manager = Manager::open(openai(dir.path(), None, None)).unwrap();
    let used = manager.authorization().await.unwrap();

    std::fs::write(&file, chatgpt("other", "someone").to_string()).unwrap();
    let changed = Error::AccountChanged { now: None };
    assert_eq!(manager.recover(&used).await, Err(changed.clone()));
    assert_eq!(manager.authorization().await, Err(changed), "nothing more in its name");
    assert_eq!(bearer(&manager).as_deref(), Some("old"), "another account's token is never taken over");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(manager.authorization().await, Err(Error::SignedOut));
    assert_eq!(manager.adopt().await, Err(Error::SignedOut));

    std::fs::write(&file, chatgpt("back", "acct").to_string()).unwrap();
    assert_eq!(manager.authorization().await.unwrap().bearer, secret("back"), "the same account is back");
    let used = manager.authorization().await.unwrap();
    std::fs::write(&file, chatgpt("other", "someone").to_string()).unwrap();
    // What was looked at once is looked at again before anything is renewed.
    assert!(manager.recover(&used).await.is_err());
    assert_eq!(manager.adopt().await.unwrap().account_id.as_deref(), Some("someone"));
    assert_eq!(manager.authorization().await.unwrap().bearer, secret("other"));
}

/// Nobody has to be refused first: whoever signs out elsewhere, or in as somebody else, means every program.
#[tokio::test]
async fn what_others_do_to_the_file_is_followed_before_the_next_request() {
    let dir = home(Some(chatgpt("old", "acct")));
    let file = dir.path().join(FILE_NAME);
    let manager = Manager::open(openai(dir.path(), None, None)).unwrap();
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let sends = |token: &str| (secret(token), Some("acct".to_owned()));
    let now = || async {
        manager.authorization().await.map(|authorization| (authorization.bearer, authorization.account_id))
    };
    assert_eq!(now().await, Ok(sends("old")));
    write(&chatgpt("renewed", "acct").to_string());
    assert_eq!(now().await, Ok(sends("renewed")), "renewed by another process");
    for torn in ["", "{\"auth_mode\": \"chat", "{\"auth_mode\": \"of others\"}", "[]"] {
        write(torn);
        assert_eq!(now().await, Ok(sends("renewed")), "nobody signed out: {torn}");
    }
    for (text, error) in [
        (chatgpt("other", "someone").to_string(), Error::AccountChanged { now: None }),
        ("{}".to_owned(), Error::SignedOut),
        (
            json!({"auth_mode": "apikey", "OPENAI_API_KEY": "k"}).to_string(),
            Error::AccountChanged { now: Some("an API key".to_owned()) },
        ),
    ] {
        write(&text);
        assert_eq!(now().await, Err(error.clone()), "{text}");
        assert_eq!(now().await, Err(error), "and it stays so: {text}");
        write(&chatgpt("back", "acct").to_string());
        assert_eq!(now().await, Ok(sends("back")));
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(now().await, Err(Error::SignedOut));
}

/// A stored key ends with its sign-in as tokens do; one of the environment does not.
#[tokio::test]
async fn a_stored_key_ends_with_its_sign_in() {
    let key = |key: &str| json!({"auth_mode": "apikey", "OPENAI_API_KEY": key});
    let dir = home(Some(key("stored")));
    let file = dir.path().join(FILE_NAME);
    let manager = Manager::open(openai(dir.path(), None, secret("of the environment"))).unwrap();
    let given = Manager::open(openai(dir.path(), secret("given"), None)).unwrap();
    let now = || async { manager.authorization().await.map(|authorization| authorization.bearer) };
    assert_eq!(now().await, Ok(secret("stored")));
    for (text, want) in [
        (key("other"), Err(Error::AccountChanged { now: Some("another API key".to_owned()) })),
        (key("stored"), Ok(secret("stored"))),
        (chatgpt("token", "acct"), Err(Error::AccountChanged { now: None })),
        (json!("torn"), Err(Error::AccountChanged { now: None })),
        (json!({}), Err(Error::SignedOut)),
        (key("stored"), Ok(secret("stored"))),
    ] {
        std::fs::write(&file, text.to_string()).unwrap();
        assert_eq!(now().await, want, "{text}");
        assert_eq!(now().await, want, "and it stays so: {text}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(now().await, Err(Error::SignedOut));
    assert_eq!(given.authorization().await.unwrap().bearer, secret("given"));
}

/// What is kept in a keyring cannot be looked at for every request; the sign beside it can.
#[test]
fn a_change_of_the_keyring_leaves_a_sign() {
    let dir = home(None);
    let store = Store::new(dir.path());
    let mut seen = vec![store.stamp()];
    for _ in 0..3 {
        store.mark_changed();
        let now = store.stamp();
        assert!(!seen.contains(&now));
        seen.push(now);
    }
}

#[tokio::test]
async fn who_signs_out_here_sends_nothing_more() {
    let key = json!({"auth_mode": "apikey", "OPENAI_API_KEY": "stored"});
    for (stored, given, kept, stops) in [
        (chatgpt("token", "acct"), "", false, true),
        (chatgpt("token", "acct"), "", true, true),
        (key.clone(), "", false, true),
        (key.clone(), "given", true, false),
    ] {
        let dir = home(Some(stored));
        let manager = Manager::open(openai(dir.path(), secret(given), None)).unwrap();
        std::fs::remove_file(dir.path().join(FILE_NAME)).unwrap();
        manager.signed_out(kept);
        let now = manager.authorization().await;
        assert_eq!(now.err(), stops.then_some(Error::SignedOut), "{kept}");
    }
}

#[tokio::test]
async fn tokens_of_a_parent_are_asked_for_once_per_turn_and_never_stored() {
    let dir = tempfile::tempdir().unwrap();
    let manager = Manager::open(openai(dir.path(), secret("k"), None)).unwrap();
    let tokens = |access: &str, account: &str| ExternalTokens {
        access: Secret::new(access),
        account_id: account.to_owned(),
        plan: None,
    };
    let owner = |fresh: ExternalTokens| -> Ask {
        Arc::new(move |account| {
            assert_eq!(account, "acct");
            std::future::ready(Ok(fresh.clone())).boxed()
        })
    };
    manager.use_external(tokens("one", "acct"), owner(tokens("two", "acct"))).unwrap();
    let used = manager.authorization().await.unwrap();
    assert_eq!((used.bearer.clone(), used.account_id.as_deref()), (secret("one"), Some("acct")));
    assert_eq!(manager.recover(&used).await, Ok(true));
    let used = manager.authorization().await.unwrap();
    assert_eq!(used.bearer, secret("two"));
    assert_eq!(manager.recover(&used).await, Ok(false), "fresh ones that are refused");
    manager.use_external(tokens("one", "acct"), owner(tokens("x", "other"))).unwrap();
    let used = manager.authorization().await.unwrap();
    let other = Error::Refused { cause: crate::auth::error::Cause::OtherAccount };
    assert_eq!(manager.recover(&used).await, Err(other.clone()));
    assert_eq!(manager.authorization().await.unwrap(), used);
    assert_eq!(manager.recover(&used).await, Err(other), "the next turn asks again");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_parent_is_asked_once_for_all_who_were_refused() {
    let dir = tempfile::tempdir().unwrap();
    let Credentials::OpenAi(openai) = openai(dir.path(), None, None) else { panic!() };
    let tokens = |access: &str| ExternalTokens {
        access: Secret::new(access),
        account_id: "acct".to_owned(),
        plan: None,
    };
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let fresh = tokens("two");
    let ask: Ask = Arc::new(move |_| {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let fresh = fresh.clone();
        async move {
            tokio::task::yield_now().await;
            Ok(fresh)
        }
        .boxed()
    });
    let rules = Rules { workspaces: vec!["other".to_owned()], ..Rules::default() };
    let strict = OpenAi { rules, ..(*openai).clone() };
    assert!(matches!(Manager::of_parent(strict, tokens("one"), ask.clone()), Err(Error::Workspace { .. })));
    let manager = Manager::of_parent(*openai, tokens("one"), ask).unwrap();
    assert!(manager.is_chatgpt() && manager.remedy().contains("application"));
    let used = manager.authorization().await.unwrap();
    let all = futures_util::future::join_all((0..20).map(|_| manager.recover(&used))).await;
    assert!(all.iter().all(|one| *one == Ok(true)), "{all:?}");
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_parent_that_fails_is_passing_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let manager = Manager::open(openai(dir.path(), secret("k"), None)).unwrap();
    let tokens = ExternalTokens { access: Secret::new("one"), account_id: "acct".to_owned(), plan: None };
    let failing: Ask = Arc::new(|_| std::future::ready(Err("no window".to_owned())).boxed());
    manager.use_external(tokens, failing).unwrap();
    let used = manager.authorization().await.unwrap();
    let error = manager.recover(&used).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("no window"), "{error}");
    assert_eq!(manager.authorization().await.unwrap(), used, "the old one is tried again");
}

#[test]
fn a_forced_method_and_workspace() {
    let token = claims::fake_token(&json!({ claims::AUTH: { "chatgpt_account_id": "w2" } }));
    let key = json!({"auth_mode": "apikey", "OPENAI_API_KEY": "stored"});
    let (chatgpt_only, api_only) = (Some(LoginMethod::Chatgpt), Some(LoginMethod::Api));
    for (method, workspaces, stored, codex_key, access_token, openai_key, want) in [
        (chatgpt_only, "", Some(&key), "", "", "", "Method"),
        (chatgpt_only, "", None, "k", "", "", "Method"),
        (chatgpt_only, "", None, "", "", "k", "NotSignedIn"),
        (chatgpt_only, "", Some(&chatgpt("t", "w1")), "", "", "", ""),
        (api_only, "", Some(&chatgpt("t", "w1")), "", "", "", "Method"),
        (api_only, "", Some(&key), "", "", "", ""),
        (None, "w1", Some(&chatgpt("t", "w1")), "", "", "", ""),
        (None, "w1", Some(&chatgpt("t", "w2")), "", "", "", "Workspace"),
        (None, "w1", None, "", &token, "", "Workspace"),
        (None, "w2", None, "", &token, "", ""),
        (None, "", None, "", "no-token", "", "BadToken"),
    ] {
        let dir = home(stored.cloned());
        let Credentials::OpenAi(mut open) = openai(dir.path(), secret(codex_key), secret(openai_key)) else {
            panic!()
        };
        open.codex_access_token = secret(access_token);
        let workspaces = secret(workspaces).iter().map(|w| w.expose().to_owned()).collect();
        open.rules = Rules { method, workspaces, ..Rules::default() };
        let got = Manager::open(Credentials::OpenAi(open)).err();
        let shown = got.as_ref().map(|error| format!("{error:?}")).unwrap_or_default();
        assert!(shown.starts_with(want) && got.is_some() != want.is_empty(), "{want}: {shown}");
    }
}

#[tokio::test]
async fn a_refused_key_stays_refused() {
    let manager = Manager::open(Credentials::Bearer(Secret::new("k"))).unwrap();
    let used = manager.authorization().await.unwrap();
    assert_eq!(manager.recover(&used).await, Ok(false));
}
