//! Markdown → plain text, for places that show neither styles nor columns: notifications of the desktop and the
//! user's notify program. What the marks meant to the eye goes; list items and task boxes keep a sign of their own.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::prose::options;

/// The words of a text without its marks: a line per paragraph, heading, item and row of a table.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut numbers: Vec<Option<u64>> = Vec::new();
    for event in Parser::new_ext(text, options()) {
        match event {
            Event::Text(words) | Event::Code(words) | Event::InlineHtml(words) | Event::Html(words) => {
                out.push_str(&words);
            }
            Event::SoftBreak => out.push(' '),
            Event::HardBreak => out.push('\n'),
            Event::TaskListMarker(done) => out.push_str(if done { "☑ " } else { "☐ " }),
            Event::Start(Tag::List(first)) => {
                end_line(&mut out);
                numbers.push(first);
            }
            Event::End(TagEnd::List(_)) => drop(numbers.pop()),
            Event::Start(Tag::Item) => begin_item(&mut numbers, &mut out),
            Event::End(TagEnd::TableCell) => out.push_str("  "),
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::CodeBlock
                | TagEnd::HtmlBlock
                | TagEnd::TableHead
                | TagEnd::TableRow,
            ) => end_line(&mut out),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn begin_item(numbers: &mut [Option<u64>], out: &mut String) {
    match numbers.last_mut() {
        Some(Some(number)) => {
            out.push_str(&format!("{number}. "));
            *number += 1;
        }
        _ => out.push_str("• "),
    }
}

fn end_line(out: &mut String) {
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_without_marks() {
        for (text, want) in [
            ("**Done.** `cargo test` is *green*.", "Done. cargo test is green."),
            (
                "## Result\n\nSee [the page](https://x.example) and ~~that~~.",
                "Result\nSee the page and that.",
            ),
            (
                "- one\n- two `x`\n  - deeper\n\n3. three\n4. four",
                "• one\n• two x\n• deeper\n3. three\n4. four",
            ),
            ("- [x] done\n- [ ] open", "• ☑ done\n• ☐ open"),
            ("```rust\nfn main() {}\n```\nafter", "fn main() {}\nafter"),
            ("| a | b |\n|---|---|\n| 1 | 2 |", "a  b\n1  2"),
            ("one\ntwo\\\nthree", "one two\nthree"),
            ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
            ("", ""),
        ] {
            assert_eq!(plain(text), want, "{text}");
        }
    }
}
