//! Pieces of payloads that are spelled the same in both record modes: paths, file changes, parsed commands,
//! durations. Each is written from and read into the protocol's types.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::item::{ChangeKind, CommandAction, FileChange};

/// A path as text. Bytes that are not UTF-8 become replacement characters: the record is for reading, and a
/// strange file name must not cost the line.
#[derive(Clone, Copy)]
pub(crate) struct Lossy<'a>(pub(crate) &'a Path);

impl Serialize for Lossy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string_lossy())
    }
}

/// A path, or a `file:` URL of one.
pub(crate) fn path_of(text: &str) -> PathBuf {
    let url = text.starts_with("file:").then(|| url::Url::parse(text).ok()).flatten();
    url.and_then(|url| url.to_file_path().ok()).unwrap_or_else(|| PathBuf::from(text))
}

/// Wall time as `{secs, nanos}`.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Duration {
    secs: u64,
    #[serde(default)]
    nanos: u32,
}

impl Duration {
    /// From milliseconds.
    pub(crate) fn from_ms(ms: u64) -> Self {
        Self { secs: ms / 1000, nanos: (ms % 1000) as u32 * 1_000_000 }
    }

    /// In milliseconds, rounded down.
    pub(crate) fn ms(self) -> u64 {
        self.secs.saturating_mul(1000).saturating_add(u64::from(self.nanos / 1_000_000))
    }
}

/// What a command does, as stored.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ParsedCommand<'a> {
    /// Shows a file.
    Read {
        /// Piece of the command line.
        cmd: Cow<'a, str>,
        /// File name.
        name: Cow<'a, str>,
        /// Path as far as known.
        #[serde(default)]
        path: Cow<'a, str>,
    },
    /// Lists a directory.
    ListFiles {
        /// Piece of the command line.
        cmd: Cow<'a, str>,
        /// Directory, when named.
        #[serde(default)]
        path: Option<Cow<'a, str>>,
    },
    /// Searches text.
    Search {
        /// Piece of the command line.
        cmd: Cow<'a, str>,
        /// What is searched.
        #[serde(default)]
        query: Option<Cow<'a, str>>,
        /// Where, when named.
        #[serde(default)]
        path: Option<Cow<'a, str>>,
    },
    /// Anything else.
    Unknown {
        /// Piece of the command line.
        cmd: Cow<'a, str>,
    },
}

impl<'a> From<&'a CommandAction> for ParsedCommand<'a> {
    fn from(action: &'a CommandAction) -> Self {
        match action {
            CommandAction::Read { command, name, path } => {
                Self::Read { cmd: command.into(), name: name.into(), path: path.to_string_lossy() }
            }
            CommandAction::ListFiles { command, path } => {
                Self::ListFiles { cmd: command.into(), path: path.as_deref().map(Cow::from) }
            }
            CommandAction::Search { command, query, path } => Self::Search {
                cmd: command.into(),
                query: query.as_deref().map(Cow::from),
                path: path.as_deref().map(Cow::from),
            },
            CommandAction::Unknown { command } => Self::Unknown { cmd: command.into() },
        }
    }
}

impl From<ParsedCommand<'_>> for CommandAction {
    fn from(parsed: ParsedCommand<'_>) -> Self {
        match parsed {
            ParsedCommand::Read { cmd, name, path } => {
                Self::Read { command: cmd.into(), name: name.into(), path: PathBuf::from(path.as_ref()) }
            }
            ParsedCommand::ListFiles { cmd, path } => {
                Self::ListFiles { command: cmd.into(), path: path.map(Cow::into_owned) }
            }
            ParsedCommand::Search { cmd, query, path } => Self::Search {
                command: cmd.into(),
                query: query.map(Cow::into_owned),
                path: path.map(Cow::into_owned),
            },
            ParsedCommand::Unknown { cmd } => Self::Unknown { command: cmd.into() },
        }
    }
}

/// Files of a patch as a JSON object keyed by path, in the order of the patch.
pub(crate) struct Changes<'a>(pub(crate) &'a [FileChange]);

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum ChangeOut<'a> {
    Add { content: &'a str },
    Delete { content: &'a str },
    Update { unified_diff: &'a str, move_path: Option<Lossy<'a>> },
}

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for change in self.0 {
            let value = match &change.kind {
                ChangeKind::Add => ChangeOut::Add { content: &change.diff },
                ChangeKind::Delete => ChangeOut::Delete { content: &change.diff },
                ChangeKind::Update { move_path } => ChangeOut::Update {
                    unified_diff: &change.diff,
                    move_path: move_path.as_deref().map(Lossy),
                },
            };
            map.serialize_entry(&change.path.to_string_lossy(), &value)?;
        }
        map.end()
    }
}

#[derive(Deserialize)]
struct ChangeIn {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    unified_diff: String,
    #[serde(default)]
    move_path: Option<PathBuf>,
}

/// Files of a patch as read, in the order of the file.
#[derive(Default)]
pub(crate) struct ChangesIn(pub(crate) Vec<FileChange>);

impl<'de> Deserialize<'de> for ChangesIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Files;
        impl<'de> Visitor<'de> for Files {
            type Value = ChangesIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of file changes keyed by path")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ChangesIn, A::Error> {
                let mut files = Vec::new();
                while let Some((path, change)) = map.next_entry::<PathBuf, ChangeIn>()? {
                    let (kind, diff) = match &*change.kind {
                        "add" => (ChangeKind::Add, change.content),
                        "delete" => (ChangeKind::Delete, change.content),
                        _ => (ChangeKind::Update { move_path: change.move_path }, change.unified_diff),
                    };
                    files.push(FileChange { path, kind, diff });
                }
                Ok(ChangesIn(files))
            }
        }
        deserializer.deserialize_map(Files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_file_urls() {
        assert_eq!(path_of("/a b"), Path::new("/a b"));
        assert_eq!(path_of("file:///a%20b/c"), Path::new("/a b/c"));
        assert_eq!(path_of("file:nonsense"), Path::new("/nonsense"));
    }

    #[test]
    fn durations_go_back() {
        assert_eq!(Duration::from_ms(2379).ms(), 2379);
        assert_eq!(Duration { secs: u64::MAX, nanos: 1 }.ms(), u64::MAX);
    }
}
