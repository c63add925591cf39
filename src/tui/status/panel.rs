//! The block of `/status`: labels and values, limit windows as bars. Its facts are those of the moment it
//! was asked for, or of the last update.

use super::facts::{Facts, short};
use crate::base::path::with_tilde;
use crate::limits::state::STALE_AFTER_S;
use crate::limits::{forecast, show, text as words};
use crate::tui::popups::permissions;
use crate::tui::text;
use crate::tui::usage::look::{View, plain};
use crate::tui::usage::plan_name;

/// Cells of a bar.
const BAR: usize = 20;

/// Labels and values for these facts, with the limits as `view` sees them.
pub(crate) fn rows(facts: &Facts, view: &View<'_>) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |label: &str, value: Option<String>| {
        rows.extend(value.map(|value| (label.to_owned(), text::sanitize(&value).replace('\n', " "))));
    };
    let home = facts.home.as_deref();
    if let Some(thread) = &facts.thread {
        row("Model", Some(model(thread)));
        row("Provider", (thread.provider != "openai").then(|| thread.provider.clone()));
        row("Directory", Some(with_tilde(&thread.cwd, home)));
        row("Permissions", Some(permissions::named(thread.approval, &thread.sandbox, &thread.access)));
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
    limit_rows(view, &mut rows);
    rows
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

/// What is known about limits: every window, bought credits, spend control, resets, and how old that is.
fn limit_rows(view: &View<'_>, rows: &mut Vec<(String, String)>) {
    let mut row = |label: String, value: String| rows.push((label, plain(&value)));
    let Some(limits) = view.limits.filter(|limits| !limits.is_empty()) else {
        if view.standing.shared {
            let failed = view.standing.failure.as_ref().map(|error| format!(": {error}"));
            row("Limits".to_owned(), format!("data not available yet{}", failed.unwrap_or_default()));
        }
        return;
    };
    if let Some(plan) = &limits.plan {
        row("Plan".to_owned(), plan_name(&plan.value));
    }
    let now = view.now();
    for window in limits.windows(view.now_s) {
        let family = window.family_name.map(|family| format!("{family} ")).unwrap_or_default();
        let resets = match window.resets_at {
            Some(at) => format!(" (resets {})", words::moment(at, now, view.zone)),
            None if window.restarted => " (has started anew)".to_owned(),
            None => String::new(),
        };
        let forecast = show::forecast_words(forecast::of(&window, now), now, view.zone);
        let pace = forecast.filter(|_| window.used < 100.0).map(|words| format!(" · at this rate {words}"));
        row(
            format!("{family}{} limit", window.name),
            format!(
                "[{}] {} left{resets}{}",
                words::bar(window.used, BAR),
                words::left(window.used),
                pace.unwrap_or_default()
            ),
        );
    }
    if let Some(words) = limits.credits.as_ref().and_then(|held| show::credits_words(&held.value)) {
        row("Credits".to_owned(), words);
    }
    if let Some(spend) = &limits.spend {
        row("Spend control".to_owned(), show::spend_words(&spend.value, now, view.zone));
    }
    if let Some(count) = view.resets().filter(|count| *count > 0) {
        row("Usage resets".to_owned(), format!("{count} available · /usage"));
    }
    if view.standing.shared {
        row("Usage page".to_owned(), words::PAGE.to_owned());
    }
    // A moment, not an age: the block stays as it was printed.
    if let Some(at) = limits.oldest_ms().map(|ms| ms / 1000) {
        let stale = view.now_s.saturating_sub(at) > STALE_AFTER_S;
        let remark = if stale { ", may be out of date" } else { "" };
        let failed = view.standing.failure.as_ref();
        let failed = failed.map(|error| format!(" · could not be read anew: {error}")).unwrap_or_default();
        let at = words::moment(at, view.now_s, view.zone);
        row("Limits read".to_owned(), format!("at {at}{remark}{failed}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::samples;
    use super::*;
    use crate::tui::testing::{assert_screen, paper};
    use crate::tui::theme::Theme;
    use crate::tui::transcript::cell::Cell;
    use crate::tui::transcript::{Block, Look};
    use crate::tui::usage::Standing;

    fn view<'a>(facts: &'a Facts, standing: &'a Standing) -> View<'a> {
        let zone = crate::tui::moment::zone();
        View { limits: facts.limits.as_deref(), standing, now_s: samples::NOW, zone }
    }

    #[test]
    fn views() {
        let theme = Theme::default();
        let look = Look { theme: &theme, unfolded: false, now_ms: 0 };
        let standing = crate::tui::usage::samples::shared();
        let facts = samples::facts();
        for width in [60, 80, 120] {
            let panel = Block::new("Status", rows(&facts, &view(&facts, &standing)));
            assert_screen!(format!("full_{width}"), paper(width, &panel.lines(width, &look)));
        }
        let bare = Facts { thread: Some(samples::thread()), ..Facts::default() };
        let early = Block::new("Status", rows(&bare, &view(&bare, &standing)));
        assert_screen!("early", paper(60, &early.lines(60, &look)));
    }

    #[test]
    fn a_key_has_no_limits() {
        let bare = Facts { thread: Some(samples::thread()), ..Facts::default() };
        let said = format!("{:?}", rows(&bare, &view(&bare, &Standing::default())));
        assert!(!said.contains("imit"), "{said}");
    }
}
