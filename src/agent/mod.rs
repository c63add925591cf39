//! (index card of `agent`)
