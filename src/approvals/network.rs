//! Rules about hosts (`network_rule`): which hosts the allow-list of the sandbox has besides those of the configuration,
//! and which it must not have. There is nobody to ask in the middle of a connection, so a rule that asks keeps a host
//! closed. An entry of the list that would let a closed host through goes as a whole: no list can say "all but one".

use super::rulebook::Rulebook;
use super::rules::RuleDecision;
use crate::protocol::policy::NetworkRules;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkRule {
    /// In lower case, without port.
    pub(crate) host: String,
    /// The port of its protocol; `None` = those of the web.
    pub(crate) port: Option<u16>,
    /// What it says.
    pub(crate) decision: RuleDecision,
}

/// A rule as it is written; `None` when host or protocol are none.
pub(crate) fn rule(host: &str, protocol: &str, decision: RuleDecision) -> Option<NetworkRule> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let named = host.strip_prefix("*.").unwrap_or(&host);
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if host.len() > 253 || !named.split('.').all(part) {
        return None;
    }
    let port = match protocol {
        "https" | "https_connect" => Some(443),
        "http" | "http-connect" => Some(80),
        "socks5_tcp" => None,
        _ => return None,
    };
    Some(NetworkRule { host, port, decision })
}

/// The hosts and ports in force, given those of the configuration.
pub(crate) fn in_force(book: &Rulebook, configured: &NetworkRules) -> NetworkRules {
    let mut rules = configured.clone();
    let (opening, closing): (Vec<&NetworkRule>, Vec<&NetworkRule>) =
        book.networks.iter().partition(|rule| rule.decision == RuleDecision::Allow);
    if !book.blind {
        rules.hosts.extend(opening.into_iter().map(|rule| match rule.port {
            Some(port) => format!("{}:{port}", rule.host),
            None => rule.host.clone(),
        }));
    }
    rules.hosts.retain(|entry| !closing.iter().any(|rule| overlap(entry, &rule.host)));
    rules.hosts.dedup();
    rules
}

/// Whether a rule keeps `host:port` closed, whatever is opened.
pub(crate) fn closes(book: &Rulebook, target: &str) -> bool {
    let closing = |rule: &&NetworkRule| rule.decision != RuleDecision::Allow;
    book.networks.iter().filter(closing).any(|rule| overlap(target, &rule.host))
}

/// Whether commands reach `host`, perhaps with a port, by one of `rules`.
pub(crate) fn reaches(rules: &NetworkRules, target: &str) -> bool {
    let (host, port) = parts(target);
    rules.hosts.iter().any(|entry| {
        let (name, only) = parts(entry);
        covers(&name.to_ascii_lowercase(), &host.to_ascii_lowercase())
            && only.is_none_or(|only| port == Some(only))
    })
}

fn parts(target: &str) -> (&str, Option<&str>) {
    match target.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port)),
        _ => (target, None),
    }
}

/// Whether `wide` names all that `narrow` does.
fn covers(wide: &str, narrow: &str) -> bool {
    match wide.strip_prefix("*.") {
        Some(end) => narrow
            .trim_start_matches("*.")
            .strip_suffix(end)
            .is_some_and(|start| start.is_empty() || start.ends_with('.')),
        None => wide == narrow,
    }
}

/// Whether an entry of the list and a closed host have a name in common, whatever the port.
fn overlap(entry: &str, closed: &str) -> bool {
    let entry = entry.to_ascii_lowercase();
    let (name, _) = parts(&entry);
    covers(name, closed) || covers(closed, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approvals::rule_text;

    #[test]
    fn rules_open_and_close_hosts() {
        let configured = NetworkRules {
            ports: vec![5432],
            serve: Vec::new(),
            hosts: ["own.org", "*.wide.org", "*.free.org:8443"].map(str::to_owned).to_vec(),
            direct: false,
        };
        let hosts = |text: &str| {
            let reading = rule_text::read(text);
            let book = Rulebook { networks: reading.networks, blind: reading.blind, ..Rulebook::default() };
            let found = in_force(&book, &configured);
            assert_eq!(found.ports, [5432]);
            (found.hosts.join(" "), reading.problems.len())
        };
        let usual = "own.org *.wide.org *.free.org:8443";
        let rule = |host: &str, rest: &str| format!("network_rule(host='{host}', {rest})\n");
        for (text, want, problems) in [
            (String::new(), usual.to_owned(), 0),
            (rule("A.org", "protocol='https'"), format!("{usual} a.org:443"), 0),
            (
                rule("a.org", "protocol='http', decision='allow', justification='x'"),
                format!("{usual} a.org:80"),
                0,
            ),
            (rule("a.org", "protocol='socks5_tcp'"), format!("{usual} a.org"), 0),
            (rule("own.org", "protocol='https', decision='deny'"), "*.wide.org *.free.org:8443".into(), 0),
            (
                rule("x.wide.org", "protocol='https', decision='forbidden'"),
                "own.org *.free.org:8443".into(),
                0,
            ),
            (rule("*.free.org", "protocol='https', decision='prompt'"), "own.org *.wide.org".into(), 0),
            (rule("evilwide.org", "protocol='https', decision='deny'"), usual.to_owned(), 0),
            // A faulty one that opens is none; a faulty one that closes blinds when nothing of it is known.
            (rule("http://a.org/", "protocol='https'"), usual.to_owned(), 1),
            (rule("a.org", "protocol='udp'"), usual.to_owned(), 1),
            (rule("a.org", "protocol='https', x='y'"), usual.to_owned(), 1),
            (
                rule("own.org", "protocol='https', decision='deny', x='y'"),
                "*.wide.org *.free.org:8443".into(),
                1,
            ),
            (
                rule("a.org", "protocol='https'") + &rule("", "protocol='https', decision='deny'"),
                usual.to_owned(),
                1,
            ),
        ] {
            assert_eq!(hosts(&text), (want, problems), "{text}");
        }
    }

    #[test]
    fn what_is_reached_and_what_is_kept_closed() {
        let rules = NetworkRules {
            ports: Vec::new(),
            serve: Vec::new(),
            hosts: ["a.org:443", "b.org", "*.c.org:80"].map(str::to_owned).to_vec(),
            direct: false,
        };
        for (target, want) in [
            ("A.org:443", true),
            ("a.org:80", false),
            ("a.org", false),
            ("b.org:22", true),
            ("b.org", true),
            ("x.c.org:80", true),
            ("x.c.org", false),
            ("xb.org:443", false),
        ] {
            assert_eq!(reaches(&rules, target), want, "{target}");
        }
        let reading = rule_text::read("network_rule(host='*.shut.org', protocol='https', decision='deny')");
        let book = Rulebook { networks: reading.networks, ..Rulebook::default() };
        assert!(closes(&book, "x.shut.org:8443") && !closes(&book, "a.org:443"));
    }
}
