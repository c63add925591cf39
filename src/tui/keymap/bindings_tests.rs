//! Defaults, remaps and their refusals.

use super::*;

fn remap(context: &str, action: &str, keys: &[&str]) -> Remap {
    Remap {
        context: context.into(),
        action: action.into(),
        keys: keys.iter().map(|k| (*k).into()).collect(),
        place: String::new(),
    }
}

fn key(text: &str) -> Key {
    Chord::parse(text).unwrap().key
}

#[test]
fn every_default_reads_and_none_is_there_twice() {
    for row in ROWS {
        for text in row.keys {
            let chord = Chord::parse(text).unwrap_or_else(|e| panic!("{}: {e}", row.name));
            let others = ROWS.iter().filter(|o| row.context.shares_keys_with(o.context));
            let same = others.flat_map(|o| o.keys).filter(|k| Chord::parse(k).unwrap() == chord).count();
            assert_eq!(same, 1, "{text} in {}", row.context.name());
        }
    }
    let names: std::collections::HashSet<_> = ROWS.iter().map(|r| (r.context, r.name)).collect();
    assert_eq!(names.len(), ROWS.len());
}

#[test]
fn defaults() {
    let map = Keymap::default();
    for (context, text, want) in [
        (Context::Composer, "enter", Action::Submit),
        (Context::Composer, "tab", Action::Queue),
        (Context::Composer, "alt-enter", Action::Newline),
        (Context::Editor, "ctrl-p", Action::MoveUp),
        (Context::Editor, "ctrl-7", Action::Undo),
        (Context::Editor, "alt-_", Action::Redo),
        (Context::Chat, "alt-.", Action::MoreReasoning),
        (Context::Chat, "shift-left", Action::EditQueued),
        (Context::Global, "ctrl-t", Action::Details),
        (Context::List, "k", Action::ListUp),
        (Context::Pager, "space", Action::PagerPageDown),
        (Context::Approval, "d", Action::Refuse),
    ] {
        assert_eq!(map.action(context, key(text)), Some(want), "{text}");
    }
    assert_eq!(map.find(Context::Editor, None, key("ctrl-x")), Found::Leader);
    assert_eq!(map.find(Context::Editor, Some(key("ctrl-x")), key("ctrl-u")), Found::Action(Action::Undo));
    assert_eq!(map.find(Context::Editor, Some(key("ctrl-x")), key("a")), Found::Nothing);
}

#[test]
fn problems_name_their_place() {
    let at = |line: usize, remap: Remap| Remap { place: format!("/c.toml:{line}:9"), ..remap };
    let (_, problems) = Keymap::new(&[
        at(3, remap("chat", "interrupt", &["no-such-key"])),
        at(4, remap("editor", "undo", &["ctrl-a"])),
        at(5, remap("nowhere", "undo", &["ctrl-a"])),
    ]);
    let starts = problems.iter().map(|told| told.split_once(": ").unwrap().0).collect::<Vec<_>>();
    assert_eq!(starts, ["/c.toml:3:9", "/c.toml:5:9", "/c.toml:4:9"], "{problems:?}");
}

#[test]
fn remaps_replace_unbind_and_swap() {
    let (map, problems) = Keymap::new(&[
        remap("editor", "undo", &["ctrl-z"]),
        remap("composer", "search_history", &[]),
        remap("global", "find", &["f4"]),
        remap("global", "activity", &["f3"]),
    ]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(map.action(Context::Editor, key("ctrl-z")), Some(Action::Undo));
    assert_eq!(map.action(Context::Editor, key("ctrl-_")), None);
    assert_eq!(map.action(Context::Composer, key("ctrl-r")), None);
    assert_eq!(map.action(Context::Global, key("f4")), Some(Action::Find));
    assert_eq!(map.action(Context::Global, key("f3")), Some(Action::Activity));
    assert_eq!(map.shown(Action::SearchHistory), "");
}

#[test]
fn wrong_remaps_are_told_and_leave_the_default() {
    for (given, want) in [
        (remap("vi", "undo", &["u"]), "keymap.vi.undo: no such context; there are composer, editor"),
        (remap("editor", "explode", &["f9"]), "keymap.editor.explode: `editor` has no such action"),
        (
            remap("editor", "un_do", &["f9"]),
            "keymap.editor.un_do: `editor` has no such action; did you mean `undo`?",
        ),
        (remap("editor", "undo", &["ctrl-nope"]), "keymap.editor.undo: `nope` in `ctrl-nope`"),
        (remap("editor", "undo", &["f9", "F9"]), "keymap.editor.undo: `f9` is given twice"),
        (remap("editor", "undo", &["u"]), "keymap.editor.undo: `u` is a character to type"),
        (
            remap("editor", "undo", &["ctrl-a"]),
            "keymap.editor.undo: `ctrl-a` is the key of keymap.editor.line_start already",
        ),
        (
            remap("editor", "undo", &["ctrl-r"]),
            "keymap.editor.undo: `ctrl-r` is the key of keymap.composer.search_history already",
        ),
        (
            remap("composer", "queue", &["ctrl-x"]),
            "keymap.composer.queue: `ctrl-x` is the key of keymap.editor",
        ),
    ] {
        let (map, problems) = Keymap::new(&[given]);
        assert_eq!(problems.len(), 1);
        assert!(problems.first().unwrap().starts_with(want), "{problems:?}");
        assert_eq!(map.action(Context::Editor, key("ctrl-_")), Some(Action::Undo));
        assert_eq!(map.action(Context::Editor, key("ctrl-a")), Some(Action::LineStart));
    }
}

#[test]
fn help_comes_from_the_bindings() {
    let (map, _) = Keymap::new(&[remap("editor", "undo", &["f9"]), remap("editor", "redo", &[])]);
    let help = map.help();
    let undo = help.iter().find(|r| r.help == "undo").unwrap();
    assert_eq!((undo.section, undo.keys.as_str()), ("Editing", "f9"));
    assert!(!help.iter().any(|r| r.help == "redo"));
}
