//! The rows above the prompt that are about limits: what waits, what was just said, what gets scarce, what can be
//! used. At most two rows, so that the prompt stays where it is.

use ratatui::text::{Line, Span};

use super::look::View;
use super::reached;
use super::standing::Hint;
use crate::limits::text as words;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Percent used from which a notice stands above the prompt.
const FROM: f64 = 90.0;

/// The rows, at the right edge when they fit.
pub(crate) fn rows(view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let parked = view.standing.parked.as_ref().map(|parked| reached::waiting(parked.at, view));
    let kept = || view.standing.kept.as_ref().map(|kept| reached::waiting_elsewhere(kept.at, view));
    let parked = parked.or_else(kept).map(|words| (words, Role::Accent));
    let said = view.standing.told().map(|text| (format!("⚠ {text}"), Role::Warn));
    let second = said.or_else(|| scarce(view)).or_else(|| hint(view));
    parked.into_iter().chain(second).map(|(words, role)| right(&words, role, width, theme)).collect()
}

/// Seconds until a row reads differently by itself; nothing when none does.
pub(crate) fn rest_s(view: &View<'_>) -> Option<u64> {
    let parked = view.standing.parked.as_ref().map(|parked| parked.at);
    // In another thread only the moment matters: the way back is offered then.
    let kept = || view.standing.kept.as_ref().map(|kept| kept.at).filter(|at| *at > view.now_s);
    parked.or_else(kept).map(|at| reached::waiting_rest_s(at, view))
}

/// The fullest of the main windows when it is nearly used up, or the limit when it is reached.
fn scarce(view: &View<'_>) -> Option<(String, Role)> {
    let limits = view.limits?;
    let windows = limits.windows(view.now_s);
    let main = windows.iter().filter(|window| window.is_main());
    let fullest = main.max_by(|a, b| a.used.total_cmp(&b.used))?;
    if fullest.used < FROM || limits.has_bought_credits() {
        return None;
    }
    let until = fullest.resets_at.map(|at| format!(" · resets {}", words::moment(at, view.now(), view.zone)));
    let (left, until) = (words::left(fullest.used), until.unwrap_or_default());
    Some((format!("⚠ {} limit: {left} left{until} · /usage", fullest.name), Role::Warn))
}

fn hint(view: &View<'_>) -> Option<(String, Role)> {
    let count = view.resets().filter(|count| *count > 0 && view.standing.hint == Hint::Shown)?;
    let what =
        if count == 1 { "1 usage limit reset".to_owned() } else { format!("{count} usage limit resets") };
    Some((format!("You have {what} available · /usage"), Role::Dim))
}

/// At the right edge; cut at its end when it does not fit.
fn right(words: &str, role: Role, width: u16, theme: &Theme) -> Line<'static> {
    let width = usize::from(width);
    let shown = text::truncate_end(words, width).into_owned();
    let gap = width.saturating_sub(text::width(&shown));
    Line::from(vec![Span::raw(" ".repeat(gap)), Span::styled(shown, theme.style(role))])
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, NOW};
    use super::super::standing::{Kept, Parked};
    use super::*;
    use crate::tui::testing::{assert_screen, paper};

    #[test]
    fn views() {
        let mut hint = samples::shared();
        hint.hint = Hint::Shown;
        let mut said = samples::shared();
        said.tell("Less than 25% of your 5h limit is left. It resets 23:43.".to_owned(), 0);
        let mut parked = samples::shared();
        parked.parked = Some(Parked { at: NOW + 5402, text: "hello".to_owned(), leaving: false });
        let mut kept = samples::shared();
        kept.kept = Some(Kept { at: NOW + 5402, thread: crate::base::ids::ThreadId::new() });
        for (name, used, standing, count) in [
            ("nothing", 50.0, samples::shared(), 0),
            ("hint", 50.0, hint.clone(), 1),
            ("said", 82.0, said, 1),
            ("scarce", 93.0, hint, 1),
            ("parked", 100.0, parked, 2),
            ("kept", 100.0, kept, 2),
        ] {
            let limits = samples::limits([used, 64.0], "plus", Some(samples::two()));
            let zone = crate::tui::moment::zone();
            let view = View { limits: Some(&limits), standing: &standing, now_s: NOW, zone };
            for width in [60, 80, 120] {
                let rows = rows(&view, width, &Theme::default());
                assert_eq!(rows.len(), count, "{name}");
                assert_screen!(format!("{name}_{width}"), paper(width, &rows));
            }
            let counts = matches!(name, "parked" | "kept");
            assert_eq!(rest_s(&view).is_some(), counts, "only a countdown wakes the app");
        }
    }
}
