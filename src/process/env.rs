//! Which variables a command gets: the user's policy over our own environment, without the keys of the model
//! provider, plus a few fixed ones that keep programs from paging, colouring and asking.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::protocol::policy::{EnvInherit, ShellEnvPolicy};

/// Variables by name.
pub(crate) type Vars = BTreeMap<OsString, OsString>;

/// What `inherit = "core"` keeps.
const CORE: [&str; 9] = ["HOME", "LOGNAME", "PATH", "SHELL", "USER", "USERNAME", "TMPDIR", "TEMP", "TMP"];
/// What looks like a secret, when the user asked for that test.
const SECRET_LOOKING: [&str; 3] = ["*KEY*", "*SECRET*", "*TOKEN*"];
/// Our own credentials: no command needs them, whatever the policy says.
const OWN_SECRETS: [&str; 2] = ["CODEX_API_KEY", "CODEX_ACCESS_TOKEN"];
/// No pagers, no colours, no questions, UTF-8. The user's `set` wins over these.
const QUIET: [(&str, &str); 9] = [
    ("NO_COLOR", "1"),
    ("TERM", "dumb"),
    ("COLORTERM", ""),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("GH_PAGER", "cat"),
    ("LANG", "C.UTF-8"),
    ("LC_CTYPE", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
];

/// What a command is told about where it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks<'a> {
    /// The thread.
    pub(crate) thread_id: &'a str,
    /// The call.
    pub(crate) call_id: &'a str,
    /// Whether the sandbox blocks the network.
    pub(crate) network_blocked: bool,
}

/// The whole environment of a command. `secrets` are names of variables that hold provider keys: they are never
/// inherited; a value the user writes into `set` by hand is the user's own wish and stays.
pub(crate) fn for_command(own: &Vars, policy: &ShellEnvPolicy, secrets: &[String], marks: Marks<'_>) -> Vars {
    let mut vars = by_policy(own, policy, secrets);
    for (name, value) in QUIET {
        if !policy.set.contains_key(name) {
            vars.insert(name.into(), value.into());
        }
    }
    for (name, value) in [
        ("CODEX_THREAD_ID", marks.thread_id),
        ("CODEX_SESSION_ID", marks.thread_id),
        ("CODEX_TOOL_CALL_ID", marks.call_id),
        ("CODEX_VERSION", env!("CARGO_PKG_VERSION")),
        ("CODEX_CI", "1"),
    ] {
        vars.insert(name.into(), value.into());
    }
    if marks.network_blocked {
        vars.insert("CODEX_SANDBOX_NETWORK_DISABLED".into(), "1".into());
    } else {
        vars.remove(OsStr::new("CODEX_SANDBOX_NETWORK_DISABLED"));
    }
    vars
}

/// Inherit, default excludes, own excludes, `set`, `include_only`, in this order.
fn by_policy(own: &Vars, policy: &ShellEnvPolicy, secrets: &[String]) -> Vars {
    let is_secret = |name: &OsStr| {
        OWN_SECRETS.iter().any(|own| name == *own) || secrets.iter().any(|secret| name == OsStr::new(secret))
    };
    let inherited = |name: &OsStr| match policy.inherit {
        EnvInherit::All => true,
        EnvInherit::Core => CORE.iter().any(|core| name.eq_ignore_ascii_case(core)),
        EnvInherit::None => false,
    };
    let excluded = |name: &OsStr| {
        (!policy.ignore_default_excludes && SECRET_LOOKING.iter().any(|glob| matches(glob, name)))
            || policy.exclude.iter().any(|glob| matches(glob, name))
    };
    let mut vars: Vars = own
        .iter()
        .filter(|(name, _)| inherited(name) && !excluded(name) && !is_secret(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, value) in &policy.set {
        vars.insert(name.into(), value.into());
    }
    if !policy.include_only.is_empty() {
        vars.retain(|name, _| policy.include_only.iter().any(|glob| matches(glob, name)));
    }
    vars
}

/// Whether the case-insensitive glob (`*` any text, `?` one byte) matches the whole name. Linear steps back only
/// to the last star, so no glob takes exponential time.
fn matches(glob: &str, name: &OsStr) -> bool {
    let (glob, name) = (glob.as_bytes(), name.as_encoded_bytes());
    let (mut g, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(n) {
        match glob.get(g) {
            Some(b'*') => {
                star = Some((g + 1, n));
                g += 1;
            }
            Some(want) if *want == b'?' || want.eq_ignore_ascii_case(byte) => {
                g += 1;
                n += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    g = after;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    glob.iter().skip(g).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks<'_> = Marks { thread_id: "t", call_id: "c", network_blocked: true };

    fn vars(pairs: &[(&str, &str)]) -> Vars {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn own() -> Vars {
        vars(&[
            ("HOME", "/h"),
            ("PATH", "/bin"),
            ("MY_TOKEN", "1"),
            ("xkey", "2"),
            ("FOO_A", "3"),
            ("MOCK_KEY", "secret"),
            ("CODEX_API_KEY", "secret"),
            ("TERM", "xterm"),
        ])
    }

    fn names(policy: &ShellEnvPolicy) -> Vec<String> {
        let vars = by_policy(&own(), policy, &["MOCK_KEY".to_owned()]);
        vars.keys().map(|name| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn policy_steps_in_order() {
        let base = ShellEnvPolicy::default();
        assert_eq!(names(&base), ["FOO_A", "HOME", "MY_TOKEN", "PATH", "TERM", "xkey"]);
        let strict = ShellEnvPolicy { ignore_default_excludes: false, ..base.clone() };
        assert_eq!(names(&strict), ["FOO_A", "HOME", "PATH", "TERM"]);
        let exclude = ShellEnvPolicy { exclude: vec!["foo*".into(), "t?rm".into()], ..base.clone() };
        assert_eq!(names(&exclude), ["HOME", "MY_TOKEN", "PATH", "xkey"]);
        let core = ShellEnvPolicy { inherit: EnvInherit::Core, ..base.clone() };
        assert_eq!(names(&core), ["HOME", "PATH"]);
        let set = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("FOO_B".to_owned(), "2".to_owned())]);
        let none = ShellEnvPolicy { inherit: EnvInherit::None, set: set.clone(), ..base.clone() };
        assert_eq!(names(&none), ["A", "FOO_B"]);
        let only = ShellEnvPolicy { include_only: vec!["FOO*".into()], set, ..base };
        assert_eq!(names(&only), ["FOO_A", "FOO_B"]);
    }

    #[test]
    fn fixed_variables_yield_to_set_and_marks_do_not() {
        let mut policy = ShellEnvPolicy::default();
        policy.set.insert("TERM".into(), "vt100".into());
        policy.set.insert("CODEX_CI".into(), "0".into());
        let got = for_command(&own(), &policy, &[], MARKS);
        let get = |name: &str| got.get(OsStr::new(name)).and_then(|value| value.to_str());
        assert_eq!(get("TERM"), Some("vt100"));
        assert_eq!(get("PAGER"), Some("cat"));
        assert_eq!(get("CODEX_CI"), Some("1"));
        assert_eq!(get("CODEX_TOOL_CALL_ID"), Some("c"));
        assert_eq!(get("CODEX_SANDBOX_NETWORK_DISABLED"), Some("1"));
        assert_eq!(get("CODEX_API_KEY"), None);
    }

    #[test]
    fn globs() {
        for (glob, name, want) in [
            ("*", "", true),
            ("*KEY*", "monkey_business", true),
            ("A*B*C", "aXbXbc", true),
            ("A*B*C", "aXbXbcd", false),
            ("?", "", false),
            ("FOO", "FOOL", false),
            ("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(matches(glob, OsStr::new(name)), want, "{glob} {name}");
        }
    }
}
