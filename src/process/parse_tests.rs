//! Tables for the reader of command lines, and a comparison with a real bash.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

fn joined(script: &str) -> String {
    match split(script) {
        Some(pieces) => pieces.iter().map(|p| p.join("·")).collect::<Vec<_>>().join(" / "),
        None => "opaque".to_owned(),
    }
}

#[test]
fn plain_scripts() {
    for (script, want) in [
        ("ls", "ls"),
        ("ls -la src", "ls·-la·src"),
        (
            "git status && cargo test || echo bad; ls | wc -l",
            "git·status / cargo·test / echo·bad / ls / wc·-l",
        ),
        ("a\nb\n\n\nc\n", "a / b / c"),
        ("a &&\n\n b |\n c", "a / b / c"),
        ("a;\nb;", "a / b"),
        ("echo 'a b' \"c d\" e'f'\"g\"", "echo·a b·c d·efg"),
        ("echo '$HOME `x` *' \"it's\"", "echo·$HOME `x` *·it's"),
        (r#"echo "a\"b\\c\$d\n" e\ f \*"#, r#"echo·a"b\c$d\n·e f·*"#),
        ("echo a\\\nb \\\n c", "echo·ab·c"),
        ("echo 'a\\\nb' \"a\\\nb\"", "echo·a\\\nb·ab"),
        ("ls # a comment; rm x", "ls"),
        ("# only a comment first\nls a#b", "ls·a#b"),
        ("echo '' \"\"", "echo··"),
        ("git show HEAD~1 HEAD^ a=b x:y --foo=bar", "git·show·HEAD~1·HEAD^·a=b·x:y·--foo=bar"),
        ("find . ! -name x -exec cat {} \\;", "find·.·!·-name·x·-exec·cat·{}·;"),
        ("cat größe.txt", "cat·größe.txt"),
        ("'if' x; \"FOO=1\" y", "if·x / FOO=1·y"),
    ] {
        assert_eq!(joined(script), want, "{script:?}");
    }
}

/// What a shell would compute, or what is no complete command.
const OPAQUE: &[&str] = &[
    "",
    " ",
    "# nothing",
    ";",
    "a;;b",
    "; a",
    "a &&",
    "a |",
    "&& a",
    "a && ; b",
    "a & b",
    "a &",
    "a |& b",
    "a > f",
    "a < f",
    "a >> f",
    "a 2>&1",
    "cat <<E\nx\nE",
    "(a)",
    "{ a; }",
    "a $(b)",
    "a `b`",
    "echo $x",
    "echo \"$x\"",
    "echo \"`x`\"",
    "echo $'x'",
    "ls *.rs",
    "ls ?",
    "ls [ab]",
    "echo {a,b}",
    "cat ~/x",
    "cat ~",
    "echo a=~/x",
    "echo a:~",
    "FOO=1 ls",
    "FOO+=1 ls",
    "a; B=2",
    "=ls",
    "! a",
    "if a; then b; fi",
    "while a; do b; done",
    "time ls",
    "f() { a; }",
    "[ -f x ]",
    "[[ a ]]",
    "echo 'open",
    "echo \"open",
    "echo trailing\\",
    "a\0b",
    "'a\0'",
    "echo a\u{a0}b",
    "echo a\rb",
    "echo a\u{b}b",
    "a |\\\n| b",
    "function f",
    "{}",
    "%1",
    "a && in",
    "- ls",
    "a\u{2028}b",
    "a\u{200b}b",
    "a\u{85}b",
    "a\u{c}b",
    "a\u{1b}b",
    "a <(b)",
];

#[test]
fn everything_a_shell_would_compute_is_opaque() {
    for script in OPAQUE {
        assert_eq!(joined(script), "opaque", "{script:?}");
    }
}

#[test]
fn shells_are_opened() {
    let argv = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    for (given, want, shape) in [
        (&["bash", "-lc", "ls; pwd"][..], &["ls", "pwd"][..], Shape::Plain),
        (&["/usr/bin/zsh", "-c", "ls"], &["ls"], Shape::Plain),
        (&["/tmp/bash", "-c", "ls"], &["/tmp/bash"], Shape::Plain),
        (&["./sh", "-c", "ls"], &["./sh"], Shape::Plain),
        (&["sh", "-c", "ls > x"], &["sh"], Shape::Opaque),
        (&["bash", "-lc", "ls", "extra"], &["bash"], Shape::Plain),
        (&["bash", "-x", "ls"], &["bash"], Shape::Plain),
        (&["fish", "-c", "ls"], &["fish"], Shape::Plain),
        (&["bash", "-lc", "cat <<'E'\n$x\nE"], &["cat"], Shape::Heredoc),
    ] {
        let commands = Commands::of_argv(&argv(given));
        let names: Vec<&str> = commands.pieces.iter().map(|p| p[0].as_str()).collect();
        assert_eq!((names.as_slice(), commands.shape), (want, shape), "{given:?}");
    }
    assert!(Commands::of_argv(&[]).pieces.is_empty());
}

#[test]
fn here_documents_show_their_leading_command() {
    for (script, want) in [
        ("python3 - <<'EOF'\nprint($x)\nEOF", Some("python3 -")),
        ("cat <<EOF\nplain\nEOF\n", Some("cat")),
        ("cat <<-\"EOF\"\n\tx\n\tEOF", Some("cat")),
        ("cat <<EOF\n$(rm x)\nEOF", None),
        ("cat <<EOF\n`rm x`\nEOF", None),
        ("cat <<'EOF'\nx\nEOF\nrm y", None),
        ("cat <<'EOF' > f\nx\nEOF", None),
        ("a | cat <<'EOF'\nx\nEOF", None),
        ("cat <<'A' <<'B'\nx\nA\nB", None),
        ("cat <<'EOF\"\nx\nEOF", None),
        ("cat <<<x\n", None),
        ("cat # <<'E'\nrm $x\nE", None),
        ("cat '#' <<'E'\nx\nE", None),
        ("cat 3<<'E'\nx\nE", None),
        ("cat {fd}<<'E'\nx\nE", None),
        ("cat '<<'E\nx\nE", None),
        ("cat \\<<E\nx\nE", None),
        ("X=1 cat <<'EOF'\nx\nEOF", None),
    ] {
        assert_eq!(heredoc_lead(script).map(|p| p.join(" ")).as_deref(), want, "{script:?}");
    }
}

/// What bash really runs: every command is "not found", and the handler writes its words to a file. One run with
/// success and one with failure as the result of each command reach both sides of `&&` and `||`.
fn bash_runs(bash: &Path, script: &str) -> BTreeSet<Vec<String>> {
    let mut seen = BTreeSet::new();
    for status in ["0", "1"] {
        let dir = tempfile::tempdir().unwrap();
        let handler = format!(
            "PATH=/nonexistent; command_not_found_handle() {{ printf '%s\\0' \"$@\" > \"$LOG/$BASHPID\"; return {status}; }}\n"
        );
        Command::new(bash)
            .args(["--norc", "--noprofile", "-c", &format!("{handler}{script}")])
            .env_clear()
            .env("LOG", dir.path())
            .env("LC_ALL", "C.UTF-8")
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let text = String::from_utf8(std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            let words = text.strip_suffix('\0').unwrap_or(&text);
            seen.insert(words.split('\0').map(str::to_owned).collect());
        }
    }
    seen
}

const PARTS: &[&str] = &[
    "aa",
    "bb1",
    "x-y",
    " ",
    " ",
    " ",
    "'",
    "\"",
    "\\",
    "\n",
    "\\\n",
    " && ",
    " || ",
    "|",
    ";",
    "#",
    "=",
    "~",
    "{}",
    "{",
    "$",
    "*",
    "é",
    "!",
    "if",
    "'q r'",
    "\"d q\"",
    "\"s\\\"t\"",
    ":",
    "%",
    "^",
    "@",
    ",",
    "+",
    "-",
    "&",
    "<<E",
    "\\;",
    "[",
    "]",
    "time ",
    "~x",
    "a=b ",
    "{a,b}",
    "$'x'",
    "$\"x\"",
    "`bb`",
    "$(bb)",
    "2>&1",
    "> f",
    "<(bb)",
    "|&",
    "\u{a0}",
    "\u{2003}",
    "\u{200b}",
    "\u{ff1b}",
    "\r",
    "\t",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "#\n",
    " #c\n",
    "\\#",
    "!!",
    "!aa",
    "coproc ",
    "function ",
    "select",
    "in ",
    "}",
    ")",
    "(",
    "()",
    "alias x=bb\n",
    "\\\n#",
    "'\n'",
    "\"\n\"",
    "\\\\",
    "\u{1b}[2J",
    "٣",
    "ａ",
    "{1..3}",
    "=~",
    ":~",
    "[[ ",
    "]]",
    "((",
    "for i ",
    "do ",
    "done",
    "then ",
    "fi",
    "case ",
    "esac",
    "while ",
    "until ",
    "else ",
    "PATH=x ",
    "a+=b ",
    "b[1]=c ",
    ">|f",
    "&>f",
    "<&-",
    "\u{feff}",
    "\u{2028}",
    "\u{3000}",
    "\u{202e}",
];

const MARKERS: &[&str] = &[
    " <<E",
    "<<E",
    " << E",
    " <<'E'",
    " <<\"E\"",
    " <<-E",
    " <<-'E'",
    " <<'E",
    " <<'E'x",
    " <<E x",
    " <<E; bb",
    " <<E && bb",
    " <<<E",
    " 3<<E",
    " #<<'E'",
    " # <<'E'",
    " \\<<E",
    " <<\\E",
];

const BODY: &[&str] = &[
    "bb\n", "E\n", "\tE\n", "E", " E\n", "$(bb)\n", "`bb`\n", "\\\n", "'\n", "\n", "bb $x\n", "E \n",
    "E\r\n", "bb",
];

/// More of them by hand: `PROPTEST_CASES=20000 cargo test parse`.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_split_is_what_bash_runs(parts in proptest::collection::vec(proptest::sample::select(PARTS), 1..12)) {
        let bash = Path::new("/bin/bash");
        let script = format!("aa{}", parts.concat());
        let Some(pieces) = split(&script) else { return Ok(()) };
        // Builtins and the empty name never reach the handler.
        let hidden = |p: &Vec<String>| matches!(p[0].as_str(), ":" | "." | "[" | "" | "alias");
        if !bash.exists() || pieces.iter().any(hidden) {
            return Ok(());
        }
        let want: BTreeSet<Vec<String>> = pieces.into_iter().collect();
        prop_assert_eq!(bash_runs(bash, &script), want, "{:?}", script);
    }

    #[test]
    fn what_leads_a_here_document_is_all_that_bash_runs(
        lead in proptest::collection::vec(proptest::sample::select(PARTS), 0..5),
        marker in proptest::sample::select(MARKERS),
        body in proptest::collection::vec(proptest::sample::select(BODY), 0..5),
    ) {
        let bash = Path::new("/bin/bash");
        let script = format!("aa{}{marker}\n{}", lead.concat(), body.concat());
        let Some(piece) = heredoc_lead(&script).filter(|_| split(&script).is_none()) else { return Ok(()) };
        if bash.exists() {
            prop_assert_eq!(bash_runs(bash, &script), BTreeSet::from([piece]), "{:?}", script);
        }
    }

    #[test]
    fn no_text_makes_it_fail(script in "\\PC*|[ -~\\n]{0,60}") {
        let _ = split(&script);
        let _ = heredoc_lead(&script);
    }
}
