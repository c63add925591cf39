//! Login with a key, and the line that `codex login status` shows.

use super::error::Error;
use super::issuer::Issuer;
use super::sign_in;
use super::store::{Store, Stored};
use crate::base::clean;
use crate::base::secret::Secret;
use crate::base::tasks;

/// Checks and stores a key as it was typed or piped in; white space around it is dropped. The service sees it
/// with the first request. A ChatGPT sign-in that it replaces is ended.
///
/// # Errors
/// There is no key, or it cannot be stored.
pub(crate) async fn login(store: &Store, issuer: &Issuer, typed: &str) -> Result<(), Error> {
    let (store, typed) = (store.clone(), Secret::new(typed));
    let work = move || {
        let before = store.load().ok().flatten();
        put(&store, typed.expose()).map(|()| before)
    };
    let before = tasks::blocking("store a key", work).await.map_err(|_| Error::Cancelled)??;
    sign_in::end(issuer, before).await;
    Ok(())
}

/// Checks and stores a key.
fn put(store: &Store, typed: &str) -> Result<(), Error> {
    let key = checked(typed, "the input")?.ok_or(Error::NoKey)?;
    let text = key.expose();
    // Cut out of a file with more in it: what the service would say about such a key helps nobody.
    // An equals sign may only fill up the end, as in base64.
    let more = text.trim_end_matches('=').contains(['"', '\'', '=', '{', '}']);
    if more || text.len() > LONGEST {
        return Err(Error::NotOnlyKey);
    }
    store.save_api_key(&key)
}

/// Longest key that is stored, in bytes; real ones have about 200.
const LONGEST: usize = 4096;

/// A key without white space around it; `None` when nothing is left.
///
/// # Errors
/// No header could carry it.
pub(super) fn checked(typed: &str, from: &str) -> Result<Option<Secret>, Error> {
    let key = typed.trim();
    if key.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii()) {
        return Err(Error::BadKey { from: from.to_owned() });
    }
    Ok((!key.is_empty()).then(|| Secret::new(key)))
}

/// What `codex login status` says about the store; `None` when nobody is signed in.
pub(crate) fn status(stored: Option<&Stored>) -> Option<String> {
    Some(match stored? {
        Stored::ApiKey(key) => format!("Logged in using an API key: {}", masked(key)),
        Stored::ChatGpt(tokens) => match (&tokens.identity.email, &tokens.identity.plan) {
            (Some(email), Some(plan)) => {
                format!(
                    "Logged in using ChatGPT ({}, plan {})",
                    clean::line(email, 100),
                    clean::line(plan, 40)
                )
            }
            (Some(email), None) => format!("Logged in using ChatGPT ({})", clean::line(email, 100)),
            _ => "Logged in using ChatGPT".to_owned(),
        },
    })
}

/// Enough of a key to recognise it, not enough to use it.
fn masked(key: &Secret) -> String {
    let chars: Vec<char> = key.expose().chars().collect();
    if chars.len() < 20 {
        return "***".to_owned();
    }
    let head: String = chars.iter().take(8).collect();
    let tail: String = chars.iter().skip(chars.len() - 4).collect();
    format!("{head}***{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_trims_and_refuses() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        assert_eq!(put(&store, " \n"), Err(Error::NoKey));
        for bad in ["sk a", "sk\nb", "sk\u{0}", "schlüssel"] {
            assert!(matches!(put(&store, bad), Err(Error::BadKey { .. })), "{bad:?}");
        }
        for more in ["\"sk-1\"", "'sk-1'", "OPENAI_API_KEY=sk-1", "{\"k\":1}", &"k".repeat(LONGEST + 1)] {
            assert_eq!(put(&store, more), Err(Error::NotOnlyKey), "{more:?}");
        }
        assert!(!store.path().exists(), "a refused key leaves nothing behind");
        put(&store, "c2stMQ==").unwrap();
        put(&store, "  sk-1234\r\n").unwrap();
        assert_eq!(store.load().unwrap(), Some(Stored::ApiKey(Secret::new("sk-1234"))));
    }

    #[test]
    fn status_masks_the_key() {
        let line = |key: &str| status(Some(&Stored::ApiKey(Secret::new(key)))).unwrap();
        assert_eq!(line("sk-proj-0123456789abcdef"), "Logged in using an API key: sk-proj-***cdef");
        assert_eq!(line("sk-short"), "Logged in using an API key: ***");
        assert_eq!(status(None), None);
    }
}
