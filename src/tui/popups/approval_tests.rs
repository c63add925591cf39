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
        let outcome = command("ls").on_key(key, 1300, &Keymap::default());
        assert_eq!(outcome, Outcome::Wish(Wish::Answer(AskId(7), answer)), "{key:?}");
    }
}

#[test]
fn what_is_not_offered_is_no_answer() {
    let map = Keymap::default();
    for key in ['t', 'p'] {
        assert_eq!(patch(1).on_key(c(key), 1300, &map), Outcome::Stay, "{key}");
    }
    let mut here = command("./run");
    assert_eq!(here.on_key(c('p'), 1300, &map), Outcome::Stay);
    let wish = Outcome::Wish(Wish::Answer(AskId(7), Answer::AcceptForProject));
    assert_eq!(here.on_key(c('t'), 1300, &map), wish);
}

#[test]
fn what_was_typed_ahead_belongs_to_the_prompt() {
    let map = Keymap::default();
    let mut approval = command("ls");
    // Somebody types "yes" and goes on: each key begins the pause anew.
    for (key, at) in [(c('y'), 1000), (c('e'), 1250), (c('s'), 1500), (Key::plain(Code::Enter), 1700)] {
        assert_eq!(approval.on_key(key, at, &map), Outcome::Keep(Wish::TypedAhead(key)));
    }
    assert_eq!(approval.on_key(c('y'), 2000, &map), Outcome::Wish(Wish::Answer(AskId(7), Answer::Accept)));
    // Whoever holds a key down is not locked out.
    let mut approval = command("ls");
    for at in (1000..2500).step_by(100) {
        assert!(matches!(approval.on_key(c('y'), at, &map), Outcome::Keep(_)), "{at}");
    }
    assert!(matches!(approval.on_key(c('y'), 2500, &map), Outcome::Wish(_)));
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
