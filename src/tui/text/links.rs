//! OSC 8 links as part of a style. A style has no room for an address, so the address is entered into one table
//! of the process and its number travels as the underline colour, which nothing else here uses. The terminal writer
//! looks the number up for each run of cells, writes the link around it, and must not write the colour itself.
//! The table only grows, and is bounded: a link too many is plain text.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use ratatui::style::{Color, Style};

/// Addresses kept; later ones are not linked.
const MAX_LINKS: usize = 16_384;
/// Bytes of an address; longer ones are not linked.
const MAX_BYTES: usize = 2_048;
/// Ends a link. Written by the terminal writer.
pub(crate) const CLOSE: &str = "\u{1b}]8;;\u{1b}\\";

#[derive(Default)]
struct Table {
    numbers: HashMap<Arc<str>, u32>,
    addresses: Vec<Arc<str>>,
}

static TABLE: LazyLock<RwLock<Table>> = LazyLock::new(RwLock::default);

/// `style` as the style of a link to `url`. Unchanged when the address is of no kind a terminal should open.
pub(crate) fn mark(style: Style, url: &str) -> Style {
    if !may_open(url) {
        return style;
    }
    let known = TABLE.read().unwrap_or_else(PoisonError::into_inner).numbers.get(url).copied();
    let Some(number) = known.or_else(|| enter(url)) else { return style };
    let [_, high, middle, low] = number.to_be_bytes();
    style.underline_color(Color::Rgb(high, middle, low))
}

/// The address that [`mark`] put into an underline colour.
pub(crate) fn target(underline: Color) -> Option<Arc<str>> {
    let Color::Rgb(high, middle, low) = underline else { return None };
    let number = u32::from_be_bytes([0, high, middle, low]);
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    table.addresses.get(usize::try_from(number).ok()?).cloned()
}

/// What begins a link to `url` on a terminal; the id joins the rows of a wrapped link.
pub(crate) fn open(url: &str, underline: Color) -> String {
    let id = match underline {
        Color::Rgb(high, middle, low) => u32::from_be_bytes([0, high, middle, low]),
        _ => 0,
    };
    format!("\u{1b}]8;id=c{id};{url}\u{1b}\\")
}

fn enter(url: &str) -> Option<u32> {
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(number) = table.numbers.get(url) {
        return Some(*number);
    }
    let number = u32::try_from(table.addresses.len()).ok()?;
    if table.addresses.len() >= MAX_LINKS {
        return None;
    }
    let address: Arc<str> = Arc::from(url);
    table.addresses.push(Arc::clone(&address));
    table.numbers.insert(address, number);
    Some(number)
}

/// Only addresses a browser or mail program takes, without a byte that could end the sequence they travel in.
fn may_open(url: &str) -> bool {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let known = ["http", "https", "mailto", "file"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
    known && url.len() <= MAX_BYTES && url.bytes().all(|byte| matches!(byte, 0x21..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back() {
        let a = mark(Style::new(), "https://example.org/a");
        let b = mark(Style::new(), "https://example.org/b");
        assert_ne!(a, b);
        assert_eq!(a, mark(Style::new(), "https://example.org/a"));
        assert_eq!(target(a.underline_color.unwrap()).as_deref(), Some("https://example.org/a"));
        assert_eq!(target(Color::Reset), None);
    }

    #[test]
    fn dangerous_addresses_are_plain_text() {
        for url in
            ["javascript:alert(1)", "https://x/\u{1b}\\", "https://x/\u{7}", "no scheme", "https://x y", ""]
        {
            assert_eq!(mark(Style::new(), url), Style::new(), "{url:?}");
        }
        assert_eq!(mark(Style::new(), &format!("https://{}", "x".repeat(MAX_BYTES))), Style::new());
    }

    #[test]
    fn the_sequence_is_complete() {
        let style = mark(Style::new(), "https://example.org/seq");
        let open = open("https://example.org/seq", style.underline_color.unwrap());
        assert!(open.starts_with("\u{1b}]8;id=c"));
        assert!(open.ends_with(";https://example.org/seq\u{1b}\\"));
    }
}
