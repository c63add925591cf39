//! Remainders that must be there before something begins: `week=15%`. The same words in `usage --require`,
//! `usage guard`, `exec --require-remaining` and the budgets of the configuration.

use super::state::{AccountLimits, MAIN};
use super::text;

/// A share of one window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Share {
    /// Limit family; the main one unless another was named.
    pub(crate) family: String,
    /// Name of the window, as [`text::window_name`] gives it.
    pub(crate) window: &'static str,
    /// Percent, 0 to 100.
    pub(crate) percent: f64,
}

/// A requirement held against what is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checked {
    /// What was required.
    pub(crate) share: Share,
    /// Percent left; `None` when the account has no such window.
    pub(crate) left: Option<f64>,
    /// When the window starts anew.
    pub(crate) resets_at: Option<u64>,
}

impl Checked {
    /// Whether it is there; `None` when nobody knows.
    pub(crate) fn met(&self) -> Option<bool> {
        self.left.map(|left| left >= self.share.percent)
    }
}

/// Reads `week=15%` or several of them with commas; a family of its own goes in front: `codex_other:5h=10`.
///
/// # Errors
/// What is wrong, for the user.
pub(crate) fn parse(text: &str) -> Result<Vec<Share>, String> {
    text.split(',').map(|part| one(part.trim())).collect()
}

fn one(text: &str) -> Result<Share, String> {
    let (place, share) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not of the form WINDOW=PERCENT, as in week=15%"))?;
    let (family, word) = match place.trim().split_once(':') {
        Some((family, word)) => (family.trim().to_ascii_lowercase().replace('-', "_"), word.trim()),
        None => (MAIN.to_owned(), place.trim()),
    };
    let window = text::window_word(word)
        .ok_or_else(|| format!("`{word}` is no window; allowed: 5h, day, week, month, year"))?;
    let number = share.trim().trim_end_matches('%').trim_end();
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Share { family, window, percent }),
        _ => Err(format!("`{}` is not a share from 0% to 100%", share.trim())),
    }
}

/// Holds requirements against what is known at `now_s` (our clock).
pub(crate) fn check(shares: &[Share], state: &AccountLimits, now_s: u64) -> Vec<Checked> {
    let windows = state.windows(now_s);
    let held = |share: &Share| {
        let window = windows.iter().find(|w| w.family == share.family && w.name == share.window);
        Checked {
            share: share.clone(),
            left: window.map(super::state::LiveWindow::left),
            resets_at: window.and_then(|window| window.resets_at),
        }
    };
    shares.iter().map(held).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let share = |family: &str, window, percent| Share { family: family.to_owned(), window, percent };
        for (typed, want) in [
            ("week=15%", vec![share("codex", "weekly", 15.0)]),
            ("5h=10, weekly = 2.5 %", vec![share("codex", "5h", 10.0), share("codex", "weekly", 2.5)]),
            ("codex-other:day=0", vec![share("codex_other", "daily", 0.0)]),
        ] {
            assert_eq!(parse(typed), Ok(want), "{typed}");
        }
        for bad in
            ["", "week", "week=", "week=x", "week=101", "week=-1%", "week=NaN", "fortnight=3%", "=3", "a,b"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
