//! Which models there are and what they can do.
//!
//! - [`catalogue`]: the bundled list, and what to assume of a model that is not in it

pub(crate) mod catalogue;
