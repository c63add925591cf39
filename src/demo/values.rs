//! Values in scenarios that can be written in more than one way: exit codes, and one text or several.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// A condition on an exit code: a number, `"nonzero"`, `"none"` when the output tells no code, or `"not-zero"` for
/// either of these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitIs {
    Code(i64),
    NonZero,
    Absent,
    NotZero,
}

impl ExitIs {
    /// Whether this exit code is meant.
    pub(crate) fn fits(self, exit: Option<i64>) -> bool {
        match self {
            Self::Code(code) => exit == Some(code),
            Self::NonZero => exit.is_some_and(|code| code != 0),
            Self::Absent => exit.is_none(),
            Self::NotZero => exit != Some(0),
        }
    }
}

impl<'de> Deserialize<'de> for ExitIs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = ExitIs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an exit code, \"nonzero\", \"none\" or \"not-zero\"")
            }
            fn visit_i64<E: de::Error>(self, code: i64) -> Result<ExitIs, E> {
                Ok(ExitIs::Code(code))
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<ExitIs, E> {
                match word {
                    "nonzero" => Ok(ExitIs::NonZero),
                    "none" => Ok(ExitIs::Absent),
                    "not-zero" => Ok(ExitIs::NotZero),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
        }
        from.deserialize_any(Reader)
    }
}

/// One text or a list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        from.deserialize_any(Reader)
    }
}
