//! (index card of `models`)
