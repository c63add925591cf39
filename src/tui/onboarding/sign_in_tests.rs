//! Tests of the sign-in page: its choices, its ways, what it does with keys and pastes, and how it looks.

use super::*;
use crate::tui::testing::{assert_screen, paper};

const URL: &str = "https://auth.example/oauth/authorize?response_type=code&client_id=app_x&redirect_uri=\
                   http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback&code_challenge=abcdefghijklmnopqrstuvwxyz";

fn press(page: &mut Page, code: Code) -> Outcome {
    page.on_key(Key::plain(code), &Keymap::default())
}

fn text(page: &Page) -> String {
    let lines = page.draw(80, 40, &Theme::default()).lines;
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_key_is_typed_or_pasted_and_never_shown() {
    let mut page = Page::new(true);
    press(&mut page, Code::Char('3'));
    assert_eq!(press(&mut page, Code::Enter), Outcome::Stay);
    page.paste("sk-secret\n");
    assert!(!text(&page).contains("secret"));
    assert_eq!(press(&mut page, Code::Enter), Outcome::ApiKey(Secret::new("sk-secret")));
    assert_eq!(press(&mut page, Code::Enter), Outcome::Stay, "once is enough");
    page.refused("That is not a key.");
    assert!(matches!(press(&mut page, Code::Enter), Outcome::ApiKey(_)));
}

#[test]
fn choices() {
    let press = |browser, code| super::tests::press(&mut Page::new(browser), code);
    assert_eq!(press(true, Code::Enter), Outcome::SignIn(Way::Browser));
    assert_eq!(press(true, Code::Char('2')), Outcome::SignIn(Way::Code));
    assert_eq!(
        press(false, Code::Enter),
        Outcome::SignIn(Way::Code),
        "without a browser the code comes first"
    );
    assert_eq!(press(false, Code::Char('2')), Outcome::SignIn(Way::Browser));
    assert_eq!(press(true, Code::Char('4')), Outcome::Demo);
    assert_eq!(press(true, Code::Char('5')), Outcome::Quit);
    assert_eq!(press(true, Code::Esc), Outcome::Quit);
}

#[test]
fn a_sign_in_waits_is_given_up_and_fails_with_a_reason() {
    let mut page = Page::new(true);
    press(&mut page, Code::Char('1'));
    assert_eq!(page.paste("http://127.0.0.1:1455/x"), Outcome::Stay, "nothing waits for it yet");
    page.show(Way::Code, "https://other".to_owned(), None);
    assert!(!text(&page).contains("other"), "an answer to an earlier wish");
    page.show(Way::Browser, URL.to_owned(), None);
    assert!(text(&page).contains("auth.example"));
    assert_eq!(press(&mut page, Code::Char('c')), Outcome::Copy("Address", URL.to_owned()));
    assert_eq!(
        page.paste(" http://127.0.0.1:1455/x\n"),
        Outcome::Pasted(Secret::new("http://127.0.0.1:1455/x"))
    );
    page.not_pasted("That is not it.");
    assert!(text(&page).contains("That is not it.") && text(&page).contains("auth.example"));

    assert_eq!(press(&mut page, Code::Esc), Outcome::GiveUp);
    page.refused("The sign-in was cancelled.");
    assert!(!text(&page).contains("cancelled"), "the user knows");

    press(&mut page, Code::Char('2'));
    page.refused("This service has no sign-in by code.");
    assert!(text(&page).contains("■ This service has no sign-in by code.") && text(&page).contains("1."));
    assert!(matches!(press(&mut page, Code::Char('2')), Outcome::SignIn(Way::Code)));
    assert!(!text(&page).contains('■'), "another try");
}

#[test]
fn views() {
    for width in [60, 80, 120] {
        let draw = |page: &Page| paper(width, &page.draw(width, 40, &Theme::default()).lines);
        let mut page = Page::new(true);
        assert_screen!(format!("choices_{width}"), draw(&page));
        press(&mut page, Code::Char('1'));
        page.show(Way::Browser, URL.to_owned(), None);
        assert_screen!(format!("browser_{width}"), draw(&page));
        press(&mut page, Code::Esc);
        press(&mut page, Code::Char('2'));
        page.show(Way::Code, "https://auth.example/codex/device".to_owned(), Some("ABCD-12345".to_owned()));
        assert_screen!(format!("code_{width}"), draw(&page));
        page.refused("The sign-in did not work: the code was not used within 15 minutes.");
        assert_screen!(format!("failed_{width}"), draw(&page));
        press(&mut page, Code::Char('3'));
        page.paste("sk-1234567890");
        press(&mut page, Code::Enter);
        page.refused("The key was not stored: no space left on the disk.");
        assert_screen!(format!("key_{width}"), draw(&page));
    }
}

#[test]
fn the_smallest_window_shows_every_choice_and_what_is_wrong() {
    let trouble = "The credential file /home/u/.codex/auth.json cannot be read: it is not a regular file. Move it away or \
                   mend it, then start codex again.";
    let page = Page::new(true).with_trouble(Some(trouble.to_owned()));
    let drawn = page.draw(40, 12, &Theme::default());
    assert!(drawn.lines.len() <= 12);
    assert_screen!("trouble_40", paper(40, &drawn.lines));
    let mut page = Page::new(false);
    press(&mut page, Code::Char('1'));
    page.show(Way::Code, "https://auth.example/codex/device".to_owned(), Some("ABCD-12345".to_owned()));
    let drawn = page.draw(40, 12, &Theme::default());
    assert_screen!("code_40", paper(40, &drawn.lines));
    assert!(drawn.lines.iter().any(|line| line.to_string().contains("ABCD-12345")));
}
