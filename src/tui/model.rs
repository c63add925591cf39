//! All state of the screen: one field per component. No component sees another; what two of them need goes through
//! the update.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::composer::{Composer, Draft, Queue};
use super::glance::Glance;
use super::keymap::{Keymap, Remap};
use super::onboarding::{sign_in, trust};
use super::pager::Page;
use super::popups::any::{Around, Popup};
use super::popups::warnings::Warnings;
use super::setup::{Notify, Setup};
use super::status::facts::{DEFAULT_LINE, DEFAULT_TITLE, Facts, Item};
use super::status::working::Working;
use super::theme::Theme;
use super::transcript::{self, Transcript};
use super::usage::look::View;
use super::usage::{Standing, notice};
use crate::base::clean::in_words;
use crate::base::ids::{AskId, ItemId};
use crate::base::path::with_tilde;
use crate::protocol::ask::Ask;
use crate::protocol::turn::Change;

/// Smallest window that is drawn.
pub(crate) const SMALLEST: (u16, u16) = (40, 12);

/// What the whole screen shows.
pub(crate) enum Stage {
    /// How to sign in.
    SignIn(Box<sign_in::Page>),
    /// May codex work here?
    Trust(Box<trust::Page>),
    /// The conversation.
    Main,
}

/// A few words in the hint line for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    /// The words.
    pub(crate) text: String,
    /// Until when.
    pub(crate) until_ms: u64,
}

/// A key that means more when pressed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Armed {
    /// Quits.
    Quit,
    /// Goes back to earlier prompts.
    GoBack,
}

/// Going back: which prompt is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Browse {
    /// Place among the prompts, oldest first.
    pub(crate) at: usize,
}

/// A rewind under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewinding {
    /// The prompt that goes.
    pub(crate) key: transcript::Key,
    /// Its text, for the composer; nothing when it is sent again at once.
    pub(crate) text: Option<String>,
    /// What is said when it is done.
    pub(crate) said: String,
}

/// The thread that stays behind while another one is opened, and goes on if that fails.
pub(crate) struct Left {
    /// Where its turn stood.
    pub(crate) turn: TurnState,
    /// It could not be opened itself.
    pub(crate) nothing_open: bool,
    /// The other one is a copy of it.
    pub(crate) forked: bool,
}

/// The turn, as the screen sees it.
#[derive(Default)]
pub(crate) struct TurnState {
    /// What runs.
    pub(crate) working: Option<Working>,
    /// What was given before any thread was open.
    pub(crate) early: Vec<Draft>,
    /// Prompts handed over that begin a turn of their own and were not told back yet.
    pub(crate) awaited: usize,
    /// Commands of the user that run.
    pub(crate) shells: Vec<ItemId>,
    /// Commands that run on in the background, as the thread told last.
    pub(crate) background: Vec<String>,
    /// How many of them are being ended, as the user asked.
    pub(crate) ending: usize,
    /// They were asked for, and are to be listed.
    pub(crate) listing: bool,
    /// What was sent of this turn and the one before it that never got an answer.
    pub(crate) sent: Vec<Draft>,
    /// The prompt that was given back because a limit or a budget is used up.
    pub(crate) refused: Option<String>,
    /// It is a review: what is typed waits for its end.
    pub(crate) reviewing: bool,
    /// The model has answered something in this turn.
    pub(crate) answered: bool,
    /// The last prompts, for the notify program.
    pub(crate) prompts: Vec<String>,
    /// What the patches of the last turn changed together, as a diff.
    pub(crate) diff: String,
    /// The last answer, for the end of the program.
    pub(crate) last_answer: Option<String>,
}

/// Everything the user may have changed.
pub(crate) struct Options {
    /// Items of the status line.
    pub(crate) status_line: Vec<Item>,
    /// Items of the title.
    pub(crate) title: Vec<Item>,
    /// When to notify.
    pub(crate) notify: Notify,
    /// A program is called after each turn.
    pub(crate) notify_program: bool,
    /// The whole screen is used, now.
    pub(crate) fullscreen: bool,
}

/// The state of the app.
pub(crate) struct Model {
    /// Columns and rows.
    pub(crate) size: (u16, u16),
    /// The time of the last message, in milliseconds.
    pub(crate) now_ms: u64,
    /// The same in unix seconds.
    pub(crate) unix: u64,
    /// Roles → styles.
    pub(crate) theme: Theme,
    /// Which key does what.
    pub(crate) keymap: Keymap,
    /// What is known about the thread.
    pub(crate) facts: Facts,
    /// Which page.
    pub(crate) stage: Stage,
    /// What happened.
    pub(crate) transcript: Transcript,
    /// What can be gone on with, while nothing was said.
    pub(crate) glance: Option<Glance>,
    /// The prompt.
    pub(crate) composer: Composer,
    /// Messages that wait.
    pub(crate) queue: Queue,
    /// The turn.
    pub(crate) turn: TurnState,
    /// What stands in the prompt's place.
    pub(crate) popup: Option<Popup>,
    /// Questions that wait.
    pub(crate) asks: VecDeque<(AskId, Box<Ask>)>,
    /// A full page to read.
    pub(crate) page: Option<Box<Page>>,
    /// What went not quite right.
    pub(crate) warnings: Warnings,
    /// What the app knows about limits, besides the numbers.
    pub(crate) usage: Standing,
    /// Words in the hint line.
    pub(crate) toast: Option<Toast>,
    /// A key that means more when pressed again, until then.
    pub(crate) armed: Option<(Armed, u64)>,
    /// Going back.
    pub(crate) browse: Option<Browse>,
    /// The prompt to go back to, while somebody looks what happened to files since or takes that back.
    pub(crate) looking: Option<transcript::Key>,
    /// A rewind under way.
    pub(crate) rewinding: Option<Rewinding>,
    /// The thread could not be opened, and no other is on its way.
    pub(crate) nothing_open: bool,
    /// Another thread is on its way.
    pub(crate) left: Option<Box<Left>>,
    /// Model, reasoning and permissions that were chosen since the start; they hold for the next thread too.
    pub(crate) chosen: Change,
    /// The folder of the thread that is being opened, when that is gone.
    pub(crate) folder_gone: Option<String>,
    /// The block of `/status`, while it is the newest.
    pub(crate) status_cell: Option<transcript::Key>,
    /// There are turns before those shown, and nobody fetches them.
    pub(crate) earlier: bool,
    /// Prompts that are suggested while nothing is typed, the next one first.
    pub(crate) suggestions: VecDeque<String>,
    /// The window has the focus, as far as known.
    pub(crate) focused: bool,
    /// What the user may have changed.
    pub(crate) options: Options,
    /// What the app was started with.
    pub(crate) setup: Setup,
}

impl Model {
    /// The state before anything happened.
    pub(crate) fn new(setup: Setup, size: (u16, u16), now_ms: u64) -> Self {
        let around = &setup.surroundings;
        let (keymap, problems) = keymap(&setup.remaps);
        let mut warnings = Warnings::default();
        for text in setup.warnings.iter().chain(&problems) {
            warnings.push("Start-up", text);
        }
        let composer = Composer::default();
        Self {
            size,
            now_ms,
            unix: 0,
            theme: Theme { colors: around.colors, light: around.light, syntax: setup.syntax_theme.clone() },
            keymap,
            facts: Facts {
                home: around.home.clone(),
                hostname: around.hostname.clone(),
                version: setup.version,
                ..Facts::default()
            },
            stage: Stage::Main,
            transcript: Transcript::new(transcript::Setup {
                version: setup.version,
                cwd: setup.cwd.clone(),
                directory: with_tilde(&setup.cwd, around.home.as_deref()),
                wall_clock: super::moment::clock,
            }),
            glance: None,
            composer: if setup.no_burst { composer.without_burst_detection() } else { composer },
            queue: Queue::default(),
            turn: TurnState::default(),
            popup: None,
            asks: VecDeque::new(),
            page: None,
            warnings,
            usage: Standing::new(setup.no_model_nudge),
            toast: None,
            armed: None,
            browse: None,
            looking: None,
            rewinding: None,
            nothing_open: false,
            left: None,
            chosen: Change::default(),
            folder_gone: None,
            status_cell: None,
            earlier: false,
            suggestions: VecDeque::new(),
            focused: true,
            options: options(&setup),
            setup,
        }
    }

    /// The prompt that enter sends now though nothing is typed.
    pub(crate) fn suggestion(&self) -> Option<&str> {
        let free = !self.is_running() && self.composer.is_empty() && !self.composer.is_shell();
        self.suggestions.front().filter(|_| free && self.facts.thread.is_some()).map(String::as_str)
    }

    /// Whether a turn runs.
    pub(crate) fn is_running(&self) -> bool {
        self.turn.working.as_ref().is_some_and(|working| !working.shell)
    }

    /// The working directory of the thread.
    pub(crate) fn cwd(&self) -> PathBuf {
        self.facts.thread.as_ref().map_or_else(|| self.setup.cwd.clone(), |thread| thread.cwd.clone())
    }

    /// Says something in the hint line for a while.
    pub(crate) fn toast(&mut self, text: impl Into<String>) {
        self.toast =
            Some(Toast { text: in_words(&text.into()).into_owned(), until_ms: self.now_ms + TOAST_MS });
    }

    /// What popups may know.
    pub(crate) fn around(&self) -> Around<'_> {
        Around {
            now_ms: self.now_ms,
            keymap: &self.keymap,
            warnings: &self.warnings,
            waiting: self.asks.len(),
            usage: self.usage_view(),
        }
    }

    /// Where the limits stand, for those who draw them.
    pub(crate) fn usage_view(&self) -> View<'_> {
        View {
            limits: self.facts.limits.as_deref(),
            standing: &self.usage,
            now_s: self.unix,
            zone: super::moment::zone(),
        }
    }

    /// When a countdown on the screen reads differently.
    fn countdown_at_ms(&self) -> Option<u64> {
        let view = self.usage_view();
        let open = matches!(self.popup, Some(Popup::Usage(_) | Popup::Reached(_))).then(|| view.rest_s());
        let rest = [open, notice::rest_s(&view)].into_iter().flatten().min()?;
        Some(self.now_ms + rest.clamp(1, 60) * 1000)
    }

    /// When something changes by itself; `None` when nothing does.
    pub(crate) fn wake_at_ms(&self) -> Option<u64> {
        let toast = self.toast.as_ref().map(|toast| toast.until_ms);
        let armed = self.armed.map(|(_, until)| until);
        let working = self.turn.working.as_ref().map(|working| working.wake_at_ms(self.now_ms));
        let live = self.transcript.has_live().then(|| (self.now_ms / LIVE_MS + 1) * LIVE_MS);
        let said = self.usage.told_until_ms();
        let question = match &self.popup {
            Some(Popup::Approval(question)) => question.wake_at_ms(),
            _ => None,
        };
        let prompt = self.composer.wake_at_ms();
        let times = [toast, armed, working, live, question, prompt, said, self.countdown_at_ms()];
        times.into_iter().flatten().min()
    }
}

/// How long words stand in the hint line.
const TOAST_MS: u64 = 4000;
/// How often running clocks in the transcript are looked at.
const LIVE_MS: u64 = 500;

fn keymap(remaps: &[Remap]) -> (Keymap, Vec<String>) {
    Keymap::new(remaps)
}

fn options(setup: &Setup) -> Options {
    let items = |names: &Option<Vec<String>>, usual: &[Item]| {
        names.as_ref().map_or_else(|| usual.to_vec(), |names| Item::of_names(names))
    };
    Options {
        status_line: items(&setup.status_line, &DEFAULT_LINE),
        title: items(&setup.title, &DEFAULT_TITLE),
        notify: setup.notify,
        notify_program: !setup.notify_program.is_empty(),
        fullscreen: setup.mode == super::setup::Mode::Full,
    }
}

/// What the prompt may know of the rest. A macro, so that the prompt itself can be borrowed beside it.
macro_rules! env {
    ($model:expr) => {
        $crate::tui::composer::Env {
            now_ms: $model.now_ms,
            running: $model.turn.working.as_ref().is_some_and(|working| !working.shell),
            keymap: &$model.keymap,
        }
    };
}
pub(crate) use env;
