//! Tests of `splice`.

use proptest::prelude::*;

use crate::patch::diff;
use crate::patch::hunk::Action;
use crate::patch::locate::locate;
use crate::patch::parse::parse;
use crate::patch::splice::splice;
use crate::patch::testing::{change, check, patch};
use crate::patch::text::Text;

#[test]
fn line_endings_of_the_file_stay() {
    check("a\r\nb\r\nc\r\n", " a\n-b\n+B\n+C\n", "a\r\nB\r\nC\r\nc\r\n");
    check("a\r\nb\nc\r\n", "-a\n-b\n-c\n+1\n+2\n+3\n", "1\r\n2\n3\r\n");
    check("a\nb\r\n", "@@ a\n+x\n", "a\nx\nb\r\n");
    check("a\r\nb", "+c\n", "a\r\nb\r\nc");
    // A patch that shows CRs itself.
    check("a\r\nb\r\n", "-a\r\n+x\r\n", "x\r\nb\r\n");
    check("a\r\nb\r\n", " a\n+x\r\n", "a\r\nx\r\nb\r\n");
    check("a\r\nb\r\n", "-a\r\n+a\n", "a\nb\r\n");
}

#[test]
fn a_lone_cr_is_data() {
    check("a\rb\nc\n", "-a\rb\n+x\ry\n", "x\ry\nc\n");
    check("one\rtwo", "-one\rtwo\n+1\r2\n", "1\r2");
    check("a\n\rb\n", " a\n-\rb\n", "a\n");
}

#[test]
fn a_missing_last_newline_stays_missing_unless_the_patch_says() {
    check("a\nb", "-a\n+A\n", "A\nb");
    check("a\nb", "-b\n+B\n", "a\nB");
    check("a\nb", " b\n+c\n", "a\nb\nc");
    check("a\nb", "-b\n", "a\n");
    check("a\nb", "-b\n\\ No newline at end of file\n+B\n", "a\nB\n");
    check("a\nb\n", "-b\n+B\n\\ No newline at end of file\n", "a\nB");
    check("a", "-a\n", "");
    check("a\nb", "+c\n@@\n+d\n", "a\nb\nc\nd");
    check("a\nb", "-b\n+B\n@@\n+c\n", "a\nB\nc");
}

#[test]
fn a_byte_order_mark_stays_first_and_hides_nothing() {
    check("\u{feff}a\nb\n", "-a\n+A\n", "\u{feff}A\nb\n");
    check("\u{feff}a\nb\n", "-\u{feff}a\n+\u{feff}A\n", "\u{feff}A\nb\n");
    check("\u{feff}a\nb\n", "@@ a\n-b\n", "\u{feff}a\n");
    check("\u{feff}a\n", "+x\n a\n", "\u{feff}x\na\n");
    check("\u{feff}", "+x\n", "\u{feff}x\n");
}

/// A line, its ending, and what replaces it; `None` when it stays.
type EditedLine = (String, &'static str, Option<Vec<String>>);

/// A file, whether its last line has a newline, and a number that is 0 for a byte order mark.
fn edited() -> impl Strategy<Value = (Vec<EditedLine>, bool, usize)> {
    let line = "[a-c ]{0,2}|[a-z]{3,8}";
    let ending = prop::sample::select(vec!["\n", "\n", "\n", "\r\n"]);
    let becomes = prop_oneof![3 => Just(None), 1 => prop::collection::vec("[A-Z]{1,4}", 0..3).prop_map(Some)];
    let lines = prop::collection::vec((line, ending, becomes), 1..40);
    (lines, any::<bool>(), 0usize..4).prop_map(|(mut lines, newline, bom)| {
        if let Some((text, ..)) = lines.last_mut() {
            text.push('z'); // without a newline an empty last line is no line
        }
        (lines, newline, bom)
    })
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    /// Random lines replaced by random lines; the chunks carry all lines between the changes, so that each place is
    /// the only one, and the result must be what replacing by hand gives.
    #[test]
    fn random_edits_come_out_as_by_hand((lines, newline, bom) in edited()) {
        let mut old = String::new();
        let mut new = String::new();
        let mut body = String::new();
        let bom = if bom == 0 { "\u{feff}" } else { "" };
        for (text, ending, becomes) in &lines {
            old.push_str(&format!("{text}{ending}"));
            match becomes {
                None => {
                    new.push_str(&format!("{text}{ending}"));
                    body.push_str(&format!(" {text}\n"));
                }
                Some(with) => {
                    body.push_str(&format!("-{text}\n"));
                    for line in with {
                        new.push_str(&format!("{line}{ending}"));
                        body.push_str(&format!("+{line}\n"));
                    }
                }
            }
        }
        // Endings inside one run of changes follow the replaced lines one by one; compare content only there.
        let plain = |s: &str| s.replace("\r\n", "\n");
        let (old, want) = if newline { (old, plain(&new)) } else {
            let cut = |s: String| s.strip_suffix('\n').map(|s| s.strip_suffix('\r').unwrap_or(s).to_owned()).unwrap_or(s);
            let last_run = || lines.iter().rev().map_while(|(_, _, becomes)| becomes.as_ref());
            let last_stays = last_run().count() == 0 || last_run().any(|with| !with.is_empty());
            let old = cut(old);
            (old, if last_stays { cut(plain(&new)) } else { plain(&new) })
        };
        let old = format!("{bom}{old}");
        let got = change(&old, &body).map_err(TestCaseError::fail)?;
        prop_assert_eq!(plain(&got), format!("{bom}{want}"));
    }

    /// The diff made from the edits turns the old text into the new one.
    #[test]
    fn the_diff_of_edits_is_right((lines, newline, _) in edited()) {
        let mut old: String = lines.iter().map(|(text, ending, _)| format!("{text}{ending}")).collect();
        if !newline {
            old.truncate(old.trim_end_matches(['\r', '\n']).len());
        }
        let body: String = lines.iter().map(|(text, _, becomes)| match becomes {
            None => format!(" {text}\n"),
            Some(with) => format!("-{text}\n") + &with.iter().map(|w| format!("+{w}\n")).collect::<String>(),
        }).collect();
        let text = patch(&format!("*** Update File: f\n{body}"));
        let parsed = parse(&text).unwrap();
        let Action::Update { chunks, .. } = &parsed.hunks[0].action else { unreachable!() };
        let file = Text::new(&old).unwrap();
        let edits = locate(chunks, &file, "f").map_err(|miss| TestCaseError::fail(miss.reason))?;
        let new = splice(&file, &edits);
        prop_assert_eq!(diff::tests::apply_unified(&old, &diff::of_edits(&file, &edits)), new.clone());
        prop_assert_eq!(diff::tests::apply_unified(&old, &diff::between(&old, &new)), new);
    }
}
