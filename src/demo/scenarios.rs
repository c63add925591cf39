//! The scenarios that are built in. Each is one file in `assets/demo`.

use std::path::Path;

use super::error::Error;
use super::script::Script;

/// Name of the file and its text. The last one answers whatever nobody else answers.
const FILES: [(&str, &str); 4] = [
    ("assets/demo/fix-a-bug.toml", include_str!("../../assets/demo/fix-a-bug.toml")),
    ("assets/demo/feel-the-sandbox.toml", include_str!("../../assets/demo/feel-the-sandbox.toml")),
    ("assets/demo/limits-and-resets.toml", include_str!("../../assets/demo/limits-and-resets.toml")),
    ("assets/demo/hello.toml", include_str!("../../assets/demo/hello.toml")),
];

/// All scenarios that can be played, in the order in which they are played.
///
/// # Errors
/// A built-in file is written wrongly, which a test finds first.
pub(crate) fn playable() -> Result<Vec<Script>, Error> {
    let mut scripts = all()?;
    scripts.retain(|script| !script.prompt.is_empty());
    Ok(scripts)
}

/// The playable scenarios that are wanted: the one called `name`, or all.
///
/// # Errors
/// There is none of that name.
pub(crate) fn chosen(name: Option<&str>) -> Result<Vec<Script>, Error> {
    let mut scripts = playable()?;
    let Some(name) = name else { return Ok(scripts) };
    let known: Vec<String> = scripts.iter().map(|script| script.name.clone()).collect();
    scripts.retain(|script| script.name == name);
    if scripts.is_empty() {
        return Err(Error::NoScenario { name: name.to_owned(), known: known.join(", ") });
    }
    Ok(scripts)
}

/// What `--serve` serves: one scenario or all of them, and an answer for everything else.
///
/// # Errors
/// There is none of that name.
pub(crate) fn served(name: Option<&str>) -> Result<Script, Error> {
    let others = all()?.into_iter().filter(|script| script.prompt.is_empty());
    Ok(Script::join(chosen(name)?.into_iter().chain(others)))
}

/// A scenario from a file of the user's.
///
/// # Errors
/// The file cannot be read, or is written wrongly.
pub(crate) fn from_file(path: &Path) -> Result<Script, Error> {
    let text =
        std::fs::read_to_string(path).map_err(|source| Error::Setup { path: path.to_owned(), source })?;
    Script::read(&path.display().to_string(), &text)
}

fn all() -> Result<Vec<Script>, Error> {
    FILES.iter().map(|(name, text)| Script::read(name, text)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_files_are_read_and_their_rules_can_be_joined() {
        let scripts = all().unwrap();
        let mut names = BTreeSet::new();
        for rule in scripts.iter().flat_map(|script| &script.rules) {
            assert!(names.insert(rule.name.clone()), "two scenarios have a rule `{}`", rule.name);
        }
        for script in playable().unwrap() {
            assert!(!script.title.is_empty() && !script.story.is_empty() && !script.expects.is_empty());
        }
        assert_eq!(served(None).unwrap().rules.len(), names.len());
        assert!(matches!(chosen(Some("nope")), Err(Error::NoScenario { .. })));
    }

    #[test]
    fn every_asset_is_listed() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo");
        let files = std::fs::read_dir(dir).unwrap().count();
        assert_eq!(files, FILES.len());
    }
}
