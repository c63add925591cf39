//! What an empty conversation shows of this folder: the thread used last and the key that goes on with it, what is
//! changed in git, what is left of the limits. Three rows with fixed places, so that what comes late moves nothing;
//! gone as soon as something is said.

use ratatui::text::{Line, Span};

use super::door::{GitState, Glimpse, ThreadRow};
use super::popups::resume::age;
use super::text;
use super::theme::{Role, Theme};
use super::usage::look::{View, plain};
use crate::limits::text as words;
use crate::workspace::changed::Count;

/// Columns before the values.
const VALUES: usize = 10;
/// Below this width the values say less.
const NARROW: usize = 56;
/// Longest title that is read out, in cells.
const SPOKEN: usize = 80;
/// From this share on a limit is said to be scarce.
const SCARCE: f64 = 90.0;

/// What is known so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glance {
    /// Cells of the transcript while nothing was said.
    cells: usize,
    last: Option<Option<ThreadRow>>,
    git: Option<GitState>,
}

impl Glance {
    /// Nothing is known yet, over a transcript of so many cells.
    pub(crate) fn new(cells: usize) -> Self {
        Self { cells, ..Self::default() }
    }

    /// Whether nothing was said since, in a transcript of so many cells now.
    pub(crate) fn holds(&self, cells: usize) -> bool {
        self.cells == cells
    }

    /// Cells it stands under.
    pub(crate) fn cells(&self) -> usize {
        self.cells
    }

    /// Something was found.
    pub(crate) fn add(&mut self, glimpse: Glimpse) {
        match glimpse {
            Glimpse::Last(row) => self.last = Some(row),
            Glimpse::Git(state) => self.git = Some(state),
        }
    }

    /// The thread to go on with; the outer `None` while nobody knows.
    pub(crate) fn last(&self) -> Option<Option<&ThreadRow>> {
        self.last.as_ref().map(Option::as_ref)
    }

    /// Its rows: always as many. `key` goes on with the last thread.
    pub(crate) fn lines(&self, key: &str, view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let width = usize::from(width);
        let rows = [
            self.last_row(key, view, width, theme),
            self.git_row(width, theme),
            limits_row(view, width, theme),
        ];
        rows.into_iter().map(|row| text::truncate_line(row.unwrap_or_default(), width)).collect()
    }

    fn last_row(&self, key: &str, view: &View<'_>, width: usize, theme: &Theme) -> Option<Line<'static>> {
        let Some(row) = self.last.as_ref()? else {
            return Some(labelled("Last", vec![dim("no thread in this folder yet", theme)], theme));
        };
        let age = match age(view.now_s.saturating_mul(1000).saturating_sub(row.at_ms)) {
            _ if width < NARROW => String::new(),
            age if age == "now" => " · just now".to_owned(),
            age => format!(" · {age} ago"),
        };
        let after = if width < NARROW { " resumes" } else { " resumes it" };
        let tail = text::width(&age) + text::width(key) + text::width(after) + 3;
        let title = match plain(&row.title) {
            title if title.is_empty() => "(no prompt)".to_owned(),
            title => title,
        };
        let title = text::truncate_end(&title, width.saturating_sub(VALUES + tail).max(4)).into_owned();
        let spans = vec![
            Span::raw(title),
            dim(&format!("{age} · "), theme),
            Span::styled(key.to_owned(), theme.style(Role::Accent)),
            dim(after, theme),
        ];
        Some(labelled("Last", spans, theme))
    }

    fn git_row(&self, width: usize, theme: &Theme) -> Option<Line<'static>> {
        let (strong, rest) = git_words(self.git.as_ref()?, width < NARROW);
        Some(labelled("Git", vec![Span::raw(strong), dim(&rest, theme)], theme))
    }
}

/// What git tells, in words: what counts, and the rest.
fn git_words(git: &GitState, narrow: bool) -> (String, String) {
    let on = |branch: &Option<String>| {
        branch.as_deref().map(|branch| format!(" on {}", plain(branch))).unwrap_or_default()
    };
    match git {
        GitState::None => (String::new(), "no repository".to_owned()),
        GitState::Counted(branch, changed) => match counted(changed) {
            None => (String::new(), format!("no changes{}", on(branch))),
            Some(words) if narrow => (words, " · /diff".to_owned()),
            Some(words) => (words, format!("{} · /diff shows them", on(branch))),
        },
        GitState::Untrusted(branch) if narrow => (String::new(), format!("not counted{}", on(branch))),
        GitState::Untrusted(branch) => {
            (String::new(), format!("not counted{} · trust the folder to see changes", on(branch)))
        }
        GitState::Silent(branch) => (String::new(), format!("git does not answer{}", on(branch))),
    }
}

/// One piece as a sentence to be read out; nothing when it tells nothing to go on with.
pub(super) fn spoken(glimpse: &Glimpse, now_s: u64) -> Option<String> {
    match glimpse {
        Glimpse::Last(row) => {
            let row = row.as_ref()?;
            let age = match age(now_s.saturating_mul(1000).saturating_sub(row.at_ms)) {
                age if age == "now" => "just now".to_owned(),
                age => format!("{age} ago"),
            };
            let title = match plain(&row.title) {
                title if title.is_empty() => "without a prompt".to_owned(),
                title => text::truncate_end(&title, SPOKEN).into_owned(),
            };
            Some(format!("The last thread here, {age}: {title}. /last goes on with it."))
        }
        Glimpse::Git(git @ GitState::Counted(_, changed)) if counted(changed).is_some() => {
            let (strong, rest) = git_words(git, false);
            Some(format!("Git: {strong}{}.", rest.replace(" · /diff shows them", "; /diff tells them")))
        }
        Glimpse::Git(_) => None,
    }
}

fn counted(changed: &Count) -> Option<String> {
    let files = |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    let more = if changed.more { " or more" } else { "" };
    match (changed.known, changed.fresh) {
        (0, 0) => None,
        (known, 0) => Some(format!("{}{more} changed", files(known))),
        (0, fresh) => Some(format!("{}{more} new", files(fresh))),
        (known, fresh) => Some(format!("{} changed, {fresh} new{more}", files(known))),
    }
}

/// What is left of the plan; nothing without one, and nothing before it is known.
fn limits_row(view: &View<'_>, width: usize, theme: &Theme) -> Option<Line<'static>> {
    if !view.standing.shared {
        return None;
    }
    let windows = view.limits.map(|limits| limits.windows(view.now_s)).unwrap_or_default();
    let mut spans = Vec::new();
    for window in windows.iter().filter(|window| window.is_main()) {
        if !spans.is_empty() {
            spans.push(dim(" · ", theme));
        }
        let role = match window.used {
            used if used >= 100.0 => Role::Bad,
            used if used >= SCARCE => Role::Warn,
            _ => Role::Text,
        };
        spans.push(Span::styled(
            format!("{} {} left", window.name, words::left(window.used)),
            theme.style(role),
        ));
    }
    if spans.is_empty() {
        let words =
            if view.standing.failure.is_some() { "could not be read · /usage" } else { "being read …" };
        spans.push(dim(words, theme));
    } else if width >= NARROW {
        spans.push(dim(" · /usage", theme));
    }
    Some(labelled("Limits", spans, theme))
}

fn dim(words: &str, theme: &Theme) -> Span<'static> {
    Span::styled(words.to_owned(), theme.style(Role::Dim))
}

fn labelled(label: &str, values: Vec<Span<'static>>, theme: &Theme) -> Line<'static> {
    let mut spans = vec![dim(&format!("  {label:<fill$}", fill = VALUES - 2), theme)];
    spans.extend(values);
    Line::from(spans)
}

#[cfg(test)]
#[path = "glance_tests.rs"]
mod tests;
