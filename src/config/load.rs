//! From environment and command line to a `Config`, in one pass: find the files, weigh them, read the result.
//! Which profile and which project files count is itself configured, so the user's layers are read first.

use std::path::{Path, PathBuf};

use super::diagnose;
use super::env::Env;
use super::error::{Error, Place};
use super::flags::{self, Flags};
use super::layers;
use super::merge;
use super::requirements::Requirements;
use super::resolve::{self, Found};
use super::schema::reader::Context;
use super::schema::root;
use super::settings::Config;
use super::tree::{Layer, Sources, Tree, Value, retag};
use super::trust::{self, Trust};
use super::{home, tree};

/// Loads the configuration.
///
/// # Errors
/// A file, an argument or a value cannot be used; the text says which and why.
pub(crate) fn load(env: &Env, flags: &Flags) -> Result<Config, Error> {
    let codex_home = home::find(env)?;
    let cwd = working_directory(env, flags)?;
    let mut sources = Sources::default();
    let mut warnings = Vec::new();

    let mut user = UserLayers::read(env, flags, &codex_home, &cwd, &mut sources)?;
    let profile = user.profile(flags, &codex_home, &mut sources)?;
    let project_root = trust::project_root(&cwd, &user.root_markers(&sources)?);
    let trust = trust::look_up(&cwd, project_root.as_deref(), &user.highest_first(), &sources)?;
    let mut lower = Vec::new();
    let top = project_root.as_deref().unwrap_or(&cwd);
    let top_is_lower = trust::lies_in_main(top);
    for folder in layers::project_folders(project_root.as_deref(), &cwd, &codex_home) {
        let dir = folder.parent().filter(|dir| top_is_lower || *dir != top);
        let said = dir.map(|dir| trust::of(dir, &user.highest_first(), &sources)).transpose()?;
        if said.is_some_and(|said| said != Some(Trust::Trusted)) {
            lower.push(folder);
        }
    }

    let mut merged = user.system;
    merge::over(&mut merged, user.user);
    merge::over(&mut merged, user.profile);
    let profiles = layers::permission_profiles(&merged);
    for file in layers::project_files(project_root.as_deref(), &cwd, &codex_home) {
        if trust != Trust::Trusted {
            warnings.push(not_loaded(&file, trust, project_root.as_deref().unwrap_or(&cwd), &codex_home));
            continue;
        }
        let dir = file.parent().unwrap_or(Path::new("/")).to_owned();
        let Some(mut tree) = layers::read(&file, Layer::Project(dir), &mut sources)? else { continue };
        if lower.iter().any(|folder| file.starts_with(folder)) {
            warnings.extend(layers::restrict(&mut tree, &file, &layers::permission_profiles(&merged)));
            warnings.extend(layers::restrict_lower(&mut tree, &file));
        } else {
            warnings.extend(layers::restrict(&mut tree, &file, &profiles));
        }
        merge::over(&mut merged, tree);
    }
    merge::over(&mut merged, user.session);
    merge::over(&mut merged, user.managed);

    let context = Context::new(&sources, env.home());
    let mut tables = context.root(&merged, root::read)?;
    warnings.extend(context.take_idle());
    let unknown = context.into_unknown();
    if flags.strict
        && let Some(first) = unknown.first()
    {
        return Err(Error::UnknownKey(first.replace(", ignored", "")));
    }
    warnings.extend(unknown);
    let origins = merge::origins(&merged, &sources);
    let asked = |key: &str| {
        let path: Vec<&str> = key.split('.').collect();
        tree::find(&merged, &path).map(|node| sources.place(node.at).to_string())
    };
    let mut requirements = Requirements::load(env, &mut warnings)?;
    if let Some(requirements) = &mut requirements {
        requirements.choose(&mut tables.permissions, &asked, &mut warnings);
    }
    let found = Found { codex_home, cwd, project_root, trust, lower, profile, warnings, origins };
    let mut config = resolve::resolve(env, flags, tables, found)?;
    if let Some(requirements) = requirements {
        requirements.apply(&mut config, &asked)?;
    }
    Ok(config)
}

/// All layers that a project cannot write.
struct UserLayers {
    system: Tree,
    user: Tree,
    profile: Tree,
    session: Tree,
    managed: Tree,
}

impl UserLayers {
    fn read(
        env: &Env,
        flags: &Flags,
        codex_home: &Path,
        cwd: &Path,
        sources: &mut Sources,
    ) -> Result<Self, Error> {
        let system = layers::read(&env.system_dir().join("config.toml"), Layer::System, sources)?;
        let user = match flags.ignore_user_config {
            true => None,
            false => layers::read(&home::config_file(codex_home), Layer::User, sources)?,
        };
        let managed = layers::read(&env.system_dir().join("managed_config.toml"), Layer::Managed, sources)?;
        Ok(Self {
            system: system.unwrap_or_default(),
            user: user.unwrap_or_default(),
            profile: Tree::new(),
            session: flags::layer(flags, cwd, sources)?,
            managed: managed.unwrap_or_default(),
        })
    }

    fn highest_first(&self) -> [&Tree; 5] {
        [&self.managed, &self.session, &self.profile, &self.user, &self.system]
    }

    /// Finds and reads the chosen profile: its own file, or else its table in the user's or the system file.
    fn profile(
        &mut self,
        flags: &Flags,
        codex_home: &Path,
        sources: &mut Sources,
    ) -> Result<Option<String>, Error> {
        let key = || self.highest_first().into_iter().find_map(|tree| tree::find(tree, &["profile"]));
        let name = match (&flags.profile, key()) {
            (Some(name), _) => name.clone(),
            (None, None) => return Ok(None),
            (None, Some(node)) => match &node.value {
                Value::Text(name) => name.clone(),
                other => {
                    let problem = format!("is {}; allowed: a string", other.type_name());
                    let place = sources.place(node.at);
                    return Err(Error::Value { place, key: "profile".to_owned(), problem });
                }
            },
        };
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            let shown = diagnose::quoted(&name);
            return Err(Error::Profile(format!(
                "profile {shown}: allowed are letters, digits, `-`, `_` and `.`"
            )));
        }
        let file = home::profile_file(codex_home, &name);
        if let Some(tree) = layers::read(&file, Layer::Profile(name.clone()), sources)? {
            self.profile = tree;
            return Ok(Some(name));
        }
        let mut found = false;
        for tree in [&self.system, &self.user] {
            if let Some(Value::Table(table)) = tree::find(tree, &["profiles", &name]).map(|node| &node.value)
            {
                found = true;
                merge::over(&mut self.profile, retag(table, &Layer::Profile(name.clone()), sources));
            }
        }
        if found { Ok(Some(name)) } else { Err(self.no_profile(&name, &file)) }
    }

    fn no_profile(&self, name: &str, file: &Path) -> Error {
        let tables = [&self.system, &self.user].into_iter().filter_map(|tree| tree.get("profiles"));
        let names = tables.filter_map(|entry| match &entry.node.value {
            Value::Table(table) => Some(table.keys().map(String::as_str)),
            _ => None,
        });
        let hint = diagnose::hint(name, names.flatten());
        Error::Profile(format!(
            "profile \"{name}\" does not exist: there is no {} and no [profiles.{name}]{hint}",
            file.display()
        ))
    }

    /// `project_root_markers` of the highest layer that has them.
    fn root_markers(&self, sources: &Sources) -> Result<Vec<String>, Error> {
        const KEY: &str = "project_root_markers";
        let found = self.highest_first().into_iter().find_map(|tree| tree.get_key_value(KEY));
        let Some((key, entry)) = found else { return Ok(vec![".git".to_owned()]) };
        let only = Tree::from([(key.clone(), entry.clone())]);
        let context = Context::new(sources, None);
        let markers = context.root(&only, |reader| reader.texts(KEY))?.unwrap_or_default();
        Ok(markers.into_iter().filter(|marker| !marker.is_empty()).collect())
    }
}

/// `-C`, or where the program was started; real and absolute, as commands will see it.
fn working_directory(env: &Env, flags: &Flags) -> Result<PathBuf, Error> {
    let fail = |path: &Path, problem: &str| Error::Cwd { path: path.to_owned(), problem: problem.to_owned() };
    let path = match (&flags.cwd, env.cwd()) {
        (Some(dir), Some(start)) => start.join(dir),
        (Some(dir), None) if dir.is_absolute() => dir.clone(),
        (None, Some(start)) => start.to_owned(),
        (dir, None) => {
            let shown = dir.as_deref().unwrap_or(Path::new("."));
            return Err(fail(shown, "the folder this was started in no longer exists"));
        }
    };
    match path.canonicalize() {
        Ok(real) if real.is_dir() => Ok(real),
        Ok(_) => Err(fail(&path, "is not a folder")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(fail(&path, "does not exist")),
        Err(error) => Err(fail(&path, &format!("cannot be opened: {error}"))),
    }
}

/// The sentence for a project file that was passed over.
fn not_loaded(file: &Path, trust: Trust, root: &Path, codex_home: &Path) -> String {
    let place = Place::file(file);
    match trust {
        Trust::Untrusted => format!("{place} exists but is not loaded: you marked this project as untrusted"),
        Trust::Trusted | Trust::Unknown => format!(
            "{place} exists but is not loaded: this project is not trusted. To trust it, add \
             [projects.\"{}\"] with trust_level = \"trusted\" to {}",
            root.display(),
            home::config_file(codex_home).display()
        ),
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
