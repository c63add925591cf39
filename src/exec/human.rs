//! Machine: events → progress for people, on stderr. Blocks begin with a head line (`codex`, `exec`, …). Only
//! complete things are shown, so nothing has to be taken back; every error is shown once.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::run::Show;
use super::text::{Paint, clean, excerpt, paint, thousands};
use crate::base::clean::in_words;
use crate::base::ids::{ItemId, ThreadId};
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::item::{
    ChangeKind, CommandItem, FileChange, Item, ItemStatus, PlanStatus, PlanStep, ToolStatus,
};
use crate::protocol::limits::Price;
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy};
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// Lines of output shown per command.
const OUTPUT_LINES: usize = 50;
/// Lines of diff shown per file.
const DIFF_LINES: usize = 200;

/// What stands above the first block.
#[derive(Clone, Debug)]
pub(crate) struct Banner {
    /// Version of this program.
    pub(crate) version: &'static str,
    /// Working directory.
    pub(crate) workdir: PathBuf,
    /// Model, as asked for.
    pub(crate) model: String,
    /// Id of the provider.
    pub(crate) provider: String,
    /// When to ask.
    pub(crate) approval: ApprovalPolicy,
    /// What commands may touch.
    pub(crate) sandbox: SandboxPolicy,
    /// Reasoning effort, when one is set.
    pub(crate) effort: Option<String>,
    /// Kind of reasoning summaries, when set.
    pub(crate) summary: Option<String>,
    /// The thread; `resume` takes it.
    pub(crate) thread_id: ThreadId,
}

/// The state between blocks.
#[derive(Debug)]
pub(crate) struct Progress {
    colored: bool,
    show: Show,
    /// Commands whose result is not yet shown.
    running: Vec<CommandItem>,
    /// The command whose head is the last thing written.
    last_head: Option<ItemId>,
    /// Reason of the last retry, so that it is told once.
    last_reason: Option<String>,
    /// The price of the turn but for its last answer, until the whole one comes.
    so_far: Option<Vec<Price>>,
}

impl Progress {
    /// Before anything was written.
    pub(crate) fn new(colored: bool, show: Show) -> Self {
        Self { colored, show, running: Vec::new(), last_head: None, last_reason: None, so_far: None }
    }

    /// The banner and the prompt.
    pub(crate) fn open(&mut self, banner: &Banner, prompt: &str) -> String {
        let rule = "--------";
        let mut out = format!("codex {}\n{rule}\n", banner.version);
        for (name, value) in [
            ("workdir", banner.workdir.display().to_string()),
            ("model", banner.model.clone()),
            ("provider", banner.provider.clone()),
            ("approval", approval_word(banner.approval).to_owned()),
            ("sandbox", sandbox_text(&banner.sandbox)),
            ("reasoning effort", banner.effort.clone().unwrap_or_else(|| "none".to_owned())),
            ("reasoning summaries", banner.summary.clone().unwrap_or_else(|| "none".to_owned())),
            ("session id", banner.thread_id.to_string()),
        ] {
            let name = paint(self.colored, Paint::Dim, &format!("{name}:"));
            let _ = writeln!(out, "{name} {}", clean(&value));
        }
        let _ = writeln!(out, "{rule}");
        out + &self.block("user", prompt)
    }

    /// What an event shows; often nothing.
    pub(crate) fn event(&mut self, event: &Event) -> String {
        let out = match event {
            Event::ItemStarted { item: Item::CommandExecution(command) } => {
                return self.command_started(command);
            }
            Event::ItemCompleted { item } => self.item(item),
            Event::ItemDropped { item_id } => {
                self.running.retain(|command| command.id != *item_id);
                String::new()
            }
            Event::PlanUpdated { explanation, plan } => self.plan(explanation.as_deref(), plan),
            Event::Retrying { attempt, max, delay_ms, error } => {
                self.retrying(*attempt, *max, *delay_ms, error)
            }
            Event::Warning { message } => {
                format!("{} {}\n", paint(self.colored, Paint::Warn, "warning:"), clean(&in_words(message)))
            }
            Event::TurnCompleted(end) => self.turn_completed(end),
            Event::TurnPriced { price, .. } => {
                self.so_far = None;
                self.price("limits used", price)
            }
            Event::Closed => {
                let price = self.so_far.take().unwrap_or_default();
                self.price("limits used so far", &price)
            }
            Event::ItemStarted { .. }
            | Event::ItemDelta { .. }
            | Event::TurnStarted { .. }
            | Event::DiffUpdated { .. }
            | Event::Usage(_)
            | Event::Limits(_)
            | Event::Configured(_)
            | Event::Opened(_)
            | Event::Rewound { .. }
            | Event::Sessions(_)
            | Event::Ask { .. }
            | Event::AskResolved { .. } => String::new(),
        };
        if !out.is_empty() {
            self.last_head = None;
        }
        out
    }

    /// An error that is not the end of a turn.
    pub(crate) fn failed(&self, error: &ErrorInfo) -> String {
        format!("{} {}\n", paint(self.colored, Paint::Bad, "ERROR:"), clean(&error.to_string()))
    }

    fn head(&self, name: &str) -> String {
        paint(self.colored, Paint::Head, name)
    }

    fn block(&self, name: &str, text: &str) -> String {
        let text = clean(text);
        format!("{}\n{}\n", self.head(name), text.trim_end())
    }

    fn item(&mut self, item: &Item) -> String {
        match item {
            Item::AgentMessage { text, .. } if text.trim().is_empty() => String::new(),
            Item::AgentMessage { text, .. } => self.block("codex", text),
            Item::Reasoning { summary, content, .. } => match self.show.reasoning(summary, content) {
                Some(text) => {
                    let text = paint(self.colored, Paint::Dim, clean(&text).trim_end());
                    format!("{}\n{text}\n", self.head("thinking"))
                }
                None => String::new(),
            },
            Item::CommandExecution(command) => self.command_completed(command),
            Item::FileChange { changes, status, error, .. } => self.patch(changes, *status, error.as_deref()),
            Item::ToolCall { tool, status: ToolStatus::Failed, output, .. } => {
                let reason = output.as_deref().unwrap_or("no reason given");
                self.block("tool", &format!("{tool} failed: {}", excerpt(reason, 10)))
            }
            // What is reviewed stands above as the prompt, the result comes as a message.
            Item::EnteredReviewMode { .. } | Item::ExitedReviewMode { .. } => String::new(),
            Item::ToolCall { .. } | Item::UserMessage { .. } => String::new(),
            Item::WebSearch { query, .. } => self.block("web search", query),
            Item::ImageView { path, .. } => self.block("image", &path.display().to_string()),
            Item::ContextCompaction { .. } => {
                self.block("compacted", "The conversation was summarised to free context.")
            }
        }
    }

    fn command_started(&mut self, command: &CommandItem) -> String {
        self.running.push(command.clone());
        self.last_head = Some(command.id.clone());
        self.command_head(command)
    }

    fn command_head(&self, command: &CommandItem) -> String {
        self.block("exec", &format!("{} in {}", command.command, command.cwd.display()))
    }

    fn command_completed(&mut self, command: &CommandItem) -> String {
        self.running.retain(|running| running.id != command.id);
        // With other things in between, it would be unclear whose result this is.
        let mut out = if self.last_head.as_ref() == Some(&command.id) {
            String::new()
        } else {
            self.command_head(command)
        };
        let took = command.duration_ms.map_or_else(String::new, |ms| format!(" in {ms}ms"));
        let (style, state) = match (command.status, command.exit_code) {
            (ItemStatus::Completed, Some(_)) => (Paint::Good, format!("succeeded{took}")),
            (ItemStatus::Completed, None) => {
                (Paint::Dim, format!("still running{}", took.replace(" in ", " after ")))
            }
            (ItemStatus::Failed, Some(code)) => (Paint::Bad, format!("exited {code}{took}")),
            (ItemStatus::Failed, None) => (Paint::Bad, format!("failed{took}")),
            (ItemStatus::Declined, _) => (Paint::Warn, "declined".to_owned()),
            (ItemStatus::InProgress, _) => (Paint::Dim, "still running".to_owned()),
        };
        let _ = writeln!(out, " {}:", paint(self.colored, style, &state));
        let output = clean(command.aggregated_output.as_deref().unwrap_or_default());
        out.push_str(&excerpt(&output, OUTPUT_LINES));
        out.push('\n');
        out
    }

    fn patch(&self, changes: &[FileChange], status: ItemStatus, error: Option<&str>) -> String {
        let (style, state) = match status {
            ItemStatus::Completed => (Paint::Good, "completed"),
            ItemStatus::Failed => (Paint::Bad, "failed"),
            ItemStatus::Declined => (Paint::Warn, "declined"),
            ItemStatus::InProgress => (Paint::Dim, "in progress"),
        };
        let mut out = format!("{}\npatch: {}\n", self.head("apply patch"), paint(self.colored, style, state));
        if let Some(error) = error {
            out.push_str(&excerpt(&clean(&crate::patch::words::reason(error)), 20));
        }
        for change in changes {
            let _ = writeln!(out, "{}", clean(&change.path.display().to_string()));
        }
        for change in changes {
            for line in excerpt(&clean(&diff(change)), DIFF_LINES).lines() {
                let style = match line.bytes().next() {
                    Some(b'+') => Some(Paint::Good),
                    Some(b'-') => Some(Paint::Bad),
                    _ => None,
                };
                let _ = writeln!(
                    out,
                    "{}",
                    style.map_or_else(|| line.to_owned(), |s| paint(self.colored, s, line))
                );
            }
        }
        out.push('\n');
        out
    }

    fn plan(&self, explanation: Option<&str>, plan: &[PlanStep]) -> String {
        let mut text = String::new();
        if let Some(explanation) = explanation.filter(|text| !text.trim().is_empty()) {
            let _ = writeln!(text, "{}", explanation.trim());
        }
        for step in plan {
            let mark = match step.status {
                PlanStatus::Completed => "[x]",
                PlanStatus::InProgress => "[>]",
                PlanStatus::Pending => "[ ]",
            };
            let _ = writeln!(text, "{mark} {}", step.step);
        }
        self.block("plan", &text)
    }

    fn retrying(&mut self, attempt: u32, max: u32, delay_ms: u64, error: &ErrorInfo) -> String {
        let reason = clean(&error.to_string());
        let told = self.last_reason.as_deref() == Some(reason.as_str());
        let note = if told { String::new() } else { format!(": {reason}") };
        self.last_reason = Some(reason);
        let what = if max == 0 { "waiting for network" } else { "reconnecting" };
        let count = if max == 0 { String::new() } else { format!(" {attempt}/{max}") };
        let head = paint(self.colored, Paint::Warn, what);
        format!("{head}{count}, next try in {:.1} s{note}\n", delay_ms as f64 / 1000.0)
    }

    fn turn_completed(&mut self, end: &TurnEnd) -> String {
        let mut out = String::new();
        for command in std::mem::take(&mut self.running) {
            let state = paint(self.colored, Paint::Warn, "stopped with the turn");
            let _ = write!(out, "{} {state}\n\n", self.command_head(&command));
        }
        match (end.status, &end.error) {
            (TurnStatus::Failed, Some(error)) => out.push_str(&self.failed(error)),
            (TurnStatus::Failed, None) => {
                let _ = writeln!(out, "{} the turn failed", paint(self.colored, Paint::Bad, "ERROR:"));
            }
            (TurnStatus::Interrupted, _) => {
                let _ = writeln!(out, "{}", paint(self.colored, Paint::Warn, "interrupted"));
            }
            (TurnStatus::Completed | TurnStatus::InProgress, _) => {}
        }
        if let Some(places) = end.network.words() {
            out.push_str(&self.block("network", &places));
        }
        let usage = &end.usage;
        let spent = usage.input_tokens.saturating_sub(usage.cached_input_tokens) + usage.output_tokens;
        if spent > 0 {
            out.push_str(&self.block("tokens used", &thousands(spent)));
        }
        // The whole price may still come.
        match end.price_so_far {
            true => self.so_far = Some(end.price.clone()),
            false => out.push_str(&self.price("limits used", &end.price)),
        }
        out
    }

    fn price(&self, name: &str, price: &[Price]) -> String {
        let worth = price.iter().filter(|price| price.percent >= 0.05);
        let price: Vec<String> =
            worth.map(|p| format!("{:.1}% of the {} limit", p.percent, p.window)).collect();
        if price.is_empty() { String::new() } else { self.block(name, &price.join(", ")) }
    }
}

/// The unified diff of one file, also for files that are new or gone.
fn diff(change: &FileChange) -> String {
    let path = change.path.display();
    let count = change.diff.lines().count();
    let marked = |mark: char| {
        let mut out = String::with_capacity(change.diff.len() + count);
        for line in change.diff.lines() {
            let _ = writeln!(out, "{mark}{line}");
        }
        out
    };
    match &change.kind {
        ChangeKind::Add => format!("--- /dev/null\n+++ {path}\n@@ -0,0 +1,{count} @@\n{}", marked('+')),
        ChangeKind::Delete => format!("--- {path}\n+++ /dev/null\n@@ -1,{count} +0,0 @@\n{}", marked('-')),
        ChangeKind::Update { move_path } => {
            let to = move_path.as_deref().unwrap_or(&change.path).display();
            let head = if change.diff.starts_with("---") || change.diff.starts_with("diff ") {
                String::new()
            } else {
                format!("--- {path}\n+++ {to}\n")
            };
            format!("{head}{}", change.diff)
        }
    }
}

/// The word of `approval_policy`.
fn approval_word(policy: ApprovalPolicy) -> &'static str {
    match policy {
        ApprovalPolicy::Untrusted => "untrusted",
        ApprovalPolicy::OnFailure => "on-failure",
        ApprovalPolicy::OnRequest => "on-request",
        ApprovalPolicy::Never => "never",
        ApprovalPolicy::Granular(_) => "granular",
    }
}

/// The sandbox in one line: mode, what can be written, network.
fn sandbox_text(policy: &SandboxPolicy) -> String {
    let mut text = policy.mode().as_str().to_owned();
    if let SandboxPolicy::WorkspaceWrite {
        writable_roots, exclude_tmpdir_env_var, exclude_slash_tmp, ..
    } = policy
    {
        let mut roots = vec!["workdir".to_owned()];
        roots.extend((!exclude_slash_tmp).then(|| "/tmp".to_owned()));
        roots.extend((!exclude_tmpdir_env_var).then(|| "$TMPDIR".to_owned()));
        roots.extend(writable_roots.iter().map(|root| root.display().to_string()));
        let _ = write!(text, " [{}]", roots.join(", "));
    }
    if policy.mode() != crate::protocol::policy::SandboxMode::DangerFullAccess && policy.network_access() {
        text.push_str(" (network open)");
    }
    text
}

#[cfg(test)]
#[path = "human_tests.rs"]
mod tests;
