//! The switches that leave protections out are in builds for tests only.

use std::fs;
use std::path::Path;

/// Each use and each definition stands behind the condition; what has no such mark is constant in other builds.
#[test]
fn switches_of_the_supervisor_stand_behind_the_condition() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = ["process/supervise", "sandbox/linux"].map(|folder| fs::read_dir(src.join(folder)).unwrap());
    let mut seen = 0;
    for file in files.into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| path.is_file())
    {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("leaves_out(")) {
            let above = &lines[number.saturating_sub(1)..number];
            assert!(
                above.iter().any(|line| line.contains("#[cfg(debug_assertions)]")),
                "{}: {line}",
                file.display()
            );
            seen += 1;
        }
    }
    assert!(seen >= 4, "the switches have moved; this test looks in vain");
    let wrap = fs::read_to_string(src.join("sandbox/linux/wrap.rs")).unwrap();
    assert!(wrap.contains("#[cfg(not(debug_assertions))]\n        return protection.is_empty();"));
}

/// In a build for users the flag is unknown and the words are not in the file.
#[cfg(not(debug_assertions))]
#[test]
fn a_build_for_users_has_no_trace_of_switches() {
    let program = env!("CARGO_BIN_EXE_codex");
    let output =
        std::process::Command::new(program).args(["sandbox", "--without", "tree", "--", "true"]).output();
    assert_eq!(output.unwrap().status.code(), Some(2));
    let bytes = fs::read(program).unwrap();
    for word in ["late sockets", "leaves_out", "Leave a protection out", "--without"] {
        assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}
