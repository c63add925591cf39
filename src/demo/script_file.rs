//! The TOML form of a scenario. Unknown keys are errors: a misspelt condition would otherwise match everything.
//! Shapes only; what they mean is decided in `script`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::account_file::AccountFile;
use super::fault_file::FaultFile;
use super::values::{ExitIs, Texts};

/// A whole scenario file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ScriptFile {
    pub(crate) name: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) story: Option<String>,
    pub(crate) prompt: Option<String>,
    pub(crate) follow_up: Option<String>,
    pub(crate) wire: Wire,
    pub(crate) account: Option<AccountFile>,
    pub(crate) then: Vec<Then>,
    pub(crate) file: Vec<Spanned<ProjectFile>>,
    pub(crate) expect: Vec<Spanned<Expect>>,
    pub(crate) fault: Vec<Spanned<FaultFile>>,
    pub(crate) rule: Vec<Spanned<RuleFile>>,
}

/// One file of the project that a scenario plays in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectFile {
    /// Relative to the project.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A command line of `codex` that is run after the turns of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Then {
    /// What a spectator is told beforehand.
    #[serde(default)]
    pub(crate) story: String,
    /// Its words.
    pub(crate) codex: Vec<String>,
    /// How it ends.
    #[serde(default)]
    pub(crate) exit: i32,
    /// Text that its standard output must have.
    #[serde(default)]
    pub(crate) contains: String,
}

/// Something that must be true after a scenario was played. The first field says what is looked at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    /// A file (relative to the project) exists.
    pub(crate) file: Option<String>,
    /// A file does not exist.
    pub(crate) absent: Option<String>,
    /// A file or folder is as it was before.
    pub(crate) unchanged: Option<String>,
    /// A command, run by the checker in the project, outside every sandbox.
    pub(crate) command: Option<String>,
    /// An item of this type was told, after the item of the expectation before.
    pub(crate) item: Option<String>,
    /// The final message.
    pub(crate) message: bool,
    /// This route of the backend was asked `count` times.
    pub(crate) route: Option<String>,
    /// Text that must be in it.
    pub(crate) contains: Option<String>,
    /// Exit code of a command or a command item.
    pub(crate) exit: Option<ExitIs>,
    /// Status of an item.
    pub(crate) status: Option<String>,
    pub(crate) count: Option<u64>,
}

/// One rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) when: When,
    #[serde(default)]
    pub(crate) output: Vec<Spanned<OutputFile>>,
    pub(crate) usage: Option<Usage>,
    /// Leave the usage out of `response.completed`.
    #[serde(default)]
    pub(crate) no_usage: bool,
    /// Percentages of the short and the long window.
    pub(crate) limits: Option<[f64; 2]>,
    /// Percent of both that the answer costs the account of the scenario.
    #[serde(default)]
    pub(crate) spend: [f64; 2],
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Wait before the first event.
    #[serde(default)]
    pub(crate) delay_ms: u64,
    pub(crate) fault: Option<Spanned<FaultFile>>,
    /// How often the rule answers; afterwards later rules are asked.
    pub(crate) times: Option<u64>,
    pub(crate) wire: Option<Wire>,
}

/// Conditions of a rule; all that are given must hold. Texts compare without case; of a list one must fit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct When {
    /// Text in the user's last prompt.
    pub(crate) user: Texts,
    /// Text in the outputs of the latest calls.
    pub(crate) output: Texts,
    /// Text that is in none of them.
    pub(crate) output_not: Texts,
    /// Exit code in the last of them.
    pub(crate) exit: Option<ExitIs>,
    /// Exit codes of all calls that the named rules made, anywhere in the thread; one at least.
    pub(crate) exits: BTreeMap<String, ExitIs>,
    /// The rule that made one of the latest calls.
    pub(crate) after: Texts,
    /// A tool that is offered.
    pub(crate) tool: Option<String>,
    /// A tool that is not offered.
    pub(crate) no_tool: Option<String>,
    /// Responses since the last prompt; 0 is the first request of a turn.
    pub(crate) round: Option<usize>,
    /// Number of the last prompt in the thread, from 1.
    pub(crate) turn: Option<usize>,
    /// Whether the last of the latest calls still runs.
    pub(crate) running: Option<bool>,
    /// Text in the model's name.
    pub(crate) model: Texts,
    /// What kind of request; an ordinary one when not given.
    pub(crate) request: Option<RequestKind>,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RequestKind {
    /// The next step of a turn.
    Turn,
    /// A summary of the thread.
    Compaction,
    /// A title for the thread.
    Title,
    /// In conditions only: whatever it is for.
    Any,
}

/// One output. Exactly one of the first group is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OutputFile {
    /// The answer, in markdown.
    pub(crate) text: Option<String>,
    /// A remark on the way.
    pub(crate) commentary: Option<String>,
    /// Summary of the reasoning, one text per section.
    pub(crate) reasoning: Texts,
    /// A shell command, by whichever shell tool is offered.
    pub(crate) exec: Option<String>,
    /// A patch, by whichever patch tool is offered.
    pub(crate) patch: Option<String>,
    /// A function call by name.
    pub(crate) call: Option<String>,
    /// A custom tool call by name.
    pub(crate) custom: Option<String>,
    /// An output item as JSON text.
    pub(crate) item: Option<String>,
    /// The data of one event, sent as it is.
    pub(crate) event: Option<String>,

    /// Arguments of `call`, further arguments of `exec`.
    pub(crate) args: Option<toml::Table>,
    /// Arguments of `call` as text, which need not be JSON.
    pub(crate) arguments: Option<String>,
    /// Text of `custom`.
    pub(crate) input: Option<String>,
    /// Namespace of `call`.
    pub(crate) namespace: Option<String>,
    /// How often `text` is repeated.
    pub(crate) repeat: Option<usize>,
}

/// Token numbers of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
    /// Input plus output when not given.
    pub(crate) total: Option<u64>,
    /// Leave the `_details` out.
    pub(crate) no_details: bool,
}

/// How answers look on the wire.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wire {
    /// Length of a delta in characters; words are kept whole where possible.
    pub(crate) delta_chars: usize,
    /// Wait between deltas.
    pub(crate) delta_ms: u64,
    /// Size of the pieces written in bytes; 0 = odd sizes that cut lines and characters.
    pub(crate) chunk: usize,
    /// Lines end in CR LF.
    pub(crate) crlf: bool,
    /// The stream begins with a byte order mark.
    pub(crate) bom: bool,
    /// Data is spread over several `data:` lines.
    pub(crate) split_data: bool,
    /// A comment after every so many events; 0 = none.
    pub(crate) comment_every: usize,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            delta_chars: 8,
            delta_ms: 0,
            chunk: 0,
            crlf: false,
            bom: false,
            split_data: false,
            comment_every: 40,
        }
    }
}
