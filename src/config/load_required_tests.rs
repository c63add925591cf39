//! What the administrator requires, applied to what everybody else wrote.

use super::*;

#[test]
fn requirements_of_the_administrator_bound_the_result() {
    let machine = Machine::new();
    machine.write(
        "etc/requirements.toml",
        "allowed_approval_policies = ['untrusted', 'on-request']\nallowed_sandbox_modes = ['read-only', \
         'workspace-write']\nallowed_web_search_modes = []\nallow_login_shell = false\n[features]\n\
         unified_exec = false\n[network]\n[rules]\nprefix_rules = [{ pattern = [{ token = 'git' }, { any_of = ['push', \
         'fetch'] }], decision = 'forbidden', justification = 'no' }]",
    );
    let config = machine.config();
    assert_eq!((config.approval, config.sandbox.mode()), (ApprovalPolicy::OnRequest, SandboxMode::ReadOnly));
    assert_eq!((config.web_search.word(), config.allow_login_shell), ("disabled", false));
    assert!(!config.features.enabled("unified_exec"));
    let told = |config: &Config, words: &str| config.warnings.iter().any(|warning| warning.contains(words));
    assert!(told(&config, "does not enforce yet: `network`"), "{:?}", config.warnings);
    let pattern = vec![vec!["git".to_owned()], vec!["push".to_owned(), "fetch".to_owned()]];
    let origin = std::sync::Arc::clone(&config.rules.required[0].origin);
    assert!(origin.contains("requirements.toml"), "{origin}");
    assert_eq!(
        config.rules.required,
        [RequiredRule { pattern, forbidden: true, justification: Some("no".to_owned()), origin }]
    );

    let asked = ["sandbox_mode=danger-full-access", "features.unified_exec=true"];
    let config = machine.with(&asked);
    assert_eq!(config.sandbox, SandboxPolicy::ReadOnly { network_access: false });
    assert!(told(&config, "sandbox_mode = \"danger-full-access\" is not allowed"), "{:?}", config.warnings);
    assert!(told(&config, "allowed: \"read-only\", \"workspace-write\""));
    assert!(!config.features.enabled("unified_exec"));

    let config = machine.with(&["approval_policy=never"]);
    assert_eq!(config.approval, ApprovalPolicy::Untrusted);
    assert!(told(&config, "approval_policy = \"never\" is not allowed"));

    machine.write("etc/requirements.toml", "allowed_sandbox_modes = ['workspace-write']");
    let flags = Flags { bypass: true, ..Flags::default() };
    assert!(
        matches!(machine.load(&flags), Err(Error::Forbidden(_))),
        "never silently read-only without asking"
    );
    machine.trusting("").write("etc/requirements.toml", "allowed_sandbox_modes = ['read-only']");
    let flags = Flags { approval: Some(ApprovalPolicy::Never), ..Flags::default() };
    let config = machine.load(&flags).unwrap();
    assert_eq!(config.sandbox.mode(), SandboxMode::ReadOnly, "a default gives way without a word");
    assert!(config.warnings.is_empty());
    machine.write("etc/requirements.toml", "allowed_sandbox_modes = 'read-only'");
    assert!(
        machine.error(&Flags::default()).starts_with("etc/requirements.toml:1:25: `allowed_sandbox_modes`")
    );
}

#[test]
fn profiles_of_the_administrators_own_take_the_place_of_what_is_not_allowed() {
    let machine = Machine::new();
    machine.user("default_permissions = 'dev'\n[permissions.dev]\nextends = ':workspace'\n");
    // The administrator's own profile, also where what is asked for is not allowed.
    machine.write(
        "etc/requirements.toml",
        "default_permissions = 'firm'\nallowed_permission_profiles = ['firm', ':read-only']\n\
         [permissions.firm]\nextends = ':workspace'\nfilesystem.'/srv/secret' = 'deny'\n",
    );
    let config = machine.config();
    assert_eq!(config.profiled.unwrap().name, "firm");
    assert!(config.deny_read.paths.contains(&PathBuf::from("/srv/secret")), "{:?}", config.deny_read);
    let told = |words: &str| config.warnings.iter().any(|w| w.contains(words));
    assert!(
        told("config.toml:1:") && told("default_permissions = \"dev\" is not allowed"),
        "{:?}",
        config.warnings
    );
    assert!(told("\"firm\" is used"), "{:?}", config.warnings);
    assert_eq!(machine.with(&["default_permissions=':read-only'"]).sandbox.mode(), SandboxMode::ReadOnly);
    // Nobody takes its name.
    machine.trusting("[permissions.firm]\nextends = ':workspace'\n");
    assert!(machine.config().deny_read.paths.contains(&PathBuf::from("/srv/secret")));
    let config = machine.with(&["sandbox_mode=danger-full-access"]);
    assert_eq!(config.profiled.unwrap().name, "firm");
    assert!(config.warnings.iter().any(|w| w.contains("-c sandbox_mode: ")), "{:?}", config.warnings);
    machine.write("etc/requirements.toml", "default_permissions = 'nowhere'");
    let error = machine.error(&Flags::default());
    assert!(
        error.contains("requirements.toml:1:") && error.contains("no such permission profile"),
        "{error}"
    );
    machine.write(
        "etc/requirements.toml",
        "default_permissions = ':workspace'\nallowed_sandbox_modes = ['read-only']",
    );
    machine.trusting("");
    let config = machine.config();
    assert!(config.sandbox.mode() == SandboxMode::ReadOnly && !config.warnings.is_empty());
}
