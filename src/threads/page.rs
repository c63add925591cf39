//! Turns of a stored thread for the screen: the last ones ([`tail`]), and those before a page ([`earlier`]). Read from
//! the end and only as far as needed, so that neither time nor memory follows the size of the file. Blocking: call it
//! on a blocking task.

use std::path::Path;

use super::chain::{self, Chain, Segment};
use super::classify::kind_of;
use super::error::Error;
use super::events::{self, Seen};
use super::head::Marks;
use super::history;
use super::line::{self, Kind, Line, Record};
use super::meta::Meta;
use super::reader::Problems;
use super::turn::Turn;
use super::turns::Builder;
use crate::protocol::item::Item;
use crate::protocol::model_item::ModelItemKind;
use crate::protocol::tokens::ThreadUsage;

/// A page may outgrow its size by this factor before it stops in the middle of a turn.
const PAGE_SLACK: usize = 4;

/// How much of a thread to show at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageSize {
    /// Turns.
    pub(crate) turns: usize,
    /// Bytes of stored lines after which the page ends with the turn at hand; far beyond it the page ends inside
    /// a turn.
    pub(crate) bytes: usize,
}

/// Some turns that follow each other.
#[derive(Debug)]
pub(crate) struct Page {
    /// What the thread is.
    pub(crate) meta: Meta,
    /// The turns, oldest first.
    pub(crate) turns: Vec<Turn>,
    /// The page begins in the middle of its first turn; the rest of that turn comes with the earlier page, as a
    /// turn without identity, or with the same one. Only tests ask.
    #[cfg(test)]
    pub(crate) begins_inside: bool,
    /// Where earlier turns are; `None` at the start of the thread.
    pub(crate) earlier: Option<Cursor>,
    /// Tokens as told last on the page.
    pub(crate) usage: Option<ThreadUsage>,
    /// Lines that were passed over.
    pub(crate) problems: Problems,
}

impl Page {
    /// Nothing of the thread could be read, not even what it is: there is nothing to continue.
    pub(crate) fn is_lost(&self) -> bool {
        self.turns.is_empty() && self.earlier.is_none() && self.meta.cwd.is_none()
    }
}

/// A place in a thread: everything before it is not read yet.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    meta: Meta,
    segments: Vec<Segment>,
}

/// The last turns of the thread in `path`.
///
/// # Errors
/// The file cannot be read. Broken lines and missing earlier files are problems, not errors.
pub(crate) fn tail(home: &Path, path: &Path, size: PageSize) -> Result<Page, Error> {
    let mut problems = Problems::default();
    let Chain { meta, segments } = chain::open(home, path, &mut problems)?;
    page(meta, segments, size, problems)
}

/// The turns before a page.
///
/// # Errors
/// A file cannot be read any more.
pub(crate) fn earlier(cursor: Cursor, size: PageSize) -> Result<Page, Error> {
    page(cursor.meta, cursor.segments, size, Problems::default())
}

fn page(meta: Meta, segments: Vec<Segment>, size: PageSize, mut problems: Problems) -> Result<Page, Error> {
    let mut lines = PageLines::new(size);
    let mut stopped = None;
    'files: for (place, segment) in segments.iter().enumerate() {
        let mut reader = segment.backwards()?;
        while let Some(raw) = reader.next().map_err(Error::io("read", &segment.path))? {
            let offset = raw.offset;
            let bytes = raw.bytes.clone().unwrap_or_default();
            let Some(line) = segment.good(raw, &mut problems) else { continue };
            if let Some(stop) = lines.take(line, segment.marks, offset, bytes) {
                stopped = Some((place, offset, stop));
                break 'files;
            }
        }
    }
    let marks = segments.first().map_or(Marks::Started, |segment| segment.marks);
    let mut builder = Builder::new(meta.cwd.as_deref());
    let PageLines { kept, usage, .. } = lines;
    for kept in kept.iter().rev() {
        let Kept::Line(bytes, marks, offset) = kept else {
            builder.cut();
            continue;
        };
        let fed = line::parse(bytes).and_then(|line| builder.feed(line.record, *marks, *offset));
        if let Err(reason) = fed {
            problems.push(*offset, None, reason);
        }
    }
    #[cfg(test)]
    let begins_inside = matches!(stopped, Some((_, _, Stop::InsideTurn)));
    let earlier = stopped.and_then(|(place, offset, _)| cursor(&meta, &segments, place, offset));
    Ok(Page {
        meta,
        turns: builder.finish(marks),
        #[cfg(test)]
        begins_inside,
        earlier,
        usage,
        problems,
    })
}

/// Where to go on; `None` when nothing but the file's first lines is left.
fn cursor(meta: &Meta, segments: &[Segment], place: usize, offset: u64) -> Option<Cursor> {
    let mut rest = segments.get(place..)?.to_vec();
    let first = rest.first_mut()?;
    first.end = offset;
    if offset <= first.first_turn {
        rest.remove(0);
    }
    (!rest.is_empty()).then(|| Cursor { meta: meta.clone(), segments: rest })
}

/// Why a page ended before the start of the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    BeforeTurn,
    InsideTurn,
}

/// A piece of a page.
enum Kept {
    Line(Vec<u8>, Marks, u64),
    /// What followed here was taken back, in the middle of a turn.
    Cut,
}

/// The lines of a page, last first.
struct PageLines {
    size: PageSize,
    kept: Vec<Kept>,
    /// The start of a turn whose prompt was taken back. It goes with its prompt, unless another prompt of the same
    /// turn stands before it.
    rest: Option<Vec<Kept>>,
    bytes: usize,
    turns: usize,
    /// Prompts still to be left out, with all that follows them.
    rolled_back: u32,
    usage: Option<ThreadUsage>,
}

/// What a line is to a page.
enum Role {
    /// Nothing to show.
    None,
    /// To be shown.
    Part,
    /// To be shown, and a turn begins with it.
    Begins,
    /// To be shown, and the user said it.
    Prompt,
    /// Turns before it were taken back.
    RollsBack(u32),
    /// It counts tokens.
    Counts(Option<ThreadUsage>),
}

impl PageLines {
    fn new(size: PageSize) -> Self {
        Self { size, kept: Vec::new(), rest: None, bytes: 0, turns: 0, rolled_back: 0, usage: None }
    }

    /// Takes the line before the last one given; tells when the page is full.
    fn take(&mut self, line: Line<'_>, marks: Marks, offset: u64, bytes: &[u8]) -> Option<Stop> {
        let role = role(line.record, marks);
        if let Role::RollsBack(turns) = role {
            self.rolled_back = self.rolled_back.saturating_add(turns);
        }
        if let Role::Counts(usage) = role {
            self.usage = self.usage.or(usage);
        }
        let begins = matches!(role, Role::Begins);
        // Where no other line begins a turn, the prompt does.
        let prompt = matches!(role, Role::Prompt) || (begins && marks != Marks::Started);
        if self.rolled_back > 0 {
            self.rolled_back -= u32::from(prompt);
            self.rest = (prompt && !begins && self.rolled_back == 0).then(|| vec![Kept::Cut]);
            return None;
        }
        if begins && self.rest.take().is_some() {
            return None;
        }
        if begins || prompt || matches!(role, Role::Part) {
            self.bytes += bytes.len();
            let line = Kept::Line(bytes.to_vec(), marks, offset);
            self.rest.as_mut().unwrap_or(&mut self.kept).push(line);
        }
        let far = self.bytes >= self.size.bytes.saturating_mul(PAGE_SLACK);
        if prompt || far {
            self.kept.extend(self.rest.take().into_iter().flatten());
        }
        self.turns += usize::from(begins);
        if begins && (self.turns >= self.size.turns || self.bytes >= self.size.bytes) {
            return Some(Stop::BeforeTurn);
        }
        far.then_some(Stop::InsideTurn)
    }
}

fn role(record: Record<'_>, marks: Marks) -> Role {
    match record {
        Record::Context(_) => Role::Part,
        Record::Meta(_) | Record::Compacted(_) | Record::Other => Role::None,
        Record::Model(raw) => match kind_of(raw) {
            Some(ModelItemKind::User) if marks == Marks::Prompt => Role::Begins,
            Some(ModelItemKind::Assistant) if marks == Marks::Prompt => Role::Part,
            Some(
                ModelItemKind::Call { .. }
                | ModelItemKind::Output { .. }
                | ModelItemKind::Harness
                | ModelItemKind::Other,
            ) => Role::Part,
            _ => Role::None,
        },
        Record::Event(raw) => {
            let kind = line::payload::<Kind<'_>>(raw);
            match kind.as_ref().map(|kind| &*kind.kind) {
                Ok("task_started" | "turn_started") if marks == Marks::Started => Role::Begins,
                Ok("user_message") if marks == Marks::UserEvent => Role::Begins,
                Ok("user_message") => Role::Prompt,
                Ok("item_completed") => match events::read(raw, || "".into()) {
                    Ok(Some(Seen::Item { item: Item::UserMessage { .. }, .. })) => Role::Prompt,
                    _ => Role::Part,
                },
                Ok("thread_rolled_back") => match events::read(raw, || "".into()) {
                    Ok(Some(Seen::RolledBack { turns })) => Role::RollsBack(turns),
                    _ => Role::None,
                },
                Ok("token_count") => Role::Counts(history::usage(raw)),
                Ok("thread_settings_applied" | "thread_name_updated") | Err(_) => Role::None,
                Ok(_) => Role::Part,
            }
        }
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
