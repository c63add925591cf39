//! Everything a front end can ask of a thread.

use super::ask::Answer;
use super::input::UserInput;
use super::note::Note;
use super::review::Target;
use super::turn::Change;
use crate::base::ids::AskId;

/// One request to a live thread.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// Starts a turn with this input; while a turn runs, the input is added to it before its next request.
    UserTurn {
        /// Text and images, in order.
        input: Vec<UserInput>,
        /// JSON schema that the final answer must follow.
        output_schema: Option<serde_json::Value>,
    },
    /// Stops the running turn: its processes are killed, what happened is recorded.
    Interrupt,
    /// Answers an open question.
    Answer {
        /// Which question.
        id: AskId,
        /// What the user said.
        answer: Answer,
    },
    /// Summarises the conversation to free context.
    Compact,
    /// Has changes reviewed, in a turn of its own. What is handed in meanwhile waits for its end.
    Review {
        /// Which.
        target: Target,
    },
    /// Runs the user's own command, outside the sandbox and beside a turn; the model reads about it later.
    UserShell {
        /// As typed, without the `!`.
        command: String,
    },
    /// Changes the settings of the following turns; told back as `Event::Configured`.
    Configure(Box<Change>),
    /// Takes back the last turns: the model forgets them; files stay as they are.
    Rewind {
        /// How many of the user's messages.
        turns: u32,
    },
    /// Keeps a line that the front end showed, in its place in the thread.
    Note(Box<Note>),
    /// Asks for `Event::Sessions`.
    Sessions,
    /// Ends the commands that run in the background.
    StopSessions,
    /// Takes back what the user allowed for the session; told back as `Event::Configured`.
    TakeBack,
    /// Ends the thread: the running turn is interrupted, the rollout flushed, then `Event::Closed`.
    Shutdown,
}
