//! The picker of threads: choosing, searching, filters, and how it looks.

use super::*;
use crate::tui::testing::{assert_screen, draw};

const NOW: u64 = 1_000_000_000_000;

fn rows() -> Vec<ThreadRow> {
    let row = |minutes: u64, title: &str, branch: Option<&str>| ThreadRow {
        id: ThreadId::new(),
        title: title.to_owned(),
        cwd: None,
        branch: branch.map(str::to_owned),
        at_ms: NOW - minutes * 60_000,
    };
    vec![
        row(0, "fix the login page", Some("main")),
        row(75, "why is the build slow?\nIt takes minutes.", Some("feature/a-very-long-branch-name")),
        row(3 * 1440, "", None),
        row(
            60 * 1440,
            "日本語の説明を書いてください。長い長い長い長い長い長い長い長い題名です。",
            Some("main"),
        ),
    ]
}

fn picker() -> Picker {
    let mut picker = Picker::new(ThreadFilter::default(), None);
    picker.add(ThreadFilter::default(), rows(), NOW);
    picker.done(ThreadFilter::default());
    picker
}

fn press(picker: &mut Picker, keys: &[Key]) -> Outcome {
    keys.iter().map(|key| picker.on_key(*key, &Keymap::default())).last().unwrap()
}

#[test]
fn choosing_and_searching() {
    let key = |code| Key::plain(code);
    let mut all = picker();
    let third = all.all[2].id;
    let outcome = press(&mut all, &[key(Code::Down), key(Code::Down), key(Code::Enter)]);
    assert_eq!(outcome, Outcome::Wish(Wish::Resume(third)));
    let mut found = picker();
    let second = found.all[1].id;
    let outcome = press(&mut found, &["b", "u", "i"].map(|c| key(Code::Char(c.chars().next().unwrap()))));
    assert_eq!((outcome, found.list.len()), (Outcome::Stay, 1));
    assert_eq!(press(&mut found, &[key(Code::Enter)]), Outcome::Wish(Wish::Resume(second)));
    assert_eq!(press(&mut found, &[key(Code::Backspace), Key::ctrl('u')]), Outcome::Stay);
    assert_eq!(found.list.len(), 4);
}

#[test]
fn another_filter_begins_anew_and_late_rows_are_dropped() {
    let mut picker = picker();
    let everywhere = ThreadFilter { everywhere: true, ..ThreadFilter::default() };
    assert_eq!(press(&mut picker, &[Key::plain(Code::Right)]), Outcome::Keep(Wish::Threads(everywhere)));
    picker.add(ThreadFilter::default(), rows(), NOW);
    assert_eq!(picker.list.len(), 0);
    picker.add(everywhere, rows(), NOW);
    picker.add(everywhere, rows(), NOW);
    assert_eq!(picker.list.len(), 8);
}

#[test]
fn ages_are_short() {
    let ages = [0, 5, 90, 3000, 60_000, 600_000].map(|minutes| age(minutes * 60_000));
    assert_eq!(ages, ["now", "5m", "1h", "2d", "5w", "1y"]);
}

#[test]
fn views() {
    let theme = Theme::default();
    for (width, height) in [(60, 12), (80, 12), (120, 12)] {
        let screen = draw(width, height, |area, buf| {
            picker().view(area, buf, &theme);
        });
        assert_screen!(format!("threads_{width}"), screen);
    }
    let everywhere = ThreadFilter { everywhere: true, ..ThreadFilter::default() };
    let mut all = Picker::new(everywhere, Some("/home/u".into()));
    let mut rows = rows();
    for (row, cwd) in
        rows.iter_mut().zip(["/home/u/work/shop", "/home/u", "/srv/a/very/long/way/down/to/the/project"])
    {
        row.cwd = Some(cwd.into());
    }
    all.add(everywhere, rows, NOW);
    assert_screen!(
        "all_folders",
        draw(80, 12, |area, buf| {
            all.view(area, buf, &theme);
        })
    );
    let empty = Picker::new(ThreadFilter::default(), None);
    assert_screen!(
        "looking",
        draw(60, 8, |area, buf| {
            empty.view(area, buf, &theme);
        })
    );
    let mut none = Picker::new(ThreadFilter::default(), None);
    none.done(ThreadFilter::default());
    assert_screen!(
        "none",
        draw(60, 8, |area, buf| {
            none.view(area, buf, &theme);
        })
    );
}
