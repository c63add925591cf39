//! What a login profile leaves behind, as the difference of two answers of the shell. Pure; whatever is not
//! understood makes the difference `None`, and then nothing is replayed.

use std::collections::{BTreeMap, BTreeSet};

/// Stands between the parts of an answer, with NUL bytes around it.
pub(super) const MARK: &str = "codex-profile-mark";

/// Longest text that fits one variable of an environment (128 KiB), with room to spare.
const STATE_MAX: usize = 96 * 1024;

/// Variables that differ between any two shells, or that bash keeps for itself.
const OWN: [&str; 30] = [
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

/// Variables as bytes.
type ByteVars = BTreeMap<Vec<u8>, Vec<u8>>;

/// One answer of the shell, in parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    env: ByteVars,
    variables: Vec<u8>,
    options: Vec<u8>,
    functions: Vec<u8>,
    rest: Vec<u8>,
}

/// What to put in place of running the profile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replay {
    /// Exported variables it sets.
    pub(super) set: ByteVars,
    /// Exported variables it removes.
    pub(super) unset: Vec<Vec<u8>>,
    /// Shell text that makes functions, other variables and options; may be empty.
    pub(super) state: Vec<u8>,
}

impl State {
    /// Takes an answer apart; noise before the first mark is dropped.
    pub(super) fn parse(answer: &[u8]) -> Option<Self> {
        let mark = format!("\0{MARK}\0");
        let mut rest = answer;
        let mut parts = Vec::new();
        while let Some(at) = memchr::memmem::find(rest, mark.as_bytes()) {
            parts.push(rest.get(..at)?);
            rest = rest.get(at + mark.len()..)?;
        }
        let [_noise, env, variables, options, functions, other] = parts.try_into().ok()?;
        let env = env
            .split(|byte| *byte == 0)
            .filter_map(|pair| {
                let at = memchr::memchr(b'=', pair)?;
                Some((pair.get(..at)?.to_vec(), pair.get(at + 1..)?.to_vec()))
            })
            .filter(|(name, _)| !is_own(name) && !name.starts_with(b"CODEX_"))
            .collect();
        let [variables, options, functions, rest] =
            [variables, options, functions, other].map(<[u8]>::to_vec);
        Some(Self { env, variables, options, functions, rest })
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
        if state.len() > STATE_MAX || state.contains(&0) {
            return None;
        }
        let differs = |(name, value): &(&Vec<u8>, &Vec<u8>)| plain.env.get(*name) != Some(*value);
        let set =
            login.env.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect();
        let unset = plain.env.keys().filter(|name| !login.env.contains_key(*name)).cloned().collect();
        Some(Self { set, unset, state })
    }
}

fn is_own(name: &[u8]) -> bool {
    OWN.iter().any(|own| own.as_bytes() == name)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// `declare` lines of variables that are not exported. One that is read-only, or a value over several lines,
/// cannot be replayed.
fn added_variables(plain: &[u8], login: &[u8], state: &mut Vec<u8>) -> Option<()> {
    let known: BTreeSet<&[u8]> = lines(plain).collect();
    for line in lines(login).filter(|line| !known.contains(line)) {
        let mut words = line.strip_prefix(b"declare -")?.splitn(2, |byte| *byte == b' ');
        let (flags, definition) = (words.next()?, words.next()?);
        let name = definition.split(|byte| *byte == b'=').next()?;
        if is_own(name) || flags.contains(&b'x') {
            continue;
        }
        if flags.contains(&b'r') {
            return None;
        }
        state.extend_from_slice(line);
        state.push(b'\n');
    }
    Some(())
}

/// `shopt`, `set` and `alias` lines. Being a login shell cannot be set, and makes no difference to a script.
fn added_options(plain: &[u8], login: &[u8], state: &mut Vec<u8>) -> Option<()> {
    let known: BTreeSet<&[u8]> = lines(plain).collect();
    for line in lines(login).filter(|line| !known.contains(line)) {
        let understood = [&b"shopt -"[..], b"set +o ", b"set -o ", b"alias "];
        if !understood.iter().any(|start| line.starts_with(start)) {
            return None;
        }
        if !line.ends_with(b" login_shell") {
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
        let parts = ["noise", env, variables, options, functions, rest, ""];
        State::parse(parts.join(&mark).as_bytes()).unwrap()
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
}
