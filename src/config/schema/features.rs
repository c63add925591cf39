//! `[features]`: switches by name. The list holds every name worth knowing: those that switch something here, and
//! those of the reference program, which are accepted so that its files load without noise.

use std::collections::BTreeMap;

use crate::config::diagnose;
use crate::config::error::Error;
use crate::config::tree::Value;

use super::reader::Reader;

/// Names with their defaults. The third says whether the switch moves anything in this program.
const FEATURES: &[(&str, bool, bool)] = &[
    ("apply_patch_freeform", true, false),
    ("apps", false, false),
    ("enable_request_compression", false, false),
    ("exec_policy", true, false),
    ("fast_mode", true, false),
    ("goals", false, false),
    ("hooks", true, false),
    ("memories", false, false),
    ("multi_agent", false, false),
    ("network_proxy", false, false),
    ("personality", true, false),
    ("plugins", false, false),
    ("prevent_idle_sleep", false, false),
    ("remote_compaction", false, false),
    ("remote_models", true, false),
    ("rmcp_client", true, false),
    ("shell_snapshot", false, false),
    ("shell_tool", true, true),
    ("skills", true, false),
    ("steer", true, false),
    ("tool_search", false, false),
    ("unbounded_connection_retries", false, true),
    ("undo", false, false),
    ("unified_exec", true, true),
    ("use_legacy_landlock", false, false),
    ("view_image", true, true),
    ("view_image_tool", true, false),
    ("web_search", true, false),
    ("web_search_cached", false, false),
    ("web_search_request", false, false),
];

/// The switches that were moved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Features(BTreeMap<String, bool>);

impl Features {
    /// Whether a feature is on; unknown names are off.
    pub(crate) fn enabled(&self, name: &str) -> bool {
        let default = || FEATURES.iter().any(|(known, on, _)| *known == name && *on);
        self.0.get(name).copied().unwrap_or_else(default)
    }

    /// Sets the switches of `pins`, and returns the names of those that stood otherwise.
    pub(crate) fn pin(&mut self, pins: &Self) -> Vec<String> {
        let moved = pins.0.iter().filter(|(name, on)| self.0.get(*name).is_some_and(|now| now != *on));
        let moved = moved.map(|(name, _)| name.clone()).collect();
        self.0.extend(pins.0.clone());
        moved
    }
}

/// Whether there is such a feature.
pub(crate) fn known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// All names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FEATURES.iter().map(|(name, ..)| *name)
}

/// Names, defaults and whether they do something, for tests.
#[cfg(test)]
pub(crate) fn list() -> impl Iterator<Item = (&'static str, bool, bool)> {
    FEATURES.iter().copied()
}

/// Reads the table. A switch is a boolean, or a table of settings with an `enabled` of its own.
///
/// # Errors
/// A switch is something else.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Features, Error> {
    let mut switches = BTreeMap::new();
    for (name, key_at, value) in reader.written() {
        if !known(name) {
            reader.unknown(name, key_at, &diagnose::hint(name, names()));
            continue;
        }
        let on = match value {
            Value::Boolean(on) => Some(*on),
            Value::Table(table) => match table.get("enabled").map(|entry| &entry.node.value) {
                None => Some(true),
                Some(Value::Boolean(on)) => Some(*on),
                Some(_) => None,
            },
            _ => None,
        };
        match on {
            Some(on) => switches.insert(name.clone(), on),
            None => {
                let problem = format!("is {}; allowed: true or false", value.type_name());
                return Err(reader.fault(name, &problem));
            }
        };
    }
    reader.names_are_free();
    Ok(Features(switches))
}
