//! The lists above the prompt: commands after `/`, files after `@`. Pure state; files are searched for outside
//! and come in when they are found.

use super::clusters::{head, slice};
use crate::tui::slash;
use crate::workspace::search::{Hit, Kind};

/// Rows a list shows at once.
pub(crate) const ROWS: usize = 8;

/// A list that is open.
#[derive(Clone, Debug)]
pub(crate) enum Popup {
    /// Commands.
    Commands(Picker<&'static slash::Row>),
    /// Files.
    Files(Files),
}

/// Rows and the chosen one.
#[derive(Clone, Debug)]
pub(crate) struct Picker<T> {
    /// All rows.
    pub(crate) rows: Vec<T>,
    /// The highlighted one.
    pub(crate) selected: usize,
}

/// Files found for what stands behind `@`.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// What is looked for.
    pub(crate) query: String,
    /// What was found so far; rows of the former query until there is an answer, so that nothing flickers.
    pub(crate) found: Picker<Hit>,
    /// The search has not ended.
    pub(crate) searching: bool,
}

/// How to move in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// One row.
    Up,
    /// One row.
    Down,
    /// A page.
    PageUp,
    /// A page.
    PageDown,
}

impl<T> Picker<T> {
    /// A list with its first row chosen.
    pub(crate) fn new(rows: Vec<T>) -> Self {
        Self { rows, selected: 0 }
    }

    /// Moves the choice; single steps go round.
    pub(crate) fn go(&mut self, step: Move) {
        let last = self.rows.len().saturating_sub(1);
        self.selected = match step {
            Move::Up if self.selected == 0 => last,
            Move::Up => self.selected - 1,
            Move::Down if self.selected >= last => 0,
            Move::Down => self.selected + 1,
            Move::PageUp => self.selected.saturating_sub(ROWS),
            Move::PageDown => (self.selected + ROWS).min(last),
        };
    }

    /// The chosen row.
    pub(crate) fn chosen(&self) -> Option<&T> {
        self.rows.get(self.selected)
    }

    /// The rows to draw when there is room for `room`, with the index of the first.
    pub(crate) fn visible(&self, room: usize) -> (usize, &[T]) {
        let from = self.selected.saturating_sub(room.saturating_sub(1));
        let to = (from + room).min(self.rows.len());
        (from, self.rows.get(from..to).unwrap_or_default())
    }
}

/// The list that is open, if any, and what the person closed.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    popup: Option<Popup>,
    /// Byte where the subject begins whose list was closed: it stays closed while that is typed on.
    closed: Option<usize>,
}

impl Completion {
    /// The open list.
    pub(crate) fn popup(&self) -> Option<&Popup> {
        self.popup.as_ref()
    }

    /// Moves the choice; false when no list is open.
    pub(crate) fn go(&mut self, step: Move) -> bool {
        match &mut self.popup {
            Some(Popup::Commands(list)) => list.go(step),
            Some(Popup::Files(files)) => files.found.go(step),
            None => return false,
        }
        true
    }

    /// Closes the list at the person's wish; false when none is open.
    pub(crate) fn close(&mut self, text: &str, cursor: usize, shell: bool) -> bool {
        self.closed = subject(text, cursor, shell).map(|s| s.start());
        self.popup.take().is_some()
    }

    /// Closes the list because the text is another one now.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Fits the list to the text. Returns the query when files have to be searched for.
    pub(crate) fn refresh(&mut self, text: &str, cursor: usize, shell: bool) -> Option<String> {
        let subject = subject(text, cursor, shell);
        if subject.as_ref().map(Subject::start) != self.closed {
            self.closed = None;
        }
        match subject.filter(|_| self.closed.is_none()) {
            None => self.popup = None,
            Some(Subject::Command(name)) => {
                let rows = slash::filter(&name);
                self.popup = (!rows.is_empty()).then(|| Popup::Commands(Picker::new(rows)));
            }
            Some(Subject::File { query, .. }) => return self.files(query),
        }
        None
    }

    fn files(&mut self, query: String) -> Option<String> {
        let found = match &self.popup {
            Some(Popup::Files(files)) if files.query == query => return None,
            Some(Popup::Files(files)) => Picker::new(files.found.rows.clone()),
            _ => Picker::new(Vec::new()),
        };
        self.popup = Some(Popup::Files(Files { query: query.clone(), found, searching: true }));
        Some(query)
    }

    /// Takes in files found for `query`; late answers to earlier queries are passed over. The chosen file stays
    /// chosen while better ones come in above it, once the person has moved to it.
    pub(crate) fn found(&mut self, query: &str, rows: Vec<Hit>, done: bool) {
        let Some(Popup::Files(files)) = &mut self.popup else { return };
        if files.query != query {
            return;
        }
        let chosen = files.found.chosen().filter(|_| files.found.selected > 0).map(|h| h.path.clone());
        let selected = chosen.and_then(|path| rows.iter().position(|r| r.path == path)).unwrap_or(0);
        files.found = Picker { rows, selected };
        files.searching = !done;
    }
}

/// What the cursor stands behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The name of a command, without its slash.
    Command(String),
    /// An `@` at byte `start` and what follows it up to the cursor.
    File {
        /// Byte of the `@`.
        start: usize,
        /// What follows.
        query: String,
    },
}

impl Subject {
    /// Byte where it begins.
    pub(crate) fn start(&self) -> usize {
        match self {
            Self::Command(_) => 0,
            Self::File { start, .. } => *start,
        }
    }
}

/// Finds what could be completed at the cursor. Commands only where they are understood: at the very start.
pub(crate) fn subject(text: &str, cursor: usize, shell: bool) -> Option<Subject> {
    let before = head(text, cursor);
    if let Some(name) = before.strip_prefix('/').filter(|_| !shell)
        && !name.contains(char::is_whitespace)
        && !text.contains('\n')
    {
        return Some(Subject::Command(name.to_owned()));
    }
    let start = before.rfind('@')?;
    let query = slice(text, start + 1, cursor);
    let word = !query.contains(|c: char| c.is_whitespace() || super::elements::is_token(c));
    let begins =
        head(text, start).chars().next_back().is_none_or(|c| c.is_whitespace() || "([{\"'`".contains(c));
    (word && begins).then(|| Subject::File { start, query: query.to_owned() })
}

/// A found path as it goes into the text: quoted when it holds blanks.
pub(crate) fn inserted_path(hit: &Hit) -> String {
    let path = if hit.kind == Kind::Folder { format!("{}/", hit.path) } else { hit.path.clone() };
    let path = super::elements::clean(&path).replace('\n', " ");
    if path.contains(char::is_whitespace) { format!("\"{path}\" ") } else { format!("{path} ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        let file = |start, query: &str| Some(Subject::File { start, query: query.into() });
        let command = |name: &str| Some(Subject::Command(name.into()));
        // `|` is the cursor.
        for (given, shell, want) in [
            ("/|", false, command("")),
            ("/sta|tus", false, command("sta")),
            ("/rename x|", false, None),
            ("/status\n|", false, None),
            ("/ls|", true, None),
            (" /x|", false, None),
            ("@|", false, file(0, "")),
            ("see @src/m|", false, file(4, "src/m")),
            ("see (@ma|in", false, file(5, "ma")),
            ("cat @a|", true, file(4, "a")),
            ("me@example|", false, None),
            ("@a b|", false, None),
            ("/rename @a|", false, file(8, "a")),
            ("", false, None),
        ] {
            let cursor = given.find('|').unwrap_or(0);
            let text = given.replace('|', "");
            assert_eq!(subject(&text, cursor, shell), want, "{given:?}");
        }
    }

    #[test]
    fn moving_in_a_list() {
        let mut list = Picker::new((0..20).collect::<Vec<_>>());
        for (step, want) in [
            (Move::Up, 19),
            (Move::Down, 0),
            (Move::PageDown, 8),
            (Move::PageDown, 16),
            (Move::PageDown, 19),
            (Move::PageUp, 11),
            (Move::Down, 12),
        ] {
            list.go(step);
            assert_eq!(list.selected, want, "{step:?}");
        }
        assert_eq!(list.visible(8), (5, [5, 6, 7, 8, 9, 10, 11, 12].as_slice()));
        let mut none = Picker::<u8>::new(vec![]);
        none.go(Move::Down);
        assert_eq!((none.chosen(), none.visible(8)), (None, (0, [].as_slice())));
    }

    #[test]
    fn paths_with_blanks_are_quoted() {
        let hit = |path: &str, kind| Hit { path: path.into(), kind, marks: vec![] };
        assert_eq!(inserted_path(&hit("src/a.rs", Kind::File)), "src/a.rs ");
        assert_eq!(inserted_path(&hit("my notes/a b.md", Kind::File)), "\"my notes/a b.md\" ");
        assert_eq!(inserted_path(&hit("src", Kind::Folder)), "src/ ");
    }
}
