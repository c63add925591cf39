//! The configuration as everybody else sees it: all layers weighed, defaults filled in, paths absolute. Plain
//! data; whoever needs one value takes that value, and nobody asks where it came from except `/status`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::protocol::policy::{
    ApprovalPolicy, DenyRead, NetworkRules, Profiled, SandboxPolicy, ShellEnvPolicy,
};

use super::provider::Provider;
use super::rules::RuleSources;
use super::schema::budget::BudgetTable;
use super::schema::features::Features;
use super::schema::interface::Interface;
use super::schema::login::Login;
use super::schema::model::{Model, WebSearch};
use super::schema::project::ProjectDocs;
use super::tree::Layer;
use super::trust::Trust;

/// Everything that was configured.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Folder of the user's files; may not exist yet.
    pub(crate) codex_home: PathBuf,
    /// Absolute, real working directory; exists.
    pub(crate) cwd: PathBuf,
    /// Nearest ancestor of `cwd` that holds a root marker.
    pub(crate) project_root: Option<PathBuf>,
    /// Whether the user trusts the project.
    pub(crate) trust: Trust,
    /// The chosen profile.
    pub(crate) profile: Option<String>,
    /// Model, reasoning, limits, instructions.
    pub(crate) model: Model,
    /// Where requests go.
    pub(crate) provider: Provider,
    /// When to ask.
    pub(crate) approval: ApprovalPolicy,
    /// What commands may touch.
    pub(crate) sandbox: SandboxPolicy,
    /// The permission profile of the user's own that it came from.
    pub(crate) profiled: Option<Profiled>,
    /// What commands cannot read, whichever sandbox.
    pub(crate) deny_read: DenyRead,
    /// The user's home folder, which is never opened to commands as a whole.
    pub(crate) home: Option<PathBuf>,
    /// What commands reach while the network is off.
    pub(crate) network_rules: NetworkRules,
    /// Whether plain commands of git may write the repository.
    pub(crate) git_writes: bool,
    /// Whether commands may ask for a login shell.
    pub(crate) allow_login_shell: bool,
    /// Environment of commands.
    pub(crate) shell_env: ShellEnvPolicy,
    /// Names of variables that hold keys of model providers; commands never get them.
    pub(crate) secret_env: Vec<String>,
    /// Web search, with the default for this sandbox filled in.
    pub(crate) web_search: WebSearch,
    /// AGENTS.md.
    pub(crate) docs: ProjectDocs,
    /// What is shown, kept and notified.
    pub(crate) interface: Interface,
    /// Rules about commands.
    pub(crate) rules: RuleSources,
    /// Credentials.
    #[allow(dead_code, reason = "checked now, enforced with signing in")]
    pub(crate) login: Login,
    /// How much of the limits may be used.
    pub(crate) budget: BudgetTable,
    /// Switches.
    pub(crate) features: Features,
    /// Sentences for the user, once per start.
    pub(crate) warnings: Vec<String>,
    /// Who set each key that anybody set: dotted path to layer.
    pub(crate) origins: BTreeMap<String, Layer>,
}
