//! What a token says about itself. Signatures are not checked: the server does that, we only read.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

/// The claims that matter, as far as they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Address of the account.
    pub(crate) email: Option<String>,
    /// Plan in the server's word.
    pub(crate) plan: Option<String>,
    /// Account that requests are for.
    pub(crate) account_id: Option<String>,
    /// Person.
    pub(crate) user_id: Option<String>,
    /// Unix seconds after which the token is refused.
    pub(crate) expires_at: Option<u64>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    exp: Value,
    #[serde(default)]
    email: Value,
    #[serde(default, rename = "https://api.openai.com/profile")]
    profile: Value,
    #[serde(default, rename = "https://api.openai.com/auth")]
    auth: Value,
}

/// Reads a JWT; `None` when it is not one.
pub(crate) fn read(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (head, middle, tail) = (parts.next()?, parts.next()?, parts.next()?);
    if head.is_empty() || middle.is_empty() || tail.is_empty() || parts.next().is_some() {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(middle).or_else(|_| URL_SAFE.decode(middle)).ok()?;
    let payload: Payload = serde_json::from_slice(&bytes).ok()?;
    let text = |value: &Value| value.as_str().filter(|s| !s.is_empty()).map(str::to_owned);
    let auth = |name: &str| payload.auth.get(name).and_then(text);
    Some(Claims {
        email: text(&payload.email).or_else(|| payload.profile.get("email").and_then(text)),
        plan: auth("chatgpt_plan_type"),
        account_id: auth("chatgpt_account_id"),
        user_id: auth("chatgpt_user_id").or_else(|| auth("user_id")),
        expires_at: payload.exp.as_u64().or_else(|| payload.exp.as_f64().map(|n| n as u64)),
    })
}

/// Names of the two claims, for tests that make tokens.
#[cfg(test)]
pub(crate) const AUTH: &str = "https://api.openai.com/auth";
#[cfg(test)]
const PROFILE: &str = "https://api.openai.com/profile";

/// Makes an unsigned token for tests.
#[cfg(test)]
pub(crate) fn fake_token(payload: &Value) -> String {
    let part = |value: &str| URL_SAFE_NO_PAD.encode(value);
    format!("{}.{}.c2ln", part(r#"{"alg":"none"}"#), part(&payload.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_claims() {
        let token = fake_token(&json!({
            "exp": 1_795_181_000,
            PROFILE: {"email": "a@example.org"},
            AUTH: {"chatgpt_plan_type": "plus", "chatgpt_account_id": "acct", "user_id": "u"},
        }));
        let claims = read(&token).unwrap();
        assert_eq!(claims.email.as_deref(), Some("a@example.org"));
        assert_eq!(claims.plan.as_deref(), Some("plus"));
        assert_eq!(claims.account_id.as_deref(), Some("acct"));
        assert_eq!(claims.user_id.as_deref(), Some("u"));
        assert_eq!(claims.expires_at, Some(1_795_181_000));
    }

    #[test]
    fn odd_types_cost_one_claim() {
        let token = fake_token(&json!({"exp": "soon", "email": 7, AUTH: ["x"]}));
        assert_eq!(read(&token), Some(Claims::default()));
    }

    #[test]
    fn what_is_not_a_token() {
        for token in ["", "a", "a.b", "a..c", "a.b.c.d", "sk-123", "a.!!!.c", "a.W10.c"] {
            assert_eq!(read(token).filter(|c| *c != Claims::default()), None, "{token}");
        }
    }
}
