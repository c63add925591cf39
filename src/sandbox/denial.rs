//! Was it the sandbox? A guess from the exit code and the output of a command: the kernel does not say why it
//! refused something, the program usually does. Used to explain, never to decide.

use std::path::Path;

use super::explain;
use super::policy::Roots;
use crate::protocol::policy::STOPPED;

/// Only the end of a long output is searched: an error that ended the command is near the end.
const SEARCHED_BYTES: usize = 64 * 1024;

/// What programs print when something was refused, in lower case, and what it says about the cause.
const SIGNS: [(&str, Cause); 18] = [
    ("read-only file system", Cause::Write),
    ("erofs", Cause::Write),
    ("network is unreachable", Cause::Network),
    ("enetunreach", Cause::Network),
    ("could not resolve host", Cause::Network),
    ("could not resolve hostname", Cause::Network),
    ("name or service not known", Cause::Network),
    ("enotfound", Cause::Network),
    ("no such host", Cause::Network),
    ("couldn't connect to server", Cause::Network),
    ("temporary failure in name resolution", Cause::Network),
    ("eai_again", Cause::Network),
    // What git says of a file that is hidden from it.
    ("can only add regular files", Cause::Secret),
    ("unsupported file type", Cause::Secret),
    ("operation not permitted", Cause::Any),
    ("permission denied", Cause::Any),
    ("eperm", Cause::Any),
    ("eacces", Cause::Any),
];

/// Names of this machine.
const HERE: [&str; 3] = ["127.0.0.1", "localhost", "::1"];
/// Words of a line that are looked at.
const WORDS: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Write,
    Network,
    /// Only when a secret is named.
    Secret,
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
    /// Why, and the narrowest grant that would allow it, in words.
    pub(crate) grant: Option<String>,
}

impl Denial {
    /// All of it, for the model and the user, in one line. The place comes first: a small screen may cut the rest.
    pub(crate) fn sentence(&self) -> String {
        let Self { what, grant } = self;
        let grant = grant.as_ref().map(|grant| format!(" ({grant})")).unwrap_or_default();
        format!("{STOPPED} {what}{grant}.")
    }
}

/// What the sandbox probably stopped, naming the path when it is visible; `None` when it was something else. Paths of the
/// output are taken from `cwd`.
pub(crate) fn denial(roots: &Roots, cwd: &Path, ended: Ended, output: &str) -> Option<Denial> {
    if roots.full_access() || ended == Ended::Exit(0) {
        return None;
    }
    if ended == Ended::Signal(libc::SIGSYS) {
        return Some(Denial { what: "it used a system call that is blocked".to_owned(), grant: None });
    }
    let (line, cause) = sign(tail(output), roots.network())?;
    if cause == Cause::Network {
        return Some(Denial { what: "the network is off".to_owned(), grant: Some(network_grant()) });
    }
    if let Some((word, said)) = secret_in(roots, cwd, line) {
        return Some(Denial { what: format!("`{word}` is not readable"), grant: Some(said.why) });
    }
    if cause == Cause::Secret {
        return None;
    }
    let path = path_in(line);
    // A refusal at a place the sandbox leaves open has another reason, for example file permissions. What a script says of
    // a relative path may be true in a folder it went to.
    let absolute = path.map(Path::new).filter(|path| path.is_absolute()).map(super::leads::real);
    if absolute.as_deref().is_some_and(|path| roots.can_write(path)) {
        return None;
    }
    let (what, grant) = match (cause, path) {
        (_, Some(path)) => {
            let said = explain::write(roots, &super::leads::real(&cwd.join(path)));
            (format!("`{path}` is not writable"), said.map(|said| said.why))
        }
        (Cause::Write, None) => ("it wrote outside the writable folders".to_owned(), None),
        (_, None) => (
            "something it did is not permitted".to_owned(),
            Some("`codex sandbox explain -- COMMAND` names it".to_owned()),
        ),
    };
    Some(Denial { what, grant })
}

/// The word of an error line that is on the list of secrets.
fn secret_in<'a>(roots: &Roots, cwd: &Path, line: &'a str) -> Option<(&'a str, explain::Said)> {
    let words = line.split_whitespace().take(WORDS);
    let words = words.map(|word| word.trim_matches(['\'', '"', '`', '‘', '’', ':', ',', '(', ')']));
    let mut words = words.filter(|word| word.contains(['/', '.']) && !word.contains("://"));
    words.find_map(|word| Some((word, explain::read(roots, &cwd.join(word))?)))
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
        // Whether a server of this machine should have answered is looked at elsewhere.
        let here = || HERE.iter().any(|name| lower.contains(name));
        (*cause != Cause::Network || !(network || here())).then_some((line, *cause))
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
        let roots = super::super::policy::resolve(&policy, Path::new("/"), None);
        denial(&roots, Path::new("/"), ended, output).map(|denial| denial.sentence())
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
            ("curl: (6) Could not resolve host: example.org", "the network is off"),
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
        assert_eq!(denial(&roots, dir.path(), Ended::Exit(1), &inside), None);
        assert_eq!(denial(&roots, dir.path(), Ended::Exit(1), "curl: Could not resolve host: x"), None);
        let protected = format!("cp: cannot create '{}/.git/a': Read-only file system", dir.path().display());
        assert!(denial(&roots, dir.path(), Ended::Exit(1), &protected).is_some());
    }

    #[test]
    fn relative_paths_and_secrets_are_told_with_their_grant() {
        let dir = tempfile::tempdir().unwrap();
        let cwd = dir.path().canonicalize().unwrap();
        std::fs::create_dir(cwd.join(".git")).unwrap();
        std::fs::write(cwd.join("key"), "").unwrap();
        let mut roots = super::super::policy::resolve(&SandboxPolicy::workspace(), &cwd, None);
        let secret = crate::protocol::policy::DenyRead { paths: vec![cwd.join("key")], ..Default::default() };
        roots.deny_read(secret);
        for (output, want) in [
            (
                "sh: cannot create .git/config: Read-only file system",
                "`.git/config` is not writable (a repository",
            ),
            (
                "cat: ./key: Permission denied",
                "`./key` is not readable (on the list of secrets; `deny_read.allow",
            ),
            (
                "error: key.: unsupported file type\nerror: ./key: can only add regular files, symbolic links",
                "`./key` is not readable",
            ),
            (
                "curl: (7) Failed to connect to 192.0.2.1 port 80: Couldn't connect to server",
                "the network is off",
            ),
        ] {
            let said = denial(&roots, &cwd, Ended::Exit(1), output).map(|denial| denial.sentence());
            assert!(said.as_ref().is_some_and(|said| said.contains(want)), "{output}: {said:?}");
        }
        for output in [
            "curl: (7) Failed to connect to 127.0.0.1 port 80: Couldn't connect to server",
            "error: other: can only add regular files",
        ] {
            assert_eq!(denial(&roots, &cwd, Ended::Exit(1), output), None, "{output}");
        }
    }
}
