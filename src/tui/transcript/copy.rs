//! What one may want to copy: the last answer, or one of its code blocks; and the whole conversation as Markdown.
//! Texts are given as the model wrote them, never as they were laid out.

use super::list::{Body, Slot};
use super::pane::Transcript;
use crate::tui::text;

/// Bytes of a tool's output that go into an export.
const OUTPUT: usize = 16 * 1024;

/// Something to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// What it is, for a list.
    pub(crate) label: String,
    /// The text itself.
    pub(crate) text: String,
}

impl Transcript {
    /// The last answer as a whole, then its code blocks. Nothing when there is no answer yet.
    pub(crate) fn copy_sources(&self) -> Vec<Source> {
        let answer = self.model().cells.iter().rev().find_map(|slot| match &slot.body {
            Body::Message(message) => {
                Some(message.markdown().to_owned()).filter(|text| !text.trim().is_empty())
            }
            Body::Review(review) => review.answer().map(str::to_owned),
            _ => None,
        });
        let Some(answer) = answer else { return Vec::new() };
        let blocks = code_blocks(&answer);
        let mut sources = vec![Source { label: "Whole answer".to_owned(), text: answer }];
        sources.extend(blocks);
        sources
    }

    /// The conversation as Markdown.
    pub(crate) fn export(&self) -> String {
        let mut out = String::from("# Conversation\n");
        for section in self.model().cells.iter().filter_map(section) {
            out.push('\n');
            out.push_str(section.trim_end());
            out.push('\n');
        }
        out
    }
}

/// The code blocks of a Markdown text, with what tells them apart in a list.
fn code_blocks(markdown: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    for (index, block) in text::markdown::blocks(markdown).into_iter().enumerate() {
        let lines = super::rows::count(block.code.lines().count(), "line", "lines");
        let language = text::sanitize(&block.language).into_owned();
        let language = if language.is_empty() { language } else { format!("{language} · ") };
        sources.push(Source { label: format!("Code {} · {language}{lines}", index + 1), text: block.code });
    }
    sources
}

fn section(slot: &Slot) -> Option<String> {
    let text = slot.body.cell().text();
    match &slot.body {
        Body::User(_) => Some(format!("## You\n\n{text}")),
        Body::Message(_) if text.trim().is_empty() => None,
        Body::Message(_) => Some(format!("## Codex\n\n{text}")),
        Body::Explored(_) | Body::Command(_) | Body::Tool(_) => Some(fenced(&text, "")),
        Body::Patch(_) => Some(fenced(&text, "diff")),
        Body::Plan(_) => Some(text.into_owned()),
        Body::Search(_) => Some(format!("Searched the web for {text}")),
        Body::Image(_) => Some(format!("Viewed image {text}")),
        Body::Notice(_) => Some(format!("> {}", text.replace('\n', "\n> "))),
        Body::Review(review) if review.answer().is_some() => Some(format!("## Codex\n\n{text}")),
        Body::Compaction(_) | Body::Review(_) | Body::TurnEnd(_) => Some(format!("*{text}*")),
        Body::Header(_) | Body::Reasoning(_) | Body::Block(_) => None,
    }
}

/// A code block whose fence is longer than any inside it.
fn fenced(text: &str, language: &str) -> String {
    let end = (0..=OUTPUT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let kept = text.get(..end).unwrap_or(text);
    let longest = kept.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let more = if end < text.len() { "\n… (shortened)" } else { "" };
    format!("{fence}{language}\n{}{more}\n{fence}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_blocks_are_taken_out_as_written() {
        let text = "Do:\n\n```rust\nfn a() {}\n\nfn b() {}\n```\n\n1. then\n   ~~~\n   ls\n   ~~~\n\n````\n```\n````\n";
        let blocks = code_blocks(text);
        let labels: Vec<_> = blocks.iter().map(|block| block.label.as_str()).collect();
        assert_eq!(labels, ["Code 1 · rust · 3 lines", "Code 2 · 1 line", "Code 3 · 1 line"]);
        let texts: Vec<_> = blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["fn a() {}\n\nfn b() {}\n", "ls\n", "```\n"]);
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("a ``` b", ""), "````\na ``` b\n````");
    }
}
