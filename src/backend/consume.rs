//! Using a reset credit: one request, one key, no repeats. What cannot be told for sure is an error here; whether the
//! same key is sent again is decided in `limits/redeem.rs`.

use serde_json::{Value, json};

use super::client::{Backend, Route, TIME_LIMIT};
use super::error::Error;
use crate::base::clean;
use crate::protocol::limits::ConsumeOutcome;

/// Asks the service to use a credit of `account`. `key` makes repeats of the request one; without `credit_id` the
/// service picks the credit.
///
/// # Errors
/// There is no answer that says clearly what was done.
pub(crate) async fn consume(
    backend: &Backend,
    account: &str,
    key: &str,
    credit_id: Option<&str>,
) -> Result<ConsumeOutcome, Error> {
    let mut body = json!({ "redeem_request_id": key });
    if let (Some(id), Some(map)) = (credit_id, body.as_object_mut()) {
        map.insert("credit_id".to_owned(), Value::from(id));
    }
    let answer = backend.post_json_as(account, Route::Consume, &body, TIME_LIMIT).await?;
    outcome(&answer)
}

fn outcome(answer: &Value) -> Result<ConsumeOutcome, Error> {
    match answer.get("code").and_then(Value::as_str) {
        Some("reset") => Ok(ConsumeOutcome::Reset),
        Some("already_redeemed") => Ok(ConsumeOutcome::AlreadyRedeemed),
        Some("nothing_to_reset") => Ok(ConsumeOutcome::NothingToReset),
        Some("no_credit") => Ok(ConsumeOutcome::NoCredit),
        Some(other) => Err(Error::BadAnswer {
            what: format!("it has the unknown result “{}”", clean::line(other, 60)),
        }),
        None => Err(Error::BadAnswer { what: "it has no result".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_results() {
        let got = |text: &str| outcome(&serde_json::from_str(text).unwrap());
        assert_eq!(got(r#"{"code":"reset","windows_reset":2}"#), Ok(ConsumeOutcome::Reset));
        assert_eq!(got(r#"{"code":"already_redeemed"}"#), Ok(ConsumeOutcome::AlreadyRedeemed));
        assert_eq!(got(r#"{"code":"nothing_to_reset","credit":null}"#), Ok(ConsumeOutcome::NothingToReset));
        assert_eq!(got(r#"{"code":"no_credit"}"#), Ok(ConsumeOutcome::NoCredit));
        for bad in [r#"{"code":"RESET"}"#, r#"{"code":null}"#, "{}", "[]", r#"{"code":"x\u001b[31m"}"#] {
            let error = got(bad).unwrap_err().to_string();
            assert!(!error.contains('\u{1b}'), "{error}");
        }
    }
}
