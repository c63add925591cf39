//! Rules files on disk: reading, adding, and what is left of a write that was cut off.

use super::*;
use crate::approvals::rules::Rule;

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn of_files_that_commands_could_have_made_only_the_strict_rules_count() {
    let dir = tempfile::tempdir().unwrap();
    let text = "prefix_rule(pattern=['a'])\nprefix_rule(pattern=['b'], decision='forbidden')\n\
                host_executable(name='a', paths=['/evil/a'])\n";
    std::fs::write(dir.path().join("x.rules"), text).unwrap();
    let mut book = Rulebook::default();
    let problems = tighten(&mut book, &[dir.path().to_owned()]);
    assert_eq!(book.rules.iter().map(|rule| rule.decision).collect::<Vec<_>>(), [RuleDecision::Forbidden]);
    assert!(book.hosts.is_empty() && problems[0].contains("rules that allow are ignored"), "{problems:?}");
    assert!(tighten(&mut book, &[dir.path().join("none")]).is_empty());
}

#[test]
fn folders_are_read_in_order_and_faults_name_their_line() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("b.rules", "prefix_rule(pattern=['b'])\n\nprefix_rule(pattern=[x])\n");
    write("a.rules", "prefix_rule(pattern=['a'])\nhost_executable(name='a', paths=['/a'])\n");
    write("notes.txt", "nothing");
    let (book, problems) = load(&[dir.path().to_owned(), dir.path().join("missing")], None);
    let first: Vec<&str> = book.rules.iter().map(|rule| rule.pattern[0][0].as_str()).collect();
    assert_eq!((first, book.blind), (vec!["a", "b"], false));
    assert_eq!(book.hosts["a"], ["/a"]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("b.rules:3: expected a string"), "{problems:?}");
    assert_eq!(load(&[dir.path().join("a.rules")], None).0.rules.len(), 1, "a file by name");
}

#[test]
fn a_file_that_cannot_be_read_blinds() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.rules"), b"\xff\xfe").unwrap();
    std::fs::write(dir.path().join("b.rules"), "prefix_rule(pattern=['b'], decision='prompt')").unwrap();
    std::fs::create_dir(dir.path().join("c.rules")).unwrap();
    let (book, problems) = load(&[dir.path().to_owned()], None);
    assert!(book.blind && book.rules.len() == 1);
    assert!(problems[0].contains("a.rules") && problems[1].contains("c.rules"), "{problems:?}");
    assert!(problems[2].contains("no rule allows anything"));
}

#[test]
fn rules_are_added_once_and_can_be_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rules/default.rules");
    let odd = vec!["touch".to_owned(), "a\"b\\c ä".to_owned()];
    let rule = text(&odd, RuleDecision::Allow).unwrap();
    append(&path, "Made by codex", std::slice::from_ref(&rule)).unwrap();
    append(&path, "Made by codex", &[rule, text(&words("git push"), RuleDecision::Allow).unwrap()]).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written.lines().count(), 3, "{written}");
    let (book, problems) = load(std::slice::from_ref(&path), None);
    assert_eq!(problems, Vec::<String>::new());
    let mut found = book.rules;
    let origins: Vec<String> = found.iter_mut().map(|rule| rule.origin.take().unwrap().to_string()).collect();
    assert!(origins[0].ends_with(".rules:2") && origins[1].ends_with(".rules:3"), "{origins:?}");
    assert_eq!(found, [Rule::allowing(&odd), Rule::allowing(&words("git push"))]);
    assert_eq!(text(&["a\nb".to_owned()], RuleDecision::Allow), None);
}

#[test]
fn a_last_line_without_its_end_is_not_joined() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.rules");
    std::fs::write(&path, "prefix_rule(pattern=['a'])").unwrap();
    append(&path, "", &[text(&words("b"), RuleDecision::Allow).unwrap()]).unwrap();
    assert_eq!(load(std::slice::from_ref(&path), None).0.rules.len(), 2);
    let lock = FileLock::try_take(&path).unwrap();
    let error = append(&path, "", &[text(&words("c"), RuleDecision::Allow).unwrap()]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(lock);
}

/// What each process of the test below does: told its file and its number on its input.
#[test]
#[ignore = "run by another test, with input"]
fn adds_rules_as_a_process() {
    let mut told = String::new();
    std::io::stdin().read_line(&mut told).unwrap();
    let Some((number, path)) = told.trim().split_once(' ') else { return };
    for n in 0..25 {
        let own = text(&words(&format!("own {number} {n}")), RuleDecision::Allow).unwrap();
        let shared = text(&words(&format!("shared {n}")), RuleDecision::Allow).unwrap();
        append(Path::new(path), "heading", &[own, shared]).unwrap();
    }
}

#[test]
fn processes_that_add_at_once_lose_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rules/default.rules");
    let start = |number: usize| {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "approvals::rule_files::tests::adds_rules_as_a_process"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let told = format!("{number} {}\n", path.display());
        child.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
        child
    };
    let children: Vec<_> = (0..3).map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (1 + 3 * 25 + 25, "# heading"), "{text}");
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 101, "{text}");
    assert_eq!(load(std::slice::from_ref(&path), None).0.rules.len(), 100);
}

#[test]
fn a_write_that_was_cut_off_widens_nothing_and_does_not_spoil_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("default.rules");
    let strict = "prefix_rule(pattern=[\"curl\"], decision=\"forbidden\")\n";
    let line = |command: &str| text(&words(command), RuleDecision::Allow).unwrap();
    let whole = format!("{strict}{}\n", line("git push origin"));
    for cut in strict.len()..whole.len() {
        std::fs::write(&path, whole.get(..cut).unwrap()).unwrap();
        append(&path, "", &[line("make test")]).unwrap();
        let (book, _) = load(std::slice::from_ref(&path), None);
        let mut found: Vec<String> = Vec::new();
        for rule in &book.rules {
            found.push(format!("{} {}", rule.decision.word(), rule.pattern.concat().join(" ")));
        }
        assert!(!book.blind, "{cut}");
        let torn = found.iter().position(|rule| rule == "allow git push origin");
        torn.map(|at| found.remove(at));
        assert_eq!(found, ["forbidden curl", "allow make test"], "{cut}");
    }
}
