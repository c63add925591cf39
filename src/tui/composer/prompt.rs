//! The component: keys, pastes and results in, [`Effect`]s out. It reads no clock and does no IO: time comes in
//! milliseconds with every call, and [`Composer::wake_at_ms`] says when it wants to be called again.

use std::path::PathBuf;

use super::attach;
use super::complete::{Completion, Popup};
use super::draft::Draft;
use super::effect::{Effect, Env, Reply};
use super::elements::{Element, Elements, clean};
use super::history::{History, Search, Step};
use super::history_file::Page;
use super::paste;
use super::textarea::TextArea;
use super::typing::Typing;
use crate::tui::keymap::normal;
use crate::tui::keys::Key;
use crate::workspace::search::Hit;

/// How long changed text may stay unsaved, in milliseconds; longer when there is much to write.
const DRAFT_MS: u64 = 100;

/// The prompt.
#[derive(Debug, Default)]
pub(crate) struct Composer {
    pub(super) area: TextArea,
    pub(super) shell: bool,
    pub(super) typing: Typing,
    pub(super) history: History,
    pub(super) completion: Completion,
    pub(super) leader: Option<Key>,
    /// The last key moved the cursor by hand.
    pub(super) moved: bool,
    /// Revision of a recalled text: no lists open for it, and `up` goes on to the next.
    pub(super) recalled: Option<u64>,
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

    pub(super) fn show(&mut self, draft: &Draft) {
        self.area.replace_all(&draft.text, &draft.elements);
        self.shell = draft.shell;
        self.recalled = Some(self.area.revision());
        self.completion.reset();
    }

    pub(super) fn clear(&mut self) {
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

    fn end_burst_if_over(&mut self, env: &Env<'_>, out: &mut Vec<Effect>) {
        if self.typing.over_at_ms().is_some_and(|at| at <= env.now_ms) {
            self.end_burst(env, out);
        }
    }

    pub(super) fn end_burst(&mut self, env: &Env<'_>, out: &mut Vec<Effect>) {
        if let Some(meaning) = self.typing.end() {
            self.resolve(meaning, env, out);
        }
        self.settle();
    }

    /// Gives a token that grew its text.
    pub(super) fn settle(&mut self) {
        self.typing.settle(&mut self.area);
    }

    pub(super) fn put(&mut self, c: char) {
        self.typing.put(&mut self.area, c);
    }

    pub(super) fn walk(&mut self, older: bool, out: &mut Vec<Effect>) -> bool {
        let now = self.draft();
        let step = if older { self.history.older(&now) } else { self.history.newer(&now) };
        let done = step != Step::End;
        self.step(step, out);
        done
    }

    pub(super) fn step(&mut self, step: Step, out: &mut Vec<Effect>) {
        match step {
            Step::Show(draft) => self.show(&draft),
            Step::Load(before) => out.push(Effect::LoadHistory(before)),
            Step::End => {}
        }
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

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
