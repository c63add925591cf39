//! What the user would allow, in words: a label and a value per row. Also for the linear mode, which has no columns.

use std::path::Path;

use ratatui::text::{Line, Span};

use super::answers;
use crate::base::path::with_tilde;
use crate::protocol::ask::{Ask, Effect, Narrow, PlaceOffer};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Column in which values begin.
const VALUES: usize = 23;
const OPENED: &str = "Could be opened";
/// A place of so many characters is not cut in the answer that opens it.
const SHORT: usize = 36;

/// The facts of a question: label and value.
pub(crate) fn facts(ask: &Ask, home: Option<&Path>) -> Vec<(&'static str, String)> {
    let (effects, rule, missing) = match ask {
        Ask::Command { effects, rule, missing, .. } => (effects.as_slice(), rule.as_ref(), missing),
        Ask::Patch { missing, .. } => (&[][..], None, missing),
    };
    let name = |path: &Path| with_tilde(path, home);
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    for effect in effects {
        let (label, value) = match effect {
            Effect::Confined(what) => ("Stays in the sandbox", what.clone()),
            Effect::Outside(programs) => ("Leaves the sandbox", programs.join(", ")),
            Effect::OutsideUnread => {
                ("Leaves the sandbox", "the whole script; what it does cannot be told".to_owned())
            }
            Effect::Writes(path) => ("Writes", name(path)),
            Effect::Deletes(path) => ("Deletes", name(path)),
            Effect::Connects(to) => ("Connects to", to.clone()),
            Effect::Refused(what) => ("Was refused", what.clone()),
            Effect::Doubt(what) => ("Take note", what.clone()),
            Effect::More(count) => ("And", format!("{count} more")),
        };
        match facts.iter_mut().find(|(known, _)| *known == label) {
            Some((_, values)) => {
                values.push_str(", ");
                values.push_str(&value);
            }
            None => facts.push((label, value)),
        }
    }
    if let Some(place) = answers::place(ask) {
        facts.push((OPENED, opened(&place.narrow, home)));
        facts.extend(kept(place).map(|words| ("Kept for longer as", words)));
    }
    if let Some((last, lines)) = rule.and_then(|rule| rule.lines.split_last()) {
        facts.extend(lines.iter().map(|line| ("The rule", line.clone())));
        let stays = if rule.is_some_and(|rule| rule.inside) { ", in the sandbox only" } else { "" };
        facts.push(("The rule", format!("{last} and with more words behind it{stays}")));
    }
    if rule.is_some_and(|rule| rule.project_only) {
        facts.push(("Not for always", "the program is a file of this project".to_owned()));
    }
    facts.extend(missing.iter().map(|why| ("Not for longer", why.clone())));
    facts
}

/// What the answers for longer would write: one entry, in the table of the project or in that of all projects.
fn kept(place: &PlaceOffer) -> Option<String> {
    let (project, always) = (place.project.as_deref(), place.always.as_deref());
    let everywhere = always.and_then(|words| Some(words.rsplit_once(" of ")?.1));
    match (project, everywhere) {
        (Some(project), Some(table)) => Some(format!("{project}, for always of {table}")),
        _ => project.or(always).map(str::to_owned),
    }
}

/// A place that could be opened.
pub(crate) fn opened(narrow: &Narrow, home: Option<&Path>) -> String {
    match narrow {
        Narrow::Folder(folder) => format!("write in {}", with_tilde(folder, home)),
        Narrow::Host(_) | Narrow::Hosts(_) | Narrow::Port(_) => narrow.words(),
    }
}

/// Its name.
pub(crate) fn place(narrow: &Narrow, home: Option<&Path>) -> String {
    match narrow {
        Narrow::Folder(folder) => with_tilde(folder, home),
        Narrow::Host(host) => host.clone(),
        Narrow::Hosts(hosts) => hosts.join(" and "),
        Narrow::Port(port) => format!("port {port} of this machine"),
    }
}

/// The facts as rows.
pub(crate) fn lines(ask: &Ask, home: Option<&Path>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut facts = facts(ask, home);
    // The first answer says it as well, and rows are dear.
    facts.retain(|(label, value)| *label != OPENED || value.chars().count() > SHORT);
    for (label, value) in facts {
        let start = Line::from(Span::styled(
            format!("  {label:<width$}", width = VALUES - 2),
            theme.style(Role::Dim),
        ));
        let rest = Line::raw(" ".repeat(VALUES));
        let shown = text::reveal_line(&value);
        let value = text::sanitize(&shown).into_owned();
        lines.extend(text::wrap(&Line::raw(value), width, &start, &rest));
    }
    lines
}
