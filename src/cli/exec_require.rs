//! `codex exec --require-remaining week=15%`: before the turn begins, enough must be left of the named windows.
//! With `--wait-for-reset` the run waits for the windows to start anew, at most until its deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::exit::Exit;
use super::usage;
use crate::limits::Cache;
use crate::limits::refresh::ON_DEMAND;
use crate::limits::require::{self, Checked, Share};
use crate::limits::text;

/// The service may take a moment to notice that a window has started anew.
const AFTER_RESET: Duration = Duration::from_secs(2);

/// When nobody says when a window starts anew, or it should have and has not.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What a run requires.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requirement {
    /// What must be left.
    pub(crate) shares: Vec<Share>,
    /// Wait for the windows to start anew.
    pub(crate) wait: bool,
    /// At most so long.
    pub(crate) deadline: Option<Duration>,
}

/// Reads a span: `90`, `90s`, `10m`, `2h`, `1d`.
pub(crate) fn span(typed: &str) -> Result<Duration, String> {
    let typed = typed.trim();
    let digits = typed.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match typed.strip_prefix(digits).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("it ends with s, m, h or d".to_owned()),
    };
    let count: u64 = digits.parse().map_err(|_| "it is a number with s, m, h or d behind it".to_owned())?;
    Ok(Duration::from_secs(count.saturating_mul(unit)))
}

/// Waits until the requirement is met. `tell` gets lines for the user.
///
/// # Errors
/// It is not met, or nobody knows: the exit code.
pub(crate) async fn check(
    requirement: &Requirement,
    cache: Option<&Cache>,
    mut tell: impl FnMut(&str),
) -> Result<(), Exit> {
    if requirement.shares.is_empty() {
        return Ok(());
    }
    let Some(cache) = cache else {
        tell("ERROR: --require-remaining needs a ChatGPT sign-in: codex login");
        return Err(Exit::Other(20));
    };
    let until = requirement.deadline.map(|deadline| Instant::now() + deadline);
    loop {
        let read = cache.refresh(ON_DEMAND).await;
        let (state, now) = (cache.get(), cache.now_s());
        let checked = require::check(&requirement.shares, &state, now);
        if let Err(error) = &read {
            let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            tell(&format!("{error}{hint}"));
            if error.is_sign_in() {
                return Err(Exit::Other(20));
            }
        }
        if let Some(unknown) = checked.iter().find(|checked| checked.left.is_none()) {
            tell(&format!("ERROR: nothing is known about a {} limit of this account", unknown.share.window));
            return Err(Exit::Other(usage::NO_DATA));
        }
        let missing: Vec<&Checked> = checked.iter().filter(|checked| checked.met() == Some(false)).collect();
        if missing.is_empty() {
            // Numbers that could not be read anew are no reason to begin.
            return if read.is_ok() { Ok(()) } else { Err(Exit::Other(21)) };
        }
        for checked in &missing {
            tell(&usage::missing(checked));
        }
        if !requirement.wait {
            return Err(Exit::Other(if state.is_reached(now) { 11 } else { usage::NOT_ENOUGH }));
        }
        let rest = pause(&missing, state.server_now(now));
        if until.is_some_and(|until| Instant::now() + rest > until) {
            tell("The windows do not start anew before the deadline.");
            return Err(Exit::Other(if state.is_reached(now) { 11 } else { usage::NOT_ENOUGH }));
        }
        tell(&format!("Waiting {} for the limit to start anew.", text::span(rest.as_secs())));
        sleep(rest).await;
    }
}

/// Until all missing windows have started anew.
fn pause(missing: &[&Checked], now: u64) -> Duration {
    let resets = missing.iter().map(|checked| checked.resets_at);
    let longest = resets.map(|at| at.map(|at| Duration::from_secs(at.saturating_sub(now)) + AFTER_RESET));
    longest.map(|rest| rest.unwrap_or(LOOK_AGAIN)).max().unwrap_or(LOOK_AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let read = |typed| span(typed).map(|span| span.as_secs());
        assert_eq!(
            ["90", "90s", "10m", "2h", "1d"].map(|typed| read(typed).unwrap()),
            [90, 90, 600, 7200, 86_400]
        );
        for bad in ["", "h", "2w", "-1h", "1.5h", "ü"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
