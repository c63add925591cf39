//! `codex` and `codex resume`: reads the flags, captures what the terminal app needs to know of its surroundings,
//! and starts it. Everything that can wait until after the first frame waits behind the door.

use super::args::{ResumeScreen, Screen, Shared};
use super::exit::Exit;
use crate::config::{Env, Flags};

/// How the app begins.
pub(crate) struct Request {
    /// Flags of the app.
    pub(crate) screen: Screen,
    /// Flags of the configuration.
    pub(crate) shared: Shared,
    /// What is submitted first.
    pub(crate) prompt: Option<String>,
    /// The thread to open.
    pub(crate) thread: Wanted,
}

/// Which thread the app opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A new one.
    New,
    /// The last one of this folder.
    Last,
    /// The one of this id or name.
    Named(String),
    /// The user picks one from a list.
    Pick,
}

impl Request {
    /// `codex [PROMPT]`.
    pub(crate) fn new(screen: Screen, shared: Shared, prompt: Option<String>) -> Self {
        Self { screen, shared, prompt, thread: Wanted::New }
    }

    /// `codex resume`. `before`: configuration flags that stood before the word.
    pub(crate) fn resume(resume: ResumeScreen, mut before: Shared) -> Self {
        before.join(resume.shared);
        let (thread, prompt) = match (resume.last, resume.id, resume.prompt) {
            (true, first, second) => (Wanted::Last, first.or(second)),
            (false, Some(id), prompt) => (Wanted::Named(id), prompt),
            (false, None, prompt) => (Wanted::Pick, prompt),
        };
        Self { screen: resume.screen, shared: before, prompt, thread }
    }

    /// The flags as the configuration takes them.
    pub(crate) fn flags(&self) -> Flags {
        let named = |names: &[String], on: bool| -> Vec<(String, bool)> {
            names.iter().map(|name| (name.clone(), on)).collect()
        };
        let mut features = named(&self.shared.enable, true);
        features.extend(named(&self.shared.disable, false));
        Flags {
            model: self.screen.model.clone(),
            profile: self.shared.profile.clone(),
            sandbox: self.screen.sandbox,
            approval: self.screen.approval,
            full_auto: self.screen.full_auto,
            bypass: self.screen.bypass,
            cwd: self.screen.cwd.clone(),
            add_dirs: self.screen.add_dir.clone(),
            overrides: self.shared.config.clone(),
            features,
            oss: self.screen.oss,
            search: self.screen.search,
            ..Flags::default()
        }
    }
}

/// Runs the app.
pub(crate) fn run(_request: &Request, _env: &Env) -> Exit {
    Exit::Failure
}
