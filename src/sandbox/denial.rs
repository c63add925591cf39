//! Was it the sandbox? A guess from the exit code and the output of a command: the kernel does not say why it
//! refused something, the program usually does. Used to explain, never to decide.

use std::path::Path;

use super::explain;
use super::policy::Roots;

/// Only the end of a long output is searched: an error that ended the command is near the end.
const SEARCHED_BYTES: usize = 64 * 1024;

/// What programs print when something was refused, in lower case, and what it says about the cause.
const SIGNS: [(&str, Cause); 11] = [
    ("read-only file system", Cause::Write),
    ("erofs", Cause::Write),
    ("network is unreachable", Cause::Network),
    ("enetunreach", Cause::Network),
    ("could not resolve host", Cause::Network),
    ("temporary failure in name resolution", Cause::Network),
    ("eai_again", Cause::Network),
    ("operation not permitted", Cause::Any),
    ("permission denied", Cause::Any),
    ("eperm", Cause::Any),
    ("eacces", Cause::Any),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Write,
    Network,
    Any,
}

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

/// What the sandbox probably refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    /// What, without a full stop.
    pub(crate) what: String,
    /// The narrowest grant that would allow it, in words.
    pub(crate) grant: Option<String>,
    /// The sandbox in short.
    pub(crate) sandbox: String,
}

impl Denial {
    /// All of it, for the model.
    pub(crate) fn sentence(&self) -> String {
        let Self { what, grant, sandbox } = self;
        let grant = grant.as_ref().map(|grant| format!(" ({grant})")).unwrap_or_default();
        format!("The sandbox ({sandbox}) probably stopped this command: {what}{grant}.")
    }
}

/// What the sandbox probably stopped, naming the path when it is visible; `None` when it was something else.
pub(crate) fn denial(roots: &Roots, ended: Ended, output: &str) -> Option<Denial> {
    if roots.full_access() || ended == Ended::Exit(0) {
        return None;
    }
    if ended == Ended::Signal(libc::SIGSYS) {
        let what = "it used a system call that is blocked".to_owned();
        return Some(Denial { what, grant: None, sandbox: roots.describe() });
    }
    let (line, cause) = sign(tail(output), roots.network())?;
    let path = path_in(line);
    let absolute = path.map(Path::new).filter(|path| path.is_absolute()).map(super::policy::real);
    let hidden = absolute.as_deref().and_then(|path| explain::read(roots, path));
    // A refusal at a place the sandbox leaves open has another reason, for example file permissions.
    if cause != Cause::Network && hidden.is_none() && absolute.as_deref().is_some_and(|p| roots.can_write(p))
    {
        return None;
    }
    let (what, grant) = match (cause, path) {
        (Cause::Network, _) => ("network access is off".to_owned(), Some(network_grant())),
        (_, Some(path)) => {
            let verb = if hidden.is_some() { "readable" } else { "writable" };
            let grant = hidden.or_else(|| absolute.as_deref().and_then(|path| explain::write(roots, path)));
            (format!("`{path}` is not {verb}"), grant)
        }
        (Cause::Write, None) => ("it wrote outside the writable folders".to_owned(), None),
        (Cause::Any, None) => (
            "something it did is not permitted".to_owned(),
            Some("`codex sandbox explain -- COMMAND` names it".to_owned()),
        ),
    };
    Some(Denial { what, grant, sandbox: roots.describe() })
}

fn network_grant() -> String {
    "`network_allow = [\"HOST:PORT\"]` in [sandbox_workspace_write] would allow it".to_owned()
}

fn tail(output: &str) -> &str {
    let start = output.ceil_char_boundary(output.len().saturating_sub(SEARCHED_BYTES));
    output.get(start..).unwrap_or(output)
}

fn sign(output: &str, network: bool) -> Option<(&str, Cause)> {
    output.lines().rev().find_map(|line| {
        let lower = line.to_ascii_lowercase();
        let (_, cause) = SIGNS.iter().find(|(text, _)| contains_word(&lower, text))?;
        (*cause != Cause::Network || !network).then_some((line, *cause))
    })
}

/// `needle` in `text`, not as part of a longer word.
fn contains_word(text: &str, needle: &str) -> bool {
    text.match_indices(needle).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + needle.len()..).and_then(|t| t.chars().next());
        ![before, after].into_iter().flatten().any(|c| c.is_alphanumeric() || c == '_')
    })
}

/// The path an error line is about: the last quoted word that looks like one, else the last bare one before the
/// message.
fn path_in(line: &str) -> Option<&str> {
    let quoted = line.split(['\'', '"', '`', '‘', '’']).skip(1).step_by(2);
    let looks =
        |word: &&str| !word.is_empty() && !word.contains("://") && (word.contains('/') || word.contains('.'));
    if let Some(path) = quoted.filter(looks).last() {
        return Some(path);
    }
    let parts: Vec<&str> = line.split(": ").collect();
    let about = match parts.as_slice() {
        // The program, perhaps the line of its script, what it is about, and the message.
        [_program, .., about, _message] => {
            word(about).filter(|word| word.contains('/') || about.contains("create"))
        }
        [about, _message] => word(about).filter(|word| word.starts_with('/')),
        _ => None,
    };
    let bare = || line.split_whitespace().rfind(|word| word.starts_with('/') && !line.starts_with(word));
    about.or_else(bare)
}

/// The last word of a piece, without what closes a sentence.
fn word(part: &str) -> Option<&str> {
    part.split_whitespace().last().map(|word| word.trim_end_matches([':', ',', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::policy::SandboxPolicy;

    fn check(ended: Ended, output: &str) -> Option<String> {
        let policy = SandboxPolicy::ReadOnly { network_access: false };
        denial(&super::super::policy::resolve(&policy, Path::new("/"), None), ended, output)
            .map(|denial| denial.sentence())
    }

    #[test]
    fn denials_are_recognised_with_their_path() {
        for (output, want) in [
            ("touch: cannot touch '/etc/x': Read-only file system", "`/etc/x` is not writable"),
            ("bash: line 1: /home/u/y: Permission denied", "`/home/u/y` is not writable"),
            ("/bin/sh: 1: cannot create ../o/note.txt: Permission denied", "`../o/note.txt` is not writable"),
            ("/bin/sh: 1: cannot create note: Permission denied", "`note` is not writable"),
            ("/bin/bash: line 1: ../note: Read-only file system", "`../note` is not writable"),
            ("/bin/prog: Permission denied", "`/bin/prog` is not writable"),
            ("OSError: [Errno 30] Read-only file system: 'out.txt'", "`out.txt` is not writable"),
            ("Error: EROFS: read-only file system, open '/w/a'", "`/w/a` is not writable"),
            ("curl: (6) Could not resolve host: example.org", "network access is off"),
            ("ping: Operation not permitted", "something it did is not permitted"),
            ("x\nRead-only file system\nmake: *** [all] Error 1", "it wrote outside"),
        ] {
            let found = check(Ended::Exit(1), output).unwrap_or_default();
            assert!(found.contains(want), "{output}: {found}");
        }
        assert!(check(Ended::Signal(libc::SIGSYS), "").is_some());
    }

    #[test]
    fn other_failures_are_not_blamed_on_the_sandbox() {
        for (ended, output) in [
            (Ended::Exit(0), "warning: /etc/x: Permission denied"),
            (Ended::Exit(127), "foo: command not found"),
            (Ended::Exit(2), "error[E0308]: mismatched types"),
            (Ended::Exit(1), "supereperms are fun"),
            (Ended::Signal(9), "Killed"),
        ] {
            assert_eq!(check(ended, output), None, "{output}");
        }
    }

    #[test]
    fn a_refusal_inside_the_roots_has_another_reason() {
        let dir = tempfile::tempdir().unwrap();
        let policy = SandboxPolicy::WorkspaceWrite {
            writable_roots: Vec::new(),
            network_access: true,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: true,
        };
        let roots = super::super::policy::resolve(&policy, dir.path(), None);
        let inside = format!("cp: cannot create '{}/a': Permission denied", dir.path().display());
        assert_eq!(denial(&roots, Ended::Exit(1), &inside), None);
        assert_eq!(denial(&roots, Ended::Exit(1), "curl: Could not resolve host: x"), None);
        let protected = format!("cp: cannot create '{}/.git/a': Read-only file system", dir.path().display());
        assert!(denial(&roots, Ended::Exit(1), &protected).is_some());
    }
}
