//! Why a patch was not applied, for people. The model reads other words: those it was trained on.

use crate::base::clean::in_words;

/// Before a reason that is told to the model.
pub(crate) const UNFIT: &str = "apply_patch verification failed: ";
/// Before a reason that is told to the model: the patch was right, writing it was not possible.
pub(crate) const UNWRITTEN: &str = "apply_patch failed: ";

/// The user said no, as the model is told.
pub(crate) const REJECTED: &str = "patch rejected by user";

/// The user stopped the turn, as the model is told.
pub(crate) const ABORTED: &str = "aborted by user";

/// The same for people.
pub(crate) fn reason(told: &str) -> String {
    match told {
        REJECTED => return "You said no".to_owned(),
        ABORTED => return "You stopped the turn".to_owned(),
        _ => {}
    }
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
            (REJECTED.to_owned(), "You said no"),
            (ABORTED.to_owned(), "You stopped the turn"),
        ] {
            assert_eq!(reason(&told), read);
        }
    }
}
