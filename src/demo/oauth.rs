//! The sign-in service: page to agree on, codes for tokens, codes for other devices, rotating refresh tokens whose
//! second use ends the whole sign-in, and an account of everything that tests want to count. No route of it wants
//! the token of the backend: whoever signs in has none.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::faults::{Fault, Point};
use super::play::{Body, Cut};
use super::server::{Backend, add_header, json_response, refused, text};
use crate::base::clock::{Clock, SystemClock};

/// Sign-ins, codes and tokens that are remembered of each kind.
const MOST: usize = 4096;

/// How the service behaves; set by `POST /control/oauth`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Seconds until an access token runs out; negative: it has.
    lifetime: i64,
    /// Whether access tokens say when they run out.
    exp: bool,
    account: String,
    email: String,
    plan: String,
    /// The account that renewed id tokens name, when it is another one.
    renewed_account: Option<String>,
    /// Whether the page agrees, or refuses with this error.
    refuse: Option<String>,
    /// Questions about a device code that are answered with "not yet"; more than 1000: until the page agrees.
    pending: u32,
    /// Whether there are device codes.
    device: bool,
    /// Every access token is refused, also a good one.
    refuse_all: bool,
    /// Milliseconds that a renewal takes.
    renewal_ms: u64,
    /// Leaves fields out of the answer of a renewal.
    omit: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lifetime: 3600,
            exp: true,
            account: "acct-demo".to_owned(),
            email: "demo@example.org".to_owned(),
            plan: "plus".to_owned(),
            renewed_account: None,
            refuse: None,
            pending: 1,
            device: true,
            refuse_all: false,
            renewal_ms: 0,
            omit: Vec::new(),
        }
    }
}

/// Everything the service remembers.
#[derive(Debug, Default)]
pub(crate) struct Oauth {
    settings: Settings,
    counts: BTreeMap<&'static str, u64>,
    /// Access token → its sign-in and its end in unix seconds.
    access: BTreeMap<String, (u64, u64)>,
    refresh: BTreeMap<String, Refresh>,
    /// Code → what it was given for.
    codes: BTreeMap<String, Given>,
    /// Device id → how often it was asked about, and its code.
    devices: BTreeMap<String, Device>,
    /// Sign-ins that were ended.
    ended: Vec<u64>,
    numbered: u64,
}

#[derive(Debug)]
struct Refresh {
    sign_in: u64,
    used: u64,
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

#[derive(Debug)]
struct Device {
    user_code: String,
    asked: u32,
    agreed: bool,
    verifier: String,
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
    match fault {
        Some(Fault::Status(refusal)) => {
            let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = text(status, refusal.content_type, refusal.body);
            for (name, value) in &refusal.headers {
                add_header(response.headers_mut(), name, value);
            }
            return Ok(response);
        }
        Some(Fault::Stall { at: Point::Headers, time: None }) => return std::future::pending().await,
        Some(Fault::Stall { time: Some(time), .. }) => tokio::time::sleep(time).await,
        // The request counts, and its answer is lost.
        Some(Fault::Cut { .. }) => {
            answer(backend, method, path, query, body);
            return Err(Cut);
        }
        _ => {}
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
        (&Method::GET, "/codex/device") => oauth.device_page(&pairs(query)),
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
                oauth.access.clear();
            }
            if order.end {
                oauth.ended.extend(0..=oauth.numbered);
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
        let now = SystemClock.now_s();
        let known = self.access.get(bearer);
        let good = known.is_some_and(|(sign_in, end)| now < *end && !self.ended.contains(sign_in));
        if !good || self.settings.refuse_all {
            self.count("refused");
            return false;
        }
        true
    }

    /// The counters as JSON.
    pub(crate) fn summary(&self) -> Value {
        let most = self.refresh.values().map(|token| token.used).max().unwrap_or(0);
        json!({ "counts": self.counts, "most_uses_of_a_refresh_token": most, "settings": self.settings })
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// The tokens of a fresh sign-in.
    pub(crate) fn sign_in(&mut self) -> Value {
        self.numbered += 1;
        let account = self.settings.account.clone();
        self.tokens(self.numbered, &account)
    }

    /// How often something was counted.
    #[cfg(test)]
    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    fn tokens(&mut self, sign_in: u64, account: &str) -> Value {
        for map in [self.access.len(), self.refresh.len()] {
            if map > MOST {
                self.access.clear();
                self.refresh.clear();
            }
        }
        let now = SystemClock.now_s();
        let end = now.saturating_add_signed(self.settings.lifetime);
        let auth = json!({
            "chatgpt_account_id": account, "chatgpt_plan_type": self.settings.plan, "chatgpt_user_id": "user-demo" });
        let id = jwt(&json!({
            "email": self.settings.email, "https://api.openai.com/auth": auth, "jti": Uuid::new_v4().to_string() }));
        let mut claims = json!({ "https://api.openai.com/auth": auth, "jti": Uuid::new_v4().to_string() });
        if self.settings.exp {
            claims["exp"] = json!(end);
        }
        let access = jwt(&claims);
        let refresh = format!("rt-{}", Uuid::new_v4().simple());
        let good_until = if self.settings.exp { end } else { u64::MAX };
        self.access.insert(access.clone(), (sign_in, good_until));
        self.refresh.insert(refresh.clone(), Refresh { sign_in, used: 0 });
        json!({ "id_token": id, "access_token": access, "refresh_token": refresh, "token_type": "Bearer" })
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
        let refuse = |code: &str| {
            let error =
                json!({ "error": { "message": "the refresh token is no longer good", "code": code } });
            json_response(StatusCode::UNAUTHORIZED, &error)
        };
        let Some(token) = self.refresh.get_mut(text("refresh_token")) else {
            return refuse("refresh_token_invalidated");
        };
        token.used += 1;
        let (sign_in, used) = (token.sign_in, token.used);
        if used > 1 {
            self.count("reused");
            self.ended.push(sign_in);
            return refuse("refresh_token_reused");
        }
        if self.ended.contains(&sign_in) {
            return refuse("refresh_token_invalidated");
        }
        let account = self.settings.renewed_account.clone().unwrap_or_else(|| self.settings.account.clone());
        let mut tokens = self.tokens(sign_in, &account);
        for name in &self.settings.omit {
            if let Some(map) = tokens.as_object_mut() {
                map.remove(name);
            }
        }
        self.count("renewed");
        json_response(StatusCode::OK, &tokens)
    }

    fn revoke(&mut self, body: &str) -> Response<Body> {
        self.count("revocations");
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let token = json.get("token").and_then(Value::as_str).unwrap_or_default();
        let by_refresh = self.refresh.get(token).map(|token| token.sign_in);
        if let Some(sign_in) = by_refresh.or_else(|| self.access.get(token).map(|(sign_in, _)| *sign_in)) {
            self.count("revoked");
            self.ended.push(sign_in);
        }
        json_response(StatusCode::OK, &json!({}))
    }

    fn user_code(&mut self) -> Response<Body> {
        self.count("device_codes");
        if !self.settings.device || self.devices.len() >= MOST {
            return refused(StatusCode::NOT_FOUND, "not_found", "there are no device codes here");
        }
        let id = Uuid::new_v4().to_string();
        let raw = Uuid::new_v4().simple().to_string().to_uppercase();
        let user_code: String = raw.chars().take(4).chain(['-']).chain(raw.chars().skip(4).take(5)).collect();
        let verifier = Uuid::new_v4().simple().to_string();
        let device = Device { user_code: user_code.clone(), asked: 0, agreed: false, verifier };
        self.devices.insert(id.clone(), device);
        json_response(
            StatusCode::OK,
            &json!({ "device_auth_id": id, "user_code": user_code, "interval": "0.1" }),
        )
    }

    fn poll(&mut self, body: &str) -> Response<Body> {
        self.count("device_questions");
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let id = json.get("device_auth_id").and_then(Value::as_str).unwrap_or_default();
        let pending = self.settings.pending;
        let Some(device) = self.devices.get_mut(id) else {
            return refused(StatusCode::NOT_FOUND, "not_found", "no such code");
        };
        device.asked += 1;
        if json.get("user_code").and_then(Value::as_str) != Some(&device.user_code) {
            return refused(StatusCode::BAD_REQUEST, "invalid_request", "the code is of another device");
        }
        if let Some(error) = &self.settings.refuse {
            return wrong(StatusCode::BAD_REQUEST, "access_denied", error);
        }
        if !device.agreed && (pending > 1000 || device.asked <= pending) {
            return refused(StatusCode::FORBIDDEN, "authorization_pending", "not yet");
        }
        let verifier = device.verifier.clone();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let code = format!("code-{}", Uuid::new_v4().simple());
        let given = Given { challenge: challenge.clone(), redirect: "/deviceauth/callback".to_owned() };
        self.devices.remove(id);
        self.codes.insert(code.clone(), given);
        json_response(
            StatusCode::OK,
            &json!({ "authorization_code": code, "code_challenge": challenge, "code_verifier": verifier }),
        )
    }

    /// `?code=` agrees to a code; without one it says so.
    fn device_page(&mut self, query: &BTreeMap<String, String>) -> Response<Body> {
        let code = query.get("code").map(String::as_str).unwrap_or_default();
        match self.devices.values_mut().find(|device| device.user_code == code) {
            Some(device) => {
                device.agreed = true;
                text(StatusCode::OK, "text/plain", "signed in; go back to the terminal\n")
            }
            None => text(StatusCode::OK, "text/plain", "add ?code= and the code to this address to agree\n"),
        }
    }
}

fn wrong(status: StatusCode, error: &str, about: &str) -> Response<Body> {
    json_response(status, &json!({ "error": error, "error_description": about }))
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// An unsigned token.
fn jwt(claims: &Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"alg":"none"}"#), part(&claims.to_string()), part("demo"))
}
