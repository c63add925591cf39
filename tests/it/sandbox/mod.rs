//! The sandbox against hostile and ordinary commands, live: at both levels, as root (when the tests run as root)
//! and as an ordinary user. Every attack is first shown to work without a sandbox, so a test that attacks in vain
//! for another reason fails too.

mod attacks;
mod attempts;
mod bed;
mod lifetime;
mod work;
