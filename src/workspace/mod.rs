//! (index card of `workspace`)
