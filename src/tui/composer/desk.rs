//! A prompt at a desk, for tests: keys by name, time that goes on by hands' speed, effects as text. Only tests
//! use it.

use super::effect::{Effect, Env};
use super::history_file::Page;
use super::prompt::Composer;
use crate::tui::keymap::{Chord, Keymap};
use crate::tui::keys::{Code, Key};
use crate::workspace::search::{Hit, Kind};

/// A prompt at a terminal: keys by name, time that goes on by hands' speed, effects as text.
pub(crate) struct Desk {
    pub(crate) composer: Composer,
    pub(crate) keymap: Keymap,
    pub(crate) running: bool,
    pub(crate) now_ms: u64,
    log: Vec<String>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let (composer, keymap) = (Composer::default(), Keymap::default());
        Self { composer, keymap, running: false, now_ms: 1_000, log: Vec::new() }
    }

    pub(crate) fn with<T>(&mut self, f: impl FnOnce(&mut Composer, &Env<'_>) -> T) -> T {
        let env = Env { now_ms: self.now_ms, running: self.running, keymap: &self.keymap };
        f(&mut self.composer, &env)
    }

    pub(crate) fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let text = match effect {
                Effect::Submit(d) => format!("submit {}", d.expand()),
                Effect::Queue(d) => format!("queue {}", d.expand()),
                Effect::Shell(c) => format!("shell {c}"),
                Effect::Command(c, args) => format!("command {} {args}", c.name()).trim_end().to_owned(),
                Effect::Notice(text) => format!("notice {text}"),
                Effect::Remember(text) => format!("remember {text}"),
                Effect::LoadHistory(before) => format!("load {before:?}"),
                Effect::FindFiles(query) => format!("find {query:?}"),
                Effect::CheckImages(_, paths) => format!("check {paths:?}"),
                Effect::PasteImage => "image".to_owned(),
                Effect::Shortcuts => "shortcuts".to_owned(),
                Effect::SaveDraft(_) => continue,
            };
            self.log.push(text);
        }
    }

    /// One key, `gap_ms` after the one before. True when it was handled.
    pub(crate) fn key_after(&mut self, gap_ms: u64, key: Key) -> bool {
        self.wait(gap_ms);
        let reply = self.with(|c, env| c.on_key(key, env));
        self.note(reply.effects);
        reply.handled
    }

    /// One key at the present time.
    pub(crate) fn press_now(&mut self, key: Key) {
        self.key_after(0, key);
    }

    /// Lets time pass, with ticks where they are asked for.
    pub(crate) fn wait(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while let Some(at) = self.composer.wake_at_ms().filter(|at| *at <= end) {
            self.now_ms = at.max(self.now_ms);
            let effects = self.with(|c, env| c.tick(env));
            self.note(effects);
        }
        self.now_ms = end;
    }

    /// Named keys, blanks between them, at hands' speed. True when the last was handled.
    pub(crate) fn press(&mut self, names: &str) -> bool {
        let mut handled = true;
        for name in names.split_whitespace() {
            handled = self.key_after(60, Chord::parse(name).unwrap().key);
        }
        handled
    }

    /// Characters at hands' speed; `\n` is enter.
    pub(crate) fn write(&mut self, text: &str) {
        self.write_at(60, text);
    }

    pub(crate) fn write_at(&mut self, gap_ms: u64, text: &str) {
        for c in text.chars() {
            self.key_after(gap_ms, key_of(c));
        }
    }

    pub(crate) fn paste(&mut self, text: &str) {
        let effects = self.with(|c, env| c.on_paste(text, env));
        self.note(effects);
    }

    pub(crate) fn history(&mut self, entries: &[&str]) {
        let page = Page { entries: entries.iter().map(|e| (*e).to_owned()).collect(), next: None };
        let effects = self.with(|c, env| c.history_loaded(page, env));
        self.note(effects);
    }

    pub(crate) fn files(&mut self, query: &str, paths: &[&str], done: bool) {
        let hit = |p: &&str| Hit { path: p.trim_end_matches('/').into(), kind: kind(p), marks: vec![] };
        self.composer.files_found(query, paths.iter().map(hit).collect(), done);
    }

    pub(crate) fn text(&mut self) -> String {
        let text = self.composer.area().text();
        let (a, b) = text.split_at(self.composer.area().cursor());
        let elements = self.composer.area().elements();
        let labels = elements.labels(text);
        let mut out = format!("{a}|{b}");
        for (token, label) in labels {
            out = out.replace(token, &label);
        }
        if self.composer.is_shell() { format!("!{out}") } else { out }
    }

    /// What happened since the last call.
    pub(crate) fn log(&mut self) -> String {
        std::mem::take(&mut self.log).join("; ")
    }
}

fn kind(path: &str) -> Kind {
    if path.ends_with('/') { Kind::Folder } else { Kind::File }
}

pub(crate) fn key_of(c: char) -> Key {
    match c {
        '\n' => Key::plain(Code::Enter),
        '\t' => Key::plain(Code::Tab),
        c => Key::plain(Code::Char(c)),
    }
}
