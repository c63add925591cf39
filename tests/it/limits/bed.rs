//! A home that is signed in with ChatGPT, and the account API of the scripted backend.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::schema;
use crate::support::codex::Output;
use crate::support::{Codex, World};

/// Path of the usage route.
pub(super) const USAGE: &str = "/backend-api/wham/usage";
/// Path of the list of reset credits.
pub(super) const LIST: &str = "/backend-api/wham/rate-limit-reset-credits";

/// A world with an account.
pub(super) struct Bed {
    pub(super) world: World,
}

impl Bed {
    pub(super) fn new(script: &str) -> Self {
        let bed = Self { world: World::new(script) };
        bed.sign_in("acct-demo");
        bed.configure("");
        bed
    }

    /// Writes the configuration; `tables` go to its end.
    pub(super) fn configure(&self, tables: &str) {
        let backend = &self.world.backend;
        let config = format!(
            "model = \"gpt-5.5\"\nopenai_base_url = \"{}\"\nchatgpt_base_url = \"http://127.0.0.1:{}/backend-api\"\n\
             [projects.\"{}\"]\ntrust_level = \"trusted\"\n{tables}",
            backend.base_url,
            backend.port,
            self.world.project().display()
        );
        fs::write(self.world.codex_home().join("config.toml"), config).unwrap();
    }

    /// Signs in as this account.
    pub(super) fn sign_in(&self, account: &str) {
        let tokens = json!({"id_token": "e30.e30.e30", "access_token": self.world.backend.token,
            "refresh_token": "refresh-canary", "account_id": account});
        let auth = json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": null, "tokens": tokens});
        fs::write(self.world.codex_home().join("auth.json"), auth.to_string()).unwrap();
    }

    /// Changes the account.
    #[track_caller]
    pub(super) fn account(&self, change: &Value) {
        let (status, body) = self.world.backend.call("PATCH", "/control/account", &change.to_string());
        assert_eq!(status, 200, "{body}");
    }

    /// Lets the next requests of `route` fail.
    #[track_caller]
    pub(super) fn fault(&self, route: &str, fault: &str) {
        let text = format!("[[fault]]\nroute = '{route}'\n{fault}\n");
        let (status, body) = self.world.backend.call("POST", "/control/faults", &text);
        assert_eq!(status, 200, "{body}");
    }

    /// How often a route was asked.
    pub(super) fn asked(&self, route: &str) -> u64 {
        self.world.backend.state()["routes"][route].as_u64().unwrap_or(0)
    }

    /// `codex usage ARGS`.
    pub(super) fn usage(&self, args: &[&str]) -> Codex {
        self.world.codex().arg("usage").args(args)
    }

    /// `codex usage --json ARGS`: the document, checked against its schema, and its exit code.
    #[track_caller]
    pub(super) fn json(&self, args: &[&str]) -> Value {
        document(&self.usage(args).arg("--json").run())
    }

    /// The shared files.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let dir = self.world.codex_home().join("limits");
        fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    }
}

/// The document of `codex usage`, checked against its schema and against the exit code.
#[track_caller]
pub(super) fn document(output: &Output) -> Value {
    checked("usage", output)
}

/// The document of a run, checked against the schema called `kind` and against the exit code.
#[track_caller]
pub(super) fn checked(kind: &str, output: &Output) -> Value {
    let read: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}\n{}", output.stdout, output.stderr));
    schema::check(kind, &read);
    assert_eq!(read["exit_code"].as_i64(), output.code.map(i64::from), "{read}");
    read
}

/// Percent used of the windows, in order.
pub(super) fn used(document: &Value) -> Vec<f64> {
    document["windows"].as_array().unwrap().iter().map(|w| w["used_percent"].as_f64().unwrap()).collect()
}
