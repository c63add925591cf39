//! Reads the JSON schema of `--output-schema`. Only that it is a JSON object is checked here; whether the schema
//! makes sense is for the service to say.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Larger files are no schemas.
const MAX_BYTES: u64 = 1 << 20;

/// The schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file cannot be read.
    #[error("cannot read the output schema {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is too large to be a schema.
    #[error("the output schema {path} is larger than 1 MiB")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not JSON.
    #[error("{path}:{line}:{column}: the output schema is not valid JSON: {what}")]
    NotJson {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser met.
        what: String,
    },
    /// The file is JSON, but no object.
    #[error("{path}:1:1: the output schema must be a JSON object, but is {found}")]
    NotObject {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
}

/// Reads the schema.
///
/// # Errors
/// The file cannot be read, is too large, or holds no JSON object.
pub(crate) fn read(path: &Path) -> Result<Value, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge { path: path.to_owned() });
    }
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what).to_owned();
        Error::NotJson {
            path: path.to_owned(),
            line: error.line().max(1),
            column: error.column().max(1),
            what,
        }
    })?;
    let found = match &value {
        Value::Object(_) => return Ok(value),
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
    };
    Err(Error::NotObject { path: path.to_owned(), found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.json");
        let name = path.display();
        for (text, want) in [
            (
                &b"{\"a\": 1,\n  nope}"[..],
                format!("{name}:2:3: the output schema is not valid JSON: key must be a string"),
            ),
            (b"", format!("{name}:1:1: the output schema is not valid JSON: EOF while parsing a value")),
            (b"[1]", format!("{name}:1:1: the output schema must be a JSON object, but is an array")),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).unwrap_err().to_string(), want);
        }
        std::fs::write(&path, b"{\"a\": \"\xff\"}").unwrap();
        assert!(matches!(read(&path), Err(Error::NotJson { .. })));
        std::fs::write(&path, vec![b' '; MAX_BYTES as usize + 1]).unwrap();
        assert!(matches!(read(&path), Err(Error::TooLarge { .. })));
        assert!(matches!(read(dir.path()), Err(Error::Unreadable { .. })));
        assert!(matches!(read(&dir.path().join("missing")), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn an_object_comes_back_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.json");
        std::fs::write(&path, r#"{"type":"object"}"#).unwrap();
        assert_eq!(read(&path).unwrap(), serde_json::json!({"type": "object"}));
    }
}
