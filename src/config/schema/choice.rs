//! Values that are one of a few words. The words stand in one list per type, so that what is accepted and what
//! an error offers can never differ.

use crate::protocol::policy::{ApprovalPolicy, EnvInherit, SandboxMode};

/// A type whose values are words. The first word of a value is the one to write; later ones are older spellings.
pub(crate) trait Choice: Copy + PartialEq + 'static {
    /// All words.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of this value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }
}

/// Declares an enum whose variants are words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $first:literal $(| $more:literal)*,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$vmeta])* $variant,)* }

        impl $crate::config::schema::choice::Choice for $name {
            const WORDS: &'static [(&'static str, Self)] =
                &[$(($first, Self::$variant), $(($more, Self::$variant),)*)*];
        }
    };
}
pub(crate) use words;

impl Choice for ApprovalPolicy {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("on-request", Self::OnRequest),
        ("never", Self::Never),
        ("untrusted", Self::Untrusted),
        ("on-failure", Self::OnFailure),
    ];
}

impl Choice for SandboxMode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("read-only", Self::ReadOnly),
        ("workspace-write", Self::WorkspaceWrite),
        ("danger-full-access", Self::DangerFullAccess),
    ];
}

impl Choice for EnvInherit {
    const WORDS: &'static [(&'static str, Self)] =
        &[("all", Self::All), ("core", Self::Core), ("none", Self::None)];
}
