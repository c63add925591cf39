//! How to pay for answers, when nothing is stored: a ChatGPT account, an API key, or a look around with a scripted
//! service. While a sign-in waits for the browser, the page shows where to go; `esc` gives up.

use ratatui::text::{Line, Span};

use crate::base::secret::Secret;
use crate::tui::door::Way;
use crate::tui::keymap::Keymap;
use crate::tui::keys::{Code, Key};
use crate::tui::popups::field::Field;
use crate::tui::popups::frame::{self, Drawn};
use crate::tui::popups::list::{List, Picked, Row};
use crate::tui::text::{self, links};
use crate::tui::theme::{Role, Theme};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Stay,
    /// Sign in with ChatGPT.
    SignIn(Way),
    /// The address that the browser ended at.
    Pasted(Secret),
    /// Stop the sign-in that waits.
    GiveUp,
    /// Copy what has to get to the browser; a name for it comes first.
    Copy(&'static str, String),
    /// Use this key.
    ApiKey(Secret),
    /// Try it offline.
    Demo,
    /// Leave the program.
    Quit,
}

/// The page.
pub(crate) struct Page {
    list: List,
    /// The ways of the first rows.
    ways: [Way; 2],
    step: Step,
    busy: bool,
    trouble: Option<String>,
}

/// What the page is about.
enum Step {
    Choices,
    Key(Field),
    /// Signing in; the address and the code once they are known.
    Waiting(Way, Option<Shown>),
}

/// Where to go.
struct Shown {
    url: String,
    code: Option<String>,
}

impl Page {
    /// The choices. Where a browser would not be seen, the code comes first.
    pub(crate) fn new(browser: bool) -> Self {
        let ways = if browser { [Way::Browser, Way::Code] } else { [Way::Code, Way::Browser] };
        let row = |way| match way {
            Way::Browser => Row::new("Sign in with ChatGPT").detail("included in Plus, Pro, Business"),
            Way::Code => Row::new("Sign in with a code").detail("in a browser on any device"),
        };
        let mut rows: Vec<Row> = ways.iter().map(|way| row(*way)).collect();
        rows.extend([
            Row::new("Use an API key").detail("you pay for what you use"),
            Row::new("Try it offline").detail("nothing leaves this machine"),
            Row::new("Leave"),
        ]);
        Self { list: List::numbered(rows), ways, step: Step::Choices, busy: false, trouble: None }
    }

    /// Says why what is stored cannot be used.
    pub(crate) fn with_trouble(mut self, trouble: Option<String>) -> Self {
        self.trouble = trouble;
        self
    }

    /// The sign-in shows where to go.
    pub(crate) fn show(&mut self, way: Way, url: String, code: Option<String>) {
        if let Step::Waiting(waiting, shown) = &mut self.step
            && *waiting == way
        {
            *shown = Some(Shown { url, code });
        }
    }

    /// The key was not taken, or the sign-in failed.
    pub(crate) fn refused(&mut self, why: &str) {
        if matches!(self.step, Step::Waiting(..)) {
            self.step = Step::Choices;
        } else if !self.busy {
            // Of a sign-in that was given up.
            return;
        }
        self.busy = false;
        self.trouble = Some(why.to_owned());
    }

    /// What was pasted is not the address the browser ended at.
    pub(crate) fn not_pasted(&mut self, why: &str) {
        if matches!(self.step, Step::Waiting(..)) {
            self.trouble = Some(why.to_owned());
        }
    }

    /// Adds pasted text to the key, or takes it as the address the browser ended at.
    pub(crate) fn paste(&mut self, text: &str) -> Outcome {
        match &mut self.step {
            Step::Key(field) => field.put(text.trim()),
            Step::Waiting(Way::Browser, Some(_)) => {
                self.trouble = None;
                return Outcome::Pasted(Secret::new(text.trim()));
            }
            Step::Choices | Step::Waiting(..) => {}
        }
        Outcome::Stay
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Outcome {
        if key == Key::ctrl('c') {
            return Outcome::Quit;
        }
        if self.busy {
            return Outcome::Stay;
        }
        match &mut self.step {
            Step::Choices => match self.list.on_key(key, keymap) {
                Picked::Row(row) => return self.choose(row),
                Picked::Closed => return Outcome::Quit,
                Picked::Nothing | Picked::Moved | Picked::Refused(_) => {}
            },
            Step::Key(field) => match key.code {
                Code::Esc => self.back(),
                Code::Enter if !field.text().trim().is_empty() => {
                    self.busy = true;
                    self.trouble = None;
                    return Outcome::ApiKey(Secret::new(field.text().trim()));
                }
                _ => drop(field.on_key(key)),
            },
            Step::Waiting(_, shown) => match (key.code, shown) {
                (Code::Esc, _) => {
                    self.back();
                    return Outcome::GiveUp;
                }
                (Code::Char('c'), Some(Shown { code: Some(code), .. })) => {
                    return Outcome::Copy("Code", code.clone());
                }
                (Code::Char('c'), Some(Shown { url, .. })) => return Outcome::Copy("Address", url.clone()),
                _ => {}
            },
        }
        Outcome::Stay
    }

    fn choose(&mut self, row: usize) -> Outcome {
        self.trouble = None;
        if let Some(way) = self.ways.get(row).copied() {
            self.step = Step::Waiting(way, None);
            return Outcome::SignIn(way);
        }
        match row {
            2 => {
                self.step = Step::Key(Field::default());
                Outcome::Stay
            }
            3 => {
                self.busy = true;
                Outcome::Demo
            }
            _ => Outcome::Quit,
        }
    }

    fn back(&mut self) {
        self.step = Step::Choices;
        self.trouble = None;
    }

    /// Its rows, at most `height`: without the blank ones and what needs not be said where that is little.
    pub(crate) fn draw(&self, width: u16, height: usize, theme: &Theme) -> Drawn {
        let roomy = self.laid_out(true, width, theme);
        if roomy.lines.len() <= height {
            return roomy;
        }
        let close = self.laid_out(false, width, theme);
        Drawn { lines: frame::fit(close.lines, height, 1, theme), cursor: close.cursor }
    }

    fn laid_out(&self, roomy: bool, width: u16, theme: &Theme) -> Drawn {
        let gap = |lines: &mut Vec<Line<'static>>| lines.extend(roomy.then(Line::default));
        let mut lines = Vec::new();
        gap(&mut lines);
        lines.push(frame::title("Welcome to codex", "", width, theme));
        gap(&mut lines);
        let mut cursor = None;
        match &self.step {
            Step::Choices => {
                if roomy {
                    let text = "Codex needs a service that answers. How do you want to sign in?";
                    lines.extend(frame::prose(text, Role::Text, width, theme));
                }
                gap(&mut lines);
                lines.extend(self.list.lines(width, 5, theme));
            }
            Step::Key(field) => {
                let text =
                    "Paste or type your API key. It is stored in your codex folder, readable only by you.";
                lines.extend(frame::prose(text, Role::Text, width, theme));
                gap(&mut lines);
                let (shown, column) = field.view(usize::from(width.saturating_sub(6)), true);
                cursor = u16::try_from(lines.len()).ok().map(|row| (4 + column, row));
                lines.push(Line::from(vec![
                    Span::styled("  › ", theme.style(Role::Accent)),
                    Span::raw(shown),
                ]));
            }
            Step::Waiting(way, shown) => {
                let opens = self.ways.first() == Some(&Way::Browser);
                let rows = waiting(*way, shown.as_ref(), opens, width, theme);
                lines.extend(rows.into_iter().filter(|row| roomy || !row.spans.is_empty()));
            }
        }
        if let Some(trouble) = &self.trouble {
            gap(&mut lines);
            lines.extend(frame::prose(&format!("■ {trouble}"), Role::Bad, width, theme));
        }
        gap(&mut lines);
        lines.push(frame::hint(self.hint(), width, theme));
        Drawn { lines, cursor }
    }

    fn hint(&self) -> &'static str {
        match (&self.step, self.busy) {
            (_, true) => "one moment…",
            (Step::Choices, _) => "enter select · esc leave",
            (Step::Key(_), _) => "enter use this key · esc back",
            (Step::Waiting(_, None), _) => "esc back",
            (Step::Waiting(Way::Browser, _), _) => "c copy the address · esc back",
            (Step::Waiting(Way::Code, _), _) => "c copy the code · esc back",
        }
    }
}

/// The rows of a sign-in that waits; `opens`: a browser opens by itself.
fn waiting(way: Way, shown: Option<&Shown>, opens: bool, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let prose = |text: &str| frame::prose(text, Role::Text, width, theme);
    let Some(Shown { url, code }) = shown else {
        return prose(match way {
            Way::Browser => "Preparing the sign-in…",
            Way::Code => "Asking for a code…",
        });
    };
    let url = text::sanitize(url).replace('\n', " ");
    let style = links::mark(theme.style(Role::Accent), &url);
    let address = || {
        let line = Line::from(Span::styled(url.clone(), style));
        text::hard_wrap(&line, width.saturating_sub(2), &Line::from("  "), &Line::from("  "))
    };
    let mut lines = Vec::new();
    match code {
        None => {
            lines.extend(prose(match opens {
                true => "Sign in in the browser that opens. If none does, open this address:",
                false => "Open this address in a browser and sign in:",
            }));
            lines.push(Line::default());
            lines.extend(address());
            lines.push(Line::default());
            lines.extend(prose(
                "A browser on another machine ends at an address it cannot open: paste that here. Waiting…",
            ));
        }
        Some(code) => {
            let code = text::sanitize(code).replace('\n', " ");
            lines.extend(prose("Open this address in a browser, on any device, and sign in:"));
            lines.push(Line::default());
            lines.extend(address());
            lines.push(Line::default());
            lines.extend(prose("Type this code there; it counts for 15 minutes:"));
            lines.push(Line::default());
            let bold = theme.style(Role::Accent).add_modifier(ratatui::style::Modifier::BOLD);
            lines.push(Line::from(vec![Span::raw("  "), Span::styled(code, bold)]));
            lines.push(Line::default());
            lines.extend(prose("Never give the code to anybody: whoever uses it signs codex in. Waiting…"));
        }
    }
    lines
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
