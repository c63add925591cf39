//! The administrator's `requirements.toml`: what is allowed, whatever the layers say. It is applied last, to the
//! finished configuration. A value that is not allowed gives way to an allowed one, with a warning if anybody asked
//! for it; requirements that this program cannot enforce yet are named, because silence would look like obedience.

use crate::protocol::policy::{ApprovalPolicy, SandboxMode, SandboxPolicy};

use super::diagnose::quoted;
use super::env::Env;
use super::error::Error;
use super::layers;
use super::rules::{self, RequiredRule};
use super::schema::choice::Choice;
use super::schema::features::{self, Features};
use super::schema::login::LoginMethod;
use super::schema::model::WebSearch;
use super::schema::reader::{Context, Reader};
use super::settings::Config;
use super::tree::{Layer, Sources};

/// Keys that exist but are not enforced.
const NOT_ENFORCED: [&str; 18] = [
    "additional_developer_instructions",
    "allow_managed_hooks_only",
    "allowed_approvals_reviewers",
    "apps",
    "chatgpt_base_url",
    "check_for_update_on_startup",
    "enforce_residency",
    "feedback",
    "hooks",
    "log_dir",
    "mcp_servers",
    "model_provider",
    "model_providers",
    "models",
    "network",
    "otel",
    "plugins",
    "sqlite_home",
];

/// What is enforced. `None` allows everything.
struct Requirements {
    approvals: Option<Vec<String>>,
    modes: Option<Vec<String>>,
    profiles: Option<Vec<String>>,
    /// The permission profile where nobody asks for another.
    profile: Option<String>,
    web: Option<Vec<String>>,
    logins: Option<Vec<String>>,
    login_shell: Option<bool>,
    features: Features,
    rules: Vec<RequiredRule>,
    not_enforced: Vec<&'static str>,
}

/// Bounds the configuration; nothing happens when there is no such file.
///
/// # Errors
/// The file cannot be used, or the result would be a sandbox nobody asked for with nobody to ask.
pub(crate) fn apply(env: &Env, config: &mut Config) -> Result<(), Error> {
    let path = env.system_dir().join("requirements.toml");
    let mut sources = Sources::default();
    let Some(tree) = layers::read(&path, Layer::Managed, &mut sources)? else { return Ok(()) };
    let context = Context::new(&sources, None);
    let requirements = context.root(&tree, read)?;
    config.warnings.extend(context.into_unknown());
    let elsewhere = requirements.profile.as_deref().filter(|name| *name != READ_ONLY);
    if let Some(name) = elsewhere {
        let problem = format!(
            "asks for default_permissions = {}, where this version knows {READ_ONLY:?} only",
            quoted(name)
        );
        config.warnings.push(format!("{} {problem}", path.display()));
    }
    if !requirements.not_enforced.is_empty() {
        let keys =
            requirements.not_enforced.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        config
            .warnings
            .push(format!("{} asks for what this version does not enforce yet: {keys}", path.display()));
    }
    let source = path.display().to_string();
    config.rules.required.clone_from(&requirements.rules);
    bound_sandbox(config, &requirements, &source)?;
    bound_approval(config, &requirements, &source);
    bound_web_search(config, &requirements, &source);
    // A word we do not know allows nothing.
    config.login.allowed_methods = requirements
        .logins
        .map(|words| words.iter().filter_map(|word| LoginMethod::from_word(word)).collect());
    config.allow_login_shell = requirements.login_shell.unwrap_or(config.allow_login_shell);
    for name in config.features.pin(&requirements.features) {
        config.warnings.push(format!("features.{name} is fixed by the administrator ({source})"));
    }
    Ok(())
}

fn read(reader: &mut Reader<'_>) -> Result<Requirements, Error> {
    let not_enforced = NOT_ENFORCED.into_iter().filter(|key| reader.node(key).is_some()).collect();
    Ok(Requirements {
        approvals: reader.texts("allowed_approval_policies")?,
        modes: reader.texts("allowed_sandbox_modes")?,
        profiles: reader.texts("allowed_permission_profiles")?,
        profile: reader.name("default_permissions")?,
        web: reader.texts("allowed_web_search_modes")?,
        logins: reader.texts("allowed_login_methods")?,
        login_shell: reader.flag("allow_login_shell")?,
        features: reader.table("features", features::read)?,
        rules: reader.table("rules", rules::required)?,
        not_enforced,
    })
}

/// A sandbox that is not allowed becomes the strictest one. Without approvals that would only make every write
/// fail, so then it is an error.
fn bound_sandbox(config: &mut Config, requirements: &Requirements, source: &str) -> Result<(), Error> {
    let asked =
        config.origins.contains_key("sandbox_mode") || config.origins.contains_key("default_permissions");
    if requirements.profile.as_deref() == Some(READ_ONLY) && !asked {
        be_read_only(config);
    }
    let word = config.sandbox.mode().as_str();
    let name = match &config.profiled {
        Some(profile) => profile.name.as_str(),
        None => built_in(config.sandbox.mode()),
    };
    let bounds =
        [(&requirements.modes, "sandbox_mode", word), (&requirements.profiles, "default_permissions", name)];
    let broken = bounds.into_iter().find_map(|(allowed, key, word)| {
        let allowed = allowed.as_ref()?;
        (!allowed.iter().any(|one| one == word)).then(|| refusal(key, word, allowed, source))
    });
    let Some(refusal) = broken.filter(|_| config.profiled.is_some() || name != READ_ONLY) else {
        return Ok(());
    };
    if asked && config.approval == ApprovalPolicy::Never {
        return Err(Error::Forbidden(format!("{refusal}; choose an allowed one")));
    }
    if asked {
        config.warnings.push(format!("{refusal}; read-only is used"));
    }
    be_read_only(config);
    Ok(())
}

const READ_ONLY: &str = ":read-only";

/// The strictest there is.
fn be_read_only(config: &mut Config) {
    config.sandbox = SandboxPolicy::ReadOnly { network_access: false };
    config.profiled = None;
    if config.model.web_search.is_none() {
        config.web_search = WebSearch::Cached;
    }
}

/// The permission profile that a mode is.
fn built_in(mode: SandboxMode) -> &'static str {
    match mode {
        SandboxMode::ReadOnly => READ_ONLY,
        SandboxMode::WorkspaceWrite => ":workspace",
        SandboxMode::DangerFullAccess => ":danger-full-access",
    }
}

fn bound_approval(config: &mut Config, requirements: &Requirements, source: &str) {
    let Some(allowed) = &requirements.approvals else { return };
    let word = match config.approval {
        ApprovalPolicy::Granular(_) => "granular",
        policy => policy.word(),
    };
    if allowed.iter().any(|policy| policy == word) {
        return;
    }
    // A list without a word we know allows nothing; asking before everything is the closest to that.
    let fallback = allowed.iter().find_map(|word| ApprovalPolicy::from_word(word));
    config.approval = fallback.unwrap_or(ApprovalPolicy::Untrusted);
    if config.origins.contains_key("approval_policy") {
        let refusal = refusal("approval_policy", word, allowed, source);
        config.warnings.push(format!("{refusal}; {} is used", config.approval.word()));
    }
}

/// `disabled` is always allowed.
fn bound_web_search(config: &mut Config, requirements: &Requirements, source: &str) {
    let Some(allowed) = &requirements.web else { return };
    let word = config.web_search.word();
    if word == "disabled" || allowed.iter().any(|mode| mode == word) {
        return;
    }
    let fallback = allowed.iter().find_map(|word| WebSearch::from_word(word)).unwrap_or(WebSearch::Disabled);
    config.web_search = fallback;
    if config.model.web_search.is_some() {
        let refusal = refusal("web_search", word, allowed, source);
        config.warnings.push(format!("{refusal}; {} is used", fallback.word()));
    }
}

fn refusal(key: &str, word: &str, allowed: &[String], source: &str) -> String {
    let list = allowed.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
    let list = if list.is_empty() { "nothing" } else { &list };
    format!("{key} = {} is not allowed by the administrator ({source}), allowed: {list}", quoted(word))
}
