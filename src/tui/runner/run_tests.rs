//! Effects carried out against a door that answers by script.

use super::*;
use crate::base::ids::ThreadId;
use crate::limits::redeemer::Wish;
use crate::limits::redemption::{Outcome, Step};
use crate::protocol::error::ErrorKind;
use crate::tui::door::{LimitsCall, Redeeming, Setting, ThreadRow};
use crate::tui::scene;
use crate::tui::status::facts::samples;
use crate::tui::usage::{News, samples as usage};

/// Answers calls by script until the door is dropped; returns what was called.
async fn keep(mut calls: mpsc::Receiver<Call>) -> Vec<&'static str> {
    let mut seen = Vec::new();
    while let Some(call) = calls.recv().await {
        let refused = || ErrorInfo::new(ErrorKind::Io, "no space left");
        seen.push(match call {
            Call::Open(_, reply) => {
                let (ops, _) = mpsc::channel(1);
                let (_, events) = mpsc::channel(1);
                let live = Live {
                    info: samples::thread(),
                    ops,
                    events,
                    past: Vec::new(),
                    earlier: true,
                    usage: None,
                    warnings: Vec::new(),
                    limits: None,
                };
                drop(reply.send(Ok(live)));
                "open"
            }
            Call::Threads(_, rows) => {
                let row = |n: u64| ThreadRow {
                    id: ThreadId::new(),
                    title: n.to_string(),
                    cwd: None,
                    branch: None,
                    at_ms: n,
                };
                drop(rows.send(vec![row(1), row(2)]).await);
                drop(rows.send(vec![row(3)]).await);
                "threads"
            }
            Call::Earlier(reply) => {
                drop(reply.send(Ok((Vec::new(), false))));
                "earlier"
            }
            Call::Diff(reply) => {
                drop(reply.send(Ok("+x".to_owned())));
                "diff"
            }
            Call::Undo(_, _, reply) => {
                drop(reply.send(Ok(crate::tui::door::Undone { text: "Turn 1".to_owned(), ask: None })));
                "undo"
            }
            Call::Rename(_, reply) | Call::Save(_, reply) => {
                drop(reply.send(Err(refused())));
                "refused"
            }
            Call::Limits(LimitsCall::Redeem(_, _, told)) => {
                let redeeming =
                    [Redeeming::Step(Step::Sending(1)), Redeeming::Ended(Box::new(Outcome::Busy))];
                for each in redeeming {
                    drop(told.send(each).await);
                }
                "redeem"
            }
            // Dropped without an answer, as by a part that failed.
            Call::Limits(_) => "dropped",
            Call::Glance(_) | Call::Locate(..) | Call::Since(..) | Call::LookOnly(_) => "dropped",
            Call::Trust(_) | Call::SignIn(..) | Call::Demo(_) | Call::Logout(_) => "dropped",
            Call::Pasted(..) | Call::Adopt(_) => "dropped too",
            Call::SignInBy(..) => "sign in",
        });
    }
    seen
}

fn runner(dir: &Path) -> (Runner, mpsc::Receiver<Done>, Task<Vec<&'static str>>) {
    let (door, calls) = Door::new();
    let setup = Setup { codex_home: dir.to_owned(), cwd: dir.to_owned(), ..scene::setup() };
    let (runner, results) = Runner::new(&setup, door);
    (runner, results, tasks::spawn("script", keep(calls)))
}

async fn answer(results: &mut mpsc::Receiver<Done>) -> Answer {
    match results.recv().await.unwrap() {
        Done::Answer(answer) => answer,
        Done::Opened(_) | Done::Bytes(_) => panic!("another result"),
    }
}

#[tokio::test]
async fn calls_go_through_the_door_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let (mut runner, mut results, script) = runner(dir.path());
    runner.run(Effect::Open(Begin::New), 0);
    assert!(matches!(results.recv().await, Some(Done::Opened(Ok(live))) if live.earlier));
    runner.run(Effect::Diff, 0);
    assert!(matches!(answer(&mut results).await, Answer::Diff(Ok(diff)) if diff == "+x"));
    runner.run(Effect::Rename("n".to_owned()), 0);
    let refused = answer(&mut results).await;
    assert!(matches!(refused, Answer::Renamed(name, Err(e)) if name == "n" && e.message == "no space left"));
    runner.run(Effect::Save(Setting::Fullscreen(true)), 0);
    assert!(matches!(answer(&mut results).await, Answer::Saved(Setting::Fullscreen(true), Err(_))));
    runner.run(Effect::Logout, 0);
    let gone = answer(&mut results).await;
    assert!(matches!(gone, Answer::LoggedOut(Err(e)) if e.kind == ErrorKind::Internal));
    drop(runner);
    assert_eq!(script.join().await.unwrap(), ["open", "diff", "refused", "refused", "dropped"]);
}

#[tokio::test]
async fn a_redemption_tells_its_steps_and_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (mut runner, mut results, _script) = runner(dir.path());
    runner.run(Effect::Limits(Ask::Redeem(usage::plan(usage::two()), Wish::default())), 0);
    assert!(matches!(answer(&mut results).await, Answer::Limits(News::Step(Step::Sending(1)))));
    assert!(
        matches!(answer(&mut results).await, Answer::Limits(News::Redeemed(Ok(end))) if matches!(*end, Outcome::Busy))
    );
    runner.run(Effect::Limits(Ask::Finish), 0);
    assert!(matches!(answer(&mut results).await, Answer::Limits(News::Finished(Err(_)))), "nobody answers");
}

#[tokio::test]
async fn a_list_comes_in_batches_with_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let (mut runner, mut results, _script) = runner(dir.path());
    runner.run(Effect::Threads(ThreadFilter::default()), 0);
    for count in [2, 1] {
        assert!(matches!(answer(&mut results).await, Answer::Threads(_, rows) if rows.len() == count));
    }
    assert!(matches!(answer(&mut results).await, Answer::ThreadsDone(_)));
}

#[tokio::test]
async fn files_are_found_and_prompts_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("needle.rs"), "").unwrap();
    let (mut runner, mut results, _script) = runner(dir.path());
    runner.run(Effect::Remember(None, "a prompt".to_owned()), 7);
    runner.run(Effect::LoadHistory(None), 7);
    let history = answer(&mut results).await;
    assert!(matches!(history, Answer::History(page) if page.entries == ["a prompt"]));
    runner.run(Effect::FindFiles(dir.path().to_owned(), "need".to_owned()), 0);
    loop {
        match answer(&mut results).await {
            Answer::Files(found) if found.done => {
                assert_eq!(found.rows.first().unwrap().path, "needle.rs");
                break;
            }
            Answer::Files(_) => {}
            _ => panic!("another answer"),
        }
    }
    runner.finish(Draft::from_text("half a thought")).await;
    assert_eq!(std::fs::read_dir(dir.path().join("tmp/drafts")).unwrap().count(), 1);
}

#[test]
fn only_whole_pastes_are_images() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.png"), "x").unwrap();
    let found = images(dir.path(), None, &[PathBuf::from("a.png")]);
    assert_eq!(found, [dir.path().join("a.png")]);
    assert!(images(dir.path(), None, &[PathBuf::from("a.png"), PathBuf::from("b.png")]).is_empty());
    assert_eq!(images(Path::new("/"), Some(dir.path()), &[PathBuf::from("~/a.png")]).len(), 1);
}

#[test]
fn a_folder_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let real = dir.path().canonicalize().unwrap();
    assert_eq!(check_folder(&real, Path::new("sub")), Ok(real.join("sub")));
    assert_eq!(check_folder(&real, Path::new("sub/..")), Ok(real.clone()));
    assert!(check_folder(&real, Path::new("file")).unwrap_err().ends_with("is not a folder"));
    assert!(check_folder(&real, Path::new("none")).is_err());
}
