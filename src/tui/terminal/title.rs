//! The title of the window: what goes on, then the chosen items. Steady words: a title that moves is read as noise.

use crate::tui::status::facts::{Facts, Item};
use crate::tui::text;

/// Longest title, in cells.
const MAX: usize = 100;

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Nothing.
    Idle,
    /// A turn runs.
    Working,
    /// The user has to answer.
    Asking,
}

/// The title.
pub(crate) fn title(items: &[Item], facts: &Facts, now_s: u64, activity: Activity) -> String {
    let mut parts: Vec<String> = items.iter().filter_map(|item| item.text(facts, now_s)).collect();
    if parts.is_empty() {
        parts.push("codex".to_owned());
    }
    let sign = match activity {
        Activity::Idle => "",
        Activity::Working => "• ",
        Activity::Asking => "[ ! ] Action Required · ",
    };
    let all = format!("{sign}{}", text::sanitize(&parts.join(" · ")).replace('\n', " "));
    text::truncate_end(&all, MAX).into_owned()
}

/// The bytes that set it.
pub(crate) fn bytes(title: &str) -> Vec<u8> {
    let clean: String = title.chars().filter(|c| !c.is_control()).collect();
    format!("\x1b]0;{clean}\x07").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::status::facts::{DEFAULT_TITLE, samples};

    #[test]
    fn what_goes_on_comes_first() {
        let mut facts = samples::facts();
        for (activity, want) in [
            (Activity::Idle, "project"),
            (Activity::Working, "• project"),
            (Activity::Asking, "[ ! ] Action Required · project"),
        ] {
            assert_eq!(title(&DEFAULT_TITLE, &facts, samples::NOW, activity), want);
        }
        facts.thread.as_mut().unwrap().name = Some("fix\u{1b}]0;evil\u{7} it".to_owned());
        let all = title(&DEFAULT_TITLE, &facts, samples::NOW, Activity::Idle);
        assert!(!all.contains('\u{1b}') && all.ends_with(" · project"), "{all:?}");
        assert_eq!(title(&[], &facts, samples::NOW, Activity::Idle), "codex");
        assert_eq!(bytes("a\u{7}b"), b"\x1b]0;ab\x07");
    }
}
