//! Tests of the credential file: every shape that was ever written, damage of every kind, and what writing keeps.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::{Value, json};

use super::*;
use crate::auth::claims;

fn store_with(bytes: &[u8]) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE_NAME), bytes).unwrap();
    let store = Store::new(dir.path());
    (dir, store)
}

fn load(value: &Value) -> Result<Option<Stored>, Error> {
    let (_dir, store) = store_with(value.to_string().as_bytes());
    store.load()
}

#[test]
fn shapes() {
    let key = |text: &str| Some(Stored::ApiKey(Secret::new(text)));
    assert_eq!(load(&json!({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-1"})).unwrap(), key("sk-1"));
    assert_eq!(load(&json!({"OPENAI_API_KEY": "sk-1"})).unwrap(), key("sk-1"));
    assert_eq!(load(&json!({"OPENAI_API_KEY": "sk-1", "tokens": null, "x": [1]})).unwrap(), key("sk-1"));
    assert_eq!(load(&json!({"auth_mode": "apikey", "OPENAI_API_KEY": null})).unwrap(), None);
    assert_eq!(load(&json!({"OPENAI_API_KEY": null})).unwrap(), None);
    assert_eq!(load(&json!({})).unwrap(), None);

    let id_token = claims::fake_token(&json!({
        "email": "a@example.org",
        claims::AUTH: {"chatgpt_plan_type": "plus", "chatgpt_account_id": "from-token"},
    }));
    let access = claims::fake_token(&json!({"exp": 1_795_181_000}));
    for (mode, account) in [(json!("chatgpt"), json!("acct")), (json!(null), json!(null))] {
        let got = load(&json!({
            "auth_mode": mode, "OPENAI_API_KEY": null, "last_refresh": "2026-11-20T11:31:31Z",
            "tokens": {"id_token": id_token, "access_token": access, "refresh_token": "r", "account_id": account},
        }));
        let Some(Stored::ChatGpt(tokens)) = got.unwrap() else { panic!("not a ChatGPT sign-in") };
        assert_eq!(tokens.account_id.as_deref(), account.as_str().or(Some("from-token")));
        assert_eq!(tokens.identity.plan.as_deref(), Some("plus"));
        assert_eq!(tokens.expires_at, Some(1_795_181_000));
    }
}

#[test]
fn no_file_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Store::new(dir.path()).load().unwrap(), None);
    assert!(!Store::new(dir.path()).delete().unwrap());
}

#[test]
fn damage_is_named_without_showing_secrets() {
    let cases: [(&[u8], &str); 10] = [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\0\0\0\0\0\0\0\0", "not JSON"),
        (br#"{"OPENAI_API_KEY": "sk-sec"#, "breaks off"),
        (br#"{"OPENAI_API_KEY": sk-sec}"#, "not JSON"),
        (br#"["sk-sec"]"#, "not a JSON object"),
        (br#"{"OPENAI_API_KEY": 7}"#, "`OPENAI_API_KEY` is not a text"),
        (br#"{"auth_mode": "chatgpt", "tokens": "sk-sec"}"#, "`tokens` is not an object"),
        (
            br#"{"auth_mode": "chatgpt", "tokens": {"access_token": ["sk-sec"]}}"#,
            "`access_token` is not a text",
        ),
        (br#"{"auth_mode": "agentIdentity"}"#, "only other programs know (agentIdentity)"),
    ];
    for (bytes, want) in cases {
        let (_dir, store) = store_with(bytes);
        let error = store.load().unwrap_err();
        let text = format!("{error} {error:?} {}", error.hint());
        assert!(text.contains(want), "{want}: {text}");
        assert!(text.contains("auth.json") && text.contains("codex login"), "{text}");
        assert!(!text.contains("sk-sec"), "{text}");
    }
    let (_dir, store) = store_with(&vec![b' '; (MAX_BYTES + 1) as usize]);
    assert!(store.load().unwrap_err().to_string().contains("too large"));
}

#[test]
fn a_directory_in_its_place_is_a_file_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
    assert!(matches!(Store::new(dir.path()).load(), Err(Error::File { .. })));
}

#[test]
fn saving_keeps_what_others_wrote_and_hides_the_file() {
    let (dir, store) =
        store_with(br#"{"auth_mode":"chatgpt","tokens":{"access_token":"a"},"custom":{"n":[1,2]}}"#);
    store.save_api_key(&Secret::new("sk-2")).unwrap();
    let text = std::fs::read_to_string(store.path()).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value, json!({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-2", "custom": {"n": [1, 2]}}));
    assert_eq!(std::fs::metadata(store.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(store.load().unwrap(), Some(Stored::ApiKey(Secret::new("sk-2"))));
    assert_eq!(names(dir.path()), ["auth.json", "auth.json.lock", "auth.lock"]);
    assert!(store.delete().unwrap());
    assert_eq!(store.load().unwrap(), None);
}

#[test]
fn saving_makes_the_home_and_replaces_damage() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(&dir.path().join("new/home"));
    store.save_api_key(&Secret::new("sk-3")).unwrap();
    let home = store.home().to_owned();
    for left in [
        &b"\0\0"[..],
        br#"{"auth_mode":"agent_identity","agent":{"x":1}}"#,
        br#"{"auth_mode":"chatgpt","tokens":"?","agent":{"x":1}}"#,
    ] {
        std::fs::write(store.path(), left).unwrap();
        store.save_api_key(&Secret::new("sk-4")).unwrap();
        assert_eq!(store.load().unwrap(), Some(Stored::ApiKey(Secret::new("sk-4"))));
        let aside = names(&home).into_iter().find(|name| name.contains("damaged")).unwrap();
        assert_eq!(std::fs::read(home.join(&aside)).unwrap(), left, "what was there is kept");
        std::fs::remove_file(home.join(aside)).unwrap();
        let now = std::fs::read_to_string(store.path()).unwrap();
        assert_eq!(
            now.contains("\"agent\""),
            left.len() > 2,
            "what others know stays where they look: {now}"
        );
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_link_stays_a_link() {
    let (real, link) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(real.path().join("a.json"), "{}").unwrap();
    std::os::unix::fs::symlink(real.path().join("a.json"), link.path().join(FILE_NAME)).unwrap();
    let store = Store::new(link.path());
    store.save_api_key(&Secret::new("sk-5")).unwrap();
    assert!(store.path().is_symlink());
    assert!(std::fs::read_to_string(real.path().join("a.json")).unwrap().contains("sk-5"));
}

#[test]
fn memory_is_per_home_and_leaves_no_file() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = |dir: &Path| Store::kept_in(dir, CredentialStore::Ephemeral);
    store(one.path()).save_api_key(&Secret::new("sk-6")).unwrap();
    assert_eq!(store(one.path()).load().unwrap(), Some(Stored::ApiKey(Secret::new("sk-6"))));
    assert_eq!(store(two.path()).load().unwrap(), None);
    assert!(!one.path().join(FILE_NAME).exists());
    assert!(store(one.path()).delete().unwrap());
    assert_eq!(store(one.path()).load().unwrap(), None);
}

#[test]
fn what_cannot_be_replaced_is_known_before() {
    let (dir, store) = store_with(b"{}");
    store.check_writable().unwrap();
    std::fs::set_permissions(store.path(), std::fs::Permissions::from_mode(0o400)).unwrap();
    let error = store.check_writable().unwrap_err();
    assert!(matches!(error, Error::File { doing: "replaced", .. }), "{error}");
    drop(dir);
    assert!(store.check_writable().is_err());
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_that_others_can_read_is_tightened_and_told_once() {
    for (before, after) in [(0o644, 0o600), (0o640, 0o600), (0o666, 0o600), (0o444, 0o400)] {
        let (_dir, store) = store_with(b"{}");
        std::fs::set_permissions(store.path(), Permissions::from_mode(before)).unwrap();
        let told = store.tighten().unwrap();
        assert!(told.contains("auth.json") && told.contains(&format!("{before:o}")), "{told}");
        assert_eq!((mode(store.path()), store.tighten()), (after, None));
    }
    let (dir, store) = store_with(b"{}");
    std::fs::remove_file(store.path()).unwrap();
    assert_eq!(store.tighten(), None);
    if rustix::process::geteuid().is_root() {
        std::fs::write(store.path(), "{}").unwrap();
        std::fs::set_permissions(store.path(), Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::chown(store.path(), Some(12345), None).unwrap();
        assert!(store.tighten().unwrap().contains("not yours") && mode(store.path()) == 0o644);
    }
    drop(dir);
}

/// Only the superuser can write for somebody else, so only they can try this.
#[test]
fn what_the_superuser_writes_stays_the_users() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for there in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        std::os::unix::fs::chown(dir.path(), Some(12345), Some(12346)).unwrap();
        if there {
            std::fs::write(store.path(), "{}").unwrap();
            std::os::unix::fs::chown(store.path(), Some(12345), Some(12346)).unwrap();
        }
        store.check_writable().unwrap();
        store.save_api_key(&Secret::new("sk-7")).unwrap();
        let marks = crate::auth::marks::Marks::of(&store);
        marks.put(&Secret::new("rt"), crate::auth::error::Cause::Used).unwrap();
        for name in names(dir.path()) {
            let about = std::fs::metadata(dir.path().join(&name)).unwrap();
            assert_eq!((about.uid(), about.gid()), (12345, 12346), "{name}");
            assert_eq!(about.permissions().mode() & 0o077, 0, "{name}");
        }
        assert_eq!(store.load().unwrap(), Some(Stored::ApiKey(Secret::new("sk-7"))));
    }
}

#[test]
fn a_link_to_nowhere_is_refused_before_and_at_writing() {
    for target in ["none.json", "."] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        std::os::unix::fs::symlink(dir.path().join(target), store.path()).unwrap();
        let before = store.check_writable().unwrap_err();
        assert!(before.to_string().contains("it is a link to"), "{before}");
        assert!(store.change(|document| document::put_key(document, &Secret::new("sk-8"))).is_err());
        assert!(store.path().is_symlink() && !dir.path().join("none.json").exists());
    }
}

#[test]
fn behind_a_link_damage_is_set_aside_and_signing_out_leaves_no_secret() {
    let (real, link) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = real.path().join("a.json");
    std::fs::write(&file, "sk-damaged").unwrap();
    std::os::unix::fs::symlink(&file, link.path().join(FILE_NAME)).unwrap();
    let store = Store::new(link.path());
    store.save_api_key(&Secret::new("sk-9")).unwrap();
    assert!(store.path().is_symlink() && std::fs::read_to_string(&file).unwrap().contains("sk-9"));
    let aside = names(link.path()).into_iter().find(|name| name.contains("damaged")).unwrap();
    assert_eq!(std::fs::read(link.path().join(&aside)).unwrap(), b"sk-damaged");
    assert_eq!(mode(&link.path().join(aside)), 0o600);
    assert!(store.delete().unwrap() && !file.exists() && !store.path().is_symlink());
}
