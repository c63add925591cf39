//! Benchmarks of the hot paths: `cargo bench`, or `cargo bench -- NAME` for some of them.
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up ends")]

mod answer;
mod patch;
mod rollout;
mod sandbox;

fn main() {
    divan::main();
}
