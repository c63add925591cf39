//! Output of a command or tool inside a cell: a bounded tail while it runs, the whole once it is there. Folded it is
//! its first lines and its last ones, because the cause of an error often stands first; unfolded it is cut into
//! pieces so that megabytes are laid out only where one looks.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::protocol::policy::STOPPED;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{FOLD_KEY, Look};
use crate::tui::transcript::rows::count;

/// Live output kept: at most twice this many bytes.
const TAIL: usize = 64 * 1024;
/// Bytes of one piece of unfolded output; a line longer than twice that is cut.
const PIECE: usize = 8 * 1024;
/// Bytes of a remark about the sandbox; what is longer is none.
const REMARK: usize = 2048;

/// How the line ends that stands where the middle of a long output was not kept.
const GAP: &str = " bytes omitted ...\n";

/// Text as it came, not sanitised.
#[derive(Debug, Default)]
pub(crate) struct Output {
    text: String,
    /// Lines that were forgotten before `text` begins; only while live.
    forgotten: usize,
    /// Where pieces end; empty when there is one.
    cuts: Box<[usize]>,
    /// The middle was not kept, so that not all lines are here to be counted.
    gap: bool,
}

/// How much of it is shown folded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fold {
    /// Lines from the start.
    pub(crate) head: usize,
    /// Lines from the end.
    pub(crate) tail: usize,
}

impl Output {
    /// The whole output.
    pub(crate) fn whole(text: &str) -> Self {
        let text: String = text.trim_end_matches(['\n', '\r']).into();
        let cuts = cuts(&text, PIECE);
        let gap = memchr::memmem::find(text.as_bytes(), GAP.as_bytes()).is_some();
        Self { text, forgotten: 0, cuts, gap }
    }

    /// Adds live output; the oldest is forgotten.
    pub(crate) fn push(&mut self, more: &str) {
        self.text.push_str(more);
        if self.text.len() > 2 * TAIL {
            let mut cut = self.text.len() - TAIL;
            while !self.text.is_char_boundary(cut) {
                cut += 1;
            }
            let (gone, kept) = self.text.split_at_checked(cut).unwrap_or(("", &self.text));
            self.forgotten += memchr::memchr_iter(b'\n', gone.as_bytes()).count();
            self.text = kept.to_owned();
        }
        self.cuts = Box::default();
    }

    /// The text as far as it is known.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is nothing to see.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim_end().is_empty()
    }

    /// First and last lines, one row each, and how many are left out between them.
    pub(crate) fn folded(&self, fold: Fold, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let dim = look.style(Role::Dim);
        let shown = self.text.trim_end_matches(['\n', '\r']);
        let total = self.forgotten + memchr::memchr_iter(b'\n', shown.as_bytes()).count() + 1;
        if total <= fold.head + fold.tail + 1 {
            return shown.split('\n').flat_map(|line| rows(line, width, dim, look)).collect();
        }
        let head = if self.forgotten == 0 { fold.head } else { 0 };
        let mut lines: Vec<_> =
            shown.split('\n').take(head).map(|line| row(line, width, dim, look)).collect();
        let left_out = total - head - fold.tail;
        let (one, many) =
            if head == 0 { ("earlier line", "earlier lines") } else { ("more line", "more lines") };
        let least = if self.gap { "more than " } else { "" };
        let note = format!("… {least}{} · {FOLD_KEY}", count(left_out, one, many));
        lines.push(Line::styled(text::truncate_end(&note, usize::from(width)).into_owned(), dim));
        let mut tail: Vec<_> = shown.rsplit('\n').take(fold.tail).collect();
        tail.reverse();
        lines.extend(tail.into_iter().flat_map(|line| rows(line, width, dim, look)));
        lines
    }

    /// Into how many pieces the whole is cut; at least one.
    pub(crate) fn pieces(&self) -> usize {
        self.cuts.len() + 1
    }

    /// One piece in full, every space kept.
    pub(crate) fn piece(&self, piece: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let start = piece.checked_sub(1).map_or(Some(0), |before| self.cuts.get(before).copied());
        let end = self.cuts.get(piece).copied().unwrap_or(self.text.len());
        let raw = start.and_then(|start| self.text.get(start..end)).unwrap_or_default();
        let raw = raw.strip_suffix('\n').unwrap_or(raw);
        let mut lines = Vec::new();
        if piece == 0 && self.forgotten > 0 {
            let note = format!("… {} left out while it runs", count(self.forgotten, "line", "lines"));
            let note = text::truncate_end(&note, usize::from(width)).into_owned();
            lines.push(Line::styled(note, look.style(Role::Dim)));
        }
        let nothing = Line::default();
        for line in text::ansi::lines(raw, Style::new(), look.theme) {
            lines.extend(text::hard_wrap(&line, width, &nothing, &nothing));
        }
        lines
    }
}

/// Where pieces of about `size` bytes end: behind a line feed, or in a line that is too long.
pub(super) fn cuts(text: &str, size: usize) -> Box<[usize]> {
    let mut cuts = Vec::new();
    let mut start = 0;
    while text.len() - start > 2 * size {
        let bytes = text.as_bytes();
        let window = bytes.get(start + size..start + 2 * size).unwrap_or_default();
        let mut cut = match memchr::memchr(b'\n', window) {
            Some(at) => start + size + at + 1,
            None => start + 2 * size,
        };
        while !text.is_char_boundary(cut) {
            cut += 1;
        }
        cuts.push(cut);
        start = cut;
    }
    cuts.into()
}

/// What a terminal would show of a line that was written over: the last text in it that can be seen.
fn overwritten(line: &str) -> &str {
    let seen = |part: &&str| !text::sanitize(part).trim().is_empty();
    if line.contains('\r') { line.rsplit('\r').find(seen).unwrap_or_default() } else { line }
}

/// A line of output: one row, but what the sandbox refused, which is all shown.
fn rows(line: &str, width: u16, base: Style, look: &Look<'_>) -> Vec<Line<'static>> {
    if !line.starts_with(STOPPED) || line.len() > REMARK {
        return vec![row(line, width, base, look)];
    }
    let line = Line::styled(text::sanitize(line).into_owned(), base);
    text::wrap(&line, width, &Line::default(), &Line::default())
}

/// A line of output in one row. Reads no more of it than can be shown.
fn row(line: &str, width: u16, base: Style, look: &Look<'_>) -> Line<'static> {
    let line = overwritten(line);
    let reach = line.char_indices().nth(usize::from(width) * 8 + 256).map_or(line.len(), |(at, _)| at);
    let near = line.get(..reach).unwrap_or(line);
    let first = text::ansi::lines(near, base, look.theme).into_iter().next().unwrap_or_default();
    text::truncate_line(first, usize::from(width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Theme;

    fn strings(lines: Vec<Line<'static>>) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    fn look(theme: &Theme) -> Look<'_> {
        Look { theme, unfolded: false, now_ms: 0 }
    }

    #[test]
    fn folded_shows_both_ends() {
        let theme = Theme::default();
        let text: String = (1..=30).map(|n| format!("line {n}\n")).collect();
        let fold = Fold { head: 1, tail: 3 };
        let shown = strings(Output::whole(&text).folded(fold, 40, &look(&theme)));
        assert_eq!(shown, ["line 1", "… 26 more lines · ctrl-t", "line 28", "line 29", "line 30"]);
        let shown = strings(Output::whole("a\nb\nc\nd\ne\n").folded(fold, 40, &look(&theme)));
        assert_eq!(shown, ["a", "b", "c", "d", "e"], "a note in place of one line saves nothing");
    }

    #[test]
    fn what_the_sandbox_refused_is_never_cut() {
        let theme = Theme::default();
        let fold = Fold { head: 1, tail: 1 };
        let text = format!("x\n{STOPPED} `/opt/a` is not writable (`--add-dir /opt` would allow it).");
        let shown = strings(Output::whole(&text).folded(fold, 40, &look(&theme)));
        assert!(shown.len() > 3 && shown.join("").contains("would allow it"), "{shown:?}");
        let shown = strings(Output::whole(&format!("1\n2\n3\n4\n{text}")).folded(fold, 40, &look(&theme)));
        assert!(shown.iter().all(|line| line.len() <= 40), "{shown:?}");
        assert!(shown.join("").ends_with("would allow it)."), "{shown:?}");
    }

    #[test]
    fn lines_that_were_not_kept_are_not_denied() {
        let theme = Theme::default();
        let text = "1\n2\n3\n... 99 bytes omitted ...\n8\n9";
        let shown = strings(Output::whole(text).folded(Fold { head: 1, tail: 1 }, 60, &look(&theme)));
        assert_eq!(shown, ["1", "… more than 4 more lines · ctrl-t", "9"]);
    }

    #[test]
    fn live_output_is_bounded_and_counts_what_it_forgot() {
        let mut output = Output::default();
        for n in 0..100_000 {
            output.push(&format!("line {n}\n"));
        }
        assert!(output.text().len() <= 2 * TAIL);
        let theme = Theme::default();
        let shown = strings(output.folded(Fold { head: 1, tail: 2 }, 40, &look(&theme)));
        assert_eq!(shown, ["… 99998 earlier lines · ctrl-t", "line 99998", "line 99999"]);
    }

    #[test]
    fn pieces_are_the_whole() {
        let theme = Theme::default();
        for text in ["x".repeat(100_000), "ä".repeat(50_000), "ab\n".repeat(40_000), String::new()] {
            let output = Output::whole(&text);
            let all: Vec<String> =
                (0..output.pieces()).flat_map(|n| strings(output.piece(n, 80, &look(&theme)))).collect();
            assert_eq!(all.concat(), text.replace('\n', ""));
            assert_eq!(output.pieces(), output.cuts.len() + 1);
        }
        assert!(Output::whole(&"x".repeat(100_000)).pieces() > 5);
    }

    #[test]
    fn a_progress_bar_shows_its_last_state() {
        let theme = Theme::default();
        let output = Output::whole("10%\r50%\r100%\r\ndone");
        let fold = Fold { head: 1, tail: 3 };
        assert_eq!(strings(output.folded(fold, 40, &look(&theme))), ["100%", "done"]);
    }
}
