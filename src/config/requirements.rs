//! The administrator's `requirements.toml`: what is allowed, whatever the layers say. It is applied last, to the
//! finished configuration. A value that is not allowed gives way to an allowed one, with a warning if anybody asked
//! for it; requirements that this program cannot enforce yet are named, because silence would look like obedience.

use crate::protocol::policy::{ApprovalPolicy, SandboxMode, SandboxPolicy};

use super::diagnose::quoted;
use super::env::Env;
use super::error::{Error, Place};
use super::layers;
use super::rules::{self, RequiredRule};
use super::schema::choice::Choice;
use super::schema::features::{self, Features};
use super::schema::login::LoginMethod;
use super::schema::model::WebSearch;
use super::schema::permissions::Permissions;
use super::schema::profiles::{self, Profiles};
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

/// Where a key is written, for people; `None` = nowhere.
pub(crate) type Asked<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What is enforced. `None` allows everything.
pub(crate) struct Requirements {
    approvals: Option<Vec<String>>,
    modes: Option<Vec<String>>,
    profiles: Option<Vec<String>>,
    /// The permission profile where nobody asks for one that is allowed, and where that is said.
    profile: Option<(String, Place)>,
    /// Permission profiles of the administrator's own.
    own: Profiles,
    web: Option<Vec<String>>,
    logins: Option<Vec<String>>,
    login_shell: Option<bool>,
    features: Features,
    rules: Vec<RequiredRule>,
    not_enforced: Vec<&'static str>,
    /// The file.
    source: String,
}

impl Requirements {
    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// The file cannot be used.
    pub(crate) fn load(env: &Env, warnings: &mut Vec<String>) -> Result<Option<Self>, Error> {
        let path = env.system_dir().join("requirements.toml");
        let mut sources = Sources::default();
        let Some(tree) = layers::read(&path, Layer::Managed, &mut sources)? else { return Ok(None) };
        let context = Context::new(&sources, env.home());
        let mut found = context.root(&tree, read)?;
        found.source = path.display().to_string();
        warnings.extend(context.into_unknown());
        if !found.not_enforced.is_empty() {
            let keys = found.not_enforced.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let source = &found.source;
            warnings.push(format!("{source} asks for what this version does not enforce yet: {keys}"));
        }
        Ok(Some(found))
    }

    /// Before profiles are worked out: adds the administrator's, and takes the default where nobody asks for one or
    /// what is asked for is not allowed.
    pub(crate) fn choose(&mut self, to: &mut Permissions, asked: &Asked<'_>, warnings: &mut Vec<String>) {
        for (name, profile) in self.own.drain(..) {
            to.profiles.retain(|(known, _)| *known != name);
            to.profiles.push((name, profile));
        }
        let Some((default, place)) = &self.profile else { return };
        let chosen = to.chosen.as_ref().map(|(name, _)| name.as_str());
        if let Some(wanted) = chosen.or(to.mode.map(built_in)) {
            let (Some(refusal), true) =
                (self.broken(wanted, to.mode, asked), self.broken(default, None, asked).is_none())
            else {
                return;
            };
            warnings.push(format!("{refusal}; {} is used", quoted(default)));
        }
        (to.mode, to.chosen) = match mode(default) {
            Some(mode) => (Some(mode), None),
            None => (None, Some((default.clone(), place.clone()))),
        };
    }

    /// Bounds the finished configuration.
    ///
    /// # Errors
    /// The result would be a sandbox nobody asked for with nobody to ask.
    pub(crate) fn apply(self, config: &mut Config, asked: &Asked<'_>) -> Result<(), Error> {
        config.rules.required.clone_from(&self.rules);
        bound_sandbox(config, &self, asked)?;
        bound_approval(config, &self, asked);
        bound_web_search(config, &self, asked);
        // A word we do not know allows nothing.
        config.login.allowed_methods =
            self.logins.map(|words| words.iter().filter_map(|word| LoginMethod::from_word(word)).collect());
        config.allow_login_shell = self.login_shell.unwrap_or(config.allow_login_shell);
        for name in config.features.pin(&self.features) {
            let key = format!("features.{name}");
            let at = asked(&key).map(|at| format!("{at}: ")).unwrap_or_default();
            config.warnings.push(format!("{at}{key} is fixed by the administrator ({})", self.source));
        }
        Ok(())
    }

    /// The sentence about a profile, or the mode that it is, that is not allowed.
    fn broken(&self, name: &str, mode: Option<SandboxMode>, asked: &Asked<'_>) -> Option<String> {
        let word = mode.or(self::mode(name)).map(SandboxMode::as_str);
        let bounds =
            [(&self.modes, "sandbox_mode", word), (&self.profiles, "default_permissions", Some(name))];
        bounds.into_iter().find_map(|(allowed, key, word)| {
            let (allowed, word) = (allowed.as_ref()?, word?);
            let other = || asked("sandbox_mode").or_else(|| asked("default_permissions"));
            let at = asked(key).or_else(other);
            (!allowed.iter().any(|one| one == word)).then(|| refusal(at, key, word, allowed, &self.source))
        })
    }
}

fn read(reader: &mut Reader<'_>) -> Result<Requirements, Error> {
    let not_enforced = NOT_ENFORCED.into_iter().filter(|key| reader.node(key).is_some()).collect();
    Ok(Requirements {
        approvals: reader.texts("allowed_approval_policies")?,
        modes: reader.texts("allowed_sandbox_modes")?,
        profiles: reader.texts("allowed_permission_profiles")?,
        profile: reader.name("default_permissions")?.zip(reader.place("default_permissions")),
        own: profiles::read(reader)?,
        source: String::new(),
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
fn bound_sandbox(config: &mut Config, requirements: &Requirements, asked: &Asked<'_>) -> Result<(), Error> {
    let mode = config.sandbox.mode();
    let name = match &config.profiled {
        Some(profile) => profile.name.as_str(),
        None => built_in(mode),
    };
    let broken = requirements.broken(name, Some(mode), asked);
    let Some(refusal) = broken.filter(|_| config.profiled.is_some() || name != READ_ONLY) else {
        return Ok(());
    };
    let somebody = asked("sandbox_mode").or_else(|| asked("default_permissions")).is_some();
    if somebody && config.approval == ApprovalPolicy::Never {
        return Err(Error::Forbidden(format!("{refusal}; choose an allowed one")));
    }
    if somebody || requirements.profile.is_some() {
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

/// The mode that a permission profile is.
fn mode(name: &str) -> Option<SandboxMode> {
    use SandboxMode::{DangerFullAccess, ReadOnly, WorkspaceWrite};
    [ReadOnly, WorkspaceWrite, DangerFullAccess].into_iter().find(|mode| built_in(*mode) == name)
}

/// The permission profile that a mode is.
fn built_in(mode: SandboxMode) -> &'static str {
    match mode {
        SandboxMode::ReadOnly => READ_ONLY,
        SandboxMode::WorkspaceWrite => ":workspace",
        SandboxMode::DangerFullAccess => ":danger-full-access",
    }
}

fn bound_approval(config: &mut Config, requirements: &Requirements, asked: &Asked<'_>) {
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
    if let Some(at) = asked("approval_policy") {
        let refusal = refusal(Some(at), "approval_policy", word, allowed, &requirements.source);
        config.warnings.push(format!("{refusal}; {} is used", config.approval.word()));
    }
}

/// `disabled` is always allowed.
fn bound_web_search(config: &mut Config, requirements: &Requirements, asked: &Asked<'_>) {
    let Some(allowed) = &requirements.web else { return };
    let word = config.web_search.word();
    if word == "disabled" || allowed.iter().any(|mode| mode == word) {
        return;
    }
    let fallback = allowed.iter().find_map(|word| WebSearch::from_word(word)).unwrap_or(WebSearch::Disabled);
    config.web_search = fallback;
    if config.model.web_search.is_some() {
        let refusal = refusal(asked("web_search"), "web_search", word, allowed, &requirements.source);
        config.warnings.push(format!("{refusal}; {} is used", fallback.word()));
    }
}

/// The sentence about a value that is not allowed; `at`: where it is asked for.
fn refusal(at: Option<String>, key: &str, word: &str, allowed: &[String], source: &str) -> String {
    let list = allowed.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
    let list = if list.is_empty() { "nothing" } else { &list };
    let at = at.map(|at| format!("{at}: ")).unwrap_or_default();
    format!("{at}{key} = {} is not allowed by the administrator ({source}), allowed: {list}", quoted(word))
}
