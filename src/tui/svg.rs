//! Screens as SVG, for people who have not installed it yet. Only tests use it: what a picture shows is what the app
//! draws. The window brings its own ground, so that it reads the same on white and on dark pages, and every run of
//! text is held to the width of its cells, whatever font the reader has.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell, CellWidth as _};
use ratatui::style::{Color, Modifier};

/// One cell in pixels, tenths of them for the width.
const CELL_TENTHS: u32 = 84;
const ROW: u32 = 18;
/// Where the base line of a row is.
const BASE: u32 = 13;
/// Around the screen.
const PAD: u32 = 14;
/// The window's bar.
const BAR: u32 = 26;
const GROUND: &str = "#16181d";
const TEXT: &str = "#d8dbe0";

/// One picture of a screen, in a window of this title.
pub(super) fn picture(screen: &Buffer, title: &str) -> String {
    let (columns, rows) = (u32::from(screen.area.width), u32::from(screen.area.height));
    let (width, height) = (columns * CELL_TENTHS / 10 + 2 * PAD, rows * ROW + 2 * PAD + BAR);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" xml:space=\"preserve\">\n\
         <title>{title}</title>\n\
         <style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;\
         white-space:pre;fill:{TEXT}}}</style>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"{GROUND}\" stroke=\"#5a606b\"/>\n",
        width - 1,
        height - 1,
        title = escaped(title),
    );
    for (at, color) in ["#f07a7a", "#e0b86a", "#8fc98a"].into_iter().enumerate() {
        let x = u32::try_from(at).unwrap() * 18 + 20;
        let _ = writeln!(out, "<circle cx=\"{x}\" cy=\"17\" r=\"5\" fill=\"{color}\"/>");
    }
    let mut text = String::new();
    for y in 0..screen.area.height {
        for run in runs(screen, y) {
            run.draw(u32::from(y), &mut out, &mut text);
        }
    }
    out.push_str(&text);
    out.push_str("</svg>\n");
    out
}

/// Neighbours of one look.
struct Run {
    from: u16,
    cells: u16,
    text: String,
    look: Look,
}

/// What a cell looks like: text colour, ground, and the rest as rules of style.
#[derive(Clone, PartialEq)]
struct Look {
    fg: String,
    bg: Option<String>,
    style: String,
}

fn runs(screen: &Buffer, y: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut x = 0;
    while x < screen.area.width {
        let cell = &screen[(x, y)];
        let cells = cell.symbol().cell_width().max(1);
        let look = look(cell);
        // A wide character keeps to its own two cells; so does whatever a font may draw at another width.
        let plain = cell.symbol().is_ascii();
        match runs.last_mut() {
            Some(run) if run.look == look && plain && run.text.is_ascii() => {
                run.text.push_str(cell.symbol());
                run.cells += cells;
            }
            Some(run) if run.look == look && !plain && cells == 1 && run.text.ends_with(cell.symbol()) => {
                run.text.push_str(cell.symbol());
                run.cells += cells;
            }
            _ => runs.push(Run { from: x, cells, text: cell.symbol().to_owned(), look }),
        }
        x += cells;
    }
    runs
}

impl Run {
    fn draw(&self, y: u32, grounds: &mut String, texts: &mut String) {
        let pixels = |cells: u16| f64::from(u32::from(cells) * CELL_TENTHS) / 10.0;
        let (x, top) = (f64::from(PAD) + pixels(self.from), PAD + BAR + y * ROW);
        let width = pixels(self.cells);
        if let Some(bg) = &self.look.bg {
            let _ = writeln!(
                grounds,
                "<rect x=\"{x:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{ROW}\" fill=\"{bg}\"/>",
                // A little over the edge: no seam is left between neighbours.
                width + 0.6
            );
        }
        let shown = self.text.trim_end();
        if shown.is_empty() {
            return;
        }
        let lead = self.text.len() - self.text.trim_start().len();
        let cells = u16::try_from(shown.chars().count().max(1)).unwrap();
        let wide = if self.text.is_ascii() || self.cells == cells { cells } else { self.cells };
        let lead = u16::try_from(lead).unwrap();
        let (x, width) = (x + pixels(lead), pixels(wide - lead));
        let Look { fg, style, .. } = &self.look;
        let fill = if fg == TEXT { String::new() } else { format!("fill:{fg};") };
        let style = match fill.len() + style.len() {
            0 => String::new(),
            _ => format!(" style=\"{fill}{style}\""),
        };
        let _ = writeln!(
            texts,
            "<text x=\"{x:.1}\" y=\"{}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\"{style}>{}</text>",
            top + BASE,
            escaped(shown.trim_start())
        );
    }
}

fn look(cell: &Cell) -> Look {
    let mut fg = hex(cell.fg).unwrap_or_else(|| TEXT.to_owned());
    let mut bg = hex(cell.bg);
    if cell.modifier.contains(Modifier::REVERSED) {
        (fg, bg) = (bg.unwrap_or_else(|| GROUND.to_owned()), Some(fg));
    }
    let mut style = String::new();
    for (modifier, rule) in [
        (Modifier::BOLD, "font-weight:700;"),
        (Modifier::DIM, "opacity:0.65;"),
        (Modifier::ITALIC, "font-style:italic;"),
        (Modifier::UNDERLINED, "text-decoration:underline;"),
        (Modifier::CROSSED_OUT, "text-decoration:line-through;"),
    ] {
        if cell.modifier.contains(modifier) {
            style.push_str(rule);
        }
    }
    Look { fg, bg, style }
}

/// A colour on the web; the sixteen named ones as this window has them.
fn hex(color: Color) -> Option<String> {
    let named = match color {
        Color::Reset => return None,
        Color::Rgb(r, g, b) => return Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Red | Color::LightRed => "#f07a7a",
        Color::Green | Color::LightGreen => "#8fc98a",
        Color::Yellow | Color::LightYellow => "#e0b86a",
        Color::Blue | Color::LightBlue => "#7aa6e0",
        Color::Magenta | Color::LightMagenta => "#c792ea",
        Color::Cyan | Color::LightCyan => "#7ac4cf",
        Color::Black => "#000000",
        Color::DarkGray | Color::Gray | Color::Indexed(_) => "#8a8f98",
        Color::White => "#ffffff",
    };
    Some(named.to_owned())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
