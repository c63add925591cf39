//! Integration tests: the real binary against the scripted backend on loopback.

mod sandbox;
mod tidy;
