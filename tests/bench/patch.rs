//! A patch of 1,000 places in a file of 200,000 similar lines, and one that adds 1,000 files.

use std::fs;

use codex::bench::{patch_apply, patch_locate, patch_sample};
use divan::Bencher;
use tempfile::TempDir;

#[divan::bench(sample_count = 20)]
fn locate(bencher: Bencher) {
    let (file, patch) = patch_sample(200_000, 1_000);
    let dir = folder(&file);
    bencher.bench_local(|| assert_eq!(patch_locate(&patch, dir.path()), Some(1)));
}

#[divan::bench(sample_count = 20)]
fn apply(bencher: Bencher) {
    let (file, patch) = patch_sample(200_000, 1_000);
    bencher
        .with_inputs(|| folder(&file))
        .bench_local_refs(|dir| assert_eq!(patch_apply(&patch, dir.path()), Some(1)));
}

#[divan::bench(sample_count = 20)]
fn add_files(bencher: Bencher) {
    let files: String =
        (0..1_000).map(|n| format!("*** Add File: src/{}/{n}.rs\n+fn f() {{}}\n", n % 10)).collect();
    let patch = format!("*** Begin Patch\n{files}*** End Patch\n");
    bencher
        .with_inputs(|| folder(""))
        .bench_local_refs(|dir| assert_eq!(patch_apply(&patch, dir.path()), Some(1_000)));
}

fn folder(file: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("long.rs"), file).expect("the file is written");
    dir
}
