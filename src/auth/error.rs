//! What can be wrong with the credentials. Every variant names the one thing to do.

use std::path::PathBuf;

use crate::protocol::error::{ErrorInfo, ErrorKind};

/// No usable credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody is signed in.
    #[error("Not signed in.")]
    NotSignedIn,
    /// A login without a key.
    #[error("No key was given.")]
    NoKey,
    /// The provider wants a variable that is not set.
    #[error("The provider {provider} needs a key in the environment variable {name}, which is not set.")]
    MissingVariable {
        /// Name of the provider.
        provider: String,
        /// The variable.
        name: String,
        /// Where to get a key, in the configuration's words.
        instructions: Option<String>,
    },
    /// A key that no header can carry.
    #[error(
        "The key in {from} is not usable: it contains white space, control characters or letters beyond ASCII."
    )]
    BadKey {
        /// Where it came from.
        from: String,
    },
    /// A login with a key and something around it.
    #[error("The input is not just a key: it is very long, or has quotes, braces or an equals sign.")]
    NotOnlyKey,
    /// `auth.json` cannot be understood.
    #[error("The credential file {path} is damaged: {reason}.", path = path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// `auth.json` cannot be read or written.
    #[error("The credential file {path} cannot be {doing}: {reason}.", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// "read" or "written".
        doing: &'static str,
        /// The system's words.
        reason: String,
    },
    /// The stored sign-in belongs to somebody else than this process started as.
    #[error("You have since signed out or signed in to another account.")]
    AccountChanged,
}

impl Error {
    /// The next step.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NotSignedIn => {
                "pipe a key in: codex login --with-api-key < key.txt, or set CODEX_API_KEY".to_owned()
            }
            Self::NoKey => "pipe it in: printenv OPENAI_API_KEY | codex login --with-api-key".to_owned(),
            Self::MissingVariable { name, instructions, .. } => {
                instructions.clone().unwrap_or_else(|| format!("set {name}"))
            }
            Self::NotOnlyKey => "pipe in nothing but the key, as the provider shows it".to_owned(),
            Self::BadKey { .. } => "store a valid key with: codex login --with-api-key".to_owned(),
            Self::Corrupt { .. } => {
                "replace it with: codex login --with-api-key, or remove it with: codex logout".to_owned()
            }
            Self::File { .. } => "check the file's owner and permissions".to_owned(),
            Self::AccountChanged => "start again to use the account that is signed in now".to_owned(),
        }
    }
}

impl From<Error> for ErrorInfo {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::File { .. } => ErrorKind::Io,
            _ => ErrorKind::Unauthorized,
        };
        Self::new(kind, error.to_string()).with_hint(error.hint())
    }
}
