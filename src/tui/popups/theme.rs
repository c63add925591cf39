//! `/theme`: the colours of code, with a preview of each on the way.

use ratatui::text::{Line, Span};

use super::field::Field;
use super::frame::{self, Drawn};
use super::list::{List, Picked, Row};
use super::wish::{Outcome, Wish};
use crate::tui::door::Setting;
use crate::tui::keymap::Keymap;
use crate::tui::keys::Key;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// What is shown in the colours of the selected theme.
const SAMPLE: &str = "@@ -1,4 +1,4 @@\n fn greet(name: &str) -> String {\n-    let text = \"Hello\";\n+    let text = \"Good day\"; // kinder\n     format!(\"{text}, {name}!\")\n }\n";
/// Rows of names.
const ROWS: usize = 8;

/// The open picker.
#[derive(Clone, Debug)]
pub(crate) struct Picker {
    all: Vec<String>,
    filter: Field,
    list: List,
    before: String,
    /// The one in use, which may be so without having been chosen.
    current: Option<String>,
}

impl Picker {
    /// A picker over these names.
    pub(crate) fn new(all: Vec<String>, theme: &Theme) -> Self {
        let current = all.iter().find(|name| text::syntaxes::is_in_use(name, theme)).cloned();
        let list = List::plain(Vec::new());
        let mut picker = Self { all, filter: Field::default(), list, before: theme.syntax.clone(), current };
        picker.list = List::plain(picker.rows());
        picker
    }

    fn rows(&self) -> Vec<Row> {
        let wanted = self.filter.text().to_lowercase();
        let fits = |name: &&String| name.to_lowercase().contains(&wanted);
        self.all
            .iter()
            .filter(fits)
            .map(|name| Row::new(name).current(Some(name) == self.current.as_ref()))
            .collect()
    }

    fn chosen(&self) -> Option<String> {
        self.list.rows().get(self.list.selected()).map(|row| row.label.clone())
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Outcome {
        match self.list.on_key(key, keymap) {
            Picked::Row(_) => match self.chosen() {
                Some(name) => Outcome::Wish(Wish::Save(Setting::Theme(name))),
                None => Outcome::Stay,
            },
            Picked::Closed => Outcome::Wish(Wish::PreviewTheme(self.before.clone())),
            Picked::Nothing if key == Key::ctrl('c') => {
                Outcome::Wish(Wish::PreviewTheme(self.before.clone()))
            }
            Picked::Nothing => {
                if self.filter.on_key(key) {
                    self.list.replace(self.rows());
                }
                self.preview()
            }
            Picked::Moved | Picked::Refused(_) => self.preview(),
        }
    }

    fn preview(&self) -> Outcome {
        self.chosen().map_or(Outcome::Stay, |name| Outcome::Keep(Wish::PreviewTheme(name)))
    }

    /// Its rows.
    pub(crate) fn draw(&self, width: u16, height: usize, theme: &Theme) -> Drawn {
        let (shown, column) = self.filter.view(usize::from(width.saturating_sub(12)), false);
        let filter = Line::from(vec![Span::styled("  Filter: ", theme.style(Role::Dim)), Span::raw(shown)]);
        let place = match self.list.len() {
            all if all > ROWS => format!("{} of {all}", self.list.selected() + 1),
            _ => String::new(),
        };
        let mut lines = vec![frame::title("Colours of code", &place, width, theme), filter];
        let sample = text::diff::lines(
            SAMPLE,
            std::path::Path::new("sample.rs"),
            width.saturating_sub(2),
            None,
            theme,
        );
        let room = height.saturating_sub(lines.len() + sample.len() + 4).clamp(1, ROWS);
        lines.extend(self.list.lines(width, room, theme));
        lines.push(Line::default());
        let keep = sample.len() + 2;
        lines.extend(sample.into_iter().map(|mut line| {
            line.spans.insert(0, Span::raw("  "));
            line
        }));
        lines.push(Line::default());
        lines.push(frame::hint("type to filter · enter keep · esc back", width, theme));
        Drawn { lines: frame::fit(lines, height, keep, theme), cursor: Some((10 + column, 1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::Code;
    use crate::tui::testing::{assert_screen, paper};
    use crate::tui::theme::Colors;

    fn picker() -> Picker {
        let theme = Theme { syntax: "Nord".to_owned(), ..Theme::default() };
        Picker::new(["ansi", "base16", "Nord", "zenburn"].map(str::to_owned).to_vec(), &theme)
    }

    #[test]
    fn it_opens_on_the_theme_in_use() {
        let names = || ["1337", "ansi", "OneHalfDark"].map(str::to_owned).to_vec();
        for (colors, syntax, want) in [
            (Colors::Ansi16, "", "ansi"),
            (Colors::Ansi256, "", "OneHalfDark"),
            (Colors::Ansi256, "no such theme", "OneHalfDark"),
            (Colors::Ansi256, "1337", "1337"),
        ] {
            let picker = Picker::new(names(), &Theme { colors, light: false, syntax: syntax.to_owned() });
            assert_eq!(picker.chosen().as_deref(), Some(want), "{syntax:?}");
        }
    }

    #[test]
    fn typing_filters_and_moving_previews() {
        let map = Keymap::default();
        let mut picker = picker();
        let preview = |name: &str| Outcome::Keep(Wish::PreviewTheme(name.to_owned()));
        assert_eq!(picker.on_key(Key::plain(Code::Down), &map), preview("zenburn"));
        assert_eq!(picker.on_key(Key::plain(Code::Char('1')), &map), preview("base16"));
        let saved = Outcome::Wish(Wish::Save(Setting::Theme("base16".to_owned())));
        assert_eq!(picker.on_key(Key::plain(Code::Enter), &map), saved);
        let back = Outcome::Wish(Wish::PreviewTheme("Nord".to_owned()));
        assert_eq!(picker.on_key(Key::plain(Code::Esc), &map), back);
    }

    #[test]
    fn views() {
        for width in [60, 80, 120] {
            assert_screen!(
                format!("picker_{width}"),
                paper(width, &picker().draw(width, 20, &Theme::default()).lines)
            );
        }
    }
}
