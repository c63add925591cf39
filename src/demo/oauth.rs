//! The sign-in service: its routes, the page to agree on, codes for tokens, and an account of everything that tests
//! want to count. No route of it wants the token of the backend: whoever signs in has none.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::devices::Devices;
use super::early;
use super::faults::Fault;
use super::oauth_settings::Settings;
use super::play::{Body, Cut};
use super::server::{Backend, add_header, json_response, refused, text};
use super::tokens::{REUSED, Tokens};

/// Sign-ins, codes and tokens that are remembered of each kind.
pub(super) const MOST: usize = 4096;

/// Everything the service remembers.
#[derive(Debug, Default)]
pub(crate) struct Oauth {
    settings: Settings,
    counts: BTreeMap<&'static str, u64>,
    tokens: Tokens,
    /// Code → what it was given for.
    codes: BTreeMap<String, Given>,
    devices: Devices,
}

#[derive(Clone, Debug)]
struct Given {
    challenge: String,
    redirect: String,
}

impl Given {
    /// Whether the address of the exchange is the one the code was given for; devices have only a path.
    fn fits(&self, redirect: &str) -> bool {
        if self.redirect.starts_with('/') {
            redirect.ends_with(&self.redirect)
        } else {
            redirect == self.redirect
        }
    }
}

/// Whether a path belongs to this service.
pub(crate) fn is_ours(path: &str) -> bool {
    path.starts_with("/oauth/") || path.starts_with("/api/accounts/deviceauth/") || path == "/codex/device"
}

/// Serves a path of this service.
pub(crate) async fn route(
    backend: &Backend,
    method: &Method,
    path: &str,
    query: &str,
    body: &str,
) -> Result<Response<Body>, Cut> {
    let fault = backend.state().take_fault(path);
    if matches!(fault, Some(Fault::Cut { .. })) {
        // The request counts, and its answer is lost.
        answer(backend, method, path, query, body);
    }
    if let Some(instead) = early::instead(fault).await {
        return instead;
    }
    let slow = backend.state().oauth.settings.renewal_ms;
    let response = answer(backend, method, path, query, body);
    if slow > 0 && path == "/oauth/token" {
        tokio::time::sleep(std::time::Duration::from_millis(slow)).await;
    }
    Ok(response)
}

fn answer(backend: &Backend, method: &Method, path: &str, query: &str, body: &str) -> Response<Body> {
    let mut state = backend.state();
    let oauth = &mut state.oauth;
    match (method, path) {
        (&Method::GET, "/oauth/authorize") => oauth.authorize(&pairs(query)),
        (&Method::POST, "/oauth/token") => oauth.token(body),
        (&Method::POST, "/oauth/revoke") => oauth.revoke(body),
        (&Method::POST, "/api/accounts/deviceauth/usercode") => oauth.user_code(),
        (&Method::POST, "/api/accounts/deviceauth/token") => oauth.poll(body),
        (&Method::GET, "/codex/device") => {
            oauth.devices.page(pairs(query).get("code").map_or("", String::as_str))
        }
        _ => refused(StatusCode::NOT_FOUND, "not_found", &format!("nothing at {method} {path}")),
    }
}

/// `POST /control/oauth` sets how the service behaves and ends or expires what it gave;
/// `POST /control/oauth/tokens` gives the tokens of a fresh sign-in.
pub(crate) fn control(oauth: &mut Oauth, path: &str, body: &str) -> Option<Response<Body>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[serde(default)]
        settings: Option<Settings>,
        /// All access tokens are refused from now on, as if they had run out.
        #[serde(default)]
        expire: bool,
        /// All sign-ins are ended.
        #[serde(default)]
        end: bool,
    }
    match path {
        "/control/oauth" => {
            let order: Order = match serde_json::from_str(body) {
                Ok(order) => order,
                Err(error) => {
                    return Some(refused(StatusCode::BAD_REQUEST, "order", &error.to_string()));
                }
            };
            oauth.settings = order.settings.unwrap_or_else(|| oauth.settings.clone());
            if order.expire {
                oauth.tokens.expire();
            }
            if order.end {
                oauth.tokens.end_all();
            }
            Some(json_response(StatusCode::OK, &oauth.summary()))
        }
        "/control/oauth/tokens" => Some(json_response(StatusCode::OK, &oauth.sign_in())),
        _ => None,
    }
}

impl Oauth {
    /// Whether a bearer is a good access token of ours.
    pub(crate) fn admits(&mut self, bearer: &str) -> bool {
        if !self.tokens.admits(bearer) || self.settings.refuse_all {
            self.count("refused");
            return false;
        }
        true
    }

    /// The counters as JSON.
    pub(crate) fn summary(&self) -> Value {
        let most = self.tokens.most_uses();
        json!({ "counts": self.counts, "most_uses_of_a_refresh_token": most, "settings": self.settings })
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// The tokens of a fresh sign-in.
    pub(crate) fn sign_in(&mut self) -> Value {
        self.tokens.sign_in(&self.settings)
    }

    /// The credential document of a fresh sign-in.
    pub(crate) fn document(&mut self) -> Value {
        let mut tokens = self.sign_in();
        tokens["account_id"] = json!(self.settings.account);
        json!({ "auth_mode": "chatgpt", "OPENAI_API_KEY": null, "tokens": tokens })
    }

    /// From now on access tokens are good for a month: a client that was pointed at us and never heard of our
    /// address for renewals would renew them elsewhere.
    pub(crate) fn last_long(&mut self) {
        self.settings.lifetime = 30 * 86_400;
    }

    /// How often something was counted.
    #[cfg(test)]
    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    fn authorize(&mut self, query: &BTreeMap<String, String>) -> Response<Body> {
        self.count("authorizations");
        let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let redirect = get("redirect_uri").to_owned();
        let local =
            ["http://127.0.0.1:", "http://localhost:"].iter().any(|start| redirect.starts_with(start));
        let complete = get("response_type") == "code"
            && get("code_challenge_method") == "S256"
            && ["client_id", "code_challenge", "state", "scope", "originator"]
                .iter()
                .all(|name| !get(name).is_empty());
        if !local || !redirect.ends_with("/auth/callback") || !complete {
            return refused(StatusCode::BAD_REQUEST, "invalid_request", "this is no request to sign in");
        }
        let mut back = url::form_urlencoded::Serializer::new(String::new());
        match &self.settings.refuse {
            Some(error) => {
                back.append_pair("error", "access_denied").append_pair("error_description", error);
            }
            None => {
                let given = Given { challenge: get("code_challenge").to_owned(), redirect: redirect.clone() };
                let code = format!("code-{}", Uuid::new_v4().simple());
                if self.codes.len() < MOST {
                    self.codes.insert(code.clone(), given);
                }
                back.append_pair("code", &code);
            }
        }
        back.append_pair("state", get("state"));
        let mut response = text(StatusCode::FOUND, "", "");
        add_header(response.headers_mut(), "location", &format!("{redirect}?{}", back.finish()));
        response
    }

    fn token(&mut self, body: &str) -> Response<Body> {
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        if json.get("grant_type").and_then(Value::as_str) == Some("refresh_token") {
            return self.renew(&json);
        }
        let form = pairs(body);
        let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if get("grant_type") != "authorization_code" {
            return wrong(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "this grant type is not supported",
            );
        }
        self.count("exchanges");
        let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier").as_bytes()));
        // A code counts once.
        match self.codes.remove(get("code")) {
            Some(given) if given.challenge == verifier && given.fits(get("redirect_uri")) => {
                json_response(StatusCode::OK, &self.sign_in())
            }
            _ => wrong(
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                "the code, its verifier or its address is wrong",
            ),
        }
    }

    fn renew(&mut self, request: &Value) -> Response<Body> {
        self.count("renewals");
        let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("refresh_reason") {
            "proactive_expiry" => self.count("renewals_proactive"),
            "scheduled" => self.count("renewals_scheduled"),
            "unauthorized_recovery" => self.count("renewals_unauthorized"),
            _ => self.count("renewals_without_reason"),
        }
        match self.tokens.renew(text("refresh_token"), &self.settings) {
            Ok(tokens) => {
                self.count("renewed");
                json_response(StatusCode::OK, &tokens)
            }
            Err(code) => {
                if code == REUSED {
                    self.count("reused");
                }
                let error =
                    json!({ "error": { "message": "the refresh token is no longer good", "code": code } });
                json_response(StatusCode::UNAUTHORIZED, &error)
            }
        }
    }

    fn revoke(&mut self, body: &str) -> Response<Body> {
        self.count("revocations");
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let token = json.get("token").and_then(Value::as_str).unwrap_or_default();
        if self.tokens.revoke(token) {
            self.count("revoked");
        }
        json_response(StatusCode::OK, &json!({}))
    }

    fn user_code(&mut self) -> Response<Body> {
        self.count("device_codes");
        let begun = self.settings.device.then(|| self.devices.begin()).flatten();
        match begun {
            Some(code) => json_response(StatusCode::OK, &code),
            None => refused(StatusCode::NOT_FOUND, "not_found", "there are no device codes here"),
        }
    }

    fn poll(&mut self, body: &str) -> Response<Body> {
        self.count("device_questions");
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let verifier = match self.devices.ask(&json, &self.settings) {
            Ok(verifier) => verifier,
            Err(refusal) => return *refusal,
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let code = format!("code-{}", Uuid::new_v4().simple());
        let given = Given { challenge: challenge.clone(), redirect: "/deviceauth/callback".to_owned() };
        self.codes.insert(code.clone(), given);
        json_response(
            StatusCode::OK,
            &json!({ "authorization_code": code, "code_challenge": challenge, "code_verifier": verifier }),
        )
    }
}

/// An error in the form of sign-in services.
pub(super) fn wrong(status: StatusCode, error: &str, about: &str) -> Response<Body> {
    json_response(status, &json!({ "error": error, "error_description": about }))
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}
