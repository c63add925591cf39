//! Roles → styles. Components name what a piece of text is, never how it looks; what a terminal cannot show is
//! left out here, and everything must be readable without any of it.

use ratatui::style::{Color, Modifier, Style};

use super::palette;

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
    /// Background behind an added line of a diff.
    AddedBand,
    /// Background behind a removed line of a diff.
    RemovedBand,
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
    /// Name of the syntax theme for code; empty for the one that suits the terminal.
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
        let colors = palette::style(role, self.colors, self.light);
        match role {
            Role::Strong => colors.add_modifier(Modifier::BOLD),
            Role::Link => colors.add_modifier(Modifier::UNDERLINED),
            Role::Selected => colors.add_modifier(Modifier::BOLD | Modifier::REVERSED),
            Role::Dim if self.colors <= Colors::Ansi16 => colors.add_modifier(Modifier::DIM),
            _ => colors,
        }
    }

    /// `color` as this terminal can show it, or that of less important text when it cannot be read on the terminal's
    /// ground: themes are made for one ground, and their greys for no other.
    pub(crate) fn readable(&self, color: Color) -> Option<Color> {
        let ground = if self.light { Color::Rgb(0xf4, 0xf4, 0xf4) } else { Color::Rgb(0x18, 0x18, 0x18) };
        let fg = self.color(color)?;
        if palette::can_be_read(fg, ground) { Some(fg) } else { self.style(Role::Dim).fg }
    }

    /// `color` as this terminal can show it; `None` when it shows no colours.
    pub(crate) fn color(&self, color: Color) -> Option<Color> {
        palette::fit(color, self.colors)
    }
}

#[cfg(test)]
#[path = "light_tests.rs"]
mod light;

#[cfg(test)]
mod tests {
    use ratatui::text::Line;

    use super::*;
    use crate::tui::testing::{assert_screen, paper};

    const ROLES: [Role; 15] = [
        Role::Text,
        Role::Dim,
        Role::Accent,
        Role::Good,
        Role::Bad,
        Role::Warn,
        Role::Band,
        Role::Strong,
        Role::Code,
        Role::Link,
        Role::Added,
        Role::Removed,
        Role::AddedBand,
        Role::RemovedBand,
        Role::Selected,
    ];

    #[test]
    fn every_role_on_every_terminal() {
        for colors in [Colors::None, Colors::Ansi16, Colors::Ansi256, Colors::True] {
            for light in [false, true] {
                let theme = Theme { colors, light, syntax: String::new() };
                let lines = ROLES.map(|role| Line::styled(format!("{role:?}"), theme.style(role)));
                let ground = if light { "light" } else { "dark" };
                assert_screen!(format!("{colors:?}_{ground}").to_lowercase(), paper(12, &lines));
            }
        }
    }

    #[test]
    fn without_colours_there_are_none() {
        let theme = Theme { colors: Colors::None, ..Theme::default() };
        for role in ROLES {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        assert_eq!(theme.color(Color::Red), None);
    }
}
