//! Pages of the fixtures, and of threads whose turns were taken back.

use super::*;
use crate::threads::samples::{ALL, home, install, prompts};

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
