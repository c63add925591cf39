//! The decision: policy, sandbox, rules and grants → run, ask or refuse. A pure function, so that the whole
//! matrix is a table in the tests. It never looks at the disk and never asks anybody.

use super::rules::{RuleDecision, RuleMatch};
use super::safe;
use crate::process::parse::{Commands, Shape};
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
    /// For each piece, whether the user allowed it before, run as this call would run it
    /// ([`super::grants::Grants`]); shorter means "no".
    pub(crate) granted: &'a [bool],
    /// For each piece, whether its program is one that commands can change: its name then says nothing; shorter means
    /// "no".
    pub(crate) planted: &'a [bool],
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
        /// The pieces it is asked for; the others need nobody's consent.
        needs: Vec<usize>,
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
    if let Some(rule) = request.strictest(RuleDecision::Forbidden) {
        return Decision::Refuse { reason: forbidden(rule) };
    }
    let prompting = request.strictest(RuleDecision::Prompt);
    if prompting.is_none() && request.allowed_by_rules() {
        return Decision::Run { sandboxed: false };
    }
    let untrusted = request.policy == ApprovalPolicy::Untrusted;
    let leaves = request.escalate && (restricted || request.policy == ApprovalPolicy::Never);
    let needs = request.pieces_that(|at| {
        if request.is_granted(at) {
            return false;
        }
        match request.rule(at) {
            Some(rule) => rule.decision == RuleDecision::Prompt,
            None if sandboxed && request.is_allowed_inside(at) => false,
            None if leaves || (untrusted && request.escalate) => !request.is_idle(at),
            None if untrusted => !request.is_harmless(at),
            None => false,
        }
    });
    if let Some(rule) = prompting.filter(|_| !needs.is_empty()) {
        let reason = rule.justification.clone().or_else(|| why(request, "A rule asks about this command."));
        return ask(request, Category::Rules, reason, sandboxed, needs);
    }
    if !needs.is_empty() || (leaves && request.commands.pieces.is_empty()) {
        let category = if leaves && !untrusted { Category::Sandbox } else { Category::Rules };
        return ask(request, category, why(request, ""), sandboxed, needs);
    }
    // In the sandbox a forced deletion is the sandbox's business; without one, what lies in the workspace is the
    // model's to delete.
    if !sandboxed && !request.deletes_inside {
        let needs: Vec<usize> = safe::forcing_pieces(request.commands)
            .into_iter()
            .filter(|at| !request.is_granted(*at) && request.rule(*at).is_none())
            .collect();
        if !needs.is_empty() {
            let reason = why(request, "This deletes outside the workspace without asking back.");
            return ask(request, Category::Rules, reason, sandboxed, needs);
        }
    }
    Decision::Run { sandboxed }
}

impl Request<'_> {
    /// The first rule with this decision that the user has not answered for the session.
    fn strictest(&self, decision: RuleDecision) -> Option<&RuleMatch> {
        let open = |at: &usize| decision == RuleDecision::Forbidden || !self.is_granted(*at);
        let found = (0..self.rules.len()).filter(open).filter_map(|at| self.rule(at));
        found.into_iter().find(|rule| rule.decision == decision)
    }

    /// The rule about a piece, unless it is one about the sandbox.
    fn rule(&self, at: usize) -> Option<&RuleMatch> {
        self.rules.get(at).and_then(Option::as_ref).filter(|rule| rule.decision != RuleDecision::Inside)
    }

    /// A rule spares the question about it as long as it stays in the sandbox.
    fn is_allowed_inside(&self, at: usize) -> bool {
        let rule = self.rules.get(at).and_then(Option::as_ref);
        rule.is_some_and(|rule| rule.decision == RuleDecision::Inside) && !self.is_planted(at)
    }

    fn is_granted(&self, at: usize) -> bool {
        self.granted.get(at).copied().unwrap_or(false)
    }

    fn pieces_that(&self, holds: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.commands.pieces.len()).filter(|at| holds(*at)).collect()
    }

    fn is_planted(&self, at: usize) -> bool {
        self.planted.get(at).copied().unwrap_or(false)
    }

    fn is_idle(&self, at: usize) -> bool {
        self.commands.shape != Shape::Opaque
            && !self.is_planted(at)
            && self.commands.pieces.get(at).is_some_and(|piece| safe::is_idle(piece))
    }

    fn is_harmless(&self, at: usize) -> bool {
        self.commands.shape != Shape::Opaque
            && !self.is_planted(at)
            && self.commands.pieces.get(at).is_some_and(|piece| safe::is_harmless(piece))
    }

    /// Rules allow every piece that needs anything.
    fn allowed_by_rules(&self) -> bool {
        let allowed = |at: usize| self.rule(at).is_some_and(|rule| rule.decision == RuleDecision::Allow);
        let pieces = self.commands.pieces.len();
        (0..pieces).any(allowed) && (0..pieces).all(|at| allowed(at) || self.is_idle(at))
    }
}

/// A question, or the refusal that stands for it when the policy forbids questions of this category.
fn ask(
    request: &Request<'_>,
    category: Category,
    reason: Option<String>,
    sandboxed: bool,
    needs: Vec<usize>,
) -> Decision {
    let may_ask = match request.policy {
        ApprovalPolicy::Never => false,
        ApprovalPolicy::Granular(granular) => match category {
            Category::Sandbox => granular.sandbox_approval,
            Category::Rules => granular.rules,
        },
        ApprovalPolicy::Untrusted | ApprovalPolicy::OnFailure | ApprovalPolicy::OnRequest => true,
    };
    if may_ask {
        return Decision::Ask { reason, sandboxed, needs };
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
