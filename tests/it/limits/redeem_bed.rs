//! What the tests of redemptions look at: what the service carried out, which keys it got, what is in the journal.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::bed::Bed;
use super::schema;
use crate::support::Codex;
use crate::support::codex::Output;

/// Path of the redemption route.
pub(super) const CONSUME: &str = "/backend-api/wham/rate-limit-reset-credits/consume";

/// Usage at these shares whatever is redeemed.
pub(super) fn stuck() -> Value {
    json!({"move_after": 1_000_000})
}

impl Bed {
    /// `codex usage redeem ARGS`.
    pub(super) fn redeem(&self, args: &[&str]) -> Codex {
        self.usage(&["redeem"]).args(args)
    }

    /// Sets the account anew and forgets all redemptions, here and there.
    #[track_caller]
    pub(super) fn anew(&self, account: &Value) {
        let (status, body) = self.world.backend.call("POST", "/control/account", &account.to_string());
        assert_eq!(status, 200, "{body}");
        let _ = fs::remove_dir_all(self.redeem_dir());
    }

    /// What the service carried out: key, credit and account of each.
    pub(super) fn consumed(&self) -> Vec<Value> {
        let (status, body) = self.world.backend.call("GET", "/control/account", "");
        assert_eq!(status, 200, "{body}");
        let told: Value = serde_json::from_str(&body).unwrap();
        told["consumed"].as_array().unwrap().clone()
    }

    /// All requests since the start: path and body.
    pub(super) fn sent(&self) -> Vec<(String, Value)> {
        let (_, body) = self.world.backend.call("GET", "/control/requests", "");
        let read: Value = serde_json::from_str(&body).unwrap();
        let one = |r: &Value| (r["path"].as_str().unwrap().to_owned(), r["body"].clone());
        read.as_array().unwrap().iter().map(one).collect()
    }

    /// The keys of all redemption requests.
    pub(super) fn keys(&self) -> Vec<String> {
        let consumes = self.sent().into_iter().filter(|(path, _)| path == CONSUME);
        consumes.map(|(_, body)| body["redeem_request_id"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn redeem_dir(&self) -> PathBuf {
        self.world.codex_home().join("redeem")
    }

    /// The only journal.
    #[track_caller]
    pub(super) fn journal(&self) -> PathBuf {
        let all = fs::read_dir(self.redeem_dir()).unwrap().flatten().map(|entry| entry.path());
        let mut journals: Vec<_> = all.filter(|p| p.extension().is_some_and(|e| e == "journal")).collect();
        assert_eq!(journals.len(), 1, "{journals:?}");
        journals.remove(0)
    }

    /// Entries of the journal.
    #[track_caller]
    pub(super) fn entries(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.journal()).unwrap();
        let lines = text.lines().filter_map(|line| line.split_once(" {"));
        lines.map(|(_, json)| serde_json::from_str(&format!("{{{json}")).unwrap()).collect()
    }

    /// Receipts of the journal; fails when an intent is unfinished.
    #[track_caller]
    pub(super) fn receipts(&self) -> Vec<Value> {
        let entries = self.entries();
        assert!(entries.iter().all(|entry| entry.get("intent").is_none()), "unfinished: {entries:#?}");
        entries.into_iter().filter_map(|entry| entry.get("receipt").cloned()).collect()
    }

    /// Journal and service agree: every key that was carried out has a receipt that says so, and the other way round.
    #[track_caller]
    pub(super) fn agree(&self) {
        let spent = |receipt: &&Value| {
            ["reset", "already_redeemed", "seen_by_reading"].contains(&receipt["verdict"].as_str().unwrap())
        };
        let receipts = self.receipts();
        let mut here: Vec<_> = receipts.iter().filter(spent).map(|r| r["key"].clone().to_string()).collect();
        let mut there: Vec<_> = self.consumed().iter().map(|c| c["key"].clone().to_string()).collect();
        here.sort();
        there.sort();
        assert_eq!(here, there, "{receipts:#?}");
    }
}

/// The document of a run with `--json`, checked against its schema.
#[track_caller]
pub(super) fn said(output: &Output) -> Value {
    let read: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let kind = if read.get("result").is_some() { "redeem" } else { "credits" };
    schema::check(kind, &read);
    assert_eq!(read["schema_version"], 1);
    assert_eq!(read["exit_code"].as_i64(), output.code.map(i64::from), "{read}");
    read
}
