//! What the app starts with: everything it is told once, by whoever read configuration and arguments.

use std::path::PathBuf;

use super::door::{Begin, ThreadFilter};
use super::keymap::Remap;
use super::terminal::Surroundings;

/// How the app shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A screen of its own.
    Full,
    /// Finished cells go into the terminal's scrollback.
    Scrollback,
    /// Plain lines, one after the other: for screen readers and terminals that can do no more.
    Linear,
}

/// When to notify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Notify {
    /// While the window has no focus.
    #[default]
    Unfocused,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A look around with the scripted model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tour {
    /// What is told first, on lines of its own.
    pub(crate) told: String,
    /// Prompts that are suggested, one after the other.
    pub(crate) prompts: Vec<String>,
    /// The thread is gone when the user leaves: there is nothing to go on with.
    pub(crate) passing: bool,
}

impl Tour {
    /// In the user's own folder, where nothing is prepared.
    pub(crate) fn offline() -> Self {
        Self {
            told: "Scripted model, nothing leaves this machine. Its answers are written beforehand; commands, patches \
                   and sandbox are real."
                .to_owned(),
            prompts: vec!["Feel the sandbox: show me what you can not do here".to_owned()],
            passing: false,
        }
    }
}

/// The question whether a folder is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskTrust {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// What may happen in it when it is trusted, in words.
    pub(crate) trusted: String,
    /// What may happen when it is only looked at.
    pub(crate) looking: String,
}

/// What the app starts with.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Version of the program.
    pub(crate) version: &'static str,
    /// What the environment tells about the terminal.
    pub(crate) surroundings: Surroundings,
    /// How to show.
    pub(crate) mode: Mode,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// Folder of the user's files.
    pub(crate) codex_home: PathBuf,
    /// Credentials are needed and missing.
    pub(crate) sign_in: bool,
    /// Why what is stored of them cannot be used, and what to do.
    pub(crate) sign_in_trouble: Option<String>,
    /// The trust to ask for, when the user was not asked yet.
    pub(crate) ask_trust: Option<AskTrust>,
    /// Which thread to open.
    pub(crate) begin: Begin,
    /// Show these stored threads first.
    pub(crate) pick: Option<ThreadFilter>,
    /// Prompt of the command line.
    pub(crate) prompt: Option<String>,
    /// Images of the command line, absolute.
    pub(crate) images: Vec<PathBuf>,
    /// Changes of keys.
    pub(crate) remaps: Vec<Remap>,
    /// Name of the syntax theme; empty for the usual one.
    pub(crate) syntax_theme: String,
    /// Items of the status line; `None` for the usual ones.
    pub(crate) status_line: Option<Vec<String>>,
    /// Items of the title; `None` for the usual ones.
    pub(crate) title: Option<Vec<String>>,
    /// When to notify.
    pub(crate) notify: Notify,
    /// Program and arguments called after each turn; empty for none.
    pub(crate) notify_program: Vec<String>,
    /// Variables that hold keys: no program gets them.
    pub(crate) secret_env: Vec<String>,
    /// Prompts are kept in `history.jsonl`.
    pub(crate) keep_history: bool,
    /// Size at which the oldest prompts go.
    pub(crate) history_max_bytes: Option<u64>,
    /// Quick keys are never taken for a paste.
    pub(crate) no_burst: bool,
    /// A smaller model is never offered.
    pub(crate) no_model_nudge: bool,
    /// Sentences for the user.
    pub(crate) warnings: Vec<String>,
    /// The model is scripted, and this is shown of it.
    pub(crate) tour: Option<Tour>,
}

impl Setup {
    /// Where prompts are kept.
    pub(crate) fn history_file(&self) -> PathBuf {
        self.codex_home.join("history.jsonl")
    }

    /// Where drafts are kept.
    pub(crate) fn drafts(&self) -> PathBuf {
        self.codex_home.join("tmp").join("drafts")
    }
}
