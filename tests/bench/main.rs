//! Benchmarks of the hot paths: `cargo bench`.

mod sandbox;

fn main() {
    divan::main();
}
