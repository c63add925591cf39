//! What is known about the thread, and the items of status line and title made of it. An item without data is not
//! shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::path::with_tilde;
use crate::limits::{AccountLimits, text as words};
use crate::protocol::tokens::ThreadUsage;
use crate::tui::door::ThreadInfo;
use crate::tui::popups::permissions;

/// Everything items are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The open thread.
    pub(crate) thread: Option<ThreadInfo>,
    /// Tokens.
    pub(crate) usage: Option<ThreadUsage>,
    /// Rate limits.
    pub(crate) limits: Option<Arc<AccountLimits>>,
    /// Steps of the plan that are done, and all.
    pub(crate) plan: Option<(usize, usize)>,
    /// A turn runs.
    pub(crate) running: bool,
    /// Home folder, shown as `~`.
    pub(crate) home: Option<PathBuf>,
    /// Name of this machine.
    pub(crate) hostname: Option<String>,
    /// Version of the program.
    pub(crate) version: &'static str,
}

macro_rules! items {
    ($($item:ident $name:literal $about:literal)*) => {
        /// An item of the status line or the title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Item {
            $(#[doc = $about] $item,)*
        }

        impl Item {
            /// All items.
            pub(crate) const ALL: &[Self] = &[$(Self::$item,)*];

            /// The name in the configuration.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$item => $name,)* }
            }

            /// What it is.
            pub(crate) fn about(self) -> &'static str {
                match self { $(Self::$item => $about,)* }
            }
        }
    };
}

items! {
    ModelWithReasoning "model-with-reasoning" "model and how much it reasons"
    CurrentDir "current-dir" "working directory"
    GitBranch "git-branch" "branch of the project"
    ContextRemaining "context-remaining" "share of the context that is left"
    FiveHourLimit "five-hour-limit" "what is left of the 5h limit"
    WeeklyLimit "weekly-limit" "what is left of the weekly limit"
    ThreadName "thread-name" "name of the thread"
    Model "model" "name of the model"
    Reasoning "reasoning" "how much the model reasons"
    ProjectName "project-name" "folder of the project"
    Hostname "hostname" "name of this machine"
    RunState "run-state" "working or ready"
    Permissions "permissions" "what may happen without asking"
    ContextUsed "context-used" "share of the context that is used"
    ContextWindowSize "context-window-size" "size of the context"
    UsedTokens "used-tokens" "tokens of this thread"
    InputTokens "total-input-tokens" "tokens read by the model"
    OutputTokens "total-output-tokens" "tokens written by the model"
    TaskProgress "task-progress" "steps of the plan that are done"
    ThreadId "thread-id" "identity of the thread"
    Version "codex-version" "version of codex"
    Profile "profile" "chosen profile"
    Provider "provider" "who answers"
}

/// Items of a status line that nobody changed.
pub(crate) const DEFAULT_LINE: [Item; 5] = [
    Item::ModelWithReasoning,
    Item::CurrentDir,
    Item::GitBranch,
    Item::ContextRemaining,
    Item::FiveHourLimit,
];
/// Items of a title that nobody changed; activity comes before them.
pub(crate) const DEFAULT_TITLE: [Item; 2] = [Item::ThreadName, Item::ProjectName];

impl Item {
    /// The items of these names; unknown names are left out.
    pub(crate) fn of_names(names: &[String]) -> Vec<Self> {
        let find = |name: &String| Self::ALL.iter().copied().find(|item| item.name() == name);
        names.iter().filter_map(find).collect()
    }

    /// Whether its text is a path, which is cut in its middle.
    pub(crate) fn is_path(self) -> bool {
        self == Self::CurrentDir
    }

    /// What it shows at `now_s` (unix seconds); nothing without data.
    pub(crate) fn text(self, facts: &Facts, now_s: u64) -> Option<String> {
        let thread = facts.thread.as_ref();
        match self {
            Self::ModelWithReasoning => {
                let thread = thread?;
                let effort = thread.effort.as_deref().map(|effort| format!(" {effort}")).unwrap_or_default();
                Some(format!("{}{effort}", thread.model))
            }
            Self::CurrentDir => Some(with_tilde(&thread?.cwd, facts.home.as_deref())),
            Self::GitBranch => thread?.branch.clone(),
            Self::ContextRemaining => Some(format!("{}% context left", facts.context_left()?)),
            Self::FiveHourLimit => facts.limit("5h", now_s),
            Self::WeeklyLimit => facts.limit("weekly", now_s),
            Self::ThreadName => thread?.name.clone(),
            Self::Model => Some(thread?.model.clone()),
            Self::Reasoning => thread?.effort.clone(),
            Self::ProjectName => file_name(thread?.project.as_deref().unwrap_or(&thread?.cwd)),
            Self::Hostname => facts.hostname.clone(),
            Self::RunState => Some(if facts.running { "working" } else { "ready" }.to_owned()),
            Self::Permissions => Some(permissions::words(thread?.approval, &thread?.sandbox)),
            Self::ContextUsed => Some(format!("{}% context used", 100 - facts.context_left()?)),
            Self::ContextWindowSize => Some(format!("{} window", short(facts.window()?))),
            Self::UsedTokens => Some(format!("{} tokens", short(facts.usage?.total.total_tokens))),
            Self::InputTokens => Some(format!("{} in", short(facts.usage?.total.input_tokens))),
            Self::OutputTokens => Some(format!("{} out", short(facts.usage?.total.output_tokens))),
            Self::TaskProgress => facts.plan.map(|(done, all)| format!("{done}/{all} steps")),
            Self::ThreadId => Some(thread?.id.to_string()),
            Self::Version => Some(format!("v{}", facts.version)),
            Self::Profile => thread?.profile.clone(),
            Self::Provider => Some(thread?.provider.clone()),
        }
    }
}

impl Facts {
    fn window(&self) -> Option<u64> {
        self.usage.and_then(|usage| usage.context_window).or(self.thread.as_ref()?.context_window)
    }

    /// Share of the context that is left, in percent.
    pub(crate) fn context_left(&self) -> Option<u64> {
        let window = self.window().filter(|window| *window > 0)?;
        let used = self.usage.map_or(0, |usage| usage.last.total_tokens).min(window);
        Some((window - used) * 100 / window)
    }

    /// Context in words: `93% left (18K used / 258K)`.
    pub(crate) fn context(&self) -> Option<String> {
        let used = self.usage.map_or(0, |usage| usage.last.total_tokens);
        Some(format!("{}% left ({} used / {})", self.context_left()?, short(used), short(self.window()?)))
    }

    fn limit(&self, name: &str, now_s: u64) -> Option<String> {
        let windows = self.limits.as_ref()?.windows(now_s);
        let window = windows.iter().find(|window| window.is_main() && window.name == name)?;
        Some(format!("{name} {} left", words::left(window.used)))
    }
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// A number in few characters: `950`, `1.28K`, `18.2K`, `258K`, `1.5M`.
pub(crate) fn short(number: u64) -> String {
    let (unit, sign) = match number {
        0..1000 => return number.to_string(),
        1000..1_000_000 => (1000, 'K'),
        1_000_000..1_000_000_000 => (1_000_000, 'M'),
        _ => (1_000_000_000, 'B'),
    };
    let hundredths = u128::from(number) * 100 / unit;
    let whole = hundredths / 100;
    let text = match whole {
        0..10 => format!("{whole}.{:02}", hundredths % 100),
        10..100 => format!("{whole}.{}", hundredths % 100 / 10),
        _ => return format!("{whole}{sign}"),
    };
    format!("{}{sign}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::base::ids::ThreadId;
    use crate::limits::merge::{self, Writer};
    use crate::protocol::limits::{LimitWindow, LimitsSnapshot};
    use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy};
    use crate::protocol::tokens::TokenUsage;

    /// A thread that has everything.
    pub(crate) fn thread() -> ThreadInfo {
        ThreadInfo {
            id: "0199a000-0000-7000-8000-000000000001".parse::<ThreadId>().unwrap(),
            name: None,
            model: "gpt-5.5".to_owned(),
            effort: Some("medium".to_owned()),
            summary: None,
            provider: "openai".to_owned(),
            cwd: PathBuf::from("/home/u/work/project"),
            project: Some(PathBuf::from("/home/u/work/project")),
            branch: Some("main".to_owned()),
            approval: ApprovalPolicy::OnRequest,
            sandbox: SandboxPolicy::ReadOnly { network_access: false },
            access: Vec::new(),
            context_window: Some(258_400),
            instructions: vec![PathBuf::from("/home/u/work/project/AGENTS.md")],
            account: "u@example.org (Plus)".to_owned(),
            profile: None,
        }
    }

    /// Unix second at which they are looked at.
    pub(crate) const NOW: u64 = 1_700_000_000;

    /// All facts.
    pub(crate) fn facts() -> Facts {
        let window = |used_percent, minutes, resets_at| LimitWindow {
            used_percent,
            window_minutes: Some(minutes),
            resets_at: Some(resets_at),
        };
        let tokens = |total_tokens| TokenUsage {
            input_tokens: total_tokens - 500,
            output_tokens: 500,
            total_tokens,
            ..TokenUsage::default()
        };
        let told = LimitsSnapshot {
            primary: Some(window(42.0, 300, 1_700_010_000)),
            secondary: Some(window(11.5, 10_080, 1_700_400_000)),
            ..LimitsSnapshot::default()
        };
        let mut limits = AccountLimits::default();
        let at_ms = NOW * 1000;
        merge::sparse(&mut limits, &told, Writer { account_id: None, at_ms, now_ms: at_ms }).unwrap();
        Facts {
            thread: Some(thread()),
            usage: Some(ThreadUsage {
                total: tokens(61_800),
                last: tokens(18_250),
                context_window: Some(258_400),
            }),
            limits: Some(Arc::new(limits)),
            plan: Some((1, 3)),
            running: false,
            home: Some(PathBuf::from("/home/u")),
            hostname: Some("box".to_owned()),
            version: "0.1.0",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shorts = [0, 999, 1000, 1280, 18_250, 258_400, 1_500_000, 123_456_789_000].map(short);
        assert_eq!(shorts, ["0", "999", "1K", "1.28K", "18.2K", "258K", "1.5M", "123B"]);
    }

    #[test]
    fn every_item_has_its_text_or_vanishes() {
        let facts = samples::facts();
        let shown: Vec<String> = Item::ALL
            .iter()
            .map(|item| format!("{}: {:?}", item.name(), item.text(&facts, samples::NOW)))
            .collect();
        insta::with_settings!({
            snapshot_path => crate::tui::testing::folder(module_path!()),
            prepend_module_to_snapshot => false, omit_expression => true,
        }, { insta::assert_snapshot!("items", shown.join("\n")) });
        let nothing = Facts::default();
        assert!(Item::ALL.iter().all(|item| {
            matches!(item, Item::RunState | Item::Version) || item.text(&nothing, samples::NOW).is_none()
        }));
    }

    #[test]
    fn names_lead_to_items() {
        let names = ["git-branch", "no-such-item", "model"].map(str::to_owned);
        assert_eq!(Item::of_names(&names), [Item::GitBranch, Item::Model]);
    }
}
