//! Where credentials are kept, and which sign-ins are accepted.

use crate::base::reach::Reach;
use crate::config::error::Error;
use crate::config::tree::Value;

use super::choice::words;
use super::providers;
use super::reader::Reader;

words! {
    /// Where `codex login` puts credentials.
    CredentialStore {
        /// `auth.json`, readable by the user only.
        File = "file",
        /// The system's keyring.
        Keyring = "keyring",
        /// The keyring where there is one, else the file.
        Auto = "auto",
        /// Memory only.
        Ephemeral = "ephemeral",
    }
}

words! {
    /// A way to sign in.
    LoginMethod {
        /// A ChatGPT account.
        Chatgpt = "chatgpt",
        /// An API key.
        Api = "api",
    }
}

/// Settings of the sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// Where credentials are kept.
    pub(crate) store: CredentialStore,
    /// The only accepted way to sign in.
    pub(crate) forced_method: Option<LoginMethod>,
    /// The ways that the administrator allows; `None` for all.
    pub(crate) allowed_methods: Option<Vec<LoginMethod>>,
    /// The only accepted ChatGPT workspaces; empty for any.
    pub(crate) forced_workspaces: Vec<String>,
    /// Where ChatGPT accounts are asked about; `None` for the usual place. The error says what is wrong with the place
    /// that is written: only who would ask there has to stop, and nobody asks elsewhere instead.
    pub(crate) chatgpt_base_url: Result<Option<String>, String>,
}

/// Reads the keys.
///
/// # Errors
/// A value is not allowed.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Login, Error> {
    const WORKSPACE: &str = "forced_chatgpt_workspace_id";
    let one = matches!(reader.node(WORKSPACE).map(|node| &node.value), Some(Value::Text(_)));
    let forced_workspaces = match one {
        true => reader.name(WORKSPACE)?.into_iter().collect(),
        false => reader.texts(WORKSPACE)?.unwrap_or_default(),
    };
    Ok(Login {
        store: reader.choice("cli_auth_credentials_store")?.unwrap_or(CredentialStore::File),
        forced_method: reader.choice("forced_login_method")?,
        allowed_methods: None,
        forced_workspaces,
        chatgpt_base_url: account_url(reader).map_err(|fault| fault.to_string()),
    })
}

/// The address of accounts.
fn account_url(reader: &mut Reader<'_>) -> Result<Option<String>, Error> {
    const KEY: &str = "chatgpt_base_url";
    let url = providers::url(reader, KEY)?;
    // Nothing goes there without the token of a sign-in.
    match providers::in_clear(reader, KEY, url.as_deref(), Some(Reach::Here)) {
        Some(fault) => Err(fault),
        None => Ok(url),
    }
}
