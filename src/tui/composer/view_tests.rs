//! The prompt in every state at three widths; accepted screens are in `/snapshots/tui/composer/view`.

use super::super::desk::Desk;
use super::*;
use crate::tui::testing::{assert_screen, draw};

/// Draws the prompt as high as it wants to be on a screen of 24 rows, the cursor as a reversed `_` or cell, and
/// the hint line below it.
fn screen(desk: &Desk, width: u16) -> Buffer {
    let theme = Theme::default();
    let look =
        Look { theme: &theme, running: desk.running, placeholder: "Ask for a change, or / for commands" };
    let height = desk.composer.height(width, 24);
    draw(width, height + 2, |area, buffer| {
        let prompt = Rect { height, ..area };
        let cursor = desk.composer.view(prompt, buffer, &look);
        if let Some(cell) = cursor.and_then(|at| buffer.cell_mut(at)) {
            cell.modifier.insert(ratatui::style::Modifier::UNDERLINED);
        }
        let hint = desk.composer.hint(desk.running).unwrap_or_default();
        buffer.set_stringn(0, height + 1, hint, usize::from(width), theme.style(Role::Dim));
        let badge = desk.composer.badge().unwrap_or_default();
        let right = width - u16::try_from(badge.len()).unwrap();
        buffer.set_string(right, height + 1, badge, theme.style(Role::Warn));
    })
}

/// One snapshot for each width.
fn check(name: &str, make: impl Fn(&mut Desk)) {
    for width in [60, 80, 120] {
        let mut desk = Desk::new();
        screen(&desk, width);
        make(&mut desk);
        assert_screen!(format!("{name}_{width}"), screen(&desk, width));
    }
}

const LONG: &str = "Rename the field in every struct that implements the trait, then run the tests and tell me \
                    which of them fail because of the renaming and which failed before already. ";

#[test]
fn text() {
    check("empty", |_| {});
    check("short", |d| d.write("Fix the failing test"));
    check("wrapped", |d| {
        d.write(LONG);
        d.press("ctrl-a alt-f");
    });
    check("wide", |d| {
        d.paste("日本語の説明 👩‍👩‍👧 e\u{301}cole שלום\tend of the line that goes on and on and on, wide 漢字漢字漢字")
    });
    check("lines", |d| {
        for n in 0..20 {
            d.write(&format!("line {n}"));
            d.press("ctrl-j");
        }
        d.press("up up up up up up up up");
    });
    check("queue_hint", |d| {
        d.running = true;
        d.write("and then the docs");
    });
}

#[test]
fn things() {
    check("tokens", |d| {
        d.paste(&"x".repeat(2430));
        d.write(" like ");
        d.paste("/tmp/shot.png");
        d.write(" but as in the second paste ");
        d.paste(&"y".repeat(2430));
    });
    check("on_a_paste", |d| {
        d.paste(&"x".repeat(2430));
        d.press("left");
    });
}

#[test]
fn shell() {
    check("shell_empty", |d| d.write("!"));
    check("shell", |d| d.write("!cargo test --lib 2>&1 | tail"));
}

#[test]
fn commands() {
    check("commands", |d| d.write("/"));
    check("commands_filtered", |d| {
        d.write("/st");
        d.press("down");
    });
    check("commands_scrolled", |d| {
        d.write("/");
        d.press("page-down down down");
    });
    check("commands_during_a_turn", |d| {
        d.running = true;
        d.write("/");
    });
}

#[test]
fn files() {
    let found = [
        "src/tui/composer/mod.rs",
        "src/mod.rs",
        "src/tui/composer/",
        "tests/fixtures/a/very/deep/folder/with/many/parts/that/does/not/fit/anywhere/model.rs",
        "docs/日本語/モデル.md",
        "a-file-name-that-is-so-long-that-it-must-be-cut-because-no-terminal-is-as-wide-as-this-name-of-a-file-in-the-root.txt",
    ];
    check("files_searching", |d| d.write("look at @mo"));
    check("files", |d| {
        d.write("look at @mo");
        d.files("mo", &found, false);
        d.press("down");
    });
    check("files_none", |d| {
        d.write("look at @zzz");
        d.files("zzz", &[], true);
    });
}

#[test]
fn search() {
    let start = |d: &mut Desk, query: &str| {
        d.history(&["cargo test --workspace", "git status"]);
        d.write("draft");
        d.press("ctrl-r");
        d.write(query);
    };
    check("search_start", |d| start(d, ""));
    check("search_found", |d| start(d, "cargo"));
    check("search_failed", |d| start(d, "nope"));
}

#[test]
fn any_size_is_drawn() {
    for (width, height) in [(0, 0), (1, 1), (2, 1), (3, 2), (5, 3), (40, 1), (40, 2), (300, 100)] {
        let mut desk = Desk::new();
        desk.write("日本語 some text\n");
        desk.write("日 @a");
        desk.files("a", &["src/a.rs", "b/a/"], true);
        let theme = Theme::default();
        let look = Look { theme: &theme, running: false, placeholder: "placeholder" };
        draw(width, height, |area, buffer| {
            if let Some(at) = desk.composer.view(area, buffer, &look) {
                assert!(area.contains(at), "{width}x{height}: {at:?}");
            }
        });
    }
}

#[test]
fn the_prompt_never_takes_more_than_a_third_for_text() {
    let mut desk = Desk::new();
    desk.paste(&"line\n".repeat(31));
    for (screen, want) in [(6, 3), (12, 4), (24, 8), (90, 30), (120, 32)] {
        assert_eq!(desk.composer.height(80, screen), want, "{screen}");
    }
}
