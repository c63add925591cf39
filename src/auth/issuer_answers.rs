//! What the answers of the sign-in service say. Its words are cut, and cleaned of everything we know to be secret.

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::document::Answer;
use super::error::{Cause, Error};
use crate::base::clean;
use crate::base::secret::Secret;
use crate::net::fetch::Reply;

/// What came of asking whether the code was used.
#[derive(Debug)]
pub(super) enum Polled {
    /// Not yet.
    Pending,
    /// Not yet, and it is asked too often.
    Slower,
    /// No answer, or none of the service itself; why.
    Lost(String),
    /// Yes.
    Code { code: Secret, verifier: Secret },
}

/// The tokens of an answer; `None` when it cannot be read.
pub(super) fn tokens(body: &[u8]) -> Option<Answer> {
    #[derive(Deserialize)]
    struct Wire {
        id_token: Option<String>,
        access_token: Option<String>,
        refresh_token: Option<String>,
    }
    let wire: Wire = serde_json::from_slice(body).ok()?;
    // What no header could carry is no token.
    let usable = |token: Option<String>| match token {
        Some(token) if token.is_empty() => Some(None),
        Some(token) if token.chars().any(|c| !c.is_ascii_graphic()) => None,
        other => Some(other.map(Secret::new)),
    };
    Some(Answer {
        id: usable(wire.id_token)?,
        access: usable(wire.access_token)?,
        refresh: usable(wire.refresh_token)?,
    })
}

/// The word for what is wrong, in lower case; empty when there is none.
fn code(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = value.get("error");
    error
        .and_then(|error| error.get("code").or(Some(error)))
        .and_then(Value::as_str)
        .or_else(|| value.get("code").and_then(Value::as_str))
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// What an answer to the question about a code means.
pub(super) fn polled(reply: &Reply, secrets: &[&Secret]) -> Result<Polled, Error> {
    #[derive(Deserialize)]
    struct Done {
        authorization_code: String,
        code_verifier: String,
    }
    match (reply.status, code(&reply.body).as_str()) {
        (429, _) | (400..=499, "slow_down") => Ok(Polled::Slower),
        (400..=499, "expired_token") => Err(Error::Login {
            reason: "the code has expired".to_owned(),
            hint: Some("get another one: codex login --device-auth"),
        }),
        (400..=499, "access_denied") => Err(login(said(reply, secrets))),
        (403 | 404, _) | (400..=499, "authorization_pending") => Ok(Polled::Pending),
        (500..=599, _) => Ok(Polled::Lost(said(reply, secrets))),
        (200..=299, _) => match serde_json::from_slice::<Done>(&reply.body) {
            Ok(done) => Ok(Polled::Code {
                code: Secret::new(done.authorization_code),
                verifier: Secret::new(done.code_verifier),
            }),
            Err(_) => Err(login("the service's answer cannot be read".to_owned())),
        },
        _ => Err(login(said(reply, secrets))),
    }
}

/// Why a refresh token is no longer taken.
pub(super) fn cause(body: &[u8]) -> Cause {
    match code(body).as_str() {
        "refresh_token_expired" => Cause::Expired,
        "refresh_token_reused" => Cause::Used,
        "refresh_token_invalidated" => Cause::Revoked,
        _ => Cause::Unknown,
    }
}

/// The service's own words about an error, and its status.
pub(super) fn said(reply: &Reply, secrets: &[&Secret]) -> String {
    let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let error = value.get("error");
    let words = text(value.get("error_description"))
        .or_else(|| text(error.and_then(|error| error.get("message"))))
        .or_else(|| text(error))
        .or_else(|| text(value.get("message")));
    let mut words = words.unwrap_or_else(|| clean::body(&reply.body, 200));
    for secret in secrets {
        // Codes travel in forms: a service that repeats the form repeats them encoded.
        let encoded = form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect::<String>();
        for form in [Secret::new(encoded), (*secret).clone()] {
            words = clean::without_secret(words, Some(&form));
        }
    }
    let words = clean::line(&words, 200);
    match words.is_empty() {
        true => format!("the service answered with status {}", reply.status),
        false => format!("the service answered with status {}: {words}", reply.status),
    }
}

/// A sign-in that failed for this reason, with nothing to advise.
pub(super) fn login(reason: String) -> Error {
    Error::Login { reason, hint: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes() {
        for (body, want) in [
            (r#"{"error":{"code":"refresh_token_expired"}}"#, Cause::Expired),
            (r#"{"error":"REFRESH_TOKEN_REUSED"}"#, Cause::Used),
            (r#"{"code":"refresh_token_invalidated"}"#, Cause::Revoked),
            (r#"{"error":{"message":"no"},"code":"refresh_token_reused"}"#, Cause::Used),
            (r#"{"error":{"code":7}}"#, Cause::Unknown),
            ("<html>", Cause::Unknown),
            ("", Cause::Unknown),
        ] {
            assert_eq!(cause(body.as_bytes()), want, "{body}");
        }
    }

    #[test]
    fn answers_about_a_code() {
        let word =
            |status: u16, body: &str| match polled(&Reply { status, body: body.as_bytes().to_vec() }, &[]) {
                Ok(Polled::Pending) => "pending",
                Ok(Polled::Slower) => "slower",
                Ok(Polled::Lost(_)) => "lost",
                Ok(Polled::Code { .. }) => "code",
                Err(_) => "error",
            };
        for (status, body, want) in [
            (400, r#"{"error":"slow_down"}"#, "slower"),
            (403, r#"{"error":{"code":"SLOW_DOWN"}}"#, "slower"),
            (429, "", "slower"),
            (403, "", "pending"),
            (404, "<html>", "pending"),
            (400, r#"{"error":"authorization_pending"}"#, "pending"),
            (403, r#"{"error":"access_denied"}"#, "error"),
            (400, r#"{"error":"expired_token"}"#, "error"),
            (400, "", "error"),
            (307, "", "error"),
            (503, r#"{"error":"slow_down"}"#, "lost"),
            (200, r#"{"authorization_code":"c","code_verifier":"v"}"#, "code"),
            (200, r#"{"authorization_code":"c"}"#, "error"),
        ] {
            assert_eq!(word(status, body), want, "{status} {body}");
        }
    }

    #[test]
    fn odd_answers() {
        let secret = |text: &str| Some(Secret::new(text));
        for (body, want) in [
            (r#"{"access_token":"a","x":1}"#, Some(Answer { access: secret("a"), ..Answer::default() })),
            (r#"{"access_token":null,"refresh_token":""}"#, Some(Answer::default())),
            ("{\"access_token\":\"a\\nb\"}", None),
            (r#"{"access_token":7}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(tokens(body.as_bytes()), want, "{body}");
        }
    }

    #[test]
    fn words_of_the_service_are_cut_and_carry_no_secret() {
        let secret = Secret::new("canary-1234");
        let said = |body: &str| said(&Reply { status: 400, body: body.as_bytes().to_vec() }, &[&secret]);
        assert!(
            said(r#"{"error_description":"no canary-1234 \u001b[31mhere"}"#)
                .ends_with("400: no [secret] [31mhere")
        );
        let odd = Secret::new("a/b+canary==");
        let body = format!(
            "code={}&x=1",
            form_urlencoded::byte_serialize(odd.expose().as_bytes()).collect::<String>()
        );
        let words = super::said(&Reply { status: 400, body: body.into_bytes() }, &[&odd]);
        assert!(!words.contains("canary") && words.contains("[secret]&x=1"), "{words}");
        assert!(said("<html><title>Gateway</title></html>").ends_with("Gateway"));
        assert!(said("").ends_with("status 400"));
        assert!(said(&"x".repeat(5000)).len() < 300);
    }
}
