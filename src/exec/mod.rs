//! (index card of `exec`)
