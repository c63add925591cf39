//! Code blocks: a thin bar on the left and the language above it, so that code is told from prose without colour.
//! Colours are asked for only when a block is drawn, and the painted lines of the last blocks are kept.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use ratatui::text::Span;

use super::line::dedent;
use crate::tui::text::highlight::{Painter, Run, styled};
use crate::tui::text::{Flow, truncate_end};
use crate::tui::theme::{Role, Theme};

/// Pieces of code whose colours are kept: enough for a large screen.
const MAX_PIECES: usize = 24;
/// Columns between tab stops.
const TAB: usize = 4;

/// A block of code, for copying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The word after the fence; empty when there is none.
    pub(crate) language: String,
    /// The code as written.
    pub(crate) code: String,
}

/// All code blocks of a Markdown text, also nested ones, in order.
pub(crate) fn blocks(markdown: &str) -> Vec<Block> {
    let mut out = Vec::new();
    let mut open = None;
    for event in Parser::new_ext(markdown, super::prose::options()) {
        match (event, &mut open) {
            (Event::Start(Tag::CodeBlock(kind)), _) => {
                open = Some(Block { language: language(&kind), code: String::new() });
            }
            (Event::Text(text), Some(block)) => block.code.push_str(&text),
            (Event::End(TagEnd::CodeBlock), _) => out.extend(open.take()),
            _ => {}
        }
    }
    out
}

/// The language of a block, bare of what may follow the word.
pub(super) fn language(kind: &CodeBlockKind<'_>) -> String {
    match kind {
        CodeBlockKind::Fenced(info) => first_word(info).to_owned(),
        CodeBlockKind::Indented => String::new(),
    }
}

/// The language named in the line that opens a fence.
pub(super) fn language_of(opening: &str) -> &str {
    first_word(opening.trim().trim_start_matches(['`', '~']))
}

/// Columns before the fence, which the lines of its code lose too.
pub(super) fn indent_of(opening: &str) -> usize {
    dedent(opening).0
}

fn first_word(info: &str) -> &str {
    let end = |c: char| c.is_whitespace() || c == ',' || c == '{' || c == ':';
    info.trim().split(end).next().unwrap_or_default()
}

/// `line` without up to `indent` columns of the white space it begins with.
pub(super) fn strip(line: &str, indent: usize) -> &str {
    let spaces = line.bytes().take(indent).take_while(|byte| *byte == b' ').count();
    line.get(spaces..).unwrap_or_default()
}

/// The rows of a piece of code. `header` is the language above it, when it is the first piece.
pub(super) fn rows(
    lines: &[&str],
    header: Option<&str>,
    runs: &[Vec<Run>],
    max: usize,
    theme: &Theme,
) -> Vec<Vec<Span<'static>>> {
    let dim = theme.style(Role::Dim);
    // Where there is no room for a bar the code stands alone.
    let bar = |sign: &'static str| if max > 4 { vec![Span::styled(sign, dim)] } else { Vec::new() };
    let room = if max > 4 { max - 2 } else { max };
    let mut out = Vec::with_capacity(lines.len() + 1);
    if let Some(language) = header.filter(|language| !language.is_empty()) {
        let mut row = bar("┌ ");
        row.push(Span::styled(truncate_end(language, room).into_owned(), dim));
        out.push(row);
    }
    for (index, line) in lines.iter().enumerate() {
        let runs = runs.get(index).map(Vec::as_slice).unwrap_or_default();
        let flow = spread(styled(line, runs));
        for (index, spans) in flow.hard_wrap(room, room).into_iter().enumerate() {
            let mut row = bar(if index == 0 { "│ " } else { "┊ " });
            row.extend(spans);
            out.push(row);
        }
    }
    if out.is_empty() && header.is_some() {
        out.push(bar("│ "));
    }
    out
}

/// Spans as one flow, tabs made spaces.
fn spread(spans: Vec<Span<'static>>) -> Flow {
    let mut flow = Flow::default();
    let mut column = 0;
    for span in spans {
        let mut parts = span.content.split('\t');
        if let Some(part) = parts.next() {
            flow.push(part, span.style);
            column += crate::tui::text::width(part);
        }
        for part in parts {
            let cells = TAB - column % TAB;
            flow.push("    ".get(..cells).unwrap_or_default(), span.style);
            flow.push(part, span.style);
            column += cells + crate::tui::text::width(part);
        }
    }
    flow
}

/// The colours of the pieces of code that were drawn last.
#[derive(Default)]
pub(super) struct Paints {
    theme: Option<Theme>,
    pieces: VecDeque<Piece>,
}

/// The colours of one piece. Its last line may still grow, so it is painted anew each time.
struct Piece {
    start: usize,
    /// Where the next piece of the same block begins.
    end: usize,
    /// As it was named when painting began; it may still have been growing.
    language: String,
    /// Has seen the lines in `done`.
    painter: Painter,
    done: Vec<(u64, Vec<Run>)>,
    /// The last line, its runs, and the painter after it.
    last: Option<(u64, Vec<Run>, Painter)>,
}

impl Paints {
    /// The runs of each line of the piece of code at `start..end` of the text. A piece that goes on where a kept
    /// one ended begins in the state in which that one ended.
    pub(super) fn paint(
        &mut self,
        (start, end): (usize, usize),
        language: &str,
        lines: &[&str],
        theme: &Theme,
    ) -> Vec<Vec<Run>> {
        if self.theme.as_ref() != Some(theme) {
            *self = Self { theme: Some(theme.clone()), pieces: VecDeque::new() };
        }
        let known = self
            .pieces
            .iter()
            .position(|piece| piece.start == start && piece.language == language && piece.matches(lines));
        let mut piece = match known.and_then(|at| self.pieces.remove(at)) {
            Some(piece) => piece,
            None => {
                let before = self.pieces.iter().find(|piece| piece.end == start);
                let painter = before.map(Piece::after);
                let Some(painter) = painter.or_else(|| Painter::new(language, theme)) else {
                    return Vec::new();
                };
                self.pieces.retain(|piece| piece.start != start);
                Piece { start, end, language: language.to_owned(), painter, done: Vec::new(), last: None }
            }
        };
        piece.end = end;
        let runs = piece.paint(lines);
        self.pieces.push_front(piece);
        self.pieces.truncate(MAX_PIECES);
        runs
    }
}

impl Piece {
    fn matches(&self, lines: &[&str]) -> bool {
        self.done.len() < lines.len().max(1)
            && self.done.iter().zip(lines).all(|((hash, _), line)| *hash == hash_of(line))
    }

    fn paint(&mut self, lines: &[&str]) -> Vec<Vec<Run>> {
        let Some((last, before)) = lines.split_last() else { return Vec::new() };
        for line in before.get(self.done.len()..).unwrap_or_default() {
            let runs = self.painter.line(line);
            self.done.push((hash_of(line), runs));
            self.last = None;
        }
        let mut out: Vec<Vec<Run>> = self.done.iter().map(|(_, runs)| runs.clone()).collect();
        let hash = hash_of(last);
        match &self.last {
            Some((known, runs, _)) if *known == hash => out.push(runs.clone()),
            _ => {
                let mut painter = self.painter.clone();
                let runs = painter.line(last);
                out.push(runs.clone());
                self.last = Some((hash, runs, painter));
            }
        }
        out
    }

    fn after(&self) -> Painter {
        self.last.as_ref().map_or_else(|| self.painter.clone(), |(_, _, painter)| painter.clone())
    }
}

fn hash_of(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}
