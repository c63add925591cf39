//! Whole turns under tokens that a parent application owns, against the scripted service.

use std::sync::Mutex;

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::*;
use crate::auth::credentials::OpenAi;
use crate::auth::external::{self, Ask};
use crate::auth::issuer::Overrides;
use crate::base::secret::Secret;
use crate::config::{Flags, load};
use crate::demo::oauth;
use crate::demo::script::Script;
use crate::protocol::event::Event;
use crate::protocol::input::UserInput;
use crate::protocol::op::Op;
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// Opens a thread whose credentials are `tokens`, for whose renewal `ask` is asked.
async fn opened(home: &Path, server: &Server, tokens: &Value, ask: Ask) -> (Opened, Live) {
    std::fs::write(
        home.join("config.toml"),
        format!("model = 'gpt-5.5'\nopenai_base_url = '{}'\n", server.base_url()),
    )
    .unwrap();
    let home_text = home.display().to_string();
    let env = Env::of(
        &[
            ("HOME", &home_text),
            ("CODEX_HOME", &home_text),
            ("CODEX_APP_SERVER_LOGIN_ISSUER", &server.origin()),
        ],
        home,
    );
    let config = load(&env, &Flags::default()).unwrap();
    let openai = OpenAi {
        codex_api_key: None,
        codex_access_token: None,
        openai_api_key: None,
        store: wire::store(&config),
        issuer: wire::issuer(&env, Overrides::default()).unwrap(),
        rules: wire::rules(&config),
    };
    let tokens = external::read(tokens["access_token"].as_str().unwrap(), "the parent").unwrap();
    let manager = Manager::of_parent(openai, tokens, ask).unwrap();
    open_as(config, &env, manager, Begin::New).await.unwrap()
}

async fn turn(live: &mut Live) -> TurnEnd {
    let input = vec![UserInput::Text { text: "hello".to_owned() }];
    live.ops.send(Op::UserTurn { input, output_schema: None }).await.unwrap();
    loop {
        if let Event::TurnCompleted(end) = live.events.recv().await.unwrap() {
            return *end;
        }
    }
}

fn order(server: &Server, order: &Value) {
    let mut state = server.backend().state();
    let done = oauth::control(&mut state.oauth, "/control/oauth", &order.to_string());
    assert_eq!(done.unwrap().status(), 200, "{order}");
}

/// All files below `dir` that hold `text`.
fn files_with(dir: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if memchr::memmem::find(&std::fs::read(&path).unwrap_or_default(), text.as_bytes()).is_some() {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn turns_under_tokens_of_a_parent() {
    let script = Script::read("t", "[[rule]]\noutput = [{ text = 'Hello.' }]\n").unwrap();
    let server = Arc::new(Server::start(script, Options { port: 0, auth: true, scale: 0.0 }).await.unwrap());
    let home = tempfile::tempdir().unwrap();
    // Somebody else's sign-in, which is none of the parent's business.
    let stored = json!({"auth_mode": "chatgpt", "tokens": {"access_token": "stored", "account_id": "else"}});
    std::fs::write(home.path().join("auth.json"), stored.to_string()).unwrap();
    let first = server.backend().state().oauth.sign_in();
    let given = Arc::new(Mutex::new(vec![first["access_token"].as_str().unwrap().to_owned()]));
    let (owner, gave) = (Arc::clone(&server), Arc::clone(&given));
    let ask: Ask = Arc::new(move |account| {
        assert_eq!(account, "acct-demo");
        let fresh = owner.backend().state().oauth.sign_in();
        let access = fresh["access_token"].as_str().unwrap();
        gave.lock().unwrap().push(access.to_owned());
        std::future::ready(external::read(access, "the parent").map_err(|error| error.to_string())).boxed()
    });
    let (opened, mut live) = opened(home.path(), &server, &first, ask).await;
    assert!(opened.account.is_some() && opened.info.account.contains("ChatGPT"), "{}", opened.info.account);
    let asked = || given.lock().unwrap().len() - 1;

    assert_eq!(turn(&mut live).await.status, TurnStatus::Completed);
    assert_eq!(asked(), 0);
    // One 401, one question, and the turn goes on.
    order(&server, &json!({"expire": true}));
    let end = turn(&mut live).await;
    assert_eq!((end.status, end.last_message.as_deref()), (TurnStatus::Completed, Some("Hello.")));
    assert_eq!(asked(), 1);
    // A service that refuses everything: one question more, then the 401 stands.
    order(&server, &json!({"expire": true, "settings": {"refuse_all": true}}));
    let end = turn(&mut live).await;
    let error = end.error.unwrap();
    assert_eq!((end.status, error.kind), (TurnStatus::Failed, ErrorKind::Unauthorized));
    assert!(asked() <= 2, "asked {} times", asked());
    assert!(error.to_string().contains("the application that started codex"), "{error}");

    drop((opened, live));
    for token in given.lock().unwrap().iter() {
        assert_eq!(files_with(home.path(), token), Vec::<PathBuf>::new());
        assert!(!format!("{error:?}").contains(Secret::new(token.clone()).expose()));
    }
    assert_eq!(std::fs::read_to_string(home.path().join("auth.json")).unwrap(), stored.to_string());
    assert_eq!(server.backend().state().oauth.counted("renewals"), 0);
}
