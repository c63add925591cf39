//! The scripted account: windows, reset credits, what was redeemed under which key, and what goes wrong with it. Rows
//! are kept as JSON, so that a test can hand out any nonsense; only `id` and `status` mean something here.
//!
//! An account of a scenario is alive: answers of the model cost what their rules say, a window that is used up refuses
//! the next request, and windows start anew at their end, sooner than real ones when its clock is fast.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::account_file::{AccountFile, After, Window, dated};
use super::activity;

/// The account.
#[derive(Debug)]
pub(crate) struct AccountState {
    /// The scenario has this account.
    is_alive: bool,
    clock: Option<f64>,
    plan: String,
    account_id: String,
    windows: Vec<(Window, u64)>,
    rows: Vec<Value>,
    cap: Option<usize>,
    listed: bool,
    count: Option<Value>,
    move_after: u64,
    /// Readings until the windows move.
    moving: Option<u64>,
    after: VecDeque<After>,
    seen: BTreeMap<String, Value>,
    consumed: Vec<Value>,
    reached: Option<String>,
    /// What the owner was asked for.
    nudges: Vec<String>,
    usage: Option<Value>,
    activity: Option<Value>,
}

impl Default for AccountState {
    /// A used plan with two credits.
    fn default() -> Self {
        let row = |id: &str, expires: Value| {
            json!({ "id": id, "reset_type": "codex_rate_limits", "status": "available",
                "granted_at": "2026-11-01T00:00:00Z", "expires_at": expires, "title": "Full reset", "description": null })
        };
        Self {
            is_alive: false,
            clock: None,
            plan: "plus".to_owned(),
            account_id: "acct-demo".to_owned(),
            windows: vec![
                (Window { used: 82.0, seconds: 18_000, resets_in: 7_300 }, 0),
                (Window { used: 64.0, seconds: 604_800, resets_in: 300_000 }, 0),
            ],
            rows: vec![row("c-1", json!("2099-12-01T00:00:00Z")), row("c-2", Value::Null)],
            cap: None,
            listed: true,
            count: None,
            move_after: 0,
            moving: None,
            after: VecDeque::new(),
            seen: BTreeMap::new(),
            consumed: Vec::new(),
            reached: None,
            nudges: Vec::new(),
            usage: None,
            activity: None,
        }
    }
}

impl AccountState {
    /// The account of a scenario. `now`: unix seconds.
    pub(crate) fn of_scenario(file: AccountFile, now: u64) -> Self {
        let mut account = Self { is_alive: true, ..Self::default() };
        account.change(file, now);
        account
    }

    /// Whether it belongs to the scenario, so that clients sign in to it.
    pub(crate) fn is_alive(&self) -> bool {
        self.is_alive
    }

    /// Changes what the test says. `now`: unix seconds.
    pub(crate) fn change(&mut self, file: AccountFile, now: u64) {
        macro_rules! set {
            ($($field:ident),*) => { $(if let Some(value) = file.$field { self.$field = value; })* };
        }
        set!(plan, account_id, listed, move_after);
        self.clock = file.clock.filter(|rate| *rate > 0.0).or(self.clock);
        if let Some(windows) = file.windows {
            let ends = |window: Window| (window, now + self.real(window.resets_in));
            self.windows = windows.into_iter().map(ends).collect();
            self.moving = None;
        }
        if let Some(rows) = file.credits {
            self.rows = rows.into_iter().map(|row| dated(row, now)).collect();
        }
        self.cap = file.cap.or(self.cap);
        self.count = file.count.or(self.count.take());
        self.reached = file.reached.or(self.reached.take());
        self.usage = file.usage.or(self.usage.take());
        self.activity = file.activity.or(self.activity.take());
        if let Some(after) = file.after {
            self.after = after.into();
        }
        if file.forget == Some(true) {
            self.seen.clear();
        }
    }

    /// The body of the usage route; counts as a reading.
    pub(crate) fn usage(&mut self, now: u64) -> Value {
        self.let_time_pass(now);
        match self.moving {
            Some(0) => self.restart(now),
            Some(left) => self.moving = Some(left - 1),
            None => {}
        }
        if let Some(usage) = &self.usage {
            return usage.clone();
        }
        let window = |index: usize| {
            self.windows.get(index).map_or(Value::Null, |(window, at)| {
                let at = if *at == 0 { now + window.resets_in } else { *at };
                json!({ "used_percent": window.used, "limit_window_seconds": window.seconds,
                    "reset_after_seconds": at.saturating_sub(now), "reset_at": at })
            })
        };
        json!({
            "user_id": "user-demo", "account_id": self.account_id, "email": "demo@example.com", "plan_type": self.plan,
            "rate_limit": { "allowed": !self.is_used_up(), "limit_reached": self.is_used_up(), "primary_window": window(0), "secondary_window": window(1) },
            "credits": null, "additional_rate_limits": [], "rate_limit_reached_type": self.reached.as_ref().map(|kind| json!({ "type": kind })),
            "rate_limit_reset_credits": { "available_count": self.count() },
        })
    }

    /// The body of the activity route.
    pub(crate) fn activity(&self, now: u64) -> Value {
        self.activity.clone().unwrap_or_else(|| activity::usual(now))
    }

    /// The body of the list.
    pub(crate) fn list(&self) -> Value {
        let rows: Vec<&Value> = self.rows.iter().take(self.cap.unwrap_or(usize::MAX)).collect();
        json!({ "available_count": self.count(), "credits": if self.listed { json!(rows) } else { Value::Null } })
    }

    /// Carries out a redemption; returns its answer and what happens to that.
    pub(crate) fn consume(
        &mut self,
        key: &str,
        credit: Option<&str>,
        account: &str,
        now: u64,
    ) -> (Value, After) {
        let code = self.carry_out(key, credit, account, now);
        let after = self.after.pop_front().unwrap_or(After::Answer);
        (
            json!({ "code": code, "windows_reset": if code == "reset" { self.windows.len() } else { 0 } }),
            after,
        )
    }

    fn carry_out(&mut self, key: &str, credit: Option<&str>, account: &str, now: u64) -> &'static str {
        self.let_time_pass(now);
        if self.seen.contains_key(key) {
            return "already_redeemed";
        }
        if self.moving.is_none() && self.windows.iter().all(|(window, _)| window.used <= 0.0) {
            return "nothing_to_reset";
        }
        let wanted = |row: &&mut Value| is_available(row) && credit.is_none_or(|id| row["id"] == *id);
        let Some(row) = self.rows.iter_mut().find(wanted) else { return "no_credit" };
        row["status"] = json!("redeemed");
        let done = json!({ "key": key, "credit": row["id"], "account": account });
        self.seen.insert(key.to_owned(), done.clone());
        self.consumed.push(done);
        self.moving = Some(self.move_after);
        if self.move_after == 0 {
            self.restart(now);
        }
        "reset"
    }

    /// The windows start anew.
    fn restart(&mut self, now: u64) {
        self.moving = None;
        let clock = self.clock;
        for (window, at) in &mut self.windows {
            window.used = 0.0;
            *at = now + real(clock, window.seconds);
        }
    }

    /// Under a clock of their own windows start anew at their end.
    fn let_time_pass(&mut self, now: u64) {
        if self.clock.is_none() {
            return;
        }
        let clock = self.clock;
        for (window, at) in &mut self.windows {
            if *at != 0 && *at <= now {
                window.used = 0.0;
                let length = real(clock, window.seconds);
                *at += length * (1 + (now - *at) / length);
            }
        }
    }

    /// Seconds of the account in real ones.
    fn real(&self, seconds: u64) -> u64 {
        real(self.clock, seconds)
    }

    fn is_used_up(&self) -> bool {
        self.windows.iter().any(|(window, _)| window.used >= 100.0)
    }

    /// The headers of an answer of the model, which tell where the windows stand before it. The answer costs so many
    /// percent of each window.
    pub(crate) fn answer_headers(&mut self, cost: [f64; 2], now: u64) -> Vec<(String, String)> {
        self.let_time_pass(now);
        let headers = self.headers();
        for ((window, _), percent) in self.windows.iter_mut().zip(cost) {
            window.used = (window.used + percent).clamp(0.0, 100.0);
        }
        headers
    }

    /// The refusal of a request when a window is used up: headers and body.
    pub(crate) fn refusal(&mut self, now: u64) -> Option<(Vec<(String, String)>, Value)> {
        self.let_time_pass(now);
        let ends = self.windows.iter().filter(|(window, _)| window.used >= 100.0).map(|(_, at)| *at);
        let at = ends.max()?;
        let error = json!({ "type": "usage_limit_reached", "message": "the scripted usage limit is reached",
            "plan_type": self.plan, "resets_at": at, "resets_in_seconds": at.saturating_sub(now) });
        Some((self.headers(), json!({ "error": error })))
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        let reached = self.reached.clone().filter(|_| self.is_used_up());
        headers.extend(reached.map(|kind| ("x-codex-rate-limit-reached-type".to_owned(), kind)));
        for (slot, (window, at)) in ["primary", "secondary"].into_iter().zip(&self.windows) {
            headers.push((format!("x-codex-{slot}-used-percent"), format!("{:.1}", window.used)));
            headers.push((format!("x-codex-{slot}-window-minutes"), (window.seconds / 60).to_string()));
            headers.push((format!("x-codex-{slot}-reset-at"), at.to_string()));
        }
        headers
    }

    fn count(&self) -> Value {
        self.count.clone().unwrap_or_else(|| json!(self.rows.iter().filter(|row| is_available(row)).count()))
    }

    /// Tells the owner that somebody wants more of this; false when they were told already.
    pub(crate) fn nudge(&mut self, kind: &str) -> bool {
        let first = self.nudges.is_empty();
        if first {
            self.nudges.push(kind.to_owned());
        }
        first
    }

    /// What was redeemed, for tests.
    pub(crate) fn told(&self) -> Value {
        json!({ "consumed": self.consumed, "nudges": self.nudges, "list": self.list(), "waiting_faults": self.after.len() })
    }
}

/// Seconds of a clock in real ones; at least one.
fn real(clock: Option<f64>, seconds: u64) -> u64 {
    (seconds as f64 / clock.unwrap_or(1.0)).ceil().max(1.0) as u64
}

fn is_available(row: &Value) -> bool {
    row.get("status").and_then(Value::as_str) == Some("available")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn account() -> AccountState {
        let file = json!({ "clock": 100.0,
            "windows": [{ "used": 50, "seconds": 18_000, "resets_in": 1000 }, { "used": 5, "seconds": 604_800, "resets_in": 90_000 }],
            "credits": [{ "id": "a", "status": "available", "granted_ago": 60, "expires_in": 3600 }] });
        AccountState::of_scenario(serde_json::from_value(file).unwrap(), NOW)
    }

    fn used(account: &mut AccountState, now: u64) -> Vec<f64> {
        let usage = account.usage(now);
        ["primary_window", "secondary_window"]
            .map(|name| usage["rate_limit"][name]["used_percent"].as_f64().unwrap())
            .to_vec()
    }

    #[test]
    fn answers_cost_until_a_window_is_used_up() {
        let mut account = account();
        let told = account.answer_headers([30.0, 1.0], NOW);
        assert_eq!(told[0].1, "50.0", "headers tell where the windows stood before");
        assert_eq!(used(&mut account, NOW), [80.0, 6.0]);
        assert!(account.refusal(NOW).is_none());
        account.answer_headers([30.0, 1.0], NOW);
        let (headers, body) = account.refusal(NOW + 4).unwrap();
        assert_eq!((headers[0].1.as_str(), &body["error"]["resets_in_seconds"]), ("100.0", &json!(6)));
        assert!(account.refusal(NOW + 10).is_none(), "the window has started anew");
    }

    #[test]
    fn windows_start_anew_by_the_clock() {
        let mut account = account();
        assert_eq!(used(&mut account, NOW + 9), [50.0, 5.0]);
        let later = account.usage(NOW + 10 + 180 + 5);
        assert_eq!(later["rate_limit"]["primary_window"]["used_percent"], 0.0);
        assert_eq!(later["rate_limit"]["primary_window"]["reset_after_seconds"], 175);
        assert_eq!(later["rate_limit"]["primary_window"]["limit_window_seconds"], 18_000);
        assert_eq!(later["rate_limit"]["secondary_window"]["used_percent"], 5.0);
        let mut still = AccountState::default();
        still.change(
            serde_json::from_value(json!({"windows": [{"used": 9, "seconds": 60, "resets_in": 1}]})).unwrap(),
            NOW,
        );
        assert_eq!(still.usage(NOW + 99)["rate_limit"]["primary_window"]["used_percent"], 9.0, "no clock");
    }

    #[test]
    fn credits_tell_moments() {
        let list = account().list();
        assert_eq!(list["credits"][0]["granted_at"], "2027-01-15T07:59:00Z");
        assert_eq!(list["credits"][0]["expires_at"], "2027-01-15T09:00:00Z");
        assert!(list["credits"][0].get("expires_in").is_none());
    }
}
