//! (index card of `responses`)
