//! Pages: moving, finding, and how each kind of content looks.

use super::*;
use crate::tui::testing::{assert_screen, draw};

fn page(rows: usize) -> Page {
    let text: Vec<String> = (1..=rows).map(|n| format!("row {n}")).collect();
    Page::new("Long text", Content::Code(text.join("\n"), ""))
}

fn screen(page: &Page, width: u16, height: u16) -> Buffer {
    draw(width, height, |area, buf| {
        page.view(area, buf, &Theme::default());
    })
}

fn press(page: &mut Page, keys: &[Key]) -> Turned {
    keys.iter().map(|key| page.on_key(*key, &Keymap::default())).last().unwrap()
}

#[test]
fn moving_stays_inside() {
    let key = |code| Key::plain(code);
    for (keys, top) in [
        (&[key(Code::Down)][..], 1),
        (&[key(Code::Char(' '))], 6),
        (&[key(Code::End), key(Code::Down)], 43),
        (&[key(Code::End), key(Code::Home)], 0),
        (&[key(Code::PageDown), key(Code::PageUp), key(Code::Up)], 0),
        (&[Key::ctrl('d')], 3),
    ] {
        let mut page = page(50);
        screen(&page, 40, 10);
        assert_eq!(press(&mut page, keys), Turned::Stay);
        assert_eq!(page.top, top, "{keys:?}");
    }
    for close in [key(Code::Char('q')), key(Code::Esc), Key::ctrl('c')] {
        assert_eq!(press(&mut page(3), &[close]), Turned::Close);
    }
}

#[test]
fn finding_goes_round() {
    let mut page = page(50);
    screen(&page, 40, 10);
    let c = |c| Key::plain(Code::Char(c));
    press(&mut page, &[c('/'), c('R'), c('o'), c('w'), c(' '), c('3'), Key::plain(Code::Enter)]);
    assert_eq!(page.top, 2);
    press(&mut page, &[c('n')]);
    assert_eq!(page.top, 29);
    press(&mut page, &[c('N'), c('N')]);
    assert_eq!(page.top, 38);
    assert_screen!("found", screen(&page, 60, 8));
}

/// A key or its help that is cut is one that the page does not show.
#[test]
fn the_page_of_keys_shows_every_word() {
    let rows = Keymap::default().help();
    for width in [40, 60, 80, 100, 120, 160] {
        let lines = lay_out(&Content::Help(rows.clone()), width, &Theme::default());
        let shown: String = lines.iter().map(|line| format!("{line}\n")).collect();
        for row in &rows {
            for word in row.keys.split(BETWEEN_KEYS).chain(row.help.split(' ')) {
                assert!(shown.contains(word), "{word} at {width}:\n{shown}");
            }
        }
        for context in Context::ALL {
            for name in keymap::names(context) {
                assert!(shown.contains(name), "keys cannot be remapped without {name}, at {width}:\n{shown}");
            }
        }
        assert!(lines.iter().all(|line| text::line_width(line) <= usize::from(width)), "{width}:\n{shown}");
    }
}

#[test]
fn views() {
    let diff = "diff --git a/src/main.rs b/src/main.rs\n--- a/src/main.rs\n+++ b/src/main.rs\n@@ -1,3 +1,3 @@\n fn main() {\n-    old();\n+    new();\n }\n";
    for width in [60, 80, 120] {
        let help = Page::new("Keys", Content::Help(Keymap::default().help()));
        assert_screen!(format!("help_{width}"), screen(&help, width, 24));
        let diff = Page::new("Changes", Content::Diff(diff.to_owned()));
        assert_screen!(format!("diff_{width}"), screen(&diff, width, 12));
    }
    assert_screen!("empty_diff", screen(&Page::new("Changes", Content::Diff(String::new())), 60, 6));
    let code = "for f in *.rs; do\n  echo \"\u{1b}[31m$f\"\ndone";
    assert_screen!("code", screen(&Page::new("Command", Content::Code(code.to_owned(), "bash")), 60, 8));
}
