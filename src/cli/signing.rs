//! Sign-in with ChatGPT on the command line: what is shown while it waits, and what may be typed meanwhile.

use std::io::BufRead;

use tokio::sync::{mpsc, oneshot};

use super::browse;
use super::login::tell;
use crate::auth::browser::{BrowserSignIn, PORTS, Pasted};
use crate::auth::device_code::DeviceSignIn;
use crate::auth::error::Error;
use crate::auth::manager::Identity;
use crate::auth::sign_in::SignIn;
use crate::base::clean;
use crate::base::tasks;
use crate::config::{Config, Env};

/// Longest pasted address, in bytes.
const PASTE_MAX: usize = 16 << 10;

/// What still counts when nothing is stored, and how to end that; nothing when nothing does.
pub(super) fn remaining(config: &Config, env: &Env) -> Option<String> {
    let provider = &config.provider;
    let set = |name: &str| env.secret(name).is_some();
    let name = match &provider.env_key {
        Some(name) if set(name) => name.as_str(),
        _ if provider.bearer_token.is_some() => {
            return Some(format!(
                "The token of the provider {} stands in the configuration and still counts: take it out there.",
                provider.name
            ));
        }
        None if provider.requires_openai_auth => {
            ["CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "OPENAI_API_KEY"].into_iter().find(|name| set(name))?
        }
        Some(_) | None => return None,
    };
    Some(format!("What the environment variable {name} holds still counts: unset it to be signed out."))
}

/// Signs in with a code on another device.
pub(super) async fn with_code(sign_in: SignIn) -> Result<Identity, Error> {
    let waiting = DeviceSignIn::begin(sign_in).await?;
    tell(&format!(
        "1. Open this address in a browser, on any device, and sign in:\n\n   {}\n\n\
         2. Type this code there. It counts for 15 minutes:\n\n   {}\n\n\
         Never give the code to anybody: whoever uses it signs codex in.\n\
         Waiting… Ctrl-C gives up.",
        waiting.url(),
        waiting.code()
    ));
    waiting.finish().await
}

/// Signs in with a browser on this machine.
pub(super) async fn with_browser(sign_in: SignIn, port: Option<u16>, env: &Env) -> Result<Identity, Error> {
    let ports = port.map_or(PORTS.to_vec(), |port| vec![port]);
    let hidden = sign_in.store.hidden();
    let waiting = BrowserSignIn::begin(sign_in, &ports).await?;
    tell(&format!(
        "Sign in in the browser that opens. If none does, open this address:\n\n{}\n\n\
         If the browser is on another machine, it ends at an address it cannot open: paste that here.\n\
         On a machine without browser: codex login --device-auth\n\
         Waiting… Ctrl-C gives up.",
        waiting.url()
    ));
    browse::open(env, &hidden, waiting.url());
    let (sender, pasted) = mpsc::channel(1);
    tasks::detach("pasted address", move || read_pasted(&sender));
    waiting.finish(pasted).await
}

/// Hands on lines of standard input until one is taken.
fn read_pasted(sender: &mpsc::Sender<Pasted>) {
    let mut stdin = std::io::stdin().lock();
    loop {
        let mut line = String::new();
        match std::io::Read::take(&mut stdin, PASTE_MAX as u64).read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => {}
            Ok(_) => {
                let (answer, told) = oneshot::channel();
                if sender.blocking_send((line, answer)).is_err() {
                    return;
                }
                match told.blocking_recv() {
                    Ok(Err(why)) => tell(&why),
                    Ok(Ok(())) | Err(_) => return,
                }
            }
        }
    }
}

/// Who it is, for the end of a sentence: ` (a@example.org, plan plus)`.
pub(super) fn who(identity: &Identity) -> String {
    let email = identity.email.as_deref().map(|email| clean::line(email, 100));
    let plan = identity.plan.as_deref().map(|plan| format!("plan {}", clean::line(plan, 40)));
    let parts: Vec<String> = email.into_iter().chain(plan).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
