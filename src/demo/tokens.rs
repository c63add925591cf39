//! The tokens that the sign-in service gave. Refresh tokens rotate, and the second use of one ends the whole sign-in.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::oauth::MOST;
use super::oauth_settings::Settings;
use crate::base::clock::{Clock, SystemClock};

/// The service's word for a refresh token that was used before.
pub(super) const REUSED: &str = "refresh_token_reused";
/// Its word for one that is no longer good.
const INVALIDATED: &str = "refresh_token_invalidated";

/// All that are remembered.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Access token → its sign-in and its end in unix seconds.
    access: BTreeMap<String, (u64, u64)>,
    refresh: BTreeMap<String, Refresh>,
    /// Sign-ins that were ended.
    ended: Vec<u64>,
    numbered: u64,
}

#[derive(Debug)]
struct Refresh {
    sign_in: u64,
    used: u64,
}

impl Tokens {
    /// Whether this is a good access token.
    pub(super) fn admits(&self, access: &str) -> bool {
        let now = SystemClock.now_s();
        let known = self.access.get(access);
        known.is_some_and(|(sign_in, end)| now < *end && !self.ended.contains(sign_in))
    }

    /// How often the refresh token was sent that was sent most often.
    pub(super) fn most_uses(&self) -> u64 {
        self.refresh.values().map(|token| token.used).max().unwrap_or(0)
    }

    /// The tokens of a fresh sign-in.
    pub(super) fn sign_in(&mut self, settings: &Settings) -> Value {
        self.numbered += 1;
        self.give(self.numbered, &settings.account, settings)
    }

    /// Spends a refresh token.
    ///
    /// # Errors
    /// The service's word for why it is not taken.
    pub(super) fn renew(&mut self, refresh: &str, settings: &Settings) -> Result<Value, &'static str> {
        let token = self.refresh.get_mut(refresh).ok_or(INVALIDATED)?;
        token.used += 1;
        let (sign_in, used) = (token.sign_in, token.used);
        if used > 1 {
            self.ended.push(sign_in);
            return Err(REUSED);
        }
        if self.ended.contains(&sign_in) {
            return Err(INVALIDATED);
        }
        let account = settings.renewed_account.as_ref().unwrap_or(&settings.account);
        let mut tokens = self.give(sign_in, account, settings);
        for name in &settings.omit {
            if let Some(map) = tokens.as_object_mut() {
                map.remove(name);
            }
        }
        Ok(tokens)
    }

    /// Ends the sign-in of a token of either kind; false when nobody knows it.
    pub(super) fn revoke(&mut self, token: &str) -> bool {
        let by_refresh = self.refresh.get(token).map(|token| token.sign_in);
        let sign_in = by_refresh.or_else(|| self.access.get(token).map(|(sign_in, _)| *sign_in));
        self.ended.extend(sign_in);
        sign_in.is_some()
    }

    /// All access tokens are refused from now on, as if they had run out.
    pub(super) fn expire(&mut self) {
        self.access.clear();
    }

    /// All sign-ins are ended.
    pub(super) fn end_all(&mut self) {
        self.ended.extend(0..=self.numbered);
    }

    fn give(&mut self, sign_in: u64, account: &str, settings: &Settings) -> Value {
        if self.access.len().max(self.refresh.len()) > MOST {
            self.access.clear();
            self.refresh.clear();
        }
        let end = SystemClock.now_s().saturating_add_signed(settings.lifetime);
        let auth = json!({
            "chatgpt_account_id": account, "chatgpt_plan_type": settings.plan, "chatgpt_user_id": "user-demo" });
        let id = jwt(&json!({
            "email": settings.email, "https://api.openai.com/auth": auth, "jti": Uuid::new_v4().to_string() }));
        let mut claims = json!({ "https://api.openai.com/auth": auth, "jti": Uuid::new_v4().to_string() });
        if settings.exp {
            claims["exp"] = json!(end);
        }
        let access = jwt(&claims);
        let refresh = format!("rt-{}", Uuid::new_v4().simple());
        let good_until = if settings.exp { end } else { u64::MAX };
        self.access.insert(access.clone(), (sign_in, good_until));
        self.refresh.insert(refresh.clone(), Refresh { sign_in, used: 0 });
        json!({ "id_token": id, "access_token": access, "refresh_token": refresh, "token_type": "Bearer" })
    }
}

/// An unsigned token.
fn jwt(claims: &Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"alg":"none"}"#), part(&claims.to_string()), part("demo"))
}
