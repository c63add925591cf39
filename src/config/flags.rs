//! What the command line says about the configuration. It becomes the session layer: `-c` first, in order, then
//! `--enable` and `--disable`, then the flags with names of their own, which so beat a `-c` of the same key
//! whatever their order.

use std::path::PathBuf;

use crate::protocol::policy::{ApprovalPolicy, SandboxMode};

use super::diagnose;
use super::error::Error;
use super::overrides;
use super::schema::choice::Choice;
use super::schema::features;
use super::tree::{At, Layer, Node, Source, Sources, Tree, Value, set};

/// The command line. `Default` says nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `-m`.
    pub(crate) model: Option<String>,
    /// `-p`.
    pub(crate) profile: Option<String>,
    /// `-s`.
    pub(crate) sandbox: Option<SandboxMode>,
    /// `-a`, or what the front end always uses.
    pub(crate) approval: Option<ApprovalPolicy>,
    /// `--full-auto`: workspace-write and on-request, where `-s` and `-a` say nothing.
    pub(crate) full_auto: bool,
    /// `--dangerously-bypass-approvals-and-sandbox`.
    pub(crate) bypass: bool,
    /// `-C`; relative to where the program was started.
    pub(crate) cwd: Option<PathBuf>,
    /// `--add-dir`; relative to the working directory after `-C`.
    pub(crate) add_dirs: Vec<PathBuf>,
    /// `-c key=value`, in order.
    pub(crate) overrides: Vec<String>,
    /// `--enable` (true) and `--disable` (false), in order.
    pub(crate) features: Vec<(String, bool)>,
    /// `--oss`: the local provider named by `oss_provider`.
    pub(crate) oss: bool,
    /// `--search`: live web search.
    pub(crate) search: bool,
    /// `--strict-config`: an unknown key is an error.
    pub(crate) strict: bool,
    /// `--ignore-user-config`.
    pub(crate) ignore_user_config: bool,
    /// `--ignore-rules`: the administrator's rules only.
    pub(crate) ignore_rules: bool,
}

/// Turns the command line into a layer.
///
/// # Errors
/// A `-c` is not `key=value`, or a feature is unknown.
pub(crate) fn layer(flags: &Flags, base: &std::path::Path, sources: &mut Sources) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    let add = |label: String, sources: &mut Sources| {
        sources.add(Source { layer: Layer::Session, label, base: base.to_owned(), text: None })
    };
    for argument in &flags.overrides {
        let (path, text) = overrides::split(argument)?;
        let source = add(format!("-c {}", overrides::shown(argument)), sources);
        let node = overrides::value(sources, source, text)?;
        set(&mut tree, &path, node);
    }
    for (name, on) in &flags.features {
        let flag = if *on { "--enable" } else { "--disable" };
        if !features::known(name) {
            let hint = diagnose::hint(name, features::names());
            return Err(Error::Feature(format!("{flag} {name}: there is no such feature{hint}")));
        }
        let source = add(format!("{flag} {name}"), sources);
        let node = Node { at: At::start(source), value: Value::Boolean(*on) };
        set(&mut tree, &["features".to_owned(), name.clone()], node);
    }
    for (key, value, flag) in named(flags) {
        let source = add(flag.to_owned(), sources);
        set(&mut tree, &[key.to_owned()], Node { at: At::start(source), value: Value::Text(value) });
    }
    Ok(tree)
}

/// Flags with a name of their own: key, value, flag.
fn named(flags: &Flags) -> Vec<(&'static str, String, &'static str)> {
    let mut list = Vec::new();
    if let Some(model) = &flags.model {
        list.push(("model", model.clone(), "--model"));
    }
    if flags.search {
        list.push(("web_search", "live".to_owned(), "--search"));
    }
    if flags.full_auto {
        list.push(("sandbox_mode", SandboxMode::WorkspaceWrite.as_str().to_owned(), "--full-auto"));
        list.push(("approval_policy", ApprovalPolicy::OnRequest.word().to_owned(), "--full-auto"));
    }
    if let Some(mode) = flags.sandbox {
        list.push(("sandbox_mode", mode.as_str().to_owned(), "--sandbox"));
    }
    if let Some(policy) = flags.approval {
        list.push(("approval_policy", policy.word().to_owned(), "--ask-for-approval"));
    }
    if flags.bypass {
        let flag = "--dangerously-bypass-approvals-and-sandbox";
        list.push(("sandbox_mode", SandboxMode::DangerFullAccess.as_str().to_owned(), flag));
        list.push(("approval_policy", ApprovalPolicy::Never.word().to_owned(), flag));
    }
    list
}
