//! Token activity of the account: totals, streaks and tokens per day. Duplicate days are added up, negative
//! numbers count as 0, days that are no dates are left out.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use super::client::{Backend, Route, TIME_LIMIT};
use super::error::Error;
use super::json::{number, whole};

/// More days than this are not kept: a year is shown.
const MAX_DAYS: usize = 4000;

/// What the account used, as far as the server tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Tokens of all time.
    pub(crate) lifetime_tokens: Option<u64>,
    /// Tokens of the busiest day.
    pub(crate) peak_daily_tokens: Option<u64>,
    /// Longest turn in seconds.
    pub(crate) longest_turn_s: Option<u64>,
    /// Days in a row up to now.
    pub(crate) streak_days: Option<u64>,
    /// Most days in a row.
    pub(crate) longest_streak_days: Option<u64>,
    /// Tokens per day; `None` when the server does not list days.
    pub(crate) days: Option<BTreeMap<Date, u64>>,
}

/// Asks for it.
///
/// # Errors
/// There is no answer, or it tells nothing.
pub(crate) async fn read(backend: &Backend) -> Result<Activity, Error> {
    let answer = backend.get_json(Route::Activity, TIME_LIMIT).await?;
    decode(&answer.value)
        .ok_or_else(|| Error::BadAnswer { what: "it says nothing about activity".to_owned() })
}

/// Reads an answer; `None` when it has no statistics.
pub(crate) fn decode(value: &Value) -> Option<Activity> {
    let stats = value.get("stats")?.as_object()?;
    let days = stats.get("daily_usage_buckets").and_then(Value::as_array).map(|buckets| {
        let mut days = BTreeMap::new();
        for bucket in buckets.iter().take(MAX_DAYS) {
            let Some(map) = bucket.as_object() else { continue };
            let date =
                map.get("start_date").and_then(Value::as_str).and_then(|text| text.parse::<Date>().ok());
            let Some(date) = date else { continue };
            let tokens = number(map, "tokens").unwrap_or(0.0).clamp(0.0, 1e15) as u64;
            let sum = days.entry(date).or_insert(0_u64);
            *sum = sum.saturating_add(tokens);
        }
        days
    });
    Some(Activity {
        lifetime_tokens: whole(stats, "lifetime_tokens"),
        peak_daily_tokens: whole(stats, "peak_daily_tokens"),
        longest_turn_s: whole(stats, "longest_running_turn_sec"),
        streak_days: whole(stats, "current_streak_days"),
        longest_streak_days: whole(stats, "longest_streak_days"),
        days,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn days_are_summed_and_garbage_is_left_out() {
        let got = decode(
            &json!({"stats": {"lifetime_tokens": 12, "peak_daily_tokens": -3, "daily_usage_buckets": [
            {"start_date": "2026-11-01", "tokens": 5}, {"start_date": "2026-11-01", "tokens": 6},
            {"start_date": "2026-11-02", "tokens": -9}, {"start_date": "2026-13-02", "tokens": 1},
            {"tokens": 4}, null, {"start_date": 7}]}}),
        )
        .unwrap();
        let days: Vec<u64> = got.days.unwrap().into_values().collect();
        assert_eq!(days, [11, 0]);
        assert_eq!((got.lifetime_tokens, got.peak_daily_tokens, got.streak_days), (Some(12), None, None));
        assert_eq!(decode(&json!({"stats": {"daily_usage_buckets": null}})).unwrap().days, None);
        for bad in [json!(null), json!({}), json!({"stats": []})] {
            assert_eq!(decode(&bad), None);
        }
    }
}
