//! Redemptions that are killed at every step, started ten at once, and answered by a service that carries them out and
//! drops the line. Whatever happens: one credit for one wish, and in the end journal and service agree.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::bed::{Bed, LIST, USAGE};
use super::redeem_bed::{CONSUME, said};
use crate::support::codex::Running;

/// Far more than any step needs on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Where a run is when it is killed.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The account is being read; nothing is written yet.
    Reading(&'static str),
    /// Something appeared in the folder of the journal.
    Writing,
    /// The request is there and not yet carried out.
    Arrived,
    /// It was carried out, the answer is not on its way yet.
    CarriedOut,
    /// It was carried out and the line dropped; the same request is there again.
    Repeated,
    /// The windows are waited for.
    Watching,
    /// So many microseconds after the start.
    Anywhere(u64),
}

const HANG: &str = "kind = 'stall'\nat = 'headers'";

fn until(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < LIMIT, "it never came to that");
        thread::yield_now();
    }
}

impl Step {
    /// What the service does so that the run is held there.
    fn prepare(self, bed: &Bed) {
        match self {
            Self::Reading(route) => bed.fault(route, HANG),
            Self::Arrived => bed.fault(CONSUME, HANG),
            Self::CarriedOut => bed.account(&json!({"after": ["hang"]})),
            Self::Repeated => bed.account(&json!({"after": ["drop", "hang"]})),
            Self::Watching => bed.account(&json!({"move_after": 5})),
            Self::Writing | Self::Anywhere(_) => {}
        }
    }

    /// Waits until the run is there.
    fn reach(self, bed: &Bed, before: [u64; 3], started: Instant) {
        let [usage, list, consume] = before;
        match self {
            Self::Reading(USAGE) => until(|| bed.asked(USAGE) > usage),
            Self::Reading(_) => until(|| bed.asked(LIST) > list),
            Self::Writing => until(|| std::fs::read_dir(bed.redeem_dir()).is_ok_and(|dir| dir.count() > 1)),
            Self::Arrived => until(|| bed.asked(CONSUME) > consume),
            Self::CarriedOut => until(|| !bed.consumed().is_empty()),
            Self::Repeated => until(|| bed.asked(CONSUME) > consume + 1),
            Self::Watching => until(|| bed.consumed().len() == 1 && bed.receipts_now() == 1),
            Self::Anywhere(us) => until(|| started.elapsed() >= Duration::from_micros(us)),
        }
    }
}

impl Bed {
    /// Receipts there are now, also while somebody writes.
    fn receipts_now(&self) -> usize {
        let dir = std::fs::read_dir(self.redeem_dir()).into_iter().flatten().flatten();
        let texts = dir.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
        texts.map(|text| text.matches("{\"receipt\"").count()).sum()
    }
}

fn kill(run: Running) {
    // It may have come to its end just now.
    let mut run = run;
    let _ = run.child.kill();
    run.wait();
}

/// Kills one run at `step`, lets others finish, and looks at what is left.
fn killed_at(bed: &Bed, step: Step) {
    bed.anew(&json!({}));
    step.prepare(bed);
    let before = [bed.asked(USAGE), bed.asked(LIST), bed.asked(CONSUME)];
    let keys_before = bed.asked(CONSUME);
    let args: &[&str] = if matches!(step, Step::Watching) { &["--yes"] } else { &["--yes", "--no-wait"] };
    let started = Instant::now();
    let run = bed.redeem(args).start();
    step.reach(bed, before, started);
    kill(run);
    let carried_out = bed.consumed().len();
    let after = bed.redeem(&["--yes", "--no-wait", "--json"]).run();
    let ok = matches!(after.code, Some(0)) || (carried_out == 1 && matches!(after.code, Some(12 | 14)));
    assert!(ok, "{step:?}: {after:?}");
    assert_eq!(bed.consumed().len(), 1, "{step:?}: {after:?}");
    let sent = usize::try_from(bed.asked(CONSUME) - keys_before).unwrap();
    let keys = bed.keys();
    let mine = &keys[keys.len() - sent..];
    let own = bed.consumed()[0]["key"].clone();
    let others = mine.iter().filter(|key| own != **key).count();
    assert_eq!(others, 0, "{step:?}: a second key while the first had no answer: {mine:?}");
    bed.agree();
}

/// Many kills in one world.
fn kills(steps: impl Iterator<Item = Step>) {
    let bed = Bed::new("");
    for step in steps {
        killed_at(&bed, step);
    }
}

#[test]
fn killed_while_it_reads_or_sends() {
    let steps = [Step::Reading(USAGE), Step::Reading(LIST), Step::Arrived, Step::CarriedOut];
    kills(steps.into_iter().cycle().take(48));
}

#[test]
fn killed_while_it_writes() {
    kills(std::iter::repeat_n(Step::Writing, 48));
}

#[test]
fn killed_while_it_repeats_or_waits() {
    kills([Step::Repeated, Step::Watching].into_iter().cycle().take(16));
}

#[test]
fn killed_anywhere() {
    // From the start of the process to after its end, in uneven steps.
    kills((0..96).map(|n| Step::Anywhere((n * 1733) % 90_000)));
}

/// The run that finishes for a killed one is killed too, anywhere: before it notes that it sends, while, after.
#[test]
fn killed_while_it_finishes_for_a_killed_one() {
    let bed = Bed::new("");
    for n in 0..32_u64 {
        bed.anew(&json!({"after": ["hang"]}));
        let first = bed.redeem(&["--yes", "--no-wait"]).start();
        until(|| bed.consumed().len() == 1);
        kill(first);
        let started = Instant::now();
        let second = bed.redeem(&["--yes", "--no-wait"]).start();
        Step::Anywhere((n * 2909) % 90_000).reach(&bed, [0; 3], started);
        kill(second);
        let last = bed.redeem(&["--yes", "--no-wait", "--json"]).run();
        assert!(matches!(last.code, Some(0 | 12 | 14)), "{n}: {last:?}");
        assert_eq!(bed.consumed().len(), 1, "{n}: {last:?}");
        bed.agree();
    }
}

#[test]
fn ten_at_once_use_one_credit() {
    let bed = Bed::new("");
    let rows: Vec<_> = (0..12)
        .map(|n| json!({"id": format!("c-{n}"), "reset_type": "codex_rate_limits", "status": "available"}))
        .collect();
    for (n, account) in [
        json!({"credits": rows}),
        // The windows never move, and the service would use one credit after the other.
        json!({"credits": rows, "move_after": 1_000_000}),
        // Nobody knows which credit it will be.
        json!({"credits": rows, "move_after": 1_000_000, "listed": false}),
        // Carried out, and the line dropped.
        json!({"credits": rows, "move_after": 1_000_000, "after": ["drop", "drop", {"status": 502}]}),
    ]
    .into_iter()
    .enumerate()
    {
        bed.anew(&account);
        let runs: Vec<_> = (0..10).map(|_| bed.redeem(&["--yes", "--no-wait", "--json"]).start()).collect();
        let ends: Vec<_> = runs.into_iter().map(Running::wait).collect();
        let codes: Vec<_> = ends.iter().filter_map(|end| end.code).collect();
        assert!(codes.contains(&0), "{n}: {codes:?} {ends:?}");
        assert!(codes.iter().all(|code| [0, 12, 14].contains(code)), "{n}: {codes:?}");
        ends.iter().for_each(|end| drop(said(end)));
        assert_eq!(bed.consumed().len(), 1, "{n}: {codes:?}");
        bed.agree();
    }
}

/// The holder is killed while nine wait for it: one of them finishes with its key.
#[test]
fn those_who_wait_finish_for_one_who_is_killed() {
    let bed = Bed::new("");
    bed.anew(&json!({"move_after": 1_000_000, "after": ["hang"]}));
    let first = bed.redeem(&["--yes", "--no-wait"]).start();
    until(|| bed.consumed().len() == 1);
    let mut waiting: Vec<_> = (0..5).map(|_| bed.redeem(&["--yes", "--no-wait"]).start()).collect();
    waiting.iter_mut().for_each(|run| drop(run.until_told("waiting for it")));
    kill(first);
    for run in waiting {
        run.wait().expect(0);
    }
    assert_eq!(bed.consumed().len(), 1);
    let keys = bed.keys();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    bed.agree();
}
