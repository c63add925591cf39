//! `[tui]`: how the terminal app looks and behaves.

use crate::config::error::{Error, Place};
use crate::config::tree::Value;

use super::choice::words;
use super::reader::Reader;

words! {
    /// Whether the app takes the whole screen.
    AlternateScreen {
        /// Wherever the terminal can.
        Auto = "auto",
        /// Always.
        Always = "always",
        /// Never: finished text stays in the terminal's own scrollback.
        Never = "never",
    }
}

words! {
    /// When to notify.
    NotificationCondition {
        /// While the window has no focus.
        Unfocused = "unfocused",
        /// Always.
        Always = "always",
    }
}

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyChange {
    /// Where it counts.
    pub(crate) context: String,
    /// What it does.
    pub(crate) action: String,
    /// The keys; none takes the action off the keyboard.
    pub(crate) keys: Vec<String>,
    /// Where that is written.
    pub(crate) place: Option<Place>,
}

/// Settings of the terminal app.
#[derive(Clone, Debug)]
pub(crate) struct Tui {
    /// Whether to notify at all.
    pub(crate) notifications: bool,
    /// When to notify.
    pub(crate) notification_condition: NotificationCondition,
    /// Whether the app takes the whole screen.
    pub(crate) alternate_screen: AlternateScreen,
    /// Items of the status line.
    pub(crate) status_line: Option<Vec<String>>,
    /// Items of the title.
    pub(crate) terminal_title: Option<Vec<String>>,
    /// Name of the syntax theme.
    pub(crate) theme: Option<String>,
    /// Where the theme is named: whether there is one of that name is known later.
    pub(crate) theme_place: Option<Place>,
    /// Plain lines for screen readers.
    pub(crate) screen_reader: bool,
    /// Changes of keys.
    pub(crate) keymap: Vec<KeyChange>,
}

/// Reads the table.
///
/// # Errors
/// A value is not allowed.
pub(crate) fn read(table: &mut Reader<'_>) -> Result<Tui, Error> {
    Ok(Tui {
        notifications: notifications(table)?,
        notification_condition: table
            .choice("notification_condition")?
            .unwrap_or(NotificationCondition::Unfocused),
        alternate_screen: table.choice("alternate_screen")?.unwrap_or(AlternateScreen::Auto),
        status_line: table.texts("status_line")?,
        terminal_title: table.texts("terminal_title")?,
        theme: table.text("theme")?,
        theme_place: table.place("theme"),
        screen_reader: table.flag("screen_reader")?.unwrap_or(false),
        keymap: keymap(table)?,
    })
}

/// A switch, or the older list of event names, which counts as "on" when it names anything.
fn notifications(table: &mut Reader<'_>) -> Result<bool, Error> {
    match table.node("notifications").map(|node| &node.value) {
        Some(Value::Array(_)) => Ok(table.texts("notifications")?.is_some_and(|names| !names.is_empty())),
        _ => Ok(table.flag("notifications")?.unwrap_or(true)),
    }
}

fn keymap(table: &mut Reader<'_>) -> Result<Vec<KeyChange>, Error> {
    let contexts: Vec<Vec<KeyChange>> = table.each("keymap", |name, context| {
        let mut changes = Vec::new();
        for (action, _, value) in context.written() {
            let keys = match value {
                Value::Text(key) => vec![key.clone()],
                Value::Array(list) => list
                    .iter()
                    .map(|key| match &key.value {
                        Value::Text(key) => Ok(key.clone()),
                        _ => Err(context.fault(action, "holds something that is no text; allowed: keys")),
                    })
                    .collect::<Result<_, _>>()?,
                other => {
                    let problem = format!("is {}; allowed: a key or a list of keys", other.type_name());
                    return Err(context.fault(action, &problem));
                }
            };
            let place = context.place(action);
            changes.push(KeyChange { context: name.to_owned(), action: action.clone(), keys, place });
        }
        context.names_are_free();
        Ok(changes)
    })?;
    Ok(contexts.into_iter().flatten().collect())
}
