//! The shared rate-limit cache and all that follows from it.
