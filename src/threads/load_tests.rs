//! Every file in `tests/fixtures/rollouts` is a case, whole and broken in every way we could think of.

use std::fmt::Write as _;
use std::fs;

use super::*;
use crate::protocol::model_item::ModelItemKind;
use crate::threads::index;
use crate::threads::page::{Page, tail};
use crate::threads::samples::{ALL, fixtures, home, install, prompts};

fn short(text: &str) -> String {
    let line: String = text.chars().take(150).collect();
    line.replace('\n', "\\n")
}

fn render(loaded: &Loaded, page: &Page) -> String {
    let mut out = String::new();
    let meta = &loaded.meta;
    writeln!(out, "thread {} in {:?} by {:?}, base {:?}", meta.id, meta.cwd, meta.source, meta.base).unwrap();
    let settings = Settings { turn_id: None, ..loaded.settings.clone() };
    writeln!(out, "{settings:?}").unwrap();
    writeln!(out, "{:?}", loaded.usage).unwrap();
    writeln!(out, "window {} unfinished {:?}", loaded.window_number, loaded.unfinished).unwrap();
    writeln!(out, "problems {:?}", loaded.problems.list).unwrap();
    writeln!(out, "\n== what the model sees").unwrap();
    for item in &loaded.history {
        writeln!(out, "{:?}: {}", item.kind, short(item.json.get())).unwrap();
    }
    writeln!(out, "\n== what the user saw").unwrap();
    for turn in &page.turns {
        writeln!(out, "turn {:?} error {:?} {:?} ms", turn.status, turn.error, turn.duration_ms).unwrap();
        for item in &turn.items {
            writeln!(out, "  {item:?}").unwrap();
        }
    }
    out
}

#[test]
fn every_fixture_as_the_model_and_the_user_see_it() {
    let (home, files) = home();
    for (name, path) in files {
        let loaded = load(home.path(), &path).unwrap();
        let page = tail(home.path(), &path, ALL).unwrap();
        assert!(page.earlier.is_none() && !page.begins_inside, "{name}");
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/threads/load"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, render(&loaded, &page)) });
    }
}

#[test]
fn harness_messages_are_never_prompts() {
    let (home, files) = home();
    for (name, path) in files {
        let page = tail(home.path(), &path, ALL).unwrap();
        for prompt in prompts(&page.turns) {
            assert!(!prompt.contains('<') && !prompt.contains("AGENTS"), "{name}: {prompt}");
        }
        let loaded = load(home.path(), &path).unwrap();
        for item in loaded.history.iter().filter(|item| item.kind == ModelItemKind::User) {
            assert!(!item.json.get().contains("<turn_aborted>"), "{name}");
            assert!(!item.json.get().contains("<user_shell_command>"), "{name}");
            assert!(!item.json.get().contains("<elided"), "{name}: a summary is no prompt");
        }
        let whole = loaded.problems.count == 0; // the base of one sample is not among the samples
        assert!(!whole || loaded.history.iter().any(|item| item.kind == ModelItemKind::Harness), "{name}");
        assert!(
            !loaded.history.iter().any(|item| item.json.get().contains("metadata_passthrough")),
            "{name}"
        );
    }
}

/// Files cut anywhere still give everything that stood on a whole line.
#[test]
fn cut_at_every_byte() {
    let text = concat!(
        r#"{"type":"session_meta","payload":{"id":"01a1f8bf-0000-7000-8000-00000000000a"}}"#, "\n",
        r#"{"type":"event_msg","payload":{"type":"task_started","turn_id":"01a1f8bf-0000-7000-8000-00000000000b"}}"#, "\n",
        r#"{"type":"response_item","payload":{"type":"message","role":"developer","content":[{"text":"ä"}]}}"#, "\n",
        r#"{"type":"response_item","payload":{"type":"message","role":"user","content":[{"text":"hi \" }\\"}]}}"#, "\n",
        r#"{"type":"event_msg","payload":{"type":"user_message","message":"hi"}}"#, "\n",
        r#"{"type":"response_item","payload":{"type":"message","role":"assistant","content":[{}]}}"#, "\n",
        r#"{"type":"event_msg","payload":{"type":"agent_message","message":"{\"timestamp\":"}}"#, "\n",
        r#"{"type":"event_msg","payload":{"type":"task_complete","turn_id":"01a1f8bf-0000-7000-8000-00000000000b"}}"#, "\n",
    )
    .as_bytes()
    .to_vec();
    let home = tempfile::tempdir().unwrap();
    let path = install(home.path(), &text, "11-00-00");
    let lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    let ends: Vec<usize> = lines
        .iter()
        .scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        })
        .collect();
    for cut in 0..text.len() {
        fs::write(&path, &text[..cut]).unwrap();
        let loaded = load(home.path(), &path).unwrap();
        let page = tail(home.path(), &path, ALL).unwrap();
        // A line is whole also when only its line break is missing.
        let whole = &lines[..ends.iter().filter(|end| **end <= cut + 1).count()];
        let count =
            |words: &[u8]| whole.iter().filter(|line| memchr::memmem::find(line, words).is_some()).count();
        assert_eq!(loaded.history.len(), count(b"\"response_item\""), "cut at {cut}");
        assert_eq!(prompts(&page.turns).len(), count(b"\"user_message\""), "cut at {cut}");
        assert_eq!(
            loaded.unfinished.is_some(),
            count(b"task_started") > count(b"task_complete"),
            "cut at {cut}"
        );
        let torn = !ends.iter().any(|end| *end == cut || *end == cut + 1) && cut > 0;
        assert_eq!(loaded.problems.count, u64::from(torn), "cut at {cut}");
    }
}

/// Each line of each file is broken in turn; the others must stay.
#[test]
fn one_bad_line_costs_one_line() {
    for fixture in fixtures().into_iter().filter(|path| path.to_str().unwrap().contains("plain")) {
        let text = fs::read_to_string(&fixture).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for bad in ["", "\0\0\0\0", "{\"timestamp\":", "[1,2", "{\"type\":5,\"payload\":{}}", "\u{fffd}"] {
            for at in 1..lines.len() {
                let home = tempfile::tempdir().unwrap();
                let mut broken = lines.clone();
                broken[at] = bad;
                let path = install(home.path(), format!("{}\n", broken.join("\n")).as_bytes(), "11-00-00");
                let loaded = load(home.path(), &path).unwrap();
                let items = |lines: &[&str]| lines.iter().filter(|l| l.contains("\"response_item\"")).count();
                assert_eq!(loaded.history.len(), items(&broken), "{bad:?} at {at}");
                assert_eq!(loaded.problems.count, 1, "{bad:?} at {at}");
                let page = tail(home.path(), &path, ALL).unwrap();
                let told =
                    broken.iter().any(|l| l.contains("\"user_message\"") || l.contains("\"UserMessage\""));
                assert_eq!(prompts(&page.turns).len(), usize::from(told), "{bad:?} at {at}");
            }
        }
    }
}

#[test]
fn a_reverted_thread_reads_its_base_up_to_the_place() {
    let home = tempfile::tempdir().unwrap();
    let fixture =
        |name| fs::read_to_string(fixtures().into_iter().find(|p| p.ends_with(name)).unwrap()).unwrap();
    // The source of the reverted sample is not among the samples; another thread of 44 lines plays its part.
    let base = fixture("paginated-compacted.jsonl")
        .replace("01a1f8bf-0dfe-79d1-8db4-637273e077bb", "01a1f8bf-0fe8-7423-a0fd-8ef46dbc048b");
    let place: usize = base.split_inclusive('\n').take(14).map(str::len).sum();
    let end = format!("\"end_byte_offset\": {place}");
    let reverted = fixture("paginated-reverted.jsonl").replace("\"end_byte_offset\": 47962", &end);
    install(home.path(), base.as_bytes(), "11-00-00");
    let path = install(home.path(), reverted.as_bytes(), "12-00-00");
    let loaded = load(home.path(), &path).unwrap();
    assert_eq!(loaded.problems.count, 0);
    assert_eq!(loaded.window_number, 0, "the summary of the base came after the place");
    let users: Vec<&str> = loaded
        .history
        .iter()
        .filter(|item| item.kind == ModelItemKind::User)
        .map(|item| if item.json.get().contains("two again") { "two again" } else { "first" })
        .collect();
    assert_eq!(users, ["first", "two again"]);
    let page = tail(home.path(), &path, ALL).unwrap();
    assert_eq!(page.turns.len(), 2);
    assert_eq!(
        index::find(home.path(), loaded.meta.id).unwrap().path,
        path,
        "the newer file stands for the thread"
    );
}

#[test]
fn bases_that_miss_or_run_in_a_circle_end() {
    let home = tempfile::tempdir().unwrap();
    let (a, b) = ("01a1f8bf-0000-7000-8000-00000000000a", "01a1f8bf-0000-7000-8000-00000000000b");
    let file = |own: &str, base: &str| {
        format!(
            "{{\"type\":\"session_meta\",\"ordinal\":1,\"payload\":{{\"id\":\"{own}\",\"history_base\":{{\"thread_id\":\"{base}\",\"end_ordinal_exclusive\":5}}}}}}\n\
             {{\"type\":\"response_item\",\"ordinal\":2,\"payload\":{{\"type\":\"message\",\"role\":\"user\",\"content\":\"{own}\"}}}}\n"
        )
    };
    let first = install(home.path(), file(a, b).as_bytes(), "11-00-00");
    let loaded = load(home.path(), &first).unwrap();
    assert_eq!((loaded.history.len(), loaded.problems.count), (1, 1), "the base is missing");
    install(home.path(), file(b, a).as_bytes(), "11-00-01");
    let loaded = load(home.path(), &first).unwrap();
    assert_eq!((loaded.history.len(), loaded.problems.count), (2, 1), "a continues b, which continues a");
}

#[test]
fn nothing_at_all_and_no_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rollout-2026-11-20T11-00-00-01a1f8bf-0000-7000-8000-00000000000a.jsonl");
    assert!(matches!(load(home.path(), &path), Err(Error::Io { .. })));
    fs::write(&path, b"").unwrap();
    let loaded = load(home.path(), &path).unwrap();
    assert_eq!(loaded.meta.id.to_string(), "01a1f8bf-0000-7000-8000-00000000000a");
    assert!(loaded.history.is_empty());
    assert!(tail(home.path(), &path, ALL).unwrap().turns.is_empty());
}

/// Bytes are overwritten at random places, by a generator without luck: nothing may fail or panic.
#[test]
fn scribbled_files_are_read_as_far_as_they_go() {
    let home = tempfile::tempdir().unwrap();
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let path = home.path().join("rollout-2026-11-20T11-00-00-01a1f8bf-0000-7000-8000-00000000000a.jsonl");
    for fixture in fixtures().into_iter().filter(|path| path.to_str().unwrap().contains("legacy-tools")) {
        let text = fs::read(fixture).unwrap();
        for _ in 0..40 {
            let mut broken = text.clone();
            for _ in 0..=random(200) {
                let at = random(broken.len());
                broken[at] = *b"\0\n\"{}[]:,\\x9\xff".get(random(13)).unwrap();
            }
            fs::write(&path, &broken).unwrap();
            let loaded = load(home.path(), &path).unwrap();
            let page = tail(home.path(), &path, ALL).unwrap();
            for item in &loaded.history {
                serde_json::from_str::<serde_json::Value>(item.json.get()).unwrap();
            }
            let calls = loaded.history.iter().filter(|item| matches!(item.kind, ModelItemKind::Call { .. }));
            let outputs =
                loaded.history.iter().filter(|item| matches!(item.kind, ModelItemKind::Output { .. }));
            assert_eq!(calls.count(), outputs.count());
            assert!(
                page.turns.iter().all(|turn| turn.status != crate::protocol::turn::TurnStatus::InProgress)
            );
        }
    }
}
