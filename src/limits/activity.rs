//! Token activity as rows to look at: a heat map of days, columns of weeks, the running total. Pure: the answer of
//! the service and today come in, text or cells come out. Days outside the last 52 weeks are left out.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::text;
pub(crate) use crate::backend::activity::Activity;

/// Weeks of a year.
const WEEKS: usize = 52;

/// Rows of columns.
const HIGH: usize = 7;

/// Narrower than this nothing can be read, in columns.
const NARROWEST: usize = 24;

/// Which view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    /// A heat map of days.
    #[default]
    Daily,
    /// A column per week.
    Weekly,
    /// The running total.
    Cumulative,
}

impl View {
    /// The view that a word means.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "" | "day" | "daily" => Some(Self::Daily),
            "week" | "weekly" => Some(Self::Weekly),
            "cumulative" => Some(Self::Cumulative),
            _ => None,
        }
    }

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Cumulative => "cumulative",
        }
    }
}

/// Tokens per day of the weeks that fit `width`, oldest week first, Monday first; days after today are `None`.
pub(crate) fn weeks(activity: &Activity, today: Date, width: usize) -> Vec<[Option<u64>; 7]> {
    let days = activity.days.clone().unwrap_or_default();
    let count = width.saturating_sub(4).div_ceil(2).clamp(1, WEEKS);
    let since_monday = i64::from(today.weekday().since(Weekday::Monday));
    let week_of = |back: usize| {
        let monday = today.checked_sub((since_monday + 7 * back as i64).days()).ok();
        std::array::from_fn(|day| {
            let date = monday?.checked_add((day as i64).days()).ok()?;
            (date <= today).then(|| days.get(&date).copied().unwrap_or(0))
        })
    };
    (0..count).rev().map(week_of).collect()
}

/// Level of a day from 0 to 4, in fifths of the busiest one.
pub(crate) fn level(tokens: u64, most: u64) -> usize {
    if tokens == 0 || most == 0 {
        return 0;
    }
    ((tokens as f64 / most as f64 * 4.0).ceil() as usize).clamp(1, 4)
}

/// The figures above every view.
pub(crate) fn figures(activity: &Activity) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let streak = match (activity.streak_days, activity.longest_streak_days) {
        (Some(now), Some(best)) => format!("{now}d (best {best}d)"),
        (Some(now), None) => format!("{now}d"),
        _ => "-".to_owned(),
    };
    format!(
        "Lifetime {} · Peak {} · Streak {streak} · Longest task {}",
        or_dash(activity.lifetime_tokens.map(tokens)),
        or_dash(activity.peak_daily_tokens.map(tokens)),
        or_dash(activity.longest_turn_s.map(text::span)),
    )
}

/// A number of tokens: `950`, `9.9M`, `123M`.
pub(crate) fn tokens(count: u64) -> String {
    for (unit, name) in [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1000, "K")] {
        if count >= unit {
            let value = count as f64 / unit as f64;
            return if value < 100.0 { format!("{value:.1}{name}") } else { format!("{value:.0}{name}") };
        }
    }
    count.to_string()
}

/// A view as plain rows.
pub(crate) fn rows(activity: &Activity, view: View, today: Date, width: usize) -> Vec<String> {
    let mut rows = vec![figures(activity)];
    if activity.days.is_none() {
        rows.push("The service does not list days.".to_owned());
    } else if width < NARROWEST {
        rows.push(format!("At least {NARROWEST} columns are needed for the chart."));
    } else {
        let weeks = weeks(activity, today, width);
        rows.push(String::new());
        match view {
            View::Daily => daily(&weeks, &mut rows),
            View::Weekly => columns(&sums(&weeks), "tallest", &mut rows),
            View::Cumulative => columns(&running(activity, &weeks), "top", &mut rows),
        }
        // Above the last row, which explains the chart.
        rows.insert(rows.len().saturating_sub(1), months(today, weeks.len()));
    }
    rows
}

/// The total at the end of each week. It begins with what was used before the first one, so that it ends at the
/// lifetime figure; without that figure it begins with nothing.
fn running(activity: &Activity, weeks: &[[Option<u64>; 7]]) -> Vec<u64> {
    let sums = sums(weeks);
    let shown = sums.iter().fold(0_u64, |sum, week| sum.saturating_add(*week));
    let mut total = activity.lifetime_tokens.unwrap_or(0).saturating_sub(shown);
    sums.into_iter()
        .map(|week| {
            total = total.saturating_add(week);
            total
        })
        .collect()
}

fn sums(weeks: &[[Option<u64>; 7]]) -> Vec<u64> {
    weeks.iter().map(|week| week.iter().flatten().fold(0_u64, |sum, day| sum.saturating_add(*day))).collect()
}

fn daily(weeks: &[[Option<u64>; 7]], rows: &mut Vec<String>) {
    const LEVELS: [char; 5] = ['·', '░', '▒', '▓', '█'];
    let most = weeks.iter().flatten().flatten().copied().max().unwrap_or(0);
    for (day, name) in ["Mo", "  ", "We", "  ", "Fr", "  ", "Su"].into_iter().enumerate() {
        let mut row = format!("{name}  ");
        for week in weeks {
            let cell = week.get(day).copied().flatten();
            row.push(cell.and_then(|tokens| LEVELS.get(level(tokens, most))).copied().unwrap_or(' '));
            row.push(' ');
        }
        rows.push(row.trim_end().to_owned());
    }
    rows.push(format!("less {} more, busiest day {}", LEVELS.iter().collect::<String>(), tokens(most)));
}

/// The months below `count` weeks that end today, each where its first Monday is, as far as there is room.
fn months(today: Date, count: usize) -> String {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let since_monday = i64::from(today.weekday().since(Weekday::Monday));
    let month = |week: usize| {
        let back = since_monday + 7 * (count.saturating_sub(week + 1)) as i64;
        today.checked_sub(back.days()).ok().map(Date::month)
    };
    let mut row = String::from("    ");
    for week in 0..count {
        let (at, begins) = (4 + 2 * week, week == 0 || month(week) != month(week - 1));
        // The month that the chart begins with is named only when its name ends before the next one.
        let clear = week > 0 || month(0) == month(1);
        let fits = row.len() <= at && week + 1 < count;
        let name = month(week).and_then(|month| NAMES.get(usize::try_from(month - 1).ok()?));
        if let Some(name) = name.filter(|_| begins && clear && fits) {
            row.push_str(&" ".repeat(at - row.len()));
            row.push_str(name);
        }
    }
    row.truncate(row.trim_end().len());
    row
}

fn columns(values: &[u64], label: &str, rows: &mut Vec<String>) {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().max().unwrap_or(0);
    for row in (0..HIGH).rev() {
        let mut line = String::from("    ");
        for value in values {
            let filled = if most == 0 { 0.0 } else { *value as f64 / most as f64 * (HIGH * 8) as f64 };
            let mut cell = (filled.ceil() as usize).saturating_sub(row * 8).min(8);
            if row == 0 && *value > 0 {
                cell = cell.max(1);
            }
            line.push(EIGHTHS.get(cell).copied().unwrap_or(' '));
            line.push(' ');
        }
        rows.push(line.trim_end().to_owned());
    }
    rows.push(format!("{} weeks, {label} {}", values.len(), tokens(most)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(days: &[(&str, u64)]) -> Activity {
        let days = days.iter().map(|(day, tokens)| (day.parse().unwrap(), *tokens)).collect();
        Activity { lifetime_tokens: Some(123_456_789), days: Some(days), ..Activity::default() }
    }

    #[test]
    fn words_and_numbers() {
        assert_eq!(
            ["", "Day", "weekly", "cumulative"].map(View::of).map(Option::unwrap),
            [View::Daily, View::Daily, View::Weekly, View::Cumulative]
        );
        assert_eq!(View::of("yearly"), None);
        assert_eq!([0, 999, 1500, 9_940_000, 123_400_000].map(tokens), ["0", "999", "1.5K", "9.9M", "123M"]);
        assert_eq!([level(0, 9), level(1, 100), level(100, 100), level(5, 0)], [0, 1, 4, 0]);
    }

    #[test]
    fn the_grid_ends_today() {
        let today: Date = "2026-11-20".parse().unwrap(); // a Friday
        let activity =
            activity(&[("2026-11-16", 5), ("2026-11-20", 10), ("2026-11-21", 99), ("2020-01-01", 7)]);
        let weeks = weeks(&activity, today, 80);
        assert_eq!(weeks.len(), 38);
        assert_eq!(weeks[37], [Some(5), Some(0), Some(0), Some(0), Some(10), None, None]);
        assert_eq!(super::weeks(&activity, today, 500).len(), 52);
        let total: u64 = sums(&weeks).iter().sum();
        assert_eq!(total, 15);
        let all = running(&activity, &weeks);
        assert_eq!((all[0], all[37]), (123_456_774, 123_456_789), "it ends at the lifetime figure");
        for lifetime in [None, Some(3)] {
            let odd = Activity { lifetime_tokens: lifetime, ..activity.clone() };
            assert_eq!(running(&odd, &weeks)[37], 15, "{lifetime:?}");
        }
    }

    #[test]
    fn months_stand_below_their_first_monday() {
        let row = |today: &str, count| months(today.parse().unwrap(), count);
        assert_eq!(row("2026-11-20", 12), "      Sep     Oct     Nov");
        assert_eq!(row("2026-11-20", 4), "      Nov");
        assert_eq!(row("2026-11-02", 3), "    Oct", "no room for a month that begins this week");
        assert_eq!(row("2026-11-20", 1), "");
        assert_eq!(row("2026-11-20", 52).split_whitespace().count(), 12);
        for count in 1..=52 {
            assert!(row("2026-11-20", count).len() <= 4 + 2 * count, "{count}");
        }
    }

    #[test]
    fn every_view_fits_every_width() {
        let today: Date = "2026-11-20".parse().unwrap();
        let full = activity(&[("2026-11-16", 5), ("2026-10-16", 500)]);
        for view in [View::Daily, View::Weekly, View::Cumulative] {
            for width in [0, 10, 24, 60, 80, 120, 1000] {
                for row in rows(&full, view, today, width).iter().skip(1).filter(|_| width >= NARROWEST) {
                    assert!(row.chars().count() <= width.max(60), "{view:?} {width}: {row}");
                }
            }
            assert!(rows(&Activity::default(), view, today, 80)[1].contains("does not list"));
        }
        assert!(figures(&Activity::default()).contains("Lifetime - "));
    }
}
