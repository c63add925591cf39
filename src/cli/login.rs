//! `codex login` and `codex logout`: put the key away, take it out, say who is signed in. The key comes from
//! standard input only: an argument would stand in the shell's history and in every process list.

use std::io::{IsTerminal, Read, Write};

use super::args::{Login, LoginCommand};
use super::exit::Exit;
use crate::auth::api_key;
use crate::auth::error::Error;
use crate::auth::store::Store;
use crate::config::{Env, home};
use crate::protocol::error::ErrorInfo;

/// Longest input that is read for a key, in bytes.
const KEY_MAX: u64 = 64 << 10;

/// Runs `codex login`.
pub(crate) fn login(args: &Login, env: &Env) -> Exit {
    let store = match store(env) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    match (&args.command, args.with_api_key) {
        (Some(LoginCommand::Status), _) => status(&store),
        (None, true) => with_api_key(&store),
        (None, false) => {
            tell(
                "Signing in with ChatGPT is not there yet. With an API key: codex login --with-api-key < key.txt",
            );
            Exit::Failure
        }
    }
}

/// Runs `codex logout`.
pub(crate) fn logout(env: &Env) -> Exit {
    let store = match store(env) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    match store.delete() {
        Ok(true) => tell("Signed out: the stored credentials were removed."),
        Ok(false) => tell("Nobody was signed in; nothing to remove."),
        Err(error) => return failed(&error),
    }
    Exit::Success
}

fn store(env: &Env) -> Result<Store, Exit> {
    match home::find(env) {
        Ok(home) => Ok(Store::new(&home)),
        Err(error) => {
            tell(&format!("ERROR: {error}"));
            Err(Exit::Failure)
        }
    }
}

fn status(store: &Store) -> Exit {
    let text = match store.load() {
        Ok(stored) => api_key::status(stored.as_ref()),
        Err(error) => return failed(&error),
    };
    match text {
        Some(text) => {
            tell(&text);
            Exit::Success
        }
        None => {
            tell("Not logged in. Store an API key with: codex login --with-api-key < key.txt");
            Exit::Failure
        }
    }
}

fn with_api_key(store: &Store) -> Exit {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        tell("The key is read from standard input: printenv OPENAI_API_KEY | codex login --with-api-key");
        return Exit::Failure;
    }
    let mut typed = Vec::new();
    if let Err(error) = stdin.lock().take(KEY_MAX).read_to_end(&mut typed) {
        tell(&format!("ERROR: cannot read standard input: {error}"));
        return Exit::Failure;
    }
    let Ok(typed) = String::from_utf8(typed) else {
        tell("ERROR: the input is not text, so it is no key");
        return Exit::Failure;
    };
    match api_key::login(store, &typed) {
        Ok(()) => {
            tell("Logged in using an API key. It is checked with the first request.");
            Exit::Success
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> Exit {
    tell(&format!("ERROR: {}", ErrorInfo::from(error.clone())));
    Exit::Failure
}

/// Everything goes to standard error, as with the reference: standard output stays for data.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
