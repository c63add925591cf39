//! (index card of `net`)
