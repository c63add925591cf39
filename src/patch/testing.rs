//! A temporary tree to patch, for the tests of this folder.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::error::Error;
use super::hunk::Action;
use super::locate::locate;
use super::parse::parse;
use super::place::Disk;
use super::plan::{Plan, plan};
use super::splice::splice;
use super::standalone::apply;
use super::text::Text;

/// A patch around some hunks.
pub(super) fn patch(hunks: &str) -> String {
    format!("*** Begin Patch\n{hunks}*** End Patch\n")
}

/// One update of one text, without any file.
pub(super) fn change(old: &str, body: &str) -> Result<String, String> {
    let text = patch(&format!("*** Update File: f\n{body}"));
    let parsed = parse(&text).map_err(|error| error.to_string())?;
    let Action::Update { chunks, .. } = &parsed.hunks[0].action else { panic!("not an update") };
    let lines = Text::new(old).unwrap();
    let edits = locate(chunks, &lines, "f").map_err(|miss| format!("{}: {}", miss.line, miss.reason))?;
    Ok(splice(&lines, &edits))
}

/// An update of one text comes to `new`.
#[track_caller]
pub(super) fn check(old: &str, body: &str, new: &str) {
    assert_eq!(change(old, body).as_deref(), Ok(new), "{old:?} with {body:?}");
}

/// A temporary folder with files in it.
pub(super) struct Tree {
    _dir: tempfile::TempDir,
    pub(super) root: PathBuf,
}

impl Tree {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let tree = Self { _dir: dir, root };
        for (path, content) in files {
            tree.write(path, content.as_bytes());
        }
        tree
    }

    pub(super) fn write(&self, path: &str, content: &[u8]) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(super) fn link(&self, path: &str, target: &str) {
        symlink(target, self.root.join(path)).unwrap();
    }

    pub(super) fn chmod(&self, path: &str, mode: u32) {
        std::fs::set_permissions(self.root.join(path), PermissionsExt::from_mode(mode)).unwrap();
    }

    pub(super) fn plan(&self, hunks: &str) -> Result<Plan, Error> {
        plan(&parse(&patch(hunks))?, &self.root, &Disk)
    }

    /// Applies hunks and returns the report, or the error as text.
    pub(super) fn apply(&self, hunks: &str) -> Result<String, String> {
        let plan = apply(&patch(hunks), &self.root).map_err(|error| error.to_string())?;
        Ok(plan.report.iter().map(|(letter, path)| format!("{letter} {path}\n")).collect())
    }

    pub(super) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Everything there is: path → mode and content (or where a link leads).
    pub(super) fn all(&self) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut out = BTreeMap::new();
        let mut open = vec![self.root.clone()];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let meta = path.symlink_metadata().unwrap();
                let content = if meta.is_symlink() {
                    std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
                } else if meta.is_dir() {
                    open.push(path.clone());
                    Vec::new()
                } else {
                    std::fs::read(&path).unwrap()
                };
                let name = path.strip_prefix(&self.root).unwrap().display().to_string();
                out.insert(name, (meta.permissions().mode(), content));
            }
        }
        out
    }

    /// Names of everything there is.
    pub(super) fn names(&self) -> Vec<String> {
        self.all().into_keys().collect()
    }
}
