//! The colours behind the roles, for each kind of terminal, and any colour brought down to what a terminal has.
//! Sixteen-colour terminals get the user's own palette and no backgrounds: what it looks like is not known here.

use ratatui::style::{Color, Style};

use super::theme::{Colors, Role};

/// One colour in its three forms: 24 bits, palette of 256, sixteen.
type Shades = (u32, u8, Color);

/// The colours of a role; everything that is not a colour is left to the theme.
pub(super) fn style(role: Role, colors: Colors, light: bool) -> Style {
    let fg = if light { light_text(role) } else { dark_text(role) };
    let bg = if light { light_ground(role) } else { dark_ground(role) };
    let fg = fg.and_then(|shades| pick(shades, colors));
    let bg = if colors >= Colors::Ansi256 { bg.and_then(|shades| pick(shades, colors)) } else { None };
    Style { fg, bg, ..Style::new() }
}

fn dark_text(role: Role) -> Option<Shades> {
    Some(match role {
        Role::Dim => (0x8a_8f98, 245, Color::Reset),
        Role::Accent | Role::Code | Role::Link => (0x7a_c4cf, 116, Color::Cyan),
        Role::Good | Role::Added => (0x8f_c98a, 114, Color::Green),
        Role::Bad | Role::Removed => (0xf0_7a7a, 210, Color::Red),
        Role::Warn => (0xe0_b86a, 179, Color::Yellow),
        Role::Text | Role::Band | Role::Strong | Role::AddedBand | Role::RemovedBand | Role::Selected => {
            return None;
        }
    })
}

fn light_text(role: Role) -> Option<Shades> {
    Some(match role {
        Role::Dim => (0x6a_6f78, 242, Color::Reset),
        // Cyan and yellow of most palettes are too pale for a light ground.
        Role::Accent | Role::Code | Role::Link => (0x00_6b7d, 24, Color::Blue),
        Role::Good | Role::Added => (0x1f_7a2e, 28, Color::Green),
        Role::Bad | Role::Removed => (0xb5_2a2a, 124, Color::Red),
        Role::Warn => (0x8a_5a00, 94, Color::Magenta),
        Role::Text | Role::Band | Role::Strong | Role::AddedBand | Role::RemovedBand | Role::Selected => {
            return None;
        }
    })
}

fn dark_ground(role: Role) -> Option<Shades> {
    match role {
        Role::Band => Some((0x2b_2e33, 236, Color::Reset)),
        Role::AddedBand => Some((0x16_2b1c, 22, Color::Reset)),
        Role::RemovedBand => Some((0x33_1a1c, 52, Color::Reset)),
        _ => None,
    }
}

fn light_ground(role: Role) -> Option<Shades> {
    match role {
        Role::Band => Some((0xec_eef1, 255, Color::Reset)),
        Role::AddedBand => Some((0xdd_f4e0, 194, Color::Reset)),
        Role::RemovedBand => Some((0xfb_e3e3, 224, Color::Reset)),
        _ => None,
    }
}

fn pick((rgb, indexed, named): Shades, colors: Colors) -> Option<Color> {
    match colors {
        Colors::None => None,
        Colors::Ansi16 => (named != Color::Reset).then_some(named),
        Colors::Ansi256 => Some(Color::Indexed(indexed)),
        Colors::True => Some(Color::from_u32(rgb)),
    }
}

/// `color` as a terminal of this kind can show it; `None` when it shows no colours.
pub(super) fn fit(color: Color, colors: Colors) -> Option<Color> {
    match (colors, color) {
        (Colors::None, _) => None,
        (Colors::Ansi256, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_256([r, g, b]))),
        (Colors::Ansi16, Color::Rgb(r, g, b)) => Some(nearest_16([r, g, b])),
        (Colors::Ansi16, Color::Indexed(index @ 0..=15)) => Some(NAMED[usize::from(index)]),
        (Colors::Ansi16, Color::Indexed(index)) => Some(nearest_16(rgb_of(index))),
        _ => Some(color),
    }
}

/// The sixteen by number.
pub(super) const NAMED: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// What the sixteen look like on most terminals.
const USUAL: [u32; 16] = [
    0x00_0000, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5, 0x7f_7f7f,
    0xff_0000, 0x00_ff00, 0xff_ff00, 0x5c_5cff, 0xff_00ff, 0x00_ffff, 0xff_ffff,
];

/// Contrast below which text on a band is not readable at a glance.
const MIN_CONTRAST: f32 = 2.5;

/// Steps of the 6x6x6 cube in the palette of 256.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn rgb_of(index: u8) -> [u8; 3] {
    match index {
        0..=15 => {
            let [_, r, g, b] = USUAL[usize::from(index)].to_be_bytes();
            [r, g, b]
        }
        16..=231 => {
            let step = |part: u8| CUBE[usize::from(part % 6)];
            let at = index - 16;
            [step(at / 36), step(at / 6), step(at)]
        }
        232.. => [8 + 10 * (index - 232); 3],
    }
}

/// Whether text of one colour can be read on the other. The sixteen named colours always count as readable: what
/// they look like is the user's choice.
pub(super) fn can_be_read(text: Color, ground: Color) -> bool {
    let light = |color| match color {
        Color::Rgb(r, g, b) => Some(luminance([r, g, b])),
        Color::Indexed(index @ 16..) => Some(luminance(rgb_of(index))),
        _ => None,
    };
    let (Some(text), Some(ground)) = (light(text), light(ground)) else { return true };
    (text.max(ground) + 0.05) / (text.min(ground) + 0.05) >= MIN_CONTRAST
}

/// How bright a colour is, 0 to 1, as WCAG defines it.
fn luminance(rgb: [u8; 3]) -> f32 {
    let [r, g, b] = rgb.map(|part| (f32::from(part) / 255.0).powf(2.2));
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn nearest_256(rgb: [u8; 3]) -> u8 {
    let nearest = (16..=255_u8).min_by_key(|index| distance(rgb, rgb_of(*index)));
    nearest.unwrap_or(16)
}

fn nearest_16(rgb: [u8; 3]) -> Color {
    let nearest = (0..16_u8).min_by_key(|index| distance(rgb, rgb_of(*index)));
    NAMED[usize::from(nearest.unwrap_or(7))]
}

/// How far two colours are apart; green counts most, as for the eye.
fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    let part = |i: usize| u32::from(a[i].abs_diff(b[i])).pow(2);
    2 * part(0) + 4 * part(1) + 3 * part(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_down_to_what_is_there() {
        for (color, colors, expected) in [
            (Color::Rgb(255, 0, 0), Colors::True, Some(Color::Rgb(255, 0, 0))),
            (Color::Rgb(255, 0, 0), Colors::Ansi256, Some(Color::Indexed(196))),
            (Color::Rgb(250, 10, 10), Colors::Ansi16, Some(Color::LightRed)),
            (Color::Indexed(46), Colors::Ansi16, Some(Color::LightGreen)),
            (Color::Indexed(3), Colors::Ansi16, Some(Color::Yellow)),
            (Color::Indexed(250), Colors::Ansi256, Some(Color::Indexed(250))),
            (Color::Rgb(128, 128, 128), Colors::Ansi256, Some(Color::Indexed(244))),
            (Color::Green, Colors::Ansi16, Some(Color::Green)),
            (Color::Green, Colors::None, None),
        ] {
            assert_eq!(fit(color, colors), expected, "{color} {colors:?}");
        }
    }

    #[test]
    fn grey_on_green_cannot_be_read() {
        assert!(!can_be_read(Color::Indexed(241), Color::Indexed(22)));
        assert!(can_be_read(Color::Indexed(114), Color::Indexed(22)));
        assert!(can_be_read(Color::Rgb(0x5c, 0x63, 0x70), Color::Rgb(0x16, 0x2b, 0x1c)));
        assert!(can_be_read(Color::Green, Color::Indexed(22)));
    }
}
