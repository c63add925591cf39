//! `/review`: what is to be reviewed. A menu, and behind it a list of branches or commits in which typing filters.

use ratatui::text::{Line, Span};

use super::field::Field;
use super::frame::{self, Drawn};
use super::list::{List, Picked, Row};
use super::menu::Menu;
use super::wish::{Outcome, Wish};
use crate::protocol::review::Target;
use crate::tui::keymap::Keymap;
use crate::tui::keys::Key;
use crate::tui::theme::{Role, Theme};
use crate::workspace::commits::{Branch, Commit};

/// Rows that are shown at once.
const ROWS: usize = 12;
/// Hexadecimal digits of a commit that are shown.
const SHORT_SHA: usize = 7;

/// What can be chosen from in a list of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Branches to compare with.
    Branches,
    /// Commits of the current branch.
    Commits,
}

/// The lists, as they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choices {
    /// Branches.
    Branches(Vec<Branch>),
    /// Commits.
    Commits(Vec<Commit>),
}

/// The question what is to be reviewed.
pub(crate) fn menu() -> Menu {
    let row = |label: &str, detail: &str, wish: Wish| (Row::new(label).detail(detail), wish);
    let rows = vec![
        row("Against a base branch", "the work since they parted", Wish::ReviewList(Kind::Branches)),
        row(
            "Uncommitted changes",
            "staged, unstaged and new files",
            Wish::Review(Target::UncommittedChanges),
        ),
        row("A commit", "what it changed", Wish::ReviewList(Kind::Commits)),
        row("Own instructions", "say what to look at", Wish::ReviewWords),
    ];
    Menu::new("What is to be reviewed?", rows)
        .text("A reviewer of its own reads the changes; its commands write nothing.")
}

/// The open list.
#[derive(Clone, Debug)]
pub(crate) struct Picker {
    title: &'static str,
    /// Rows and what they stand for.
    all: Vec<(Row, Target)>,
    /// Places in `all` of the rows that are listed.
    listed: Vec<usize>,
    filter: Field,
    list: List,
}

impl Picker {
    /// A list of these.
    pub(crate) fn new(choices: Choices) -> Self {
        let (title, all): (_, Vec<(Row, Target)>) = match choices {
            Choices::Branches(branches) => ("Which branch to compare with?", of_branches(branches)),
            Choices::Commits(commits) => ("Which commit?", of_commits(commits)),
        };
        let (filter, list) = (Field::default(), List::plain(Vec::new()));
        let mut picker = Self { title, all, listed: Vec::new(), filter, list };
        picker.refilter();
        picker
    }

    fn refilter(&mut self) {
        let wanted = self.filter.text().to_lowercase();
        let fits =
            |row: &Row| [&row.label, &row.detail].iter().any(|text| text.to_lowercase().contains(&wanted));
        self.listed =
            self.all.iter().enumerate().filter(|(_, (row, _))| fits(row)).map(|(at, _)| at).collect();
        let rows = self.listed.iter().filter_map(|at| Some(self.all.get(*at)?.0.clone()));
        self.list = List::plain(rows.collect());
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Outcome {
        match self.list.on_key(key, keymap) {
            Picked::Row(row) => {
                let chosen = self.listed.get(row).and_then(|at| self.all.get(*at));
                chosen.map_or(Outcome::Stay, |(_, target)| Outcome::Wish(Wish::Review(target.clone())))
            }
            Picked::Closed => Outcome::Wish(Wish::ReviewMenu),
            Picked::Nothing if key == Key::ctrl('c') => Outcome::Close,
            Picked::Nothing => {
                if self.filter.on_key(key) {
                    self.refilter();
                }
                Outcome::Stay
            }
            Picked::Moved | Picked::Refused(_) => Outcome::Stay,
        }
    }

    /// Adds pasted text to the filter.
    pub(crate) fn paste(&mut self, text: &str) {
        self.filter.put(text);
        self.refilter();
    }

    /// Its rows.
    pub(crate) fn draw(&self, width: u16, height: usize, theme: &Theme) -> Drawn {
        let (shown, column) = self.filter.view(usize::from(width.saturating_sub(12)), false);
        let filter = Line::from(vec![Span::styled("  Filter: ", theme.style(Role::Dim)), Span::raw(shown)]);
        let place = match self.list.len() {
            0 => String::new(),
            all => format!("{} / {all}", self.list.selected() + 1),
        };
        let mut lines = vec![frame::title(self.title, &place, width, theme), filter];
        let room = height.saturating_sub(lines.len() + 2).clamp(1, ROWS);
        let rows = self.list.lines(width, room, theme);
        let nothing = if self.all.is_empty() { "There is nothing to choose from." } else { "Nothing fits." };
        if rows.is_empty() {
            lines.extend(frame::prose(nothing, Role::Dim, width, theme));
        }
        let keep = rows.len().max(1) + 2;
        lines.extend(rows);
        lines.push(Line::default());
        lines.push(frame::hint("type to filter · enter review · esc back", width, theme));
        Drawn { lines: frame::fit(lines, height, keep, theme), cursor: Some((10 + column, 1)) }
    }
}

fn of_branches(branches: Vec<Branch>) -> Vec<(Row, Target)> {
    let row = |branch: Branch| {
        // What is shown is cleaned; git gets the name as it is.
        let label = crate::base::clean::line(&branch.name, 200);
        (Row::new(label).detail(branch.last), Target::BaseBranch { branch: branch.name })
    };
    branches.into_iter().map(row).collect()
}

fn of_commits(commits: Vec<Commit>) -> Vec<(Row, Target)> {
    let row = |commit: Commit| {
        let short: String = commit.sha.chars().take(SHORT_SHA).collect();
        let row = Row::new(short).detail(commit.title.clone()).right(commit.when);
        (row, Target::Commit { sha: commit.sha, title: Some(commit.title) })
    };
    commits.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::Code;
    use crate::tui::testing::{assert_screen, paper};

    fn branches() -> Picker {
        let branch = |name: &str, last: &str| Branch { name: name.to_owned(), last: last.to_owned() };
        Picker::new(Choices::Branches(vec![
            branch("main", "2 days ago · Keep the lock while the file is replaced"),
            branch("release/2.0", "3 weeks ago · Version 2.0"),
            branch("origin/a-branch-with-quite-a-long-name-that-says-everything", "1 year ago · Begin"),
        ]))
    }

    fn commits() -> Picker {
        let commit = |n: u32, title: &str, when: &str| Commit {
            sha: format!("{:x}00000000", (u128::from(n) << 96) | 0x5eed),
            title: title.to_owned(),
            when: when.to_owned(),
        };
        Picker::new(Choices::Commits(vec![
            commit(0x67_444bd1, "Say why a thread cannot be continued, and what would help", "5 minutes ago"),
            commit(0x2e_1e8f40, "Mend", "3 days ago"),
        ]))
    }

    #[test]
    fn typing_filters_and_enter_chooses() {
        let map = Keymap::default();
        let mut picker = branches();
        assert_eq!(picker.on_key(Key::plain(Code::Char('v')), &map), Outcome::Stay);
        picker.paste("ersion");
        let branch = "release/2.0".to_owned();
        let chosen = Outcome::Wish(Wish::Review(Target::BaseBranch { branch }));
        assert_eq!(picker.on_key(Key::plain(Code::Enter), &map), chosen);
        picker.paste("nothing like it");
        assert_eq!(picker.on_key(Key::plain(Code::Enter), &map), Outcome::Stay);
        assert_eq!(picker.on_key(Key::plain(Code::Esc), &map), Outcome::Wish(Wish::ReviewMenu));
    }

    #[test]
    fn hostile_names_are_shown_clean_and_kept_as_they_are() {
        let name = "a\u{1b}[2Jb".to_owned();
        let picker = Picker::new(Choices::Branches(vec![Branch { name: name.clone(), last: String::new() }]));
        assert_eq!(picker.all[0].0.label, "a [2Jb");
        assert_eq!(picker.all[0].1, Target::BaseBranch { branch: name });
    }

    #[test]
    fn views() {
        for width in [60, 80, 120] {
            let theme = Theme::default();
            assert_screen!(format!("menu_{width}"), paper(width, &menu().draw(width, 20, &theme).lines));
            assert_screen!(
                format!("branches_{width}"),
                paper(width, &branches().draw(width, 20, &theme).lines)
            );
            assert_screen!(
                format!("commits_{width}"),
                paper(width, &commits().draw(width, 20, &theme).lines)
            );
        }
        let empty = Picker::new(Choices::Branches(Vec::new()));
        assert_screen!("no_branches", paper(60, &empty.draw(60, 20, &Theme::default()).lines));
    }
}
