//! Searches in small trees: what is found, in which order, and what never is.

use std::fs;
use std::path::Path;

use tokio::sync::mpsc;

use super::*;

fn tree(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        write(dir.path(), file, "");
    }
    dir
}

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The final answer to a query.
async fn find(search: &Search, query: &str) -> Vec<String> {
    answers(search, query).await.pop().unwrap_or_default()
}

/// All answers to a query; every one names the query, the last one is final.
async fn answers(search: &Search, query: &str) -> Vec<Vec<String>> {
    let (out, mut found) = mpsc::channel(64);
    search.run(query.to_owned(), out).await.unwrap();
    let mut all = Vec::new();
    let mut done = false;
    while let Some(answer) = found.recv().await {
        assert_eq!(answer.query, query);
        done = answer.done;
        all.push(answer.rows.into_iter().map(|h| h.path).collect());
    }
    assert!(done, "no final answer to {query:?}");
    all
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

#[test]
fn names_come_before_folders_and_insides_never() {
    let dir = tree(&[
        "src/main.rs",
        "src/main/other.rs",
        "docs/domain.md",
        ".git/hooks/main.sample",
        ".hidden/main",
    ]);
    runtime().block_on(async {
        let search = Search::new(dir.path().to_owned());
        let found = find(&search, "main").await;
        assert!(!found.iter().any(|p| p.contains(".git")), "{found:?}");
        // Equal scores are ordered by time, which quick writes do not decide.
        let place = |path: &str| found.iter().position(|p| p == path).unwrap();
        for named in [".hidden/main", "src/main", "src/main.rs"] {
            assert!(place(named) < 3, "{named}: {found:?}");
        }
        assert!(place("src/main.rs") < place("docs/domain.md"), "{found:?}");
        assert_eq!(find(&search, "nothinghere").await, [""; 0]);
        assert_eq!(find(&search, "git").await, [""; 0]);
    });
}

#[test]
fn ignore_files_hold_also_outside_of_git() {
    let dir = tree(&["a/target.rs", "b/target.rs", "target/x", "keep.log", "drop.log"]);
    write(dir.path(), ".gitignore", "*.log\n!keep.log\ntarget/\n");
    write(dir.path(), "b/.ignore", "target.rs\n");
    runtime().block_on(async {
        let search = Search::new(dir.path().to_owned());
        assert_eq!(find(&search, "target").await, ["a/target.rs"]);
        assert_eq!(find(&search, "log").await, ["keep.log"]);
    });
}

#[test]
fn equal_scores_are_ordered_by_time() {
    let dir = tree(&["a/mod.rs", "b/mod.rs", "c/mod.rs"]);
    for (file, age) in [("a/mod.rs", 30), ("b/mod.rs", 10), ("c/mod.rs", 20)] {
        let file = fs::File::options().write(true).open(dir.path().join(file)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    runtime().block_on(async {
        let search = Search::new(dir.path().to_owned());
        assert_eq!(find(&search, "mod").await, ["b/mod.rs", "c/mod.rs", "a/mod.rs"]);
    });
}

#[test]
fn no_query_lists_what_lies_on_top() {
    let dir = tree(&["deep/er/file", "top.md"]);
    runtime().block_on(async {
        let search = Search::new(dir.path().to_owned());
        let found = find(&search, "").await;
        assert_eq!(found.len(), 4);
        assert_eq!(found.last().unwrap(), "deep/er/file");
    });
}

#[test]
fn marks_tell_what_matched() {
    let dir = tree(&["src/tui/keys.rs"]);
    runtime().block_on(async {
        let search = Search::new(dir.path().to_owned());
        for (query, want) in [("keys", vec![8, 9, 10, 11]), ("tk", vec![4, 8])] {
            let (out, mut found) = mpsc::channel(8);
            search.run(query.to_owned(), out).await.unwrap();
            let answer = found.recv().await.unwrap();
            let hit = answer.rows.iter().find(|h| h.path == "src/tui/keys.rs").unwrap();
            assert_eq!((hit.kind, &hit.marks), (Kind::File, &want), "{query}");
        }
    });
}

#[test]
fn names_that_cannot_be_typed_are_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tree(&["good"]);
    fs::write(dir.path().join("go\u{1b}od"), "").unwrap();
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"go\xffod")), "").unwrap();
    runtime().block_on(async {
        assert_eq!(find(&Search::new(dir.path().to_owned()), "good").await, ["good"]);
    });
}

#[test]
fn a_newer_query_ends_the_one_before_and_a_closed_reader_ends_its_own() {
    let dir = tree(&["a"]);
    runtime().block_on(async {
        let search = Search::new(dir.path().to_owned());
        let (out, found) = mpsc::channel(8);
        drop(found);
        search.run("a".into(), out).await.unwrap();
        let (first, second) = tokio::join!(
            async {
                let (out, _found) = mpsc::channel(8);
                search.run("a".into(), out).await
            },
            find(&search, "a")
        );
        first.unwrap();
        assert_eq!(second, ["a"]);
    });
}

#[test]
fn an_old_list_answers_at_once_and_again_when_walked_anew() {
    let dir = tree(&["one"]);
    runtime().block_on(async {
        let search = Search::new(dir.path().to_owned());
        assert_eq!(find(&search, "o").await, ["one"]);
        write(dir.path(), "other", "");
        assert_eq!(find(&search, "o").await, ["one"], "fresh enough not to be walked");
        search.shared.lock().walked = None;
        assert_eq!(answers(&search, "o").await.last().unwrap().len(), 2);
    });
}

#[test]
fn many_matches_stay_few_rows() {
    let files: Vec<String> = (0..9000).map(|n| format!("d{}/file{n}.txt", n % 10)).collect();
    let dir = tree(&files.iter().map(String::as_str).collect::<Vec<_>>());
    runtime().block_on(async {
        let search = Search::new(dir.path().to_owned());
        assert_eq!(find(&search, "file").await.len(), ROWS);
        assert_eq!(find(&search, "file8765").await.first().unwrap(), "d5/file8765.txt");
    });
}

#[test]
fn a_missing_root_is_an_empty_answer() {
    runtime().block_on(async {
        assert_eq!(find(&Search::new("/no/such/folder".into()), "x").await, [""; 0]);
    });
}
