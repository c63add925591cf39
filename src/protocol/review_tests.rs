//! Answers of reviewers, whole and broken.

use super::*;

const FULL: &str = r#"{"findings":[
    {"title":"Wrong sum","body":"It adds twice.\n\nSee b.","confidence_score":0.9,"priority":1,
     "code_location":{"absolute_file_path":"/w/a.rs","line_range":{"start":3,"end":5}}},
    {"title":"[P2] No test","body":"","confidence_score":0.5,"priority":2,
     "code_location":{"absolute_file_path":"/w/b.rs","line_range":{"start":7,"end":7}}}],
    "overall_correctness":"patch is incorrect","overall_explanation":"The sum is wrong.","overall_confidence_score":0.8}"#;

#[test]
fn a_whole_answer_is_read_and_rendered() {
    let output = Output::of_answer(FULL);
    assert_eq!(output.findings.len(), 2);
    assert_eq!(output.overall_correctness, "patch is incorrect");
    assert_eq!(
        output.text(),
        "The sum is wrong.\n\nFull review comments:\n\n- [P1] Wrong sum — /w/a.rs:3-5\n  It adds twice.\n\n  See \
         b.\n\n- [P2] No test — /w/b.rs:7-7"
    );
}

#[test]
fn what_was_stored_is_read_back_the_same() {
    let output = Output::of_answer(FULL);
    assert_eq!(Output::of_value(&serde_json::to_value(&output).unwrap()), Some(output));
}

#[test]
fn every_answer_comes_to_something() {
    let around = format!("Here it is:\n```json\n{FULL}\n```\nThat is all.");
    let many = format!(r#"{{"findings":[{}]}}"#, vec![r#"{"title":"x"}"#; MAX_FINDINGS + 5].join(","));
    for (answer, findings, text) in [
        (around.as_str(), 2, "The sum is wrong."),
        ("Looks fine.", 0, "Looks fine."),
        ("", 0, "The reviewer gave no answer."),
        ("{\"overall_explanation\":\"Good.\"}", 0, "Good."),
        (r#"{"findings":[],"overall_explanation":"Fine."}"#, 0, "Fine."),
        // Cut off, another shape, a finding without words: shown as they came.
        (r#"{"findings":[{"title":"x""#, 0, r#"{"findings":[{"title":"x""#),
        (r#"{"answer":42}"#, 0, r#"{"answer":42}"#),
        (r#"{"findings":[{"priority":1}]}"#, 0, r#"{"findings":[{"priority":1}]}"#),
        (r#"{"findings":"none"}"#, 0, r#"{"findings":"none"}"#),
        ("[1]", 0, "[1]"),
        // Partial findings keep what they have.
        (r#"{"findings":["just a title"]}"#, 1, "Review comment:\n\n- just a title"),
        (r#"{"findings":[{"body":"b"}]}"#, 1, "Review comment:\n\n- Finding\n  b"),
        (
            r#"{"findings":[{"title":"a\n b","priority":"high","code_location":{"absolute_file_path":"/x"}}]}"#,
            1,
            "Review comment:\n\n- a b — /x",
        ),
        (
            r#"{"findings":[{"title":"t","priority":0,"code_location":{"absolute_file_path":"/x","line_range":{"start":9,"end":2}}}]}"#,
            1,
            "Review comment:\n\n- [P0] t — /x:9-9",
        ),
        (&many, MAX_FINDINGS, "Full review comments:\n\n- x\n\n- x"),
    ] {
        let output = Output::of_answer(answer);
        assert_eq!(output.findings.len(), findings, "{answer}");
        assert!(output.text().starts_with(text), "{answer}: {}", output.text());
    }
}

#[test]
fn a_target_has_words() {
    let commit =
        |sha: &str, title: Option<&str>| Target::Commit { sha: sha.into(), title: title.map(str::to_owned) };
    for (target, words) in [
        (Target::UncommittedChanges, "current changes"),
        (Target::BaseBranch { branch: "main".into() }, "changes against 'main'"),
        (commit("a60aa1b6c8d7e6f5", None), "commit a60aa1b"),
        (commit("HEAD~2", Some("A title")), "commit HEAD~2: A title"),
        (Target::Custom { instructions: " the tests\n".into() }, "the tests"),
    ] {
        assert_eq!(target.words(), words);
    }
}
