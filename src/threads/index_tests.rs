//! Homes with good, foreign and broken files.

use std::fs;
use std::time::{Duration, SystemTime};

use super::*;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Adds a thread started on `day` of November; `age` is how long ago it was last changed, in hours.
    fn add(&self, dir: &str, day: u32, id: &str, meta: &str, prompt: &str, age: u64) -> PathBuf {
        let dir = self.0.path().join(dir);
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join(format!("rollout-2026-11-{day:02}T10-00-00-{id}.jsonl"));
        let meta = format!(
            r#"{{"type":"session_meta","payload":{{"id":"{id}","timestamp":"2026-11-{day:02}T09:00:00.000Z"{meta}}}}}"#
        );
        let harness = r#"{"type":"response_item","payload":{"type":"message","role":"user","content":[{"text":"<environment_context>"}]}}"#;
        let prompt =
            format!(r#"{{"type":"event_msg","payload":{{"type":"user_message","message":"{prompt}"}}}}"#);
        fs::write(&path, format!("{meta}\n{harness}\n{prompt}\n")).unwrap();
        let changed = SystemTime::now() - Duration::from_secs(age * 3600);
        fs::File::options().append(true).open(&path).unwrap().set_modified(changed).unwrap();
        path
    }
}

fn id(n: u32) -> String {
    format!("01a1f8bf-0000-7000-8000-{n:012}")
}

fn previews(list: List) -> Vec<String> {
    list.map(|summary| summary.preview.unwrap_or_default()).collect()
}

fn filled() -> Home {
    let home = Home::new();
    let meta = |cwd: &str, source: &str| format!(r#","cwd":"{cwd}","source":{source}"#);
    home.add("sessions/2026/11/18", 18, &id(1), &meta("/a", "\"cli\""), "first", 1);
    home.add("sessions/2026/11/19", 19, &id(2), &meta("/b", "\"exec\""), "second", 2);
    home.add("sessions/2026/11/20", 20, &id(3), &meta("/a", "\"exec\""), "third\\n  line", 3);
    home.add("sessions/2026/11/20", 20, &id(4), &meta("/a", "{\"subagent\":\"review\"}"), "inner", 0);
    home.add("archived_sessions", 17, &id(5), &meta("/a", "\"cli\""), "put away", 0);
    let day = home.0.path().join("sessions/2026/11/20");
    fs::write(day.join(format!("rollout-2026-11-20T11-00-00-{}.jsonl", id(6))), b"\0\0\0").unwrap();
    fs::write(day.join("rollout-x.jsonl"), b"{}").unwrap();
    fs::write(day.join("notes.txt"), b"mine").unwrap();
    fs::write(home.0.path().join("sessions/README"), b"mine").unwrap();
    fs::create_dir(day.join(format!("rollout-2026-11-20T12-00-00-{}.jsonl", id(7)))).unwrap();
    home
}

#[test]
fn newest_first_by_either_meaning() {
    let home = filled();
    let home = home.0.path();
    assert_eq!(previews(list(home, Filter::default(), Order::Created)), ["third line", "second", "first"]);
    assert_eq!(previews(list(home, Filter::default(), Order::Updated)), ["first", "second", "third line"]);
    let summary = list(home, Filter::default(), Order::Created).next().unwrap();
    assert_eq!(summary.created_ms, timestamp_ms("2026-11-20T09:00:00.000Z"));
}

#[test]
fn filters() {
    let home = filled();
    let home = home.0.path();
    let with = |filter| previews(list(home, filter, Order::Created));
    assert_eq!(with(Filter { cwd: Some("/a".into()), ..Filter::default() }), ["third line", "first"]);
    assert_eq!(with(Filter { sources: vec![ThreadSource::Cli], ..Filter::default() }), ["first"]);
    assert_eq!(with(Filter { archived: true, ..Filter::default() }), ["put away"]);
    assert_eq!(with(Filter { subagents: true, ..Filter::default() }).len(), 4);
    assert_eq!(last(home, Some(Path::new("/a"))).unwrap().preview.as_deref(), Some("first"));
    assert_eq!(last(home, Some(Path::new("/b"))).unwrap().preview.as_deref(), Some("second"));
    assert!(last(home, Some(Path::new("/none"))).is_none());
    assert_eq!(last(home, None).unwrap().preview.as_deref(), Some("first"));
}

#[test]
fn by_id_and_by_name() {
    let home = filled();
    let home = home.0.path();
    let second: ThreadId = id(2).parse().unwrap();
    assert_eq!(resolve(home, &id(2)).unwrap().id, second);
    assert!(resolve(home, &id(5)).unwrap().archived);
    assert!(matches!(resolve(home, "my work"), Err(Error::NotFound { .. })));
    assert!(matches!(resolve(home, &id(99)), Err(Error::NotFound { .. })));
    names::set(home, id(99).parse().unwrap(), "my work", 0).unwrap();
    names::set(home, second, "my work", 0).unwrap();
    assert_eq!(resolve(home, "my work").unwrap().id, second, "the other one is gone");
    let named = list(home, Filter::default(), Order::Created).nth(1).unwrap();
    assert_eq!(named.name.as_deref(), Some("my work"));
}

#[test]
fn the_newest_file_stands_for_a_thread() {
    let home = filled();
    let newer = format!("{}_{}", id(1), id(8));
    let path = home.add("sessions/2026/11/20", 20, &newer, "", "x", 0);
    let text = fs::read_to_string(&path).unwrap().replace(&newer, &id(1));
    fs::write(&path, text).unwrap();
    let home = home.0.path();
    assert_eq!(find(home, id(1).parse().unwrap()).unwrap().path, path);
    let ids: Vec<ThreadId> = list(home, Filter::default(), Order::Created).map(|s| s.found.id).collect();
    assert_eq!(ids.iter().filter(|found| found.to_string() == id(1)).count(), 1);
    assert_eq!(files_of(home, id(1).parse().unwrap()).len(), 2);
}

#[test]
fn no_home_at_all() {
    let missing = Path::new("/nonexistent/home");
    assert_eq!(list(missing, Filter::default(), Order::Updated).count(), 0);
    assert!(last(missing, None).is_none());
}
