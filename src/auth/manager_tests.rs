//! Tests of precedence, of the errors before any network, and of reading the store again after a 401.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::auth::store::FILE_NAME;

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
    manager.authorization_now().bearer.map(|b| b.expose().to_owned())
}

fn openai(home: &Path, codex_api_key: Option<Secret>, openai_api_key: Option<Secret>) -> Credentials {
    Credentials::OpenAi { codex_api_key, openai_api_key, store: Store::new(home) }
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
    assert_eq!(manager.recover(&used).await, Ok(false), "nothing changed");

    std::fs::write(dir.path().join(FILE_NAME), chatgpt("new", "acct").to_string()).unwrap();
    assert_eq!(manager.recover(&used).await, Ok(true));
    assert_eq!(bearer(&manager).as_deref(), Some("new"));
    let used = manager.authorization().await.unwrap();

    std::fs::write(dir.path().join(FILE_NAME), chatgpt("other", "someone").to_string()).unwrap();
    assert_eq!(manager.recover(&used).await, Err(Error::AccountChanged));
    std::fs::remove_file(dir.path().join(FILE_NAME)).unwrap();
    assert_eq!(manager.recover(&used).await, Err(Error::AccountChanged));
    assert_eq!(bearer(&manager).as_deref(), Some("new"), "another account's token is never taken over");
}

#[tokio::test]
async fn a_refused_key_stays_refused() {
    let manager = Manager::open(Credentials::Bearer(Secret::new("k"))).unwrap();
    let used = manager.authorization().await.unwrap();
    assert_eq!(manager.recover(&used).await, Ok(false));
}
