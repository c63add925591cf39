//! What can be wrong with the credentials. Every variant names the one thing to do.

use std::path::PathBuf;

use crate::config::schema::login::LoginMethod;
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
    /// An access token that is none, or says nothing about its account.
    #[error("The access token in {from} is not usable: {reason}.")]
    BadToken {
        /// Where it came from.
        from: String,
        /// Why.
        reason: &'static str,
    },
    /// `auth.json` cannot be understood.
    #[error("The credential file {path} is damaged: {reason}.", path = path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// `auth.json` holds what we cannot use and somebody else can.
    #[error(
        "The credential file {path} holds a sign-in of a kind that only other programs know ({mode}).",
        path = path.display()
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// Their word for it.
        mode: String,
    },
    /// `auth.json` cannot be read or written.
    #[error("The credential file {path} cannot be {doing}: {reason}.", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// "read", "written", "replaced", "removed" or "locked".
        doing: &'static str,
        /// The system's words.
        reason: String,
    },
    /// The system's keyring does not answer.
    #[error("The system's keyring cannot be used: {reason}.")]
    Keyring {
        /// Why.
        reason: String,
    },
    /// The sign-in would be forgotten with this process.
    #[error(
        "The configuration keeps credentials in memory only, so this sign-in would be forgotten at once."
    )]
    Ephemeral,
    /// The stored sign-in belongs to somebody else than this process started as.
    #[error("You have since signed in to another account{}.", named(now.as_deref()))]
    AccountChanged {
        /// Who is signed in now, when it is known.
        now: Option<String>,
    },
    /// The stored sign-in is gone.
    #[error("You have since signed out.")]
    SignedOut,
    /// The sign-in does not say whose it is, so nothing can take its place.
    #[error("The stored sign-in does not say which account it is for.")]
    AccountUnknown,
    /// The service will never renew this sign-in again.
    #[error("{cause}.")]
    Refused {
        /// Why.
        cause: Cause,
    },
    /// The sign-in could not be renewed this time.
    #[error("The sign-in could not be renewed: {reason}.")]
    RenewalFailed {
        /// What went wrong, cleaned.
        reason: String,
    },
    /// The sign-in has run out and cannot be renewed: there is nothing to renew it with.
    #[error("The access token has run out, and there is nothing to renew it with.")]
    RunOut,
    /// The configuration does not allow this way to sign in.
    #[error("Signing in with {used} is not allowed here: {why}.")]
    Method {
        /// What was used, in words.
        used: &'static str,
        /// Which rule says so.
        why: String,
        /// What is allowed.
        instead: Option<LoginMethod>,
    },
    /// What was stored is not accepted, and is gone.
    #[error("The stored sign-in was removed. {why}")]
    TurnedOut {
        /// Why it is not accepted.
        why: Box<Error>,
    },
    /// The configuration does not allow this workspace.
    #[error("This sign-in is restricted to the workspace {}; the account given is of another one.", allowed.join(" or "))]
    Workspace {
        /// What is allowed.
        allowed: Vec<String>,
    },
    /// Signing in did not work; nothing was stored.
    #[error("The sign-in did not work: {reason}.")]
    Login {
        /// Why, cleaned.
        reason: String,
        /// The next step, when it is not simply to try again.
        hint: Option<&'static str>,
    },
    /// The user gave up.
    #[error("The sign-in was cancelled.")]
    Cancelled,
    /// An address of the sign-in service that no secret may be sent to.
    #[error(
        "The address in {from} cannot be used: it must begin with https://, or with http:// on this machine."
    )]
    Address {
        /// Where it came from.
        from: &'static str,
    },
    /// The certificate file cannot be used.
    #[error("{reason}.")]
    Client {
        /// Why.
        reason: String,
    },
}

/// Why a sign-in is never renewed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It is too old.
    Expired,
    /// Its token was used before, by another copy of it.
    Used,
    /// Somebody ended it.
    Revoked,
    /// The answer was for another account.
    OtherAccount,
    /// It was sent, and no answer came: the token may be spent.
    Unanswered,
    /// The service gave no reason that we know.
    Unknown,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Expired => "Your sign-in has expired",
            Self::Used => "Your sign-in was renewed by another copy of it and no longer counts",
            Self::Revoked => "Your sign-in was ended: you signed out, or the account's access was withdrawn",
            Self::OtherAccount => "The sign-in was renewed for another account, which is not accepted",
            Self::Unanswered => {
                "The last renewal of your sign-in got no answer: its token may be spent and is not sent again"
            }
            Self::Unknown => "The service no longer renews your sign-in",
        })
    }
}

fn named(who: Option<&str>) -> String {
    who.map_or_else(String::new, |who| format!(" ({who})"))
}

impl Error {
    /// Whether the same may work in a moment.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::RenewalFailed { .. })
    }

    /// The next step.
    pub(crate) fn hint(&self) -> String {
        let text = match self {
            Self::NotSignedIn => {
                "sign in with: codex login, or with a key: codex login --with-api-key < key.txt"
            }
            Self::NoKey => "pipe it in: printenv OPENAI_API_KEY | codex login --with-api-key",
            Self::MissingVariable { name, instructions, .. } => {
                return instructions.clone().unwrap_or_else(|| format!("set {name}"));
            }
            Self::NotOnlyKey => "pipe in nothing but the key, as the provider shows it",
            Self::BadKey { .. } => "store a valid key with: codex login --with-api-key",
            Self::Corrupt { .. } => "sign in anew with: codex login; the damaged file is set aside",
            Self::Foreign { .. } => "sign in anew with: codex login; that file is set aside",
            Self::File { doing: "replaced", .. } => "nothing was sent; make the file and its folder writable",
            Self::File { .. } => "check the owner and permissions of the file and its folder",
            Self::Keyring { .. } => {
                "set cli_auth_credentials_store to \"file\" or \"auto\" in config.toml, or unlock the keyring"
            }
            Self::Ephemeral => "sign in inside codex, or set cli_auth_credentials_store to \"file\"",
            Self::AccountChanged { .. } => {
                "nothing was sent as it; start codex again to go on as the account that is signed in now"
            }
            Self::RenewalFailed { .. } => "check the network and try again",
            Self::Method { instead: Some(LoginMethod::Api), .. } => {
                "sign in with: codex login --with-api-key"
            }
            Self::Method { instead: None, .. } => "ask the administrator",
            Self::TurnedOut { why } => return why.hint(),
            Self::Workspace { .. } => "sign in with: codex login, and choose that workspace",
            Self::Login { hint, .. } => hint.unwrap_or("try again with: codex login"),
            Self::Address { .. } => "correct the address",
            Self::Client { .. } => "check CODEX_CA_CERTIFICATE and SSL_CERT_FILE",
            Self::BadToken { .. }
            | Self::SignedOut
            | Self::AccountUnknown
            | Self::Refused { .. }
            | Self::RunOut
            | Self::Method { .. }
            | Self::Cancelled => "sign in with: codex login",
        };
        text.to_owned()
    }
}

impl From<Error> for ErrorInfo {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::File { .. } | Error::Keyring { .. } => ErrorKind::Io,
            Error::AccountChanged { .. } => ErrorKind::AccountChanged,
            Error::RenewalFailed { .. } | Error::Client { .. } => ErrorKind::Connection,
            _ => ErrorKind::Unauthorized,
        };
        Self::new(kind, error.to_string()).with_hint(error.hint())
    }
}
