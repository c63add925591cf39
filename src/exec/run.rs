//! The loop of `codex exec`: one turn through the door of a thread. It ends by itself whatever happens to the
//! thread, the terminal or the reader of its output: every wait also listens to signals, and after a stop was
//! asked for, to a deadline.

use std::path::PathBuf;

use tokio::sync::mpsc;

use super::brake::{Brake, GiveUp, Signal};
use super::human::{Banner, Progress};
use super::jsonl::Lines;
use super::last_message;
use super::output::{self, Chunk, Output};
use super::text::clean;
use crate::base::ids::ItemId;
use crate::base::tasks;
use crate::protocol::ask::Answer;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::protocol::input::UserInput;
use crate::protocol::note::{Level, Note};
use crate::protocol::op::Op;
use crate::protocol::review::Target;
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// Both sides of a live thread.
pub(crate) struct Door {
    /// Where requests go in.
    pub(crate) ops: mpsc::Sender<Op>,
    /// Where events come out.
    pub(crate) events: mpsc::Receiver<Event>,
}

/// What one run does.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// JSON lines instead of text.
    pub(crate) json: bool,
    /// What of the model's thinking is shown.
    pub(crate) show: Show,
    /// Colours on stderr.
    pub(crate) colored: bool,
    /// Stdout is a terminal: foreign text is cleaned there.
    pub(crate) stdout_terminal: bool,
    /// Stderr is a terminal; when both are, the answer is already on the screen and is not repeated.
    pub(crate) stderr_terminal: bool,
    /// Head of the output; also names the thread.
    pub(crate) banner: Banner,
    /// The prompt as it is shown.
    pub(crate) prompt: String,
    /// The prompt as it is sent.
    pub(crate) input: Vec<UserInput>,
    /// What is to be reviewed, instead of the prompt.
    pub(crate) review: Option<Target>,
    /// Schema of the answer.
    pub(crate) output_schema: Option<serde_json::Value>,
    /// Where the answer is also written (`-o`).
    pub(crate) last_message: Option<PathBuf>,
    /// What came up while starting.
    pub(crate) warnings: Vec<String>,
}

/// What of the model's thinking is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    /// Nothing.
    Nothing,
    /// Summaries.
    Summaries,
    /// Summaries and raw reasoning.
    Raw,
}

impl Show {
    /// The text to show for a reasoning item, if any.
    pub(crate) fn reasoning(self, summary: &[String], content: &[String]) -> Option<String> {
        let parts = match self {
            Self::Nothing => return None,
            Self::Raw if !content.is_empty() => content,
            Self::Summaries | Self::Raw => summary,
        };
        let text = parts.join("\n\n");
        (!text.trim().is_empty()).then_some(text)
    }
}

/// How a run ended. `cli` turns it into an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The model gave its answer.
    Answered,
    /// The turn failed, or its result could not be written.
    Failed,
    /// Stopped by a signal.
    Stopped(Signal),
    /// The reader of stdout went away.
    OutputClosed,
}

/// Runs one turn and ends the thread. Returns early, with the thread still alive, on a second signal and when the
/// thread does not stop in time: the caller then just exits, which kills every child.
pub(crate) async fn run(
    door: Door,
    signals: mpsc::Receiver<Signal>,
    output: Output,
    setup: Setup,
) -> Outcome {
    let face = if setup.json {
        Face::Json(Lines::new(setup.show))
    } else {
        Face::Human(Progress::new(setup.colored, setup.show))
    };
    let Door { ops, events } = door;
    let brake = Brake::new(ops, signals);
    let mut run = Run { brake, events, output, face, lost_output: false };
    let ended = run.turn(&setup).await;
    let result = match ended {
        Ok(end) => run.finish(&setup, end).await,
        Err(GiveUp) => Err(GiveUp),
    };
    let Run { mut brake, output, .. } = run;
    let Ok(own) = result else { return outcome(&brake, Outcome::Failed) };
    match brake.guard(output.finish()).await {
        Ok(Ok(())) => outcome(&brake, own),
        Ok(Err(output::Error::Closed)) => outcome(&brake, Outcome::OutputClosed),
        Ok(Err(error @ output::Error::Failed(_))) => {
            complain(&error);
            outcome(&brake, Outcome::Failed)
        }
        Err(GiveUp) => outcome(&brake, own),
    }
}

/// A signal explains the end better than what it led to.
fn outcome(brake: &Brake, own: Outcome) -> Outcome {
    brake.stopped_by().map_or(own, Outcome::Stopped)
}

/// The last word when the ordinary way out is broken. Nobody may be listening, which is fine.
fn complain(error: &output::Error) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "ERROR: {error}");
}

/// How things are shown.
enum Face {
    Json(Lines),
    Human(Progress),
}

impl Face {
    fn event(&mut self, event: &Event) -> Chunk {
        match self {
            Self::Json(lines) => Chunk::Out(lines.event(event)),
            Self::Human(progress) => Chunk::Err(progress.event(event).into_bytes()),
        }
    }

    fn failed(&mut self, error: &ErrorInfo) -> Chunk {
        match self {
            Self::Json(lines) => Chunk::Out(lines.failed(error)),
            Self::Human(progress) => Chunk::Err(progress.failed(error).into_bytes()),
        }
    }

    fn open(&mut self, setup: &Setup) -> Chunk {
        match self {
            Self::Json(lines) => Chunk::Out(lines.open(setup.banner.thread_id)),
            Self::Human(progress) => Chunk::Err(progress.open(&setup.banner, &setup.prompt).into_bytes()),
        }
    }
}

/// Nobody can answer a run: where a message would be the word to go on, a budget for one run is.
fn without_an_answer(error: &mut ErrorInfo) {
    if error.kind == ErrorKind::Budget {
        let hint = "raise it for one run, for example -c 'budget.day=\"week=20%\"', or change [budget] in config.toml";
        error.hint = Some(hint.to_owned());
    }
}

/// A warning as it is kept with the thread.
fn kept(message: String) -> Note {
    Note {
        id: ItemId::with_prefix("note"),
        after: None,
        after_end: false,
        level: Level::Warning,
        message,
        hint: None,
        rows: Vec::new(),
    }
}

struct Run {
    brake: Brake,
    events: mpsc::Receiver<Event>,
    output: Output,
    face: Face,
    /// Stdout is lost: nothing is shown any more.
    lost_output: bool,
}

impl Run {
    /// From the prompt to the end of the turn. `None`: the thread is gone before that.
    async fn turn(&mut self, setup: &Setup) -> Result<Option<TurnEnd>, GiveUp> {
        let opening = self.face.open(setup);
        self.write(opening).await?;
        self.brake.submit(match setup.review.clone() {
            Some(target) => Op::Review { target },
            None => Op::UserTurn { input: setup.input.clone(), output_schema: setup.output_schema.clone() },
        })?;
        // A signal that came while the opening was written met a thread without a turn.
        if self.brake.stopped_by().is_some() {
            self.brake.submit(Op::Interrupt)?;
        }
        let mut warnings = setup.warnings.iter();
        while let Some(mut event) = self.brake.guard(self.events.recv()).await? {
            if let Event::TurnCompleted(end) = &mut event {
                end.error.as_mut().map(without_an_answer);
            }
            let chunk = self.face.event(&event);
            if matches!(event, Event::TurnCompleted(_) | Event::Closed) {
                self.warn(&mut warnings).await?;
            }
            self.write(chunk).await?;
            match event {
                // Readers of the JSON lines expect nothing between the starts of thread and turn.
                Event::TurnStarted { .. } => self.warn(&mut warnings).await?,
                // Nobody is there to be asked.
                Event::Ask { id, .. } => self.brake.submit(Op::Answer { id, answer: Answer::Decline })?,
                // Whoever opens the thread later sees what was said here.
                Event::Warning { message } => self.brake.submit(Op::Note(Box::new(kept(message))))?,
                Event::TurnCompleted(end) => return Ok(Some(*end)),
                Event::Closed => break,
                _ => {}
            }
        }
        let gone = ErrorInfo::new(ErrorKind::Internal, "The thread ended before its turn did.");
        let chunk = self.face.failed(&gone);
        self.write(chunk).await?;
        Ok(None)
    }

    /// Shows the answer, then waits until the thread is closed and on disk.
    async fn finish(&mut self, setup: &Setup, end: Option<TurnEnd>) -> Result<Outcome, GiveUp> {
        let answer = end.as_ref().and_then(|end| end.last_message.clone());
        let answered = end.as_ref().is_some_and(|end| end.status == TurnStatus::Completed);
        let mut outcome = if answered { Outcome::Answered } else { Outcome::Failed };
        let repeated = setup.stdout_terminal && setup.stderr_terminal;
        if let Some(text) = answer.as_deref().filter(|_| answered && !setup.json && !repeated) {
            let text = if setup.stdout_terminal { clean(text) } else { text.to_owned() };
            let line = if text.ends_with('\n') { text } else { format!("{text}\n") };
            self.write(Chunk::Out(line.into_bytes())).await?;
        }
        if let Some(path) = setup.last_message.clone()
            && !self.write_last_message(path, answer).await?
        {
            outcome = Outcome::Failed;
        }
        if end.is_some() {
            self.brake.submit(Op::Shutdown)?;
            while let Some(event) = self.brake.guard(self.events.recv()).await? {
                let chunk = self.face.event(&event);
                self.write(chunk).await?;
                if matches!(event, Event::Closed) {
                    break;
                }
            }
        }
        Ok(outcome)
    }

    /// False when the file could not be written.
    async fn write_last_message(&mut self, path: PathBuf, answer: Option<String>) -> Result<bool, GiveUp> {
        let shown = path.display().to_string();
        let empty = answer.is_none();
        // Without an answer the file is emptied: an older one must not pass for it.
        let work = move || last_message::write(&path, answer.as_deref().unwrap_or_default());
        let result = self.brake.guard(tasks::blocking("last message", work)).await?;
        let error = match result {
            Ok(Ok(())) if empty => {
                let message = format!("there is no answer; {shown} is empty");
                let warning = self.face.event(&Event::Warning { message });
                self.write(warning).await?;
                return Ok(true);
            }
            Ok(Ok(())) => return Ok(true),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let info = ErrorInfo::new(ErrorKind::Io, format!("cannot write the answer to {shown}: {error}"));
        let chunk = Chunk::Err(Progress::new(false, Show::Nothing).failed(&info).into_bytes());
        self.write(chunk).await?;
        Ok(false)
    }

    /// Shows what came up while starting, once.
    async fn warn(&mut self, warnings: &mut std::slice::Iter<'_, String>) -> Result<(), GiveUp> {
        for message in warnings {
            let warning = self.face.event(&Event::Warning { message: message.clone() });
            self.write(warning).await?;
        }
        Ok(())
    }

    /// Queues something to show. When stdout is lost, the turn is stopped and nothing more is shown.
    async fn write(&mut self, chunk: Chunk) -> Result<(), GiveUp> {
        let (Chunk::Out(bytes) | Chunk::Err(bytes)) = &chunk;
        if bytes.is_empty() || self.lost_output {
            return Ok(());
        }
        match self.brake.guard(self.output.place()).await? {
            Some(place) => {
                place.send(chunk);
                Ok(())
            }
            None => {
                self.lost_output = true;
                self.brake.submit(Op::Interrupt)
            }
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
