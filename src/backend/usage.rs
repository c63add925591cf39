//! The usage endpoint: windows of all families, credits, spend control, the number of reset credits. Only an
//! answer that tells nothing at all is refused; otherwise a field that cannot be understood is silent.

use serde_json::{Map, Value};

use super::client::{Answer, Backend, Route, TIME_LIMIT};
use super::error::Error;
use super::json::{amount, number, text, whole};
use crate::protocol::limits::{AccountReading, Credits, FamilyReading, LimitWindow, SpendControl, Told};

/// The main family.
const MAIN: &str = "codex";

/// More families than this are not families.
const MAX_FAMILIES: usize = 32;

/// Longest id or name, in characters.
const MAX_NAME: usize = 60;

/// Asks for the whole account.
///
/// # Errors
/// There is no answer, or it tells nothing.
pub(crate) async fn read(backend: &Backend) -> Result<(Answer, AccountReading), Error> {
    let answer = backend.get_json(Route::Usage, TIME_LIMIT).await?;
    let reading = decode(&answer.value, unix_now())
        .ok_or_else(|| Error::BadAnswer { what: "it says nothing about limits".to_owned() })?;
    Ok((answer, reading))
}

fn unix_now() -> u64 {
    use crate::base::clock::{Clock, SystemClock};
    SystemClock.now_s()
}

/// Reads an answer that came at `now`; `None` when it tells nothing.
pub(crate) fn decode(value: &Value, now: u64) -> Option<AccountReading> {
    let map = value.as_object()?;
    let names = ["plan_type", "rate_limit", "additional_rate_limits", "credits", "rate_limit_reset_credits"];
    if !names.iter().any(|name| map.contains_key(*name)) {
        return None;
    }
    let mut families = Vec::new();
    if map.contains_key("rate_limit") {
        families.push(family(MAIN.to_owned(), None, map.get("rate_limit")));
    }
    let others = map.get("additional_rate_limits");
    for other in others.and_then(Value::as_array).into_iter().flatten().take(MAX_FAMILIES) {
        families.extend(additional(other));
    }
    Some(AccountReading {
        plan: text(map, "plan_type", MAX_NAME),
        families,
        families_complete: matches!(others, Some(Value::Null | Value::Array(_))),
        credits: told(map, "credits", credits),
        spend: told(map, "spend_control", spend),
        reached: reached(map),
        reset_count: told(map, "rate_limit_reset_credits", |map| whole(map, "available_count")),
        clock_ahead_s: clock_ahead(map, now),
    })
}

/// An object behind `name`: silent when it cannot be read.
fn told<T>(
    map: &Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Map<String, Value>) -> Option<T>,
) -> Told<T> {
    match map.get(name) {
        Some(Value::Null) => Told::Nothing,
        Some(Value::Object(inner)) => read(inner).map_or(Told::Silent, Told::Is),
        _ => Told::Silent,
    }
}

fn additional(value: &Value) -> Option<FamilyReading> {
    let map = value.as_object()?;
    let name = text(map, "limit_name", MAX_NAME);
    let id = text(map, "metered_feature", MAX_NAME).or_else(|| name.clone())?;
    let id = id.to_ascii_lowercase().replace(['-', ' '], "_");
    (id != MAIN).then(|| family(id, name, map.get("rate_limit")))
}

fn family(id: String, name: Option<String>, limits: Option<&Value>) -> FamilyReading {
    let (primary, secondary) = match limits {
        Some(Value::Null) => (Told::Nothing, Told::Nothing),
        Some(Value::Object(map)) => {
            (told(map, "primary_window", window), told(map, "secondary_window", window))
        }
        _ => (Told::Silent, Told::Silent),
    };
    FamilyReading { id, name, primary, secondary }
}

/// Whether this is a moment that a calendar has.
fn is_moment(at: &u64) -> bool {
    (1..=253_402_300_799 - 86_400).contains(at)
}

fn window(map: &Map<String, Value>) -> Option<LimitWindow> {
    let used_percent = number(map, "used_percent").filter(|percent| *percent >= 0.0)?;
    let window_minutes = whole(map, "limit_window_seconds").map(|s| s.div_ceil(60)).filter(|m| *m > 0);
    Some(LimitWindow { used_percent, window_minutes, resets_at: whole(map, "reset_at").filter(is_moment) })
}

fn credits(map: &Map<String, Value>) -> Option<Credits> {
    let flag = |name: &str| map.get(name).and_then(Value::as_bool);
    Some(Credits {
        has_credits: flag("has_credits")?,
        unlimited: flag("unlimited").unwrap_or(false),
        balance: amount(map, "balance"),
    })
}

fn spend(map: &Map<String, Value>) -> Option<SpendControl> {
    let reached = map.get("reached").and_then(Value::as_bool).unwrap_or(false);
    let empty = Map::new();
    let limit = match map.get("individual_limit") {
        Some(Value::Object(limit)) => limit,
        _ if reached => &empty,
        _ => return None,
    };
    let left = number(limit, "remaining_percent").or_else(|| Some(100.0 - number(limit, "used_percent")?));
    Some(SpendControl {
        reached,
        limit: amount(limit, "limit"),
        used: amount(limit, "used"),
        remaining_percent: left.map(|left| left.clamp(0.0, 100.0)),
        resets_at: whole(limit, "reset_at").filter(is_moment),
    })
}

/// Known kinds only: what is not known cannot be said in words. Without a kind, the flag beside the windows counts.
fn reached(map: &Map<String, Value>) -> Told<String> {
    const KNOWN: [&str; 5] = [
        "rate_limit_reached",
        "workspace_owner_credits_depleted",
        "workspace_member_credits_depleted",
        "workspace_owner_usage_limit_reached",
        "workspace_member_usage_limit_reached",
    ];
    let told = told(map, "rate_limit_reached_type", |map| {
        let kind = map.get("type")?.as_str()?;
        KNOWN.contains(&kind).then(|| kind.to_owned())
    });
    let flag = map.get("rate_limit").and_then(|limits| limits.get("limit_reached")).and_then(Value::as_bool);
    match (told, flag) {
        (Told::Silent | Told::Nothing, Some(true)) => Told::Is("rate_limit_reached".to_owned()),
        (told, _) => told,
    }
}

/// `reset_at` is on the server's clock, `reset_after_seconds` on none: their difference shows the server's time.
fn clock_ahead(map: &Map<String, Value>, now: u64) -> i64 {
    /// Less than this is the way of the answer and rounding.
    const TOLERANCE_S: i64 = 120;
    /// What a service can think the time is: from the year 2020 to 2100.
    const SERVER_TIMES: std::ops::Range<u64> = 1_577_836_800..4_102_444_800;
    let limits = map.get("rate_limit").and_then(Value::as_object);
    let windows = ["primary_window", "secondary_window"].iter();
    let ahead = windows.filter_map(|name| {
        let window = limits?.get(*name)?.as_object()?;
        let (at, after) = (whole(window, "reset_at")?, whole(window, "reset_after_seconds")?);
        // One odd number must not move everything else by decades.
        let server_now = at.checked_sub(after).filter(|at| SERVER_TIMES.contains(at))?;
        Some(i64::try_from(server_now).ok()? - i64::try_from(now).ok()?)
    });
    ahead.min_by_key(|ahead| ahead.abs()).filter(|ahead| ahead.abs() > TOLERANCE_S).unwrap_or(0)
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
