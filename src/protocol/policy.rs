//! What may run, where it may write, and which environment it gets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How the line begins that says what the sandbox refused a command, below its output.
pub(crate) const STOPPED: &str = "The sandbox probably stopped this:";

/// When to ask the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ApprovalPolicy {
    /// Ask before everything that is not known to be harmless.
    Untrusted,
    /// Run in the sandbox; ask to repeat outside it when that fails.
    OnFailure,
    /// Run in the sandbox; the model asks when it needs more.
    #[default]
    OnRequest,
    /// Never ask; what is not allowed is refused.
    Never,
    /// Ask by category.
    Granular(GranularApproval),
}

/// Which categories may ask; the others are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GranularApproval {
    /// Escalation out of the sandbox.
    pub(crate) sandbox_approval: bool,
    /// Rules that say "prompt", and dangerous commands.
    pub(crate) rules: bool,
    /// Forms of MCP servers.
    pub(crate) mcp_elicitations: bool,
    /// Requests for more permissions.
    #[serde(default)]
    pub(crate) request_permissions: bool,
    /// Skills that want to run.
    #[serde(default)]
    pub(crate) skill_approval: bool,
}

/// The three words of `--sandbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SandboxMode {
    /// Read everything, write nothing, no network.
    ReadOnly,
    /// Also write the workspace and temporary folders.
    WorkspaceWrite,
    /// No sandbox.
    DangerFullAccess,
}

/// Children of every writable root that stay read-only: they hold programs and settings that run later, outside.
pub(crate) const PROTECTED: [&str; 3] = [".git", ".codex", ".agents"];

/// The second at which the empty folders were modified that stand in for missing protected children while a command runs:
/// one that nobody's folder was modified at, 1970-01-02 and some digits that mean nothing.
pub(crate) const STAND_IN_AT: i64 = 86_400 + 31_415;

/// What commands may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SandboxPolicy {
    /// No sandbox.
    DangerFullAccess,
    /// Read everything, write nothing.
    ReadOnly {
        /// Network open.
        network_access: bool,
    },
    /// Write below the working directory and the roots.
    WorkspaceWrite {
        /// Absolute folders besides the working directory.
        writable_roots: Vec<PathBuf>,
        /// Network open.
        network_access: bool,
        /// `$TMPDIR` is not writable.
        exclude_tmpdir_env_var: bool,
        /// `/tmp` is not writable.
        exclude_slash_tmp: bool,
    },
}

/// Files whose content commands do not get, although they may read everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DenyRead {
    /// Absolute; `*` in the last part stands for any text. A folder hides all that is in it.
    pub(crate) paths: Vec<PathBuf>,
    /// What stays readable although it is on the list or in a folder on it. Absolute.
    pub(crate) allow: Vec<PathBuf>,
    /// Also the `.env` files of the workspace.
    pub(crate) env_files: bool,
}

/// What commands may reach while the network is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkRules {
    /// Ports of this machine's loopback.
    pub(crate) ports: Vec<u16>,
    /// Ports of servers that commands start, which this machine's loopback leads to.
    pub(crate) serve: Vec<u16>,
    /// `host`, `*.host`, each perhaps with `:port`; reached through a proxy.
    pub(crate) hosts: Vec<String>,
    /// Hosts are reached directly, also where the environment names a proxy.
    pub(crate) direct: bool,
}

/// A permission profile of the user's own, as far as the policy it came to has no words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profiled {
    /// Its name.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// The policy it came to: under another one it is not in force.
    pub(crate) policy: SandboxPolicy,
    /// Absolute; read-only although below something writable.
    pub(crate) read_only: Vec<PathBuf>,
    /// The working directory is writable.
    pub(crate) workdir: bool,
}

impl DenyRead {
    /// Our own credentials, what is kept for undo (it may hold any of these), private keys of the user, and `.env`
    /// files.
    pub(crate) fn usual(home: Option<&Path>, codex_home: Option<&Path>) -> Self {
        let mut paths = Vec::new();
        let ours = ["auth.json", ".credentials.json", "*.key", "*.pem", "undo"];
        paths.extend(codex_home.into_iter().flat_map(|folder| ours.map(|name| folder.join(name))));
        let keys = [".ssh/*", ".aws", ".gnupg"];
        paths.extend(home.into_iter().flat_map(|folder| keys.map(|name| folder.join(name))));
        Self { paths, allow: Vec::new(), env_files: true }
    }
}

impl SandboxPolicy {
    /// The word of `--sandbox` for this policy.
    pub(crate) fn mode(&self) -> SandboxMode {
        match self {
            Self::DangerFullAccess => SandboxMode::DangerFullAccess,
            Self::ReadOnly { .. } => SandboxMode::ReadOnly,
            Self::WorkspaceWrite { .. } => SandboxMode::WorkspaceWrite,
        }
    }

    /// The working directory and nothing else is writable, no network.
    #[cfg(test)]
    pub(crate) fn workspace() -> Self {
        Self::WorkspaceWrite {
            writable_roots: Vec::new(),
            network_access: false,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: true,
        }
    }

    /// Folders that are writable besides the working directory, as configured.
    pub(crate) fn writable_roots(&self) -> &[PathBuf] {
        match self {
            Self::WorkspaceWrite { writable_roots, .. } => writable_roots,
            Self::DangerFullAccess | Self::ReadOnly { .. } => &[],
        }
    }

    /// Whether commands may use the network.
    pub(crate) fn network_access(&self) -> bool {
        match self {
            Self::DangerFullAccess => true,
            Self::ReadOnly { network_access } | Self::WorkspaceWrite { network_access, .. } => {
                *network_access
            }
        }
    }
}

impl SandboxMode {
    /// The word as it is typed and stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::WorkspaceWrite => "workspace-write",
            Self::DangerFullAccess => "danger-full-access",
        }
    }
}

/// Which variables commands inherit (`[shell_environment_policy]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShellEnvPolicy {
    /// What to start from.
    pub(crate) inherit: EnvInherit,
    /// Keep variables that look like keys, secrets or tokens.
    pub(crate) ignore_default_excludes: bool,
    /// Case-insensitive globs to drop.
    pub(crate) exclude: Vec<String>,
    /// Variables to add.
    pub(crate) set: BTreeMap<String, String>,
    /// When not empty, only these globs stay.
    pub(crate) include_only: Vec<String>,
}

/// Start of a command's environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EnvInherit {
    /// Everything of ours.
    #[default]
    All,
    /// Home, path, shell, user and temporary folder only.
    Core,
    /// Nothing.
    None,
}

impl Default for ShellEnvPolicy {
    /// The reference keeps secret-looking names by default; so do we, because builds need them, but the keys
    /// of the model provider are always dropped (see `process::env`).
    fn default() -> Self {
        Self {
            inherit: EnvInherit::All,
            ignore_default_excludes: true,
            exclude: Vec::new(),
            set: BTreeMap::new(),
            include_only: Vec::new(),
        }
    }
}
