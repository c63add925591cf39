//! Walks and searches through earlier prompts, step by step.

use super::*;

fn draft(text: &str) -> Draft {
    Draft::from_text(text)
}

fn page(texts: &[&str], next: Option<u64>) -> Page {
    Page { entries: texts.iter().map(|t| (*t).to_owned()).collect(), next }
}

fn show(step: Step) -> String {
    match step {
        Step::Show(draft) => draft.to_history(),
        Step::Load(before) => format!("load {before:?}"),
        Step::End => "end".to_owned(),
    }
}

/// A history with these prompts of the file, newest first, all loaded.
fn history(texts: &[&str]) -> History {
    let mut history = History::default();
    assert_eq!(history.load(), Step::Load(None));
    history.loaded(page(texts, None), &Draft::default());
    history
}

#[test]
fn the_walk_goes_through_the_session_then_the_file_and_back_to_the_text() {
    let mut history = history(&["file new", "file old"]);
    history.remember(draft("mine"));
    let now = draft("typing");
    let mut at = now.clone();
    let mut steps = Vec::new();
    for older in [true, true, true, true, false, false, false, false] {
        let step = if older { history.older(&at) } else { history.newer(&at) };
        if let Step::Show(draft) = &step {
            at = draft.clone();
        }
        steps.push(show(step));
    }
    let want = ["mine", "file new", "file old", "end", "file new", "mine", "typing", "end"];
    assert_eq!(steps, want);
}

#[test]
fn pages_are_loaded_when_they_are_needed() {
    let mut history = History::default();
    assert_eq!(show(history.older(&Draft::default())), "load None");
    assert_eq!(show(history.older(&Draft::default())), "end", "one load at a time");
    assert_eq!(show(history.loaded(page(&["a"], Some(7)), &Draft::default())), "a");
    assert_eq!(show(history.older(&draft("a"))), "load Some(7)");
    // The person went back down meanwhile: the page changes nothing.
    assert_eq!(show(history.newer(&draft("a"))), "");
    assert_eq!(show(history.loaded(page(&["b"], None), &Draft::default())), "end");
    assert_eq!(show(history.older(&Draft::default())), "a");
    assert_eq!(show(history.older(&draft("a"))), "b");
}

#[test]
fn changes_on_the_way_are_kept() {
    let mut history = history(&["a", "b"]);
    history.older(&draft("typing"));
    history.older(&draft("a changed"));
    assert_eq!(show(history.newer(&draft("b"))), "a changed");
    assert_eq!(show(history.newer(&draft("a changed"))), "typing");
    // Once something is sent, entries are what they were.
    history.remember(draft("sent"));
    history.older(&Draft::default());
    assert_eq!(show(history.older(&draft("sent"))), "a");
}

#[test]
fn what_this_session_wrote_is_not_shown_twice() {
    let mut history = History::default();
    history.remember(draft("mine"));
    history.load();
    history.loaded(page(&["mine", "x", "x", "  ", "y"], None), &Draft::default());
    let mut seen = Vec::new();
    let mut at = Draft::default();
    while let Step::Show(draft) = history.older(&at) {
        seen.push(draft.text.clone());
        at = draft;
    }
    assert_eq!(seen, ["mine", "x", "y"]);
}

#[test]
fn search() {
    let mut history = history(&["cargo test", "git status", "cargo build", "Cargo.toml"]);
    let now = draft("typing");
    assert_eq!(show(history.search_on(false, &now)), "end");
    assert_eq!(show(history.search_for(|q| q.push_str("cargo"))), "cargo test");
    assert_eq!(show(history.search_on(false, &now)), "cargo build");
    assert_eq!(show(history.search_on(false, &now)), "Cargo.toml");
    assert_eq!(show(history.search_on(false, &now)), "end");
    assert!(history.search().unwrap().failed);
    assert_eq!(show(history.search_on(true, &now)), "cargo build");
    assert!(!history.search().unwrap().failed);
    assert_eq!(show(history.search_for(|q| q.push_str(" b"))), "cargo build");
    assert_eq!(show(history.search_for(|q| q.push('q'))), "end");
    // A shorter query begins anew.
    assert_eq!(show(history.search_for(|q| q.truncate(3))), "cargo test");
    assert_eq!(show(history.search_for(String::clear)), "typing");
    // Capital letters are meant.
    assert_eq!(show(history.search_for(|q| q.push('C'))), "Cargo.toml");
    assert_eq!(history.search_cancel(), Some(now));
}

#[test]
fn search_reads_on_and_the_walk_goes_on_from_the_match() {
    let mut history = History::default();
    let now = Draft::default();
    assert_eq!(show(history.search_on(false, &now)), "load None");
    assert_eq!(show(history.search_for(|q| q.push('z'))), "end");
    assert_eq!(show(history.loaded(page(&["a", "b"], Some(9)), &now)), "load Some(9)");
    assert_eq!(show(history.loaded(page(&["z one", "c", "z two"], Some(5)), &now)), "z one");
    assert_eq!(show(history.search_on(false, &now)), "z two");
    assert_eq!(show(history.search_on(false, &now)), "load Some(5)");
    assert_eq!(show(history.loaded(page(&["none"], None), &now)), "end");
    assert!(history.search().unwrap().failed);
    history.search_accept();
    assert_eq!(show(history.newer(&draft("z two"))), "c");
}

#[test]
fn blank_and_repeated_prompts_are_not_remembered() {
    let mut history = history(&[]);
    for text in ["a", "a", "  ", "b"] {
        history.remember(draft(text));
    }
    assert_eq!(show(history.older(&Draft::default())), "b");
    assert_eq!(show(history.older(&draft("b"))), "a");
    assert_eq!(show(history.older(&draft("a"))), "end");
}
