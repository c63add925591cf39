//! Why the account API gave no answer, told apart by what the caller can do. Texts of the server are in here only
//! cut, cleaned and without the token; bodies never.

use crate::auth;

/// No usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// There is no ChatGPT sign-in to ask for.
    #[error("This needs a ChatGPT sign-in.")]
    NotSignedIn,
    /// The credentials cannot be used; nothing was sent.
    #[error("{0}")]
    Credentials(auth::error::Error),
    /// The service does not accept the credentials, not even renewed ones.
    #[error("The service does not accept the sign-in.")]
    Unauthorized,
    /// The service does not know this route.
    #[error("The service does not offer this ({what} was not found).")]
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
    /// No connection: nothing was sent.
    #[error("Cannot reach {host}: {reason}.")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The system's words.
        reason: String,
    },
    /// The connection broke after the request left.
    #[error("The connection to {host} broke: {reason}.")]
    Broken {
        /// Host and port.
        host: String,
        /// The system's words.
        reason: String,
    },
    /// No complete answer in time.
    #[error("No answer from {host} within {seconds} s.")]
    TimedOut {
        /// Host and port.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// The service answered with a failure.
    #[error("The service answered with status {code}{text}.")]
    Status {
        /// HTTP status.
        code: u16,
        /// Empty, or its words behind a colon.
        text: String,
    },
    /// The answer is not what was asked for.
    #[error("The answer of the service cannot be used: {what}.")]
    BadAnswer {
        /// What it is instead.
        what: String,
    },
    /// The client cannot be made: address or certificates.
    #[error("{0}")]
    Setup(String),
}

impl Error {
    /// The next step for the user.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotSignedIn | Self::Unauthorized => Some("sign in with: codex login".to_owned()),
            Self::Credentials(error) => Some(error.hint()),
            Self::Unreachable { .. } | Self::Broken { .. } | Self::TimedOut { .. } => {
                Some("check the network, the proxy settings and chatgpt_base_url".to_owned())
            }
            Self::NotFound { .. } | Self::BadAnswer { .. } => Some("check chatgpt_base_url".to_owned()),
            Self::Setup(_) => Some("check chatgpt_base_url and CODEX_CA_CERTIFICATE".to_owned()),
            Self::Status { .. } => None,
        }
    }

    /// What happened and the next step, in one sentence.
    pub(crate) fn in_full(&self) -> String {
        let what = self.to_string();
        match self.hint() {
            Some(hint) => format!("{} ({hint})", what.trim_end_matches('.')),
            None => what,
        }
    }

    /// Whether signing in is what helps.
    pub(crate) fn is_sign_in(&self) -> bool {
        match self {
            Self::NotSignedIn | Self::Unauthorized => true,
            // A service that cannot renew a token just now is out of reach, nothing worse.
            Self::Credentials(error) => !error.is_transient(),
            _ => false,
        }
    }
}
