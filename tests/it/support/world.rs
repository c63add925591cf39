//! A home, a project and a backend of one test's own. They live below the target folder, not below `/tmp`:
//! `/tmp` is writable inside the sandbox, and tests want to see that their home is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::backend::Backend;
use super::codex::{Codex, binary};

/// Everything one test needs; all of it goes with this value.
pub(crate) struct World {
    pub(crate) backend: Backend,
    dir: tempfile::TempDir,
}

impl World {
    /// A trusted git project without commits, a configuration that names the backend, and this script.
    pub(crate) fn new(script: &str) -> Self {
        let backend = Backend::start();
        if !script.is_empty() {
            backend.script(script);
        }
        let dir = tempfile::Builder::new().prefix("w").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let world = Self { backend, dir };
        fs::create_dir_all(world.project().join(".git/refs")).unwrap();
        fs::create_dir_all(world.project().join(".git/objects")).unwrap();
        fs::write(world.project().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::create_dir_all(world.codex_home()).unwrap();
        world.config("");
        world
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    pub(crate) fn codex_home(&self) -> PathBuf {
        self.home().join(".codex")
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.root().join("project")
    }

    /// Writes the configuration: `more` goes before the tables.
    pub(crate) fn config(&self, more: &str) {
        self.config_with(more, "stream_idle_timeout_ms = 20000");
    }

    /// Writes the configuration: `more` goes before the tables, `provider` into that of the provider.
    pub(crate) fn config_with(&self, more: &str, provider: &str) {
        let text = format!(
            "model = \"gpt-5.5\"\nmodel_provider = \"test\"\n{more}\n\
             [model_providers.test]\nname = \"test\"\nbase_url = \"{}\"\nenv_key = \"TEST_KEY\"\n{provider}\n\
             [projects.\"{}\"]\ntrust_level = \"trusted\"\n",
            self.backend.base_url,
            self.project().display()
        );
        fs::write(self.codex_home().join("config.toml"), text).unwrap();
    }

    /// The binary in this world, with the key of the backend.
    pub(crate) fn codex(&self) -> Codex {
        Codex::new(&self.home(), &self.project()).env("TEST_KEY", &self.backend.token)
    }

    /// `codex exec --json ARGS`.
    pub(crate) fn exec(&self, args: &[&str]) -> Codex {
        self.codex().args(["exec", "--json"]).args(args)
    }

    /// A shell or another program that starts the binary of this world, as `$CODEX`.
    pub(crate) fn around(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("CODEX", binary())
            .env("HOME", self.home())
            .env("CODEX_HOME", self.codex_home())
            .env("TEST_KEY", &self.backend.token)
            .current_dir(self.project())
            .stdin(Stdio::null());
        command
    }

    /// All session files, oldest first.
    pub(crate) fn rollouts(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut todo = vec![self.codex_home().join("sessions")];
        while let Some(dir) = todo.pop() {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    todo.push(path);
                } else if path.extension().is_some_and(|e| e == "jsonl") {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }

    /// The lines of the only session file.
    #[track_caller]
    pub(crate) fn rollout(&self) -> Vec<Value> {
        let files = self.rollouts();
        assert_eq!(files.len(), 1, "{files:?}");
        fs::read_to_string(&files[0])
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }
}

impl Drop for World {
    /// The backend checks every request against the protocol; no test may end with a breach.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let state = self.backend.state();
            assert_eq!(state["breaches"], 0, "{}", state["breach_texts"]);
        }
    }
}
