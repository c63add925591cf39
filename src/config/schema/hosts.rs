//! Entries of the allow-list of the network, as they may be written. What cannot match anything is refused where it is read:
//! a list that shows it as open would lie.

/// Whether this names hosts of the allow-list of the network; an address in brackets when it has colons itself.
pub(super) fn is_host(entry: &str) -> bool {
    if entry.parse::<std::net::Ipv6Addr>().is_ok() {
        return true;
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !entry.ends_with(']') => (host, Some(port)),
        _ => (entry, None),
    };
    let port_is_one = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let name = host.strip_prefix("*.").unwrap_or(host);
    let part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let named = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.strip_suffix('.').unwrap_or(name).split('.').all(part),
    };
    port_is_one && named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_port_at_most() {
        for host in [
            "a.org",
            "*.a.org:8443",
            "localhost",
            "1.2.3.4:80",
            "[::1]:80",
            "::1",
            "a.org.",
            "bücher.example",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "",
            "a b",
            "http://a.org",
            "a.org:",
            "a.org:x",
            "a.org:0",
            "a.org:70000",
            "a..b",
            "a/b",
            "*a",
            "*",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }
}
