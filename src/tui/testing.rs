//! Screens as snapshots: the symbols of a buffer and below them a legend of its styles, so that a lost colour is
//! a failing test. Only tests use it; it must not know any component.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell, CellWidth as _};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use ratatui::text::Line;

use super::text::links;

/// Compares a `Buffer` with the accepted screen `snapshots/<module path>/<name>.snap`.
/// `INSTA_UPDATE=always cargo test` accepts what is there now.
macro_rules! assert_screen {
    ($name:expr, $buffer:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(crate::tui::testing::folder(module_path!()));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($name, crate::tui::testing::show(&$buffer)));
    }};
}
pub(crate) use assert_screen;

/// The snapshot folder of a module: `codex::tui::text::wrap::tests` → `<crate>/snapshots/tui/text/wrap`.
pub(crate) fn folder(module: &str) -> std::path::PathBuf {
    let mut path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    path.extend(module.split("::").skip(1).filter(|part| *part != "tests"));
    path
}

/// A buffer of the given size, drawn by `view`.
pub(crate) fn draw(width: u16, height: u16, view: impl FnOnce(Rect, &mut Buffer)) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    view(area, &mut buffer);
    buffer
}

/// A buffer that holds just these lines. A line wider than the buffer is a failed test.
pub(crate) fn paper(width: u16, lines: &[Line<'_>]) -> Buffer {
    let height = u16::try_from(lines.len()).unwrap().max(1);
    draw(width, height, |_, buffer| {
        for (y, line) in (0..).zip(lines) {
            assert!(super::text::line_width(line) <= usize::from(width), "too wide for {width}: {line}");
            buffer.set_line(0, y, line, width);
        }
    })
}

/// The rows of a buffer, spaces at their ends left out, and the legend.
pub(crate) fn show(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = format!("{}x{}\n", area.width, area.height);
    let mut legend: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for y in area.top()..area.bottom() {
        let mut row = String::new();
        let mut run: Option<(String, u16)> = None;
        let mut covered = 0_u16;
        for x in area.left()..area.right() {
            let Some(cell) = buffer.cell((x, y)) else { continue };
            if covered > 0 {
                covered -= 1;
                continue;
            }
            row.push_str(cell.symbol());
            covered = cell.symbol().cell_width().saturating_sub(1);
            let style = describe(cell);
            if run.as_ref().is_none_or(|(now, _)| *now != style) {
                note(&mut legend, run.replace((style, x)), y, x);
            }
        }
        note(&mut legend, run, y, area.right());
        out.push_str(row.trim_end());
        out.push('\n');
    }
    if !legend.is_empty() {
        out.push_str("---\n");
    }
    for (style, places) in legend {
        let _ = writeln!(out, "{style}: {}", places.join(" "));
    }
    out
}

/// Enters the run that ends before column `end` of row `y` into the legend; plain runs are not listed.
fn note(legend: &mut BTreeMap<String, Vec<String>>, run: Option<(String, u16)>, y: u16, end: u16) {
    if let Some((style, from)) = run
        && !style.is_empty()
    {
        legend.entry(style).or_default().push(format!("{y}:{from}-{}", end - 1));
    }
}

fn describe(cell: &Cell) -> String {
    let mut words = Vec::new();
    if cell.fg != Color::Reset {
        words.push(cell.fg.to_string().to_lowercase());
    }
    if cell.bg != Color::Reset {
        words.push(format!("on {}", cell.bg.to_string().to_lowercase()));
    }
    for (modifier, name) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
        (Modifier::CROSSED_OUT, "struck"),
    ] {
        if cell.modifier.contains(modifier) {
            words.push(name.to_owned());
        }
    }
    if let Some(url) = links::target(cell.underline_color) {
        words.push(format!("link {url}"));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Style, Stylize as _};

    use super::*;

    #[test]
    fn symbols_and_styles_are_shown() {
        let lines = [Line::from(vec!["ab".bold(), "漢字".into(), "!".red()]), Line::from("plain")];
        let shown = show(&paper(10, &lines));
        assert_eq!(shown, "10x2\nab漢字!\nplain\n---\nbold: 0:0-1\nred: 0:6-6\n");
    }

    #[test]
    fn links_are_in_the_legend() {
        let style = links::mark(Style::new(), "https://example.org/");
        let shown = show(&paper(4, &[Line::styled("here", style)]));
        assert_eq!(shown, "4x1\nhere\n---\nlink https://example.org/: 0:0-3\n");
    }

    #[test]
    fn folders_follow_modules() {
        assert!(folder("codex::tui::text::wrap::tests").ends_with("snapshots/tui/text/wrap"));
    }
}
