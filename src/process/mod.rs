//! Running programs.
