//! Integration tests: the real binary against the scripted backend on loopback.

mod durability;
mod faults;
mod patch;
mod sandbox;
mod secrets;
mod support;
mod tidy;
