//! What stands within a line: emphasis, code, links. Plain text is looked through for addresses and file paths,
//! which are shown as what they are even when the text does not mark them.

use pulldown_cmark::{Tag, TagEnd};
use ratatui::style::{Modifier, Style};

use crate::tui::text::{Flow, links};
use crate::tui::theme::{Role, Theme};

/// Collects the text of one line with its styles.
pub(super) struct Inline<'a> {
    theme: &'a Theme,
    flow: Flow,
    /// Text in the present style, held back because the parser cuts words in two.
    pending: String,
    style: Style,
    outer: Vec<Style>,
    link: Option<Link>,
}

struct Link {
    url: String,
    text: String,
}

impl<'a> Inline<'a> {
    /// Nothing yet, in the style of ordinary text.
    pub(super) fn new(theme: &'a Theme) -> Self {
        let style = theme.style(Role::Text);
        Self { theme, flow: Flow::default(), pending: String::new(), style, outer: Vec::new(), link: None }
    }

    /// Adds to the present style until [`Inline::leave`].
    pub(super) fn enter(&mut self, style: Style) {
        self.settle();
        self.outer.push(self.style);
        self.style = self.style.patch(style);
    }

    /// Back to the style before the last [`Inline::enter`].
    pub(super) fn leave(&mut self) {
        self.settle();
        self.style = self.outer.pop().unwrap_or_default();
    }

    /// A tag of the parser; those that are not about text in a line do nothing.
    pub(super) fn start(&mut self, tag: &Tag<'_>) {
        let plain = Style::new();
        match tag {
            Tag::Emphasis => self.enter(plain.add_modifier(Modifier::ITALIC)),
            Tag::Strong => self.enter(plain.add_modifier(Modifier::BOLD)),
            Tag::Strikethrough => self.enter(plain.add_modifier(Modifier::CROSSED_OUT)),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.enter(links::mark(self.theme.style(Role::Link), dest_url));
                self.link = Some(Link { url: dest_url.to_string(), text: String::new() });
            }
            _ => {}
        }
    }

    /// The end of such a tag.
    pub(super) fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.leave(),
            TagEnd::Link | TagEnd::Image => {
                self.leave();
                if let Some(link) = self.link.take() {
                    self.address(&link);
                }
            }
            _ => {}
        }
    }

    /// The address after the text of a link, unless the text is the address already.
    fn address(&mut self, link: &Link) {
        let bare = link
            .url
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_start_matches("mailto:");
        let same = |address: &str| link.text.trim_end_matches('/') == address.trim_end_matches('/');
        if link.url.is_empty() || same(&link.url) || same(bare) {
            return;
        }
        let dim = self.style.patch(self.theme.style(Role::Dim));
        let space = if link.text.is_empty() { "(" } else { " (" };
        self.flow.push(space, dim);
        self.flow.push(&link.url, links::mark(dim, &link.url));
        self.flow.push(")", dim);
    }

    /// Text in the present style.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(link) = &mut self.link {
            link.text.push_str(text);
        }
        if text.contains(['\n', '\t']) {
            self.pending.extend(text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c }));
        } else {
            self.pending.push_str(text);
        }
    }

    /// Code within the line.
    pub(super) fn code(&mut self, text: &str) {
        self.settle();
        if let Some(link) = &mut self.link {
            link.text.push_str(text);
        }
        let style = self.style.patch(self.theme.style(Role::Code));
        self.flow.push(&text.replace('\t', " "), style);
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.flow.is_empty() && self.pending.is_empty()
    }

    /// What was collected.
    pub(super) fn take(&mut self) -> Flow {
        self.settle();
        std::mem::take(&mut self.flow)
    }

    fn settle(&mut self) {
        let text = std::mem::take(&mut self.pending);
        if self.link.is_some() || !text.contains('/') {
            self.flow.push(&text, self.style);
            return;
        }
        for word in text.split_inclusive(' ') {
            self.word(word);
        }
    }

    /// One word and the space after it.
    fn word(&mut self, word: &str) {
        let core = word.trim_matches(|c: char| c == ' ' || "()[]<>{}\"'`,;!?".contains(c));
        let core = core.trim_end_matches(['.', ':']);
        let style = if is_address(core) {
            links::mark(self.style.patch(self.theme.style(Role::Link)), core)
        } else if is_path(core) {
            self.style.patch(self.theme.style(Role::Code))
        } else {
            self.flow.push(word, self.style);
            return;
        };
        let (before, after) = word.split_once(core).unwrap_or(("", ""));
        self.flow.push(before, self.style);
        self.flow.push(core, style);
        self.flow.push(after, self.style);
    }
}

fn is_address(word: &str) -> bool {
    let rest = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.chars().next().is_some_and(char::is_alphanumeric))
}

/// Whether a word is a path of a file: rooted, or with a file name that has an extension; a line number may follow.
fn is_path(word: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || "/._-~@+:#".contains(c);
    if !word.contains('/') || word.contains("//") || !word.chars().all(known) {
        return false;
    }
    let path = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':' || c == '#' || c == 'L');
    let path = if path.is_empty() { word } else { path };
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let named = (1..=8).contains(&extension.len()) && extension.chars().all(char::is_alphanumeric);
    let rooted = ["/", "./", "../", "~/"].iter().any(|root| word.starts_with(root));
    let deep = folder.chars().any(char::is_alphanumeric);
    let numeric = word.chars().all(|c| c.is_ascii_digit() || ".:/".contains(c));
    !numeric && (named || (rooted && deep && !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_words() {
        for (word, expected) in [
            ("src/main.rs", true),
            ("src/main.rs:12", true),
            ("src/main.rs:12:4", true),
            ("./run", false),
            ("/etc/passwd", true),
            ("~/.codex/config.toml", true),
            ("../x/y", true),
            ("and/or", false),
            ("1/2", false),
            ("/compact", false),
            ("10.0.0.0/8", false),
            ("a//b.c", false),
            ("n/a", false),
        ] {
            assert_eq!(is_path(word), expected, "{word}");
        }
    }
}
