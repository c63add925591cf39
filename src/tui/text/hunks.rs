//! Reads a unified diff line by line. Tolerant: a diff without headers is all content, and what is neither header
//! nor content is a note, because a diff of which a part is missing on the screen would be a lie.

/// One thing a diff says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// The lines that follow are of this file.
    File(&'a str),
    /// The first hunk of a file begins.
    Start,
    /// Lines of the file are left out here.
    Gap,
    /// A line of the file, with its number on its side.
    Line {
        /// Which version has it.
        side: Side,
        /// From 1; the new number for a line that both have.
        number: usize,
        /// Without the sign.
        text: &'a str,
    },
    /// Anything else.
    Note(&'a str),
}

/// Which version of the file has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Only the one before: removed.
    Old,
    /// Only the one after: added.
    New,
    /// Both: context.
    Both,
}

/// The entries of a diff, in order.
pub(super) struct Reader<'a> {
    lines: std::str::Split<'a, char>,
    hunk: Option<Hunk>,
    /// The number the next line would have if nothing was left out.
    expected: Option<usize>,
}

/// Where a hunk is, and how much of it is to come.
#[derive(Clone, Copy)]
struct Hunk {
    old: usize,
    new: usize,
    old_left: usize,
    new_left: usize,
}

impl<'a> Reader<'a> {
    /// Reads `unified`.
    pub(super) fn new(unified: &'a str) -> Self {
        let lines = unified.strip_suffix('\n').unwrap_or(unified).split('\n');
        let mut reader = Self { lines, hunk: None, expected: None };
        let headless = !unified.is_empty() && !unified.split('\n').any(|line| header(line).is_some());
        if headless && !unified.starts_with("diff ") {
            reader.hunk = Some(Hunk { old: 1, new: 1, old_left: usize::MAX, new_left: usize::MAX });
        }
        reader
    }

    fn content(&mut self, line: &'a str) -> Option<Entry<'a>> {
        let hunk = self.hunk.as_mut()?;
        let mut rest = line.chars();
        let (side, text) = match rest.next() {
            Some('+') if hunk.new_left > 0 => (Side::New, rest.as_str()),
            Some('-') if hunk.old_left > 0 => (Side::Old, rest.as_str()),
            Some(' ') if hunk.new_left > 0 => (Side::Both, rest.as_str()),
            // Some programs strip the space of an empty line of context.
            None if hunk.new_left > 0 && hunk.old_left > 0 => (Side::Both, ""),
            _ => return None,
        };
        let number = if side == Side::Old { hunk.old } else { hunk.new };
        if side != Side::New {
            hunk.old += 1;
            hunk.old_left = hunk.old_left.saturating_sub(1);
        }
        if side != Side::Old {
            hunk.new += 1;
            hunk.new_left = hunk.new_left.saturating_sub(1);
        }
        self.expected = Some(hunk.new);
        Some(Entry::Line { side, number, text })
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let line = self.lines.next()?;
            if let Some(entry) = self.content(line) {
                return Some(entry);
            }
            if let Some(hunk) = header(line) {
                self.hunk = Some(hunk);
                let gap = self.expected.is_some_and(|expected| hunk.new > expected);
                return Some(if gap { Entry::Gap } else { Entry::Start });
            }
            if let Some(paths) = line.strip_prefix("diff --git ") {
                (self.hunk, self.expected) = (None, None);
                return Some(Entry::File(new_path(paths)));
            }
            if line.starts_with('\\') {
                return Some(Entry::Note(line.trim_start_matches(['\\', ' '])));
            }
            let technical = ["--- ", "+++ ", "index ", "similarity ", "dissimilarity ", "old mode "];
            if !line.is_empty() && !technical.iter().any(|start| line.starts_with(start)) {
                return Some(Entry::Note(line));
            }
        }
    }
}

/// The second of `a/x b/x`.
fn new_path(paths: &str) -> &str {
    paths.rsplit_once(" b/").map_or(paths, |(_, path)| path).trim_end_matches('"')
}

/// Reads `@@ -3,4 +3,5 @@ …`.
fn header(line: &str) -> Option<Hunk> {
    let mut words = line.strip_prefix("@@ ")?.split(' ');
    let (old, old_left) = range(words.next()?.strip_prefix('-')?)?;
    let (new, new_left) = range(words.next()?.strip_prefix('+')?)?;
    Some(Hunk { old, new, old_left, new_left })
}

fn range(text: &str) -> Option<(usize, usize)> {
    match text.split_once(',') {
        Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}
