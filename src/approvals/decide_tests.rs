//! The matrix: policy x sandbox x kind of command.

use super::*;
use crate::protocol::policy::GranularApproval;

const NONE: GranularApproval = GranularApproval {
    sandbox_approval: false,
    rules: false,
    mcp_elicitations: false,
    request_permissions: false,
    skill_approval: false,
};
const ALL: GranularApproval = GranularApproval {
    sandbox_approval: true,
    rules: true,
    mcp_elicitations: true,
    request_permissions: true,
    skill_approval: true,
};

/// A decision in a few letters: `run`/`ask` inside the sandbox, `RUN`/`ASK` outside, `ref`.
fn short(decision: &Decision) -> &'static str {
    match decision {
        Decision::Run { sandboxed: true } => "run",
        Decision::Run { sandboxed: false } => "RUN",
        Decision::Ask { sandboxed: true, .. } => "ask",
        Decision::Ask { sandboxed: false, .. } => "ASK",
        Decision::Refuse { .. } => "ref",
    }
}

fn plain(policy: ApprovalPolicy, sandbox: SandboxMode, commands: &Commands) -> Request<'_> {
    Request {
        policy,
        sandbox,
        commands,
        rules: &[],
        escalate: false,
        justification: None,
        granted: false,
        deletes_inside: false,
    }
}

/// Columns: known harmless, anything else, forced deletion, forced deletion known to stay in the workspace, write
/// outside the workspace, the same with escalation, redirect into the working directory.
///
/// Where this differs from what the reference does, on purpose:
/// - `untrusted` runs known harmless commands without a question (the reference asks even for `ls`).
/// - `never` runs `rm -f` where it can destroy only the workspace: in a sandbox, or with targets known to lie
///   inside. The reference refuses it always, which breaks ordinary builds and protects nothing more.
/// - granular with all categories off refuses `rm -f` (the reference asks although nobody wants to be asked).
/// - granular with everything on: the question after a failure is [`may_offer_retry`], not part of this table.
#[test]
fn matrix() {
    use ApprovalPolicy::{Granular, Never, OnFailure, OnRequest, Untrusted};
    use SandboxMode::{DangerFullAccess as Full, ReadOnly, WorkspaceWrite as Workspace};
    #[rustfmt::skip]
    let table = [
        //                           harmless other  rm -f  inside outside escal. redirect
        (Untrusted,      ReadOnly,  ["run",  "ask", "ask", "ask", "ask",  "ASK", "ask"]),
        (Untrusted,      Workspace, ["run",  "ask", "ask", "ask", "ask",  "ASK", "ask"]),
        (Untrusted,      Full,      ["RUN",  "ASK", "ASK", "ASK", "ASK",  "ASK", "ASK"]),
        (OnFailure,      ReadOnly,  ["run",  "run", "ask", "ask", "run",  "ASK", "run"]),
        (OnFailure,      Workspace, ["run",  "run", "ask", "ask", "run",  "ASK", "run"]),
        (OnFailure,      Full,      ["RUN",  "RUN", "ASK", "ASK", "RUN",  "RUN", "RUN"]),
        (OnRequest,      ReadOnly,  ["run",  "run", "ask", "ask", "run",  "ASK", "run"]),
        (OnRequest,      Workspace, ["run",  "run", "ask", "ask", "run",  "ASK", "run"]),
        (OnRequest,      Full,      ["RUN",  "RUN", "ASK", "ASK", "RUN",  "RUN", "RUN"]),
        (Never,          ReadOnly,  ["run",  "run", "run", "run", "run",  "ref", "run"]),
        (Never,          Workspace, ["run",  "run", "run", "run", "run",  "ref", "run"]),
        (Never,          Full,      ["RUN",  "RUN", "ref", "RUN", "RUN",  "ref", "RUN"]),
        (Granular(NONE), ReadOnly,  ["run",  "run", "ref", "ref", "run",  "ref", "run"]),
        (Granular(NONE), Workspace, ["run",  "run", "ref", "ref", "run",  "ref", "run"]),
        (Granular(NONE), Full,      ["RUN",  "RUN", "ref", "ref", "RUN",  "RUN", "RUN"]),
        (Granular(ALL),  ReadOnly,  ["run",  "run", "ask", "ask", "run",  "ASK", "run"]),
        (Granular(ALL),  Workspace, ["run",  "run", "ask", "ask", "run",  "ASK", "run"]),
        (Granular(ALL),  Full,      ["RUN",  "RUN", "ASK", "ASK", "RUN",  "RUN", "RUN"]),
    ];
    // Script, escalation asked for, deletions known to stay inside.
    let columns = [
        ("ls", false, false),
        ("git status", false, false),
        ("rm -rf build/x", false, false),
        ("rm -rf build/x", false, true),
        ("touch /elsewhere", false, false),
        ("touch /elsewhere", true, false),
        ("echo x > y.txt", false, false),
    ];
    for (policy, sandbox, row) in table {
        for ((script, escalate, deletes_inside), want) in columns.into_iter().zip(row) {
            let commands = Commands::of_script(script);
            let request = Request { escalate, deletes_inside, ..plain(policy, sandbox, &commands) };
            let got = decide(&request);
            assert_eq!(short(&got), want, "{policy:?} {sandbox:?} `{script}` escalate={escalate}: {got:?}");
        }
    }
}

#[test]
fn untrusted_asks_when_a_harmless_command_wants_out_of_the_sandbox() {
    let commands = Commands::of_script("ls");
    let base = plain(ApprovalPolicy::Untrusted, SandboxMode::WorkspaceWrite, &commands);
    assert_eq!(short(&decide(&Request { escalate: true, ..base })), "ASK");
}

fn rule(decision: RuleDecision, justification: Option<&str>) -> Option<RuleMatch> {
    let prefix = vec!["git".to_owned(), "push".to_owned()];
    Some(RuleMatch { decision, prefix, justification: justification.map(str::to_owned) })
}

#[test]
fn rules_beat_heuristics_and_the_strictest_wins() {
    use RuleDecision::{Allow, Forbidden, Prompt};
    let commands = Commands::of_script("git push && rm -f x");
    let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
    for (rules, want) in [
        (vec![rule(Allow, None), rule(Allow, None)], "RUN"),
        (vec![rule(Allow, None), None], "ask"), // the piece without a rule is still dangerous
        (vec![rule(Allow, None)], "ask"),
        (vec![rule(Prompt, None), rule(Allow, None)], "ask"),
        (vec![rule(Prompt, None), rule(Forbidden, None)], "ref"),
        (vec![None, rule(Forbidden, None)], "ref"),
    ] {
        assert_eq!(short(&decide(&Request { rules: &rules, ..base.clone() })), want, "{rules:?}");
    }
}

#[test]
fn a_prompt_rule_is_a_refusal_where_nobody_is_asked() {
    let commands = Commands::of_script("git push");
    let rules = [rule(RuleDecision::Prompt, Some("goes to the network"))];
    for (policy, want) in [
        (ApprovalPolicy::Never, "ref"),
        (ApprovalPolicy::Granular(GranularApproval { rules: false, ..ALL }), "ref"),
        (ApprovalPolicy::Granular(GranularApproval { rules: true, ..NONE }), "ask"),
        (ApprovalPolicy::Untrusted, "ask"),
    ] {
        let request = Request { rules: &rules, ..plain(policy, SandboxMode::ReadOnly, &commands) };
        assert_eq!(short(&decide(&request)), want, "{policy:?}");
    }
    let request =
        Request { rules: &rules, ..plain(ApprovalPolicy::OnRequest, SandboxMode::ReadOnly, &commands) };
    let Decision::Ask { reason, .. } = decide(&request) else { panic!("not asked") };
    assert_eq!(reason.as_deref(), Some("goes to the network"));
}

#[test]
fn a_grant_answers_the_question_but_not_a_forbidding_rule() {
    let commands = Commands::of_script("rm -f x");
    let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
    assert_eq!(short(&decide(&Request { granted: true, ..base.clone() })), "run");
    assert_eq!(short(&decide(&Request { granted: true, escalate: true, ..base.clone() })), "RUN");
    let rules = [rule(RuleDecision::Forbidden, Some("no"))];
    let refused = decide(&Request { granted: true, rules: &rules, ..base });
    assert_eq!(refused, Decision::Refuse { reason: "A rule forbids `git push`: no".to_owned() });
}

#[test]
fn the_question_carries_the_models_reason() {
    let commands = Commands::of_script("curl x");
    let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
    let asked = decide(&Request { escalate: true, justification: Some(" needs network "), ..base });
    assert_eq!(asked, Decision::Ask { reason: Some("needs network".to_owned()), sandboxed: false });
}

#[test]
fn patches() {
    use ApprovalPolicy::{Granular, Never, OnFailure, OnRequest, Untrusted};
    for (policy, inside, outside) in [
        (Untrusted, "ask", "ask"),
        (OnFailure, "write", "ask"),
        (OnRequest, "write", "ask"),
        (Never, "write", "refuse"),
        (Granular(NONE), "write", "refuse"),
        (Granular(ALL), "write", "ask"),
    ] {
        for (all_writable, want) in [(true, inside), (false, outside)] {
            let got = match decide_patch(policy, all_writable) {
                PatchDecision::Write => "write",
                PatchDecision::Ask { .. } => "ask",
                PatchDecision::Refuse { .. } => "refuse",
            };
            assert_eq!(got, want, "{policy:?} writable={all_writable}");
        }
    }
}

#[test]
fn only_two_policies_offer_a_run_without_sandbox() {
    assert!(may_offer_retry(ApprovalPolicy::OnFailure));
    assert!(may_offer_retry(ApprovalPolicy::Granular(ALL)));
    assert!(!may_offer_retry(ApprovalPolicy::Granular(NONE)));
    assert!(!may_offer_retry(ApprovalPolicy::Never));
    assert!(!may_offer_retry(ApprovalPolicy::OnRequest));
}
