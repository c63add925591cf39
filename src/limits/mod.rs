//! The shared rate-limit cache and all that follows from it.
//!
//! - [`marks`]: windows as a redemption remembers them, and whether they started anew
//! - [`intent`]: what is written down of a redemption, and what that forbids
//! - [`redeem`]: machine of one redemption
//! - [`journal`]: intents and receipts on disk
//! - [`redeemer`]: carries out what the machine says

pub(crate) mod intent;
pub(crate) mod journal;
pub(crate) mod marks;
pub(crate) mod redeem;
pub(crate) mod redeemer;
