//! The first page of `/usage`: pictures of every state, keys, and numbers that make no sense.

use super::super::samples::{self, NOW};
use super::super::standing::Standing;
use super::*;
use crate::limits::AccountLimits;
use crate::limits::advice::Pending;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::limits::{Credits, ResetCredits, SpendControl};
use crate::tui::testing::{assert_screen, paper};

fn view<'a>(limits: Option<&'a AccountLimits>, standing: &'a Standing) -> View<'a> {
    View { limits, standing, now_s: NOW, zone: crate::tui::moment::zone() }
}

fn check(name: &str, limits: Option<&AccountLimits>, standing: &Standing) {
    for width in [60, 80, 120] {
        let drawn = Usage::new().draw(&view(limits, standing), width, 40, &Theme::default());
        assert_screen!(format!("{name}_{width}"), paper(width, &drawn.lines));
    }
}

#[test]
fn usual() {
    check("usual", Some(&samples::limits([82.0, 64.0], "plus", Some(samples::two()))), &samples::shared());
}

#[test]
fn nothing_known_yet() {
    let mut standing = samples::shared();
    standing.reading = true;
    check("nothing", None, &standing);
    standing.reading = false;
    standing.failure = Some(
        ErrorInfo::new(ErrorKind::Connection, "The service cannot be reached.")
            .with_hint("check the network"),
    );
    check("failed", Some(&samples::limits([20.0, 5.0], "pro", None)), &standing);
}

#[test]
fn everything_at_once() {
    let mut limits =
        samples::limits([100.0, 96.0], "pro", Some(ResetCredits { available_count: 0, credits: None }));
    let stamped = limits.plan.clone().unwrap();
    let at_ms = stamped.at_ms;
    limits.credits = Some(crate::limits::state::Stamped {
        value: Credits { has_credits: true, unlimited: false, balance: Some("38.5".to_owned()) },
        at_ms,
        source: stamped.source,
    });
    limits.spend = Some(crate::limits::state::Stamped {
        value: SpendControl {
            reached: false,
            limit: Some("50".to_owned()),
            used: Some("12".to_owned()),
            remaining_percent: Some(76.0),
            resets_at: Some(NOW + 900_000),
        },
        at_ms,
        source: stamped.source,
    });
    let mut other = limits.families["codex"].clone();
    other.name = Some("GPT-5.5 \u{1b}[31mmini".to_owned());
    other.secondary = None;
    other.primary.as_mut().unwrap().window.used_percent = 3.0;
    limits.families.insert("codex_mini".to_owned(), other);
    check("everything", Some(&limits), &samples::shared());
}

#[test]
fn the_limit_is_reached() {
    let mut limits = samples::limits([100.0, 64.0], "plus", Some(samples::two()));
    check("reached", Some(&limits), &samples::shared());
    // Nobody says when it comes back.
    limits.families.get_mut("codex").unwrap().primary.as_mut().unwrap().window.resets_at = None;
    let (standing, zone) = (samples::shared(), Theme::default());
    let drawn = Usage::new().draw(&view(Some(&limits), &standing), 80, 40, &zone);
    let text: String = drawn.lines.iter().map(|line| line.to_string() + "\n").collect();
    assert!(text.contains("limit is reached"), "{text}");
}

#[test]
fn a_redemption_that_is_not_over_is_all_the_advice_there_is() {
    let limits = samples::limits([82.0, 64.0], "plus", Some(samples::two()));
    let mut standing = samples::shared();
    standing.pending = Some(Pending::Unseen(NOW - 300));
    check("unseen", Some(&limits), &standing);
    standing.pending = Some(Pending::Unfinished(NOW - 300));
    check("unfinished", Some(&limits), &standing);
}

#[test]
fn workspaces() {
    check("workspace", Some(&samples::limits([20.0, 5.0], "business", None)), &samples::shared());
}

#[test]
fn keys_lead_to_wishes() {
    let limits = samples::limits([82.0, 64.0], "plus", Some(samples::two()));
    let standing = samples::shared();
    let view = view(Some(&limits), &standing);
    let map = Keymap::default();
    let want = |want| Outcome::Keep(Wish::Usage(want));
    for (key, outcome) in [
        (Key::plain(Code::Char('1')), want(Want::Activity(Chart::Daily))),
        (Key::plain(Code::Char('2')), want(Want::Load)),
        (Key::plain(Code::Char('3')), want(Want::Read)),
        (Key::plain(Code::Char('r')), want(Want::Read)),
        (Key::plain(Code::Esc), Outcome::Close),
        (Key::ctrl('c'), Outcome::Close),
    ] {
        assert_eq!(Usage::new().on_key(key, &view, &map), outcome, "{key:?}");
    }
}

#[test]
fn the_row_of_resets_is_never_a_dead_end() {
    let standing = samples::shared();
    for (resets, words) in [
        (None, "check availability"),
        (Some(ResetCredits { available_count: 0, credits: None }), "check again"),
        (Some(samples::two()), "2 available"),
    ] {
        let limits = samples::limits([82.0, 64.0], "plus", resets);
        let view = view(Some(&limits), &standing);
        let drawn = Usage::new().draw(&view, 80, 40, &Theme::default());
        assert!(drawn.lines.iter().any(|line| line.to_string().contains(words)), "{words}");
        let outcome = Usage::new().on_key(Key::plain(Code::Char('2')), &view, &Keymap::default());
        assert_eq!(outcome, Outcome::Keep(Wish::Usage(Want::Load)), "{words}");
    }
}

#[test]
fn odd_numbers_and_small_windows_break_nothing() {
    let standing = samples::shared();
    for used in [f64::NAN, -5.0, 0.4, 99.6, 250.0] {
        let mut limits = samples::limits([50.0, 50.0], "?\u{202e}", Some(samples::two()));
        limits.families.get_mut("codex").unwrap().primary.as_mut().unwrap().window.used_percent = used;
        for width in [40, 60, 500] {
            for height in [5, 12, 40] {
                let drawn =
                    Usage::new().draw(&view(Some(&limits), &standing), width, height, &Theme::default());
                assert!(drawn.lines.len() <= height);
                paper(width, &drawn.lines);
            }
        }
    }
}
