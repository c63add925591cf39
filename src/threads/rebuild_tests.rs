//! Every file in `tests/fixtures/rollouts` is a case, whole and broken in every way we could think of.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::protocol::item::Item;
use crate::threads::index;

const ALL: PageSize = PageSize { turns: usize::MAX, bytes: usize::MAX };

fn fixtures() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rollouts");
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Puts `text` where the thread it tells of belongs.
fn install(home: &Path, text: &[u8], stamp: &str) -> PathBuf {
    let first = text.split(|b| *b == b'\n').next().unwrap();
    let Ok(Line { record: Record::Meta(raw), .. }) = line::parse(first) else { panic!("no meta") };
    let id = Meta::parse(raw).unwrap().id;
    let dir = home.join("sessions/2026/11/20");
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join(format!("rollout-2026-11-20T{stamp}-{id}.jsonl"));
    fs::write(&path, text).unwrap();
    path
}

/// A home that holds all fixtures.
fn home() -> (tempfile::TempDir, Vec<(String, PathBuf)>) {
    let home = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (place, fixture) in fixtures().into_iter().enumerate() {
        let text = fs::read(&fixture).unwrap();
        let path = install(home.path(), &text, &format!("11-37-{place:02}"));
        files.push((fixture.file_stem().unwrap().to_str().unwrap().to_owned(), path));
    }
    (home, files)
}

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
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/threads/rebuild"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, render(&loaded, &page)) });
    }
}

fn prompts(turns: &[Turn]) -> Vec<String> {
    let items = turns.iter().flat_map(|turn| &turn.items);
    let prompt = |item: &Item| match item {
        Item::UserMessage { content, .. } => Some(format!("{content:?}")),
        _ => None,
    };
    items.filter_map(prompt).collect()
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

#[test]
fn pages_together_are_the_whole() {
    let (home, files) = home();
    for (name, path) in files {
        let whole = tail(home.path(), &path, ALL).unwrap().turns;
        for turns in 1..4 {
            let size = PageSize { turns, bytes: usize::MAX };
            let mut page = tail(home.path(), &path, size).unwrap();
            let mut all = page.turns.clone();
            while let Some(cursor) = page.earlier.take() {
                assert_eq!(page.turns.len(), turns, "{name}: only the first page may be short");
                page = earlier(cursor, size).unwrap();
                all.splice(0..0, page.turns.clone());
            }
            // A command that outlived its turn is told after later turns; a page cannot know.
            let strip =
                |turns: &[Turn]| turns.iter().map(|turn| (turn.id, turn.items.len())).collect::<Vec<_>>();
            assert_eq!(strip(&all), strip(&whole), "{name} by {turns}");
        }
    }
}

#[test]
fn a_page_that_is_too_big_ends_inside_a_turn_and_goes_on_there() {
    let (home, files) = home();
    let (_, path) =
        &files[files.iter().position(|(name, _)| name == "paginated-tools-interrupt-usershell").unwrap()];
    let size = PageSize { turns: usize::MAX, bytes: 500 };
    let mut page = tail(home.path(), path, size).unwrap();
    let mut inside = 0;
    let mut seen = prompts(&page.turns);
    let ids = |turns: &[Turn]| turns.iter().filter_map(|turn| turn.id).collect::<Vec<_>>();
    let mut turns = ids(&page.turns);
    while let Some(cursor) = page.earlier.take() {
        inside += usize::from(page.begins_inside);
        page = earlier(cursor, size).unwrap();
        seen.splice(0..0, prompts(&page.turns));
        turns.splice(0..0, ids(&page.turns));
    }
    turns.dedup();
    assert!(inside > 0);
    let whole = tail(home.path(), path, ALL).unwrap().turns;
    assert_eq!((seen, turns), (prompts(&whole), ids(&whole)));
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

#[test]
fn turns_that_were_taken_back_are_not_shown() {
    let home = tempfile::tempdir().unwrap();
    let id = |n: u32| format!("01a1f8bf-0000-7000-8000-{n:012}");
    let mut text = format!("{{\"type\":\"session_meta\",\"payload\":{{\"id\":\"{}\"}}}}\n", id(0));
    let event = |payload: &str| format!("{{\"type\":\"event_msg\",\"payload\":{{\"type\":{payload}}}}}\n");
    for turn in [1, 2, 3, 0, 4, 5] {
        if turn == 0 {
            text += &event("\"thread_rolled_back\",\"num_turns\":2");
            continue;
        }
        text += &event(&format!("\"task_started\",\"turn_id\":\"{}\"", id(turn)));
        text += &event(&format!("\"user_message\",\"message\":\"{turn}\""));
    }
    let path = install(home.path(), text.as_bytes(), "11-00-00");
    let ids = |page: &Page| page.turns.iter().map(|turn| turn.id.unwrap().to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&tail(home.path(), &path, ALL).unwrap()), [id(1), id(4), id(5)]);
    let page = tail(home.path(), &path, PageSize { turns: 2, bytes: usize::MAX }).unwrap();
    assert_eq!(ids(&page), [id(4), id(5)]);
    assert_eq!(ids(&earlier(page.earlier.unwrap(), ALL).unwrap()), [id(1)]);
}

/// Prompts are taken back, not turns: a turn may hold several prompts, and a turn that summarises holds none.
#[test]
fn what_is_taken_back_is_counted_in_prompts() {
    let home = tempfile::tempdir().unwrap();
    let id = |turn: u32| format!("01a1f8bf-0000-7000-8000-{turn:012}");
    let event = |payload: String| format!("{{\"type\":\"event_msg\",\"payload\":{{\"type\":{payload}}}}}\n");
    let begins = |turn| event(format!("\"task_started\",\"turn_id\":\"{}\"", id(turn)));
    let says =
        |who: &str, text: &str| event(format!("\"{who}_message\",\"id\":\"{text}\",\"message\":\"{text}\""));
    let ends = |turn| event(format!("\"task_complete\",\"turn_id\":\"{}\"", id(turn)));
    let back = |count: u32| event(format!("\"thread_rolled_back\",\"num_turns\":{count}"));
    let meta = "{\"type\":\"session_meta\",\"payload\":{\"id\":\"01a1f8bf-0000-7000-8000-00000000000a\",\"cwd\":\"/p\"}}\n";
    let first =
        [begins(1), says("user", "one"), says("agent", "working"), says("user", "steered"), ends(1)].concat();
    let second = [
        begins(2),
        says("user", "two"),
        ends(2),
        begins(3),
        event("\"context_compacted\",\"id\":\"c\"".into()),
        ends(3),
    ]
    .concat();
    let shown = |count: u32| {
        let text = [meta, &first, &second, &back(count)].concat();
        let path = install(home.path(), text.as_bytes(), "11-00-00");
        let page = tail(home.path(), &path, ALL).unwrap();
        let ids =
            |turn: &Turn| turn.items.iter().map(|item| item.id().to_string()).collect::<Vec<_>>().join(" ");
        page.turns.iter().map(|turn| (ids(turn), turn.status)).collect::<Vec<_>>()
    };
    let done = crate::protocol::turn::TurnStatus::Completed;
    assert_eq!(shown(1), [("one working steered".to_owned(), done)], "the summary goes with its prompt");
    assert_eq!(shown(2), [("one working".to_owned(), done)], "what led to the second prompt stays");
    assert_eq!(shown(3), []);
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

#[test]
fn a_page_knows_the_tokens_and_whether_there_is_anything() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rollout-2026-01-01T00-00-00-01a1f8bf-0000-7000-8000-000000000001.jsonl");
    let count = |total: u64| {
        let usage = format!(
            "{{\"input_tokens\":0,\"cached_input_tokens\":0,\"output_tokens\":0,\"reasoning_output_tokens\":0,\"total_tokens\":{total}}}"
        );
        format!(
            "{{\"type\":\"event_msg\",\"payload\":{{\"type\":\"token_count\",\"info\":{{\"total_token_usage\":{usage},\"last_token_usage\":{usage}}}}}}}\n"
        )
    };
    std::fs::write(&path, format!("{}{}", count(1), count(2))).unwrap();
    let page = tail(home.path(), &path, ALL).unwrap();
    assert_eq!(page.usage.unwrap().total.total_tokens, 2);
    assert!(page.is_lost());
}
