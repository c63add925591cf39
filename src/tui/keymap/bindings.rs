//! The table with the user's remaps applied. A remap that cannot be understood leaves its action as it was and
//! is reported, so that a slip in the configuration never costs a key.

use std::collections::HashMap;

use super::spec::{Chord, normal};
use super::table::{Action, Context, ROWS, Row};
use crate::config::diagnose;
use crate::tui::keys::{Code, Key};

/// One line of the configuration: `keymap.<context>.<action> = [specs]`; no specs unbind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remap {
    /// Name of the context.
    pub(crate) context: String,
    /// Name of the action.
    pub(crate) action: String,
    /// Key specs.
    pub(crate) keys: Vec<String>,
    /// Where it is written, as it is shown; empty when that is not known.
    pub(crate) place: String,
}

impl Remap {
    /// A sentence about what is wrong with it.
    fn told(&self, problem: &str) -> String {
        let place = if self.place.is_empty() { String::new() } else { format!("{}: ", self.place) };
        format!("{place}keymap.{}.{}: {problem}", self.context, self.action)
    }
}

/// What a key means in a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// This.
    Action(Action),
    /// The first of two keys: keep it and ask again with the next.
    Leader,
    /// Nothing.
    Nothing,
}

/// One line of the help sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HelpRow {
    /// Heading it stands under.
    pub(crate) section: &'static str,
    /// Its keys, ` / ` between them.
    pub(crate) keys: String,
    /// What they do.
    pub(crate) help: &'static str,
}

/// Which key does what.
#[derive(Clone, Debug)]
pub(crate) struct Keymap {
    keys: HashMap<Action, Vec<Chord>>,
    found: HashMap<(Context, Chord), Action>,
    leaders: Vec<(Context, Key)>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&[]).0
    }
}

impl Keymap {
    /// The defaults with `remaps` on top, and one sentence for each remap that was not taken.
    pub(crate) fn new(remaps: &[Remap]) -> (Self, Vec<String>) {
        let mut keys: HashMap<Action, Vec<Chord>> = HashMap::new();
        for row in ROWS {
            keys.insert(row.action, row.keys.iter().filter_map(|k| Chord::parse(k).ok()).collect());
        }
        let mut problems = Vec::new();
        let mut taken: Vec<(&Row, Vec<Chord>)> = Vec::new();
        for remap in remaps {
            match read(remap) {
                Ok(read) => taken.push(read),
                Err(problem) => problems.push(remap.told(&problem)),
            }
        }
        // All remaps first, so that two actions can swap their keys; then the checks.
        let defaults = keys.clone();
        for (row, chords) in &taken {
            keys.insert(row.action, chords.clone());
        }
        while let Some((row, problem)) = first_clash(&keys, &taken) {
            let written = remaps.iter().rfind(|r| r.context == row.context.name() && r.action == row.name);
            problems.extend(written.map(|remap| remap.told(&problem)));
            let default = defaults.get(&row.action).cloned().unwrap_or_default();
            taken.retain(|(other, _)| other.action != row.action);
            keys.insert(row.action, default);
        }
        (Self::index(keys), problems)
    }

    fn index(keys: HashMap<Action, Vec<Chord>>) -> Self {
        let mut found = HashMap::new();
        let mut leaders = Vec::new();
        for row in ROWS {
            for chord in keys.get(&row.action).into_iter().flatten() {
                found.entry((row.context, *chord)).or_insert(row.action);
                if let Some(leader) = chord.leader {
                    leaders.push((row.context, leader));
                }
            }
        }
        Self { keys, found, leaders }
    }

    /// What `key` means in `context`, after `leader` when one is held.
    pub(crate) fn find(&self, context: Context, leader: Option<Key>, key: Key) -> Found {
        let chord = Chord { leader, key: normal(key) };
        match self.found.get(&(context, chord)) {
            Some(action) => Found::Action(*action),
            None if leader.is_none() && self.leaders.contains(&(context, chord.key)) => Found::Leader,
            None => Found::Nothing,
        }
    }

    /// The action of a single key in `context`.
    pub(crate) fn action(&self, context: Context, key: Key) -> Option<Action> {
        match self.find(context, None, key) {
            Found::Action(action) => Some(action),
            Found::Leader | Found::Nothing => None,
        }
    }

    /// The first key of an action as text, for hints; empty when it has none.
    pub(crate) fn shown(&self, action: Action) -> String {
        self.keys.get(&action).and_then(|k| k.first()).map(Chord::to_string).unwrap_or_default()
    }

    /// Every bound action with at most three of its keys, by context.
    pub(crate) fn help(&self) -> Vec<HelpRow> {
        let mut out = Vec::new();
        for context in Context::ALL {
            let signs = SIGNS.iter().filter(|_| context == Context::Composer);
            out.extend(signs.map(|(sign, help)| HelpRow {
                section: context.title(),
                keys: (*sign).to_owned(),
                help,
            }));
            for row in ROWS.iter().filter(|r| r.context == context) {
                let keys = self.keys.get(&row.action).map(Vec::as_slice).unwrap_or_default();
                let shown: Vec<String> = keys.iter().take(3).map(Chord::to_string).collect();
                if !shown.is_empty() {
                    out.push(HelpRow { section: context.title(), keys: shown.join(" / "), help: row.help });
                }
            }
        }
        out
    }
}

/// What begins something as the first character of a prompt, or of a word; not keys, so nobody binds them.
const SIGNS: [(&str, &str); 3] = [
    ("/", "commands (empty prompt)"),
    ("!", "a command of your own (empty prompt)"),
    ("@", "a file of this folder"),
];

/// The names of all actions of a context, for the configuration.
pub(crate) fn names(context: Context) -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter(move |row| row.context == context).map(|row| row.name)
}

fn read(remap: &Remap) -> Result<(&'static Row, Vec<Chord>), String> {
    let Some(context) = Context::ALL.into_iter().find(|c| c.name() == remap.context) else {
        let names: Vec<&str> = Context::ALL.iter().map(|c| c.name()).collect();
        return Err(format!("no such context; there are {}", names.join(", ")));
    };
    let row = ROWS.iter().find(|r| r.context == context && r.name == remap.action);
    let row = row.ok_or_else(|| {
        let meant = match diagnose::hint(&remap.action, names(context)) {
            nothing if nothing.is_empty() => "; the last rows of `?` name all".to_owned(),
            hint => hint,
        };
        format!("`{}` has no such action{meant}", context.name())
    })?;
    let mut chords: Vec<Chord> = Vec::new();
    for text in &remap.keys {
        let chord = Chord::parse(text)?;
        if chords.contains(&chord) {
            return Err(format!("`{chord}` is given twice"));
        }
        if context == Context::Editor && is_text(chord) {
            return Err(format!("`{chord}` is a character to type"));
        }
        chords.push(chord);
    }
    Ok((row, chords))
}

/// A remapped action whose key another action of the same component has, or whose key is another's leader.
fn first_clash<'a>(
    keys: &HashMap<Action, Vec<Chord>>,
    taken: &[(&'a Row, Vec<Chord>)],
) -> Option<(&'a Row, String)> {
    for (row, chords) in taken.iter().rev() {
        for other in ROWS.iter().filter(|o| o.action != row.action && row.context.shares_keys_with(o.context))
        {
            for theirs in keys.get(&other.action).into_iter().flatten() {
                for chord in chords {
                    if chord == theirs || leads(*chord, *theirs) || leads(*theirs, *chord) {
                        let place = format!("keymap.{}.{}", other.context.name(), other.name);
                        return Some((row, format!("`{chord}` is the key of {place} already")));
                    }
                }
            }
        }
    }
    None
}

fn leads(a: Chord, b: Chord) -> bool {
    a.leader.is_none() && b.leader == Some(a.key)
}

fn is_text(chord: Chord) -> bool {
    let key = chord.leader.unwrap_or(chord.key);
    matches!(key.code, Code::Char(_)) && !key.ctrl && !key.alt
}

#[cfg(test)]
#[path = "bindings_tests.rs"]
mod tests;
