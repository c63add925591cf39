//! Messages that wait while a turn runs: those that join it after its next tool call (steering), and those that
//! follow it one by one (queued). Nothing in here is ever dropped: it is sent or goes back into the prompt.

use std::collections::VecDeque;

use ratatui::text::{Line, Span};

use super::draft::Draft;
use crate::tui::keymap::{Action, Keymap};
use crate::tui::text::truncate_end;
use crate::tui::theme::{Role, Theme};

/// Messages shown of each kind; the rest is counted.
const SHOWN: usize = 3;

/// Waiting messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    steering: Vec<Draft>,
    queued: VecDeque<Draft>,
}

impl Queue {
    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.steering.is_empty() && self.queued.is_empty()
    }

    /// Whether the running turn was handed messages it has not taken yet.
    pub(crate) fn has_steering(&self) -> bool {
        !self.steering.is_empty()
    }

    /// A message was handed to the running turn, which has not taken it yet.
    pub(crate) fn steer(&mut self, draft: Draft) {
        self.steering.push(draft);
    }

    /// A message waits for the turn's end.
    pub(crate) fn push(&mut self, draft: Draft) {
        self.queued.push_back(draft);
    }

    /// The turn took its oldest steering message.
    pub(crate) fn taken(&mut self) -> Option<Draft> {
        if self.steering.is_empty() { None } else { Some(self.steering.remove(0)) }
    }

    /// The next queued message, to be sent now.
    pub(crate) fn next(&mut self) -> Option<Draft> {
        self.queued.pop_front()
    }

    /// Takes back the last queued message, to edit it.
    pub(crate) fn take_last(&mut self) -> Option<Draft> {
        self.queued.pop_back()
    }

    /// Everything as one text for the prompt, `prompt` (what stands in it) last. For an interrupted turn.
    pub(crate) fn take_all(&mut self, prompt: Draft) -> Draft {
        let mut all = std::mem::take(&mut self.steering);
        all.extend(std::mem::take(&mut self.queued));
        if !prompt.text.is_empty() || all.is_empty() {
            all.push(prompt);
        }
        Draft::join(&all)
    }

    /// The block above the prompt; no lines when nothing waits.
    pub(crate) fn lines(&self, width: u16, keymap: &Keymap, theme: &Theme) -> Vec<Line<'static>> {
        let width = usize::from(width);
        let mut out = Vec::new();
        if !self.steering.is_empty() {
            out.push(title(
                "Goes in after the next tool call",
                keymap.shown(Action::Interrupt),
                " to send now",
            ));
            messages(&mut out, self.steering.iter(), width, theme);
        }
        if !self.queued.is_empty() {
            out.push(title(
                "Queued for after this turn",
                keymap.shown(Action::EditQueued),
                " to edit the last",
            ));
            messages(&mut out, self.queued.iter(), width, theme);
        }
        let dim = theme.style(Role::Dim);
        for line in &mut out {
            let keep = line.spans.len() > 1 && line.width() > width;
            if keep {
                line.spans.truncate(1);
            }
            line.style = dim;
        }
        out
    }
}

fn title(text: &'static str, key: String, what: &'static str) -> Line<'static> {
    let mut line = Line::from(Span::raw(format!("• {text}")));
    if !key.is_empty() {
        line.push_span(Span::raw(format!(" · {key}{what}")));
    }
    line
}

fn messages<'a>(
    out: &mut Vec<Line<'static>>,
    drafts: impl ExactSizeIterator<Item = &'a Draft>,
    width: usize,
    theme: &Theme,
) {
    let more = drafts.len().saturating_sub(SHOWN);
    for draft in drafts.take(SHOWN) {
        let sign = if draft.shell { "!" } else { "" };
        // A clip of the start is enough: the text may be long.
        let start: String = draft.shown().chars().take(width + 1).collect();
        let text = format!("{sign}{start}");
        let text = truncate_end(&text, width.saturating_sub(4));
        out.push(Line::from(Span::styled(format!("  ↳ {text}"), theme.style(Role::Text))));
    }
    if more > 0 {
        out.push(Line::from(Span::raw(format!("    + {more} more"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        Draft::from_text(text)
    }

    fn shown(queue: &Queue, width: u16) -> Vec<String> {
        let lines = queue.lines(width, &Keymap::default(), &Theme::default());
        lines.iter().map(Line::to_string).collect()
    }

    #[test]
    fn an_interrupted_turn_gives_everything_back_in_order() {
        let mut queue = Queue::default();
        queue.steer(draft("steer"));
        queue.push(draft("one"));
        queue.push(draft("two"));
        assert_eq!(queue.take_all(draft("typing")).expand(), "steer\none\ntwo\ntyping");
        assert!(queue.is_empty());
        assert_eq!(queue.take_all(draft("typing")).expand(), "typing");
        queue.push(draft("x"));
        assert_eq!(queue.take_all(Draft::default()).expand(), "x");
    }

    #[test]
    fn messages_leave_in_order() {
        let mut queue = Queue::default();
        for text in ["a", "b", "c"] {
            queue.push(draft(text));
            queue.steer(draft(text));
        }
        assert_eq!(queue.next().unwrap().text, "a");
        assert_eq!(queue.take_last().unwrap().text, "c");
        assert_eq!(queue.taken().unwrap().text, "a");
        assert_eq!(queue.taken().unwrap().text, "b");
        assert_eq!(queue.taken().unwrap().text, "c");
        assert_eq!(queue.next().unwrap().text, "b");
        assert!(queue.is_empty());
    }

    #[test]
    fn lines_fit_and_count_the_rest() {
        let mut queue = Queue::default();
        assert_eq!(shown(&queue, 60), [""; 0]);
        queue.steer(draft("use the\nother file"));
        for n in 0..5 {
            queue.push(draft(&format!("{n} {}", "日本語 long ".repeat(20))));
        }
        let lines = shown(&queue, 60);
        assert_eq!(
            lines.get(..2).unwrap(),
            ["• Goes in after the next tool call · esc to send now", "  ↳ use the other file"]
        );
        assert_eq!(lines.last().unwrap(), "    + 2 more");
        for width in [10, 40, 60, 120] {
            let lines = queue.lines(width, &Keymap::default(), &Theme::default());
            let widest =
                lines.iter().skip(1).filter(|l| l.to_string().starts_with("  ↳")).map(Line::width).max();
            assert!(widest.unwrap() <= usize::from(width), "{width}");
        }
    }
}
