//! Small menus that ask before something happens, or which of a few things is meant.

use super::list::Row;
use super::menu::Menu;
use super::wish::Wish;
use crate::models::catalogue::Model;
use crate::tui::door::Setting;
use crate::tui::transcript::{Key, Source};
use crate::tui::usage::menu::Want;

/// `/copy`: the answer or one of its code blocks.
pub(crate) fn copy(sources: Vec<Source>) -> Menu {
    let rows = sources.into_iter().map(|source| {
        let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let detail = crate::tui::text::sanitize(first).trim().to_owned();
        (Row::new(&source.label).detail(detail), Wish::Copy(source.label, source.text))
    });
    Menu::new("Copy", rows.collect())
}

/// Before a rewind over `dropped` prompts whose turns changed `files` files, which `told` tells of. What is preselected leaves the files.
pub(crate) fn rewind(prompt: Key, dropped: usize, files: usize, told: &str) -> Menu {
    let back = if dropped == 1 { "Go back".to_owned() } else { format!("Go back {dropped} prompts") };
    let edits = if files == 1 { "of 1 file".to_owned() } else { format!("of {files} files") };
    let rows = vec![
        (Row::new("Go back only").detail("the files stay as they are now"), Wish::Rewind(prompt, false)),
        (
            Row::new(format!("Go back and undo the edits {edits}")).detail("/redo brings them again"),
            Wish::Rewind(prompt, true),
        ),
        (Row::new("Stay here"), Wish::Notice("Nothing was changed".to_owned())),
    ];
    Menu::new(format!("{back}: with the files, or without?"), rows).text(told)
}

/// Before a turn is taken back that is perhaps not meant, for the reason `why`. What is preselected changes nothing.
pub(crate) fn undo(why: &str, number: u64) -> Menu {
    let rows = vec![
        (
            Row::new("Leave everything as it is").detail("`codex undo --list` tells all turns"),
            Wish::Notice("Nothing was changed".to_owned()),
        ),
        (Row::new(format!("Take back turn {number}")).detail("/redo brings it again"), Wish::Undo(number)),
    ];
    Menu::new(format!("Take back turn {number}?"), rows)
        .text(crate::tui::text::sanitize(why).replace('\n', " "))
}

/// Somebody else is signed in since the program began.
pub(crate) fn adopt(why: &str) -> Menu {
    let rows = vec![
        (
            Row::new("Not now").detail("nothing is sent until then"),
            Wish::Notice("Nothing was changed".to_owned()),
        ),
        (Row::new("Go on as this account"), Wish::Adopt),
    ];
    // What may be answered by a key that was meant for the prompt stands first.
    Menu::new("Go on as another account?", rows).text(crate::tui::text::sanitize(why).replace('\n', " "))
}

/// A prompt of an earlier run waited in another thread. `over`: its time has come.
pub(crate) fn waiting(at: &str, over: bool) -> Menu {
    let there = if over { "and send it there" } else { "and go on waiting there" };
    let rows = vec![
        (Row::new("Go back to its thread").detail(there), Wish::Usage(Want::BackToWaiting)),
        (Row::new("Keep it here").detail("enter sends it"), Wish::Usage(Want::NoWaiting)),
    ];
    Menu::new("A prompt is waiting", rows).text(if over {
        format!("The prompt below was to be sent again at {at}, in the thread in which it was refused.")
    } else {
        format!("The prompt below is to be sent again at {at}, in the thread in which it was refused.")
    })
}

/// A window is nearly used up: a smaller model makes it last. What is preselected changes nothing.
pub(crate) fn smaller_model(left: &str, now: &Model, smaller: &Model) -> Menu {
    let rows = vec![
        (
            Row::new(format!("Keep {}", now.display_name)).detail("asked once per session"),
            Wish::Notice(format!("{} goes on", now.display_name)),
        ),
        (
            Row::new(format!("Use {}", smaller.display_name)).detail("in this thread, until you change it"),
            Wish::Model { slug: smaller.slug.to_string(), effort: None, save: false },
        ),
        (Row::new("Keep it and never ask").detail("kept in config.toml"), Wish::Save(Setting::NoModelNudge)),
    ];
    Menu::new("Use a smaller model?", rows)
        .text(format!("{left} is left. A smaller model makes it last longer."))
        .yielding()
}

/// `/tui`.
pub(crate) fn screen(fullscreen: bool) -> Menu {
    let rows = vec![
        (
            Row::new("Fullscreen").detail("a screen of its own, scrolls inside").current(fullscreen),
            Wish::Save(Setting::Fullscreen(true)),
        ),
        (
            Row::new("Scrollback").detail("the terminal keeps and scrolls the text").current(!fullscreen),
            Wish::Save(Setting::Fullscreen(false)),
        ),
    ];
    Menu::new("Screen at the next start", rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{assert_screen, paper};
    use crate::tui::theme::Theme;

    #[test]
    fn views() {
        let source = |label: &str, text: &str| Source { label: label.to_owned(), text: text.to_owned() };
        let sources =
            vec![source("Whole answer", "Do this:\n```\nls\n```"), source("Code 1 · sh · 1 line", "ls\n")];
        for width in [60, 80, 120] {
            let drawn = copy(sources.clone()).draw(width, 20, &Theme::default());
            assert_screen!(format!("copy_{width}"), paper(width, &drawn.lines));
            let why = "The last turn that changed files here is turn 4 of another thread (\"mend the test\"). It changed a.txt and 1 more, 3m ago.";
            assert_screen!(
                format!("undo_{width}"),
                paper(width, &undo(why, 4).draw(width, 20, &Theme::default()).lines)
            );
            let adopt = adopt("You have since signed in to another account (b@example.org).");
            assert_screen!(
                format!("adopt_{width}"),
                paper(width, &adopt.draw(width, 20, &Theme::default()).lines)
            );
            let find = crate::models::catalogue::find;
            let smaller = smaller_model("8% of your 5h limit", &find("gpt-5.5"), &find("gpt-5.6-luna"));
            let drawn = smaller.draw(width, 20, &Theme::default());
            assert_screen!(format!("smaller_model_{width}"), paper(width, &drawn.lines));
            for (name, over) in [("waiting", false), ("waiting_over", true)] {
                let drawn = waiting("23:43", over).draw(width, 20, &Theme::default());
                assert_screen!(format!("{name}_{width}"), paper(width, &drawn.lines));
            }
            assert_screen!(
                format!("screen_{width}"),
                paper(width, &screen(true).draw(width, 20, &Theme::default()).lines)
            );
        }
    }
}
