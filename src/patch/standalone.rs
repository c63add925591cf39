//! The program under the name `apply_patch`: a patch as the only argument or on standard input, applied to the
//! working directory. It asks nobody; what it may write is decided by the sandbox it runs in.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use super::commit::commit;
use super::error::Error;
use super::parse::parse;
use super::place::Disk;
use super::plan::{Plan, plan};

/// Longest patch that is read from standard input.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What to print, and how to exit.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// 0: applied, 1: not applied, 2: called wrongly.
    pub(crate) code: u8,
}

/// Runs `apply_patch ARGS`; `stdin` is read only when there is no argument.
pub(crate) fn run_standalone(args: &[OsString], stdin: impl Read, cwd: &Path) -> Outcome {
    let failed = |code, stderr: String| Outcome { stdout: String::new(), stderr, code };
    let patch = match args {
        [patch] => match patch.to_str() {
            Some(text) => text.to_owned(),
            None => return failed(2, "apply_patch: the patch is not UTF-8\n".into()),
        },
        [] => {
            let mut bytes = Vec::new();
            if let Err(error) = stdin.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
                return failed(1, format!("apply_patch: failed to read standard input: {error}\n"));
            }
            match String::from_utf8(bytes) {
                Ok(text) if text.len() as u64 <= MAX_BYTES => text,
                Ok(_) => return failed(2, "apply_patch: the patch is larger than 64 MiB\n".into()),
                Err(_) => return failed(2, "apply_patch: the patch is not UTF-8\n".into()),
            }
        }
        _ => return failed(2, "usage: apply_patch PATCH, or the patch on standard input\n".into()),
    };
    match apply(&patch, cwd) {
        Ok(plan) => Outcome { stdout: report(&plan), stderr: String::new(), code: 0 },
        Err(error) => failed(1, format!("apply_patch: {error}\n")),
    }
}

/// Applies a patch to the files below `cwd` without asking and without a journal.
pub(crate) fn apply(patch: &str, cwd: &Path) -> Result<Plan, Error> {
    let plan = plan(&parse(patch)?, cwd, &Disk)?;
    commit(&plan, None)?;
    Ok(plan)
}

/// What was written, one line per file.
pub(crate) fn report(plan: &Plan) -> String {
    let mut out = String::from("Success. Updated the following files:\n");
    for (letter, path) in &plan.report {
        out.push_str(&format!("{letter} {path}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::testing::{Tree, patch};

    fn run(tree: &Tree, args: &[&str], stdin: &[u8]) -> Outcome {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        run_standalone(&args, stdin, &tree.root)
    }

    #[test]
    fn argument_or_standard_input() {
        let tree = Tree::new(&[("a", "1\n")]);
        let out = run(&tree, &[&patch("*** Update File: a\n-1\n+2\n")], b"ignored");
        let want = "Success. Updated the following files:\nM a\n";
        assert_eq!(out, Outcome { stdout: want.into(), stderr: String::new(), code: 0 });
        let out = run(&tree, &[], patch("*** Add File: b\n+x\n").as_bytes());
        assert_eq!((out.code, tree.read("a"), tree.read("b")), (0, "2\n".into(), "x\n".into()));
    }

    #[test]
    fn failures_change_nothing_and_say_why() {
        let tree = Tree::new(&[("a", "1\n")]);
        let before = tree.all();
        for (args, stdin, code, want) in [
            (vec!["a", "b"], b"".as_slice(), 2, "usage: apply_patch"),
            (vec![], b"\xff", 2, "not UTF-8"),
            (vec![], b"", 1, "the text is empty"),
            (vec!["*** Begin Patch\n*** Delete File: b\n*** End Patch"], b"", 1, "failed to read b"),
        ] {
            let out = run(&tree, &args, stdin);
            assert!(out.code == code && out.stdout.is_empty() && out.stderr.contains(want), "{out:?}");
        }
        assert_eq!(tree.all(), before);
    }
}
