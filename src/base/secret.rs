//! Text that must not be seen. `Debug` prints a fixed mark, there is no `Display`, and it cannot be serialised
//! by accident: whoever needs the text asks for it by name.

use std::fmt;

/// A token or key. Leaves this type only through [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Wraps a token or key.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one header or file it belongs in.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Variables that hold OpenAI's own keys and tokens. No program that we start needs them.
pub(crate) const KEY_VARIABLES: [&str; 3] = ["CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "OPENAI_API_KEY"];

/// Whether a header, parameter or variable of this name is likely to hold a secret.
pub(crate) fn is_likely(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["key", "token", "auth", "secret", "cookie"].iter().any(|word| name.contains(word))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
