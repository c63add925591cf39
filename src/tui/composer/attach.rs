//! Pasted text that names images: terminals paste a dragged file as its path, quoted or escaped as a shell would
//! want it. Decided here by the look of the text alone; whether the files are there is asked outside. Also how the
//! images of a draft get through that question and through an external editor.

use std::path::PathBuf;

use super::draft::Draft;
use super::elements::Element;
use super::textarea::TextArea;
use super::undo::Kind;

const EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "gif", "webp"];
/// A paste longer than this is no list of paths.
const MAX_CHARS: usize = 4096;
const MAX_PATHS: usize = 16;

/// Whether the name ends like an image that can be sent.
pub(crate) fn is_image_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    ending.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

/// The images `paste` names, if it names nothing else. `~/` stays for the caller to resolve.
pub(crate) fn image_paths(paste: &str) -> Option<Vec<PathBuf>> {
    let text = paste.trim();
    if text.is_empty() || text.len() > MAX_CHARS {
        return None;
    }
    // A whole line may be one path with blanks in it; else words as a shell reads them.
    let words = match is_image_name(text) && !text.contains(['\n', '\'', '"', '\\']) && text.contains('/') {
        true if !text.split(' ').all(looks_like_path) => vec![text.to_owned()],
        _ => shell_words(text)?,
    };
    let good = !words.is_empty() && words.len() <= MAX_PATHS && words.iter().all(|w| is_image_name(w));
    good.then(|| words.iter().map(|w| to_path(w)).collect())
}

fn looks_like_path(word: &str) -> bool {
    is_image_name(word) && (word.starts_with(['/', '~', '.']) || word.starts_with("file://"))
}

/// Words with quotes and backslashes resolved; `None` when a quote stays open.
fn shell_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().push(chars.next()?),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn to_path(word: &str) -> PathBuf {
    let url = word.strip_prefix("file://").and_then(|_| url::Url::parse(word).ok());
    url.and_then(|u| u.to_file_path().ok()).unwrap_or_else(|| PathBuf::from(word))
}

/// Puts the images (absolute paths) in place of the pasted text behind `token`; the text itself when there are
/// none. The cursor stays where it is in the text.
pub(crate) fn resolve(area: &mut TextArea, token: char, images: &[PathBuf]) {
    let Some(Element::Unchecked { text }) = area.elements().get(token).cloned() else { return };
    let Some(start) = area.text().find(token) else { return };
    let mut with = String::new();
    for path in images {
        with.extend(area.elements_mut().add(Element::Image { path: path.clone() }));
        with.push(' ');
    }
    let with = if images.is_empty() { text.as_ref() } else { with.as_str() };
    let (cursor, end) = (area.cursor(), start + token.len_utf8());
    area.replace(start, end, with, Kind::Other);
    match cursor {
        c if c <= start => area.move_to(c),
        c => area.move_to(c + start + with.len() - end),
    }
}

/// The draft for `text` as it came back from an external editor that was given `old`. Images whose labels are
/// still there stay attached.
pub(crate) fn from_editor(old: &Draft, text: &str) -> Draft {
    let mut new = Draft { shell: old.shell, ..Draft::from_text(text.trim_end_matches(['\n', '\r'])) };
    for (token, label) in old.elements.labels(&old.text) {
        let image = old.elements.get(token).filter(|e| matches!(e, Element::Image { .. }));
        if let Some(token) = image.and_then(|image| new.elements.add(image.clone())) {
            new.text = new.text.replacen(&label, token.encode_utf8(&mut [0; 4]), 1);
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_paths() {
        for (paste, want) in [
            ("/tmp/a.png", Some(vec!["/tmp/a.png"])),
            ("/tmp/a.PNG\n", Some(vec!["/tmp/a.PNG"])),
            ("'/tmp/my shot.png'", Some(vec!["/tmp/my shot.png"])),
            ("/tmp/my\\ shot.webp", Some(vec!["/tmp/my shot.webp"])),
            ("/tmp/my shot.png", Some(vec!["/tmp/my shot.png"])),
            ("/a.png /b.jpeg", Some(vec!["/a.png", "/b.jpeg"])),
            ("/a.png\n'/b c.gif'", Some(vec!["/a.png", "/b c.gif"])),
            ("file:///tmp/a%20b.png", Some(vec!["/tmp/a b.png"])),
            ("~/x.jpg", Some(vec!["~/x.jpg"])),
            ("look at a.png please", None),
            ("it's here.png", None),
            ("/tmp/a.txt", None),
            ("/a.png and text", None),
            ("", None),
        ] {
            let want = want.map(|w| w.into_iter().map(PathBuf::from).collect::<Vec<_>>());
            assert_eq!(image_paths(paste), want, "{paste:?}");
        }
    }

    #[test]
    fn long_text_is_not_looked_at() {
        assert_eq!(image_paths(&format!("{}.png", "/x".repeat(5000))), None);
    }
}
