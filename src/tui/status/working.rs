//! The row while a turn runs: a sign of life, what is being done, since when, how to stop it. Also what is waited
//! for: the next try after a failure, an answer of the user.

use ratatui::text::{Line, Span};

use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// How long each state of the sign stands.
const BLINK_MS: u64 = 500;
/// A retry is told when it takes longer than this.
const RETRY_AFTER_MS: u64 = 1000;

/// A failed request that is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    /// This retry, from 1.
    pub(crate) attempt: u32,
    /// Retries allowed.
    pub(crate) max: u32,
    /// When the first failure of these was told.
    pub(crate) since_ms: u64,
    /// When the next try begins.
    pub(crate) next_ms: u64,
    /// What went wrong.
    pub(crate) why: String,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Working {
    /// Since when.
    pub(crate) since_ms: u64,
    /// The failure being waited out.
    pub(crate) retry: Option<Retry>,
    /// It was asked to stop.
    pub(crate) stopping: bool,
    /// It is a command of the user, not a turn.
    pub(crate) shell: bool,
}

impl Working {
    /// Begins now.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self { since_ms: now_ms, retry: None, stopping: false, shell: false }
    }

    /// When the row looks different again.
    pub(crate) fn wake_at_ms(&self, now_ms: u64) -> u64 {
        let since = now_ms.saturating_sub(self.since_ms);
        self.since_ms + (since / BLINK_MS + 1) * BLINK_MS
    }

    /// The rows: `headline` is what the model thinks about, `asking` that the user has to answer first.
    pub(crate) fn lines(
        &self,
        headline: Option<&str>,
        asking: bool,
        stop_key: &str,
        width: u16,
        now_ms: u64,
        theme: &Theme,
    ) -> Vec<Line<'static>> {
        let since = now_ms.saturating_sub(self.since_ms);
        let sign = if (since / BLINK_MS).is_multiple_of(2) { "• " } else { "◦ " };
        let retry = self.retry.as_ref().filter(|retry| now_ms >= retry.since_ms + RETRY_AFTER_MS);
        let words = match (retry, self.stopping, asking, self.shell) {
            (_, true, ..) => "Stopping".to_owned(),
            (_, _, true, _) => "Waiting for your answer".to_owned(),
            // No end is set to the waiting for a network.
            (Some(Retry { max: 0, .. }), ..) => "Waiting for the network".to_owned(),
            (Some(retry), ..) => format!("Reconnecting {}/{}", retry.attempt, retry.max),
            (_, _, _, true) => "Running your command".to_owned(),
            _ => headline
                .map_or_else(|| "Working".to_owned(), |headline| text::sanitize(headline).replace('\n', " ")),
        };
        let stop = if self.stopping || asking || stop_key.is_empty() {
            String::new()
        } else {
            format!(" · {stop_key} to interrupt")
        };
        let tail = format!(" ({}{stop})", elapsed(since));
        let room = usize::from(width).saturating_sub(2 + text::width(&tail)).max(8);
        let words = text::truncate_end(&words, room).into_owned();
        let line = Line::from(vec![
            Span::styled(sign, theme.style(Role::Accent)),
            Span::styled(words, theme.style(Role::Strong)),
            Span::styled(tail, theme.style(Role::Dim)),
        ]);
        let mut lines = vec![text::truncate_line(line, usize::from(width))];
        if let Some(retry) = retry.filter(|_| !self.stopping) {
            let wait = retry.next_ms.saturating_sub(now_ms).div_ceil(1000);
            let wait = if wait == 0 { "trying again".to_owned() } else { format!("next try in {wait}s") };
            let why = text::sanitize(&retry.why).replace('\n', " ");
            let detail = format!("  └ {wait} · {}", why.trim_end_matches('.'));
            let detail = text::truncate_end(&detail, usize::from(width)).into_owned();
            lines.push(Line::styled(detail, theme.style(Role::Dim)));
        }
        lines
    }
}

/// Whole seconds: `12s`, `1m 05s`, `1h 02m`.
pub(crate) fn elapsed(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(working: &Working, headline: Option<&str>, width: u16, now_ms: u64) -> Vec<String> {
        let lines = working.lines(headline, false, "esc", width, now_ms, &Theme::default());
        assert!(lines.iter().all(|line| text::line_width(line) <= usize::from(width)));
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_row_tells_what_and_since_when() {
        let mut working = Working::new(10_000);
        assert_eq!(rows(&working, None, 60, 10_000), ["• Working (0s · esc to interrupt)"]);
        assert_eq!(
            rows(&working, Some("Reading the tests"), 60, 75_500),
            ["◦ Reading the tests (1m 05s · esc to interrupt)"]
        );
        assert_eq!(
            rows(&working, Some("A very long headline"), 40, 10_000),
            ["• A very long h… (0s · esc to interrupt)"]
        );
        working.stopping = true;
        assert_eq!(rows(&working, None, 60, 12_000), ["• Stopping (2s)"]);
    }

    #[test]
    fn a_retry_is_told_when_it_takes_its_time() {
        let mut working = Working::new(0);
        let why = "The service answered 503.".to_owned();
        working.retry = Some(Retry { attempt: 2, max: 5, since_ms: 5000, next_ms: 9000, why });
        assert_eq!(rows(&working, None, 60, 5500).len(), 1);
        assert_eq!(
            rows(&working, None, 60, 6000),
            ["• Reconnecting 2/5 (6s · esc to interrupt)", "  └ next try in 3s · The service answered 503"]
        );
        assert_eq!(rows(&working, None, 60, 9500)[1], "  └ trying again · The service answered 503");
        working.retry =
            Some(Retry { attempt: 9, max: 0, since_ms: 5000, next_ms: 9000, why: "Refused".to_owned() });
        assert_eq!(rows(&working, None, 60, 6000)[0], "• Waiting for the network (6s · esc to interrupt)");
    }

    #[test]
    fn it_wakes_when_it_changes() {
        let working = Working::new(100);
        assert_eq!([100, 599, 600].map(|now| working.wake_at_ms(now)), [600, 600, 1100]);
    }
}
