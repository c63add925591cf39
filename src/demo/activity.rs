//! The token activity of the scripted account: a year of days that look like somebody's work, or whatever a test
//! sets in its place.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

/// Days told.
const DAYS: i64 = 364;

/// The usual answer at `now` (unix seconds).
pub(crate) fn usual(now: u64) -> Value {
    let today = i64::try_from(now).ok().and_then(|now| Timestamp::from_second(now).ok()).unwrap_or_default();
    let today: Date = today.to_zoned(TimeZone::UTC).date();
    let mut days = Vec::new();
    let (mut lifetime, mut peak) = (0_u64, 0_u64);
    for back in (0..DAYS).rev() {
        let Ok(date) = today.checked_sub(back.days()) else { continue };
        let tokens = tokens_of(date, DAYS - back);
        lifetime += tokens;
        peak = peak.max(tokens);
        if tokens > 0 {
            days.push(json!({ "start_date": date.to_string(), "tokens": tokens }));
        }
    }
    json!({ "stats": {
        "lifetime_tokens": lifetime, "peak_daily_tokens": peak, "longest_running_turn_sec": 3912,
        "current_streak_days": 4, "longest_streak_days": 17, "daily_usage_buckets": days } })
}

/// Work days are busier than others, later ones busier than early ones; some are free.
fn tokens_of(date: Date, day: i64) -> u64 {
    let weekend = date.weekday().to_monday_zero_offset() >= 5;
    let wave = u64::try_from((day * 37) % 11).unwrap_or(0);
    match (weekend, wave) {
        (true, 0..=6) | (false, 0) => 0,
        (true, wave) => wave * 90_000,
        (false, wave) => wave * 210_000 + u64::try_from(day).unwrap_or(0) * 2_000,
    }
}
