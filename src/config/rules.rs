//! Where the rules about commands are, and those of the administrator. Their text is read by `approvals`: here is
//! only decided which files count.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::error::Error;
use super::flags::Flags;
use super::layers;
use super::schema::reader::Reader;
use super::tree::{Tree, Value};
use super::trust::Trust;

/// Folders above a working directory outside every repository that are looked at.
const MAX_ABOVE: usize = 32;

/// Where rules come from and go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleSources {
    /// Folders of rules files, and single files; none of them need exist.
    pub(crate) places: Vec<PathBuf>,
    /// The same for folders in which commands could have made them: only rules that ask or forbid count.
    pub(crate) strict: Vec<PathBuf>,
    /// Rules of the administrator.
    pub(crate) required: Vec<RequiredRule>,
    /// The root of the project, or the working directory.
    pub(crate) project: PathBuf,
    /// What the user allows for good.
    pub(crate) user_file: PathBuf,
    /// What the user allows in this project; among the user's files.
    pub(crate) project_file: PathBuf,
    /// Folder of rules that let nothing out of the sandbox, laid out like the user's folder.
    pub(crate) sandboxed: PathBuf,
}

impl RuleSources {
    /// Whether a file holds the rules of a project that only lies above the one that is open.
    pub(crate) fn is_above(&self, file: &Path) -> bool {
        let projects = file.parent().is_some_and(|folder| self.project_file.parent() == Some(folder));
        let inside = file.parent().is_some_and(|folder| folder == self.sandboxed.join("projects"));
        (projects || inside) && file.file_name() != self.project_file.file_name()
    }

    /// The file of the user's rules, for one project or for all, that let out of the sandbox or do not.
    pub(crate) fn file(&self, project: bool, inside: bool) -> PathBuf {
        let file = if project { &self.project_file } else { &self.user_file };
        let user = self.sandboxed.parent().filter(|_| inside);
        match user.and_then(|user| file.strip_prefix(user).ok()) {
            Some(below) => self.sandboxed.join(below),
            None => file.clone(),
        }
    }
}

/// A rule of the administrator; these never allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredRule {
    /// Each place of the prefix with the words that may stand there.
    pub(crate) pattern: Vec<Vec<String>>,
    /// Refuse instead of asking.
    pub(crate) forbidden: bool,
    /// Why.
    pub(crate) justification: Option<String>,
    /// The file it stands in.
    pub(crate) origin: Arc<str>,
}

/// Which files count; also a sentence about those of a project that is not trusted.
pub(crate) fn sources(
    system_dir: &Path,
    codex_home: &Path,
    cwd: &Path,
    root: Option<&Path>,
    (trust, lower): (Trust, &[PathBuf]),
    flags: &Flags,
) -> (RuleSources, Option<String>) {
    let project = root.unwrap_or(cwd).to_owned();
    let user = codex_home.join("rules");
    let project_file = user.join("projects").join(file_name(&project));
    let mut places = vec![system_dir.join("rules")];
    let (mut strict, mut warning) = (Vec::new(), None);
    if !flags.ignore_rules {
        places.extend([user.clone(), user.join("sandboxed")]);
        let folders = layers::project_folders(root, cwd, codex_home);
        if trust == Trust::Trusted {
            let (below, own): (Vec<_>, Vec<_>) = folders.into_iter().partition(|dir| lower.contains(dir));
            places.extend(own.into_iter().map(|dir| dir.join("rules")));
            strict.extend(below.into_iter().map(|dir| dir.join("rules")));
        } else if let Some(last) =
            folders.into_iter().map(|dir| dir.join("rules")).rfind(|dir| dir.symlink_metadata().is_ok())
        {
            let shown = last.display();
            warning = Some(format!("{shown} exists but is not loaded: this project is not trusted"));
        }
        for project in projects(root, cwd) {
            let name = Path::new("projects").join(file_name(project));
            places.extend([user.join(&name), user.join("sandboxed").join(&name)]);
        }
    }
    let user_file = user.join("default.rules");
    let sandboxed = user.join("sandboxed");
    (
        RuleSources { places, strict, required: Vec::new(), project, user_file, project_file, sandboxed },
        warning,
    )
}

/// The projects that a working directory belongs to: that of its root alone, or where there is none the folder itself
/// and those above, in which the user may have answered before.
pub(crate) fn projects<'a>(root: Option<&'a Path>, cwd: &'a Path) -> impl Iterator<Item = &'a Path> {
    let deep = if root.is_some() { 1 } else { MAX_ABOVE };
    root.unwrap_or(cwd).ancestors().take(deep)
}

/// A name that people recognise and that no other project has.
fn file_name(project: &Path) -> String {
    let mut digest = String::new();
    for byte in Sha256::digest(project.as_os_str().as_encoded_bytes()).iter().take(6) {
        let _ = write!(digest, "{byte:02x}");
    }
    let name = project.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = name.chars().take(40).map(plain).collect();
    format!("{name}-{digest}.rules")
}

/// Reads `[rules]` of the requirements.
///
/// # Errors
/// Anything in it is not understood: the administrator's rules must not be lost silently.
pub(crate) fn required(reader: &mut Reader<'_>) -> Result<Vec<RequiredRule>, Error> {
    let Some(node) = reader.node("prefix_rules") else { return Ok(Vec::new()) };
    let fault =
        |at: usize, problem: &str| reader.fault("prefix_rules", &format!("rule {}: {problem}", at + 1));
    let Value::Array(list) = &node.value else {
        return Err(reader.fault("prefix_rules", "is not a list of tables"));
    };
    let origin = reader.place("prefix_rules").map(|place| place.to_string()).unwrap_or_default();
    let origin: Arc<str> = origin.into();
    let mut rules = Vec::new();
    for (at, node) in list.iter().enumerate() {
        let Value::Table(table) = &node.value else { return Err(fault(at, "it is not a table")) };
        rules.push(rule(table, &origin).map_err(|problem| fault(at, &problem))?);
    }
    Ok(rules)
}

fn rule(table: &Tree, origin: &Arc<str>) -> Result<RequiredRule, String> {
    if let Some(unknown) =
        table.keys().find(|key| !["pattern", "decision", "justification"].contains(&key.as_str()))
    {
        return Err(format!("`{}` is not understood", super::diagnose::quoted(unknown)));
    }
    let forbidden = match text(table, "decision") {
        Some("forbidden") => true,
        Some("prompt") => false,
        _ => return Err("`decision` is \"prompt\" or \"forbidden\"".to_owned()),
    };
    let pattern = match table.get("pattern").map(|entry| &entry.node.value) {
        Some(Value::Array(list)) if !list.is_empty() => {
            list.iter().map(|node| place(&node.value)).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    let pattern = pattern
        .ok_or("`pattern` is a list of { token = \"…\" } and { any_of = [\"…\"] }, none of them empty")?;
    let justification = text(table, "justification").map(str::to_owned);
    Ok(RequiredRule { pattern, forbidden, justification, origin: Arc::clone(origin) })
}

fn text<'a>(table: &'a Tree, key: &str) -> Option<&'a str> {
    match table.get(key).map(|entry| &entry.node.value) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn place(value: &Value) -> Option<Vec<String>> {
    let word = |value: &Value| match value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let Value::Table(table) = value else { return None };
    let mut entries = table.iter();
    let (key, entry) = entries.next().filter(|_| table.len() == 1)?;
    match (key.as_str(), &entry.node.value) {
        ("token", value) => word(value).map(|word| vec![word]),
        ("any_of", Value::Array(list)) if !list.is_empty() => {
            list.iter().map(|node| word(&node.value)).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_have_files_of_their_own() {
        let (a, b) = (file_name(Path::new("/a/my app")), file_name(Path::new("/b/my app")));
        assert!(a.starts_with("my_app-") && a.ends_with(".rules") && a != b, "{a} {b}");
        assert!(file_name(Path::new("/")).len() > 10);
    }
}
