//! What to say when the plan's limit is reached: which way out the account has, and when it opens again by
//! itself. Pure: the time and the zone are handed in.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::protocol::error::{ErrorInfo, ErrorKind};

const SETTINGS: &str = "https://chatgpt.com/codex/settings/usage";

/// Everything that the answer tells about the limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct LimitFacts {
    /// The account's plan.
    pub(crate) plan: Option<String>,
    /// Unix seconds at which it opens again.
    pub(crate) resets_at: Option<u64>,
    /// Which limit, when it is not the main one.
    pub(crate) other_limit: Option<String>,
    /// Who is out of what, in the server's word.
    pub(crate) reached_type: Option<String>,
    /// An offer that the service wants to be shown.
    pub(crate) promo: Option<String>,
}

/// The error to show.
pub(crate) fn error(facts: &LimitFacts, now: Timestamp, zone: &TimeZone) -> ErrorInfo {
    let message = match &facts.other_limit {
        Some(name) => format!("The usage limit of {name} is reached."),
        None => "The usage limit of your plan is reached.".to_owned(),
    };
    ErrorInfo::new(ErrorKind::UsageLimit, message).with_hint(hint(facts, now, zone))
}

/// The plan has no access at all.
pub(crate) fn not_included() -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Quota, "Your plan does not include this service.")
        .with_hint("upgrade the plan, or use an API key: codex login --with-api-key")
}

/// What is missing in a workspace and who can add it, by the service's word for it.
pub(crate) fn of_workspace(reached: &str) -> Option<String> {
    Some(match reached {
        "workspace_owner_credits_depleted" => {
            format!("the workspace has no credits left: add some at {SETTINGS}")
        }
        "workspace_member_credits_depleted" => {
            "the workspace has no credits left: ask its owner to add some".to_owned()
        }
        "workspace_owner_usage_limit_reached" => {
            format!("the workspace's spending cap is reached: raise it at {SETTINGS}")
        }
        "workspace_member_usage_limit_reached" => {
            "your spending cap is reached: ask the workspace's owner to raise it".to_owned()
        }
        _ => return None,
    })
}

fn hint(facts: &LimitFacts, now: Timestamp, zone: &TimeZone) -> String {
    let again = again(facts.resets_at, now, zone);
    if let Some(words) = facts.reached_type.as_deref().and_then(of_workspace) {
        return words;
    }
    if facts.other_limit.is_some() {
        return format!("switch to another model, or {again}");
    }
    if let Some(promo) = &facts.promo {
        return format!("{}; or {again}", promo.trim_end_matches(['.', ' ']));
    }
    match facts.plan.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("free" | "go" | "free_workspace" | "guest") => format!("upgrade to a larger plan, or {again}"),
        Some("plus") => format!("upgrade to a larger plan, buy credits at {SETTINGS}, or {again}"),
        Some("pro" | "prolite" | "promax") => format!("buy credits at {SETTINGS}, or {again}"),
        Some(plan) if plan == "team" || plan.contains("business") => {
            format!("ask your workspace's owner for more, or {again}")
        }
        _ => again,
    }
}

/// "try again at 14:05", with the date when that is not today.
fn again(resets_at: Option<u64>, now: Timestamp, zone: &TimeZone) -> String {
    let at = resets_at.and_then(|s| i64::try_from(s).ok()).and_then(|s| Timestamp::from_second(s).ok());
    let Some(at) = at.map(|at| at.to_zoned(zone.clone())) else { return "try again later".to_owned() };
    let now = now.to_zoned(zone.clone());
    let format = if at.date() == now.date() {
        "try again at %H:%M"
    } else if at.year() == now.year() {
        "try again on %-d %b at %H:%M"
    } else {
        "try again on %-d %b %Y at %H:%M"
    };
    jiff::fmt::strtime::format(format, &at).unwrap_or_else(|_| "try again later".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(facts: &LimitFacts, want: &str) {
        let now = Timestamp::from_second(1_795_176_000).unwrap(); // 20 Nov 2026 12:00 UTC
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let error = error(facts, now, &zone);
        assert_eq!(error.kind, ErrorKind::UsageLimit);
        assert_eq!(error.hint.as_deref(), Some(want), "{facts:?}");
    }

    fn plan(plan: &str) -> LimitFacts {
        LimitFacts { plan: Some(plan.to_owned()), resets_at: Some(1_795_181_000), ..LimitFacts::default() }
    }

    #[test]
    fn by_plan() {
        check(&plan("free"), "upgrade to a larger plan, or try again at 14:23");
        check(
            &plan("Plus"),
            &format!("upgrade to a larger plan, buy credits at {SETTINGS}, or try again at 14:23"),
        );
        check(&plan("pro"), &format!("buy credits at {SETTINGS}, or try again at 14:23"));
        check(
            &plan("self_serve_business_usage_based"),
            "ask your workspace's owner for more, or try again at 14:23",
        );
        check(&plan("enterprise"), "try again at 14:23");
        check(&plan("something new"), "try again at 14:23");
    }

    #[test]
    fn by_time() {
        let at = |resets_at| LimitFacts { resets_at, ..LimitFacts::default() };
        check(&at(None), "try again later");
        check(&at(Some(u64::MAX)), "try again later");
        check(&at(Some(1_795_181_000 + 86_400)), "try again on 21 Nov at 14:23");
        check(&at(Some(1_795_181_000 + 86_400 * 60)), "try again on 19 Jan 2027 at 14:23");
        // 23:30 UTC is tomorrow in a zone one hour ahead.
        check(&at(Some(1_795_176_000 + 11 * 3600 + 1800)), "try again on 21 Nov at 00:30");
    }

    #[test]
    fn by_reason() {
        let reached = |t: &str| LimitFacts { reached_type: Some(t.to_owned()), ..plan("business") };
        check(
            &reached("workspace_member_credits_depleted"),
            "the workspace has no credits left: ask its owner to add some",
        );
        check(&reached("rate_limit_reached"), "ask your workspace's owner for more, or try again at 14:23");
        let promo = LimitFacts { promo: Some("Get 2x this week.".to_owned()), ..plan("plus") };
        check(&promo, "Get 2x this week; or try again at 14:23");
        let other = LimitFacts { other_limit: Some("big-model".to_owned()), ..plan("plus") };
        check(&other, "switch to another model, or try again at 14:23");
    }
}
