//! Base instructions and the permissions text. Every sentence is a file in `assets/prompts`.

use crate::protocol::policy::{ApprovalPolicy, SandboxMode, SandboxPolicy};

/// Base instructions of every model, unless the user replaced them.
pub(crate) const BASE: &str = include_str!("../../../assets/prompts/base.md");
/// Note for the model after an interrupt.
pub(crate) const TURN_ABORTED: &str = include_str!("../../../assets/prompts/turn_aborted.md");
/// Note for the model after a turn whose end was never stored.
pub(crate) const TURN_LOST: &str = include_str!("../../../assets/prompts/turn_lost.md");
/// Note for the model in a conversation whose start is left out.
pub(crate) const PAST_CUT: &str = include_str!("../../../assets/prompts/past_cut.md");
/// Request for a hand-over note.
pub(crate) const COMPACT: &str = include_str!("../../../assets/prompts/compact.md");
/// Introduction of a hand-over note.
pub(crate) const SUMMARY_INTRO: &str = include_str!("../../../assets/prompts/summary_intro.md");

/// Instructions of a reviewer.
pub(crate) const REVIEW: &str = include_str!("../../../assets/prompts/review.md");
/// What the model is told of a review.
pub(crate) const REVIEW_RESULT: &str = include_str!("../../../assets/prompts/review_result.md");

const PERMISSIONS: &str = include_str!("../../../assets/prompts/permissions.md");

/// What the model may do, in words.
pub(crate) fn permissions(approval: ApprovalPolicy, sandbox: &SandboxPolicy) -> String {
    let mode = match sandbox.mode() {
        SandboxMode::ReadOnly => include_str!("../../../assets/prompts/permissions/read-only.md"),
        SandboxMode::WorkspaceWrite => include_str!("../../../assets/prompts/permissions/workspace-write.md"),
        SandboxMode::DangerFullAccess => {
            include_str!("../../../assets/prompts/permissions/danger-full-access.md")
        }
    };
    let network = if sandbox.network_access() {
        include_str!("../../../assets/prompts/permissions/network-on.md")
    } else {
        include_str!("../../../assets/prompts/permissions/network-off.md")
    };
    let approval = match approval {
        ApprovalPolicy::Untrusted => include_str!("../../../assets/prompts/permissions/untrusted.md"),
        ApprovalPolicy::OnFailure => include_str!("../../../assets/prompts/permissions/on-failure.md"),
        ApprovalPolicy::OnRequest => include_str!("../../../assets/prompts/permissions/on-request.md"),
        ApprovalPolicy::Never => include_str!("../../../assets/prompts/permissions/never.md"),
        ApprovalPolicy::Granular(_) => include_str!("../../../assets/prompts/permissions/granular.md"),
    };
    PERMISSIONS
        .replace("{{sandbox}}", mode.trim_end())
        .replace("{{network}}", network.trim_end())
        .replace("{{approval}}", approval.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_have_no_open_places() {
        let read_only = SandboxPolicy::ReadOnly { network_access: false };
        for sandbox in [read_only, SandboxPolicy::DangerFullAccess] {
            for approval in [ApprovalPolicy::Never, ApprovalPolicy::OnRequest, ApprovalPolicy::Untrusted] {
                let text = permissions(approval, &sandbox);
                assert!(!text.contains("{{"), "{text}");
                assert!(text.contains(sandbox.mode().as_str()), "{text}");
            }
        }
    }
}
