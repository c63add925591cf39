//! `codex login` and `codex logout`: sign in, sign out, say who is signed in. Keys and tokens come from standard
//! input only: an argument would stand in the shell's history and in every process list.

use std::future::Future;
use std::io::{IsTerminal, Read, Write};

use super::args::{Login, LoginCommand, Shared};
use super::exit::Exit;
use super::{browse, signing, wire};
use crate::auth::api_key;
use crate::auth::error::Error;
use crate::auth::issuer::{Issuer, Overrides};
use crate::auth::manager::Identity;
use crate::auth::sign_in::{SignIn, sign_out};
use crate::auth::store::Store;
use crate::config::{self, Config, Env, Flags, home};
use crate::process::harden;
use crate::protocol::error::ErrorInfo;

/// Longest input that is read for a key or token, in bytes.
const INPUT_MAX: u64 = 64 << 10;

/// Runs `codex login`.
pub(crate) fn login(args: &Login, shared: Shared, env: &Env) -> Exit {
    let config = match configuration(shared, env) {
        Ok(config) => config,
        Err(error) => return wrong(&error),
    };
    if let Err(fault) = &config.login.chatgpt_base_url {
        tell(&format!("Warning: {fault}"));
    }
    let store = wire::store(&config);
    if matches!(args.command, Some(LoginCommand::Status)) {
        return status(&store);
    }
    if store.is_ephemeral() {
        return failed(Error::Ephemeral);
    }
    let overrides =
        Overrides { issuer: args.issuer.clone(), client_id: args.client_id.clone(), ..Overrides::default() };
    let issuer = match wire::issuer(env, overrides) {
        Ok(issuer) => issuer,
        Err(error) => return wrong(&error),
    };
    let rules = wire::rules(&config);
    if args.with_api_key {
        return match rules.key() {
            Ok(()) => with_api_key(&store, &issuer),
            Err(error) => failed(error),
        };
    }
    let sign_in = SignIn { issuer, store, rules };
    if args.with_access_token {
        return match piped("token", "--with-access-token < token.txt") {
            Ok(typed) => done(block_on(sign_in.with_access_token(&typed))),
            Err(exit) => exit,
        };
    }
    let absent = browse::absent(env).filter(|_| !args.browser);
    if let Some(why) = absent.filter(|_| !args.device_auth) {
        tell(&format!("Signing in with a code, because {why}. With a browser here: codex login --browser\n"));
    }
    if args.device_auth || absent.is_some() {
        return done(block_on(signing::with_code(sign_in)));
    }
    done(block_on(signing::with_browser(sign_in, args.port, env)))
}

/// Runs `codex logout`.
pub(crate) fn logout(shared: Shared, env: &Env) -> Exit {
    // A broken configuration must not keep credentials on the machine.
    let (store, stays) = match configuration(shared, env) {
        Ok(config) => (wire::store(&config), signing::remaining(&config, env)),
        Err(error) => match home::find(env) {
            Ok(home) => (Store::new(&home), None),
            Err(_) => return wrong(&error),
        },
    };
    let issuer = match wire::issuer(env, Overrides::default()) {
        Ok(issuer) => issuer,
        Err(error) => return wrong(&error),
    };
    match block_on(async { sign_out(&store, &issuer).await }) {
        Ok(true) => tell("Signed out: the stored credentials were removed."),
        Ok(false) => tell("Nobody was signed in; nothing to remove."),
        Err(error) => return failed(error),
    }
    stays.into_iter().chain(store.unseen()).for_each(|text| tell(&text));
    Exit::Success
}

fn configuration(shared: Shared, env: &Env) -> Result<Config, ErrorInfo> {
    let flags = Flags { profile: shared.profile, overrides: shared.config, ..Flags::default() };
    config::load(env, &flags)
        .inspect(|config| harden::forget(&config.secret_env))
        .map_err(|error| super::door::told(&error))
}

fn status(store: &Store) -> Exit {
    store.tighten().into_iter().chain(store.fallback()).for_each(|text| tell(&text));
    let text = match store.load() {
        Ok(stored) => api_key::status(stored.as_ref()),
        Err(error) => return failed(error),
    };
    match text {
        Some(text) => {
            tell(&text);
            Exit::Success
        }
        None => {
            tell(
                "Not logged in. Sign in with: codex login, or with a key: codex login --with-api-key < key.txt",
            );
            Exit::Failure
        }
    }
}

fn with_api_key(store: &Store, issuer: &Issuer) -> Exit {
    let typed = match piped("key", "--with-api-key < key.txt") {
        Ok(typed) => typed,
        Err(exit) => return exit,
    };
    match block_on(async { api_key::login(store, issuer, &typed).await }) {
        Ok(()) => {
            tell("Logged in using an API key. It is checked with the first request.");
            Exit::Success
        }
        Err(error) => failed(error),
    }
}

/// A secret from standard input.
fn piped(what: &str, how: &str) -> Result<String, Exit> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        tell(&format!("The {what} is read from standard input: codex login {how}"));
        return Err(Exit::Failure);
    }
    let mut typed = Vec::new();
    if let Err(error) = stdin.lock().take(INPUT_MAX).read_to_end(&mut typed) {
        tell(&format!("ERROR: cannot read standard input: {error}"));
        return Err(Exit::Failure);
    }
    String::from_utf8(typed).map_err(|_| {
        tell(&format!("ERROR: the input is not text, so it is no {what}"));
        Exit::Failure
    })
}

fn done(result: Result<Identity, Error>) -> Exit {
    match result {
        Ok(identity) => {
            tell(&format!("Signed in with ChatGPT{}.", signing::who(&identity)));
            Exit::Success
        }
        Err(error) => failed(error),
    }
}

/// Runs on a runtime of its own. Threads that still wait for input are not waited for.
fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Client { reason: format!("cannot start: {error}") })?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

fn failed(error: Error) -> Exit {
    wrong(&ErrorInfo::from(error))
}

fn wrong(error: &ErrorInfo) -> Exit {
    tell(&format!("ERROR: {}", crate::exec::text::clean(&error.to_string())));
    Exit::Failure
}

/// Everything goes to standard error, as with the reference: standard output stays for data.
pub(super) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
