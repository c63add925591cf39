//! (index card of `demo`)
