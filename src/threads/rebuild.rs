//! The two questions callers ask of a stored thread: [`load`] what the model sees, and [`tail`] the last turns
//! for the screen. Both read from the end and stop as soon as they can, so that neither time nor memory follows
//! the size of the file. Blocking: call them on a blocking task.

use std::path::Path;

use super::chain::{self, Chain, Segment};
use super::classify::kind_of;
use super::error::Error;
use super::events::{self, Seen};
use super::head::{self, Marks};
use super::history::{self, Collector};
use super::line::{self, Kind, Line, Reason, Record};
use super::meta::Meta;
use super::reader::{Backwards, Problems, RawLine};
use super::settings::Settings;
use super::turns::{Builder, Turn};
use crate::base::ids::TurnId;
use crate::protocol::item::Item;
use crate::protocol::limits::{LimitsSnapshot, Price};
use crate::protocol::model_item::{ModelItem, ModelItemKind};
use crate::protocol::tokens::ThreadUsage;

/// How far before the newest summary the settings of the last turn are looked for, in bytes.
const SETTINGS_REACH: u64 = 64 << 20;

/// A page may outgrow its size by this factor before it stops in the middle of a turn.
const PAGE_SLACK: usize = 4;

/// What is needed to continue a thread.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What the thread is.
    pub(crate) meta: Meta,
    /// What the model sees, every call answered exactly once.
    pub(crate) history: Vec<ModelItem>,
    /// Settings of the last turn, as far as known.
    pub(crate) settings: Settings,
    /// Tokens as told last.
    pub(crate) usage: Option<ThreadUsage>,
    /// Limits as told last.
    #[allow(dead_code, reason = "stored for other programs; read back by a test")]
    pub(crate) limits: Option<LimitsSnapshot>,
    /// What the thread had used of the limits, as told last.
    pub(crate) spent: Vec<Price>,
    /// How often the history was summarised.
    pub(crate) window_number: u64,
    /// The last turn, if its end was never written: its program was killed.
    pub(crate) unfinished: Option<TurnId>,
    /// The start of the history is not in it: it is longer than any model takes.
    pub(crate) cut: bool,
    /// Lines that were passed over.
    pub(crate) problems: Problems,
}

impl Loaded {
    /// Nothing of the thread could be read, not even what it is: there is nothing to continue.
    pub(crate) fn is_lost(&self) -> bool {
        self.history.is_empty() && self.meta.cwd.is_none()
    }
}

/// Rebuilds what is needed to continue the thread in `path`.
///
/// # Errors
/// The file cannot be read. Broken lines and missing earlier files are problems, not errors.
pub(crate) fn load(home: &Path, path: &Path) -> Result<Loaded, Error> {
    let mut problems = Problems::default();
    let chain = chain::open(home, path, &mut problems)?;
    let mut collector = Collector::default();
    let mut reach = SETTINGS_REACH;
    'files: for segment in &chain.segments {
        let mut lines = backwards(segment)?;
        while let Some(raw) = lines.next().map_err(Error::io("read", &segment.path))? {
            if collector.has_history() {
                reach = reach.saturating_sub(raw.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
                if collector.settings.is_some() || reach == 0 {
                    break 'files;
                }
            }
            let offset = raw.offset;
            let fed = good(raw, segment, &mut problems).map(|line| collector.feed(line.record));
            if let Some(Err(reason)) = fed {
                problems.push(offset, None, reason);
            }
        }
    }
    let start = match chain.segments.last().filter(|_| collector.needs_start()) {
        Some(first) => head::opening_items(&first.path).map_err(Error::io("read", &first.path))?,
        None => Vec::new(),
    };
    Ok(Loaded {
        meta: chain.meta,
        settings: collector.settings.take().unwrap_or_default(),
        usage: collector.usage,
        limits: collector.limits.take(),
        spent: collector.spent.take().unwrap_or_default(),
        window_number: collector.window_number,
        unfinished: collector.unfinished,
        cut: collector.is_cut(),
        history: collector.finish(start),
        problems,
    })
}

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
        let mut reader = backwards(segment)?;
        while let Some(raw) = reader.next().map_err(Error::io("read", &segment.path))? {
            let offset = raw.offset;
            let bytes = raw.bytes.clone().unwrap_or_default();
            let Some(line) = good(raw, segment, &mut problems) else { continue };
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

fn backwards(segment: &Segment) -> Result<Backwards, Error> {
    Backwards::open(&segment.path, segment.end).map_err(Error::io("read", &segment.path))
}

/// The line if it is sound and belongs to the thread; what is wrong with it becomes a problem.
fn good<'a>(raw: RawLine<'a>, segment: &Segment, problems: &mut Problems) -> Option<Line<'a>> {
    let ended = raw.ended;
    match raw.bytes.and_then(line::parse) {
        Ok(read) => {
            if read.salvaged {
                problems.push(raw.offset, None, Reason::NotARecord("two lines ran together".into()));
            }
            segment.covers(read.ordinal).then_some(read)
        }
        Err(reason) => {
            problems.push(raw.offset, None, if ended { reason } else { Reason::Torn });
            None
        }
    }
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
#[path = "rebuild_tests.rs"]
mod tests;
