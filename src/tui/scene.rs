//! The app played by hand: keys, events and time in, state and effects out, no terminal. Only tests use it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::door::{Begin, ThreadInfo};
use super::effect::Effect;
use super::keymap::Chord;
use super::model::Model;
use super::msg::{Answer, At, Msg, Opened};
use super::setup::{Mode, Notify, Setup};
use super::status::facts::samples;
use super::terminal::{Input, Surroundings};
use super::{update, view};
use crate::base::ids::{AskId, ItemId, TurnId};
use crate::config::Env;
use crate::limits::AccountLimits;
use crate::protocol::ask::Ask;
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::input::UserInput;
use crate::protocol::item::{CommandItem, CommandSource, Item, ItemDelta, ItemStatus};
use crate::protocol::note::Note;
use crate::protocol::op::Op;
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// Unix second at which every scene begins.
const UNIX: u64 = 1_700_000_000;

/// The app and what it asked for.
pub(super) struct Scene {
    pub(super) model: Model,
    /// Effects since they were looked at last.
    pub(super) effects: Vec<Effect>,
    pub(super) ms: u64,
}

/// What the app starts with in a scene.
pub(super) fn setup() -> Setup {
    let env = Env::of(&[("TERM", "xterm"), ("HOME", "/home/u")], Path::new("/"));
    Setup {
        version: "0.1.0",
        surroundings: Surroundings { hostname: Some("box".to_owned()), ..Surroundings::of(&env) },
        mode: Mode::Full,
        cwd: PathBuf::from("/home/u/work/project"),
        codex_home: PathBuf::from("/home/u/.codex"),
        sign_in: false,
        sign_in_trouble: None,
        ask_trust: None,
        begin: Begin::New,
        pick: None,
        prompt: None,
        images: Vec::new(),
        remaps: Vec::new(),
        syntax_theme: String::new(),
        status_line: None,
        title: None,
        notify: Notify::Always,
        notify_program: Vec::new(),
        secret_env: Vec::new(),
        keep_history: true,
        history_max_bytes: None,
        no_burst: true,
        no_model_nudge: false,
        warnings: Vec::new(),
        tour: None,
    }
}

impl Scene {
    /// A scene whose thread is open and where nothing was said.
    pub(super) fn new(width: u16, height: u16) -> Self {
        let mut scene = Self::with(setup(), width, height);
        scene.open(samples::thread());
        scene.effects.clear();
        scene
    }

    /// A scene at its start.
    pub(super) fn with(setup: Setup, width: u16, height: u16) -> Self {
        let mut model = Model::new(setup, (width, height), 0);
        let mut effects = Vec::new();
        update::begin(&mut model, &mut effects);
        Self { model, effects, ms: 0 }
    }

    /// A scene of somebody who is signed in with ChatGPT and has these limits.
    pub(super) fn limited(limits: AccountLimits, width: u16, height: u16) -> Self {
        let mut scene = Self::with(setup(), width, height);
        scene.open_limited(limits);
        scene.effects.clear();
        scene
    }

    /// A thread is open now, whose account has these limits.
    pub(super) fn open_limited(&mut self, limits: AccountLimits) {
        self.open_in(samples::thread(), limits);
    }

    /// This thread is open now, whose account has these limits.
    pub(super) fn open_in(&mut self, info: ThreadInfo, limits: AccountLimits) {
        let opened = Opened {
            info,
            past: Vec::new(),
            earlier: false,
            usage: None,
            warnings: Vec::new(),
            limits: Some(Arc::new(limits)),
        };
        self.send(Msg::Opened(Ok(Box::new(opened))));
    }

    /// The turn fails.
    pub(super) fn fails(&mut self, error: ErrorInfo) -> &mut Self {
        let end = TurnEnd {
            turn_id: TurnId::new(),
            status: TurnStatus::Failed,
            error: Some(error),
            usage: Default::default(),
            last_message: None,
            duration_ms: 5000,
            price: Vec::new(),
            changed: None,
            network: Default::default(),
            price_so_far: false,
        };
        self.event(Event::TurnCompleted(Box::new(end)))
    }

    /// A thread is open now.
    pub(super) fn open(&mut self, info: ThreadInfo) {
        let opened = Opened {
            info,
            past: Vec::new(),
            earlier: false,
            usage: None,
            warnings: Vec::new(),
            limits: None,
        };
        self.send(Msg::Opened(Ok(Box::new(opened))));
    }

    /// Something happens.
    pub(super) fn send(&mut self, msg: Msg) -> &mut Self {
        let at = At { ms: self.ms, unix: UNIX + self.ms / 1000 };
        let effects = update::update(&mut self.model, msg, at);
        self.effects.extend(effects);
        self
    }

    /// Time passes.
    pub(super) fn wait(&mut self, ms: u64) -> &mut Self {
        self.ms += ms;
        self.send(Msg::Tick)
    }

    /// Keys by their specs, half a second apart.
    pub(super) fn keys(&mut self, specs: &[&str]) -> &mut Self {
        for spec in specs {
            self.ms += 500;
            let key = Chord::parse(spec).unwrap().key;
            self.send(Msg::Input(Input::Key(key)));
        }
        self
    }

    /// Text, typed.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.ms += 50;
            let key = super::keys::Key::plain(super::keys::Code::Char(c));
            self.send(Msg::Input(Input::Key(key)));
        }
        self
    }

    /// An event of the thread.
    pub(super) fn event(&mut self, event: Event) -> &mut Self {
        self.send(Msg::Event(event))
    }

    /// What an effect came to.
    pub(super) fn answer(&mut self, answer: Answer) -> &mut Self {
        self.send(Msg::Answer(answer))
    }

    /// A prompt is sent, and the thread takes it.
    pub(super) fn turn(&mut self, prompt: &str) -> &mut Self {
        self.text(prompt).keys(&["enter"]);
        self.event(Event::TurnStarted { turn_id: TurnId::new() });
        self.user(prompt)
    }

    /// The thread tells a message of the user.
    pub(super) fn user(&mut self, prompt: &str) -> &mut Self {
        let content = vec![UserInput::Text { text: prompt.to_owned() }];
        let item = Item::UserMessage { id: ItemId::with_prefix("user"), content };
        self.event(Event::ItemCompleted { item })
    }

    /// A message of the model, complete.
    pub(super) fn says(&mut self, text: &str) -> &mut Self {
        let id = ItemId::with_prefix("msg");
        self.event(Event::ItemCompleted {
            item: Item::AgentMessage { id, text: text.to_owned(), phase: None },
        })
    }

    /// A message of the model, still being written.
    pub(super) fn says_on(&mut self, id: &str, text: &str) -> &mut Self {
        let item = Item::AgentMessage { id: ItemId::from(id), text: String::new(), phase: None };
        self.event(Event::ItemStarted { item });
        self.event(Event::ItemDelta { item_id: ItemId::from(id), delta: ItemDelta::Text(text.to_owned()) })
    }

    /// A command begins.
    pub(super) fn runs(&mut self, id: &str, command: &str) -> &mut Self {
        let item = Item::CommandExecution(command_item(id, command));
        self.event(Event::ItemStarted { item })
    }

    /// A command has ended.
    pub(super) fn ran(&mut self, id: &str, command: &str, output: &str, code: i32) -> &mut Self {
        let item = Item::CommandExecution(CommandItem {
            status: if code == 0 { ItemStatus::Completed } else { ItemStatus::Failed },
            aggregated_output: Some(output.to_owned()),
            exit_code: Some(code),
            duration_ms: Some(1500),
            ..command_item(id, command)
        });
        self.event(Event::ItemCompleted { item })
    }

    /// The thread asks whether a command may run.
    pub(super) fn asks(&mut self, id: u64, item: &str, command: &str) -> &mut Self {
        let ask = Ask::Command {
            item_id: ItemId::from(item),
            command: command.to_owned(),
            cwd: self.model.cwd(),
            actions: Vec::new(),
            reason: Some("It writes outside the workspace.".to_owned()),
            effects: Vec::new(),
            rule: None,
            place: None,
            missing: None,
        };
        self.event(Event::Ask { id: AskId(id), ask: Box::new(ask) })
    }

    /// The turn ends.
    pub(super) fn ends(&mut self, status: TurnStatus) -> &mut Self {
        self.ms += 5000;
        let end = TurnEnd {
            turn_id: TurnId::new(),
            status,
            error: None,
            usage: Default::default(),
            last_message: Some("Done.".to_owned()),
            duration_ms: 5000,
            price: Vec::new(),
            changed: None,
            network: Default::default(),
            price_so_far: false,
        };
        self.event(Event::TurnCompleted(Box::new(end)))
    }

    /// What stands in the prompt.
    pub(super) fn prompt(&mut self) -> String {
        self.model.composer.draft().expand()
    }

    /// Takes the ops that were handed over since the last look, but for notes.
    pub(super) fn ops(&mut self) -> Vec<Op> {
        self.take_ops(|op| !matches!(op, Op::Note(_)))
    }

    /// Takes the notes that were handed over since the last look.
    pub(super) fn notes(&mut self) -> Vec<Note> {
        let note = |op| match op {
            Op::Note(note) => Some(*note),
            _ => None,
        };
        self.take_ops(|op| matches!(op, Op::Note(_))).into_iter().filter_map(note).collect()
    }

    fn take_ops(&mut self, wanted: impl Fn(&Op) -> bool) -> Vec<Op> {
        let is_one = |effect: &Effect| matches!(effect, Effect::Op(op) if wanted(op));
        let (ops, rest) = std::mem::take(&mut self.effects).into_iter().partition(is_one);
        self.effects = rest;
        let op = |effect| match effect {
            Effect::Op(op) => Some(op),
            _ => None,
        };
        <Vec<Effect>>::into_iter(ops).filter_map(op).collect()
    }

    /// The texts of the prompts that were handed over since the last look.
    pub(super) fn sent(&mut self) -> Vec<String> {
        let text = |op| match op {
            Op::UserTurn { input, .. } => Some(
                input
                    .into_iter()
                    .filter_map(|part| match part {
                        UserInput::Text { text } => Some(text),
                        _ => None,
                    })
                    .collect::<String>(),
            ),
            _ => None,
        };
        self.ops().into_iter().filter_map(text).collect()
    }

    /// The screen.
    pub(super) fn screen(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view::view(&self.model, &mut buffer);
        buffer
    }

    /// The screen as text.
    pub(super) fn shown(&self) -> String {
        super::testing::show(&self.screen())
    }
}

pub(super) fn command_item(id: &str, command: &str) -> CommandItem {
    CommandItem {
        id: ItemId::from(id),
        command: command.to_owned(),
        cwd: PathBuf::from("/home/u/work/project"),
        process_id: None,
        source: CommandSource::Agent,
        status: ItemStatus::InProgress,
        command_actions: Vec::new(),
        aggregated_output: None,
        exit_code: None,
        duration_ms: None,
    }
}
