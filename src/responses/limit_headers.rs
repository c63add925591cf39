//! Answer headers and limit events → limits snapshots. Garbage in one header costs that header only. A source
//! that says nothing about a window leaves it absent, which means "unchanged", never "empty".

use std::collections::BTreeSet;

use reqwest::header::HeaderMap;

use super::wire;
use crate::protocol::limits::{Credits, LimitWindow, LimitsSnapshot};

const FIRST: &str = "-primary-used-percent";
const MAIN: &str = "codex";

/// More limit families than this in one answer are not limit families.
const MAX_FAMILIES: usize = 32;

/// One snapshot per family that the headers tell something about, the main family first.
pub(crate) fn from_headers(headers: &HeaderMap) -> Vec<LimitsSnapshot> {
    let mut stems: BTreeSet<&str> = headers
        .keys()
        .filter_map(|name| name.as_str().strip_prefix("x-")?.strip_suffix(FIRST))
        .filter(|stem| !stem.is_empty() && *stem != MAIN)
        .take(MAX_FAMILIES)
        .collect();
    stems.remove(MAIN);
    let main = LimitsSnapshot {
        credits: credits(headers),
        rate_limit_reached_type: text(headers, "x-codex-rate-limit-reached-type"),
        ..family(headers, MAIN)
    };
    let told = main.primary.is_some()
        || main.secondary.is_some()
        || main.credits.is_some()
        || main.rate_limit_reached_type.is_some();
    let others = stems.into_iter().map(|stem| family(headers, stem)).filter(|f| f.primary.is_some());
    told.then_some(main).into_iter().chain(others).collect()
}

/// The family that an error is about.
pub(crate) fn active_limit(headers: &HeaderMap) -> Option<String> {
    text(headers, "x-codex-active-limit").map(|id| id.to_ascii_lowercase().replace('-', "_"))
}

/// A `codex.rate_limits` event.
pub(crate) fn from_event(frame: &str) -> Option<LimitsSnapshot> {
    let event: wire::LimitsEvent<'_> = serde_json::from_str(frame).ok()?;
    let windows: Option<wire::LimitsWindows<'_>> = wire::read(event.rate_limits);
    let window = |raw| {
        let wire: wire::LimitsWindow = wire::read(raw)?;
        counted(wire.used_percent?, wire.window_minutes, wire.reset_at)
    };
    let credits = wire::read::<wire::LimitsCredits>(event.credits).map(|c| Credits {
        has_credits: c.has_credits,
        unlimited: c.unlimited,
        balance: c.balance,
    });
    let id = event.metered_limit_name.or_else(|| event.limit_name.clone());
    Some(LimitsSnapshot {
        limit_id: Some(id.unwrap_or_else(|| MAIN.to_owned()).to_ascii_lowercase().replace('-', "_")),
        limit_name: event.limit_name,
        primary: windows.as_ref().and_then(|w| window(w.primary)),
        secondary: windows.as_ref().and_then(|w| window(w.secondary)),
        credits,
        plan_type: event.plan_type,
        rate_limit_reached_type: None,
        account_id: None,
    })
}

fn family(headers: &HeaderMap, stem: &str) -> LimitsSnapshot {
    let window = |which: &str| {
        let number = |what: &str| text(headers, &format!("x-{stem}-{which}-{what}"));
        counted(
            number("used-percent")?.parse().ok()?,
            number("window-minutes").and_then(|n| n.parse().ok()),
            number("reset-at").and_then(|n| n.parse().ok()),
        )
    };
    LimitsSnapshot {
        limit_id: Some(stem.replace('-', "_")),
        limit_name: text(headers, &format!("x-{stem}-limit-name")),
        primary: window("primary"),
        secondary: window("secondary"),
        ..LimitsSnapshot::default()
    }
}

/// A window counts unless it says nothing at all: no use, no length, no reset.
fn counted(used_percent: f64, window_minutes: Option<u64>, resets_at: Option<u64>) -> Option<LimitWindow> {
    let says_something = used_percent != 0.0 || window_minutes.is_some_and(|m| m != 0) || resets_at.is_some();
    (used_percent.is_finite() && used_percent >= 0.0 && says_something).then_some(LimitWindow {
        used_percent,
        window_minutes,
        resets_at,
    })
}

fn credits(headers: &HeaderMap) -> Option<Credits> {
    let flag = |name: &str| match text(headers, name)?.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    };
    let has_credits = flag("x-codex-credits-has-credits")?;
    let unlimited = flag("x-codex-credits-unlimited").unwrap_or(false);
    Some(Credits { has_credits, unlimited, balance: text(headers, "x-codex-credits-balance") })
}

/// A header as trimmed text; empty counts as absent.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(
                reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        map
    }

    #[test]
    fn all_families_and_credits() {
        let got = from_headers(&headers(&[
            ("x-codex-primary-used-percent", "91.5"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-at", "1795181000"),
            ("x-codex-secondary-used-percent", "76"),
            ("x-codex-credits-has-credits", "True"),
            ("x-codex-credits-unlimited", "0"),
            ("x-codex-credits-balance", "12"),
            ("x-codex-other-primary-used-percent", "3"),
            ("x-codex-other-limit-name", "other model"),
        ]));
        assert_eq!(got.len(), 2);
        let window =
            LimitWindow { used_percent: 91.5, window_minutes: Some(300), resets_at: Some(1_795_181_000) };
        assert_eq!(got[0].limit_id.as_deref(), Some("codex"));
        assert_eq!(got[0].primary, Some(window));
        assert_eq!(got[0].secondary.unwrap().used_percent, 76.0);
        let credits = Credits { has_credits: true, unlimited: false, balance: Some("12".to_owned()) };
        assert_eq!(got[0].credits, Some(credits));
        assert_eq!(got[1].limit_id.as_deref(), Some("codex_other"));
        assert_eq!(got[1].limit_name.as_deref(), Some("other model"));
    }

    #[test]
    fn silence_and_garbage_say_nothing() {
        assert!(from_headers(&headers(&[("content-type", "text/event-stream")])).is_empty());
        for value in ["", "abc", "NaN", "inf", "-3", "0", "\u{ff}"] {
            let got = from_headers(&headers(&[("x-codex-primary-used-percent", value)]));
            assert!(got.is_empty(), "{value:?}: {got:?}");
        }
        let got = from_headers(&headers(&[
            ("x-codex-primary-used-percent", "0"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-at", "never"),
        ]));
        let window = LimitWindow { used_percent: 0.0, window_minutes: Some(300), resets_at: None };
        assert_eq!(got[0].primary, Some(window));
    }

    #[test]
    fn events() {
        let got = from_event(
            r#"{"type":"codex.rate_limits","plan_type":"plus","rate_limits":{"primary":{"used_percent":96,
            "window_minutes":300,"reset_at":1795181000},"secondary":null},
            "credits":{"has_credits":true,"unlimited":false,"balance":"12"},"metered_limit_name":null}"#,
        )
        .unwrap();
        assert_eq!(got.limit_id.as_deref(), Some("codex"));
        assert_eq!(got.plan_type.as_deref(), Some("plus"));
        assert_eq!(got.primary.unwrap().used_percent, 96.0);
        assert_eq!(got.secondary, None);
        assert!(got.credits.unwrap().has_credits);
        let odd =
            from_event(r#"{"rate_limits":[1],"credits":"x","metered_limit_name":"Codex-Other"}"#).unwrap();
        assert_eq!(odd.limit_id.as_deref(), Some("codex_other"));
        assert_eq!((odd.primary, odd.credits), (None, None));
        assert!(from_event("7").is_none());
    }
}
