//! Values as they were written, each with the place it was written at. Reading knows nothing of what the keys
//! mean; that comes when all layers are merged, so an error can name the layer that is to blame.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnose;
use super::error::{Error, Place};

/// Who says something. Later variants beat earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// The administrator's `config.toml`, which the user may change.
    System,
    /// The user's `config.toml`.
    User,
    /// The chosen profile, by name.
    Profile(String),
    /// `.codex/config.toml` of a trusted project, by its folder.
    Project(PathBuf),
    /// The command line.
    Session,
    /// The administrator's `managed_config.toml`, which nobody may change.
    Managed,
}

/// One file or argument.
#[derive(Clone)]
pub(crate) struct Source {
    /// Its layer.
    pub(crate) layer: Layer,
    /// File path, or argument without its value.
    pub(crate) label: String,
    /// Folder that relative paths in it mean.
    pub(crate) base: PathBuf,
    /// Text of the file; `None` for arguments, which have no lines.
    pub(crate) text: Option<String>,
}

/// All files and arguments in order of reading; places refer to them by number.
#[derive(Clone, Default)]
pub(crate) struct Sources(Vec<Source>);

/// Where a key or value begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    source: usize,
    offset: usize,
}

/// A table as written or merged.
pub(crate) type Tree = BTreeMap<String, Entry>;

/// A value under a key.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Where the key is.
    pub(crate) key_at: At,
    /// The value.
    pub(crate) node: Node,
}

/// A value and its place.
#[derive(Clone)]
pub(crate) struct Node {
    /// Where the value is.
    pub(crate) at: At,
    /// The value.
    pub(crate) value: Value,
}

/// What TOML can say.
#[derive(Clone)]
pub(crate) enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float,
    /// `true` or `false`.
    Boolean(bool),
    /// A date or time.
    Datetime,
    /// A list.
    Array(Vec<Node>),
    /// A table.
    Table(Tree),
}

impl Value {
    /// Name of the type, with its article.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float => "a floating-point number",
            Self::Boolean(_) => "a boolean",
            Self::Datetime => "a date or time",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

impl Sources {
    /// Adds one and returns its number.
    pub(crate) fn add(&mut self, source: Source) -> usize {
        self.0.push(source);
        self.0.len() - 1
    }

    /// The file or argument of a place.
    pub(crate) fn of(&self, at: At) -> Option<&Source> {
        self.0.get(at.source)
    }

    /// A place as it is shown.
    pub(crate) fn place(&self, at: At) -> Place {
        let Some(source) = self.of(at) else { return Place { label: "configuration".to_owned(), at: None } };
        let at = source.text.as_deref().map(|text| diagnose::line_column(text, at.offset));
        Place { label: source.label.clone(), at }
    }

    /// Reads the text of source number `source` as a TOML document.
    ///
    /// # Errors
    /// It is not TOML, or a number is too large.
    pub(crate) fn parse(&self, source: usize) -> Result<Tree, Error> {
        let at = At { source, offset: 0 };
        let text = self.of(at).and_then(|source| source.text.as_deref()).unwrap_or_default();
        let table = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let problem = error.message().trim().replace('\n', "; ");
            let place = self.place(At { source, offset });
            Error::Syntax { place, problem, excerpt: diagnose::excerpt(text, offset) }
        })?;
        self.table(source, table.get_ref(), "")
    }

    /// A table with all below it; `path` is its dotted path, for messages.
    pub(crate) fn table(&self, source: usize, table: &DeTable<'_>, path: &str) -> Result<Tree, Error> {
        let mut tree = Tree::new();
        for (key, value) in table.iter() {
            let name = key.get_ref().to_string();
            let key_at = At { source, offset: key.span().start };
            let node = self.node(source, value, &join(path, &name))?;
            tree.insert(name, Entry { key_at, node });
        }
        Ok(tree)
    }

    /// A value with all below it. The depth is bounded by the TOML reader.
    pub(crate) fn node(&self, source: usize, node: &Spanned<DeValue<'_>>, path: &str) -> Result<Node, Error> {
        let at = At { source, offset: node.span().start };
        let value = match node.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => {
                    let problem = "is too large a number".to_owned();
                    return Err(Error::Value { place: self.place(at), key: path.to_owned(), problem });
                }
            },
            DeValue::Float(_) => Value::Float,
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Datetime(_) => Value::Datetime,
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.node(source, item, path)).collect::<Result<_, _>>();
                Value::Array(items?)
            }
            DeValue::Table(table) => Value::Table(self.table(source, table, path)?),
        };
        Ok(Node { at, value })
    }
}

impl At {
    /// The beginning of a source.
    pub(crate) fn start(source: usize) -> Self {
        Self { source, offset: 0 }
    }
}

/// `name` below `path`, quoted when it holds a dot or anything else unusual.
pub(crate) fn join(path: &str, name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-*".contains(c));
    let name = if bare { name.to_owned() } else { format!("{name:?}") };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// The value at a path of keys, when every step but the last is a table.
pub(crate) fn find<'a>(tree: &'a Tree, path: &[&str]) -> Option<&'a Node> {
    let (last, tables) = path.split_last()?;
    let mut tree = tree;
    for key in tables {
        let Value::Table(below) = &tree.get(*key)?.node.value else { return None };
        tree = below;
    }
    tree.get(*last).map(|entry| &entry.node)
}

/// Sets the value at a path of keys; anything on the way that is no table becomes one.
pub(crate) fn set(tree: &mut Tree, path: &[String], node: Node) {
    let Some((key, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        tree.insert(key.clone(), Entry { key_at: node.at, node });
        return;
    }
    let table = || Node { at: node.at, value: Value::Table(Tree::new()) };
    let entry = tree.entry(key.clone()).or_insert_with(|| Entry { key_at: node.at, node: table() });
    if !matches!(entry.node.value, Value::Table(_)) {
        entry.node = table();
    }
    if let Value::Table(below) = &mut entry.node.value {
        set(below, rest, node);
    }
}

/// A copy of a table that counts as written by another layer; its places stay where they are.
pub(crate) fn retag(tree: &Tree, layer: &Layer, sources: &mut Sources) -> Tree {
    let Some(from) = tree.values().next().map(|entry| entry.key_at) else { return Tree::new() };
    let Some(source) = sources.of(from).cloned() else { return tree.clone() };
    let to = sources.add(Source { layer: layer.clone(), ..source });
    moved(tree, to)
}

fn moved(tree: &Tree, to: usize) -> Tree {
    fn node(old: &Node, to: usize) -> Node {
        let value = match &old.value {
            Value::Table(table) => Value::Table(moved(table, to)),
            Value::Array(items) => Value::Array(items.iter().map(|item| node(item, to)).collect()),
            other => other.clone(),
        };
        Node { at: At { source: to, ..old.at }, value }
    }
    tree.iter()
        .map(|(key, entry)| {
            let key_at = At { source: to, ..entry.key_at };
            (key.clone(), Entry { key_at, node: node(&entry.node, to) })
        })
        .collect()
}
