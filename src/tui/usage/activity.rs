//! Tokens per day, per week and in all: a page of its own.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ratatui::text::{Line, Span};

use super::look::{View, wrapped};
use crate::limits::activity::{self, Activity};
use crate::tui::keys::{Code, Key};
use crate::tui::popups::frame;
use crate::tui::theme::{Role, Theme};

const VIEWS: [activity::View; 3] =
    [activity::View::Daily, activity::View::Weekly, activity::View::Cumulative];

/// The page.
#[derive(Clone, Debug)]
pub(super) struct Page {
    view: activity::View,
    question: u64,
    found: Option<Result<Box<Activity>, String>>,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Nothing.
    Stay,
    /// Back to the page before.
    Back,
    /// Ask again.
    Load,
}

impl Page {
    /// An empty page; the question is on its way.
    pub(super) fn new(view: activity::View, question: u64) -> Self {
        Self { view, question, found: None }
    }

    /// Asks again.
    pub(super) fn load(&mut self, question: u64) {
        self.question = question;
        self.found.take_if(|found| found.is_err());
    }

    /// What came back.
    pub(super) fn found(&mut self, question: u64, found: Result<Box<Activity>, String>) {
        if question == self.question && (found.is_ok() || self.found.is_none()) {
            self.found = Some(found);
        }
    }

    /// Takes a key.
    pub(super) fn on_key(&mut self, key: Key) -> Move {
        let at = VIEWS.iter().position(|view| *view == self.view).unwrap_or(0);
        let to = match key.code {
            Code::Tab | Code::Right => (at + 1) % VIEWS.len(),
            Code::BackTab | Code::Left => (at + VIEWS.len() - 1) % VIEWS.len(),
            Code::Char('d') => 0,
            Code::Char('w') => 1,
            Code::Char('c') if key.ctrl => return Move::Back,
            Code::Char('c') => 2,
            Code::Char('r') => return Move::Load,
            Code::Esc | Code::Char('q') => return Move::Back,
            _ => at,
        };
        self.view = VIEWS.get(to).copied().unwrap_or_default();
        Move::Stay
    }

    /// Its rows: a body that may be cut, and the rows that must stay.
    pub(super) fn draw(
        &self,
        view: &View<'_>,
        width: u16,
        theme: &Theme,
    ) -> (Vec<Line<'static>>, Vec<Line<'static>>) {
        let mut title = vec![Span::styled("  Token activity", theme.style(Role::Strong)), Span::raw("   ")];
        for each in VIEWS {
            let role = if each == self.view { Role::Selected } else { Role::Dim };
            title.push(Span::styled(format!(" {} ", each.word()), theme.style(role)));
        }
        let mut body = vec![Line::from(title)];
        match &self.found {
            None => body.push(Line::styled("  Reading …", theme.style(Role::Dim))),
            Some(Err(why)) => {
                let words = format!("Could not be read: {why}");
                body.extend(wrapped(&words, Role::Warn, 2, width, theme));
            }
            Some(Ok(found)) => {
                let room = usize::from(width.saturating_sub(4));
                let rows = activity::rows(found, self.view, today(view.now()), room);
                let mut rows = rows.iter();
                if let Some(figures) = rows.next() {
                    // A row breaks between figures, not within one.
                    let whole = figures.replace(' ', "\u{a0}").replace("\u{a0}·\u{a0}", " · ");
                    body.extend(wrapped(&whole, Role::Text, 2, width, theme));
                }
                body.extend(rows.map(|row| chart(row, theme)));
            }
        }
        let keys = frame::hint("tab view · r read again · esc back", width, theme);
        (body, vec![Line::default(), keys])
    }
}

/// Days are counted in UTC, as the service does.
fn today(now: u64) -> Date {
    let now = i64::try_from(now).ok().and_then(|now| Timestamp::from_second(now).ok()).unwrap_or_default();
    now.to_zoned(TimeZone::UTC).date()
}

/// A row of a chart: what is filled stands out, the rest steps back.
fn chart(row: &str, theme: &Theme) -> Line<'static> {
    let mut spans = vec![Span::raw("  ")];
    for part in row.split_inclusive(' ') {
        let filled = part.contains(|c: char| ('▁'..='▓').contains(&c));
        let role = if filled { Role::Good } else { Role::Dim };
        spans.push(Span::styled(part.to_owned(), theme.style(role)));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::tui::testing::{assert_screen, paper};

    #[test]
    fn keys_turn_the_views() {
        let mut page = Page::new(activity::View::Daily, 1);
        for (key, view, moved) in [
            (Key::plain(Code::Tab), activity::View::Weekly, Move::Stay),
            (Key::plain(Code::Char('c')), activity::View::Cumulative, Move::Stay),
            (Key::plain(Code::Right), activity::View::Daily, Move::Stay),
            (Key::plain(Code::Left), activity::View::Cumulative, Move::Stay),
            (Key::plain(Code::Char('r')), activity::View::Cumulative, Move::Load),
            (Key::ctrl('c'), activity::View::Cumulative, Move::Back),
        ] {
            assert_eq!((page.on_key(key), page.view), (moved, view));
        }
    }

    /// A year in which every third day is free and the last ones are busiest.
    fn year() -> Activity {
        let today = today(samples::NOW);
        let day = |back: i32| {
            let date = today.checked_sub(jiff::ToSpan::days(i64::from(back))).unwrap();
            let tokens = if back % 3 == 0 { 0 } else { u64::try_from(400 - back).unwrap() * 9_000 };
            (date, tokens)
        };
        Activity {
            lifetime_tokens: Some(387_900_000),
            peak_daily_tokens: Some(3_600_000),
            longest_turn_s: Some(3912),
            streak_days: Some(4),
            longest_streak_days: Some(17),
            days: Some((0..360).map(day).collect()),
        }
    }

    #[test]
    fn views() {
        let standing = samples::shared();
        let zone = crate::tui::moment::zone();
        let view = View { limits: None, standing: &standing, now_s: samples::NOW, zone };
        for (name, chart, found) in [
            ("loading", activity::View::Daily, None),
            ("failed", activity::View::Daily, Some(Err("the service cannot be reached".to_owned()))),
            ("daily", activity::View::Daily, Some(Ok(Box::new(year())))),
            ("weekly", activity::View::Weekly, Some(Ok(Box::new(year())))),
            ("cumulative", activity::View::Cumulative, Some(Ok(Box::new(year())))),
            ("nothing", activity::View::Daily, Some(Ok(Box::default()))),
        ] {
            let mut page = Page::new(chart, 1);
            if let Some(found) = found {
                page.found(1, found);
            }
            for width in [60, 80, 120] {
                let (mut lines, keep) = page.draw(&view, width, &Theme::default());
                lines.extend(keep);
                assert_screen!(format!("{name}_{width}"), paper(width, &lines));
            }
        }
    }

    #[test]
    fn late_answers_and_failures_take_nothing_away() {
        let mut page = Page::new(activity::View::Daily, 2);
        page.found(1, Ok(Box::default()));
        assert!(page.found.is_none(), "of another page");
        page.found(2, Ok(Box::default()));
        page.load(3);
        page.found(3, Err("no".to_owned()));
        assert!(page.found.is_some_and(|found| found.is_ok()));
    }
}
