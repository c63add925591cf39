//! (index card of `threads`)
