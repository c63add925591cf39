//! The page that `/usage` opens: where the account stands, and what can be done. It opens on what is known and
//! changes in place. Redemption and token activity are pages behind it.

use ratatui::text::Line;

use super::activity::{self, Page as ActivityPage};
use super::credits;
use super::forecast;
use super::look::{View, plain, wrapped};
use super::redeem::{Flow, Move};
use super::windows;
use crate::limits::activity::{Activity, View as Chart};
use crate::limits::redeemer::Wish as Redemption;
use crate::limits::show;
use crate::tui::keymap::Keymap;
use crate::tui::keys::{Code, Key};
use crate::tui::popups::frame::{self, Drawn};
use crate::tui::popups::list::{List, Picked, Row};
use crate::tui::popups::wish::{Outcome, Wish};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// What the pages about limits want done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Read the numbers at once.
    Read,
    /// Read them when they are not fresh.
    Freshen,
    /// Look up what a redemption comes to; the page for it opens.
    Load,
    /// Carry the redemption out.
    Start,
    /// Ask for token activity.
    Activity(Chart),
    /// Ask for it again.
    ActivityAgain,
    /// Send the prompt again.
    Resend,
    /// Back to the question what to do about the limit.
    Panel,
    /// Redeem, then offer to send the prompt again.
    RedeemForPrompt,
    /// Send the prompt again at this moment (unix seconds, our clock).
    WaitUntil(u64),
    /// Choose another model.
    Model,
}

#[derive(Clone, Debug)]
enum Page {
    Menu,
    Redeem(Box<Flow>),
    Activity(ActivityPage),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Analytics,
    Redeem,
    Read,
}

/// `/usage`.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    page: Page,
    selected: usize,
    /// A prompt waits behind it.
    for_prompt: bool,
}

impl Usage {
    /// The first page.
    pub(crate) fn new() -> Self {
        Self { page: Page::Menu, selected: 0, for_prompt: false }
    }

    /// Redemption at once, because a prompt waits.
    pub(crate) fn for_prompt(question: u64) -> Self {
        Self { page: Page::Redeem(Box::new(Flow::new(question, true))), selected: 0, for_prompt: true }
    }

    /// Token activity at once.
    pub(crate) fn of_activity(chart: Chart, question: u64) -> Self {
        Self { page: Page::Activity(ActivityPage::new(chart, question)), selected: 0, for_prompt: false }
    }

    /// Opens the page of redemptions, or looks up again; the wish to be judged.
    pub(crate) fn load(&mut self, question: u64) -> Redemption {
        match &mut self.page {
            Page::Redeem(flow) => {
                flow.load(question);
                flow.wish()
            }
            Page::Menu | Page::Activity(_) => {
                let flow = Flow::new(question, self.for_prompt);
                let wish = flow.wish();
                self.page = Page::Redeem(Box::new(flow));
                wish
            }
        }
    }

    /// Opens the page of token activity, or asks again.
    pub(crate) fn load_activity(&mut self, chart: Option<Chart>, question: u64) {
        match &mut self.page {
            Page::Activity(page) => page.load(question),
            Page::Menu | Page::Redeem(_) => {
                self.page = Page::Activity(ActivityPage::new(chart.unwrap_or_default(), question));
            }
        }
    }

    /// The redemption that is open.
    pub(crate) fn flow(&mut self) -> Option<&mut Flow> {
        match &mut self.page {
            Page::Redeem(flow) => Some(&mut **flow),
            Page::Menu | Page::Activity(_) => None,
        }
    }

    /// Whether it floats over the screen: spending something is asked apart from everything else.
    pub(crate) fn floats(&self) -> bool {
        matches!(self.page, Page::Redeem(_))
    }

    /// Token activity came.
    pub(crate) fn activity(&mut self, question: u64, found: Result<Box<Activity>, String>) {
        if let Page::Activity(page) = &mut self.page {
            page.found(question, found);
        }
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, view: &View<'_>, keymap: &Keymap) -> Outcome {
        match &mut self.page {
            Page::Menu => self.on_menu_key(key, view, keymap),
            Page::Redeem(flow) => {
                let moved = flow.on_key(key, keymap);
                self.on_move(moved)
            }
            Page::Activity(page) => match page.on_key(key) {
                activity::Move::Stay => Outcome::Stay,
                activity::Move::Load => Outcome::Keep(Wish::Usage(Want::ActivityAgain)),
                activity::Move::Back => self.back(),
            },
        }
    }

    fn on_move(&mut self, moved: Move) -> Outcome {
        match moved {
            Move::Stay | Move::Held => Outcome::Stay,
            Move::Back if self.for_prompt => Outcome::Wish(Wish::Usage(Want::Panel)),
            Move::Back => self.back(),
            Move::Load => Outcome::Keep(Wish::Usage(Want::Load)),
            Move::Start => Outcome::Keep(Wish::Usage(Want::Start)),
            Move::Resend => Outcome::Wish(Wish::Usage(Want::Resend)),
        }
    }

    fn back(&mut self) -> Outcome {
        self.page = Page::Menu;
        Outcome::Keep(Wish::Usage(Want::Freshen))
    }

    fn on_menu_key(&mut self, key: Key, view: &View<'_>, keymap: &Keymap) -> Outcome {
        if key == Key::plain(Code::Char('r')) {
            return Outcome::Keep(Wish::Usage(Want::Read));
        }
        if key == Key::ctrl('c') || key == Key::plain(Code::Char('q')) {
            return Outcome::Close;
        }
        let (mut list, entries) = self.list(view);
        let picked = list.on_key(key, keymap);
        self.selected = list.selected();
        match picked {
            Picked::Closed => Outcome::Close,
            Picked::Refused(why) => Outcome::Keep(Wish::Notice(why)),
            Picked::Nothing | Picked::Moved => Outcome::Stay,
            Picked::Row(index) => Outcome::Keep(Wish::Usage(match entries.get(index) {
                Some(Entry::Analytics) => Want::Activity(Chart::Daily),
                Some(Entry::Redeem) => Want::Load,
                Some(Entry::Read) | None => Want::Read,
            })),
        }
    }

    fn list(&self, view: &View<'_>) -> (List, Vec<Entry>) {
        let plan = view.limits.and_then(|limits| limits.plan.as_ref());
        let workspace = plan.is_some_and(|plan| credits::is_workspace(&plan.value));
        let mut rows = vec![(Row::new("View analytics").detail("usage history"), Entry::Analytics)];
        let redeem = Row::new("Redeem reset");
        match view.resets() {
            None | Some(0) if workspace => {}
            None => rows.push((redeem.detail("check availability"), Entry::Redeem)),
            Some(0) => rows.push((redeem.detail("none available · check again"), Entry::Redeem)),
            Some(count) => rows.push((redeem.detail(format!("{count} available")), Entry::Redeem)),
        }
        rows.push((Row::new("Read again").detail("or press r"), Entry::Read));
        let (rows, entries) = rows.into_iter().unzip();
        let mut list = List::numbered(rows);
        list.select(self.selected);
        (list, entries)
    }

    /// Its rows, at most `height`.
    pub(crate) fn draw(&self, view: &View<'_>, width: u16, height: usize, theme: &Theme) -> Drawn {
        let (mut lines, keep) = match &self.page {
            Page::Menu => self.draw_menu(view, width, theme),
            Page::Redeem(flow) => flow.draw(view, width, height, theme),
            Page::Activity(page) => page.draw(view, width, theme),
        };
        let kept = keep.len();
        lines.extend(keep);
        Drawn::rows(frame::fit(lines, height, kept, theme))
    }

    fn draw_menu(
        &self,
        view: &View<'_>,
        width: u16,
        theme: &Theme,
    ) -> (Vec<Line<'static>>, Vec<Line<'static>>) {
        let plan = view.limits.and_then(|limits| limits.plan.as_ref());
        let plan = plan.map(|plan| format!(" · {}", credits::plan_name(&plan.value))).unwrap_or_default();
        let title = text::truncate_end(&format!("Usage{plan}"), 40).into_owned();
        let mut body = vec![frame::title(&title, &age(view), width, theme), Line::default()];
        let bars = windows::rows(view, width, theme);
        if bars.is_empty() {
            let words =
                if view.standing.reading { "Reading your limits …" } else { "No limits are known yet." };
            body.extend(wrapped(words, Role::Dim, 2, width, theme));
        }
        body.extend(bars);
        if view.limits.is_some_and(|limits| limits.is_reached(view.now_s)) {
            body.extend(wrapped("The usage limit is reached.", Role::Bad, 2, width, theme));
        }
        body.extend(failure(view, width, theme));
        let rest = [credits::rows(view, width, theme), forecast::advice(view, width, theme)];
        for part in rest.into_iter().filter(|part| !part.is_empty()) {
            body.push(Line::default());
            body.extend(part);
        }
        let (list, _) = self.list(view);
        let mut keep = vec![Line::default()];
        keep.extend(list.lines(width, list.len(), theme));
        keep.extend([Line::default(), frame::hint("enter select · esc close", width, theme)]);
        (body, keep)
    }
}

/// How old the numbers are, and whether fresh ones are on their way.
fn age(view: &View<'_>) -> String {
    let known = view.limits.filter(|limits| !limits.is_empty());
    let age = known.map(|limits| show::age_words(limits, view.now_s));
    match (age, view.standing.reading) {
        (Some(age), true) => format!("{age} · reading …"),
        (Some(age), false) => age,
        (None, true) => "reading …".to_owned(),
        (None, false) => String::new(),
    }
}

/// Why there are no fresher numbers.
fn failure(view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let shared = view.limits.and_then(|limits| limits.failure.as_ref());
    let words = match (&view.standing.failure, shared) {
        (Some(error), _) => plain(&error.to_string()),
        (None, Some(failure)) => plain(&failure.text),
        (None, None) => return Vec::new(),
    };
    wrapped(&format!("⚠ {words}"), Role::Warn, 2, width, theme)
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;
