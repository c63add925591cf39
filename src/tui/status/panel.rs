//! The block of `/status`: labels and values, limit windows as bars. A cell of the transcript; its facts are those of
//! the moment it was asked for, or of the last update.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use super::facts::{Facts, short};
use super::limits;
use crate::base::path::with_tilde;
use crate::tui::popups::permissions;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::{Cell, Look};

/// Cells of a bar.
const BAR: u8 = 20;

/// The block.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    rows: Vec<(String, String)>,
}

impl Panel {
    /// The block for these facts; `at` turns unix seconds into words in the user's time zone.
    pub(crate) fn new(facts: &Facts, now_s: u64, at: &dyn Fn(u64) -> String) -> Self {
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut row = |label: &str, value: Option<String>| {
            rows.extend(value.map(|value| (label.to_owned(), text::sanitize(&value).replace('\n', " "))));
        };
        let home = facts.home.as_deref();
        if let Some(thread) = &facts.thread {
            row("Model", Some(model(thread)));
            row("Provider", (thread.provider != "openai").then(|| thread.provider.clone()));
            row("Directory", Some(with_tilde(&thread.cwd, home)));
            row("Permissions", Some(permissions::words(thread.approval, &thread.sandbox)));
            let files: Vec<String> = thread.instructions.iter().map(|path| with_tilde(path, home)).collect();
            row("Instructions", Some(if files.is_empty() { "none".to_owned() } else { files.join(", ") }));
            row("Account", Some(thread.account.clone()));
            row("Profile", thread.profile.clone());
            row("Thread", thread.name.clone());
            row("Thread id", Some(thread.id.to_string()));
        }
        if let Some(usage) = facts.usage.map(|usage| usage.total) {
            let (input, output) = (short(usage.input_tokens), short(usage.output_tokens));
            row("Tokens", Some(format!("{} total ({input} in, {output} out)", short(usage.total_tokens))));
        }
        row("Context", facts.context());
        match &facts.limits {
            None => row("Limits", Some("not known yet; they come with the first answer".to_owned())),
            Some(known) => {
                for window in limits::windows(known) {
                    let resets = window.resets_at.map(|resets| resets_in_words(resets, now_s, at));
                    let bar = bar(limits::left_pct(window));
                    row(
                        &format!("{} limit", limits::name(window)),
                        Some(format!("{bar}{}", resets.unwrap_or_default())),
                    );
                }
            }
        }
        Self { rows }
    }
}

fn model(thread: &crate::tui::door::ThreadInfo) -> String {
    let mut details = Vec::new();
    details.extend(thread.effort.as_ref().map(|effort| format!("reasoning {effort}")));
    details.extend(thread.summary.as_ref().map(|summary| format!("summaries {summary}")));
    if details.is_empty() {
        thread.model.clone()
    } else {
        format!("{} ({})", thread.model, details.join(", "))
    }
}

fn bar(left: u8) -> String {
    let full = usize::from((u16::from(left) * u16::from(BAR)).div_ceil(100));
    let empty = usize::from(BAR) - full;
    format!("[{}{}] {left}% left", "█".repeat(full), "░".repeat(empty))
}

fn resets_in_words(resets: u64, now_s: u64, at: &dyn Fn(u64) -> String) -> String {
    if resets <= now_s { " (starts anew now)".to_owned() } else { format!(" (resets {})", at(resets)) }
}

impl Cell for Panel {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let style = |role| look.theme.style(role);
        let label_width = self.rows.iter().map(|(label, _)| text::width(label)).max().unwrap_or(0) + 2;
        let mut lines = vec![Line::from(vec![
            Span::styled("• ", style(Role::Accent)),
            Span::styled("Status", style(Role::Strong)),
        ])];
        let rest = Line::raw(" ".repeat(label_width + 2));
        for (label, value) in &self.rows {
            let pad = label_width.saturating_sub(text::width(label) + 1);
            let first = Line::from(Span::styled(format!("  {label}:{}", " ".repeat(pad)), style(Role::Dim)));
            lines.extend(text::wrap(&Line::from(value.clone()), width, &first, &rest));
        }
        lines
    }

    fn text(&self) -> Cow<'_, str> {
        let rows: Vec<String> = self.rows.iter().map(|(label, value)| format!("{label}: {value}")).collect();
        Cow::Owned(rows.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::samples;
    use super::*;
    use crate::tui::testing::{assert_screen, paper};
    use crate::tui::theme::Theme;

    fn at(unix: u64) -> String {
        format!("at {unix}")
    }

    #[test]
    fn views() {
        let theme = Theme::default();
        let look = Look { theme: &theme, unfolded: false, now_ms: 0 };
        for width in [60, 80, 120] {
            let panel = Panel::new(&samples::facts(), 1_700_000_000, &at);
            assert_screen!(format!("full_{width}"), paper(width, &panel.lines(width, &look)));
        }
        let bare = Facts { thread: Some(samples::thread()), ..Facts::default() };
        assert_screen!("early", paper(60, &Panel::new(&bare, 0, &at).lines(60, &look)));
    }

    #[test]
    fn bars_are_never_empty_while_something_is_left() {
        assert_eq!(bar(0), "[░░░░░░░░░░░░░░░░░░░░] 0% left");
        assert_eq!(bar(1), "[█░░░░░░░░░░░░░░░░░░░] 1% left");
        assert_eq!(bar(100), "[████████████████████] 100% left");
    }
}
