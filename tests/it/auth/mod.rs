//! Accounts: signing in and out by every way, and tokens that run out, are refused, lost and renewed.

pub(crate) mod bed;
pub(crate) mod canary;
mod keep;
mod roads;
mod sign_in;
mod tokens;
