//! One segment of Markdown → rows: the events of the parser, the containers around them (lists, quotes) and the
//! blank rows between. Blank rows follow the source: what stands apart there stands apart here.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use ratatui::text::{Line, Span};

use super::code::{self, Paints};
use super::inline::Inline;
use super::table::Table;
use crate::tui::text::{Flow, width};
use crate::tui::theme::{Role, Theme};

/// Cells that must be left beside what containers put before a row.
const MIN_ROOM: usize = 8;

/// The Markdown we read.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// What laying out needs to know.
pub(super) struct Page<'a> {
    /// Cells of a row.
    pub(super) width: usize,
    /// Styles.
    pub(super) theme: &'a Theme,
    /// Colours of code; without them code is plain, for who only counts rows.
    pub(super) paints: Option<&'a mut Paints>,
    /// Where the segment begins in the whole text.
    pub(super) offset: usize,
    /// Number of the first item, whatever is written.
    pub(super) number: Option<u32>,
}

/// The rows of a segment.
pub(super) fn lines(text: &str, page: Page<'_>) -> Vec<Line<'static>> {
    let mut parser = Parser::new_ext(text, options()).into_offset_iter();
    let mut definitions: Vec<(usize, String)> = Vec::new();
    for (label, definition) in parser.reference_definitions().iter() {
        definitions.push((definition.span.start, format!("[{label}]: {}", definition.dest)));
    }
    definitions.sort();
    let inline = Inline::new(page.theme);
    let mut writer = Writer {
        text,
        page,
        out: Vec::new(),
        nest: Vec::new(),
        lists: Vec::new(),
        inline,
        code: None,
        table: None,
        judged: None,
    };
    for (event, range) in &mut parser {
        writer.event(event, range);
    }
    writer.flush();
    // The target of a reference may stand far from its uses: it is shown where it stands.
    for (_, definition) in definitions {
        writer.inline.text(&definition);
        writer.flush();
    }
    writer.out
}

struct Writer<'a> {
    text: &'a str,
    page: Page<'a>,
    out: Vec<Line<'static>>,
    nest: Vec<Nest>,
    /// The next number of each open list; none for bullets.
    lists: Vec<Option<u64>>,
    inline: Inline<'a>,
    code: Option<OpenCode>,
    table: Option<Table>,
    /// Start of the line for which a blank row was decided last.
    judged: Option<usize>,
}

/// A container: what it puts before its first row and before the others.
struct Nest {
    first: Span<'static>,
    rest: Span<'static>,
    used: bool,
}

struct OpenCode {
    language: String,
    code: String,
    start: usize,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(open) => open.code.push_str(&text),
                None => self.inline.text(&text),
            },
            Event::Code(text) => self.inline.code(&text),
            Event::Html(text) => self.html(&text),
            Event::InlineHtml(tag) if is_break(&tag) => self.line_break(),
            Event::InlineHtml(text) => self.inline.text(&text),
            Event::SoftBreak | Event::HardBreak => self.line_break(),
            Event::Rule => {
                self.before(range.start);
                let dim = self.page.theme.style(Role::Dim);
                let rule = "—".repeat(self.room().min(3));
                self.row(vec![Span::styled(rule, dim)]);
            }
            Event::TaskListMarker(done) => self.task(done),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.inline.text(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.before(range.start),
            Tag::Heading { level, .. } => {
                self.before(range.start);
                self.inline.enter(self.page.theme.style(Role::Strong));
                self.inline.text(hashes(level));
            }
            Tag::BlockQuote(_) => {
                self.before(range.start);
                let sign = Span::styled("> ", self.page.theme.style(Role::Dim));
                self.nest.push(Nest { first: sign.clone(), rest: sign, used: false });
            }
            Tag::CodeBlock(kind) => {
                self.before(range.start);
                let language = code::language(&kind);
                self.code = Some(OpenCode { language, code: String::new(), start: range.start });
            }
            Tag::List(first) => {
                self.flush();
                let number = self.page.number.take().map(u64::from);
                self.lists.push(first.map(|first| number.unwrap_or(first)));
            }
            Tag::Item => self.item(range.start),
            Tag::Table(alignments) => {
                self.before(range.start);
                self.table = Some(Table::new(alignments));
            }
            Tag::TableHead => self.inline.enter(Table::head_style(self.page.theme)),
            Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.begin_row();
                }
            }
            _ => self.inline.start(&tag),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(),
            TagEnd::Heading(_) => {
                self.inline.leave();
                self.flush();
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.nest.pop();
            }
            TagEnd::Item => {
                self.flush();
                if self.nest.last().is_some_and(|nest| !nest.used) {
                    self.row(Vec::new());
                }
                self.nest.pop();
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::Table => self.end_table(),
            TagEnd::TableHead => {
                self.inline.leave();
                if let Some(table) = &mut self.table {
                    table.end_head();
                }
            }
            TagEnd::TableCell => {
                if let Some(table) = &mut self.table {
                    table.push(self.inline.take());
                }
            }
            _ => self.inline.end(tag),
        }
    }

    fn item(&mut self, start: usize) {
        self.before(start);
        let dim = self.page.theme.style(Role::Dim);
        let sign = match self.lists.last_mut() {
            Some(Some(number)) => {
                let sign = format!("{number}. ");
                *number = number.saturating_add(1);
                sign
            }
            _ => "- ".to_owned(),
        };
        let rest = Span::raw(" ".repeat(sign.len()));
        self.nest.push(Nest { first: Span::styled(sign, dim), rest, used: false });
    }

    /// The box of a task takes the place of the bullet; a number stays.
    fn task(&mut self, done: bool) {
        let style = self.page.theme.style(if done { Role::Good } else { Role::Text });
        let sign = if done { "☑ " } else { "☐ " };
        match self.nest.last_mut() {
            Some(nest) if !nest.used && nest.first.content == "- " => nest.first = Span::styled(sign, style),
            _ => {
                self.inline.enter(style);
                self.inline.text(sign);
                self.inline.leave();
            }
        }
    }

    fn html(&mut self, text: &str) {
        for line in text.lines() {
            self.inline.text(line);
            self.flush();
        }
    }

    /// Lines stay as the model broke them. In a table they become one.
    fn line_break(&mut self) {
        if self.table.is_some() {
            self.inline.text(" ");
        } else {
            self.flush();
        }
    }

    fn end_code(&mut self) {
        let Some(open) = self.code.take() else { return };
        let code = open.code.strip_suffix('\n').unwrap_or(&open.code);
        let lines: Vec<&str> = if open.code.is_empty() { Vec::new() } else { code.split('\n').collect() };
        let start = self.page.offset + open.start;
        let theme = self.page.theme;
        let runs = match &mut self.page.paints {
            Some(paints) => paints.paint((start, usize::MAX), &open.language, &lines, theme),
            None => Vec::new(),
        };
        let room = self.room();
        for row in code::rows(&lines, Some(&open.language), &runs, room, theme) {
            self.row(row);
        }
    }

    fn end_table(&mut self) {
        if let Some(table) = self.table.take() {
            for row in table.lines(self.room(), self.page.theme) {
                self.row(row);
            }
        }
    }

    /// A block begins: what was open is written, and a blank row if there is one in the source.
    fn before(&mut self, start: usize) {
        self.flush();
        let head = self.text.get(..start).unwrap_or_default();
        let line = head.rfind('\n').map_or(0, |at| at + 1);
        if self.judged.replace(line) == Some(line) || self.out.is_empty() {
            return;
        }
        let above = self.text.get(..line).unwrap_or_default().strip_suffix('\n');
        let above = above.and_then(|above| above.rsplit('\n').next());
        if above.is_some_and(|above| above.trim_matches([' ', '\t', '>']).is_empty()) {
            let mut spans = self.prefix();
            while spans.last().is_some_and(|span| span.content.trim().is_empty()) {
                spans.pop();
            }
            if let Some(last) = spans.last_mut() {
                *last = Span::styled(last.content.trim_end().to_owned(), last.style);
            }
            self.out.push(Line::from(spans));
        }
    }

    /// Writes the text that was collected.
    fn flush(&mut self) {
        if !self.inline.is_empty() {
            let flow: Flow = self.inline.take();
            let room = self.room();
            for row in flow.wrap(room, room) {
                self.row(row);
            }
        }
    }

    fn row(&mut self, spans: Vec<Span<'static>>) {
        let mut line = self.prefix();
        line.extend(spans);
        self.out.push(Line::from(line));
    }

    /// What stands before the next row. Containers give way when the row would have no room.
    fn prefix(&mut self) -> Vec<Span<'static>> {
        let from = self.nest.len() - self.shown();
        let mut spans = Vec::with_capacity(self.nest.len() - from + 3);
        for (index, nest) in self.nest.iter_mut().enumerate() {
            let span = if nest.used { &nest.rest } else { &nest.first };
            if index >= from {
                spans.push(span.clone());
            }
            nest.used = true;
        }
        spans
    }

    fn room(&self) -> usize {
        let from = self.nest.len() - self.shown();
        let nest = self.nest.get(from..).unwrap_or_default();
        self.page.width - nest.iter().map(|nest| width(&nest.rest.content)).sum::<usize>()
    }

    /// How many of the innermost containers are shown.
    fn shown(&self) -> usize {
        let mut left = self.page.width.saturating_sub(MIN_ROOM);
        let fits = |nest: &&Nest| {
            let room = left.checked_sub(width(&nest.rest.content));
            left = room.unwrap_or(left);
            room.is_some()
        };
        self.nest.iter().rev().take_while(fits).count()
    }
}

fn hashes(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "# ",
        HeadingLevel::H2 => "## ",
        HeadingLevel::H3 => "### ",
        HeadingLevel::H4 => "#### ",
        HeadingLevel::H5 => "##### ",
        HeadingLevel::H6 => "###### ",
    }
}

fn is_break(tag: &str) -> bool {
    let name = tag.trim_matches(['<', '>', '/', ' ']);
    name.eq_ignore_ascii_case("br")
}
