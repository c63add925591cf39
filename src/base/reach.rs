//! How far away an address is. What is sent in clear text can be read by everybody on the way, so secrets ask here
//! first. Only the address is looked at: no name is resolved, because whoever answers for names could lie.

use url::{Host, Url};

/// Where the host of an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// This machine.
    Here,
    /// A network of the user's own: private addresses, and names that exist in such networks only.
    Near,
    /// Anywhere.
    Far,
}

/// Endings of names that no public name server knows.
const NEAR_NAMES: [&str; 3] = [".local", ".internal", ".home.arpa"];

/// Where the host of `url` is; an address without a host is far.
pub(crate) fn of(url: &Url) -> Reach {
    match url.host() {
        Some(Host::Ipv4(ip)) if ip.is_loopback() => Reach::Here,
        Some(Host::Ipv4(ip)) if ip.is_private() || ip.is_link_local() => Reach::Near,
        Some(Host::Ipv6(ip)) if ip.is_loopback() => Reach::Here,
        Some(Host::Ipv6(ip)) if ip.is_unique_local() || ip.is_unicast_link_local() => Reach::Near,
        Some(Host::Domain(name)) => of_name(name),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => Reach::Far,
    }
}

fn of_name(name: &str) -> Reach {
    let name = name.to_ascii_lowercase();
    if name == "localhost" {
        Reach::Here
    } else if !name.contains('.') || NEAR_NAMES.iter().any(|ending| name.ends_with(ending)) {
        Reach::Near
    } else {
        Reach::Far
    }
}

/// Whether somebody beyond `limit` could read what is sent to `url`: it is not encrypted, and goes further.
pub(crate) fn is_readable_beyond(url: &Url, limit: Reach) -> bool {
    url.scheme() != "https" && of(url) > limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let place = |text: &str| of(&Url::parse(text).unwrap());
        for here in ["http://127.0.0.1:8/v1", "http://127.9.9.9", "https://[::1]:1/", "http://LOCALHOST:80/"]
        {
            assert_eq!(place(here), Reach::Here, "{here}");
        }
        for near in [
            "http://10.0.0.1",
            "http://172.31.0.1:1",
            "http://192.168.1.9/v1",
            "http://169.254.1.1",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://ollama:11434/v1",
            "http://host.docker.internal",
            "http://Box.Local",
        ] {
            assert_eq!(place(near), Reach::Near, "{near}");
        }
        for far in [
            "http://a.example",
            "http://172.32.0.1",
            "http://127.0.0.1.example",
            "https://localhost.example",
            "http://0.0.0.0",
            "http://[::ffff:8.8.8.8]",
            "http://local.example",
            "data:x",
        ] {
            assert_eq!(place(far), Reach::Far, "{far}");
        }
    }

    #[test]
    fn only_clear_text_can_be_read() {
        let read = |text: &str, limit| is_readable_beyond(&Url::parse(text).unwrap(), limit);
        assert!(read("http://10.0.0.1", Reach::Here) && !read("http://10.0.0.1", Reach::Near));
        assert!(read("http://a.example", Reach::Near) && !read("https://a.example", Reach::Here));
        assert!(!read("http://127.0.0.1", Reach::Here) && read("ftp://a.example", Reach::Here));
    }
}
