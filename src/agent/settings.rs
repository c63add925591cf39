//! What the turns of a thread are frozen with: configuration and model, resolved once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::instructions;
use crate::config::Config;
use crate::config::schema::choice::Choice;
use crate::config::schema::model::{ServiceTier, Summary};
use crate::models::catalogue::{self, Model};
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy, ShellEnvPolicy};
use crate::sandbox::{self, Roots};

/// Output budget of a command when neither model nor configuration names one, in tokens.
const OUTPUT_TOKENS: u64 = 10_000;
/// Share of the window at which a conversation is compacted, in percent.
const COMPACT_PCT: u64 = 90;

/// Settings of a thread's turns.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Slug of the model.
    pub(crate) model: String,
    /// Base instructions.
    pub(crate) instructions: Arc<str>,
    /// More instructions of the user, as a developer message.
    pub(crate) developer_instructions: Option<String>,
    /// Request for the hand-over note of a compaction.
    pub(crate) compact_prompt: Arc<str>,
    /// Whether the model takes a `reasoning` field.
    pub(crate) reasons: bool,
    /// Reasoning effort.
    pub(crate) effort: Option<String>,
    /// Kind of reasoning summary; `None` for none.
    pub(crate) summary: Option<String>,
    /// Verbosity, for models that know it.
    pub(crate) verbosity: Option<String>,
    /// `priority` or `flex`.
    pub(crate) service_tier: Option<String>,
    /// Whether the model may make several calls at once.
    pub(crate) parallel_calls: bool,
    /// Usable context window in tokens.
    pub(crate) context_window: u64,
    /// Context fill at which the conversation is compacted, in tokens.
    pub(crate) compact_limit: u64,
    /// Output budget of a command in tokens, when the model names none.
    pub(crate) output_tokens: u64,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// Name of the user's shell, for the environment message.
    pub(crate) shell: String,
    /// When to ask.
    pub(crate) approval: ApprovalPolicy,
    /// What commands may touch.
    pub(crate) sandbox: Arc<SandboxPolicy>,
    /// Writable and protected paths that follow from it.
    pub(crate) roots: Arc<Roots>,
    /// Whether commands may read the user's login profile first.
    pub(crate) login_shell: bool,
    /// Which variables commands inherit.
    pub(crate) shell_env: Arc<ShellEnvPolicy>,
    /// Instruction files, as one message; empty when there are none.
    pub(crate) agents_md: String,
}

impl Settings {
    /// Resolves what the turns of a thread need. `tmpdir` and `shell` come from our environment, `agents_md` was
    /// read by the caller.
    pub(crate) fn resolve(config: &Config, tmpdir: Option<&Path>, shell: &str, agents_md: String) -> Self {
        let wanted = &config.model;
        let model = catalogue::find(wanted.name.as_deref().unwrap_or(catalogue::DEFAULT_SLUG));
        let window = wanted.context_window.unwrap_or(model.context_window);
        let usable = catalogue::usable(window);
        let limit = wanted.auto_compact_limit.unwrap_or(window.saturating_mul(COMPACT_PCT) / 100);
        Self {
            instructions: base_instructions(config),
            developer_instructions: wanted.developer_instructions.clone(),
            compact_prompt: wanted.compact_prompt.as_deref().unwrap_or(instructions::COMPACT).into(),
            reasons: reasons(config, &model),
            effort: wanted
                .effort
                .map(|effort| effort.word().to_owned())
                .or_else(|| model.default_effort.as_ref().map(ToString::to_string)),
            summary: match wanted.summary {
                Some(Summary::None) => None,
                Some(summary) => Some(summary.word().to_owned()),
                None => model.default_summary().map(str::to_owned),
            },
            verbosity: model
                .verbosity
                .as_ref()
                .map(|own| wanted.verbosity.map_or_else(|| own.to_string(), |v| v.word().to_owned())),
            service_tier: wanted
                .service_tier
                .filter(|tier| *tier != ServiceTier::Default)
                .map(|tier| tier.word().to_owned()),
            parallel_calls: model.parallel_tool_calls,
            context_window: usable,
            compact_limit: limit.min(usable),
            output_tokens: wanted.tool_output_limit.unwrap_or(OUTPUT_TOKENS),
            cwd: config.cwd.clone(),
            shell: shell.to_owned(),
            approval: config.approval,
            sandbox: Arc::new(config.sandbox.clone()),
            roots: Arc::new(roots(config, &config.sandbox, tmpdir)),
            login_shell: config.allow_login_shell,
            shell_env: Arc::new(config.shell_env.clone()),
            agents_md,
            model: model.slug.into_owned(),
        }
    }
}

/// What commands may touch under `policy`: the one road from a configuration to what is enforced, for threads,
/// `codex sandbox` and `codex execpolicy` alike.
pub(crate) fn roots(config: &Config, policy: &SandboxPolicy, tmpdir: Option<&Path>) -> Roots {
    let mut roots = sandbox::resolve(policy, &config.cwd, tmpdir);
    // Our home holds keys and the records of threads.
    roots.protect(&config.codex_home);
    roots.never_open(config.home.as_deref());
    roots.deny_read(config.deny_read.clone());
    roots.allow_network(config.network_rules.clone());
    if let Some(profile) = &config.profiled {
        roots.restrict(profile, &config.sandbox);
    }
    if config.git_writes {
        roots.grant_git(&config.cwd);
    }
    roots
}

fn base_instructions(config: &Config) -> Arc<str> {
    let base = config.model.base_instructions.as_deref().unwrap_or(instructions::BASE);
    match &config.model.instructions {
        Some(more) => format!("{}\n\n{more}", base.trim_end()).into(),
        None => base.into(),
    }
}

/// Whether requests carry a `reasoning` field: for models we know, and for others when anything about it is set.
fn reasons(config: &Config, model: &Model) -> bool {
    let wanted = &config.model;
    wanted.supports_summaries.unwrap_or(true)
        && (model.default_effort.is_some()
            || model.default_summary().is_some()
            || wanted.effort.is_some()
            || wanted.summary.is_some())
}
