//! One client per thread: the address, the connection pool and the credentials that all its requests share.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use jiff::tz::TimeZone;
use reqwest::header::{HeaderMap, HeaderValue};
use url::Url;

use super::headers;
use super::provider::ProviderSettings;
use super::request::Request;
use super::stream::ResponseStream;
use crate::auth::source::TokenSource;
use crate::base::secret::{self, Secret};
use crate::base::tasks::CancellationToken;
use crate::net::http::{self, HttpSettings};
use crate::protocol::error::{ErrorInfo, ErrorKind};

/// A client cannot be made: the configuration has to be corrected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address is not one.
    #[error("The base_url of the provider {provider} is not an http(s) address: {reason}.")]
    Address {
        /// Which provider.
        provider: String,
        /// What is wrong.
        reason: String,
    },
}

impl From<Error> for ErrorInfo {
    fn from(error: Error) -> Self {
        Self::new(ErrorKind::BadRequest, error.to_string()).with_hint("correct it in config.toml")
    }
}

/// Sends requests of one thread.
#[derive(Clone)]
pub(crate) struct Client {
    shared: Arc<Shared>,
}

/// What all requests share.
pub(super) struct Shared {
    pub(super) provider: ProviderSettings,
    pub(super) url: Url,
    /// The address for people: without query and credentials.
    pub(super) shown_url: String,
    pub(super) tokens: Arc<dyn TokenSource>,
    http_settings: HttpSettings,
    http: OnceLock<reqwest::Client>,
    /// The last answer when its end event came before the end of its body. Held until the next request, so that
    /// the rest can still arrive and the connection serve again.
    tail: Mutex<Option<reqwest::Response>>,
}

/// What the attempts of one request share.
pub(super) struct Job {
    pub(super) body: Bytes,
    pub(super) headers: HeaderMap,
    pub(super) turn_state: TurnState,
    /// How often better credentials were asked for, over all attempts.
    pub(super) recoveries: AtomicU32,
}

/// A value of the server's that is repeated within a turn, so that all its requests reach the same machine.
#[derive(Clone, Debug)]
pub(crate) struct TurnState {
    value: Arc<Mutex<Option<HeaderValue>>>,
    began: Instant,
}

impl Default for TurnState {
    fn default() -> Self {
        Self { value: Arc::default(), began: Instant::now() }
    }
}

impl TurnState {
    /// The value, once the server has sent one.
    pub(super) fn get(&self) -> Option<HeaderValue> {
        self.value.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// When the turn began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// Remembers the first value of the turn.
    pub(super) fn learn(&self, value: &HeaderValue) {
        let mut held = self.value.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        held.get_or_insert_with(|| value.clone());
    }
}

impl Client {
    /// Prepares a client. Nothing is connected, no certificate is read before the first request.
    ///
    /// # Errors
    /// The provider's address is not usable.
    pub(crate) fn new(
        provider: ProviderSettings,
        http_settings: HttpSettings,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, Error> {
        let url = address(&provider)?;
        let mut shown = url.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        // Both fail only for addresses without a host, which were refused above.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        let shown_url = shown.to_string();
        let (http, tail) = (OnceLock::new(), Mutex::new(None));
        Ok(Self { shared: Arc::new(Shared { provider, url, shown_url, tokens, http_settings, http, tail }) })
    }

    /// Starts a request. Nothing is sent before the stream is read; dropping the stream, or firing `cancel`,
    /// closes the connection.
    pub(crate) fn stream(&self, request: &Request<'_>, cancel: CancellationToken) -> ResponseStream {
        let provider = &self.shared.provider;
        let mut map = request.ids.headers(request.model, provider.is_builtin());
        for (name, value) in &provider.headers {
            headers::insert(&mut map, name, value);
        }
        let job = Job {
            body: request.body(),
            headers: map,
            turn_state: request.ids.turn_state.clone(),
            recoveries: AtomicU32::new(0),
        };
        ResponseStream::new(self.shared.clone(), Arc::new(job), cancel)
    }
}

impl Shared {
    /// The connection pool, made when first needed.
    pub(super) fn http(&self) -> Result<&reqwest::Client, http::Error> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let client = http::client(self.url.as_str(), &self.http_settings)?;
        Ok(self.http.get_or_init(|| client))
    }

    /// Keeps an answer that is only waiting for its body's end; `None` lets the last one go.
    pub(super) fn keep_tail(&self, response: Option<reqwest::Response>) {
        *self.tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = response;
    }

    /// The user's time zone, for "try again at".
    pub(super) fn zone(&self) -> TimeZone {
        TimeZone::system()
    }

    /// `text` without the bearer and without the values of headers that look like keys.
    pub(super) fn without_secrets(&self, text: String, bearer: Option<&Secret>) -> String {
        let mut text = crate::base::clean::without_secret(text, bearer);
        for (name, value) in &self.provider.headers {
            if secret::is_likely(name) {
                text = crate::base::clean::without_secret(text, Some(&Secret::new(value.as_str())));
            }
        }
        text
    }
}

fn address(provider: &ProviderSettings) -> Result<Url, Error> {
    let fail = |reason: String| Error::Address { provider: provider.name.clone(), reason };
    let mut url = Url::parse(provider.base_url.trim()).map_err(|e| fail(e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(fail("it must begin with http:// or https://".to_owned()));
    }
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("responses");
    }
    if !provider.query_params.is_empty() {
        url.query_pairs_mut().extend_pairs(&provider.query_params);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let built = |base: &str, query: &[(&str, &str)]| {
            let mut provider = ProviderSettings::with_base_url("x", base);
            provider.query_params = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            address(&provider).map(String::from)
        };
        assert_eq!(built("https://a.example/v1", &[]).unwrap(), "https://a.example/v1/responses");
        assert_eq!(built("http://127.0.0.1:8/v1/", &[]).unwrap(), "http://127.0.0.1:8/v1/responses");
        assert_eq!(built("https://a.example", &[]).unwrap(), "https://a.example/responses");
        assert_eq!(
            built("https://a.example/v1?x=1", &[("api-version", "a b")]).unwrap(),
            "https://a.example/v1/responses?x=1&api-version=a+b"
        );
        for bad in ["", "a.example/v1", "ftp://a.example", "http://", "file:///etc"] {
            assert!(built(bad, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_turn_keeps_its_first_state() {
        let state = TurnState::default();
        let copy = state.clone();
        assert_eq!(state.get(), None);
        copy.learn(&HeaderValue::from_static("one"));
        copy.learn(&HeaderValue::from_static("two"));
        assert_eq!(state.get(), Some(HeaderValue::from_static("one")));
    }
}
