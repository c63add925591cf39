//! The question after a limit: pictures, and which answer comes first.

use super::super::samples::{self, NOW};
use super::super::standing::Standing;
use super::*;
use crate::limits::AccountLimits;
use crate::protocol::limits::ResetCredits;
use crate::tui::keys::Code;
use crate::tui::testing::{assert_screen, paper};

fn error() -> ErrorInfo {
    ErrorInfo::new(ErrorKind::UsageLimit, "The usage limit of your plan is reached.")
        .with_hint("try again at 23:43")
}

fn view<'a>(limits: Option<&'a AccountLimits>, standing: &'a Standing) -> View<'a> {
    View { limits, standing, now_s: NOW, zone: crate::tui::moment::zone() }
}

#[test]
fn views() {
    let standing = samples::shared();
    let none = Some(ResetCredits { available_count: 0, credits: None });
    let mut family = samples::limits([100.0, 64.0], "plus", none.clone());
    let mut other = family.families["codex"].clone();
    (other.name, other.secondary) = (Some("Mini".to_owned()), None);
    other.primary.as_mut().unwrap().window.used_percent = 3.0;
    family.families.insert("mini".to_owned(), other);
    for (name, limits) in [
        ("credits", Some(samples::limits([100.0, 64.0], "plus", Some(samples::two())))),
        ("no_credits", Some(samples::limits([100.0, 100.0], "plus", none))),
        ("other_model", Some(family)),
        ("nothing_known", None),
    ] {
        for width in [60, 80, 120] {
            let drawn =
                Panel::new(error()).draw(&view(limits.as_ref(), &standing), width, 30, &Theme::default());
            assert_screen!(format!("{name}_{width}"), paper(width, &drawn.lines));
        }
    }
    let budget = "The budget of this turn is used up: 12% of the 5h limit, 10% allowed.";
    let panel = Panel::new(ErrorInfo::new(ErrorKind::Budget, budget));
    for width in [60, 80, 120] {
        let drawn = panel.draw(&view(None, &standing), width, 30, &Theme::default());
        assert_screen!(format!("budget_{width}"), paper(width, &drawn.lines));
    }
}

#[test]
fn the_first_answer_helps_most() {
    let standing = samples::shared();
    let none = Some(ResetCredits { available_count: 0, credits: None });
    let enter = Key::plain(Code::Enter);
    for (limits, wish) in [
        (samples::limits([100.0, 64.0], "plus", Some(samples::two())), Want::RedeemForPrompt),
        (samples::limits([100.0, 64.0], "plus", none.clone()), Want::WaitUntil(NOW + 5400 + AFTER_S)),
        // Both must have come back.
        (samples::limits([100.0, 100.0], "plus", none), Want::WaitUntil(NOW + 230_000 + AFTER_S)),
    ] {
        let outcome = Panel::new(error()).on_key(enter, &view(Some(&limits), &standing), &Keymap::default());
        assert_eq!(outcome, Outcome::Wish(Wish::Usage(wish)));
    }
    let mut panel = Panel::new(error());
    let outcome = panel.on_key(Key::plain(Code::Esc), &view(None, &standing), &Keymap::default());
    assert_eq!(outcome, Outcome::Close);
}

#[test]
fn what_a_workspace_lacks_is_not_waited_for() {
    use crate::limits::state::Stamped;
    let standing = samples::shared();
    let mut limits = samples::limits([100.0, 64.0], "team", Some(samples::two()));
    let value = "workspace_member_usage_limit_reached".to_owned();
    limits.reached = Some(Stamped { value, at_ms: NOW * 1000, source: crate::limits::state::Source::Usage });
    let view = view(Some(&limits), &standing);
    let choices: Vec<_> = Panel::new(error()).choices(&view).into_iter().map(|(_, choice)| choice).collect();
    assert_eq!(choices, [Choice::Nudge(More::Limit), Choice::Dismiss]);
    let words = super::standing(&view).unwrap();
    assert!(words.contains("ask the workspace's owner"), "{words}");
}

#[test]
fn waiting_goes_by_our_clock() {
    let standing = samples::shared();
    let mut limits = samples::limits([100.0, 64.0], "plus", None);
    limits.clock_ahead_s = 600;
    let outcome = Panel::new(error()).on_key(
        Key::plain(Code::Char('1')),
        &view(Some(&limits), &standing),
        &Keymap::default(),
    );
    assert_eq!(outcome, Outcome::Wish(Wish::Usage(Want::WaitUntil(NOW + 4800 + AFTER_S))));
}
