//! The credential document: a JSON object, the same in `auth.json`, in the keyring and in memory. It is read in
//! every shape that programs have written, and changed field by field: what we do not know in it stays as it is,
//! because other programs share it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::claims::{self, Claims};
use super::error::Error;
use crate::base::clean;
use crate::base::secret::Secret;

/// The object.
pub(super) type Document = Map<String, Value>;

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
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
    /// Gets the next ones; `None` for a sign-in that cannot be renewed.
    pub(crate) refresh: Option<Secret>,
    /// Account that requests are for.
    pub(crate) account_id: Option<String>,
    /// What the id token says (plan, address); empty when it cannot be read.
    pub(crate) identity: Claims,
    /// Unix seconds after which the access token is refused, when it says so.
    pub(crate) expires_at: Option<u64>,
    /// When they came, unix seconds, when it is known.
    pub(crate) last_refresh: Option<u64>,
    /// Who gave them, when it is known.
    pub(crate) provenance: Option<Provenance>,
}

/// Who gave tokens, and to which client: only there they can be renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// Base address.
    pub(crate) issuer: String,
    /// Client id.
    pub(crate) client_id: String,
}

/// What a sign-in or a renewal answers. On a renewal each may be missing: the old one stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) id: Option<Secret>,
    pub(crate) access: Option<Secret>,
    pub(crate) refresh: Option<Secret>,
}

impl Answer {
    /// The accounts that the tokens in it name.
    pub(super) fn accounts(&self) -> impl Iterator<Item = String> {
        let read = |token: &Option<Secret>| claims::read(token.as_ref()?.expose())?.account_id;
        [read(&self.id), read(&self.access)].into_iter().flatten()
    }
}

/// Text → document. `path` is for the error.
pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Document, Error> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(corrupt(path, "it is empty"));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(corrupt(path, "it is not a JSON object")),
        // The parser's own text may quote the file; the place is enough.
        Err(e) if e.is_eof() => Err(corrupt(path, "it breaks off in the middle")),
        Err(e) => {
            let place = format!("it is not JSON (line {}, column {})", e.line(), e.column());
            Err(corrupt(path, &place))
        }
    }
}

/// Document → text.
pub(super) fn print(document: &Document) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// What a document says; `None` when nobody is signed in.
pub(super) fn understand(map: &Document, path: &Path) -> Result<Option<Stored>, Error> {
    let key = text(map, "OPENAI_API_KEY", path)?;
    let mode = text(map, "auth_mode", path)?;
    let by_key = match mode.as_deref().map(|m| m.to_ascii_lowercase().replace(['_', '-'], "")).as_deref() {
        Some("apikey") => true,
        Some("chatgpt" | "chatgptauthtokens") => false,
        None => key.is_some(),
        Some(_) => {
            let shown = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c);
            let mode = mode.iter().flat_map(|mode| mode.chars()).filter(shown).take(30).collect();
            return Err(Error::Foreign { path: path.to_owned(), mode });
        }
    };
    if by_key {
        return Ok(key.map(|key| Stored::ApiKey(Secret::new(key))));
    }
    match map.get("tokens") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(tokens)) => {
            let last_refresh = map.get("last_refresh").and_then(Value::as_str).and_then(unix);
            Ok(read_tokens(tokens, path)?.map(|t| Stored::ChatGpt(Tokens { last_refresh, ..t })))
        }
        Some(_) => Err(corrupt(path, "`tokens` is not an object")),
    }
}

fn read_tokens(map: &Document, path: &Path) -> Result<Option<Tokens>, Error> {
    let Some(access) = text(map, "access_token", path)? else { return Ok(None) };
    let identity = text(map, "id_token", path)?.and_then(|t| claims::read(&t)).unwrap_or_default();
    let own = claims::read(&access).unwrap_or_default();
    let account_id =
        text(map, "account_id", path)?.or_else(|| identity.account_id.clone()).or(own.account_id);
    let part = |name: &str| map.get("oauth_provenance")?.get(name)?.as_str().map(str::to_owned);
    let provenance = match (part("issuer"), part("client_id")) {
        (Some(issuer), Some(client_id)) => Some(Provenance { issuer, client_id }),
        _ => None,
    };
    Ok(Some(Tokens {
        access: Secret::new(access),
        refresh: text(map, "refresh_token", path)?.map(Secret::new).inspect(clean::never_show),
        account_id,
        identity,
        expires_at: own.expires_at,
        last_refresh: None,
        provenance,
    }))
}

/// Puts an API key in the place of what was there.
pub(super) fn put_key(map: &mut Document, key: &Secret) {
    map.insert("auth_mode".to_owned(), Value::from("apikey"));
    map.insert("OPENAI_API_KEY".to_owned(), Value::from(key.expose()));
    map.remove("tokens");
    map.remove("last_refresh");
}

/// Puts a sign-in in the place of what was there.
pub(super) fn put_tokens(map: &mut Document, answer: &Answer, account: &str, from: &Provenance, now_s: u64) {
    let text = |token: &Option<Secret>| token.as_ref().map_or("", Secret::expose).to_owned();
    map.insert("auth_mode".to_owned(), Value::from("chatgpt"));
    map.insert("OPENAI_API_KEY".to_owned(), Value::Null);
    map.insert(
        "tokens".to_owned(),
        json!({
            "id_token": text(&answer.id),
            "access_token": text(&answer.access),
            "refresh_token": text(&answer.refresh),
            "oauth_provenance": { "issuer": from.issuer, "client_id": from.client_id },
            "login_owner_id": uuid::Uuid::new_v4().to_string(),
            "account_id": account,
        }),
    );
    map.insert("last_refresh".to_owned(), Value::from(rfc3339(now_s)));
}

/// Puts renewed tokens over the old ones; everything else stays.
pub(super) fn merge(map: &mut Document, answer: &Answer, now_s: u64) {
    if let Some(Value::Object(tokens)) = map.get_mut("tokens") {
        let all =
            [("id_token", &answer.id), ("access_token", &answer.access), ("refresh_token", &answer.refresh)];
        for (name, token) in all {
            if let Some(token) = token {
                tokens.insert(name.to_owned(), Value::from(token.expose()));
            }
        }
    }
    map.insert("last_refresh".to_owned(), Value::from(rfc3339(now_s)));
}

fn rfc3339(unix_s: u64) -> String {
    let second = i64::try_from(unix_s).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(second).map(|t| t.to_string()).unwrap_or_default()
}

fn unix(text: &str) -> Option<u64> {
    text.parse::<jiff::Timestamp>().ok().and_then(|t| u64::try_from(t.as_second()).ok())
}

/// A text field; absent, null and empty are the same.
fn text(map: &Document, name: &str, path: &Path) -> Result<Option<String>, Error> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(corrupt(path, &format!("`{name}` is not a text"))),
    }
}

fn corrupt(path: &Path, reason: &str) -> Error {
    Error::Corrupt { path: path.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_renewal_changes_only_what_came() {
        let mut map = parse(
            br#"{"auth_mode":"chatgpt","x":1,"tokens":{"id_token":"i","access_token":"a","refresh_token":"r","y":[2]}}"#,
            Path::new("f"),
        )
        .unwrap();
        let answer = Answer { access: Some(Secret::new("a2")), ..Answer::default() };
        merge(&mut map, &answer, 1_795_181_000);
        assert_eq!(
            Value::Object(map),
            json!({"auth_mode":"chatgpt","x":1,"last_refresh":"2026-11-20T13:23:20Z",
                "tokens":{"id_token":"i","access_token":"a2","refresh_token":"r","y":[2]}})
        );
    }

    #[test]
    fn a_sign_in_reads_back() {
        let mut map = Document::new();
        let from = Provenance { issuer: "https://i.example".to_owned(), client_id: "app".to_owned() };
        let secret = |text: &str| Some(Secret::new(text));
        let answer = Answer { id: secret("i"), access: secret("a"), refresh: secret("r") };
        put_tokens(&mut map, &answer, "acct", &from, 1_795_181_000);
        let Some(Stored::ChatGpt(tokens)) = understand(&map, Path::new("f")).unwrap() else { panic!() };
        assert_eq!((tokens.refresh, tokens.provenance), (secret("r"), Some(from)));
        assert_eq!(tokens.account_id.as_deref(), Some("acct"));
        assert_eq!(tokens.last_refresh, Some(1_795_181_000));
        put_key(&mut map, &Secret::new("sk"));
        assert!(!map.contains_key("tokens") && !map.contains_key("last_refresh"));
    }
}
