//! The component: keys, pastes and results in, [`Effect`]s out. It reads no clock and does no IO: time comes in
//! milliseconds with every call, and [`Composer::wake_at_ms`] says when it wants to be called again.

use std::path::PathBuf;

use super::attach;
use super::complete::{Completion, Move, Popup, Subject, inserted_path, subject};
use super::draft::Draft;
use super::effect::{Effect, Env, Reply};
use super::elements::{Element, Elements, clean};
use super::history::{History, Search, Step};
use super::history_file::Page;
use super::paste::{self, Held, Meaning};
use super::send::{self, Sending};
use super::textarea::TextArea;
use super::typing::Typing;
use super::undo::Kind;
use crate::tui::keymap::{Action, Context, Found, Keymap, normal};
use crate::tui::keys::{Code, Key};
use crate::tui::slash::Command;
use crate::workspace::search::Hit;

/// How long changed text may stay unsaved, in milliseconds; longer when there is much to write.
const DRAFT_MS: u64 = 100;

/// The prompt.
#[derive(Debug, Default)]
pub(crate) struct Composer {
    area: TextArea,
    shell: bool,
    typing: Typing,
    history: History,
    completion: Completion,
    leader: Option<Key>,
    /// The last key moved the cursor by hand.
    moved: bool,
    /// Revision of a recalled text: no lists open for it, and `up` goes on to the next.
    recalled: Option<u64>,
    seen: (u64, usize, bool),
    draft_at_ms: Option<u64>,
}

impl Composer {
    /// Never take quick keys for a paste, for the configuration that says so.
    pub(crate) fn without_burst_detection(mut self) -> Self {
        self.typing.turn_off();
        self
    }

    /// The editor, for drawing.
    pub(super) fn area(&self) -> &TextArea {
        &self.area
    }

    /// The open list, for drawing.
    pub(super) fn popup(&self) -> Option<&Popup> {
        self.completion.popup().filter(|_| self.history.search().is_none())
    }

    /// The search of the history under way, for the hint line.
    pub(super) fn searching(&self) -> Option<&Search> {
        self.history.search()
    }

    /// Whether what is typed goes to the user's shell.
    pub(crate) fn is_shell(&self) -> bool {
        self.shell
    }

    /// Whether nothing is typed and nothing is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.area.is_empty() && !self.shell && self.history.search().is_none()
    }

    /// Whether the cursor stands on a paste that `enter` would open.
    pub(super) fn can_open_paste(&self) -> bool {
        self.moved && self.area.paste_under_cursor().is_some()
    }

    /// What stands in the prompt. For the last save before leaving.
    pub(crate) fn draft(&mut self) -> Draft {
        self.settle();
        let mut elements = Elements::default();
        let text = elements.adopt(self.area.text(), self.area.elements());
        Draft { text, elements, shell: self.shell }
    }

    /// Takes what stands in the prompt out of it.
    pub(crate) fn take(&mut self) -> Draft {
        let draft = self.draft();
        self.clear();
        draft
    }

    /// Puts `draft` into the prompt in place of what is there. Undo takes it back.
    pub(crate) fn set(&mut self, draft: &Draft, env: &Env<'_>) -> Vec<Effect> {
        let mut out = Vec::new();
        self.settle();
        self.history.stop();
        self.show(draft);
        self.after(env, &mut out);
        out
    }

    /// Asks for the newest page of history, so that the first `up` finds it there.
    pub(crate) fn warm_up(&mut self) -> Vec<Effect> {
        let step = self.history.load();
        let mut out = Vec::new();
        self.step(step, &mut out);
        out
    }

    fn show(&mut self, draft: &Draft) {
        self.area.replace_all(&draft.text, &draft.elements);
        self.shell = draft.shell;
        self.recalled = Some(self.area.revision());
        self.completion.reset();
    }

    fn clear(&mut self) {
        self.area.reset();
        self.shell = false;
        self.typing.reset();
        self.completion.reset();
        self.history.stop();
        self.recalled = None;
    }

    /// A key was pressed.
    pub(crate) fn on_key(&mut self, key: Key, env: &Env<'_>) -> Reply {
        let mut effects = Vec::new();
        self.end_burst_if_over(env, &mut effects);
        let handled = self.press(normal(key), env, &mut effects);
        self.after(env, &mut effects);
        Reply { handled, effects }
    }

    /// The terminal delivered a paste. An empty one stands for an image, in some terminals.
    pub(crate) fn on_paste(&mut self, text: &str, env: &Env<'_>) -> Vec<Effect> {
        let mut out = Vec::new();
        self.end_burst(env, &mut out);
        self.typing.turn_off();
        self.history.search_accept();
        self.moved = false;
        let text = clean(text);
        if text.is_empty() {
            out.push(Effect::PasteImage);
        } else if let Some(paths) = attach::image_paths(&text).filter(|_| !self.shell) {
            let token = self.area.insert_element(Element::Unchecked { text: text.into() });
            out.extend(token.map(|t| Effect::CheckImages(t, paths)));
        } else {
            let chars = text.chars().count();
            match chars > paste::LONG {
                true => drop(self.area.insert_element(Element::Paste { text: text.into(), chars })),
                false => self.area.insert(&text),
            }
        }
        self.after(env, &mut out);
        out
    }

    /// Time has passed; call it at [`Self::wake_at_ms`].
    pub(crate) fn tick(&mut self, env: &Env<'_>) -> Vec<Effect> {
        let mut out = Vec::new();
        self.end_burst_if_over(env, &mut out);
        self.after(env, &mut out);
        if !self.typing.is_growing() && self.draft_at_ms.take_if(|at| *at <= env.now_ms).is_some() {
            out.push(Effect::SaveDraft(self.draft()));
        }
        out
    }

    /// When [`Self::tick`] wants to be called; `None` when nothing waits for time.
    pub(crate) fn wake_at_ms(&self) -> Option<u64> {
        let draft = self.draft_at_ms.filter(|_| !self.typing.is_growing());
        [self.typing.over_at_ms(), draft].into_iter().flatten().min()
    }

    /// A page of history was read.
    pub(crate) fn history_loaded(&mut self, page: Page, env: &Env<'_>) -> Vec<Effect> {
        let mut out = Vec::new();
        let now = self.draft();
        let step = self.history.loaded(page, &now);
        self.step(step, &mut out);
        self.after(env, &mut out);
        out
    }

    /// Files were found for a query; `done` with the last of them.
    pub(crate) fn files_found(&mut self, query: &str, rows: Vec<Hit>, done: bool) {
        self.completion.found(query, rows, done);
    }

    /// Adds an image at the cursor.
    pub(crate) fn attach(&mut self, path: PathBuf, env: &Env<'_>) -> Vec<Effect> {
        let mut out = Vec::new();
        self.settle();
        self.area.insert_element(Element::Image { path });
        self.area.insert(" ");
        self.after(env, &mut out);
        out
    }

    /// The paths behind a token are these images (absolute), or none: then the paste was text.
    pub(crate) fn images_checked(&mut self, token: char, images: &[PathBuf], env: &Env<'_>) -> Vec<Effect> {
        let mut out = Vec::new();
        self.settle();
        attach::resolve(&mut self.area, token, images);
        self.after(env, &mut out);
        out
    }

    /// The text for an external editor: pastes written out, images as their labels.
    pub(crate) fn editor_text(&mut self) -> String {
        self.draft().expand()
    }

    /// Takes the text back from an external editor. Images whose labels are still there stay attached.
    pub(crate) fn editor_done(&mut self, text: &str, env: &Env<'_>) -> Vec<Effect> {
        let old = self.draft();
        self.show(&attach::from_editor(&old, text));
        let mut out = Vec::new();
        self.after(env, &mut out);
        out
    }

    // --- keys ---

    fn press(&mut self, key: Key, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
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

    fn end_burst_if_over(&mut self, env: &Env<'_>, out: &mut Vec<Effect>) {
        if self.typing.over_at_ms().is_some_and(|at| at <= env.now_ms) {
            self.end_burst(env, out);
        }
    }

    fn end_burst(&mut self, env: &Env<'_>, out: &mut Vec<Effect>) {
        if let Some(meaning) = self.typing.end() {
            self.resolve(meaning, env, out);
        }
        self.settle();
    }

    /// Gives a token that grew its text.
    fn settle(&mut self) {
        self.typing.settle(&mut self.area);
    }

    fn put(&mut self, c: char) {
        self.typing.put(&mut self.area, c);
    }

    fn resolve(&mut self, meaning: Meaning, env: &Env<'_>, out: &mut Vec<Effect>) {
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

    fn walk(&mut self, older: bool, out: &mut Vec<Effect>) -> bool {
        let now = self.draft();
        let step = if older { self.history.older(&now) } else { self.history.newer(&now) };
        let done = step != Step::End;
        self.step(step, out);
        done
    }

    fn step(&mut self, step: Step, out: &mut Vec<Effect>) {
        match step {
            Step::Show(draft) => self.show(&draft),
            Step::Load(before) => out.push(Effect::LoadHistory(before)),
            Step::End => {}
        }
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

    /// Takes the chosen row; `complete` only writes a command's name.
    fn accept(&mut self, complete: bool, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        match self.completion.popup() {
            Some(Popup::Commands(list)) => {
                let Some(command) = list.chosen().map(|row| row.command) else { return false };
                if !complete {
                    self.run(command, String::new(), env, out);
                    return true;
                }
                let end = self.area.text().len();
                self.area.replace(0, end, &format!("/{} ", command.name()), Kind::Other);
                true
            }
            Some(Popup::Files(files)) => {
                let Some(hit) = files.found.chosen() else { return false };
                let path = inserted_path(hit);
                let (text, cursor) = (self.area.text(), self.area.cursor());
                let Some(Subject::File { start, .. }) = subject(text, cursor, self.shell) else {
                    return false;
                };
                self.area.replace(start, cursor, &path, Kind::Other);
                true
            }
            None => false,
        }
    }

    // --- sending ---

    /// Sends what stands in the prompt. False when there is nothing to send.
    fn submit(&mut self, queue: bool, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        let draft = self.draft();
        if draft.is_blank() && !self.shell {
            return false;
        }
        match send::decide(&draft, env.running) {
            Sending::Not(reason) => out.push(Effect::Notice(reason)),
            Sending::Command(command, args) => self.run(command, args, env, out),
            Sending::Shell(command) => {
                out.push(Effect::Remember(draft.to_history()));
                out.push(Effect::Shell(command));
                self.sent(draft);
            }
            Sending::Prompt => {
                out.push(Effect::Remember(draft.to_history()));
                self.sent(draft.clone());
                out.push(if queue { Effect::Queue(draft) } else { Effect::Submit(draft) });
            }
        }
        true
    }

    fn sent(&mut self, draft: Draft) {
        self.clear();
        self.history.remember(draft);
    }

    /// Runs a command, or tells why not and leaves the text.
    fn run(&mut self, command: Command, args: String, env: &Env<'_>, out: &mut Vec<Effect>) {
        if let Some(reason) = send::refusal(command, &args, env.running) {
            out.push(Effect::Notice(reason));
        } else if command == Command::Mention {
            self.clear();
            self.area.insert("@");
        } else {
            self.sent(Draft::from_text(format!("/{} {args}", command.name()).trim_end()));
            out.push(Effect::Command(command, args));
        }
    }

    fn open_paste(&mut self, out: &mut Vec<Effect>) {
        let Some((token, Element::Paste { text, .. })) = self.area.paste_under_cursor() else { return };
        if text.len() > super::OPEN_LIMIT {
            out.push(Effect::Notice(
                "This paste is too long to open here; ctrl-g opens it in your editor".into(),
            ));
            return;
        }
        let text = text.clone();
        let start = self.area.cursor();
        self.area.replace(start, start + token.len_utf8(), &text, Kind::Other);
    }

    /// Fits lists and the draft's due time to what the call changed.
    fn after(&mut self, env: &Env<'_>, out: &mut Vec<Effect>) {
        let now = (self.area.revision(), self.area.cursor(), self.shell);
        let before = std::mem::replace(&mut self.seen, now);
        if before == now {
            return;
        }
        if self.recalled != Some(now.0) && self.history.search().is_none() {
            self.recalled = None;
            let query = self.completion.refresh(self.area.text(), now.1, self.shell);
            out.extend(query.map(Effect::FindFiles));
        }
        if (before.0, before.2) != (now.0, now.2) && self.draft_at_ms.is_none() {
            let size = (self.area.text().len() + self.area.elements().bytes()) as u64;
            self.draft_at_ms = Some(env.now_ms + DRAFT_MS + size / 10_000);
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

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
