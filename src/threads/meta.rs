//! What a thread is (first line of its file) and the settings of a turn. The words on disk are those of the
//! rollout format: modes in kebab case, fields in snake case. Reading takes what it understands and leaves the
//! rest unset, because other programs write these lines too.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::shapes::Lossy;
use crate::base::ids::{ThreadId, TurnId};
use crate::protocol::policy::{ApprovalPolicy, SandboxMode, SandboxPolicy};
use crate::protocol::thread::ThreadSource;

/// What is known of a thread before its first turn.
#[derive(Clone, Debug)]
pub(crate) struct NewThread {
    /// Identity.
    pub(crate) id: ThreadId,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// The front end that starts it.
    pub(crate) source: ThreadSource,
    /// Version of this program.
    pub(crate) cli_version: String,
    /// Provider id of the configuration.
    pub(crate) model_provider: String,
    /// The instructions the model gets with every request.
    pub(crate) base_instructions: Option<String>,
    /// The thread this one began as.
    pub(crate) forked_from: Option<ThreadId>,
    /// State of the repository, when there is one.
    pub(crate) git: Option<Git>,
}

/// State of the repository at the start. All absent in one without commits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Git {
    /// Commit id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit_hash: Option<String>,
    /// Branch name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
    /// Where `origin` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repository_url: Option<String>,
}

#[derive(Serialize)]
struct Instructions<'a> {
    text: &'a str,
}

/// `session_meta` as written.
#[derive(Serialize)]
pub(crate) struct MetaOut<'a> {
    id: ThreadId,
    session_id: ThreadId,
    #[serde(skip_serializing_if = "Option::is_none")]
    forked_from_id: Option<ThreadId>,
    timestamp: &'a str,
    cwd: Lossy<'a>,
    originator: &'static str,
    cli_version: &'a str,
    source: &'a ThreadSource,
    thread_source: &'static str,
    model_provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_instructions: Option<Instructions<'a>>,
    history_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<&'a Git>,
}

impl<'a> MetaOut<'a> {
    /// The payload for a thread.
    pub(crate) fn new(thread: &'a NewThread, timestamp: &'a str) -> Self {
        Self {
            id: thread.id,
            session_id: thread.id,
            forked_from_id: thread.forked_from,
            timestamp,
            cwd: Lossy(&thread.cwd),
            originator: thread.source.originator(),
            cli_version: &thread.cli_version,
            source: &thread.source,
            thread_source: "user",
            model_provider: &thread.model_provider,
            base_instructions: thread.base_instructions.as_deref().map(|text| Instructions { text }),
            history_mode: "legacy",
            git: thread.git.as_ref(),
        }
    }
}

/// What a stored thread is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Identity.
    pub(crate) id: ThreadId,
    /// When it was started, as written.
    pub(crate) timestamp: Option<String>,
    /// Working directory at the start.
    pub(crate) cwd: Option<PathBuf>,
    /// The front end that started it; absent when it is none of ours.
    pub(crate) source: Option<ThreadSource>,
    /// Made by another thread, not by a person.
    pub(crate) subagent: bool,
    /// Version of the program that started it.
    pub(crate) cli_version: Option<String>,
    /// Provider id.
    pub(crate) model_provider: Option<String>,
    /// The thread this one began as.
    pub(crate) forked_from: Option<ThreadId>,
    /// Repository state at the start.
    pub(crate) git: Option<Git>,
    /// Where the earlier lines of this thread are, when not in this file.
    pub(crate) base: Option<Base>,
}

/// Earlier lines in another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Base {
    /// Whose file.
    pub(crate) thread_id: ThreadId,
    /// Lines from this ordinal on do not belong to us.
    pub(crate) end_ordinal_exclusive: u64,
    /// Where that is in the file.
    #[serde(default)]
    pub(crate) end_byte_offset: Option<u64>,
}

/// Fields are raw so that one of a strange shape does not hide the others.
#[derive(Deserialize)]
struct MetaIn<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default, borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(default, borrow)]
    cwd: Option<&'a RawValue>,
    #[serde(default, borrow)]
    source: Option<&'a RawValue>,
    #[serde(default, borrow)]
    cli_version: Option<&'a RawValue>,
    #[serde(default, borrow)]
    model_provider: Option<&'a RawValue>,
    #[serde(default, borrow)]
    forked_from_id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    git: Option<&'a RawValue>,
    #[serde(default, borrow)]
    history_base: Option<&'a RawValue>,
}

fn field<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

impl Meta {
    /// Reads a `session_meta` payload.
    pub(crate) fn parse(raw: &RawValue) -> Option<Self> {
        let read: MetaIn<'_> = serde_json::from_str(raw.get()).ok()?;
        Some(Self {
            id: read.id.parse().ok()?,
            timestamp: field(read.timestamp),
            cwd: field(read.cwd),
            source: field(read.source),
            subagent: read.source.is_some_and(|raw| raw.get().contains("\"subagent\"")),
            cli_version: field(read.cli_version),
            model_provider: field(read.model_provider),
            forked_from: field(read.forked_from_id),
            git: field(read.git),
            base: field(read.history_base),
        })
    }

    /// All that is known when the first line cannot be read.
    pub(crate) fn unknown(id: ThreadId) -> Self {
        Self {
            id,
            timestamp: None,
            cwd: None,
            source: None,
            subagent: false,
            cli_version: None,
            model_provider: None,
            forked_from: None,
            git: None,
            base: None,
        }
    }
}

/// The settings a turn ran with, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The turn.
    pub(crate) turn_id: Option<TurnId>,
    /// Absolute working directory.
    pub(crate) cwd: Option<PathBuf>,
    /// Model name.
    pub(crate) model: Option<String>,
    /// Reasoning effort, in the API's word.
    pub(crate) effort: Option<String>,
    /// Reasoning summary, in the API's word (`auto`, `none`, …).
    pub(crate) summary: Option<String>,
    /// When to ask.
    pub(crate) approval: Option<ApprovalPolicy>,
    /// What commands may touch.
    pub(crate) sandbox: Option<SandboxPolicy>,
}

#[derive(Serialize)]
struct SandboxOut<'a> {
    #[serde(rename = "type")]
    mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    writable_roots: Vec<Lossy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_access: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude_tmpdir_env_var: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude_slash_tmp: Option<bool>,
}

impl<'a> SandboxOut<'a> {
    fn new(policy: &'a SandboxPolicy) -> Self {
        let mut out = Self {
            mode: policy.mode().as_str(),
            writable_roots: Vec::new(),
            network_access: None,
            exclude_tmpdir_env_var: None,
            exclude_slash_tmp: None,
        };
        match policy {
            SandboxPolicy::DangerFullAccess => {}
            SandboxPolicy::ReadOnly { network_access } => out.network_access = Some(*network_access),
            SandboxPolicy::WorkspaceWrite {
                writable_roots,
                network_access,
                exclude_tmpdir_env_var,
                exclude_slash_tmp,
            } => {
                out.writable_roots = writable_roots.iter().map(|root| Lossy(root)).collect();
                out.network_access = Some(*network_access);
                out.exclude_tmpdir_env_var = Some(*exclude_tmpdir_env_var);
                out.exclude_slash_tmp = Some(*exclude_slash_tmp);
            }
        }
        out
    }
}

/// `turn_context` as written. Other programs need the four fields that are never left out.
#[derive(Serialize)]
pub(crate) struct ContextOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_id: Option<TurnId>,
    cwd: Lossy<'a>,
    approval_policy: ApprovalPolicy,
    sandbox_policy: SandboxOut<'a>,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    summary: &'a str,
}

impl<'a> ContextOut<'a> {
    /// The payload for these settings; what is unset is written as the careful choice.
    pub(crate) fn new(settings: &'a Settings) -> Self {
        const CAREFUL: &SandboxPolicy = &SandboxPolicy::ReadOnly { network_access: false };
        Self {
            turn_id: settings.turn_id,
            cwd: Lossy(settings.cwd.as_deref().unwrap_or(Path::new("/"))),
            approval_policy: settings.approval.unwrap_or_default(),
            sandbox_policy: SandboxOut::new(settings.sandbox.as_ref().unwrap_or(CAREFUL)),
            model: settings.model.as_deref().unwrap_or_default(),
            effort: settings.effort.as_deref(),
            summary: settings.summary.as_deref().unwrap_or("auto"),
        }
    }
}

#[derive(Deserialize)]
struct ContextIn<'a> {
    #[serde(default, borrow)]
    turn_id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    cwd: Option<&'a RawValue>,
    #[serde(default, borrow)]
    approval_policy: Option<&'a RawValue>,
    #[serde(default, borrow)]
    sandbox_policy: Option<&'a RawValue>,
    #[serde(default, borrow)]
    model: Option<&'a RawValue>,
    #[serde(default, borrow)]
    effort: Option<&'a RawValue>,
    #[serde(default, borrow)]
    summary: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct SandboxIn {
    #[serde(rename = "type")]
    mode: SandboxMode,
    #[serde(default)]
    writable_roots: Vec<PathBuf>,
    #[serde(default)]
    network_access: bool,
    #[serde(default)]
    exclude_tmpdir_env_var: bool,
    #[serde(default)]
    exclude_slash_tmp: bool,
}

impl From<SandboxIn> for SandboxPolicy {
    fn from(read: SandboxIn) -> Self {
        match read.mode {
            SandboxMode::DangerFullAccess => Self::DangerFullAccess,
            SandboxMode::ReadOnly => Self::ReadOnly { network_access: read.network_access },
            SandboxMode::WorkspaceWrite => Self::WorkspaceWrite {
                writable_roots: read.writable_roots,
                network_access: read.network_access,
                exclude_tmpdir_env_var: read.exclude_tmpdir_env_var,
                exclude_slash_tmp: read.exclude_slash_tmp,
            },
        }
    }
}

impl Settings {
    /// Reads a `turn_context` payload.
    pub(crate) fn parse(raw: &RawValue) -> Option<Self> {
        let read: ContextIn<'_> = serde_json::from_str(raw.get()).ok()?;
        Some(Self {
            turn_id: field(read.turn_id),
            cwd: field(read.cwd),
            model: field(read.model),
            effort: field(read.effort),
            summary: field(read.summary),
            approval: field(read.approval_policy),
            sandbox: field::<SandboxIn>(read.sandbox_policy).map(SandboxPolicy::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::policy::GranularApproval;

    fn round_trip(settings: &Settings) -> Settings {
        let raw = serde_json::value::to_raw_value(&ContextOut::new(settings)).unwrap();
        Settings::parse(&raw).unwrap()
    }

    #[test]
    fn settings_go_back_and_forth() {
        for (approval, sandbox) in [
            (ApprovalPolicy::Never, SandboxPolicy::DangerFullAccess),
            (ApprovalPolicy::OnFailure, SandboxPolicy::ReadOnly { network_access: true }),
            (
                ApprovalPolicy::Granular(GranularApproval {
                    sandbox_approval: true,
                    rules: false,
                    mcp_elicitations: true,
                    request_permissions: false,
                    skill_approval: true,
                }),
                SandboxPolicy::WorkspaceWrite {
                    writable_roots: vec!["/a b".into()],
                    network_access: false,
                    exclude_tmpdir_env_var: true,
                    exclude_slash_tmp: false,
                },
            ),
        ] {
            let settings = Settings {
                turn_id: Some(TurnId::new()),
                cwd: Some("/p".into()),
                model: Some("m".into()),
                effort: Some("high".into()),
                summary: Some("none".into()),
                approval: Some(approval),
                sandbox: Some(sandbox),
            };
            assert_eq!(round_trip(&settings), settings);
        }
    }

    #[test]
    fn the_words_on_disk() {
        let settings = Settings {
            approval: Some(ApprovalPolicy::OnRequest),
            sandbox: Some(SandboxPolicy::WorkspaceWrite {
                writable_roots: Vec::new(),
                network_access: false,
                exclude_tmpdir_env_var: false,
                exclude_slash_tmp: false,
            }),
            ..Settings::default()
        };
        let text = serde_json::to_string(&ContextOut::new(&settings)).unwrap();
        let want = concat!(
            r#""approval_policy":"on-request","sandbox_policy":{"type":"workspace-write","#,
            r#""network_access":false,"exclude_tmpdir_env_var":false,"exclude_slash_tmp":false}"#
        );
        assert!(text.contains(want), "{text}");
    }

    #[test]
    fn one_strange_field_does_not_hide_the_others() {
        let raw = RawValue::from_string(
            r#"{"cwd":7,"model":"m","sandbox_policy":{"type":"moon"},"approval_policy":"never","turn_id":"x"}"#
                .to_owned(),
        )
        .unwrap();
        let settings = Settings::parse(&raw).unwrap();
        assert_eq!(settings.model.as_deref(), Some("m"));
        assert_eq!(settings.approval, Some(ApprovalPolicy::Never));
        assert_eq!((settings.cwd, settings.sandbox, settings.turn_id), (None, None, None));
    }
}
