//! The scripted account: windows, reset credits, what was redeemed under which key, and what goes wrong with it. Rows
//! are kept as JSON, so that a test can hand out any nonsense; only `id` and `status` mean something here.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::{Value, json};

use super::activity;

/// How the answer to a redemption is lost after it was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum After {
    /// The connection is dropped.
    Drop,
    /// No answer ever comes.
    Hang,
    /// This status with an HTML page.
    Status(u16),
    /// A result that nobody knows.
    Unknown,
    /// The answer comes after so many milliseconds.
    Slow(u64),
    /// The answer comes as it should.
    Answer,
}

/// One window.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    /// Share used.
    pub(crate) used: f64,
    /// Length in seconds.
    pub(crate) seconds: u64,
    /// Seconds until it starts anew, from the moment it is set.
    pub(crate) resets_in: u64,
}

/// What a test sets; what it leaves out stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountFile {
    plan: Option<String>,
    account_id: Option<String>,
    /// The short and the long window; an empty list takes both away.
    windows: Option<Vec<Window>>,
    /// Rows of the list, as they are told.
    credits: Option<Vec<Value>>,
    /// No more rows than this are told.
    cap: Option<usize>,
    /// Whether rows are told at all.
    listed: Option<bool>,
    /// Told in place of the true number.
    count: Option<Value>,
    /// How many readings still see the old windows after a reset.
    move_after: Option<u64>,
    /// What happens to the answers of redemptions, one after the other.
    after: Option<Vec<After>>,
    /// The service forgets the keys it has seen.
    forget: Option<bool>,
    /// Told in place of every usage answer.
    usage: Option<Value>,
    /// Told in place of every answer about token activity.
    activity: Option<Value>,
}

/// The account.
#[derive(Debug)]
pub(crate) struct AccountState {
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
            usage: None,
            activity: None,
        }
    }
}

impl AccountState {
    /// Changes what the test says. `now`: unix seconds.
    pub(crate) fn change(&mut self, file: AccountFile, now: u64) {
        macro_rules! set {
            ($($field:ident),*) => { $(if let Some(value) = file.$field { self.$field = value; })* };
        }
        set!(plan, account_id, listed, move_after);
        if let Some(windows) = file.windows {
            self.windows = windows.into_iter().map(|window| (window, now + window.resets_in)).collect();
            self.moving = None;
        }
        if let Some(rows) = file.credits {
            self.rows = rows;
        }
        self.cap = file.cap.or(self.cap);
        self.count = file.count.or(self.count.take());
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
            "rate_limit": { "allowed": true, "limit_reached": false, "primary_window": window(0), "secondary_window": window(1) },
            "credits": null, "additional_rate_limits": [], "rate_limit_reached_type": null,
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
        for (window, at) in &mut self.windows {
            window.used = 0.0;
            *at = now + window.seconds;
        }
    }

    fn count(&self) -> Value {
        self.count.clone().unwrap_or_else(|| json!(self.rows.iter().filter(|row| is_available(row)).count()))
    }

    /// What was redeemed, for tests.
    pub(crate) fn told(&self) -> Value {
        json!({ "consumed": self.consumed, "list": self.list(), "waiting_faults": self.after.len() })
    }
}

fn is_available(row: &Value) -> bool {
    row.get("status").and_then(Value::as_str) == Some("available")
}
