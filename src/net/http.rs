//! The one way to make an HTTP client. A client that will only ever speak plain `http:` is built without
//! certificates: reading the system's store costs several milliseconds of CPU, more than a whole local turn.
//!
//! Proxies come from the usual variables (`HTTPS_PROXY`, `NO_PROXY`, …), read by the library itself; what runs on
//! this machine is never asked for through a proxy. Redirects are never followed: the requests carry
//! credentials, and no service of ours redirects.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use crate::base::fs::read_bounded;
use crate::base::reach::{self, Reach};

/// What a client needs to know of its surroundings.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpSettings {
    /// Sent with every request.
    pub(crate) user_agent: String,
    /// PEM file with more certificate authorities (`CODEX_CA_CERTIFICATE`, then `SSL_CERT_FILE`).
    pub(crate) ca_file: Option<PathBuf>,
}

/// A client could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file with certificates is missing or not PEM: the user has to correct its path.
    #[error("cannot use the certificate file {path}: {reason}", path = path.display())]
    Certificates {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The library refused its settings.
    #[error("cannot set up the HTTP client: {0}")]
    Build(String),
}

/// A TCP connection and its TLS handshake must stand within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Certificate files larger than this are not certificate files.
const MAX_CA_BYTES: u64 = 16 << 20;

/// Makes a client for `base_url`. There is no total time-out: streams are bounded by whoever reads them.
///
/// # Errors
/// The certificate file cannot be used, or the library cannot start (for example: no user agent that fits).
pub(crate) fn client(base_url: &str, settings: &HttpSettings) -> Result<reqwest::Client, Error> {
    install_tls_provider();
    let mut builder = reqwest::Client::builder()
        .user_agent(settings.user_agent.as_str())
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(Duration::from_secs(30))
        .pool_max_idle_per_host(2)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    if is_local(base_url) {
        builder = builder.no_proxy();
    }
    if is_plain(base_url) {
        builder = builder.tls_certs_only(std::iter::empty());
    } else if let Some(path) = &settings.ca_file {
        builder = builder.tls_certs_merge(read_certificates(path)?);
    }
    builder.build().map_err(|e| Error::Build(with_causes(&e)))
}

/// What layers of the HTTP library say about themselves, where a layer below says what happened.
const SAYS_NOTHING: [&str; 6] = [
    "error sending request",
    "client error (Connect)",
    "client error (SendRequest)",
    "tcp connect error",
    "error decoding response body",
    "error reading a body from connection",
];

/// An error and everything below it that says something, in one line.
pub(crate) fn with_causes(error: &dyn StdError) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        next = cause.source();
        let said =
            cause.to_string().replace("tunnel error: failed to create underlying connection", "the proxy");
        if text.contains(&said) || (next.is_some() && SAYS_NOTHING.contains(&said.as_str())) {
            continue;
        }
        text.push_str(if text.is_empty() { "" } else { ": " });
        text.push_str(&said);
    }
    text
}

fn is_plain(url: &str) -> bool {
    url.split_at_checked(7).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("http://"))
}

/// Why TLS refused the server's certificate, if that was the trouble: waiting does not change it.
pub(crate) fn certificate_problem(error: &reqwest::Error) -> Option<String> {
    let mut next: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(cause) = next {
        if let Some(rustls::Error::InvalidCertificate(problem)) = tls_error(cause) {
            return Some(problem.to_string());
        }
        next = cause.source();
    }
    None
}

/// The TLS error inside `cause`. IO errors hide what they wrap from `source`, and here they wrap each other.
fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut cause = cause;
    while let Some(inner) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        cause = inner;
    }
    cause.downcast_ref()
}

/// Whether the address is this machine itself.
fn is_local(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| reach::of(&url) == Reach::Here)
}

/// Chooses the cryptography of the whole process; the only place that names it.
fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that somebody installed one before, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn read_certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, Error> {
    let fail = |reason: String| Error::Certificates { path: path.to_owned(), reason };
    let pem = read_bounded(path, MAX_CA_BYTES).map_err(|e| fail(e.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| fail(with_causes(&e)))?;
    if found.is_empty() {
        return Err(fail("there is no PEM certificate in it".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tls_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_told_from_tls() {
        assert!(is_plain("http://127.0.0.1:1/v1"));
        assert!(is_plain("HTTP://x"));
        assert!(!is_plain("https://x"));
        assert!(!is_plain("http:/"));
    }

    #[test]
    fn this_machine_is_told_from_others() {
        assert!(is_local("http://127.0.0.1:8/v1"));
        assert!(!is_local("http://10.0.0.1") && !is_local("nonsense"));
    }

    #[test]
    fn only_what_says_something_is_said() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Layer(&'static str, #[source] Option<Box<Layer>>);
        let of = |words: &[&'static str]| {
            let layer = words.iter().rev().fold(None, |below, word| Some(Box::new(Layer(word, below))));
            with_causes(&*layer.unwrap())
        };
        for (layers, want) in [
            (
                &["error sending request", "client error (Connect)", "tcp connect error", "refused"][..],
                "refused",
            ),
            (&["error sending request"], "error sending request"),
            (&["error sending request", "client error (SendRequest)", "closed"], "closed"),
            (
                &["error sending request", "tunnel error: failed to create underlying connection", "refused"],
                "the proxy: refused",
            ),
            (&["a: b", "b", "c"], "a: b: c"),
        ] {
            assert_eq!(of(layers), want);
        }
    }

    #[test]
    fn a_bad_certificate_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("no.pem");
        let settings = HttpSettings { user_agent: "t".to_owned(), ca_file: Some(missing) };
        let text = client("https://example.invalid", &settings).unwrap_err().to_string();
        assert!(text.contains("no.pem"), "{text}");

        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, b"hello").unwrap();
        let settings = HttpSettings { user_agent: "t".to_owned(), ca_file: Some(empty) };
        let text = client("https://example.invalid", &settings).unwrap_err().to_string();
        assert!(text.contains("no PEM certificate"), "{text}");
    }

    #[test]
    fn a_plain_client_does_not_read_certificates() {
        let settings = HttpSettings { user_agent: "t".to_owned(), ca_file: Some("/does/not/exist".into()) };
        assert!(client("http://127.0.0.1:9", &settings).is_ok());
    }
}
