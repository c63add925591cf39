//! Roles → styles. Components name what a piece of text is, never how it looks; what a terminal cannot show is
//! left out here, and everything must be readable without any of it.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Ordinary text.
    Text,
    /// Less important text: hints, times, folded output.
    Dim,
    /// The one accent: markers, selected rows, links.
    Accent,
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// Attention.
    Warn,
    /// Background band of the user's own messages.
    Band,
    /// Headings and names.
    Strong,
    /// Inline code and commands.
    Code,
    /// Links.
    Link,
    /// Added line of a diff.
    Added,
    /// Removed line of a diff.
    Removed,
    /// The row under the cursor in a list.
    Selected,
}

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Colors {
    /// No colour, only bold, dim, underline and reverse.
    None,
    /// The sixteen named colours.
    Ansi16,
    /// The palette of 256.
    Ansi256,
    /// Any colour.
    True,
}

/// How roles look on this terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    /// What the terminal can show.
    pub(crate) colors: Colors,
    /// Whether its background is light.
    pub(crate) light: bool,
    /// Name of the syntax theme for code.
    pub(crate) syntax: String,
}

impl Default for Theme {
    fn default() -> Self {
        Self { colors: Colors::Ansi16, light: false, syntax: String::new() }
    }
}

impl Theme {
    /// The style of a role.
    pub(crate) fn style(&self, role: Role) -> Style {
        let plain = Style::new();
        let style = match role {
            Role::Text => plain,
            Role::Dim => plain.add_modifier(Modifier::DIM),
            Role::Accent => plain.fg(Color::Cyan),
            Role::Good => plain.fg(Color::Green),
            Role::Bad => plain.fg(Color::Red),
            Role::Warn => plain.fg(Color::Yellow),
            Role::Band => return self.band(),
            Role::Strong => plain.add_modifier(Modifier::BOLD),
            Role::Code => plain.fg(Color::Cyan),
            Role::Link => plain.fg(Color::Cyan).add_modifier(Modifier::UNDERLINED),
            Role::Added => plain.fg(Color::Green),
            Role::Removed => plain.fg(Color::Red),
            Role::Selected => plain.add_modifier(Modifier::BOLD | Modifier::REVERSED),
        };
        if self.colors == Colors::None { Style { fg: None, bg: None, ..style } } else { style }
    }

    fn band(&self) -> Style {
        match (self.colors, self.light) {
            (Colors::None | Colors::Ansi16, _) => Style::new(),
            (Colors::Ansi256 | Colors::True, false) => Style::new().bg(Color::Indexed(236)),
            (Colors::Ansi256 | Colors::True, true) => Style::new().bg(Color::Indexed(254)),
        }
    }
}
