//! The service that signs people in: its addresses, and the few requests it understands. Secrets go to `https:`
//! addresses and to this machine only.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::document::{Answer, Provenance};
use super::error::{Cause, Error};
use super::issuer_answers::{Polled, cause, login, polled, said, tokens};
use crate::base::reach::{self, Reach};
use crate::base::secret::Secret;
use crate::net::fetch::{self, Body, Fetcher, Reply};
use crate::net::http::HttpSettings;

/// Where everybody signs in.
const ISSUER: &str = "https://auth.openai.com";
/// Which program we say we are.
const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// A request takes this long at most.
const TIME: Duration = Duration::from_secs(20);
/// Revoking is a courtesy, and nobody waits long for it.
const REVOKE_TIME: Duration = Duration::from_secs(5);

/// Addresses and client.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    base: String,
    client_id: String,
    /// Whether the two above were set by hand: then they count for tokens of other issuers too.
    chosen: bool,
    refresh_url: Option<String>,
    revoke_url: Option<String>,
    originator: String,
    http: HttpSettings,
}

/// What may be set by hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    /// `--experimental_issuer`, `CODEX_APP_SERVER_LOGIN_ISSUER`.
    pub(crate) issuer: Option<String>,
    /// `--experimental_client-id`, `CODEX_APP_SERVER_LOGIN_CLIENT_ID`.
    pub(crate) client_id: Option<String>,
    /// `CODEX_REFRESH_TOKEN_URL_OVERRIDE`.
    pub(crate) refresh_url: Option<String>,
    /// `CODEX_REVOKE_TOKEN_URL_OVERRIDE`.
    pub(crate) revoke_url: Option<String>,
}

/// Why tokens are renewed, in the service's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// They run out soon.
    Proactive,
    /// They say nothing about that, and are old.
    Scheduled,
    /// They were refused.
    Unauthorized,
}

impl Reason {
    fn word(self) -> &'static str {
        match self {
            Self::Proactive => "proactive_expiry",
            Self::Scheduled => "scheduled",
            Self::Unauthorized => "unauthorized_recovery",
        }
    }
}

/// A code for another device.
#[derive(Debug, Deserialize)]
pub(super) struct UserCode {
    pub(super) device_auth_id: String,
    #[serde(alias = "usercode")]
    pub(super) user_code: String,
    /// Seconds, as a text or a number.
    #[serde(default)]
    pub(super) interval: Value,
}

impl Issuer {
    /// The service with these overrides.
    ///
    /// # Errors
    /// An address cannot be used.
    pub(crate) fn new(overrides: Overrides, originator: &str, http: HttpSettings) -> Result<Self, Error> {
        let safe = |url: Option<String>, from| match url {
            Some(url) if !is_safe(&url) => Err(Error::Address { from }),
            other => Ok(other),
        };
        let chosen = overrides.issuer.is_some() || overrides.client_id.is_some();
        let base = safe(overrides.issuer, "the issuer")?.unwrap_or_else(|| ISSUER.to_owned());
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            client_id: overrides.client_id.unwrap_or_else(|| CLIENT_ID.to_owned()),
            chosen,
            refresh_url: safe(overrides.refresh_url, "CODEX_REFRESH_TOKEN_URL_OVERRIDE")?,
            revoke_url: safe(overrides.revoke_url, "CODEX_REVOKE_TOKEN_URL_OVERRIDE")?,
            originator: originator.to_owned(),
            http,
        })
    }

    /// Its base address.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// What tokens it gives say about where they come from.
    pub(super) fn provenance(&self) -> Provenance {
        Provenance { issuer: self.base.clone(), client_id: self.client_id.clone() }
    }

    /// The page on which the user agrees.
    pub(super) fn authorize_url(
        &self,
        redirect: &str,
        challenge: &str,
        state: &str,
        workspaces: &[String],
    ) -> String {
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", state)
            .append_pair(
                "scope",
                "openid profile email offline_access api.connectors.read api.connectors.invoke",
            )
            .append_pair("id_token_add_organizations", "true")
            .append_pair("codex_cli_simplified_flow", "true")
            .append_pair("originator", &self.originator);
        if !workspaces.is_empty() {
            query.append_pair("allowed_workspace_id", &workspaces.join(","));
        }
        format!("{}/oauth/authorize?{}", self.base, query.finish())
    }

    /// A code → tokens.
    pub(super) async fn exchange(
        &self,
        code: &Secret,
        verifier: &Secret,
        redirect: &str,
    ) -> Result<Answer, Error> {
        let body = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", &self.client_id)
            .append_pair("code", code.expose())
            .append_pair("redirect_uri", redirect)
            .append_pair("code_verifier", verifier.expose())
            .finish();
        let reply = self.post(&format!("{}/oauth/token", self.base), Body::Form(&body)).await?;
        if reply.status != 200 {
            return Err(login(said(&reply, &[code, verifier])));
        }
        let answer =
            tokens(&reply.body).ok_or_else(|| login("the service's answer cannot be read".to_owned()))?;
        if answer.id.is_none() || answer.access.is_none() || answer.refresh.is_none() {
            return Err(login("the service's answer is incomplete".to_owned()));
        }
        Ok(answer)
    }

    /// Asks for a code to be typed on another device.
    pub(super) async fn user_code(&self) -> Result<UserCode, Error> {
        let body = json!({ "client_id": self.client_id }).to_string();
        let url = format!("{}/api/accounts/deviceauth/usercode", self.base);
        let reply = self.post(&url, Body::Json(&body)).await?;
        match reply.status {
            200 => serde_json::from_slice(&reply.body)
                .ok()
                .filter(|code: &UserCode| !code.user_code.trim().is_empty())
                .ok_or_else(|| login("the service's answer cannot be read".to_owned())),
            404 => Err(Error::Login {
                reason: "this service has no sign-in by code".to_owned(),
                hint: Some("sign in in a browser with: codex login --browser"),
            }),
            _ => Err(login(said(&reply, &[]))),
        }
    }

    /// Asks whether the code was used.
    pub(super) async fn poll(&self, device: &UserCode) -> Result<Polled, Error> {
        let body =
            json!({ "device_auth_id": device.device_auth_id, "user_code": device.user_code }).to_string();
        let url = format!("{}/api/accounts/deviceauth/token", self.base);
        let reply = match self.ask(&url, Body::Json(&body)).await {
            Ok(reply) => reply,
            Err(fetch::Error::Client(error)) => return Err(Error::Client { reason: error.to_string() }),
            Err(fetch::Error::Unreachable(text) | fetch::Error::Lost(text)) => return Ok(Polled::Lost(text)),
        };
        polled(&reply, &[&Secret::new(device.device_auth_id.as_str())])
    }

    /// Spends a refresh token.
    ///
    /// # Errors
    /// [`Error::Refused`] for good, also when it was sent and no answer came that can be read;
    /// [`Error::RenewalFailed`] for now: it was certainly not spent.
    pub(super) async fn refresh(
        &self,
        token: &Secret,
        from: Option<&Provenance>,
        reason: Reason,
    ) -> Result<Answer, Error> {
        let (base, client_id) = self.home_of(from)?;
        let body = json!({
            "client_id": client_id,
            "grant_type": "refresh_token",
            "refresh_token": token.expose(),
            "refresh_reason": reason.word(),
        });
        let url = self.refresh_url.clone().unwrap_or_else(|| format!("{base}/oauth/token"));
        let failed = |reason: String| Error::RenewalFailed { reason };
        let unanswered = Error::Refused { cause: Cause::Unanswered };
        let reply = match self.ask(&url, Body::Json(&body.to_string())).await {
            Ok(reply) => reply,
            Err(fetch::Error::Client(error)) => return Err(Error::Client { reason: error.to_string() }),
            Err(fetch::Error::Unreachable(text)) => return Err(failed(text)),
            Err(fetch::Error::Lost(_)) => return Err(unanswered),
        };
        match reply.status {
            200..=299 => tokens(&reply.body).filter(|answer| *answer != Answer::default()).ok_or(unanswered),
            401 => Err(Error::Refused { cause: cause(&reply.body) }),
            _ => Err(failed(said(&reply, &[token]))),
        }
    }

    /// Ends tokens at the service, as a courtesy; nobody is told when it does not work.
    pub(super) async fn revoke(&self, token: &Secret, hint: &str, from: Option<&Provenance>) {
        let Ok((base, client_id)) = self.home_of(from) else { return };
        let body =
            json!({ "token": token.expose(), "token_type_hint": hint, "client_id": client_id }).to_string();
        let url = self.revoke_url.clone().unwrap_or_else(|| format!("{base}/oauth/revoke"));
        let _ = tokio::time::timeout(REVOKE_TIME, self.post(&url, Body::Json(&body))).await;
    }

    /// Base address and client that tokens belong to: those that gave them, unless set by hand.
    fn home_of(&self, from: Option<&Provenance>) -> Result<(String, String), Error> {
        match from {
            Some(from) if !self.chosen => {
                let base = from.issuer.trim_end_matches('/').to_owned();
                if !is_safe(&base) {
                    return Err(Error::Address { from: "the issuer of the stored sign-in" });
                }
                Ok((base, from.client_id.clone()))
            }
            _ => Ok((self.base.clone(), self.client_id.clone())),
        }
    }

    async fn post(&self, url: &str, body: Body<'_>) -> Result<Reply, Error> {
        self.ask(url, body).await.map_err(|error| match error {
            fetch::Error::Client(error) => Error::Client { reason: error.to_string() },
            fetch::Error::Unreachable(text) | fetch::Error::Lost(text) => login(text),
        })
    }

    async fn ask(&self, url: &str, body: Body<'_>) -> Result<Reply, fetch::Error> {
        Fetcher::new(url, &self.http)?.post(url, body, TIME).await
    }
}

/// Whether secrets may be sent to this address.
fn is_safe(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && !reach::is_readable_beyond(&url, Reach::Here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_get_secrets() {
        for good in ["https://a.example", "http://127.0.0.1:5", "http://localhost:1/x", "http://[::1]:2"] {
            assert!(is_safe(good), "{good}");
        }
        for bad in ["http://a.example", "http://127.0.0.1.example", "ftp://127.0.0.1", "a.example", ""] {
            assert!(!is_safe(bad), "{bad}");
        }
    }
}
