//! Walking and searching earlier prompts. What this session sent or cleared stands before what the file holds;
//! the file is loaded page by page by the caller. An entry that was changed keeps its change until something is
//! sent, and so does the text that stood in the prompt before the walk.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::draft::Draft;
use super::history_file::Page;

/// Text of loaded prompts kept in memory, in bytes; older ones are not offered.
const MAX_BYTES: usize = 32 << 20;
/// Prompts of this session that are kept.
const MAX_SESSION: usize = 1000;

/// What a step leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Show this.
    Show(Draft),
    /// Older prompts are needed first: load the page before this byte (from the end when `None`).
    Load(Option<u64>),
    /// There is nothing there.
    End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum More {
    #[default]
    Unread,
    Before(u64),
    Loading,
    None,
}

/// Earlier prompts and the place in them.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Oldest first.
    session: Vec<Draft>,
    /// Newest first.
    loaded: Vec<Arc<str>>,
    bytes: usize,
    more: More,
    at: Option<usize>,
    waits: bool,
    /// The text of before the walk, and entries changed on the way.
    bottom: Draft,
    changed: HashMap<usize, Draft>,
    search: Option<Search>,
}

/// An incremental search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Search {
    /// What is looked for.
    pub(crate) query: String,
    /// Towards newer prompts.
    pub(crate) forward: bool,
    /// Nothing (more) was found.
    pub(crate) failed: bool,
    /// Where it goes on when older prompts have been loaded.
    pub(crate) waits: Option<usize>,
    at: Option<usize>,
    before: Draft,
}

impl History {
    /// Remembers a prompt of this session and ends the walk.
    pub(crate) fn remember(&mut self, draft: Draft) {
        self.stop();
        if draft.is_blank() || self.session.last() == Some(&draft) {
            return;
        }
        if self.session.len() >= MAX_SESSION {
            self.session.remove(0);
        }
        self.session.push(draft);
    }

    /// Ends a walk; the next one starts from the newest prompt.
    pub(crate) fn stop(&mut self) {
        self.at = None;
        self.waits = false;
        self.bottom = Draft::default();
        self.changed.clear();
        self.search = None;
    }

    /// Whether a walk is under way.
    pub(crate) fn is_walking(&self) -> bool {
        self.at.is_some()
    }

    /// The prompt before the present one. `now` is what stands in the editor.
    pub(crate) fn older(&mut self, now: &Draft) -> Step {
        let target = self.at.map_or(0, |at| at + 1);
        self.waits = false;
        match self.entry(target) {
            Some(draft) => {
                self.keep(now);
                self.at = Some(target);
                Step::Show(self.changed.get(&target).cloned().unwrap_or(draft))
            }
            None => {
                let step = self.load();
                self.waits = self.more == More::Loading;
                step
            }
        }
    }

    /// The prompt after the present one; after the newest, the text of before the walk.
    pub(crate) fn newer(&mut self, now: &Draft) -> Step {
        self.waits = false;
        let Some(at) = self.at else { return Step::End };
        self.keep(now);
        let Some(target) = at.checked_sub(1) else {
            self.at = None;
            return Step::Show(std::mem::take(&mut self.bottom));
        };
        self.at = Some(target);
        let kept = self.changed.get(&target).cloned();
        kept.or_else(|| self.entry(target)).map_or(Step::End, Step::Show)
    }

    fn keep(&mut self, now: &Draft) {
        match self.at {
            None => self.bottom = now.clone(),
            Some(at) if self.entry(at).as_ref().is_some_and(|e| !same(e, now)) => {
                self.changed.insert(at, now.clone());
            }
            Some(_) => {}
        }
    }

    /// Takes in a loaded page. Returns the step that waited for it, if the person has not moved on.
    pub(crate) fn loaded(&mut self, page: Page, now: &Draft) -> Step {
        self.more = page.next.map_or(More::None, More::Before);
        // The file also holds what this session wrote to it.
        let ours: HashSet<String> = self.session.iter().map(Draft::to_history).collect();
        for text in page.entries {
            let known = self.loaded.last().is_some_and(|last| **last == *text);
            if known || text.trim().is_empty() || ours.contains(&text) {
                continue;
            }
            self.bytes += text.len();
            self.loaded.push(text.into());
        }
        if self.bytes > MAX_BYTES {
            self.more = More::None;
        }
        if self.search.as_ref().is_some_and(|s| s.waits.is_some()) {
            return self.find(false);
        }
        if std::mem::take(&mut self.waits) { self.older(now) } else { Step::End }
    }

    /// Asks for the next page unless one is under way or the file is at its end.
    pub(crate) fn load(&mut self) -> Step {
        let before = match self.more {
            More::Unread => None,
            More::Before(byte) => Some(byte),
            More::Loading | More::None => return Step::End,
        };
        self.more = More::Loading;
        Step::Load(before)
    }

    fn entry(&self, at: usize) -> Option<Draft> {
        match self.session.len().checked_sub(at + 1) {
            Some(index) => self.session.get(index).cloned(),
            None => self.loaded.get(at - self.session.len()).map(|text| Draft::from_history(text)),
        }
    }

    fn text_holds(&self, at: usize, query: &str, exact: bool) -> Option<bool> {
        let holds = |text: &str| match exact {
            true => text.contains(query),
            false => text.to_lowercase().contains(query),
        };
        match self.session.len().checked_sub(at + 1) {
            Some(index) => self.session.get(index).map(|d| holds(&d.to_history())),
            None => self.loaded.get(at - self.session.len()).map(|text| holds(text)),
        }
    }

    /// The search under way.
    pub(crate) fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// Starts a search, or goes on to the next match in the given direction.
    pub(crate) fn search_on(&mut self, forward: bool, now: &Draft) -> Step {
        match &mut self.search {
            Some(search) => {
                search.forward = forward;
                self.find(true)
            }
            None => {
                self.search = Some(Search { forward, before: now.clone(), ..Search::default() });
                self.load()
            }
        }
    }

    /// Changes what is looked for. Longer queries go on from the match, shorter ones begin anew.
    pub(crate) fn search_for(&mut self, change: impl FnOnce(&mut String)) -> Step {
        let Some(search) = &mut self.search else { return Step::End };
        let before = search.query.len();
        search.waits = None;
        change(&mut search.query);
        if search.query.len() < before {
            search.at = None;
        }
        if search.query.is_empty() {
            search.failed = false;
            return Step::Show(search.before.clone());
        }
        self.find(false)
    }

    /// Ends the search; what stands in the editor stays. The walk goes on from the match.
    pub(crate) fn search_accept(&mut self) {
        if let Some(search) = self.search.take()
            && search.at.is_some()
        {
            self.at = search.at;
            self.bottom = search.before;
        }
    }

    /// Ends the search with the text of before.
    pub(crate) fn search_cancel(&mut self) -> Option<Draft> {
        self.search.take().map(|s| s.before)
    }

    /// Looks for the query from the present match on; `beyond` leaves that match.
    fn find(&mut self, beyond: bool) -> Step {
        let Some(search) = &mut self.search else { return Step::End };
        if search.query.is_empty() {
            return Step::End;
        }
        let resumed = search.waits.take();
        let forward = search.forward && search.at.is_some() && resumed.is_none();
        let mut at = match (resumed, search.at, beyond) {
            (Some(at), ..) => Some(at),
            (None, None, _) => Some(0),
            (None, Some(at), false) => Some(at),
            (None, Some(at), true) if forward => at.checked_sub(1),
            (None, Some(at), true) => Some(at + 1),
        };
        let query = search.query.clone();
        let exact = query.chars().any(char::is_uppercase);
        while let Some(index) = at {
            match self.text_holds(index, &query, exact) {
                Some(true) => return self.found(index, beyond),
                Some(false) if forward => at = index.checked_sub(1),
                Some(false) => at = Some(index + 1),
                None => break,
            }
        }
        // `at` is now the first entry that is not loaded, or nothing when the newest was passed.
        let step = if at.is_some() { self.load() } else { Step::End };
        let loading = self.more == More::Loading;
        if let Some(search) = &mut self.search {
            search.waits = at.filter(|_| loading);
            search.failed = search.waits.is_none();
        }
        step
    }

    fn found(&mut self, index: usize, beyond: bool) -> Step {
        let Some(draft) = self.entry(index) else { return Step::End };
        let Some(search) = &mut self.search else { return Step::End };
        let shown = search.at.and_then(|at| (at != index).then_some(at));
        search.at = Some(index);
        search.failed = false;
        // The same text twice in a row is no step.
        match shown.and_then(|at| self.entry(at)) {
            Some(before) if beyond && same(&before, &draft) => self.find(true),
            _ => Step::Show(draft),
        }
    }
}

fn same(a: &Draft, b: &Draft) -> bool {
    a.shell == b.shell && (a.text == b.text && a.elements == b.elements || a.expand() == b.expand())
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
