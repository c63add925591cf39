//! The single writer of `config.toml`. It changes one value and leaves everything else as the user wrote it:
//! comments, order, spacing. The file is replaced whole, under a lock, and never when it could not be read.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value, value};

use super::layers::FILE_MAX;
use crate::base::fs;
use crate::base::lock::FileLock;

/// Another program holds the file for no longer than it takes to write it.
const LOCK_WITHIN: Duration = Duration::from_secs(5);

/// The configuration was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file cannot be read, locked or written.
    #[error("cannot change {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML, so nothing can be put into it: the user must mend it first.
    #[error("cannot change {path}, it is not valid TOML: {reason}", path = path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What the parser met.
        reason: String,
    },
    /// Something else stands where a table or a list is needed.
    #[error("cannot change {path}: `{key}` is something else there", path = path.display())]
    NotATable {
        /// The file.
        path: PathBuf,
        /// The dotted key.
        key: String,
    },
}

/// Sets one text value in the file at `path`; `keys` is the way to it, the last one its name. Missing tables and
/// a missing file are made. Blocks.
///
/// # Errors
/// See [`Error`]; the file is as it was then.
pub(crate) fn set_text(path: &Path, keys: &[&str], text: &str) -> Result<(), Error> {
    set(path, keys, value(text))
}

/// Sets one yes or no. Blocks.
///
/// # Errors
/// See [`Error`]; the file is as it was then.
pub(crate) fn set_flag(path: &Path, keys: &[&str], on: bool) -> Result<(), Error> {
    set(path, keys, value(on))
}

/// Sets one list of texts. Blocks.
///
/// # Errors
/// See [`Error`]; the file is as it was then.
pub(crate) fn set_list(path: &Path, keys: &[&str], texts: &[String]) -> Result<(), Error> {
    set(path, keys, value(texts.iter().map(String::as_str).collect::<toml_edit::Array>()))
}

/// Removes one value; nothing happens when it is not there. Blocks.
///
/// # Errors
/// See [`Error`].
pub(crate) fn remove(path: &Path, keys: &[&str]) -> Result<(), Error> {
    set(path, keys, Item::None)
}

/// Adds one entry to a list, made when missing, unless it is there already. Blocks.
///
/// # Errors
/// See [`Error`]; the file is as it was then.
pub(crate) fn add(path: &Path, keys: &[&str], entry: impl Into<Value>) -> Result<(), Error> {
    let entry = entry.into();
    change(path, |root| append(root, keys, entry))
}

fn set(path: &Path, keys: &[&str], new: Item) -> Result<(), Error> {
    change(path, |root| put(root, keys, new))
}

/// `work` gives back the dotted key at which no table stands.
fn change(path: &Path, work: impl FnOnce(&mut Table) -> Result<(), String>) -> Result<(), Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_private_dir(dir).map_err(io)?;
    let lock = FileLock::take_within(&path.with_extension("toml.lock"), LOCK_WITHIN).map_err(io)?;
    let _lock = lock.ok_or_else(|| io(io::ErrorKind::WouldBlock.into()))?;
    let old = match fs::read_bounded(path, FILE_MAX).map(String::from_utf8) {
        Ok(Ok(old)) => old,
        Ok(Err(_)) => return Err(io(io::ErrorKind::InvalidData.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(io(error)),
    };
    let mut document: DocumentMut = old.parse().map_err(|error: toml_edit::TomlError| Error::Broken {
        path: path.to_owned(),
        reason: error.message().to_owned(),
    })?;
    work(document.as_table_mut()).map_err(|key| Error::NotATable { path: path.to_owned(), key })?;
    // A file behind a link stays behind it.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // Another file could take its name; who took the right to write away did not mean that.
    if target.metadata().is_ok_and(|meta| meta.permissions().readonly()) {
        return Err(io(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only")));
    }
    fs::replace(&target, document.to_string().as_bytes(), 0o600).map_err(io)
}

fn put(root: &mut Table, keys: &[&str], new: Item) -> Result<(), String> {
    let Some((name, tables)) = keys.split_last() else { return Ok(()) };
    let mut table = root;
    for (depth, key) in tables.iter().enumerate() {
        if new.is_none() && !table.contains_key(key) {
            return Ok(());
        }
        let entry = table.entry(key).or_insert_with(|| {
            let mut made = Table::new();
            // `[projects."/a"]` alone, without an empty `[projects]` above it.
            made.set_implicit(depth + 1 < tables.len());
            Item::Table(made)
        });
        table = entry.as_table_mut().ok_or_else(|| keys.get(..=depth).unwrap_or_default().join("."))?;
    }
    if new.is_none() {
        table.remove(name);
    } else {
        match table.get_mut(name).and_then(Item::as_value_mut) {
            // The comment behind the old value stays.
            Some(old) => {
                let decor = old.decor().clone();
                if let Item::Value(mut fresh) = new {
                    *fresh.decor_mut() = decor;
                    *old = fresh;
                }
            }
            None => {
                table.insert(name, new);
            }
        }
    }
    Ok(())
}

fn append(root: &mut Table, keys: &[&str], entry: Value) -> Result<(), String> {
    let Some((name, tables)) = keys.split_last() else { return Ok(()) };
    let mut table: &mut dyn TableLike = root;
    for (depth, key) in tables.iter().enumerate() {
        let made = || {
            let mut made = Table::new();
            made.set_implicit(depth + 1 < tables.len());
            Item::Table(made)
        };
        let below = table.entry(key).or_insert_with(made);
        table = below.as_table_like_mut().ok_or_else(|| keys.get(..=depth).unwrap_or_default().join("."))?;
    }
    let list = table.entry(name).or_insert_with(|| value(toml_edit::Array::new()));
    let list = list.as_array_mut().ok_or_else(|| keys.join("."))?;
    let known = |old: &Value| match (old, &entry) {
        (Value::String(old), Value::String(new)) => old.value() == new.value(),
        (Value::Integer(old), Value::Integer(new)) => old.value() == new.value(),
        _ => false,
    };
    if !list.iter().any(known) {
        list.push(entry);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(before: &str, keys: &[&str], text: &str) -> Result<String, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        if !before.is_empty() {
            std::fs::write(&path, before).unwrap();
        }
        set_text(&path, keys, text)?;
        Ok(std::fs::read_to_string(&path).unwrap())
    }

    #[test]
    fn one_value_changes_and_the_rest_stays() {
        let before = "# mine\nmodel = \"a\" # the good one\n\n[tui]\n# calm\nanimations = false\n";
        let want = "# mine\nmodel = \"b\" # the good one\n\n[tui]\n# calm\nanimations = false\n";
        assert_eq!(edited(before, &["model"], "b").unwrap(), want);
    }

    #[test]
    fn tables_and_files_are_made() {
        let trust = edited("", &["projects", "/a b/c.d", "trust_level"], "trusted").unwrap();
        assert_eq!(trust, "[projects.\"/a b/c.d\"]\ntrust_level = \"trusted\"\n");
    }

    #[test]
    fn entries_are_added_once_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let before = "# mine\n[projects]\n\"/p\" = { trust_level = \"trusted\" }\n\n[s]\nports = [ # two\n  1,\n  2, # b\n]\n";
        std::fs::write(&path, before).unwrap();
        for () in [(), ()] {
            add(&path, &["projects", "/p", "roots"], "/a b").unwrap();
            add(&path, &["projects", "/q.r", "roots"], "/c").unwrap();
            add(&path, &["s", "ports"], 2).unwrap();
            add(&path, &["s", "ports"], 3).unwrap();
        }
        let after = std::fs::read_to_string(&path).unwrap();
        let table: toml_edit::DocumentMut = after.parse().unwrap();
        let list = |keys: [&str; 3]| table[keys[0]][keys[1]][keys[2]].as_array().map(ToString::to_string);
        assert_eq!(list(["projects", "/p", "roots"]).unwrap().trim(), "[\"/a b\"]");
        assert_eq!(list(["projects", "/q.r", "roots"]).unwrap().trim(), "[\"/c\"]");
        let ports: Vec<i64> =
            table["s"]["ports"].as_array().unwrap().iter().flat_map(Value::as_integer).collect();
        assert_eq!(ports, [1, 2, 3]);
        assert!(after.starts_with("# mine\n[projects]\n\"/p\" = { trust_level = \"trusted\""), "{after}");
        assert!(after.contains("[ # two\n  1,\n  2") && after.contains("# b"), "{after}");
        assert!(matches!(add(&path, &["s"], "x"), Err(Error::NotATable { .. })));
    }

    #[test]
    fn removing_what_is_not_there_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "model = \"a\"\n[tui]\ntheme = \"x\"\n").unwrap();
        remove(&path, &["profiles", "p", "model"]).unwrap();
        remove(&path, &["tui", "theme"]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "model = \"a\"\n[tui]\n");
    }

    #[test]
    fn a_read_only_file_stays_and_writers_at_once_lose_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::thread::scope(|scope| {
            for n in 1..4 {
                let path = &path;
                scope.spawn(move || (0..20).for_each(|m| add(path, &["s", "ports"], n * 100 + m).unwrap()));
            }
        });
        let before = std::fs::read_to_string(&path).unwrap();
        assert_eq!(before.parse::<DocumentMut>().unwrap()["s"]["ports"].as_array().unwrap().len(), 60);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
        let error = add(&path, &["s", "ports"], 1).unwrap_err().to_string();
        assert!(error.ends_with("config.toml: it is read-only"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    }

    #[test]
    fn a_broken_file_is_left_alone() {
        assert!(matches!(edited("model = ", &["model"], "b"), Err(Error::Broken { .. })));
        let error = edited("tui = 3\n", &["tui", "theme"], "x").unwrap_err();
        assert!(matches!(&error, Error::NotATable { key, .. } if key == "tui"), "{error}");
    }
}
