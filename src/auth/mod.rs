//! Whose name requests go out under. Credentials are read here and nowhere else.
//!
//! - [`source`]: the seam: whoever sends requests asks it for the bearer
//! - [`manager`]: owner of the credentials of this process: hands them out, and what follows a 401
//! - [`credentials`]: which of them counts
//! - [`held`]: the credentials in use and what is known about them
//! - [`under_way`]: renewals of this process, one for all tasks that ask
//! - [`recovery`]: machine: what to do after a 401
//! - [`marks`]: what is known about the last refresh token that was sent
//! - [`refresh`]: one renewal for all tasks and processes, under the lock
//! - [`issuer`]: the service that signs people in: addresses and requests
//! - [`issuer_answers`]: what the answers of the sign-in service say
//! - [`sign_in`]: what all ways to sign in share, and signing out
//! - [`browser`]: sign-in in a browser
//! - [`device_code`]: sign-in with a code on another device
//! - [`api_key`]: login with a key, and the status line
//! - [`external`]: tokens that belong to a parent application
//! - [`workspace`]: which sign-ins the configuration accepts
//! - [`store`]: file, keyring or memory; locks and whole writes
//! - [`file`]: `auth.json` as a file: whose it is, who can read it, whether it can be written
//! - [`document`]: the credential document: read in every shape, changed field by field
//! - [`keyring`]: the system's keyring
//! - [`claims`]: what a token says about account, plan and expiry
//! - [`error`]: what can be wrong, each with the command that helps

pub(crate) mod api_key;
pub(crate) mod browser;
pub(crate) mod claims;
pub(crate) mod credentials;
pub(crate) mod device_code;
mod document;
pub(crate) mod error;
pub(crate) mod external;
mod file;
mod held;
pub(crate) mod issuer;
mod issuer_answers;
mod keyring;
pub(crate) mod manager;
mod marks;
mod recovery;
mod refresh;
pub(crate) mod sign_in;
pub(crate) mod source;
pub(crate) mod store;
pub(crate) mod under_way;
pub(crate) mod workspace;
