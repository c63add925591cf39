//! The decision: policy, sandbox, rules and grants → run, ask or refuse. A pure function, so that the whole
//! matrix is a table in the tests. It never looks at the disk and never asks anybody.

use super::rules::{RuleDecision, RuleMatch};
use super::safe;
use crate::process::parse::Commands;
use crate::protocol::policy::{ApprovalPolicy, SandboxMode};

/// Everything the decision about a command depends on.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    /// When to ask.
    pub(crate) policy: ApprovalPolicy,
    /// What would hold the command.
    pub(crate) sandbox: SandboxMode,
    /// The call.
    pub(crate) commands: &'a Commands,
    /// The strictest rule for each piece of `commands`, in order; shorter means "no rule".
    pub(crate) rules: &'a [Option<RuleMatch>],
    /// The model asks to run outside the sandbox.
    pub(crate) escalate: bool,
    /// Why, in the model's words.
    pub(crate) justification: Option<&'a str>,
    /// The user allowed exactly this before ([`super::grants::Grants`]).
    pub(crate) granted: bool,
    /// Forced deletions are known to stay in the workspace ([`super::deletes::stay_inside`]). Needed only
    /// without a sandbox; false is always safe.
    pub(crate) deletes_inside: bool,
}

/// What becomes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It runs.
    Run {
        /// Inside the sandbox.
        sandboxed: bool,
    },
    /// The user decides.
    Ask {
        /// Why it is asked, for the user.
        reason: Option<String>,
        /// Where it runs when the user agrees.
        sandboxed: bool,
    },
    /// It does not run.
    Refuse {
        /// A sentence for the model.
        reason: String,
    },
}

/// Which part of a granular policy a question belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Category {
    /// Leaving the sandbox.
    Sandbox,
    /// A rule, or a dangerous command.
    Rules,
}

/// Decides about a command.
pub(crate) fn decide(request: &Request<'_>) -> Decision {
    let restricted = request.sandbox != SandboxMode::DangerFullAccess;
    let sandboxed = restricted && !request.escalate;
    match strictest(request) {
        Some(rule) if rule.decision == RuleDecision::Forbidden => {
            return Decision::Refuse { reason: forbidden(rule) };
        }
        // Questions that the user has answered for the session are not put again.
        _ if request.granted => return Decision::Run { sandboxed },
        Some(rule) if rule.decision == RuleDecision::Prompt => {
            let reason =
                rule.justification.clone().or_else(|| why(request, "A rule asks about this command."));
            return ask(request, Category::Rules, reason, sandboxed);
        }
        _ => {}
    }
    if all_allowed(request) {
        return Decision::Run { sandboxed: false };
    }
    if request.policy == ApprovalPolicy::Untrusted {
        return match safe::is_harmless(request.commands) && sandboxed == restricted {
            true => Decision::Run { sandboxed },
            false => ask(request, Category::Rules, why(request, ""), sandboxed),
        };
    }
    if request.escalate && (restricted || request.policy == ApprovalPolicy::Never) {
        return ask(request, Category::Sandbox, why(request, ""), false);
    }
    if !safe::forced_deletions(request.commands).is_empty() && !deletion_is_held(request) {
        return ask(request, Category::Rules, why(request, "This deletes without asking back."), sandboxed);
    }
    Decision::Run { sandboxed }
}

/// Without anybody to ask, a forced deletion may run where it can destroy nothing but the workspace: inside the
/// sandbox, or with targets that are known to lie in the workspace. Refusing it there only breaks builds.
fn deletion_is_held(request: &Request<'_>) -> bool {
    request.policy == ApprovalPolicy::Never
        && (request.sandbox != SandboxMode::DangerFullAccess || request.deletes_inside)
}

/// A question, or the refusal that stands for it when the policy forbids questions of this category.
fn ask(request: &Request<'_>, category: Category, reason: Option<String>, sandboxed: bool) -> Decision {
    let may_ask = match request.policy {
        ApprovalPolicy::Never => false,
        ApprovalPolicy::Granular(granular) => match category {
            Category::Sandbox => granular.sandbox_approval,
            Category::Rules => granular.rules,
        },
        ApprovalPolicy::Untrusted | ApprovalPolicy::OnFailure | ApprovalPolicy::OnRequest => true,
    };
    if may_ask {
        return Decision::Ask { reason, sandboxed };
    }
    let reason = match category {
        Category::Sandbox => {
            "Nobody can be asked to lift the sandbox under the approval policy in force. Run the command \
             without requesting escalation, or find a way that works inside the sandbox."
        }
        Category::Rules if safe::forced_deletions(request.commands).is_empty() => {
            "This command needs the user's consent, and the approval policy in force does not let it be asked \
             for. Find another way."
        }
        Category::Rules => {
            "Forced deletion (rm -f) needs the user's consent, and the approval policy in force does not let it \
             be asked for. Delete without the force option, naming the files."
        }
    };
    Decision::Refuse { reason: reason.to_owned() }
}

/// The model's justification, or our own sentence when there is one.
fn why(request: &Request<'_>, fallback: &str) -> Option<String> {
    let given = request.justification.map(str::trim).filter(|text| !text.is_empty());
    given.or(Some(fallback).filter(|text| !text.is_empty())).map(str::to_owned)
}

fn strictest<'a>(request: &Request<'a>) -> Option<&'a RuleMatch> {
    request.rules.iter().flatten().max_by_key(|rule| rule.decision)
}

/// Every single piece is allowed by a rule.
fn all_allowed(request: &Request<'_>) -> bool {
    let pieces = request.commands.pieces.len();
    let allowed = |rule: &Option<RuleMatch>| {
        rule.as_ref().is_some_and(|matched| matched.decision == RuleDecision::Allow)
    };
    pieces > 0 && request.rules.len() == pieces && request.rules.iter().all(allowed)
}

fn forbidden(rule: &RuleMatch) -> String {
    let command = rule.prefix.join(" ");
    match &rule.justification {
        Some(text) => format!("A rule forbids `{command}`: {text}"),
        None => format!("A rule forbids `{command}`."),
    }
}

/// Whether a command that the sandbox stopped may be offered to the user for a run without it.
pub(crate) fn may_offer_retry(policy: ApprovalPolicy) -> bool {
    match policy {
        ApprovalPolicy::OnFailure => true,
        ApprovalPolicy::Granular(granular) => granular.sandbox_approval,
        // On request, the model sees the failure and may ask by itself.
        ApprovalPolicy::Untrusted | ApprovalPolicy::OnRequest | ApprovalPolicy::Never => false,
    }
}

/// What becomes of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PatchDecision {
    /// It is written.
    Write,
    /// The user decides.
    Ask {
        /// Why it is asked, for the user.
        reason: Option<String>,
    },
    /// It is not written.
    Refuse {
        /// A sentence for the model.
        reason: String,
    },
}

/// Decides about a patch; what the user granted before is known to the tool. `all_writable`: every target lies in
/// a writable root and is not protected.
pub(crate) fn decide_patch(policy: ApprovalPolicy, all_writable: bool) -> PatchDecision {
    let outside = || Some("The patch writes outside the folders it may write.".to_owned());
    let refuse = || PatchDecision::Refuse {
        reason:
            "The patch was not applied: it writes outside the folders that may be written, and the approval \
                 policy in force does not let the user be asked."
                .to_owned(),
    };
    match policy {
        ApprovalPolicy::Untrusted => PatchDecision::Ask { reason: (!all_writable).then(outside).flatten() },
        _ if all_writable => PatchDecision::Write,
        ApprovalPolicy::Never => refuse(),
        ApprovalPolicy::Granular(granular) if !granular.sandbox_approval => refuse(),
        ApprovalPolicy::Granular(_) | ApprovalPolicy::OnFailure | ApprovalPolicy::OnRequest => {
            PatchDecision::Ask { reason: outside() }
        }
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
