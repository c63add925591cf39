//! The client of the account API: base address, headers, a time limit, a bounded body, and the repeats after
//! a 401 that the [`TokenSource`] allows. Nothing else is repeated here: whether asking again is
//! safe is known to the caller only.

use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::error::Error;
use super::json;
use crate::auth::source::{Authorization, TokenSource};
use crate::base::clean;
use crate::net::http::{self, HttpSettings};

/// Where ChatGPT accounts are asked about.
pub(crate) const DEFAULT_BASE_URL: &str = "https://chatgpt.com/backend-api/";

/// Every request ends within this time.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// No answer of this API is longer.
const MAX_BODY: usize = 2 << 20;

/// First the stored credentials are read again, then they may be renewed; a third 401 stands.
const MAX_RECOVERIES: u32 = 2;

/// Of a failure's body no more is read.
const MAX_ERROR_BODY: usize = 64 << 10;

/// The longest text of the server inside one of our sentences, in characters.
const MAX_TEXT: usize = 200;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Windows, credits, plan.
    Usage,
    /// The list of reset credits.
    ResetCredits,
    /// Using a reset credit.
    Consume,
    /// Tokens per day.
    Activity,
    /// A mail to the owner of the workspace.
    Nudge,
}

impl Route {
    /// The path below the base address; `wham` for addresses with `/backend-api`.
    fn path(self, wham: bool) -> &'static str {
        match (self, wham) {
            (Self::Usage, true) => "wham/usage",
            (Self::Usage, false) => "api/codex/usage",
            (Self::ResetCredits, true) => "wham/rate-limit-reset-credits",
            (Self::ResetCredits, false) => "api/codex/rate-limit-reset-credits",
            (Self::Consume, true) => "wham/rate-limit-reset-credits/consume",
            (Self::Consume, false) => "api/codex/rate-limit-reset-credits/consume",
            (Self::Activity, true) => "wham/profiles/me",
            (Self::Activity, false) => "api/codex/profiles/me",
            (Self::Nudge, true) => "wham/accounts/send_add_credits_nudge_email",
            (Self::Nudge, false) => "api/codex/accounts/send_add_credits_nudge_email",
        }
    }

    /// For people.
    fn name(self) -> &'static str {
        match self {
            Self::Usage => "the usage of the account",
            Self::ResetCredits => "the list of reset credits",
            Self::Consume => "the redemption of reset credits",
            Self::Activity => "the token activity",
            Self::Nudge => "asking the owner for more",
        }
    }
}

/// Asks the account API.
pub(crate) struct Backend {
    base: Url,
    wham: bool,
    tokens: Arc<dyn TokenSource>,
    settings: HttpSettings,
    http: OnceLock<reqwest::Client>,
}

/// An answer, and the account it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The body.
    pub(crate) value: Value,
    /// Account of the credentials that were sent.
    pub(crate) account_id: Option<String>,
}

impl Backend {
    /// Prepares a client. Nothing is connected and no certificate is read before the first request.
    ///
    /// # Errors
    /// The address is not one.
    pub(crate) fn new(
        base_url: &str,
        settings: HttpSettings,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, Error> {
        let (base, wham) = base(base_url)?;
        Ok(Self { base, wham, tokens, settings, http: OnceLock::new() })
    }

    /// Account of the credentials that the next request would be asked with; `None` when there are no good ones.
    pub(crate) async fn account_in_force(&self) -> Option<Option<String>> {
        self.tokens.authorization().await.ok().map(|auth| auth.account_id)
    }

    /// GET; the whole exchange takes at most `limit`.
    ///
    /// # Errors
    /// Anything but a JSON answer with a good status.
    pub(crate) async fn get_json(&self, route: Route, limit: Duration) -> Result<Answer, Error> {
        self.call(Method::GET, route, None, limit, |_| true).await
    }

    /// POST in the name of `account` and of no other, also when the sign-in changes meanwhile.
    ///
    /// # Errors
    /// Anything but a JSON answer with a good status.
    pub(crate) async fn post_json_as(
        &self,
        account: &str,
        route: Route,
        body: &Value,
        limit: Duration,
    ) -> Result<Value, Error> {
        let as_account = |auth: &Authorization| auth.account_id.as_deref().unwrap_or_default() == account;
        self.call(Method::POST, route, Some(body), limit, as_account).await.map(|answer| answer.value)
    }

    /// The exchange, with what the token source makes of a 401: it reads the credentials again, then renews them.
    async fn call(
        &self,
        method: Method,
        route: Route,
        body: Option<&Value>,
        limit: Duration,
        admits: impl Fn(&Authorization) -> bool,
    ) -> Result<Answer, Error> {
        let mut recoveries = 0;
        loop {
            let auth = self.tokens.authorization().await.map_err(Error::Credentials)?;
            if !admits(&auth) {
                return Err(Error::Credentials(crate::auth::error::Error::AccountChanged { now: None }));
            }
            match self.attempt(&method, route, body, &auth, limit).await {
                Err(Error::Unauthorized) if recoveries < MAX_RECOVERIES => recoveries += 1,
                other => return other.map(|value| Answer { value, account_id: auth.account_id }),
            }
            if !self.tokens.recover(&auth).await.map_err(Error::Credentials)? {
                return Err(Error::Unauthorized);
            }
        }
    }

    async fn attempt(
        &self,
        method: &Method,
        route: Route,
        body: Option<&Value>,
        auth: &Authorization,
        limit: Duration,
    ) -> Result<Value, Error> {
        let bearer = auth.bearer.as_ref().ok_or(Error::NotSignedIn)?;
        let url = self.base.join(route.path(self.wham)).map_err(|e| Error::Setup(e.to_string()))?;
        let mut header = HeaderValue::from_str(&format!("Bearer {}", bearer.expose())).map_err(|_| {
            Error::Credentials(crate::auth::error::Error::BadKey { from: "the credentials".to_owned() })
        })?;
        header.set_sensitive(true);
        let mut request = self.http()?.request(method.clone(), url).header(AUTHORIZATION, header);
        if let Some(account) = auth.account_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
            request = request.header("chatgpt-account-id", account);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let deadline = Instant::now() + limit;
        let late = || Error::TimedOut { host: self.host(), seconds: limit.as_secs() };
        let mut response = match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.transport(&error)),
            Err(_) => return Err(late()),
        };
        let status = response.status();
        let room = if status.is_success() { MAX_BODY } else { MAX_ERROR_BODY };
        let mut bytes = Vec::new();
        loop {
            match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(chunk))) if bytes.len() + chunk.len() <= room => bytes.extend_from_slice(&chunk),
                Ok(Ok(Some(_))) if status.is_success() => {
                    return Err(Error::BadAnswer { what: "it is far too long".to_owned() });
                }
                Ok(Ok(_)) => break,
                // The status of a failure says enough.
                Ok(Err(_)) | Err(_) if !status.is_success() => break,
                Ok(Err(error)) => return Err(self.transport(&error)),
                Err(_) => return Err(late()),
            }
        }
        drop(response);
        let text = |bytes: &[u8]| clean::without_secret(words(bytes), Some(bearer));
        match status {
            StatusCode::UNAUTHORIZED => Err(Error::Unauthorized),
            StatusCode::NOT_FOUND => Err(Error::NotFound { what: route.name() }),
            status if status.is_success() => json::parse(&bytes).ok_or_else(|| {
                let what = text(&bytes);
                let what = if what.is_empty() { "it is empty".to_owned() } else { format!("“{what}”") };
                Error::BadAnswer { what: format!("it is not JSON: {what}") }
            }),
            status => {
                let (text, code) = (text(&bytes), status.as_str());
                // Pages of proxies repeat the number as their title.
                let text = text.strip_prefix(code).map_or(text.as_str(), str::trim_start);
                let text =
                    if text.is_empty() { String::new() } else { format!(": {}", text.trim_end_matches('.')) };
                Err(Error::Status { code: status.as_u16(), text })
            }
        }
    }

    /// The connection pool, made when first needed.
    fn http(&self) -> Result<&reqwest::Client, Error> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let client =
            http::client(self.base.as_str(), &self.settings).map_err(|e| Error::Setup(e.to_string()))?;
        Ok(self.http.get_or_init(|| client))
    }

    /// Host and port, for people.
    fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    fn transport(&self, error: &reqwest::Error) -> Error {
        let mut last: &dyn StdError = error;
        while let Some(next) = last.source() {
            last = next;
        }
        let reason = clean::line(&last.to_string(), MAX_TEXT);
        let host = self.host();
        if error.is_connect() { Error::Unreachable { host, reason } } else { Error::Broken { host, reason } }
    }
}

/// What a failure says about itself, cleaned: its message when it is JSON, the title of a page, else its words.
fn words(bytes: &[u8]) -> String {
    let message = json::parse(bytes).and_then(|value| {
        let places = ["/error/message", "/message", "/detail", "/detail/message", "/error"];
        places.iter().find_map(|place| value.pointer(place)?.as_str().map(str::to_owned))
    });
    message.map_or_else(|| clean::body(bytes, MAX_TEXT), |message| clean::line(&message, MAX_TEXT))
}

/// The address with a slash at its end, and whether its routes are the `wham` ones.
fn base(given: &str) -> Result<(Url, bool), Error> {
    let fail = |reason: &str| Error::Setup(format!("chatgpt_base_url is not an http(s) address: {reason}"));
    let mut url = Url::parse(given.trim()).map_err(|e| fail(&e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(fail("it must begin with http:// or https://"));
    }
    url.set_query(None);
    url.set_fragment(None);
    let mut path = url.path().trim_end_matches('/').to_owned();
    let own = matches!(url.host_str(), Some("chatgpt.com" | "chat.openai.com"));
    if own && !path.contains("/backend-api") {
        path.push_str("/backend-api");
    }
    let wham = path.contains("/backend-api");
    path.push('/');
    url.set_path(&path);
    Ok((url, wham))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (given, want, wham) in [
            (DEFAULT_BASE_URL, "https://chatgpt.com/backend-api/wham/usage", true),
            ("https://chatgpt.com", "https://chatgpt.com/backend-api/wham/usage", true),
            ("https://chat.openai.com///", "https://chat.openai.com/backend-api/wham/usage", true),
            ("http://127.0.0.1:9/backend-api", "http://127.0.0.1:9/backend-api/wham/usage", true),
            ("http://127.0.0.1:9", "http://127.0.0.1:9/api/codex/usage", false),
            ("https://proxy.example/x/?a=1", "https://proxy.example/x/api/codex/usage", false),
        ] {
            let (url, is_wham) = base(given).unwrap();
            assert_eq!(url.join(Route::Usage.path(is_wham)).unwrap().as_str(), want);
            assert_eq!(is_wham, wham);
        }
        for bad in ["", "chatgpt.com", "ftp://chatgpt.com", "http://"] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_of_failures() {
        for (body, want) in [
            (r#"{"error":{"message":"no\u001b[31m entry"}}"#, "no [31m entry"),
            (r#"{"detail":"try later"}"#, "try later"),
            ("<html><title>Bad gateway</title></html>", "Bad gateway"),
            ("", ""),
        ] {
            assert_eq!(words(body.as_bytes()), want);
        }
    }
}
