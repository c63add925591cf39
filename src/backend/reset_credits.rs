//! The list of reset credits. A time that cannot be read costs that time, an unknown kind is kept as unknown, an
//! entry without id is left out: the count still says how many there are.

use std::time::Duration;

use serde_json::{Map, Value};

use super::client::{Backend, Route};
use super::error::Error;
use super::json::{moment, text, whole};
use crate::protocol::limits::{CreditStatus, ResetCredit, ResetCredits, ResetType};

/// The list is a detail: waiting longer for it than this is not worth it.
const LIST_LIMIT: Duration = Duration::from_secs(5);

/// More entries than this are not shown.
const MAX_CREDITS: usize = 200;

/// Asks for the list.
///
/// # Errors
/// There is no answer, or it is not a list of credits.
pub(crate) async fn list(backend: &Backend) -> Result<ResetCredits, Error> {
    let answer = backend.get_json(Route::ResetCredits, LIST_LIMIT).await?;
    decode(&answer.value)
        .ok_or_else(|| Error::BadAnswer { what: "it says nothing about reset credits".to_owned() })
}

/// Reads an answer; `None` when it tells neither count nor list.
pub(crate) fn decode(value: &Value) -> Option<ResetCredits> {
    let map = value.as_object()?;
    let credits = map.get("credits").and_then(Value::as_array);
    let credits: Option<Vec<ResetCredit>> =
        credits.map(|list| list.iter().filter_map(credit).take(MAX_CREDITS).collect());
    let count = whole(map, "available_count").or_else(|| {
        let usable = credits.as_ref()?.iter().filter(|credit| credit.status == CreditStatus::Available);
        Some(usable.count() as u64)
    })?;
    Some(ResetCredits { available_count: count, credits })
}

/// One entry.
pub(crate) fn credit(value: &Value) -> Option<ResetCredit> {
    let map = value.as_object()?;
    let id = map.get("id")?.as_str().filter(|id| usable_id(id))?.to_owned();
    let (expires_at, expiry_unreadable) = match map.get("expires_at") {
        None | Some(Value::Null) => (None, false),
        Some(value) => moment(value).map_or((None, true), |at| (Some(at), false)),
    };
    Some(ResetCredit {
        id,
        reset_type: match word(map, "reset_type") {
            Some("codex_rate_limits") => ResetType::CodexRateLimits,
            _ => ResetType::Unknown,
        },
        status: match word(map, "status") {
            Some("available") => CreditStatus::Available,
            Some("redeeming") => CreditStatus::Redeeming,
            Some("redeemed") => CreditStatus::Redeemed,
            _ => CreditStatus::Unknown,
        },
        granted_at: map.get("granted_at").and_then(moment),
        expires_at,
        expiry_unreadable,
        title: text(map, "title", 80),
        description: text(map, "description", 300),
    })
}

fn word<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    map.get(name).and_then(Value::as_str)
}

/// An id goes back to the server as it is, and onto the screen.
fn usable_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 200 && id.chars().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_usual_list() {
        let got = decode(&json!({"available_count": 2, "credits": [
            {"id": "c-1", "reset_type": "codex_rate_limits", "status": "available", "granted_at": "2026-11-01T00:00:00Z",
             "expires_at": "2026-12-01T00:00:00Z", "title": "Gift\u{7}", "description": "From us"},
            {"id": "c-2", "reset_type": "codex_rate_limits", "status": "available", "expires_at": null}]}))
        .unwrap();
        let credits = got.credits.unwrap();
        assert_eq!((got.available_count, credits.len()), (2, 2));
        assert_eq!(credits[0].expires_at, Some(1_796_083_200));
        assert_eq!(credits[0].title.as_deref(), Some("Gift"));
        assert_eq!((credits[1].expires_at, credits[1].expiry_unreadable), (None, false));
    }

    #[test]
    fn odd_lists() {
        let only_count = decode(&json!({"available_count": 3, "credits": null})).unwrap();
        assert_eq!(only_count, ResetCredits { available_count: 3, credits: None });
        let none = decode(&json!({"credits": []})).unwrap();
        assert_eq!(none, ResetCredits { available_count: 0, credits: Some(Vec::new()) });
        let odd = decode(&json!({"available_count": -1, "credits": [
            {"id": "a", "reset_type": 7, "status": "sleeping", "granted_at": "yesterday", "expires_at": "never"},
            {"id": ""}, {"id": "a\nb"}, {}, null, 5,
            {"id": "b", "status": "available"}]}))
        .unwrap();
        let credits = odd.credits.unwrap();
        assert_eq!((odd.available_count, credits.len()), (1, 2));
        assert_eq!((credits[0].reset_type, credits[0].status), (ResetType::Unknown, CreditStatus::Unknown));
        assert!(credits[0].expiry_unreadable && credits[0].granted_at.is_none());
        for bad in
            [json!(null), json!([]), json!({}), json!({"credits": "x"}), json!({"available_count": "x"})]
        {
            assert_eq!(decode(&bad), None, "{bad}");
        }
    }
}
