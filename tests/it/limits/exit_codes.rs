//! Which exit code counts when several apply, and that all words work where nobody sits: no terminal, no standard
//! input, no environment.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use super::bed::{Bed, USAGE};
use super::redeem_bed::CONSUME;
use crate::support::codex::binary;

const DOWN: &str = "kind = 'status'\ncode = 503\ntimes = 99";

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// The command line is wrong.
    Wrong,
    /// Nobody is signed in.
    NoSignIn,
    /// A redemption without answer.
    Unknown,
    /// A window that the account does not have is required.
    NoWindow,
    /// The service is down.
    Down,
    /// The limit is reached.
    Reached,
    /// Too little is left.
    TooLittle,
}

/// Cases and their codes, the one that counts most in front.
const ORDER: [(Case, i32); 7] = [
    (Case::Wrong, 64),
    (Case::NoSignIn, 20),
    (Case::Unknown, 22),
    (Case::NoWindow, 23),
    (Case::Down, 21),
    (Case::Reached, 11),
    (Case::TooLittle, 10),
];

/// In which order they can be made true: what comes later leaves what was before it.
const MAKING: [Case; 7] =
    [Case::Unknown, Case::Reached, Case::Down, Case::NoSignIn, Case::NoWindow, Case::TooLittle, Case::Wrong];

#[test]
fn of_all_that_apply_the_first_in_the_list_counts() {
    for (first, (case, code)) in ORDER.into_iter().enumerate() {
        let bed = Bed::new("");
        bed.json(&[]);
        let rest: Vec<Case> = ORDER[first..].iter().map(|(case, _)| *case).collect();
        let mut args = vec!["--max-age", "0"];
        for case in MAKING.into_iter().filter(|case| rest.contains(case)) {
            make(case, &bed, &mut args);
        }
        let output = bed.usage(&args).run().expect(code);
        assert!(!output.stdout.contains('\u{1b}'), "{case:?}");
        if !matches!(case, Case::Wrong) {
            bed.json(&args);
        }
    }
}

fn make(case: Case, bed: &Bed, args: &mut Vec<&str>) {
    match case {
        Case::Wrong => args.extend(["--require", "fortnight=1%"]),
        Case::NoSignIn => fs::remove_file(bed.world.codex_home().join("auth.json")).unwrap(),
        Case::Unknown => {
            bed.fault(CONSUME, DOWN);
            bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
        }
        Case::NoWindow => args.extend(["--require", "day=1%"]),
        Case::Down => bed.fault(USAGE, DOWN),
        Case::Reached => {
            bed.account(&json!({"windows": [{"used": 100, "seconds": 18000, "resets_in": 7300}, {"used": 64, "seconds": 604_800, "resets_in": 300_000}]}));
            bed.json(&["--max-age", "0"]);
        }
        Case::TooLittle => args.extend(["--require", "week=99%"]),
    }
}

/// Without anything but the home, and without standard input at all.
fn bare(bed: &Bed, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new("/bin/sh")
        .args(["-c", r#"exec "$0" "$@" <&-"#])
        .arg(binary())
        .arg("usage")
        .args(args)
        .env_clear()
        .env("CODEX_HOME", bed.world.codex_home())
        .current_dir("/")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_word_works_where_nobody_sits() {
    let bed = Bed::new("");
    for (args, code, part) in [
        (&[][..], 0, "5h limit:"),
        (&["--json"], 0, "\"schema_version\":1"),
        (&["--offline"], 0, "5h limit:"),
        (&["guard", "--require", "week=30%"], 0, "enough"),
        (&["guard", "--require", "week=90%"], 10, "not enough"),
        (&["credits"], 0, "c-1"),
        (&["history"], 0, "readings"),
        (&["explain"], 0, "The last 7 days"),
        (&["activity", "weekly"], 0, "Lifetime"),
        (&["redeem", "--dry-run"], 0, "Would redeem"),
        // Nobody can be asked, and nothing is used.
        (&["redeem"], 64, ""),
        (&["redeem", "--yes", "--no-wait"], 0, "Usage reset."),
    ] {
        let (got, out, err) = bare(&bed, args);
        assert_eq!(got, Some(code), "{args:?}\n{out}\n{err}");
        assert!(out.contains(part), "{args:?}\n{out}\n{err}");
        assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{args:?}");
    }
    assert_eq!(bed.consumed().len(), 1);
    // Wrong use comes before everything else.
    fs::remove_file(bed.world.codex_home().join("auth.json")).unwrap();
    assert_eq!(bare(&bed, &["redeem"]).0, Some(64));
    assert_eq!(bare(&bed, &["redeem", "--yes"]).0, Some(20));
}
