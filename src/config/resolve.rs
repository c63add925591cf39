//! Typed tables to the final `Config`: the values that depend on more than one key, on the trust in the project
//! or on the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::path::absolute;
use crate::protocol::policy::{ApprovalPolicy, DenyRead, NetworkRules, SandboxMode, SandboxPolicy};

use super::diagnose;
use super::env::Env;
use super::error::Error;
use super::flags::Flags;
use super::places::Opened;
use super::profiles;
use super::provider;
use super::rules;
use super::schema::model::WebSearch;
use super::schema::permissions::{DenyReadTable, Permissions, WorkspaceWrite};
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
    /// `.codex` folders below its root that the user did not trust by name.
    pub(crate) lower: Vec<PathBuf>,
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
    let Found { codex_home, cwd, project_root, trust, lower, profile, mut warnings, origins } = found;
    if let Err(fault) = &tables.login.chatgpt_base_url {
        warnings.push(format!("{fault}; until then nothing works that needs the ChatGPT account"));
    }
    let secret_env = provider::secret_variables(&tables.provider);
    let local = flags.oss.then(|| provider::local_model(&tables.provider));
    let (provider, warning) = provider::pick(tables.provider, flags.oss, env)?;
    warnings.extend(warning);
    let mut model = tables.model;
    // A model that a file names is one of the usual provider.
    if let Some(local) =
        local.filter(|_| !matches!(origins.get("model"), Some(Layer::Session | Layer::Managed)))
    {
        model.name = Some(local.to_owned());
    }
    let (rules, warning) =
        rules::sources(env.system_dir(), &codex_home, &cwd, project_root.as_deref(), (trust, &lower), flags);
    warnings.extend(warning);
    let mut permissions = tables.permissions;
    let approval = permissions.approval.unwrap_or(ApprovalPolicy::OnRequest);
    let allow_login_shell = permissions.allow_login_shell;
    let chosen = permissions.chosen.take();
    // What is open everywhere belongs to the classic modes; what is open in a project counts with a profile too.
    let details = &mut permissions.workspace_write;
    if chosen.is_some() {
        details.close();
    }
    let mine = |opened: &Opened| {
        rules::projects(project_root.as_deref(), &cwd).any(|project| opened.is_about(project))
    };
    let opened = tables.opened.into_iter().filter(mine);
    opened.for_each(|opened| open(opened, details, &mut warnings));
    let mut network_rules = NetworkRules {
        ports: details.loopback_ports.clone(),
        serve: details.serve_ports.clone(),
        hosts: details.network_allow.clone(),
        direct: !details.upstream,
    };
    let git_writes = permissions.workspace_write.git;
    let mut deny_read = deny_read(&permissions.deny_read, env, &codex_home);
    let (sandbox, profiled) = match chosen {
        None => (sandbox(permissions, trust, flags, &cwd, &mut warnings), None),
        Some((name, place)) => {
            let mut found = profiles::compile(&name, place, permissions.profiles, &cwd, env.tmpdir())?;
            add_dirs(&mut found.policy, flags, &cwd, &mut warnings);
            if let SandboxPolicy::WorkspaceWrite { writable_roots, .. } = &mut found.policy {
                writable_roots.append(&mut permissions.workspace_write.writable_roots);
                network_rules.ports.append(&mut found.network.ports);
                network_rules.serve.append(&mut found.network.serve);
                network_rules.hosts.append(&mut found.network.hosts);
                network_rules.direct |= found.network.direct;
            } else {
                network_rules = found.network;
            }
            found.profiled.policy.clone_from(&found.policy);
            deny_read.paths.extend(found.denied);
            deny_read.allow.extend(found.readable);
            (found.policy, Some(found.profiled))
        }
    };
    let live = matches!(sandbox, SandboxPolicy::DangerFullAccess);
    let usual = if live { WebSearch::Live } else { WebSearch::Cached };
    Ok(Config {
        web_search: model.web_search.unwrap_or(usual),
        model,
        provider,
        approval,
        sandbox,
        profiled,
        deny_read,
        network_rules,
        home: env.home().map(Path::to_owned),
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

/// Adds the places of the project to those of all projects, where the administrator leaves them to the user.
fn open(opened: Opened, to: &mut WorkspaceWrite, warnings: &mut Vec<String>) {
    let Opened { project, writable_roots, loopback_ports, network_allow } = opened;
    let mut passed_over = |what: &str| {
        let shown = diagnose::quoted(&project.display().to_string());
        warnings.push(format!("[projects.{shown}] opens no {what}: the administrator fixed them"));
    };
    match to.roots_managed && !writable_roots.is_empty() {
        true => passed_over("folders"),
        false => to.writable_roots.extend(writable_roots),
    }
    if to.network_managed && !(loopback_ports.is_empty() && network_allow.is_empty()) {
        return passed_over("hosts and ports");
    }
    to.loopback_ports.extend(loopback_ports);
    to.network_allow.extend(network_allow);
}

/// The built-in list, unless it is switched off, and the user's own.
fn deny_read(table: &DenyReadTable, env: &Env, codex_home: &Path) -> DenyRead {
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
    cwd: &Path,
    warnings: &mut Vec<String>,
) -> SandboxPolicy {
    let usual = match trust {
        Trust::Trusted => SandboxMode::WorkspaceWrite,
        Trust::Untrusted | Trust::Unknown => SandboxMode::ReadOnly,
    };
    let details = permissions.workspace_write;
    let mode = permissions.mode.unwrap_or(usual);
    let mut policy = match mode {
        SandboxMode::DangerFullAccess => SandboxPolicy::DangerFullAccess,
        SandboxMode::ReadOnly => SandboxPolicy::ReadOnly { network_access: false },
        SandboxMode::WorkspaceWrite => SandboxPolicy::WorkspaceWrite {
            writable_roots: details.writable_roots,
            network_access: details.network_access,
            exclude_tmpdir_env_var: details.exclude_tmpdir_env_var,
            exclude_slash_tmp: details.exclude_slash_tmp,
        },
    };
    match details.roots_managed && mode == SandboxMode::WorkspaceWrite && !flags.add_dirs.is_empty() {
        true => {
            warnings.push("--add-dir has no effect: the administrator fixed the writable folders".to_owned());
        }
        false => add_dirs(&mut policy, flags, cwd, warnings),
    }
    if let SandboxPolicy::WorkspaceWrite { writable_roots, .. } = &mut policy {
        writable_roots.sort();
        writable_roots.dedup();
    }
    policy
}

/// The folders of `--add-dir`.
fn add_dirs(policy: &mut SandboxPolicy, flags: &Flags, cwd: &std::path::Path, warnings: &mut Vec<String>) {
    match policy {
        SandboxPolicy::DangerFullAccess => {}
        SandboxPolicy::ReadOnly { .. } if flags.add_dirs.is_empty() => {}
        SandboxPolicy::ReadOnly { .. } => {
            let why = "the sandbox is read-only (use -s workspace-write)";
            warnings.push(format!("--add-dir has no effect: {why}"));
        }
        SandboxPolicy::WorkspaceWrite { writable_roots, .. } => {
            let added = flags.add_dirs.iter().map(|dir| absolute(cwd, dir));
            writable_roots.extend(added.inspect(|dir| {
                if !dir.is_dir() {
                    warnings.push(format!("--add-dir has no effect: {} is not a folder", dir.display()));
                }
            }));
        }
    }
}
