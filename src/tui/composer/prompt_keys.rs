//! Keys of the prompt: what each asks of the text, the lists and the search. Which key is which comes from the
//! keymap; only what a key means by where it is pressed is decided here.

use super::complete::Move;
use super::draft::Draft;
use super::effect::{Effect, Env};
use super::history::Step;
use super::paste::{Held, Meaning};
use super::prompt::Composer;
use crate::tui::keymap::{Action, Context, Found, Keymap};
use crate::tui::keys::{Code, Key};

impl Composer {
    // --- keys ---

    /// A key, with bursts that are over already dealt with. False when it means nothing here.
    pub(super) fn press(&mut self, key: Key, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        if self.history.search().is_some() && self.search_key(key, env, out) {
            return true;
        }
        let moved = std::mem::take(&mut self.moved);
        if let Some(leader) = self.leader.take() {
            return match env.keymap.find(Context::Editor, Some(leader), key) {
                Found::Action(action) => {
                    self.area.apply(action);
                    true
                }
                Found::Leader | Found::Nothing => true,
            };
        }
        // Some terminals paste line feeds, which read as this key.
        let line_feed =
            key == Key::ctrl('j') && env.keymap.action(Context::Composer, key) == Some(Action::Newline);
        if let Some(c) = typed(key).or(line_feed.then_some('\n')) {
            return self.type_char(c, key, env, out);
        }
        if let Some(held) = held(key, env.keymap)
            && let Some(before) = self.typing.hold(env.now_ms, held, self.plain(None))
        {
            before.into_iter().for_each(|h| self.put(h.as_char()));
            return true;
        }
        self.end_burst(env, out);
        if self.popup().is_some() && self.popup_key(key, env, out) {
            return true;
        }
        match env.keymap.find(Context::Composer, None, key) {
            Found::Action(action) => return self.composer_action(action, moved, env, out),
            Found::Leader => return self.lead(key),
            Found::Nothing => {}
        }
        match env.keymap.find(Context::Editor, None, key) {
            Found::Action(action) => self.editor_action(action, out),
            Found::Leader => self.lead(key),
            Found::Nothing => self.leave(key, env),
        }
    }

    fn lead(&mut self, key: Key) -> bool {
        self.leader = Some(key);
        true
    }

    /// Whether keys could be a paste: not when they make a command.
    fn plain(&self, coming: Option<char>) -> bool {
        let starts = match self.area.cursor() {
            0 => coming.is_some_and(|c| c == '/' || c == '!'),
            _ => false,
        };
        !starts && !self.shell && !self.area.text().starts_with('/')
    }

    fn type_char(&mut self, c: char, key: Key, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        let empty = self.area.is_empty();
        let action = env.keymap.action(Context::Composer, key);
        if empty && !self.shell && action == Some(Action::Shortcuts) {
            out.push(Effect::Shortcuts);
            return true;
        }
        let plain = self.plain(Some(c));
        if let Some(meaning) = self.typing.char(env.now_ms, self.area.cursor(), plain, c == '\n') {
            self.resolve(meaning, env, out);
        }
        if c == '!' && !self.shell && self.area.cursor() == 0 {
            self.shell = true;
            return true;
        }
        self.put(c);
        true
    }

    /// What keys that were held for a moment turned out to be.
    pub(super) fn resolve(&mut self, meaning: Meaning, env: &Env<'_>, out: &mut Vec<Effect>) {
        match meaning {
            Meaning::Text(held) => self.put(held.as_char()),
            // The list may have opened while the key was held.
            Meaning::Key(held) if self.popup().is_some() && self.popup_key(held.as_key(), env, out) => {}
            Meaning::Key(Held::Enter) => drop(self.submit(false, env, out)),
            Meaning::Key(Held::Tab) => drop(self.submit(true, env, out)),
        }
    }

    fn composer_action(&mut self, action: Action, moved: bool, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        match action {
            Action::Submit if moved && self.area.paste_under_cursor().is_some() => self.open_paste(out),
            Action::Submit => return self.submit(false, env, out),
            Action::Queue => return env.running && self.submit(true, env, out),
            Action::Newline => self.area.insert("\n"),
            Action::PasteImage => out.push(Effect::PasteImage),
            Action::SearchHistory => self.search_on(false, out),
            Action::SearchHistoryForward => self.search_on(true, out),
            _ => return false,
        }
        true
    }

    fn editor_action(&mut self, action: Action, out: &mut Vec<Effect>) -> bool {
        let recalled = self.recalled == Some(self.area.revision());
        let at_edge = [0, self.area.text().len()].contains(&self.area.cursor());
        let walks = recalled && at_edge && self.history.is_walking();
        let changed = match action {
            Action::MoveUp => (!walks && self.area.apply(action)) || self.walk(true, out),
            Action::MoveDown => (!walks && self.area.apply(action)) || self.walk(false, out),
            Action::DeleteBack if self.shell && self.area.cursor() == 0 => {
                self.shell = false;
                true
            }
            _ => self.area.apply(action),
        };
        self.moved = changed
            && matches!(action, Action::MoveLeft | Action::MoveRight | Action::WordLeft | Action::WordRight);
        changed || !self.is_empty()
    }

    /// `esc` and `ctrl-c`, when they mean something here.
    fn leave(&mut self, key: Key, env: &Env<'_>) -> bool {
        if env.keymap.action(Context::Global, key) == Some(Action::Cancel) && !self.is_empty() {
            let draft = self.take();
            self.history.remember(draft);
            return true;
        }
        let back = key == Key::plain(Code::Esc) && self.shell && self.area.is_empty();
        if back {
            self.shell = false;
        }
        back
    }

    fn search_on(&mut self, forward: bool, out: &mut Vec<Effect>) {
        let now = self.draft();
        let step = self.history.search_on(forward, &now);
        self.step(step, out);
    }

    fn search_key(&mut self, key: Key, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        let step = match (env.keymap.action(Context::Composer, key), typed(key)) {
            (Some(Action::SearchHistory), _) => self.history.search_on(false, &Draft::default()),
            (Some(Action::SearchHistoryForward), _) => self.history.search_on(true, &Draft::default()),
            (Some(Action::Submit), _) => {
                self.history.search_accept();
                Step::End
            }
            (_, Some(c)) => self.history.search_for(|query| query.push(c)),
            _ if key == Key::plain(Code::Backspace) || key == Key::ctrl('h') => {
                self.history.search_for(|query| query.truncate(super::clusters::prev(query, query.len())))
            }
            _ if key == Key::plain(Code::Esc)
                || key == Key::ctrl('g')
                || env.keymap.action(Context::Global, key) == Some(Action::Cancel) =>
            {
                self.history.search_cancel().map_or(Step::End, Step::Show)
            }
            _ => {
                self.history.search_accept();
                return false;
            }
        };
        self.step(step, out);
        true
    }

    // --- lists ---

    fn popup_key(&mut self, key: Key, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        let step = match env.keymap.action(Context::Editor, key) {
            Some(Action::MoveUp) => Some(Move::Up),
            Some(Action::MoveDown) => Some(Move::Down),
            _ => match key.code {
                Code::PageUp => Some(Move::PageUp),
                Code::PageDown => Some(Move::PageDown),
                _ => None,
            },
        };
        if let Some(step) = step {
            return self.completion.go(step);
        }
        if key == Key::plain(Code::Esc) || env.keymap.action(Context::Global, key) == Some(Action::Cancel) {
            return self.completion.close(self.area.text(), self.area.cursor(), self.shell);
        }
        match env.keymap.action(Context::Composer, key) {
            Some(Action::Submit) => self.accept(false, env, out),
            Some(Action::Queue) => self.accept(true, env, out),
            _ => false,
        }
    }
}

/// The character a key types.
fn typed(key: Key) -> Option<char> {
    match key.code {
        Code::Char(c) if !key.ctrl && !key.alt && !c.is_control() => Some(c),
        _ => None,
    }
}

/// The key as one that a paste could hold.
fn held(key: Key, keymap: &Keymap) -> Option<Held> {
    let action = keymap.action(Context::Composer, key)?;
    match (action, key) {
        (Action::Submit, Key { code: Code::Enter, .. }) => Some(Held::Enter),
        (Action::Queue, Key { code: Code::Tab, .. }) => Some(Held::Tab),
        _ => None,
    }
}
