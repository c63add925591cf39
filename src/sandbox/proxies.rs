//! The variables that name proxies, on their way to a supervisor and to a command. The proxy of a company's network
//! often has a name and a password in its address; commands whose network is off do not get them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Those that programs read.
pub(super) const NAMES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// By this a supervisor hears of them, whatever the command's own environment is to be; it takes it away.
pub(super) const HANDED: &str = "CODEX_SANDBOX_UPSTREAM";

/// Hands the proxies of our own environment to the supervisor that a command's `environment` is given to.
pub(crate) fn hand_over(own: &BTreeMap<OsString, OsString>, environment: &mut BTreeMap<OsString, OsString>) {
    let text = |name: &'static str| Some((name, own.get(OsStr::new(name))?.to_str()?));
    let found: BTreeMap<&str, &str> = NAMES.into_iter().filter_map(text).collect();
    if let Ok(json) = serde_json::to_string(&found) {
        environment.insert(HANDED.into(), json.into());
    }
}

/// The value of a variable that names a proxy, without the name and the password in it; `None` when there are none.
pub(super) fn without_login(name: &OsStr, value: &OsStr) -> Option<String> {
    let lower = name.to_str()?.to_ascii_lowercase();
    if !lower.ends_with("proxy") {
        return None;
    }
    let value = value.to_string_lossy();
    let (scheme, rest) =
        value.split_once("://").map_or(("", value.as_ref()), |(scheme, rest)| (scheme, rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let (_, host) = authority.rsplit_once('@')?;
    Some(if scheme.is_empty() { format!("{host}{path}") } else { format!("{scheme}://{host}{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_of_proxies_are_taken_out_and_nothing_else_is() {
        let of = |name: &str, value: &str| without_login(OsStr::new(name), OsStr::new(value));
        assert_eq!(of("HTTPS_PROXY", "http://u:p@h:1/x").as_deref(), Some("http://h:1/x"));
        assert_eq!(of("npm_config_https_proxy", "u:p@h:1").as_deref(), Some("h:1"));
        assert_eq!(of("all_proxy", "socks5://u:p@ss@h").as_deref(), Some("socks5://h"));
        for (name, value) in [("HTTPS_PROXY", "http://h:1/a@b"), ("NO_PROXY", "a,b"), ("URL", "http://u:p@h")]
        {
            assert_eq!(of(name, value), None, "{name}={value}");
        }
    }

    #[test]
    fn only_proxies_are_handed_over() {
        let own = [("HTTPS_PROXY", "http://u:p@h"), ("SECRET", "x")]
            .map(|(name, value)| (name.into(), value.into()));
        let mut environment = BTreeMap::new();
        hand_over(&own.into(), &mut environment);
        let handed = environment.get(OsStr::new(HANDED)).unwrap().to_str().unwrap();
        assert_eq!(handed, r#"{"HTTPS_PROXY":"http://u:p@h"}"#);
    }
}
