//! Keeps `config.example.toml` and the schema equal: it loads without a complaint, shows true defaults, names
//! every key that works and none that does not.

use std::path::Path;

use super::super::env::Env;
use super::super::flags::Flags;
use super::super::load::load;
use super::super::settings::Config;
use super::super::tree::{Layer, Source, Sources, Tree, Value};
use super::reader::Context;
use super::{features, later, root};

const EXAMPLE: &str = include_str!("../../../config.example.toml");

/// Approvals by category are shown in a comment: the key has another shape by default.
const IN_A_COMMENT: &str = "approval_policy.granular";

/// The example with its example lines switched on.
fn switched_on() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    };
    EXAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn parsed(text: &str) -> (Sources, Tree) {
    let mut sources = Sources::default();
    let (label, base) = ("config.example.toml".to_owned(), "/".into());
    let source = sources.add(Source { layer: Layer::User, label, base, text: Some(text.to_owned()) });
    let tree = sources.parse(source).unwrap();
    (sources, tree)
}

fn strictly(text: &str, home: &Path) -> Config {
    std::fs::write(home.join("config.toml"), text).unwrap();
    for file in ["instructions.md", "compact.md"] {
        std::fs::write(home.join(file), "text").unwrap();
    }
    let env = Env::of(&[("CODEX_HOME", home.to_str().unwrap())], home);
    let config = load(&env, &Flags { strict: true, ..Flags::default() }).unwrap();
    assert_eq!(config.warnings, [""; 0]);
    config
}

/// Whether a dotted path leads to a key; `*` stands for any one name.
fn named(tree: &Tree, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    tree.iter().filter(|(name, _)| first == "*" || *name == first).any(|(_, entry)| match &entry.node.value {
        _ if rest.is_empty() => true,
        Value::Table(below) => named(below, rest),
        _ => false,
    })
}

#[test]
fn loads_strictly_as_it_is_and_switched_on() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().canonicalize().unwrap();
    let as_it_is = strictly(EXAMPLE, &home);
    let mut default = strictly("", &home);
    assert!(!as_it_is.origins.is_empty());
    default.origins.clone_from(&as_it_is.origins);
    // Features that are named differ from those that are not until they are asked; that follows below.
    default.features = as_it_is.features.clone();
    assert_eq!(format!("{as_it_is:#?}"), format!("{default:#?}"), "a default is wrong");
    for (name, on, _) in features::list() {
        assert_eq!(as_it_is.features.enabled(name), on, "{name}");
    }
    strictly(&switched_on(), &home);
}

#[test]
fn names_every_key_that_works_and_no_other() {
    let (sources, tree) = parsed(&switched_on());
    let context = Context::new(&sources, None);
    context.record();
    let empty = Tree::new();
    assert!(context.root(&empty, root::read).is_ok());
    let keys = context.recorded();
    assert!(keys.len() > 60, "{keys:?}");
    for key in keys.iter().filter(|key| !key.starts_with(IN_A_COMMENT)) {
        assert_eq!(named(&tree, key), !later::covers(key), "{key}");
    }
    for (name, _, works) in features::list() {
        assert_eq!(named(&tree, &format!("features.{name}")), works, "{name}");
    }
    for word in ["granular", "sandbox_approval", "mcp_elicitations", "request_permissions", "skill_approval"]
    {
        assert!(EXAMPLE.contains(word), "{word}");
    }
}
