//! A thread of 10 MB: written line by line, read back for the model, and its last turns for a screen.

use std::path::PathBuf;

use codex::bench::{rollout_append, rollout_history, rollout_tail};
use divan::Bencher;
use divan::counter::BytesCount;
use tempfile::TempDir;

const BYTES: usize = 10 << 20;

#[divan::bench(sample_count = 20)]
fn append(bencher: Bencher) {
    bencher
        .counter(BytesCount::new(BYTES))
        .with_inputs(home)
        .bench_local_refs(|home| assert!(rollout_append(home.path(), BYTES).is_some()));
}

#[divan::bench(sample_count = 20)]
fn history(bencher: Bencher) {
    let (home, file) = thread();
    bencher
        .counter(BytesCount::new(BYTES))
        .bench_local(|| assert!(rollout_history(home.path(), &file).is_some_and(|entries| entries > 1_000)));
}

#[divan::bench(sample_count = 100)]
fn tail(bencher: Bencher) {
    let (home, file) = thread();
    bencher.bench_local(|| assert!(rollout_tail(home.path(), &file).is_some_and(|items| items > 0)));
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn thread() -> (TempDir, PathBuf) {
    let home = home();
    let file = rollout_append(home.path(), BYTES).expect("a rollout is written");
    (home, file)
}
