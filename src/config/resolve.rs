//! Typed tables to the final `Config`: the values that depend on more than one key, on the trust in the project
//! or on the command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::path::absolute;
use crate::protocol::policy::{ApprovalPolicy, DenyRead, NetworkRules, SandboxMode, SandboxPolicy};

use super::env::Env;
use super::error::Error;
use super::flags::Flags;
use super::provider;
use super::rules;
use super::schema::model::WebSearch;
use super::schema::permissions::{DenyReadTable, Permissions};
use super::schema::root::Tables;
use super::settings::Config;
use super::tree::Layer;
use super::trust::Trust;

/// What was found out while the layers were read.
pub(crate) struct Found {
    /// Folder of the user's files.
    pub(crate) codex_home: PathBuf,
    /// Working directory.
    pub(crate) cwd: PathBuf,
    /// Project root.
    pub(crate) project_root: Option<PathBuf>,
    /// Trust in the project.
    pub(crate) trust: Trust,
    /// Chosen profile.
    pub(crate) profile: Option<String>,
    /// Warnings so far.
    pub(crate) warnings: Vec<String>,
    /// Who set what.
    pub(crate) origins: BTreeMap<String, Layer>,
}

/// Fills in what depends on more than one value.
///
/// # Errors
/// The chosen provider is not defined.
pub(crate) fn resolve(env: &Env, flags: &Flags, tables: Tables, found: Found) -> Result<Config, Error> {
    let Found { codex_home, cwd, project_root, trust, profile, mut warnings, origins } = found;
    if let Err(fault) = &tables.login.chatgpt_base_url {
        warnings.push(format!("{fault}; until then nothing works that needs the ChatGPT account"));
    }
    let secret_env = provider::secret_variables(&tables.provider);
    let (provider, warning) = provider::pick(tables.provider, flags.oss, env)?;
    warnings.extend(warning);
    let (rules, warning) =
        rules::sources(env.system_dir(), &codex_home, &cwd, project_root.as_deref(), trust, flags);
    warnings.extend(warning);
    let approval = tables.permissions.approval.unwrap_or(ApprovalPolicy::OnRequest);
    let allow_login_shell = tables.permissions.allow_login_shell;
    let details = &tables.permissions.workspace_write;
    let network_rules =
        NetworkRules { ports: details.loopback_ports.clone(), hosts: details.network_allow.clone() };
    let git_writes = tables.permissions.workspace_write.git;
    let deny_read = deny_read(&tables.permissions.deny_read, env, &codex_home);
    let sandbox = sandbox(tables.permissions, trust, flags, &cwd, &mut warnings);
    let live = matches!(sandbox, SandboxPolicy::DangerFullAccess);
    let usual = if live { WebSearch::Live } else { WebSearch::Cached };
    Ok(Config {
        web_search: tables.model.web_search.unwrap_or(usual),
        model: tables.model,
        provider,
        approval,
        sandbox,
        deny_read,
        network_rules,
        git_writes,
        allow_login_shell,
        shell_env: tables.shell_env,
        secret_env,
        docs: tables.docs,
        interface: tables.interface,
        rules,
        login: tables.login,
        budget: tables.budget,
        features: tables.features,
        codex_home,
        cwd,
        project_root,
        trust,
        profile,
        warnings,
        origins,
    })
}

/// The built-in list, unless it is switched off, and the user's own.
fn deny_read(table: &DenyReadTable, env: &Env, codex_home: &std::path::Path) -> DenyRead {
    let usual = || DenyRead::usual(env.home(), Some(codex_home));
    let mut list = if table.defaults { usual() } else { DenyRead::default() };
    list.paths.extend(table.paths.iter().cloned());
    list.allow.clone_from(&table.allow);
    list
}

/// The sandbox asked for; without a word, a trusted project may be written and nothing else.
fn sandbox(
    permissions: Permissions,
    trust: Trust,
    flags: &Flags,
    cwd: &std::path::Path,
    warnings: &mut Vec<String>,
) -> SandboxPolicy {
    let usual = match trust {
        Trust::Trusted => SandboxMode::WorkspaceWrite,
        Trust::Untrusted | Trust::Unknown => SandboxMode::ReadOnly,
    };
    let details = permissions.workspace_write;
    let mode = permissions.mode.unwrap_or(usual);
    let unused = |why: &str| format!("--add-dir has no effect: {why}");
    match mode {
        SandboxMode::DangerFullAccess => SandboxPolicy::DangerFullAccess,
        SandboxMode::ReadOnly => {
            if !flags.add_dirs.is_empty() {
                warnings.push(unused("the sandbox is read-only (use -s workspace-write)"));
            }
            SandboxPolicy::ReadOnly { network_access: false }
        }
        SandboxMode::WorkspaceWrite => {
            let mut writable_roots = details.writable_roots;
            if details.roots_managed && !flags.add_dirs.is_empty() {
                warnings.push(unused("the administrator fixed the writable folders"));
            } else {
                let added = flags.add_dirs.iter().map(|dir| absolute(cwd, dir));
                writable_roots.extend(added.inspect(|dir| {
                    if !dir.is_dir() {
                        warnings.push(format!("--add-dir has no effect: {} is not a folder", dir.display()));
                    }
                }));
            }
            writable_roots.sort();
            writable_roots.dedup();
            SandboxPolicy::WorkspaceWrite {
                writable_roots,
                network_access: details.network_access,
                exclude_tmpdir_env_var: details.exclude_tmpdir_env_var,
                exclude_slash_tmp: details.exclude_slash_tmp,
            }
        }
    }
}
