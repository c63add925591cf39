//! A table of situations, and laws that hold over all of a grid of them.

use super::*;
use jiff::tz::TimeZone;

const NOW: u64 = 1_795_190_400;
const H: u64 = 3600;
const D: u64 = 86_400;

/// What a row expects; moments are seconds from now.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Want {
    Unknown,
    NoCredit,
    Now(Why),
    Wait(u64, Why),
    Before(u64),
    Hold(Why),
}

/// Forecast of a row: unknown, lasts, or runs out so many seconds from now.
#[derive(Clone, Copy)]
enum F {
    U,
    L,
    R(u64),
}

/// Credit of a row: nothing known, none, never expires, expires so many seconds from now.
#[derive(Clone, Copy)]
enum C {
    Unknown,
    None,
    Never,
    In(u64),
}

fn standing(name: &'static str, minutes: u64, used: f64, resets_in: u64, forecast: F) -> Standing {
    let forecast = match forecast {
        _ if used >= 100.0 => Forecast::Reached,
        F::U => Forecast::Unknown,
        F::L => Forecast::Lasts { used_at_reset: None },
        F::R(at) => Forecast::RunsOut { at: NOW + at, early: NOW + at, late: None },
    };
    Standing { name, minutes: Some(minutes), used, resets_at: Some(NOW + resets_in), forecast }
}

fn credits_of(credit: C) -> Credits {
    let some = |expires_at| {
        Credits::Some(NextCredit { id: Some("c".to_owned()), expires_at, ..NextCredit::unlisted() })
    };
    match credit {
        C::Unknown => Credits::Unknown,
        C::None => Credits::None,
        C::Never => some(None),
        C::In(left) => some(Some(NOW + left)),
    }
}

/// 5h: used, resets in, forecast; weekly: the same; credit.
type Row = ((f64, u64, F), (f64, u64, F), C, Want);

fn situation_of(row: &Row) -> Situation {
    let ((used5, in5, f5), (used7, in7, f7), credit, _) = *row;
    Situation {
        now: NOW,
        windows: vec![standing("5h", 300, used5, in5, f5), standing("weekly", 10_080, used7, in7, f7)],
        credits: credits_of(credit),
        bought: false,
        pending: None,
        workspace: false,
    }
}

/// Patience with the weekly window at `used` percent.
fn patience_at(used: f64) -> u64 {
    1800 + ((1.0 - used / 100.0) * 14_400.0) as u64
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // Nothing known, nothing there.
    ((92.0, H, F::U), (63.0, 3 * D, F::U), C::Unknown, Want::Unknown),
    ((100.0, 4 * H, F::U), (100.0, 3 * D, F::U), C::Unknown, Want::Unknown),
    ((92.0, H, F::U), (63.0, 3 * D, F::U), C::None, Want::NoCredit),
    ((100.0, 4 * H, F::U), (100.0, 3 * D, F::U), C::None, Want::NoCredit),
    ((0.0, H, F::L), (0.0, 3 * D, F::L), C::None, Want::NoCredit),
    // Nothing used.
    ((0.0, 5 * H, F::L), (0.0, 7 * D, F::L), C::Never, Want::Hold(Why::NothingUsed)),
    ((0.0, 5 * H, F::U), (0.0, 7 * D, F::U), C::Never, Want::Hold(Why::NothingUsed)),
    ((0.9, 5 * H, F::L), (0.2, 7 * D, F::L), C::Never, Want::Hold(Why::NothingUsed)),
    ((0.0, 5 * H, F::L), (0.0, 7 * D, F::L), C::In(20 * D), Want::Hold(Why::NothingUsed)),
    ((0.0, 5 * H, F::L), (0.0, 7 * D, F::L), C::In(6 * D), Want::Before(6 * D)),
    ((0.0, 5 * H, F::L), (0.0, 7 * D, F::L), C::In(H), Want::Before(H)),
    // Weekly used up.
    ((10.0, H, F::L), (100.0, 6 * D, F::U), C::Never, Want::Now(Why::Blocked)),
    ((10.0, H, F::L), (100.0, D, F::U), C::Never, Want::Now(Why::Blocked)),
    ((10.0, H, F::L), (100.0, 2 * H, F::U), C::Never, Want::Now(Why::Blocked)),
    ((10.0, H, F::L), (100.0, 1801, F::U), C::Never, Want::Now(Why::Blocked)),
    ((10.0, H, F::L), (100.0, 1800, F::U), C::Never, Want::Wait(1800, Why::FreeResetNear)),
    ((10.0, H, F::L), (100.0, 600, F::U), C::Never, Want::Wait(600, Why::FreeResetNear)),
    ((10.0, H, F::L), (100.0, 60, F::U), C::In(30 * D), Want::Wait(60, Why::FreeResetNear)),
    ((10.0, H, F::L), (100.0, 6 * D, F::U), C::In(30 * D), Want::Now(Why::Blocked)),
    ((10.0, H, F::L), (100.0, 6 * D, F::U), C::In(5 * D), Want::Now(Why::ExpiresFirst)),
    ((10.0, H, F::L), (100.0, 6 * D, F::U), C::In(H), Want::Now(Why::LastCall)),
    // Both used up.
    ((100.0, 4 * H, F::U), (100.0, 3 * D, F::U), C::Never, Want::Now(Why::Blocked)),
    ((100.0, 600, F::U), (100.0, 900, F::U), C::Never, Want::Wait(900, Why::FreeResetNear)),
    ((100.0, 600, F::U), (100.0, 2 * H, F::U), C::Never, Want::Now(Why::Blocked)),
    ((100.0, 2 * H, F::U), (100.0, 600, F::U), C::Never, Want::Now(Why::Blocked)),
    // Only the short window used up: how much of the week comes back with it decides.
    ((100.0, 4 * H, F::U), (90.0, 3 * D, F::L), C::Never, Want::Now(Why::Blocked)),
    ((100.0, 2 * H, F::U), (90.0, 3 * D, F::L), C::Never, Want::Now(Why::Blocked)),
    ((100.0, 3000, F::U), (90.0, 3 * D, F::L), C::Never, Want::Wait(3000, Why::FreeResetNear)),
    ((100.0, 1200, F::U), (90.0, 3 * D, F::L), C::Never, Want::Wait(1200, Why::FreeResetNear)),
    ((100.0, 4 * H, F::U), (50.0, 3 * D, F::L), C::Never, Want::Now(Why::Blocked)),
    ((100.0, 2 * H, F::U), (50.0, 3 * D, F::L), C::Never, Want::Wait(2 * H, Why::FreeResetNear)),
    ((100.0, 4 * H, F::U), (5.0, 3 * D, F::L), C::Never, Want::Wait(4 * H, Why::FreeResetNear)),
    ((100.0, 17_000, F::U), (0.0, 6 * D, F::L), C::Never, Want::Now(Why::Blocked)),
    ((100.0, 16_000, F::U), (0.0, 6 * D, F::L), C::Never, Want::Wait(16_000, Why::FreeResetNear)),
    ((100.0, 4 * H, F::U), (5.0, 3 * D, F::L), C::In(3 * H), Want::Now(Why::ExpiresFirst)),
    ((100.0, 4 * H, F::U), (5.0, 3 * D, F::L), C::In(5 * H), Want::Wait(4 * H, Why::FreeResetNear)),
    ((100.0, 600, F::U), (5.0, 3 * D, F::L), C::In(H), Want::Now(Why::LastCall)),
    ((100.0, 600, F::U), (5.0, 3 * D, F::L), C::In(3 * H), Want::Wait(600, Why::FreeResetNear)),
    // Expiry near, nothing used up.
    ((50.0, 2 * H, F::L), (40.0, 3 * D, F::L), C::In(H), Want::Now(Why::LastCall)),
    ((50.0, 2 * H, F::U), (40.0, 3 * D, F::U), C::In(2 * H), Want::Now(Why::LastCall)),
    ((1.0, 2 * H, F::L), (0.0, 3 * D, F::L), C::In(600), Want::Now(Why::LastCall)),
    ((50.0, 2 * H, F::L), (40.0, 3 * D, F::L), C::In(2 * H + 1), Want::Before(2 * H + 1)),
    ((50.0, 2 * H, F::L), (40.0, 3 * D, F::L), C::In(D), Want::Before(D)),
    ((50.0, 2 * H, F::U), (40.0, 3 * D, F::U), C::In(7 * D), Want::Before(7 * D)),
    ((50.0, 2 * H, F::L), (80.0, 3 * D, F::R(D)), C::In(2 * D), Want::Wait(D, Why::BestWhenUsedUp)),
    ((50.0, 2 * H, F::L), (80.0, 3 * D, F::R(2 * D)), C::In(D), Want::Before(D)),
    ((50.0, 2 * H, F::L), (80.0, 3 * D, F::R(D)), C::In(D), Want::Before(D)),
    // Expiry far or never: the forecast decides.
    ((50.0, 2 * H, F::L), (40.0, 3 * D, F::L), C::Never, Want::Hold(Why::Lasts)),
    ((50.0, 2 * H, F::L), (40.0, 3 * D, F::L), C::In(8 * D), Want::Hold(Why::Lasts)),
    ((50.0, 2 * H, F::U), (40.0, 3 * D, F::U), C::Never, Want::Hold(Why::NoForecast)),
    ((50.0, 2 * H, F::L), (40.0, 3 * D, F::U), C::Never, Want::Hold(Why::NoForecast)),
    ((50.0, 2 * H, F::L), (90.0, 3 * D, F::R(D)), C::Never, Want::Wait(D, Why::BestWhenUsedUp)),
    ((50.0, 2 * H, F::L), (90.0, 3 * D, F::R(D)), C::In(30 * D), Want::Wait(D, Why::BestWhenUsedUp)),
    ((99.0, 4 * H, F::R(300)), (99.0, 3 * D, F::R(600)), C::Never, Want::Wait(300, Why::BestWhenUsedUp)),
    ((80.0, 4 * H, F::R(H)), (40.0, 3 * D, F::L), C::Never, Want::Wait(H, Why::BestWhenUsedUp)),
    ((80.0, 2 * H, F::R(H)), (40.0, 3 * D, F::L), C::Never, Want::Hold(Why::RunsOutNearReset)),
    ((80.0, 4 * H, F::R(3 * H)), (10.0, 3 * D, F::L), C::Never, Want::Hold(Why::RunsOutNearReset)),
    ((20.0, 4 * H, F::L), (97.0, D, F::R(D - 600)), C::Never, Want::Hold(Why::RunsOutNearReset)),
    ((99.9, 10, F::L), (99.9, 10, F::L), C::Never, Want::Hold(Why::Lasts)),
    ((99.0, 600, F::R(300)), (50.0, 4 * D, F::L), C::Never, Want::Hold(Why::RunsOutNearReset)),
    ((99.0, 600, F::R(300)), (50.0, 4 * D, F::R(2 * D)), C::Never, Want::Wait(2 * D, Why::BestWhenUsedUp)),
    // On the edges.
    ((100.0, 0, F::U), (50.0, D, F::L), C::Never, Want::Wait(0, Why::FreeResetNear)),
    ((100.0, H, F::U), (100.0, 0, F::U), C::Never, Want::Now(Why::Blocked)),
    ((50.0, 0, F::L), (50.0, 0, F::L), C::In(0), Want::Now(Why::LastCall)),
    ((100.0, 5 * H, F::U), (99.9, 7 * D, F::U), C::In(90 * D), Want::Now(Why::Blocked)),
];

#[test]
fn nothing_is_advised_beside_a_redemption_that_is_not_over() {
    for pending in [Pending::Unfinished(NOW - 90), Pending::Unseen(NOW - 90)] {
        for row in TABLE {
            let free = advise(&situation_of(row));
            let bound = advise(&Situation { pending: Some(pending), ..situation_of(row) });
            if matches!(free.action, Action::Unknown | Action::NoCredit) {
                assert_eq!(bound.action, free.action);
                continue;
            }
            assert_eq!((bound.action, bound.why), (Action::Hold, Why::Pending(pending)));
            let words = crate::limits::advice_text::headline(&bound, NOW, &TimeZone::UTC);
            assert!(words.starts_with("Hold: ") && words.ends_with('.') && words.contains(':'), "{words}");
            assert!(crate::limits::advice_text::sum(&bound, NOW, &TimeZone::UTC).is_empty());
        }
    }
}

#[test]
fn a_limit_of_the_workspace_is_lifted_by_no_reset() {
    for row in TABLE {
        let free = advise(&situation_of(row));
        let held = advise(&Situation { workspace: true, ..situation_of(row) });
        let want = match free.action {
            Action::Unknown | Action::NoCredit => (free.action, free.why),
            _ => (Action::Hold, Why::Workspace),
        };
        assert_eq!((held.action, held.why), want);
    }
}

#[test]
fn an_expiry_that_cannot_be_read_is_not_none() {
    let words = |expiry_unreadable| {
        let mut advice = advise(&situation_of(&TABLE[4]));
        let credit = NextCredit { id: Some("c".to_owned()), ..NextCredit::unlisted() };
        (advice.action, advice.credit) = (Action::Hold, Some(NextCredit { expiry_unreadable, ..credit }));
        crate::limits::advice_text::sum(&advice, NOW, &TimeZone::UTC).pop().unwrap()
    };
    assert_eq!(words(false), "the reset does not expire");
    assert_eq!(words(true), "when the reset expires is not known");
}

#[test]
fn situations() {
    assert!(TABLE.len() >= 60, "{}", TABLE.len());
    for (number, row) in TABLE.iter().enumerate() {
        let want = match row.3 {
            Want::Unknown => (Action::Unknown, Why::NotKnown),
            Want::NoCredit => (Action::NoCredit, Why::NothingThere),
            Want::Now(why) => (Action::RedeemNow, why),
            Want::Wait(after, why) => (Action::WaitUntil(NOW + after), why),
            Want::Before(after) => (Action::UseBefore(NOW + after), Why::ExpiresSoon),
            Want::Hold(why) => (Action::Hold, why),
        };
        let advice = advise(&situation_of(row));
        assert_eq!((advice.action, advice.why), want, "row {number}");
        let zone = TimeZone::UTC;
        let headline = crate::limits::advice_text::headline(&advice, NOW, &zone);
        assert!(headline.ends_with('.') && !headline.contains("  "), "{headline}");
        let sum = crate::limits::advice_text::sum(&advice, NOW, &zone);
        assert_eq!(sum.is_empty(), matches!(advice.action, Action::Unknown | Action::NoCredit));
    }
}

#[test]
fn odd_accounts() {
    let lone = |used: f64, resets_in: u64, minutes: u64| Situation {
        now: NOW,
        windows: vec![standing("monthly", minutes, used, resets_in, F::U)],
        credits: credits_of(C::Never),
        bought: false,
        pending: None,
        workspace: false,
    };
    assert_eq!(advise(&lone(100.0, 20 * D, 43_200)).action, Action::RedeemNow);
    assert_eq!(advise(&lone(100.0, 60, 43_200)).action, Action::WaitUntil(NOW + 60));
    assert_eq!(advise(&lone(30.0, 20 * D, 43_200)).action, Action::Hold);
    let none = Situation { windows: Vec::new(), ..lone(0.0, 0, 1) };
    assert_eq!(advise(&none).action, Action::Unknown);
    let mut endless = lone(100.0, 0, 43_200);
    endless.windows[0].resets_at = None;
    assert_eq!(advise(&endless).action, Action::RedeemNow);
    let paid = Situation { bought: true, ..lone(100.0, 20 * D, 43_200) };
    assert_eq!(advise(&paid).action, Action::Hold, "what was bought carries on");
    let paid = Situation { credits: credits_of(C::In(H)), ..paid };
    assert_eq!(advise(&paid).action, Action::RedeemNow);
    assert_eq!(patience(&lone(100.0, 0, 1)), patience_at(100.0));
}

/// Every combination of these.
fn grid() -> impl Iterator<Item = Row> {
    let shares = [0.0, 1.0, 20.0, 50.0, 90.0, 99.9, 100.0];
    let ends5 = [0, 600, H, 3 * H, 5 * H];
    let ends7 = [600, 2 * H, D, 6 * D];
    let credits = [C::Never, C::In(60), C::In(3 * H), C::In(2 * D), C::In(20 * D)];
    let forecasts = [F::U, F::L, F::R(1800)];
    shares.into_iter().flat_map(move |a| {
        shares.into_iter().flat_map(move |b| {
            ends5.into_iter().flat_map(move |c| {
                ends7.into_iter().flat_map(move |d| {
                    credits.into_iter().flat_map(move |e| {
                        forecasts.into_iter().map(move |f| ((a, c, f), (b, d, f), e, Want::Unknown))
                    })
                })
            })
        })
    })
}

fn says_now(row: &Row) -> bool {
    advise(&situation_of(row)).action == Action::RedeemNow
}

#[test]
fn more_use_never_speaks_against() {
    for row in grid().filter(says_now) {
        for more in [1.0, 50.0, 99.9, 100.0] {
            let mut short = row;
            short.0.0 = row.0.0.max(more);
            let mut long = row;
            long.1.0 = row.1.0.max(more);
            assert!(
                says_now(&short) && says_now(&long),
                "{:?} {:?} {more}",
                (row.0.0, row.0.1),
                (row.1.0, row.1.1)
            );
        }
    }
}

#[test]
fn a_longer_wait_never_speaks_against() {
    for row in grid().filter(says_now) {
        let (mut short, mut long) = (row, row);
        short.0.1 = row.0.1 + 2 * H;
        long.1.1 = row.1.1 + D;
        assert!(says_now(&short) && says_now(&long));
    }
}

#[test]
fn a_nearer_expiry_never_speaks_against() {
    for row in grid().filter(says_now) {
        let mut nearer = row;
        nearer.2 = match row.2 {
            C::In(left) => C::In(left / 2),
            _ => C::In(30 * D),
        };
        assert!(says_now(&nearer));
    }
}

#[test]
fn without_credits_nobody_is_told_to_redeem() {
    for mut row in grid() {
        row.2 = C::None;
        assert_eq!(advise(&situation_of(&row)).action, Action::NoCredit);
    }
}

#[test]
fn moments_are_never_in_the_past() {
    for row in grid() {
        if let Action::WaitUntil(at) | Action::UseBefore(at) = advise(&situation_of(&row)).action {
            assert!(at >= NOW);
        }
    }
}

#[test]
fn the_next_credit_is_the_one_that_expires_first() {
    let credit = |id: &str, expires_at, status, reset_type| ResetCredit {
        id: id.to_owned(),
        reset_type,
        status,
        granted_at: None,
        expires_at,
        expiry_unreadable: false,
        title: None,
        description: None,
    };
    let (ours, available) = (ResetType::CodexRateLimits, CreditStatus::Available);
    let list = vec![
        credit("never", None, available, ours),
        credit("late", Some(NOW + 9), available, ours),
        credit("soon", Some(NOW + 5), available, ours),
        credit("spent", Some(NOW + 1), CreditStatus::Redeemed, ours),
        credit("odd", Some(NOW + 1), available, ResetType::Unknown),
        credit("gone", Some(NOW - 1), available, ours),
    ];
    let ids: Vec<&str> = usable(&list, NOW).iter().map(|credit| credit.id.as_str()).collect();
    assert_eq!(ids, ["soon", "late", "never"]);
    let next = |count, list: Option<Vec<ResetCredit>>| match credits(
        &ResetCredits { available_count: count, credits: list },
        NOW,
    ) {
        Credits::Some(next) => format!("{:?}", next.id),
        other => format!("{other:?}"),
    };
    assert_eq!(next(2, Some(list.clone())), "Some(\"soon\")");
    assert_eq!(next(0, Some(list)), "None");
    assert_eq!(next(2, None), "None", "only the number is known, which is some credit without an id");
}
