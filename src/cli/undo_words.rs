//! What undo came to, in words: the same for `codex undo` and for the terminal app. A name of a file is foreign text and
//! stays on its line. On a screen what is left comes first, since it is what somebody has to look at.

use std::fmt::Write as _;
use std::path::Path;

use crate::limits::text::age;
use crate::workspace::undo::{Listed, PARTLY, Report, Step, Which};

/// Paths that are shown on a screen.
pub(super) const SHORT: usize = 15;
/// Longest name in the list.
const NAME: usize = 40;

/// There is no such turn.
pub(super) fn nothing(which: Which, cwd: &Path) -> String {
    let shown = name(cwd);
    match which {
        Which::Last => format!("no turn that changed files in {shown} stands"),
        Which::Again => format!("nothing was taken back in {shown}"),
        Which::Number(number) => format!("turn {number} is not known in {shown}, or it was taken back"),
    }
}

fn name(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if is_odd(c) { '\u{fffd}' } else { c }).collect()
}

/// What would break the line, or turn the text around.
fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What it came to, line by line, with at most so many paths.
pub(super) fn words(report: &Report, which: Which, dry: bool, most: usize) -> String {
    let mut text = title(report, which, dry);
    let mut steps: Vec<&Step> = report.steps.iter().collect();
    let long = steps.len() > most;
    steps.sort_by_key(|step| (long && step.changed().is_some(), step.path()));
    for step in steps.iter().take(most) {
        let path = name(step.path());
        let _ = match step {
            Step::Restored(_) => writeln!(text, "  restored  {path}"),
            Step::Removed(_) => writeln!(text, "  removed   {path}"),
            Step::Partly(_) => writeln!(text, "  partly    {path} ({PARTLY})"),
            Step::Left(_, why) => writeln!(text, "  left      {path} ({why})"),
        };
    }
    if let Some(more) = steps.len().checked_sub(most).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more");
    }
    if report.steps.is_empty() {
        text.push_str("  everything is as it was already\n");
    }
    limits(&mut text, report);
    text
}

fn title(report: &Report, which: Which, dry: bool) -> String {
    let none = !report.steps.is_empty() && report.steps.iter().all(|step| step.changed().is_none());
    let done = match (which, dry) {
        (Which::Again, false) if none => "nothing was brought again",
        (_, false) if none => "nothing was taken back",
        (Which::Again, false) => "brought again",
        (Which::Again, true) => "would be brought again",
        (_, false) => "taken back",
        (_, true) => "would be taken back",
    };
    match report.between {
        None if !report.with.is_empty() => {
            let with: Vec<String> = report.with.iter().map(u64::to_string).collect();
            format!("Turns {}, {}: {done}\n", report.number, with.join(", "))
        }
        None => format!("Turn {}: {done}\n", report.number),
        Some(turn) => format!(
            "Changes {}, made after turn {turn} while its commands ran on, also by yourself: {done}\n",
            report.number
        ),
    }
}

/// What undo does not know.
fn limits(text: &mut String, report: &Report) {
    if report.partial {
        text.push_str(
            "  Not everything this turn changed is known: some files were too large, too many or not readable.\n",
        );
    }
    if report.killed {
        text.push_str("  The program was killed in this turn: what changed after that is left as it is.\n");
    }
    if let Some(later) = report.later {
        let whose =
            if report.running { "Commands of this turn" } else { "Background terminals of earlier turns" };
        let _ = writeln!(
            text,
            "  {whose} ran on after it. What changed while they did, also by yourself, is kept as number {later}: `codex undo --turn {later} --dry-run`."
        );
    } else if report.running {
        text.push_str("  Commands of this turn ran on after it: what they wrote later stays as it is.\n");
    }
    if report.skipped {
        text.push_str("  Folders that git ignores, such as build outputs, are left as they are.\n");
    }
}

/// The turns of a folder at `now` (seconds), the last one first.
pub(super) fn list(turns: &[Listed], now: u64) -> String {
    let mut text = String::new();
    for turn in turns.iter().rev() {
        let at = turn.at.map(|at| age(at, now)).unwrap_or_default();
        let _ = write!(text, "{:>4}  {at:<11}  {}", turn.number, paths(turn));
        if let Some(after) = turn.between {
            let _ = write!(text, " (after turn {after}, while its commands ran on)");
        }
        if turn.killed {
            text.push_str(" (codex was killed in it)");
        }
        text.push_str(if turn.undone { " (taken back)\n" } else { "\n" });
    }
    text
}

/// What a turn changed, in short.
pub(super) fn paths(turn: &Listed) -> String {
    let first = turn.first.as_deref().map(short).unwrap_or_default();
    match turn.paths {
        0 | 1 => first,
        paths => format!("{first} and {} more", paths - 1),
    }
}

/// The end of a path, which tells most.
fn short(path: &Path) -> String {
    let name = name(path);
    match name.chars().count().checked_sub(NAME).filter(|over| *over > 0) {
        Some(over) => format!("…{}", name.chars().skip(over + 1).collect::<String>()),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn report(steps: Vec<Step>) -> Report {
        Report { number: 3, steps, ..Report::default() }
    }

    #[test]
    fn a_name_stays_on_its_line_and_what_is_left_comes_first() {
        let mut steps = vec![Step::Removed("x\n  restored  y\u{202e}".into())];
        steps.extend((0..3).map(|n| Step::Restored(format!("f{n}").into())));
        steps.push(Step::Left("mine".into(), "changed since"));
        let text = words(&report(steps.clone()), Which::Last, false, usize::MAX);
        assert_eq!(text.lines().count(), 6, "{text}");
        assert!(text.contains("  removed   x\u{fffd}  restored  y\u{fffd}\n"), "{text}");
        let text = words(&report(steps), Which::Last, false, 2);
        let want = "Turn 3: taken back\n  left      mine (changed since)\n  restored  f0\n";
        assert!(text.starts_with(want) && text.ends_with("  and 3 more\n"), "{text}");
    }

    #[test]
    fn a_turn_of_which_nothing_came_back_says_so() {
        let left = || report(vec![Step::Left("mine".into(), "changed since")]);
        for (which, dry, want) in [
            (Which::Last, false, "Turn 3: nothing was taken back\n"),
            (Which::Again, false, "Turn 3: nothing was brought again\n"),
            (Which::Number(3), true, "Turn 3: would be taken back\n"),
        ] {
            assert!(words(&left(), which, dry, 9).starts_with(want));
        }
    }

    #[test]
    fn turns_are_listed_with_the_numbers_that_undo_takes() {
        let one = |number, path: &str, paths| Listed {
            number,
            at: Some(1_000),
            first: Some(PathBuf::from(path)),
            paths,
            ..Listed::default()
        };
        let long = format!("{}/end.rs", "deep/".repeat(20));
        let turns = [
            Listed { undone: true, ..one(1, "a\nb", 1) },
            Listed { between: Some(1), at: None, ..one(2, "log", 3) },
            Listed { killed: true, ..one(12, &long, 2) },
        ];
        let text = list(&turns, 1_000 + 7_200);
        insta::assert_snapshot!(text);
    }
}
