//! (index card of `auth`)
