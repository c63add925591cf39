//! `auth.json`: read in every shape that programs have written, and written whole (mode 0600). What we do not
//! know in it stays as it is: other programs share the file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::claims::{self, Claims};
use super::error::Error;
use crate::base::fs;
use crate::base::secret::Secret;

/// A credential file is a few kilobytes; more than this is something else.
const MAX_BYTES: u64 = 1 << 20;

/// Name of the file in the configuration's home.
pub(crate) const FILE_NAME: &str = "auth.json";

/// The credential file of one home.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    path: PathBuf,
}

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// An API key.
    ApiKey(Secret),
    /// A ChatGPT sign-in.
    ChatGpt(Tokens),
}

/// Tokens of a ChatGPT sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Goes into requests.
    pub(crate) access: Secret,
    /// Account that requests are for.
    pub(crate) account_id: Option<String>,
    /// What the id token says (plan, address); empty when it cannot be read.
    pub(crate) identity: Claims,
    /// Unix seconds after which the access token is refused, when it says so.
    pub(crate) expires_at: Option<u64>,
}

impl Store {
    /// The store of the home `codex_home`.
    pub(crate) fn new(codex_home: &Path) -> Self {
        Self { path: codex_home.join(FILE_NAME) }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it; `None` when there is no file or nobody is signed in.
    ///
    /// # Errors
    /// The file cannot be read or understood.
    pub(crate) fn load(&self) -> Result<Option<Stored>, Error> {
        match self.read()? {
            Some(map) => self.understand(&map),
            None => Ok(None),
        }
    }

    /// Stores an API key in place of what was there; fields we do not know stay.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn save_api_key(&self, key: &Secret) -> Result<(), Error> {
        // A damaged file must not stand in the way of a fresh login.
        let mut map = self.read().ok().flatten().unwrap_or_default();
        map.insert("auth_mode".to_owned(), Value::from("apikey"));
        map.insert("OPENAI_API_KEY".to_owned(), Value::from(key.expose()));
        map.remove("tokens");
        map.remove("last_refresh");
        let fail = |e: &std::io::Error| self.file_error("written", e);
        if let Some(home) = self.path.parent() {
            fs::create_private_dir(home).map_err(|e| fail(&e))?;
        }
        let mut text = serde_json::to_string_pretty(&map).unwrap_or_default();
        text.push('\n');
        fs::replace(&self.path, text.as_bytes(), 0o600).map_err(|e| fail(&e))
    }

    /// Removes the file; false when there was none.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(crate) fn delete(&self) -> Result<bool, Error> {
        match std::fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(self.file_error("removed", &e)),
        }
    }

    fn read(&self) -> Result<Option<Map<String, Value>>, Error> {
        let bytes = match fs::read_bounded(&self.path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) if e.kind() == ErrorKind::FileTooLarge => return Err(self.corrupt("it is far too large")),
            Err(e) => return Err(self.file_error("read", &e)),
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(self.corrupt("it is empty"));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(map)) => Ok(Some(map)),
            Ok(_) => Err(self.corrupt("it is not a JSON object")),
            // The parser's own text may quote the file; the place is enough.
            Err(e) if e.is_eof() => Err(self.corrupt("it breaks off in the middle")),
            Err(e) => {
                let place = format!("it is not JSON (line {}, column {})", e.line(), e.column());
                Err(self.corrupt(&place))
            }
        }
    }

    fn understand(&self, map: &Map<String, Value>) -> Result<Option<Stored>, Error> {
        let key = self.text(map, "OPENAI_API_KEY")?;
        let mode = self.text(map, "auth_mode")?;
        let by_key = match mode.as_deref().map(|m| m.to_ascii_lowercase().replace(['_', '-'], "")).as_deref()
        {
            Some("apikey") => true,
            Some("chatgpt" | "chatgptauthtokens") => false,
            None => key.is_some(),
            Some(other) => {
                let shown: String = other.chars().filter(char::is_ascii_alphanumeric).take(30).collect();
                return Err(self.corrupt(&format!("its auth_mode `{shown}` is not supported")));
            }
        };
        if by_key {
            return Ok(key.map(|key| Stored::ApiKey(Secret::new(key))));
        }
        match map.get("tokens") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(tokens)) => self.tokens(tokens).map(|t| t.map(Stored::ChatGpt)),
            Some(_) => Err(self.corrupt("`tokens` is not an object")),
        }
    }

    fn tokens(&self, map: &Map<String, Value>) -> Result<Option<Tokens>, Error> {
        let Some(access) = self.text(map, "access_token")? else { return Ok(None) };
        let identity = self.text(map, "id_token")?.and_then(|t| claims::read(&t)).unwrap_or_default();
        let own = claims::read(&access).unwrap_or_default();
        let account_id =
            self.text(map, "account_id")?.or_else(|| identity.account_id.clone()).or(own.account_id);
        Ok(Some(Tokens { access: Secret::new(access), account_id, identity, expires_at: own.expires_at }))
    }

    /// A text field; absent, null and empty are the same.
    fn text(&self, map: &Map<String, Value>, name: &str) -> Result<Option<String>, Error> {
        match map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.corrupt(&format!("`{name}` is not a text"))),
        }
    }

    fn corrupt(&self, reason: &str) -> Error {
        Error::Corrupt { path: self.path.clone(), reason: reason.to_owned() }
    }

    fn file_error(&self, doing: &'static str, error: &std::io::Error) -> Error {
        Error::File { path: self.path.clone(), doing, reason: error.to_string() }
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
