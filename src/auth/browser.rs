//! Sign-in in a browser: OAuth code with PKCE. The browser comes back to a small server on loopback; where it
//! cannot (another machine), the address it was sent to can be pasted. Codes, states and tokens stay out of every
//! text and of the addresses that a browser remembers, as far as they are ours.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::error::Error;
use super::manager::Identity;
use super::sign_in::SignIn;
use crate::base::clean;
use crate::base::secret::Secret;
use crate::net::loopback::{self, Loopback, Page, Visit};

/// Ports that the service accepts, in this order.
pub(crate) const PORTS: [u16; 2] = [1455, 1457];
/// Tries per port, and the time between them: whoever holds it may be about to leave.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);
/// After the tokens are stored, the browser gets this time to fetch the last page.
const LAST_PAGE: Duration = Duration::from_secs(5);
/// Nobody takes longer than this to sign in.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// An address that was pasted, with a place for what is wrong with it.
pub(crate) type Pasted = (String, oneshot::Sender<Result<(), String>>);

/// A sign-in that waits for the browser.
pub(crate) struct BrowserSignIn {
    sign_in: SignIn,
    server: Loopback,
    url: String,
    redirect: String,
    state: Secret,
    verifier: Secret,
}

/// What a browser brings back.
#[derive(Debug, PartialEq, Eq)]
enum Brought {
    Code(Secret),
    /// The service refused, in its words.
    Refused(String),
    /// No code, or not for us.
    Nothing(&'static str),
}

impl BrowserSignIn {
    /// Opens the port and prepares the address to visit.
    ///
    /// # Errors
    /// The result could not be kept, or the ports are taken.
    pub(crate) async fn begin(sign_in: SignIn, ports: &[u16]) -> Result<Self, Error> {
        sign_in.check().await?;
        let server = listen(ports).await?;
        let redirect = format!("http://127.0.0.1:{}/auth/callback", server.port);
        let (state, verifier) = (random(), random());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()));
        let url =
            sign_in.issuer.authorize_url(&redirect, &challenge, state.expose(), &sign_in.rules.workspaces);
        Ok(Self { sign_in, server, url, redirect, state, verifier })
    }

    /// The address to visit.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits for the browser, or for an address to be pasted, and stores the tokens.
    ///
    /// # Errors
    /// The user or the service refused, or the tokens cannot be used or kept.
    pub(crate) async fn finish(self, pasted: mpsc::Receiver<Pasted>) -> Result<Identity, Error> {
        let late = || Error::Login { reason: "nobody signed in for a long time".to_owned(), hint: None };
        tokio::time::timeout(PATIENCE, self.wait(pasted)).await.map_err(|_| late())?
    }

    async fn wait(mut self, mut pasted: mpsc::Receiver<Pasted>) -> Result<Identity, Error> {
        let mut may_paste = true;
        let mut done = None;
        while done.is_none() {
            // Both are queues: what is not taken now is taken by the next round. Taking one is finished here.
            done = tokio::select! {
                visit = self.server.next() => match visit {
                    Some(visit) => self.on_visit(visit).await,
                    None => Some(Err(Error::Cancelled)),
                },
                text = pasted.recv(), if may_paste => match text {
                    Some((text, answer)) => self.on_pasted(&text, answer).await,
                    None => {
                        may_paste = false;
                        None
                    }
                },
            };
        }
        self.server.close().await;
        done.unwrap_or(Err(Error::Cancelled))
    }

    /// Answers a visit; the end, when it was the one that counts.
    async fn on_visit(&mut self, visit: Visit) -> Option<Result<Identity, Error>> {
        match visit.path.as_str() {
            "/auth/callback" => {}
            "/cancel" if !visit.foreign => {
                visit.answer(page(200, "Login cancelled", "You can close this window."));
                return Some(Err(Error::Cancelled));
            }
            _ => {
                visit.answer(page(404, "Nothing here", "There is nothing at this address."));
                return None;
            }
        }
        match brought(&visit.query, self.state.expose()) {
            Brought::Nothing(why) => {
                visit.answer(page(400, why, "Start the sign-in again from codex."));
                None
            }
            Brought::Refused(why) => {
                visit.answer(page(200, "Not signed in", &format!("The service said: {why}.")));
                Some(Err(refused(why)))
            }
            Brought::Code(code) => {
                let done = self.exchange(&code).await;
                match &done {
                    Ok(_) => {
                        visit.answer(Page::Redirect("/success".to_owned()));
                        self.show_last_page().await;
                    }
                    Err(error) => visit.answer(page(200, "Not signed in", &error.to_string())),
                }
                Some(done)
            }
        }
    }

    async fn on_pasted(
        &self,
        text: &str,
        answer: oneshot::Sender<Result<(), String>>,
    ) -> Option<Result<Identity, Error>> {
        let text = text.trim();
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        match brought(query, self.state.expose()) {
            Brought::Nothing(_) => {
                let words = "That is not the address the browser ended at: it begins with \
                             http://127.0.0.1 and holds a code and a state of this sign-in.";
                let _ = answer.send(Err(words.to_owned()));
                None
            }
            Brought::Refused(why) => {
                let _ = answer.send(Ok(()));
                Some(Err(refused(why)))
            }
            Brought::Code(code) => {
                let _ = answer.send(Ok(()));
                Some(self.exchange(&code).await)
            }
        }
    }

    /// Code for tokens. The exchange of the id token for an API key that other programs add here is left out on
    /// purpose: with a sign-in requests go out under its token, so nothing of ours would ever use that key; it is
    /// billed by its use while the sign-in is not; and signing out does not end it, so it would be one more secret
    /// that lies in the file for ever. Programs that share the file live with its absence, because it may fail.
    async fn exchange(&self, code: &Secret) -> Result<Identity, Error> {
        let answer = self.sign_in.issuer.exchange(code, &self.verifier, &self.redirect).await?;
        self.sign_in.keep(answer).await
    }

    /// Serves the page that the browser was sent to, for a short while.
    async fn show_last_page(&mut self) {
        let serve = async {
            while let Some(visit) = self.server.next().await {
                if visit.path == "/success" {
                    visit.answer(page(
                        200,
                        "Signed in",
                        "codex is signed in. You can close this window and go back to the terminal.",
                    ));
                    break;
                }
                visit.answer(page(404, "Nothing here", "There is nothing at this address."));
            }
        };
        let _ = tokio::time::timeout(LAST_PAGE, serve).await;
    }
}

/// Takes the first port that is free, or becomes free.
async fn listen(ports: &[u16]) -> Result<Loopback, Error> {
    let mut reason = String::new();
    for port in ports {
        for round in 0..TRIES {
            match Loopback::listen(*port).await {
                Ok(server) => return Ok(server),
                Err(error) => reason = error.to_string(),
            }
            if round == 0 {
                // An earlier sign-in that still waits gives way.
                loopback::knock(*port, "/cancel", Duration::from_secs(1)).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    let listed = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" and ");
    let are = if ports.len() == 1 { "port is" } else { "ports are" };
    Err(Error::Login {
        reason: format!("the {are} in use: {listed} ({reason})"),
        hint: Some("use a code instead: codex login --device-auth"),
    })
}

fn refused(why: String) -> Error {
    Error::Login { reason: format!("the service said: {why}"), hint: None }
}

/// Reads what a browser brings back.
fn brought(query: &str, state: &str) -> Brought {
    let mut all = std::collections::BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        all.entry(name.into_owned()).or_insert(value.into_owned());
    }
    let get = |name: &str| all.get(name).map(String::as_str).filter(|value| !value.is_empty());
    if get("state") != Some(state) {
        return Brought::Nothing("State mismatch");
    }
    if let Some(error) = get("error") {
        let about = get("error_description");
        if error == "access_denied" && about.is_some_and(|about| about.contains("missing_codex_entitlement"))
        {
            return Brought::Refused(
                "this workspace has no access to Codex; ask its administrator".to_owned(),
            );
        }
        let words = clean::line(about.unwrap_or(error), 200);
        return Brought::Refused(words.trim_end_matches('.').to_owned());
    }
    match get("code") {
        Some(code) => Brought::Code(Secret::new(code)),
        None => Brought::Nothing("No code"),
    }
}

/// 32 random bytes as text. Each version-4 UUID carries 122 random bits of the system.
fn random() -> Secret {
    let mut bytes = Vec::with_capacity(48);
    for _ in 0..3 {
        bytes.extend_from_slice(uuid::Uuid::new_v4().as_bytes());
    }
    Secret::new(URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes)))
}

fn page(status: u16, title: &str, text: &str) -> Page {
    let safe = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (title, text) = (safe(title), safe(text));
    Page::Html(
        status,
        format!(
            "<!doctype html><html><head><meta charset=\"utf-8\"><title>codex: {title}</title><style>body{{font:16px \
             system-ui,sans-serif;max-width:32em;margin:20vh auto;padding:0 1em;color-scheme:light dark}}</style></head>\
             <body><h1>{title}</h1><p>{text}</p></body></html>"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_brings() {
        let code = |text: &str| Brought::Code(Secret::new(text));
        for (query, want) in [
            ("code=c%201&state=s", code("c 1")),
            ("state=s&code=c", code("c")),
            ("code=c", Brought::Nothing("State mismatch")),
            ("code=c&state=", Brought::Nothing("State mismatch")),
            ("code=c&state=other", Brought::Nothing("State mismatch")),
            ("code=c&state=other&state=s", Brought::Nothing("State mismatch")),
            ("state=s", Brought::Nothing("No code")),
            ("state=s&code=", Brought::Nothing("No code")),
            ("state=s&error=access_denied&code=c", Brought::Refused("access_denied".to_owned())),
            ("error=access_denied", Brought::Nothing("State mismatch")),
            ("", Brought::Nothing("State mismatch")),
        ] {
            assert_eq!(brought(query, "s"), want, "{query}");
        }
        let Brought::Refused(why) =
            brought("state=s&error=access_denied&error_description=missing_codex_entitlement", "s")
        else {
            panic!()
        };
        assert!(why.contains("no access"), "{why}");
        let Brought::Refused(why) = brought("state=s&error=x&error_description=a%1b%5b31mb%0a", "s") else {
            panic!()
        };
        assert!(!why.contains('\u{1b}') && !why.contains('\n'), "{why:?}");
    }

    #[test]
    fn pages_show_foreign_words_as_text() {
        let Page::Html(_, html) = page(200, "<b>", "<script>alert(1)</script>") else { panic!() };
        assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
    }

    #[test]
    fn random_texts_are_long_and_differ() {
        let (a, b) = (random(), random());
        assert_eq!(a.expose().len(), 43);
        assert_ne!(a, b);
    }
}
