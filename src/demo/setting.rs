//! A temporary project and home for one scenario. Everything lies below one folder that is removed at the end;
//! nothing outside of it is read or written.
//!
//! The folder is made under `/var/tmp`, because commands in the sandbox may write `/tmp`: only so is the folder
//! `outside` beside the project really outside.
//!
//! Where the scenario has an account, the home is signed in to it; else the provider takes a token from the
//! environment.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use super::error::Error;
use super::script::Script;
use super::server::Server;
use crate::base::fs;
use crate::base::secret::Secret;

/// Variable through which the client gets the token.
const KEY: &str = "CODEX_DEMO_TOKEN";

/// Variable with the address of the sign-in service.
const ISSUER: &str = "CODEX_APP_SERVER_LOGIN_ISSUER";

/// What the command line knows and the demo may not look up by itself.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// The client: this very program.
    pub(crate) program: PathBuf,
    /// Where temporary folders go when `/var/tmp` cannot be written.
    pub(crate) temp: PathBuf,
    /// Variables that are passed on: search path, language, terminal.
    pub(crate) env: Vec<(OsString, OsString)>,
}

/// The folders of one scenario.
#[derive(Debug)]
pub(crate) struct Setting {
    root: TempDir,
    /// The git project, the client's working directory.
    pub(crate) project: PathBuf,
    /// `CODEX_HOME`.
    pub(crate) home: PathBuf,
    token: Secret,
    /// Address of the sign-in service, when the home is signed in.
    issuer: Option<String>,
    env: Vec<(OsString, OsString)>,
}

impl Setting {
    /// Makes the project of `script` and a home whose provider is `server`.
    ///
    /// # Errors
    /// Something cannot be written.
    pub(crate) async fn make(machine: &Machine, script: &Script, server: &Server) -> Result<Self, Error> {
        let root = make_root(&machine.temp)?;
        // Links are resolved, so that every program names the folder in the same way.
        let base = root.path().canonicalize().map_err(wrong(root.path()))?;
        let (project, user) = (base.join("project"), base.join("home"));
        let home = user.join(".codex");
        for dir in [&project, &home, &base.join("outside"), &base.join("tmp")] {
            std::fs::create_dir_all(dir).map_err(wrong(dir))?;
        }
        for file in &script.files {
            let path = project.join(&file.path);
            let dir = path.parent().unwrap_or(&project);
            std::fs::create_dir_all(dir).map_err(wrong(dir))?;
            std::fs::write(&path, &file.text).map_err(wrong(&path))?;
        }
        let mut env = machine.env.clone();
        env.push(("HOME".into(), user.clone().into()));
        env.push(("TMPDIR".into(), base.join("tmp").into()));
        // The scripted commands are for a POSIX shell; the user's own may be another kind.
        env.push(("SHELL".into(), "/bin/sh".into()));
        let document = {
            let mut state = server.backend().state();
            state.account.is_alive().then(|| state.oauth.document())
        };
        let issuer = document.as_ref().map(|_| server.origin());
        let setting = Self { root, project, home, token: server.token().clone(), issuer, env };
        setting.make_git().await?;
        if let Some(document) = document {
            let file = setting.home.join("auth.json");
            fs::replace(&file, document.to_string().as_bytes(), 0o600).map_err(wrong(&file))?;
        }
        let config = setting.home.join("config.toml");
        std::fs::write(&config, setting.config(&server.base_url())).map_err(wrong(&config))?;
        Ok(setting)
    }

    /// Variables of the client; nothing else of the user's environment reaches it.
    pub(crate) fn client_env(&self) -> Vec<(OsString, OsString)> {
        let mut env = self.env.clone();
        env.push(("CODEX_HOME".into(), self.home.clone().into()));
        env.push((KEY.into(), self.token.expose().into()));
        env.extend(self.issuer.iter().map(|issuer| (OsString::from(ISSUER), issuer.into())));
        env
    }

    /// A shell command in the project, outside every sandbox.
    pub(crate) fn shell(&self, command: &str) -> Command {
        let mut shell = self.command("sh");
        shell.arg("-c").arg(command);
        shell
    }

    /// Removes everything. Commands that are just being killed may still hold or make files, so this is tried
    /// for two seconds.
    ///
    /// # Errors
    /// Something could not be removed.
    pub(crate) async fn remove(self) -> Result<(), Error> {
        let path = self.root.keep();
        for _ in 0..40 {
            make_writable(&path, 0);
            match std::fs::remove_dir_all(&path) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        std::fs::remove_dir_all(&path).map_err(wrong(&path))
    }

    /// Leaves everything where it is, and tells where.
    pub(crate) fn keep(self) -> PathBuf {
        self.root.keep()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.project).env_clear().envs(self.env.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    fn config(&self, base_url: &str) -> String {
        let project = toml::Value::from(self.project.display().to_string());
        let (account, credentials) = match &self.issuer {
            Some(issuer) => (
                format!("chatgpt_base_url = \"{issuer}/backend-api\"\n"),
                "requires_openai_auth = true".to_owned(),
            ),
            None => (String::new(), format!("env_key = {}", toml::Value::from(KEY))),
        };
        format!(
            "# Made by `codex demo`; the model behind this provider is a script.\n\
             model = \"gpt-5.5\"\n\
             model_provider = \"demo\"\n\
             sandbox_mode = \"workspace-write\"\n\
             {account}\n\
             [sandbox_workspace_write]\n\
             exclude_slash_tmp = true\n\n\
             [model_providers.demo]\n\
             name = \"Scripted model (demo)\"\n\
             base_url = \"{base_url}\"\n\
             {credentials}\n\
             wire_api = \"responses\"\n\
             request_max_retries = 1\n\
             stream_max_retries = 1\n\n\
             [projects.{project}]\n\
             trust_level = \"trusted\"\n"
        )
    }

    /// A repository with one commit; without the git program, an empty one made by hand.
    async fn make_git(&self) -> Result<(), Error> {
        let steps: [&[&str]; 3] = [
            &["init", "-q", "--template=", "-b", "main"],
            &["add", "-A"],
            &[
                "-c",
                "user.name=Demo",
                "-c",
                "user.email=demo@localhost",
                "-c",
                "commit.gpgsign=false",
                "commit",
                "-q",
                "-m",
                "The project as it is",
            ],
        ];
        let mut fine = true;
        for args in steps {
            let mut git = self.command("git");
            git.args(args).env("GIT_CONFIG_NOSYSTEM", "1");
            fine = fine && git.output().await.is_ok_and(|output| output.status.success());
        }
        let git = self.project.join(".git");
        if !fine {
            for dir in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
                std::fs::create_dir_all(git.join(dir)).map_err(wrong(&git))?;
            }
            std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").map_err(wrong(&git))?;
            std::fs::write(git.join("config"), "[core]\n\trepositoryformatversion = 0\n")
                .map_err(wrong(&git))?;
        }
        let hooks = git.join("hooks");
        std::fs::create_dir_all(&hooks).map_err(wrong(&hooks))?;
        std::fs::write(hooks.join("pre-push"), "#!/bin/sh\nexit 0\n").map_err(wrong(&hooks))
    }
}

fn make_root(temp: &Path) -> Result<TempDir, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("codex-demo-");
    builder.tempdir_in("/var/tmp").or_else(|_| builder.tempdir_in(temp)).map_err(wrong(temp))
}

fn wrong(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Setup { path, source }
}

/// Gives folders back the rights that removing their content needs. Links are not followed.
fn make_writable(dir: &Path, depth: usize) {
    let _ = std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700));
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if depth < 64 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path(), depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::server::Options;
    use super::*;

    fn machine(path: &str) -> Machine {
        Machine {
            program: PathBuf::from("/bin/false"),
            temp: std::env::temp_dir(),
            env: vec![("PATH".into(), path.into())],
        }
    }

    #[tokio::test]
    async fn a_setting_is_complete_private_and_removed() {
        let script = Script::read("t", "[[file]]\npath = 'a/b.txt'\ntext = 'x'\n").unwrap();
        let server =
            Server::start(script.clone(), Options { port: 0, auth: true, scale: 0.0 }).await.unwrap();
        // With git and without it.
        for path in ["/usr/local/bin:/usr/bin:/bin", "/nowhere"] {
            let setting = Setting::make(&machine(path), &script, &server).await.unwrap();
            let root = setting.root.path().to_owned();
            assert_eq!(std::fs::read_to_string(setting.project.join("a/b.txt")).unwrap(), "x");
            assert!(
                setting.project.join(".git/HEAD").is_file() && setting.project.join(".git/hooks").is_dir()
            );
            assert!(root.join("outside").is_dir());
            let config = std::fs::read_to_string(setting.home.join("config.toml")).unwrap();
            let config: toml::Table = config.parse().unwrap();
            assert_eq!(
                config["model_providers"]["demo"]["base_url"].as_str(),
                Some(server.base_url().as_str())
            );
            assert!(!config.to_string().contains(server.token().expose()), "the token is in a file");
            let env = setting.client_env();
            assert_eq!(env.iter().filter(|(name, _)| name == KEY).count(), 1);
            std::fs::set_permissions(setting.project.join("a"), std::fs::Permissions::from_mode(0o0))
                .unwrap();
            setting.remove().await.unwrap();
            assert!(!root.exists());
        }
    }
}
