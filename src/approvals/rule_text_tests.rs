//! Rules files, good and bad.

use proptest::prelude::*;

use super::*;
use RuleDecision::{Allow, Forbidden, Prompt};

/// `word|alternative word = decision` per rule.
fn shown(reading: &Reading) -> Vec<String> {
    let pattern = |rule: &Rule| rule.pattern.iter().map(|at| at.join("|")).collect::<Vec<_>>().join(" ");
    reading.rules.iter().map(|rule| format!("{} = {}", pattern(rule), rule.decision.word())).collect()
}

fn problems(reading: &Reading) -> Vec<(usize, &str)> {
    reading.problems.iter().map(|problem| (problem.line, problem.text.as_str())).collect()
}

#[test]
fn everything_a_file_can_say() {
    let text = r#"# Rules
prefix_rule(pattern=["ls"])
prefix_rule(
    pattern = ["git", ["push", 'fetch'],],   # either
    decision = "prompt",
    justification = "goes to the \"net\"",
    match = ["git push", ["git", "fetch", "--all"], "git push 'a b'"],
    not_match = ["git status", "hub push"],
)
prefix_rule(pattern=[r"a\b", "tab\there", "\u00e4"], decision="forbidden"); prefix_rule(pattern=["x"])
host_executable(name="git", paths=["/usr/bin/git", "/opt/bin/git"])
"#;
    let reading = read(text);
    assert_eq!(problems(&reading), []);
    assert_eq!(
        shown(&reading),
        ["ls = allow", "git push|fetch = prompt", "a\\b tab\there ä = forbidden", "x = allow"]
    );
    assert_eq!(reading.rules[1].justification.as_deref(), Some("goes to the \"net\""));
    let paths = ["/usr/bin/git", "/opt/bin/git"].map(str::to_owned).to_vec();
    assert_eq!(reading.hosts, [("git".to_owned(), paths)]);
    assert!(!reading.blind);
    assert!(read("").problems.is_empty() && read("\n# nothing\n").problems.is_empty());
}

/// A faulty call between two good ones: the line of the fault, what stays of it, and whether the reading is blind.
#[test]
fn a_faulty_call_hurts_only_itself_and_strict_ones_stay() {
    let table: &[(&str, usize, &[&str], bool)] = &[
        ("prefix_rule(pattern=[\"a\"", 3, &[], false),
        ("prefix_rule(pattern=[\"a\", b])", 2, &[], false),
        ("prefix_rule(pattern=[])", 2, &[], false),
        ("prefix_rule(pattern=[\"\"])", 2, &[], false),
        ("prefix_rule(pattern=\"a\")", 2, &[], false),
        ("prefix_rule()", 2, &[], false),
        ("prefix_rule(pattern=[\"a\"], paterns=[\"b\"])", 2, &[], false),
        ("prefix_rule(pattern=[\"a\"], pattern=[\"b\"])", 2, &[], false),
        ("prefix_rule(pattern=[\"a\"], match=[\"b\"])", 2, &[], false),
        ("prefix_rule(pattern=[\"a\"],\n\n not_match=[\"a b\"])", 4, &[], false),
        ("prefix_rule(pattern=[[[\"a\"]]])", 2, &[], false),
        ("prefix_rule(pattern=[\"a\"], justification=\"\")", 2, &[], false),
        ("prefix_rule([\"a\"])", 2, &[], false),
        ("prefix_rule(pattern=[\"a\"]) + 1", 2, &["a = allow"], false),
        ("prefix_rule(pattern=[\"a\\q\"])", 2, &[], false),
        ("prefix_rule(pattern=[\"\"\"a\"\"\"])", 2, &[], false),
        ("load(\"x\", \"y\")", 2, &[], false),
        ("X = [\"a\"]", 2, &[], false),
        // What asks or forbids is kept, as wide as it must be.
        ("prefix_rule(pattern=[\"a\"], decision=\"forbidden\", match=[\"b\"])", 2, &["a = forbidden"], false),
        (
            "prefix_rule(pattern=[\"a\", b], decision=\"forbidden\", justification=\"x\")",
            2,
            &["a = forbidden"],
            false,
        ),
        ("prefix_rule(pattern=[\"a\"], decision=\"deny\")", 2, &["a = prompt"], false),
        ("prefix_rule(pattern=[\"a\"], decision=FORBIDDEN)", 2, &["a = prompt"], false),
        ("prefix_rule(pattern=[\"a\"], decision=\"prompt\"", 3, &["a = prompt"], false),
        ("prefix_rule(pattern=[\"a\"], colour=\"red\", decision=\"prompt\")", 2, &["a = prompt"], false),
        ("prefix_rule(pattern=X, decision=\"forbidden\")", 2, &[], true),
        ("  prefix_rule(pattern=[\"a\"], decision=\"forbidden\") if x", 2, &["a = forbidden"], true),
        ("def f():\n  prefix_rule(pattern=[\"a\"], decision=\"forbidden\")", 2, &[], true),
    ];
    for (faulty, line, kept, blind) in table {
        let reading = read(&format!(
            "prefix_rule(pattern=[\"one\"])\n{faulty}\nprefix_rule(pattern=[\"two\"], decision=\"prompt\")\n"
        ));
        let mut want = vec!["one = allow"];
        want.extend(*kept);
        want.push("two = prompt");
        assert_eq!(shown(&reading), want, "{faulty}: {:?}", reading.problems);
        assert_eq!(reading.problems.first().map(|p| p.line), Some(*line), "{faulty}: {:?}", reading.problems);
        assert_eq!(reading.blind, *blind, "{faulty}");
    }
}

#[test]
fn a_fault_is_named() {
    let text = "prefix_rule(pattern=[\"git\", \"push\"], match=[\"git pull\"])\nhost_executable(name=\"a\")\n\
                host_executable(name=\"b\", paths=[\"bin/b\"])\nnetwork_rule(host=\"x\")\n";
    assert_eq!(
        problems(&read(text)),
        [
            (1, "the rule does not match its example `git pull`"),
            (2, "host_executable needs `name` and `paths`"),
            (3, "`paths` wants a list of absolute paths"),
            (
                4,
                "network_rule needs `host` (a name without scheme, port or path) and `protocol` (\"https\", \"http\" or \
 \"socks5_tcp\")"
            ),
        ]
    );
}

#[test]
fn too_many_rules_are_a_mistake() {
    let reading = read(&"prefix_rule(pattern=[\"a\"])\n".repeat(MAX_RULES + 5));
    assert_eq!((reading.rules.len(), reading.blind), (MAX_RULES + 1, true));
}

#[test]
fn decisions_have_words() {
    for decision in [Allow, Prompt, Forbidden] {
        assert_eq!(RuleDecision::from_word(decision.word()), Some(decision));
    }
    assert_eq!(RuleDecision::from_word("Allow"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_fail(text in "\\PC*|[\\[\\](){}\"'=,#a\\\\\\n;]{0,60}", before in any::<bool>()) {
        let good = "prefix_rule(pattern=[\"z\"], decision=\"forbidden\")\n";
        let text = if before { format!("{good}{text}") } else { format!("{text}\n{good}") };
        // Whatever stands beside it, a rule that forbids stays.
        prop_assert!(shown(&read(&text)).contains(&"z = forbidden".to_owned()));
    }
}
