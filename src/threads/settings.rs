//! The settings of a turn: the line that tells a later reader what was active. The words on disk are those of
//! the rollout format: modes in kebab case, fields in snake case. A field of a strange shape does not hide the
//! others.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::meta::field;
use super::shapes::Lossy;
use crate::base::ids::TurnId;
use crate::protocol::policy::{ApprovalPolicy, SandboxMode, SandboxPolicy};

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
