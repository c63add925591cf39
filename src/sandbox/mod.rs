//! (index card of `sandbox`)
