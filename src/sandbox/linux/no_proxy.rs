//! What the entries of `NO_PROXY` name. Programs do not agree about them; this takes the forms that most do.

use std::net::IpAddr;

/// `*`, a host with all below it (with or without a dot before it), an address, a network; each perhaps with a port.
pub(super) fn covers(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address = host.parse::<IpAddr>().ok();
    if let Some((network, bits)) = entry.split_once('/') {
        return network.parse().ok().zip(bits.parse().ok()).zip(address).is_some_and(
            |((network, bits), ip)| {
                prefix(network, bits).is_some() && prefix(network, bits) == prefix(ip, bits)
            },
        );
    }
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let (name, only) = match entry.rsplit_once(':').map(|(name, port)| (name, port.parse::<u16>())) {
        Some((name, Ok(port))) if bare.parse::<IpAddr>().is_err() => (name, Some(port)),
        _ => (bare, None),
    };
    let name =
        name.trim_start_matches('[').trim_end_matches(']').trim_start_matches('*').trim_start_matches('.');
    let fits = match address {
        Some(ip) => name.parse() == Ok(ip),
        None => {
            let above = || host.strip_suffix(name).is_some_and(|below| below.ends_with('.'));
            !name.is_empty() && (host == name || above())
        }
    };
    fits && only.is_none_or(|only| only == port)
}

/// The kind and the first bits of an address.
fn prefix(ip: IpAddr, bits: u32) -> Option<(bool, u128)> {
    match ip {
        IpAddr::V4(ip) if bits <= 32 => {
            Some((false, u128::from(u32::from(ip).checked_shr(32 - bits).unwrap_or(0))))
        }
        IpAddr::V6(ip) if bits <= 128 => Some((true, u128::from(ip).checked_shr(128 - bits).unwrap_or(0))),
        _ => None,
    }
}
