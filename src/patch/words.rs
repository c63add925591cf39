//! Why a patch was not applied, for people. The model reads other words: those it was trained on.

use crate::base::clean::in_words;

/// Before a reason that is told to the model.
pub(crate) const UNFIT: &str = "apply_patch verification failed: ";
/// Before a reason that is told to the model: the patch was right, writing it was not possible.
pub(crate) const UNWRITTEN: &str = "apply_patch failed: ";

/// The same for people.
pub(crate) fn reason(told: &str) -> String {
    let why = told.strip_prefix(UNFIT).map(|why| ("The patch does not fit: ", why));
    let why = why.or_else(|| told.strip_prefix(UNWRITTEN).map(|why| ("The patch was not written: ", why)));
    let (before, why) = why.unwrap_or(("", told));
    format!("{before}{}", in_words(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_no_tool() {
        for (told, read) in [
            (format!("{UNFIT}a: no such file"), "The patch does not fit: a: no such file"),
            (format!("{UNWRITTEN}a: denied (os error 13)"), "The patch was not written: a: denied"),
            ("You said no".to_owned(), "You said no"),
        ] {
            assert_eq!(reason(&told), read);
        }
    }
}
