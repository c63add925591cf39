//! Reads one merged table by key and type. What a table's file asks for here *is* the schema: keys nobody asked
//! for are unknown, and every fault knows its place. Defaults stay with the caller.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::path::{absolute, normalise};
use crate::config::diagnose::{self, quoted};
use crate::config::error::{Error, Place};
use crate::config::layers::read_text;
use crate::config::tree::{At, Layer, Node, Sources, Tree, Value, join};

use super::choice::Choice;
use super::later;

/// What all readers of one configuration share.
pub(crate) struct Context<'a> {
    /// For places and relative paths.
    pub(crate) sources: &'a Sources,
    /// For `~/`.
    pub(crate) home: Option<&'a Path>,
    notes: RefCell<Notes>,
}

#[derive(Default)]
struct Notes {
    unknown: Vec<(At, String)>,
    /// Sentences about keys that protect nothing yet.
    idle: Vec<(At, String)>,
    /// Every key asked for, when a test wants to know the schema.
    keys: Option<Vec<String>>,
}

/// One table on its way to a typed value.
pub(crate) struct Reader<'a> {
    context: &'a Context<'a>,
    tree: &'a Tree,
    path: String,
    seen: Vec<&'static str>,
}

static EMPTY: Tree = Tree::new();

impl<'a> Context<'a> {
    /// A context without notes yet.
    pub(crate) fn new(sources: &'a Sources, home: Option<&'a Path>) -> Self {
        Self { sources, home, notes: RefCell::default() }
    }

    /// Reads the outermost table with `read`, then reports its unknown keys.
    pub(crate) fn root<T>(
        &'a self,
        tree: &'a Tree,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut reader = Reader { context: self, tree, path: String::new(), seen: Vec::new() };
        let value = read(&mut reader)?;
        reader.finish();
        Ok(value)
    }

    /// One sentence per key that is known, is there to protect, and does not do so yet; in the order of the files.
    pub(crate) fn take_idle(&self) -> Vec<String> {
        let mut idle = std::mem::take(&mut self.notes.borrow_mut().idle);
        idle.sort();
        idle.into_iter().map(|(_, sentence)| sentence).collect()
    }

    /// One sentence per unknown key, in the order of the files.
    pub(crate) fn into_unknown(self) -> Vec<String> {
        let mut unknown = self.notes.into_inner().unknown;
        unknown.sort(); // by place, so that they read like the file
        unknown.into_iter().map(|(_, sentence)| sentence).collect()
    }
}

#[cfg(test)]
impl Context<'_> {
    /// From now on remembers every key asked for, tables with free names included.
    pub(crate) fn record(&self) {
        self.notes.borrow_mut().keys = Some(Vec::new());
    }

    /// What was remembered.
    pub(crate) fn recorded(&self) -> Vec<String> {
        self.notes.borrow_mut().keys.take().unwrap_or_default()
    }
}

impl<'a> Reader<'a> {
    /// The value of a key, whatever its type.
    pub(crate) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.seen.push(key);
        if let Some(keys) = &mut self.context.notes.borrow_mut().keys {
            keys.push(join(&self.path, key));
        }
        self.tree.get(key).map(|entry| &entry.node)
    }

    /// A string, which may be empty.
    pub(crate) fn text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { value: Value::Text(text), .. }) => Ok(Some(text.clone())),
            Some(node) => Err(self.wrong_type(key, node, "a string")),
        }
    }

    /// A string that says something.
    pub(crate) fn name(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        let text = self.text(key)?;
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return Err(self.fault(key, "is empty; leave the key out instead"));
        }
        Ok(text)
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, Error> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { value: Value::Boolean(value), .. }) => Ok(Some(*value)),
            Some(node) => Err(self.wrong_type(key, node, "true or false")),
        }
    }

    /// A whole number that is at least `min`.
    pub(crate) fn number(&mut self, key: &'static str, min: u64) -> Result<Option<u64>, Error> {
        let wanted = format!("a whole number from {min}");
        match self.node(key) {
            None => Ok(None),
            Some(node) => match node.value {
                Value::Integer(number) => match u64::try_from(number) {
                    Ok(number) if number >= min => Ok(Some(number)),
                    _ => Err(self.fault(key, &format!("is {number}; allowed: {wanted}"))),
                },
                _ => Err(self.wrong_type(key, node, &wanted)),
            },
        }
    }

    /// One of the words of a type.
    pub(crate) fn choice<C: Choice>(&mut self, key: &'static str) -> Result<Option<C>, Error> {
        let words = || C::WORDS.iter().map(|(word, _)| *word);
        let allowed = || words().map(quoted).collect::<Vec<_>>().join(", ");
        match self.node(key) {
            None => Ok(None),
            Some(Node { value: Value::Text(word), .. }) => match C::from_word(word) {
                Some(value) => Ok(Some(value)),
                None => {
                    let hint = diagnose::hint(word, words());
                    Err(self.fault(key, &format!("is {}; allowed: {}{hint}", quoted(word), allowed())))
                }
            },
            Some(node) => Err(self.wrong_type(key, node, &allowed())),
        }
    }

    /// A list of strings.
    pub(crate) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, Error> {
        let Some(node) = self.node(key) else { return Ok(None) };
        let Value::Array(items) = &node.value else {
            return Err(self.wrong_type(key, node, "an array of strings"));
        };
        let text = |item: &Node| match &item.value {
            Value::Text(text) => Ok(text.clone()),
            other => {
                let problem = format!("holds {}; allowed: an array of strings", other.type_name());
                Err(self.value_error(key, item.at, problem))
            }
        };
        items.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A list of hosts, each perhaps with a port.
    pub(crate) fn hosts(&mut self, key: &'static str) -> Result<Vec<String>, Error> {
        const WANTED: &str = "host, *.host, host:port or *.host:port";
        let hosts = self.texts(key)?.unwrap_or_default();
        let Some(wrong) = hosts.iter().find(|host| !super::hosts::is_host(host)) else { return Ok(hosts) };
        Err(self.fault(key, &format!("holds {wrong:?}; allowed: {WANTED}")))
    }

    /// A list of TCP ports.
    pub(crate) fn ports(&mut self, key: &'static str) -> Result<Vec<u16>, Error> {
        const WANTED: &str = "an array of port numbers from 1 to 65535";
        // Each costs a process; more would be no list but an open network.
        const MOST: usize = 64;
        let Some(node) = self.node(key) else { return Ok(Vec::new()) };
        let Value::Array(items) = &node.value else { return Err(self.wrong_type(key, node, WANTED)) };
        let port = |item: &Node| match item.value {
            Value::Integer(number) if (1..=65535).contains(&number) => Ok(number as u16),
            _ => Err(self.value_error(key, item.at, format!("holds something else; allowed: {WANTED}"))),
        };
        if items.len() > MOST {
            let problem = format!("holds {} ports; {MOST} are the most that can be open", items.len());
            return Err(self.value_error(key, node.at, problem));
        }
        items.iter().map(port).collect()
    }

    /// A table of strings, by name.
    pub(crate) fn text_map(&mut self, key: &'static str) -> Result<BTreeMap<String, String>, Error> {
        let Some(node) = self.node(key) else { return Ok(BTreeMap::new()) };
        let Value::Table(table) = &node.value else {
            return Err(self.wrong_type(key, node, "a table of strings"));
        };
        let text = |(name, entry): (&String, &crate::config::tree::Entry)| match &entry.node.value {
            Value::Text(text) => Ok((name.clone(), text.clone())),
            other => {
                let problem = format!("is {}; allowed: a string", other.type_name());
                Err(self.value_error(&join(key, name), entry.node.at, problem))
            }
        };
        table.iter().map(text).collect()
    }

    /// A path; relative ones mean the folder of the file that says so, `~/` the home folder.
    pub(crate) fn path(&mut self, key: &'static str) -> Result<Option<PathBuf>, Error> {
        let text = self.name(key)?;
        Ok(text.zip(self.tree.get(key)).map(|(text, entry)| self.resolve(entry.node.at, &text)))
    }

    /// A list of paths.
    pub(crate) fn paths(&mut self, key: &'static str) -> Result<Vec<PathBuf>, Error> {
        let texts = self.texts(key)?.unwrap_or_default();
        if texts.iter().any(String::is_empty) {
            return Err(self.fault(key, "holds an empty path"));
        }
        let at = self.tree.get(key).map(|entry| entry.node.at);
        Ok(texts.iter().zip(at.into_iter().cycle()).map(|(text, at)| self.resolve(at, text)).collect())
    }

    /// The text of the file that a key names.
    pub(crate) fn file(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        let Some(path) = self.path(key)? else { return Ok(None) };
        match read_text(&path) {
            Ok(Some(text)) if text.trim().is_empty() => {
                Err(self.fault(key, &format!("names {}, which is empty", path.display())))
            }
            Ok(Some(text)) => Ok(Some(text)),
            Ok(None) => Err(self.fault(key, &format!("names {}, which does not exist", path.display()))),
            Err(error) => Err(self.fault(key, &format!("names a file that cannot be used: {error}"))),
        }
    }

    /// A table with fixed keys; read as empty when it is not there, so that defaults have one home.
    pub(crate) fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let tree = match self.node(key) {
            None => &EMPTY,
            Some(Node { value: Value::Table(tree), .. }) => tree,
            Some(node) => return Err(self.wrong_type(key, node, "a table")),
        };
        self.below(tree, key).read(read)
    }

    /// A table whose keys are the user's names, each for a table with fixed keys.
    pub(crate) fn each<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&str, &mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.table(key, |all| {
            if all.context.notes.borrow().keys.is_some() {
                let _ = all.below(&EMPTY, "*").read(|one| read("*", one));
            }
            let mut list = Vec::new();
            for (name, entry) in all.tree {
                let Value::Table(tree) = &entry.node.value else {
                    let problem = format!("is {}; allowed: a table", entry.node.value.type_name());
                    return Err(all.value_error(name, entry.node.at, problem));
                };
                list.push(all.below(tree, name).read(|one| read(name, one))?);
            }
            all.names_are_free();
            Ok(list)
        })
    }

    /// The path that a key itself names.
    pub(crate) fn path_named(&self, key: &str) -> PathBuf {
        let at = self.tree.get(key).map(|entry| entry.key_at).unwrap_or_default();
        self.resolve(at, key)
    }

    /// The layer that set a key.
    pub(crate) fn layer(&self, key: &str) -> Option<Layer> {
        let entry = self.tree.get(key)?;
        self.context.sources.of(entry.node.at).map(|source| source.layer.clone())
    }

    /// Where a key's value is written, if it is.
    pub(crate) fn place(&self, key: &str) -> Option<Place> {
        self.tree.get(key).map(|entry| self.context.sources.place(entry.node.at))
    }

    /// A fault of a key's value; `problem` follows the key in the sentence.
    pub(crate) fn fault(&self, key: &str, problem: &str) -> Error {
        let at = self.tree.get(key).map(|entry| entry.node.at).unwrap_or_default();
        self.value_error(key, at, problem.to_owned())
    }

    /// Where the first key of this table is, for faults of the table as a whole.
    pub(crate) fn first_place(&self) -> Place {
        let first = self.tree.values().map(|entry| entry.key_at).min();
        self.context.sources.place(first.unwrap_or_default())
    }

    /// Dotted path of this table.
    pub(crate) fn path_text(&self) -> &str {
        &self.path
    }

    /// Keys of this table as written.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&'a String, At, &'a Value)> + use<'a> {
        self.tree.iter().map(|(name, entry)| (name, entry.key_at, &entry.node.value))
    }

    /// The keys of this table were looked at one by one: none of them is unknown.
    pub(crate) fn names_are_free(&mut self) {
        self.tree = &EMPTY;
    }

    /// Notes a key nobody knows; under `--strict-config` that is an error.
    pub(crate) fn unknown(&self, name: &str, at: At, hint: &str) {
        let place = self.context.sources.place(at);
        let sentence = format!("{place}: unknown key `{}`, ignored{hint}", join(&self.path, name));
        self.context.notes.borrow_mut().unknown.push((at, sentence));
    }

    fn below(&self, tree: &'a Tree, key: &str) -> Reader<'a> {
        Reader { context: self.context, tree, path: join(&self.path, key), seen: Vec::new() }
    }

    fn read<T>(mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let value = read(&mut self)?;
        self.finish();
        Ok(value)
    }

    fn finish(&self) {
        for (name, entry) in self.tree {
            if self.seen.contains(&name.as_str()) {
                continue;
            }
            if later::accepted(&self.path, name) {
                if later::protects(&self.path, name) {
                    let place = self.context.sources.place(entry.key_at);
                    let sentence = format!("{place}: `{name}` is not enforced yet: it protects nothing");
                    self.context.notes.borrow_mut().idle.push((entry.key_at, sentence));
                }
                continue;
            }
            let candidates = self.seen.iter().copied().chain(later::names(&self.path));
            let hint = diagnose::hint(name, candidates);
            self.unknown(name, entry.key_at, &hint);
        }
    }

    fn resolve(&self, at: At, text: &str) -> PathBuf {
        let base = self.context.sources.of(at).map_or(Path::new("/"), |source| &source.base);
        match (text.strip_prefix('~'), self.context.home) {
            (Some(""), Some(home)) => home.to_owned(),
            (Some(rest), Some(home)) if rest.starts_with('/') => {
                normalise(&home.join(rest.trim_start_matches('/')))
            }
            _ => absolute(base, Path::new(text)),
        }
    }

    fn wrong_type(&self, key: &str, node: &Node, wanted: &str) -> Error {
        self.value_error(key, node.at, format!("is {}; allowed: {wanted}", node.value.type_name()))
    }

    fn value_error(&self, key: &str, at: At, problem: String) -> Error {
        let path = &self.path;
        // `key` may already be a joined path (a name inside a map), so it is not quoted again.
        let key = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        Error::Value { place: self.context.sources.place(at), key, problem }
    }
}
