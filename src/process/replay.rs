//! What a login profile leaves behind, as the difference of two answers of the shell. Pure; whatever is not
//! understood makes the difference `None`, and then nothing is replayed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Stands between the parts of an answer, with NUL bytes around it.
const MARK: &str = "codex-profile-mark";

/// Longest text that fits one variable of an environment (128 KiB), with room to spare.
const STATE_MAX: usize = 96 * 1024;

/// Variables that differ between any two shells, or that a shell keeps for itself.
const OWN: [&str; 40] = [
    "!",
    "0",
    "?",
    "ERRNO",
    "TTYIDLE",
    "ZSH_ARGZERO",
    "ZSH_EXECUTION_STRING",
    "ZSH_SUBSHELL",
    "pipestatus",
    "status",
    "_",
    "BASHOPTS",
    "BASHPID",
    "BASH_ARGC",
    "BASH_ARGV",
    "BASH_ARGV0",
    "BASH_COMMAND",
    "BASH_EXECUTION_STRING",
    "BASH_LINENO",
    "BASH_REMATCH",
    "BASH_SOURCE",
    "BASH_SUBSHELL",
    "COMP_WORDBREAKS",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "LINENO",
    "OLDPWD",
    "OPTIND",
    "PIPESTATUS",
    "PPID",
    "PWD",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
];

/// A shell whose answers are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bash,
    Zsh,
}

impl Kind {
    /// By the name of the program.
    pub(super) fn of(shell: &Path) -> Option<Self> {
        match shell.file_name()?.to_str()? {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            _ => None,
        }
    }
}

/// What the shell is asked: environment, variables, options with aliases, functions, the umask, and the rest.
pub(super) fn question(kind: Kind) -> String {
    let (variables, options, forget, functions, rest) = match kind {
        Kind::Bash => {
            ("declare -p", "shopt -p; set +o; alias -p", "unset -f", "declare -f", "trap -p; ulimit -Sa")
        }
        Kind::Zsh => {
            ("typeset -p", "set +o; alias -L; zmodload -L", "unfunction", "functions", "trap; ulimit -a")
        }
    };
    let mark = format!("printf '\\0{MARK}\\0'");
    format!(
        "exec 2>/dev/null; __codex_m() {{ {mark}; }}; __codex_m; command env -0; __codex_m; {variables}; __codex_m; \
         {options}; __codex_m; {forget} __codex_m; {functions}; {mark}; umask; {mark}; {rest}; pwd; {mark}"
    )
}

/// Variables as bytes.
type ByteVars = BTreeMap<Vec<u8>, Vec<u8>>;

/// One answer of the shell, in parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    env: ByteVars,
    variables: Vec<u8>,
    options: Vec<u8>,
    functions: Vec<u8>,
    umask: Vec<u8>,
    rest: Vec<u8>,
}

/// What to put in place of running the profile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Replay {
    /// Exported variables it sets.
    pub(super) set: ByteVars,
    /// Exported variables it removes.
    pub(super) unset: Vec<Vec<u8>>,
    /// Shell text that makes functions, other variables and options; may be empty.
    pub(super) state: Vec<u8>,
}

impl State {
    /// Takes an answer apart and gives what follows it; noise before the first mark is dropped.
    pub(super) fn parse(answer: &[u8]) -> Option<(Self, &[u8])> {
        let mark = format!("\0{MARK}\0");
        let mut following = answer;
        let mut part = || {
            let at = memchr::memmem::find(following, mark.as_bytes())?;
            let part = following.get(..at)?;
            following = following.get(at + mark.len()..)?;
            Some(part)
        };
        let _noise = part()?;
        let env = part()?
            .split(|byte| *byte == 0)
            .filter_map(|pair| {
                let at = memchr::memchr(b'=', pair)?;
                Some((pair.get(..at)?.to_vec(), pair.get(at + 1..)?.to_vec()))
            })
            .filter(|(name, _)| !is_own(name) && !name.starts_with(b"CODEX_"))
            .collect();
        let [variables, options, functions, umask, rest] = [part()?, part()?, part()?, part()?, part()?];
        let [variables, options, functions, umask, rest] =
            [variables, options, functions, umask, rest].map(<[u8]>::to_vec);
        Some((Self { env, variables, options, functions, umask, rest }, following))
    }
}

impl Replay {
    /// What `login` has more than `plain`; `None` = it cannot be replayed exactly.
    pub(super) fn between(plain: &State, login: &State) -> Option<Self> {
        if plain.rest != login.rest {
            return None;
        }
        let mut state = Vec::new();
        if plain.functions != login.functions {
            state.extend_from_slice(&login.functions);
            state.push(b'\n');
        }
        added_variables(&plain.variables, &login.variables, &mut state)?;
        added_options(&plain.options, &login.options, &mut state)?;
        if plain.umask != login.umask {
            state.extend_from_slice(b"umask ");
            state.extend_from_slice(&login.umask);
        }
        if state.len() > STATE_MAX || state.contains(&0) {
            return None;
        }
        let differs = |(name, value): &(&Vec<u8>, &Vec<u8>)| plain.env.get(*name) != Some(*value);
        let set =
            login.env.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect();
        let unset = plain.env.keys().filter(|name| !login.env.contains_key(*name)).cloned().collect();
        Some(Self { set, unset, state })
    }

    /// Whether a script may use an alias of the profile's.
    pub(super) fn aliases(&self, kind: Kind) -> bool {
        let has = |start: &[u8]| lines(&self.state).any(|line| line.starts_with(start));
        has(b"alias ") && (kind == Kind::Zsh || has(b"shopt -s expand_aliases"))
    }
}

fn is_own(name: &[u8]) -> bool {
    OWN.iter().any(|own| own.as_bytes() == name)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// `declare` or `typeset` lines of variables that are not exported. One that is read-only, or a value over several
/// lines, cannot be replayed.
fn added_variables(plain: &[u8], login: &[u8], state: &mut Vec<u8>) -> Option<()> {
    let known: BTreeSet<&[u8]> = lines(plain).collect();
    for line in lines(login).filter(|line| !known.contains(line)) {
        let (word, mut definition) = split(line);
        let mut flags: &[u8] = b"";
        while definition.starts_with(b"-") {
            let (more, rest) = split(definition);
            (flags, definition) = (more, rest);
        }
        let exported = match word {
            b"declare" | b"typeset" => flags.contains(&b'x'),
            b"export" => true,
            _ => return None,
        };
        let name = definition.split(|byte| *byte == b'=').next()?;
        let name = name.strip_prefix(b"'").and_then(|name| name.strip_suffix(b"'")).unwrap_or(name);
        if is_own(name) {
            continue;
        }
        if flags.contains(&b'r') {
            return None;
        }
        if !exported {
            state.extend_from_slice(line);
            state.push(b'\n');
        }
    }
    Some(())
}

/// Before the first blank, and after it.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(b' ', text).unwrap_or(text.len());
    (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default())
}

/// `shopt`, `set`, `alias` and `zmodload` lines. Being a login shell cannot be set, and makes no difference to a script.
fn added_options(plain: &[u8], login: &[u8], state: &mut Vec<u8>) -> Option<()> {
    let known: BTreeSet<&[u8]> = lines(plain).collect();
    for line in lines(login).filter(|line| !known.contains(line)) {
        let understood = [&b"shopt -"[..], b"set +o ", b"set -o ", b"alias ", b"zmodload "];
        if !understood.iter().any(|start| line.starts_with(start)) {
            return None;
        }
        if !line.ends_with(b" login_shell") && !line.ends_with(b"set -o login") {
            state.extend_from_slice(line);
            state.push(b'\n');
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(env: &str, variables: &str, options: &str, functions: &str, rest: &str) -> State {
        let mark = format!("\0{MARK}\0");
        let parts = ["noise", env, variables, options, functions, "0022\n", rest, "more"];
        let text = parts.join(&mark);
        let (state, following) = State::parse(text.as_bytes()).unwrap();
        assert_eq!(following, b"more");
        state
    }

    #[test]
    fn only_the_difference_is_replayed() {
        let plain =
            answer("A=1\0GONE=x\0_=env\0", "declare -- A=\"1\"\n", "shopt -u login_shell\n", "", "0022\n");
        let login = answer(
            "A=2\0B=x\ny=z\0_=other\0CODEX_CI=1\0",
            "declare -- A=\"1\"\ndeclare -x B=\"1\"\ndeclare -a L=([0]=\"1\")\ndeclare -i RANDOM=\"5\"\n",
            "shopt -s login_shell\nshopt -s extglob\nalias l='ls'\n",
            "f () \n{ \n    :\n}\n",
            "0022\n",
        );
        let replay = Replay::between(&plain, &login).unwrap();
        let set: Vec<_> = replay.set.into_iter().collect();
        assert_eq!(set, [(b"A".to_vec(), b"2".to_vec()), (b"B".to_vec(), b"x\ny=z".to_vec())]);
        assert_eq!(replay.unset, [b"GONE".to_vec()]);
        let state = String::from_utf8(replay.state).unwrap();
        assert_eq!(
            state,
            "f () \n{ \n    :\n}\n\ndeclare -a L=([0]=\"1\")\nshopt -s extglob\nalias l='ls'\n"
        );
    }

    #[test]
    fn what_cannot_be_replayed_is_refused() {
        let plain = answer("", "", "", "", "0022\n");
        for login in [
            answer("", "", "", "", "0077\n"),
            answer("", "declare -r R=\"1\"\n", "", "", "0022\n"),
            answer("", "declare -- M=\"1\nsecond line\"\n", "", "", "0022\n"),
            answer("", "", "alias a='x\ny'\n", "", "0022\n"),
            answer("", "", "", &"x".repeat(STATE_MAX + 1), "0022\n"),
        ] {
            assert_eq!(Replay::between(&plain, &login), None);
        }
        assert_eq!(State::parse(b"no marks at all"), None);
    }

    #[test]
    fn the_words_of_zsh_are_understood() {
        let plain = answer("", "typeset -i10 SHLVL=1\ntypeset -i10 '!'=0\n", "set +o login\n", "", "/\n");
        let mut login = answer(
            "E=1\0",
            "typeset -i10 SHLVL=1\ntypeset -i10 '!'=7\nexport E=1\nexport -T PATH path=( /bin )\n\
             typeset -a arr=( x 'y z' )\ntypeset ml=$'two\\nlines'\n",
            "set -o login\nset -o nullglob\nalias ll='ls -l'\nzmodload zsh/datetime\n",
            "",
            "/\n",
        );
        login.umask = b"027\n".to_vec();
        let replay = Replay::between(&plain, &login).unwrap();
        assert_eq!(replay.set, ByteVars::from([(b"E".to_vec(), b"1".to_vec())]));
        assert!(replay.aliases(Kind::Zsh) && !replay.aliases(Kind::Bash));
        let state = String::from_utf8(replay.state).unwrap();
        assert_eq!(
            state,
            "typeset -a arr=( x 'y z' )\ntypeset ml=$'two\\nlines'\nset -o nullglob\nalias ll='ls -l'\n\
             zmodload zsh/datetime\numask 027\n"
        );
        for line in ["typeset -r R=1\n", "export -r R=1\n", "local x=1\n"] {
            assert_eq!(Replay::between(&plain, &answer("", line, "", "", "/\n")), None, "{line}");
        }
    }
}
