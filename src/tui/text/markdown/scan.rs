//! The machine that cuts Markdown into segments, line by line. Where it cuts depends only on the lines before,
//! never on how they arrived, so that a text streamed in pieces ends up as the same segments as the whole text. It
//! cuts only where the parser would end a top-level block (or a top-level list item) too, except when a block grows
//! past [`MAX_SEGMENT`]: then it cuts anyway, because an open segment is laid out again with every frame.

use std::ops::Range;

use super::line::{Fence, Item, Mark, closes, dedent, is_table_rule, mark};

/// Bytes after which an open block is cut.
pub(super) const MAX_SEGMENT: usize = 16 * 1024;
/// Lines of code in one segment.
const MAX_CODE_LINES: u32 = 64;

/// A piece of the text that is laid out by itself. 24 bytes: there is one for every paragraph of a long transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// First byte.
    pub(super) start: u32,
    /// Byte after the last.
    pub(super) end: u32,
    /// Whether a blank row stands before it.
    pub(super) gap: bool,
    /// How to lay it out.
    pub(super) kind: Kind,
}

/// How a segment is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By the parser.
    Prose,
    /// By the parser; the first item carries this number, whatever is written.
    Numbered(u32),
    /// More rows of a table.
    Rows {
        /// First byte of its header.
        head: u32,
        /// Byte after the rule below the header.
        end: u32,
    },
    /// Lines of the code block whose opening line begins here.
    Code {
        /// First byte of the opening line.
        block: u32,
        /// Whether it is the first piece of the block.
        first: bool,
    },
}

/// The machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanner {
    /// First byte that was not looked at.
    at: usize,
    open: Open,
    /// Whether the line before was blank.
    blank: bool,
    last: Last,
}

#[derive(Clone, Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Block(Block),
    Code(Code),
}

#[derive(Clone, Debug)]
struct Block {
    shape: Shape,
    start: usize,
    gap: bool,
    kind: Kind,
    lines: u32,
    /// Where the second line of a table ended.
    head: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Paragraph,
    Quote,
    Indented,
    Item(Item),
}

#[derive(Clone, Debug)]
struct Code {
    fence: Fence,
    block: usize,
    part: usize,
    lines: u32,
    first: bool,
    gap: bool,
}

/// What the last closed segment was, as far as the next one cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    Text,
    Code,
    /// An ordered item: what follows its number, and the number.
    Number(u8, u32),
    /// A block that was cut; the bytes of its header when it is a table.
    Cut(Option<(usize, usize)>),
}

impl Scanner {
    /// Looks at the complete lines of `text` that are new, and gives the segments they close.
    pub(super) fn advance(&mut self, text: &str, out: &mut Vec<Segment>) {
        while let Some(rest) = text.get(self.at..)
            && !rest.is_empty()
        {
            let head = rest.as_bytes().get(..MAX_SEGMENT + 1).unwrap_or(rest.as_bytes());
            if let Some(length) = memchr::memchr(b'\n', head) {
                self.line(text, self.at..self.at + length, self.at + length + 1, out);
            } else if rest.len() > MAX_SEGMENT {
                let cut = self.at + cut_at(rest);
                self.line(text, self.at..cut, cut, out);
                self.cut(text, cut, out);
            } else {
                return;
            }
        }
    }

    /// Whether the next line is code of a top-level block.
    pub(super) fn in_code(&self) -> bool {
        matches!(self.open, Open::Code(_))
    }

    /// First byte of what is not in a closed segment.
    pub(super) fn open_from(&self) -> usize {
        match &self.open {
            Open::Nothing => self.at,
            Open::Block(block) => block.start,
            Open::Code(code) => code.part,
        }
    }

    /// Closes what is open; `text` is whole.
    pub(super) fn end(&mut self, text: &str, out: &mut Vec<Segment>) {
        self.advance(text, out);
        if self.at < text.len() {
            self.line(text, self.at..text.len(), text.len(), out);
        }
        self.close(text.len(), out);
    }

    fn line(&mut self, text: &str, line: Range<usize>, next: usize, out: &mut Vec<Segment>) {
        self.at = next;
        let content = text.get(line.clone()).unwrap_or_default();
        if let Open::Code(_) = self.open {
            return self.code(content, line.start, next, out);
        }
        let (indent, rest) = dedent(content);
        if rest.is_empty() {
            return self.blank(line.start, out);
        }
        let mark = mark(indent, rest);
        if self.ends(indent, mark) {
            self.close(line.start, out);
        }
        if let Open::Nothing = self.open {
            self.begin(line.start, next, indent, mark);
        }
        self.blank = false;
        let Open::Block(block) = &mut self.open else { return };
        block.lines += 1;
        if block.lines == 2 && block.shape == Shape::Paragraph && is_table_rule(content) {
            block.head = Some(next);
        }
        if mark == Mark::Heading && block.lines == 1 && block.shape == Shape::Paragraph {
            self.close(next, out);
        } else if next - block.start >= MAX_SEGMENT {
            self.cut(text, next, out);
        }
    }

    fn blank(&mut self, at: usize, out: &mut Vec<Segment>) {
        if let Open::Block(Block { shape: Shape::Paragraph | Shape::Quote, .. }) = self.open {
            self.close(at, out);
        }
        self.blank = true;
    }

    /// Whether a line that is not blank ends the open block.
    fn ends(&self, indent: usize, mark: Mark) -> bool {
        let Open::Block(block) = &self.open else { return false };
        match (block.shape, mark) {
            (Shape::Indented, _) => indent < 4,
            (Shape::Item(open), _) if indent >= open.content => false,
            (Shape::Item(open), Mark::Item(item)) => {
                item.kind == open.kind || item.interrupts() || self.blank
            }
            (Shape::Item(_), Mark::Other) => self.blank,
            (Shape::Paragraph | Shape::Quote, Mark::Item(item)) => item.interrupts(),
            (Shape::Quote, Mark::Quote) | (Shape::Paragraph | Shape::Quote, Mark::Other) => false,
            (_, Mark::Fence(_) | Mark::Heading | Mark::Quote) => true,
        }
    }

    fn begin(&mut self, start: usize, next: usize, indent: usize, mark: Mark) {
        let code = matches!(mark, Mark::Fence(_));
        let cut = matches!(self.last, Last::Cut(_)) && mark == Mark::Other;
        let wanted = self.blank || code || mark == Mark::Heading || self.last == Last::Code;
        let gap = self.last != Last::Nothing && wanted && (self.blank || !cut);
        if let Mark::Fence(fence) = mark {
            self.open = Open::Code(Code { fence, block: start, part: next, lines: 0, first: true, gap });
            return;
        }
        let shape = match mark {
            Mark::Item(item) => Shape::Item(item),
            Mark::Quote => Shape::Quote,
            _ if indent > 3 => Shape::Indented,
            _ => Shape::Paragraph,
        };
        let (kind, head) = match (mark, self.last) {
            (Mark::Item(Item { number: Some(number), kind, .. }), last) => {
                let number = match last {
                    Last::Number(same, before) if same == kind => before.saturating_add(1),
                    _ => number,
                };
                (Kind::Numbered(number), None)
            }
            (Mark::Other, Last::Cut(Some((head, end)))) if !self.blank => {
                (Kind::Rows { head: small(head), end: small(end) }, Some(end))
            }
            _ => (Kind::Prose, None),
        };
        self.open = Open::Block(Block { shape, start, gap, kind, lines: 0, head });
    }

    fn code(&mut self, content: &str, start: usize, next: usize, out: &mut Vec<Segment>) {
        let Open::Code(code) = &mut self.open else { return };
        if closes(code.fence, content) {
            self.close(start, out);
            return;
        }
        code.lines += 1;
        if code.lines >= MAX_CODE_LINES || next - code.part >= MAX_SEGMENT {
            self.split_code(next, out);
        }
    }

    /// Closes a piece of code and begins the next.
    fn split_code(&mut self, at: usize, out: &mut Vec<Segment>) {
        let Open::Code(code) = &mut self.open else { return };
        out.push(code.segment(at));
        *code = Code { part: at, lines: 0, first: false, gap: false, ..code.clone() };
    }

    /// Closes a block that has grown too long; the next line goes on with it.
    fn cut(&mut self, text: &str, at: usize, out: &mut Vec<Segment>) {
        match &self.open {
            Open::Nothing => {}
            Open::Code(code) if code.part == at => {}
            Open::Code(_) => self.split_code(at, out),
            Open::Block(block) => {
                let head = match (block.kind, block.head) {
                    (Kind::Rows { head, end }, _) => Some((big(head), big(end))),
                    (_, Some(end)) if has_bar(text, block.start) => Some((block.start, end)),
                    _ => None,
                };
                self.close(at, out);
                self.last = Last::Cut(head);
            }
        }
    }

    fn close(&mut self, at: usize, out: &mut Vec<Segment>) {
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Block(block) => {
                self.last = match (block.shape, block.kind) {
                    (Shape::Item(Item { kind, .. }), Kind::Numbered(number)) => Last::Number(kind, number),
                    _ => Last::Text,
                };
                let (start, end) = (small(block.start), small(at));
                out.push(Segment { start, end, gap: block.gap, kind: block.kind });
            }
            Open::Code(code) => {
                self.last = Last::Code;
                self.blank = false;
                if code.first || code.part < at {
                    out.push(code.segment(at));
                }
            }
        }
    }
}

impl Code {
    fn segment(&self, end: usize) -> Segment {
        let kind = Kind::Code { block: small(self.block), first: self.first };
        Segment { start: small(self.part), end: small(end), gap: self.gap, kind }
    }
}

/// Where to cut a line that is too long: after its last space within the limit, else at the limit.
fn cut_at(rest: &str) -> usize {
    let limit = rest.floor_char_boundary(MAX_SEGMENT);
    let space = rest.get(..limit).and_then(|head| head.rfind(' '));
    space.filter(|at| *at > 0).map_or(limit, |at| at + 1)
}

fn has_bar(text: &str, start: usize) -> bool {
    text.get(start..).and_then(|rest| rest.lines().next()).is_some_and(|line| line.contains('|'))
}

/// Offsets are kept small; the stream never holds more text than they can name.
fn small(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn big(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
