//! What is known about the last refresh token that was sent: that no answer came for it, or that the service never takes
//! it again. Written beside the store before the token leaves, so that no process sends it a second time, also after
//! a kill in the middle. Only a hash of the token is kept.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::Cause;
use super::store::Store;
use crate::base::fs;
use crate::base::secret::Secret;

/// Name of the file in the home.
const FILE_NAME: &str = "auth.refused.json";

/// What the file says for each cause. Others are not kept.
const CAUSES: [(Cause, &str); 5] = [
    (Cause::Unanswered, "unanswered"),
    (Cause::Expired, "expired"),
    (Cause::Used, "used"),
    (Cause::Revoked, "revoked"),
    (Cause::OtherAccount, "other_account"),
];

/// The mark of one home. Whoever writes it holds the lock of the store.
pub(super) struct Marks {
    file: PathBuf,
    /// A store in memory has no other process to warn; its manager remembers by itself.
    kept: bool,
    /// Whose the file has to be, when the superuser writes it.
    owner: Option<(u32, u32)>,
}

#[derive(Deserialize, Serialize)]
struct Mark {
    token: String,
    cause: String,
}

impl Marks {
    pub(super) fn of(store: &Store) -> Self {
        Self {
            file: store.home().join(FILE_NAME),
            kept: !store.is_ephemeral(),
            owner: store.owner(store.home()),
        }
    }

    /// What is known about this token.
    pub(super) fn get(&self, token: &Secret) -> Option<Cause> {
        let bytes = fs::read_bounded(&self.file, 4096).ok()?;
        let mark: Mark = serde_json::from_slice(&bytes).ok()?;
        let (cause, _) = CAUSES.iter().find(|(_, word)| *word == mark.cause)?;
        (self.kept && mark.token == hash(token)).then_some(*cause)
    }

    /// Marks a token, durably.
    ///
    /// # Errors
    /// The home cannot be written.
    pub(super) fn put(&self, token: &Secret, cause: Cause) -> io::Result<()> {
        let known = CAUSES.iter().find(|(known, _)| *known == cause);
        let (true, Some((_, word))) = (self.kept, known) else { return Ok(()) };
        let mark = Mark { token: hash(token), cause: (*word).to_owned() };
        fs::replace_for(&self.file, &serde_json::to_vec(&mark)?, 0o600, self.owner)
    }

    /// Nothing is known any more. A mark that stays is of a token that is no longer stored, or costs one sign-in.
    pub(super) fn clear(&self) {
        if self.kept {
            let _ = std::fs::remove_file(&self.file);
        }
    }
}

/// Enough of a hash to know a token again; nothing of the token can be had from it.
fn hash(token: &Secret) -> String {
    let hash = Sha256::digest(token.expose().as_bytes());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_token_and_shows_nothing_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let marks = Marks::of(&Store::new(dir.path()));
        let (one, other) = (Secret::new("rt-one"), Secret::new("rt-other"));
        assert_eq!(marks.get(&one), None);
        for (cause, _) in CAUSES {
            marks.put(&one, cause).unwrap();
            assert_eq!((marks.get(&one), marks.get(&other)), (Some(cause), None));
        }
        assert!(!std::fs::read_to_string(dir.path().join(FILE_NAME)).unwrap().contains("rt-"));
        for damage in ["", "{", "[]", r#"{"token":1,"cause":"used"}"#] {
            std::fs::write(dir.path().join(FILE_NAME), damage).unwrap();
            assert_eq!(marks.get(&one), None, "{damage}");
        }
        marks.clear();
        marks.clear();
        assert!(marks.put(&one, Cause::Used).is_ok());
        assert!(Marks::of(&Store::new(&dir.path().join("none"))).put(&one, Cause::Used).is_err());
    }
}
