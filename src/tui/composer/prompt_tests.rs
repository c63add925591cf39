//! Keys and pastes as tables: what is typed, what happens, what is left in the prompt.

use std::path::Path;

use super::super::desk::{Desk, key_of};
use super::*;
use crate::tui::keymap::Keymap;
use crate::tui::keys::Code;

#[test]
fn sending() {
    // (typed by hand, running, what happens, what is left)
    for (typed, running, log, left) in [
        ("hello\n", false, "remember hello; submit hello", "|"),
        ("hello\t", true, "remember hello; queue hello", "|"),
        ("hello\n", true, "remember hello; submit hello", "|"),
        ("hello\t", false, "", "hello|"),
        ("\n", false, "", "|"),
        ("  \n", false, "", "  |"),
        ("!ls -la\n", false, "remember !ls -la; shell ls -la", "|"),
        ("!ls\n", true, "remember !ls; shell ls", "|"),
        ("!\n", false, "notice Type a command after !, for example !git status", "!|"),
        ("wow!\n", false, "remember wow!; submit wow!", "|"),
        ("/status\n", false, "command status", "|"),
        ("/sta\n", false, "command status", "|"),
        ("/status\n", true, "command status", "|"),
        ("/new\n", true, "notice /new has to wait until the turn has ended", "/new|"),
        ("/rename my thread\n", true, "command rename my thread", "|"),
        ("/new idea\n", false, "notice /new takes nothing after its name", "/new idea|"),
        ("/zzz\n", false, "notice There is no command /zzz (type / for the list)", "/zzz|"),
        ("/usr/bin is full\n", false, "remember /usr/bin is full; submit /usr/bin is full", "|"),
        ("/sta\t", false, "", "/status |"),
        ("/mention\n", false, "find \"\"", "@|"),
        ("?", false, "shortcuts", "|"),
        ("a?", false, "", "a?|"),
        ("!?", false, "", "!?|"),
    ] {
        let mut desk = Desk::new();
        desk.running = running;
        desk.write(typed);
        assert_eq!((desk.log().as_str(), desk.text().as_str()), (log, left), "{typed:?} running: {running}");
    }
}

#[test]
fn keys_that_mean_nothing_here_are_left_to_the_screen() {
    for (text, running, names, handled) in [
        ("", false, "enter", false),
        ("", false, "esc", false),
        ("", false, "ctrl-c", false),
        ("", false, "ctrl-d", false),
        ("", false, "left", false),
        ("", false, "end", false),
        ("", false, "tab", false),
        ("", false, "backspace", false),
        ("", false, "page-up", false),
        ("", false, "ctrl-t", false),
        ("", false, "f3", false),
        ("", false, "shift-tab", false),
        ("x", false, "ctrl-d", true),
        ("x", false, "end", true),
        ("x", false, "tab", false),
        ("x", true, "tab", true),
        ("x", false, "esc", false),
        ("x", false, "ctrl-c", true),
        ("x", false, "alt-.", false),
        ("!", false, "esc", true),
        ("!", false, "backspace", true),
        ("/", false, "esc", true),
        ("", false, "ctrl-x", true),
        ("", false, "ctrl-v", true),
        ("", false, "ctrl-r esc", true),
    ] {
        let mut desk = Desk::new();
        desk.running = running;
        desk.write(text);
        assert_eq!(desk.press(names), handled, "{names} on {text:?}");
    }
}

#[test]
fn editing_keys() {
    for (typed, names, want) in [
        ("a", "ctrl-j", "a\n|"),
        ("a", "shift-enter", "a\n|"),
        ("a", "alt-enter", "a\n|"),
        ("one two", "ctrl-w", "one |"),
        ("one two", "alt-b alt-d", "one |"),
        ("one two", "ctrl-a ctrl-k ctrl-y ctrl-y", "one twoone two|"),
        ("one two", "ctrl-u ctrl-x ctrl-u", "one two|"),
        ("one two", "ctrl-u ctrl-_ alt-_", "|"),
        ("one two", "ctrl-u ctrl-7", "one two|"),
        ("one", "ctrl-b ctrl-h", "o|e"),
        ("one", "ctrl-x x", "one|"),
        ("ab", "ctrl-a ctrl-d", "|b"),
        ("!ls", "home backspace", "|ls"),
        ("!ls", "ctrl-u backspace", "|"),
        ("!", "esc", "|"),
    ] {
        let mut desk = Desk::new();
        desk.write(typed);
        desk.press(names);
        assert_eq!(desk.text(), want, "{typed:?} {names}");
    }
}

#[test]
fn quick_keys() {
    // All keys 1 ms apart, then a pause.
    for (keys, log, left) in [
        ("/status\n", "command status", "|"),
        ("!ls\n", "remember !ls; shell ls", "|"),
        ("fix it\n", "remember fix it; submit fix it", "|"),
        ("one\ntwo", "", "one\ntwo|"),
        ("one\ntwo\n", "", "one\ntwo\n|"),
        ("one\n\ttwo\n/new\n", "", "one\n\ttwo\n/new\n|"),
        ("see @src\nnow", "find \"\"; find \"s\"; find \"sr\"; find \"src\"", "see @src\nnow|"),
    ] {
        let mut desk = Desk::new();
        desk.write_at(1, keys);
        desk.wait(500);
        assert_eq!((desk.log().as_str(), desk.text().as_str()), (log, left), "{keys:?}");
    }
}

#[test]
fn each_quick_key_is_painted_at_once() {
    let mut desk = Desk::new();
    for (typed, want) in [("a", "a|"), ("b", "ab|"), ("c", "abc|"), ("d", "abcd|")] {
        desk.write_at(0, typed);
        assert_eq!(desk.text(), want);
    }
    // A held enter shows nothing until it is known; the key after it comes after it.
    desk.write_at(0, "\n");
    assert_eq!(desk.text(), "abcd|");
    desk.write_at(0, "e");
    assert_eq!(desk.text(), "abcd\ne|");
}

#[test]
fn a_held_enter_is_a_key_when_another_key_follows() {
    let mut desk = Desk::new();
    desk.write_at(1, "abc\n");
    desk.key_after(1, Key::plain(Code::Left));
    assert_eq!(desk.log(), "remember abc; submit abc");
}

#[test]
fn a_long_burst_becomes_one_token_and_loses_nothing() {
    let mut desk = Desk::new();
    desk.write("see ");
    desk.wait(100);
    let text = "let x = \"ü\";\n\tdone();\n".repeat(100);
    desk.write_at(0, &text);
    desk.wait(200);
    assert_eq!(desk.text(), format!("see [Pasted Content {} chars]|", text.chars().count()));
    desk.write(" ok\n");
    assert!(desk.log().ends_with(&format!("submit see {text} ok")));
}

#[test]
fn a_terminal_that_brackets_is_never_suspected() {
    let mut desk = Desk::new();
    desk.paste("pasted ");
    desk.write_at(0, "abc\n");
    assert_eq!(desk.log(), "remember pasted abc; submit pasted abc");
}

#[test]
fn pastes() {
    let long = "x".repeat(2430);
    for (pastes, want) in [
        (vec!["a\r\nb\rc"], "a\nb\nc|"),
        (vec!["tab\there\u{1b}[31mred"], "tab\therered|"),
        (vec![long.as_str()], "[Pasted Content 2430 chars]|"),
        (vec![&long, &long], "[Pasted Content 2430 chars][Pasted Content 2430 chars #2]|"),
        (vec!["/status\n"], "/status\n|"),
        (vec!["!rm -rf /"], "!rm -rf /|"),
    ] {
        let mut desk = Desk::new();
        pastes.iter().for_each(|p| desk.paste(p));
        assert_eq!(desk.text(), want);
        assert!(!desk.composer.is_shell(), "a paste never becomes a shell command");
    }
    let mut desk = Desk::new();
    desk.paste("!echo");
    desk.press("enter");
    assert_eq!(desk.log(), "remember  !echo; submit !echo");
}

#[test]
fn a_pasted_token_is_one_character_and_opens() {
    let long = "word ".repeat(300);
    let mut desk = Desk::new();
    desk.paste(&long);
    desk.press("backspace");
    assert_eq!(desk.text(), "|");
    desk.press("ctrl-_");
    desk.write("!");
    // Enter right after pasting sends; on the token it opens.
    desk.press("left left");
    assert_eq!(desk.composer.hint(false).unwrap(), "enter to open the paste as text");
    desk.press("enter");
    assert_eq!(desk.text(), format!("{long}|!"));
    desk.press("ctrl-_");
    assert_eq!(desk.text(), "|[Pasted Content 1500 chars]!");
    desk.press("end enter");
    assert_eq!(desk.log(), format!("remember {long}!; submit {long}!"));
}

#[test]
fn a_paste_too_long_to_open_stays_a_token() {
    let mut desk = Desk::new();
    desk.paste(&"y".repeat(200_000));
    desk.press("left enter");
    assert!(desk.log().starts_with("notice This paste is too long"));
    assert_eq!(desk.text(), "|[Pasted Content 200000 chars]");
}

#[test]
fn images() {
    let mut desk = Desk::new();
    desk.paste("");
    assert_eq!(desk.log(), "image");
    desk.with(|c, env| c.attach("/clip.png".into(), env));
    desk.paste("'/tmp/my shot.png'");
    assert_eq!(desk.log(), "check [\"/tmp/my shot.png\"]");
    assert_eq!(desk.text(), "[Image #1] '/tmp/my shot.png'|");
    let token = desk.composer.area().text().chars().last().unwrap();
    // Typing goes on while somebody looks.
    desk.write("go");
    desk.with(|c, env| c.images_checked(token, &["/tmp/my shot.png".into()], env));
    assert_eq!(desk.text(), "[Image #1] [Image #2] go|");
    let draft = desk.composer.draft();
    let images = draft.elements.images(&draft.text);
    assert_eq!(images, [Path::new("/clip.png"), Path::new("/tmp/my shot.png")]);
    // Deleted as a unit, numbers follow.
    desk.press("home delete");
    assert_eq!(desk.text(), "| [Image #1] go");
}

#[test]
fn a_path_that_is_no_image_stays_text() {
    let mut desk = Desk::new();
    desk.paste("/nope.png");
    let token = desk.composer.area().text().chars().last().unwrap();
    desk.press("left");
    desk.with(|c, env| c.images_checked(token, &[], env));
    assert_eq!(desk.text(), "|/nope.png");
}

#[test]
fn history_walk() {
    let mut desk = Desk::new();
    desk.write("typing");
    desk.press("up");
    assert_eq!(desk.log(), "load None");
    desk.history(&["two\nlines", "!ls", "/status"]);
    assert_eq!(desk.text(), "two\nlines|");
    desk.press("up");
    assert_eq!(desk.text(), "!ls|");
    desk.press("up");
    assert_eq!(desk.text(), "/status|", "no list opens for a recalled command");
    assert!(desk.composer.popup().is_none());
    desk.press("down down");
    assert_eq!(desk.text(), "two\nlines|");
    // Within a recalled text that was moved in, rows are rows.
    desk.press("left up");
    assert_eq!(desk.text(), "two|\nlines");
    desk.press("up");
    assert_eq!(desk.text(), "!ls|");
    desk.press("down down");
    assert_eq!(desk.text(), "typing|");
}

#[test]
fn cleared_text_comes_back() {
    let mut desk = Desk::new();
    desk.history(&["older"]);
    desk.paste(&"long ".repeat(400));
    desk.write("text");
    desk.press("ctrl-c");
    assert_eq!(desk.text(), "|");
    desk.press("up");
    assert_eq!(desk.text(), "[Pasted Content 2000 chars]text|");
    desk.press("up");
    assert_eq!(desk.text(), "older|");
}

#[test]
fn history_search() {
    let mut desk = Desk::new();
    desk.history(&["cargo test", "git status", "!cargo build"]);
    desk.write("draft");
    desk.press("ctrl-r");
    assert_eq!(desk.composer.hint(false).unwrap(), "search · type to search earlier prompts");
    desk.write("cargo");
    assert_eq!(desk.text(), "cargo test|");
    desk.press("ctrl-r");
    assert_eq!(desk.text(), "!cargo build|");
    desk.press("ctrl-r");
    assert_eq!(desk.composer.hint(false).unwrap(), "search: cargo · nothing (more) found");
    desk.press("ctrl-s");
    assert_eq!(desk.text(), "cargo test|");
    desk.press("esc");
    assert_eq!(desk.text(), "draft|");
    desk.press("ctrl-r");
    desk.write("gitx");
    desk.press("backspace enter");
    assert_eq!((desk.text().as_str(), desk.log().contains("submit")), ("git status|", false));
    desk.press("enter");
    assert_eq!(desk.log(), "remember git status; submit git status");
    // A key that edits takes the match and edits it.
    desk.press("ctrl-r");
    desk.write("test");
    desk.press("ctrl-w");
    assert_eq!(desk.text(), "cargo |");
}

#[test]
fn files() {
    let mut desk = Desk::new();
    desk.write("see @ma");
    assert_eq!(desk.log(), "find \"\"; find \"m\"; find \"ma\"");
    desk.files("m", &["late answer"], true);
    desk.files("ma", &["src/main.rs", "my docs/"], false);
    desk.press("down");
    desk.files("ma", &["Makefile", "src/main.rs", "my docs/"], true);
    desk.press("tab");
    assert_eq!(desk.text(), "see \"my docs/\" |");
    desk.write("@x");
    desk.files("x", &["src/x.rs"], true);
    desk.press("enter");
    assert_eq!(desk.text(), "see \"my docs/\" src/x.rs |");
    // esc closes and it stays closed while the word goes on; a new @ opens again.
    desk.write("@y");
    desk.press("esc");
    desk.log();
    desk.write("z");
    assert_eq!((desk.log().as_str(), desk.composer.popup().is_none()), ("", true));
    desk.write(" @");
    assert_eq!(desk.log(), "find \"\"");
    // With nothing found, enter sends.
    desk.files("", &[], true);
    desk.press("enter");
    assert!(desk.log().contains("submit"));
}

#[test]
fn the_command_list_is_walked_and_closed() {
    let mut desk = Desk::new();
    desk.write("/");
    desk.press("down down up enter");
    assert_eq!(desk.log(), "command permissions");
    desk.write("/st");
    desk.press("esc");
    assert_eq!(desk.text(), "/st|");
    desk.press("ctrl-c");
    assert_eq!(desk.text(), "|");
    desk.write("/st");
    desk.press("ctrl-c");
    assert_eq!(desk.text(), "/st|", "ctrl-c closes the list first");
}

#[test]
fn the_draft_is_saved_soon_after_each_change_and_not_otherwise() {
    let mut desk = Desk::new();
    assert_eq!(desk.composer.wake_at_ms(), None);
    let saved = |desk: &mut Desk, ms: u64| {
        desk.now_ms += ms;
        let effects = desk.with(|c, env| c.tick(env));
        let drafts = effects.into_iter().filter_map(|e| match e {
            Effect::SaveDraft(d) => Some(d.to_history()),
            _ => None,
        });
        drafts.collect::<Vec<_>>()
    };
    desk.key_after(0, key_of('!'));
    desk.key_after(20, key_of('l'));
    desk.key_after(20, key_of('s'));
    assert_eq!(saved(&mut desk, 20), [""; 0]);
    assert_eq!(saved(&mut desk, 60), ["!ls"], "not put off by typing on");
    assert_eq!(desk.composer.wake_at_ms(), None);
    desk.key_after(0, Key::plain(Code::Left));
    assert_eq!(desk.composer.wake_at_ms(), None, "moving changes nothing");
    desk.key_after(0, Key::plain(Code::Enter));
    assert_eq!(saved(&mut desk, 200), [""]);
}

#[test]
fn an_editor_gets_everything_and_images_survive_it() {
    let mut desk = Desk::new();
    desk.with(|c, env| c.attach("/a.png".into(), env));
    desk.with(|c, env| c.attach("/b.png".into(), env));
    desk.paste(&"p".repeat(1500));
    assert_eq!(desk.composer.editor_text(), format!("[Image #1] [Image #2] {}", "p".repeat(1500)));
    desk.with(|c, env| c.editor_done("about [Image #2]: why?\n\n", env));
    assert_eq!(desk.text(), "about [Image #1]: why?|");
    assert_eq!(desk.composer.draft().to_input().len(), 2);
    desk.press("ctrl-_");
    assert!(desk.text().starts_with("[Image #1] [Image #2]"), "{}", desk.text());
}

#[test]
fn drafts_put_back_are_whole_and_undo_brings_the_old_text() {
    let mut desk = Desk::new();
    desk.paste(&"p".repeat(1500));
    let waiting = desk.composer.take();
    desk.write("typing");
    let typing = desk.composer.take();
    let all = Draft::join(&[waiting, typing]);
    desk.with(|c, env| c.set(&all, env));
    assert_eq!(desk.text(), "[Pasted Content 1500 chars]\ntyping|");
}

#[test]
fn remaps_hold() {
    let mut desk = Desk::new();
    let remap = |action: &str, key: &str| crate::tui::keymap::Remap {
        context: "composer".into(),
        action: action.into(),
        keys: vec![key.into()],
        place: String::new(),
    };
    desk.keymap = Keymap::new(&[remap("submit", "ctrl-l"), remap("newline", "enter")]).0;
    desk.write("a\nb");
    desk.press("ctrl-l");
    assert_eq!(desk.log(), "remember a\nb; submit a\nb");
}
