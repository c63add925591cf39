//! (index card of `patch`)
