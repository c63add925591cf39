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
        granted: &[],
        planted: &[],
        deletes_inside: false,
    }
}

/// Columns: known harmless, anything else, forced deletion, forced deletion known to stay in the workspace, write
/// outside the workspace, the same with escalation, redirect into the working directory.
///
/// Where this differs from what the reference does, on purpose:
/// - `untrusted` runs known harmless commands without a question (the reference asks even for `ls`).
/// - `rm -f` runs where it can destroy only the workspace: in a sandbox, or with targets known to lie inside. The
///   reference asks or refuses always, which breaks ordinary builds, tires, and protects nothing more.
/// - granular with all categories off refuses `rm -f` elsewhere (the reference asks although nobody wants to be
///   asked).
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
        (OnFailure,      ReadOnly,  ["run",  "run", "run", "run", "run",  "ASK", "run"]),
        (OnFailure,      Workspace, ["run",  "run", "run", "run", "run",  "ASK", "run"]),
        (OnFailure,      Full,      ["RUN",  "RUN", "ASK", "RUN", "RUN",  "RUN", "RUN"]),
        (OnRequest,      ReadOnly,  ["run",  "run", "run", "run", "run",  "ASK", "run"]),
        (OnRequest,      Workspace, ["run",  "run", "run", "run", "run",  "ASK", "run"]),
        (OnRequest,      Full,      ["RUN",  "RUN", "ASK", "RUN", "RUN",  "RUN", "RUN"]),
        (Never,          ReadOnly,  ["run",  "run", "run", "run", "run",  "ref", "run"]),
        (Never,          Workspace, ["run",  "run", "run", "run", "run",  "ref", "run"]),
        (Never,          Full,      ["RUN",  "RUN", "ref", "RUN", "RUN",  "ref", "RUN"]),
        (Granular(NONE), ReadOnly,  ["run",  "run", "run", "run", "run",  "ref", "run"]),
        (Granular(NONE), Workspace, ["run",  "run", "run", "run", "run",  "ref", "run"]),
        (Granular(NONE), Full,      ["RUN",  "RUN", "ref", "RUN", "RUN",  "RUN", "RUN"]),
        (Granular(ALL),  ReadOnly,  ["run",  "run", "run", "run", "run",  "ASK", "run"]),
        (Granular(ALL),  Workspace, ["run",  "run", "run", "run", "run",  "ASK", "run"]),
        (Granular(ALL),  Full,      ["RUN",  "RUN", "ASK", "RUN", "RUN",  "RUN", "RUN"]),
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

#[test]
fn a_rule_about_the_sandbox_spares_the_question_and_lets_nothing_out() {
    use SandboxMode::{DangerFullAccess as Full, ReadOnly, WorkspaceWrite as Workspace};
    let commands = Commands::of_script("git push && make");
    let inside = rule(RuleDecision::Inside, None);
    let both = [inside.clone(), inside.clone()];
    let one = [inside.clone(), None];
    let allowed = [rule(RuleDecision::Allow, None), inside];
    for (sandbox, rules, escalate, planted, want) in [
        (Workspace, &both[..], false, false, "run"),
        (ReadOnly, &both, false, false, "run"),
        (Workspace, &one, false, false, "ask"),
        (Workspace, &both, true, false, "ASK"),
        (Workspace, &both, false, true, "ask"),
        (Full, &both, false, false, "ASK"),
        (Workspace, &allowed, false, false, "run"),
        (Workspace, &allowed, true, false, "ASK"),
    ] {
        let planted = [planted];
        let base = plain(ApprovalPolicy::Untrusted, sandbox, &commands);
        let got = decide(&Request { rules, escalate, planted: &planted, ..base });
        assert_eq!(short(&got), want, "{sandbox:?} {rules:?} {escalate}");
    }
}

fn rule(decision: RuleDecision, justification: Option<&str>) -> Option<RuleMatch> {
    let prefix = vec!["git".to_owned(), "push".to_owned()];
    let justification = justification.map(str::to_owned);
    Some(RuleMatch { decision, prefix, justification, resolved: None, origin: None })
}

#[test]
fn rules_beat_heuristics_and_the_strictest_wins() {
    use RuleDecision::{Allow, Forbidden, Prompt};
    let commands = Commands::of_script("git push && rm -f x");
    let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
    for (rules, want) in [
        (vec![rule(Allow, None), rule(Allow, None)], "RUN"),
        (vec![rule(Allow, None), None], "run"), // a piece without a rule stays inside
        (vec![rule(Allow, None)], "run"),
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
    let commands = Commands::of_script("git push");
    let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
    let rules = [rule(RuleDecision::Prompt, None)];
    let base = Request { rules: &rules, ..base };
    assert_eq!(short(&decide(&base)), "ask");
    let granted: &[bool] = &[true];
    assert_eq!(short(&decide(&Request { granted, ..base.clone() })), "run");
    assert_eq!(short(&decide(&Request { granted, escalate: true, ..base.clone() })), "RUN");
    let rules = [rule(RuleDecision::Forbidden, Some("no"))];
    let refused = decide(&Request { granted, rules: &rules, ..base });
    assert_eq!(refused, Decision::Refuse { reason: "A rule forbids `git push`: no".to_owned() });
}

/// Scripts that ask to leave the sandbox: rules per piece, grants per piece, and the pieces that are asked about.
#[test]
fn only_the_pieces_that_need_it_are_asked_about() {
    use RuleDecision::{Allow, Prompt};
    type Row<'a> = (&'a str, Vec<Option<RuleMatch>>, &'a [bool], Option<&'a [usize]>);
    let table: Vec<Row<'_>> = vec![
        ("ls && touch /x", vec![], &[], Some(&[0, 1])),
        ("cd x && touch /x | tail -3", vec![], &[], Some(&[1])),
        ("touch /x; touch /y", vec![], &[true], Some(&[1])),
        ("touch /x; touch /y", vec![], &[true, true], None),
        ("touch /x; touch /y", vec![rule(Allow, None), None], &[], Some(&[1])),
        ("touch /x; touch /y", vec![rule(Allow, None), None], &[false, true], None),
        ("cd x; touch /y", vec![None, rule(Allow, None)], &[], None),
        ("touch /x; touch /y", vec![rule(Prompt, None), rule(Allow, None)], &[], Some(&[0])),
        ("cat /x", vec![], &[], Some(&[0])),
        ("echo x > /y", vec![], &[], Some(&[0])),
    ];
    for (script, rules, granted, want) in table {
        let commands = Commands::of_script(script);
        let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
        let decision = decide(&Request { rules: &rules, granted, escalate: true, ..base });
        let got = match &decision {
            Decision::Ask { needs, sandboxed: false, .. } => Some(needs.as_slice()),
            Decision::Run { sandboxed: false } => None,
            other => panic!("{script}: {other:?}"),
        };
        assert_eq!(got, want, "{script}");
    }
}

#[test]
fn rules_let_out_what_they_allow_with_what_needs_nothing_beside_it() {
    let commands = Commands::of_script("cd x && git push | tail -3");
    let allowed = [None, rule(RuleDecision::Allow, None), None];
    let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
    assert_eq!(short(&decide(&Request { rules: &allowed, ..base.clone() })), "RUN");
    assert_eq!(short(&decide(&base)), "run", "without a rule nothing leaves");
    let commands = Commands::of_script("cd x && git push | tee /log");
    assert_eq!(short(&decide(&Request { rules: &allowed, commands: &commands, ..base })), "run");
}

#[test]
fn under_untrusted_harmless_pieces_are_not_asked_about() {
    let commands = Commands::of_script("ls; make");
    let asked = decide(&plain(ApprovalPolicy::Untrusted, SandboxMode::WorkspaceWrite, &commands));
    assert!(matches!(&asked, Decision::Ask { needs, sandboxed: true, .. } if needs == &[1]), "{asked:?}");
}

#[test]
fn a_call_without_a_command_never_leaves_unasked() {
    let commands = Commands::of_argv(&[]);
    let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
    assert_eq!(short(&decide(&Request { escalate: true, ..base })), "ASK");
}

#[test]
fn the_question_carries_the_models_reason() {
    let commands = Commands::of_script("curl x");
    let base = plain(ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite, &commands);
    let asked = decide(&Request { escalate: true, justification: Some(" needs network "), ..base });
    assert_eq!(
        asked,
        Decision::Ask { reason: Some("needs network".to_owned()), sandboxed: false, needs: vec![0] }
    );
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
