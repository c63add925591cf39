//! Approvals and the sandbox as written; what they come to depends on the trust in the project as well.

use std::path::PathBuf;

use crate::config::error::{Error, Place};
use crate::config::tree::{Layer, Value};
use crate::protocol::policy::{ApprovalPolicy, GranularApproval, SandboxMode};

use super::profiles::{self, Profiles};
use super::reader::Reader;

/// What the file says.
pub(crate) struct Permissions {
    /// When to ask.
    pub(crate) approval: Option<ApprovalPolicy>,
    /// Which sandbox.
    pub(crate) mode: Option<SandboxMode>,
    /// The permission profile of the user's own to take instead, and where that is said.
    pub(crate) chosen: Option<(String, Place)>,
    /// All of those.
    pub(crate) profiles: Profiles,
    /// `[sandbox_workspace_write]`.
    pub(crate) workspace_write: WorkspaceWrite,
    /// Whether commands may ask for a login shell.
    pub(crate) allow_login_shell: bool,
    /// `[deny_read]`.
    pub(crate) deny_read: DenyReadTable,
}

/// What commands cannot read.
pub(crate) struct DenyReadTable {
    /// Whether the built-in list counts.
    pub(crate) defaults: bool,
    /// More of them.
    pub(crate) paths: Vec<PathBuf>,
    /// What stays readable.
    pub(crate) allow: Vec<PathBuf>,
}

/// Details of the workspace-write sandbox.
pub(crate) struct WorkspaceWrite {
    /// Absolute folders besides the working directory.
    pub(crate) writable_roots: Vec<PathBuf>,
    /// Network open.
    pub(crate) network_access: bool,
    /// `$TMPDIR` is not writable.
    pub(crate) exclude_tmpdir_env_var: bool,
    /// `/tmp` is not writable.
    pub(crate) exclude_slash_tmp: bool,
    /// Ports of the loopback that commands reach without network.
    pub(crate) loopback_ports: Vec<u16>,
    /// Ports of commands' own servers that the loopback leads to.
    pub(crate) serve_ports: Vec<u16>,
    /// Hosts that commands reach without network.
    pub(crate) network_allow: Vec<String>,
    /// Those may be reached by the proxy of the user's environment.
    pub(crate) upstream: bool,
    /// Plain commands of git may write the repository.
    pub(crate) git: bool,
    /// Whether the administrator set the roots, so that nobody adds to them.
    pub(crate) roots_managed: bool,
    /// The same of ports and hosts.
    pub(crate) network_managed: bool,
}

impl WorkspaceWrite {
    /// Nothing is open besides the working directory: a profile of the user's own says what is.
    pub(crate) fn close(&mut self) {
        self.writable_roots.clear();
        self.loopback_ports.clear();
        self.serve_ports.clear();
        self.network_allow.clear();
    }
}

/// Reads approvals and sandbox.
///
/// # Errors
/// A value is not allowed.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Permissions, Error> {
    let (mode, chosen) = mode(reader)?;
    Ok(Permissions {
        approval: approval(reader)?,
        mode,
        chosen,
        profiles: profiles::read(reader)?,
        workspace_write: reader.table("sandbox_workspace_write", workspace_write)?,
        allow_login_shell: reader.flag("allow_login_shell")?.unwrap_or(true),
        deny_read: reader.table("deny_read", |table| {
            Ok(DenyReadTable {
                defaults: table.flag("defaults")?.unwrap_or(true),
                paths: table.paths("paths")?,
                allow: table.paths("allow")?,
            })
        })?,
    })
}

fn workspace_write(reader: &mut Reader<'_>) -> Result<WorkspaceWrite, Error> {
    Ok(WorkspaceWrite {
        writable_roots: reader.paths("writable_roots")?,
        network_access: reader.flag("network_access")?.unwrap_or(false),
        exclude_tmpdir_env_var: reader.flag("exclude_tmpdir_env_var")?.unwrap_or(false),
        exclude_slash_tmp: reader.flag("exclude_slash_tmp")?.unwrap_or(false),
        loopback_ports: reader.ports("loopback_ports")?,
        serve_ports: reader.ports("serve_ports")?,
        network_allow: reader.hosts("network_allow")?,
        upstream: reader.flag("allow_upstream_proxy")?.unwrap_or(true),
        git: reader.flag("git")?.unwrap_or(true),
        roots_managed: reader.layer("writable_roots") == Some(Layer::Managed),
        network_managed: ["loopback_ports", "network_allow", "network_access"]
            .into_iter()
            .any(|key| reader.layer(key) == Some(Layer::Managed)),
    })
}

/// A word, or `{ granular = { … } }`.
fn approval(reader: &mut Reader<'_>) -> Result<Option<ApprovalPolicy>, Error> {
    const KEY: &str = "approval_policy";
    if !matches!(reader.node(KEY).map(|node| &node.value), Some(Value::Table(_))) {
        return reader.choice(KEY);
    }
    let granular = reader.table(KEY, |policy| {
        policy.table("granular", |flags| {
            let mut flag = |key| Ok(flags.flag(key)?.unwrap_or(false));
            Ok(GranularApproval {
                sandbox_approval: flag("sandbox_approval")?,
                rules: flag("rules")?,
                mcp_elicitations: flag("mcp_elicitations")?,
                request_permissions: flag("request_permissions")?,
                skill_approval: flag("skill_approval")?,
            })
        })
    })?;
    Ok(Some(ApprovalPolicy::Granular(granular)))
}

/// `sandbox_mode`, or the permission profile of `default_permissions` when that comes from a higher layer or stands
/// alone: a built-in one as a mode, one of the user's own by name.
#[allow(clippy::type_complexity, reason = "the two answers of one question")]
fn mode(reader: &mut Reader<'_>) -> Result<(Option<SandboxMode>, Option<(String, Place)>), Error> {
    const PROFILE: &str = "default_permissions";
    let mode = reader.choice("sandbox_mode")?;
    let Some(profile) = reader.name(PROFILE)? else { return Ok((mode, None)) };
    if mode.is_some() && reader.layer("sandbox_mode") >= reader.layer(PROFILE) {
        return Ok((mode, None));
    }
    Ok(match profile.as_str() {
        ":read-only" => (Some(SandboxMode::ReadOnly), None),
        ":workspace" => (Some(SandboxMode::WorkspaceWrite), None),
        ":danger-full-access" => (Some(SandboxMode::DangerFullAccess), None),
        _ => (None, reader.place(PROFILE).map(|place| (profile, place))),
    })
}
