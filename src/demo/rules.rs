//! Which rule answers a request: the first whose conditions all hold. Pure; how often a rule has answered is
//! told by the caller.

use super::request::View;
use super::rule::Rule;
use super::script::Script;
use super::script_file::{RequestKind, When};
use super::values::{ExitIs, Texts};

/// The first rule that fits. `fired` tells how often a rule (by index) has answered.
pub(crate) fn choose<'a>(
    script: &'a Script,
    view: &View,
    fired: impl Fn(usize) -> u64,
) -> Option<(usize, &'a Rule)> {
    script
        .rules
        .iter()
        .enumerate()
        .find(|(index, rule)| rule.times.is_none_or(|times| fired(*index) < times) && fits(&rule.when, view))
}

/// Whether all conditions hold.
pub(crate) fn fits(when: &When, view: &View) -> bool {
    let last = view.latest.last();
    kind_fits(when.request, view.kind)
        && (when.user.0.is_empty() || any_in(&when.user, &view.user))
        && (when.model.0.is_empty() || any_in(&when.model, &view.model))
        && (when.output.0.is_empty() || view.latest.iter().any(|call| any_in(&when.output, &call.text)))
        && !view.latest.iter().any(|call| any_in(&when.output_not, &call.text))
        && when.exit.is_none_or(|exit| last.is_some_and(|call| exit.fits(call.exit)))
        && when.exits.iter().all(|(rule, exit)| exits_fit(view, rule, *exit))
        && (when.after.0.is_empty()
            || view.latest.iter().any(|call| when.after.0.iter().any(|rule| call.rule() == rule)))
        && when.tool.as_ref().is_none_or(|name| view.tool(name).is_some())
        && when.no_tool.as_ref().is_none_or(|name| view.tool(name).is_none())
        && when.round.is_none_or(|round| round == view.round)
        && when.turn.is_none_or(|turn| turn == view.turn)
        && when.running.is_none_or(|running| last.is_some_and(|call| call.session.is_some() == running))
}

fn exits_fit(view: &View, rule: &str, exit: ExitIs) -> bool {
    let mut calls = view.all.iter().filter(|call| call.rule() == rule).peekable();
    calls.peek().is_some() && calls.all(|call| exit.fits(call.exit))
}

fn kind_fits(wanted: Option<RequestKind>, kind: RequestKind) -> bool {
    wanted == Some(RequestKind::Any) || wanted.unwrap_or(RequestKind::Turn) == kind
}

fn any_in(needles: &Texts, text: &str) -> bool {
    if needles.0.is_empty() {
        return false;
    }
    let text = text.to_lowercase();
    needles.0.iter().any(|needle| text.contains(&needle.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::super::request::{CallResult, OfferedTool};
    use super::*;

    fn view() -> View {
        let call = CallResult {
            call_id: "call_tests_9".to_owned(),
            text: "2 FAILED".to_owned(),
            exit: Some(1),
            session: None,
        };
        View {
            model: "gpt".to_owned(),
            user: "Fix the bug".to_owned(),
            turn: 2,
            round: 1,
            latest: vec![call.clone()],
            all: vec![call],
            tools: vec![OfferedTool { name: "exec_command".to_owned(), custom: false }],
            ..View::default()
        }
    }

    #[test]
    fn each_condition_can_hold_and_can_fail() {
        for (when, want) in [
            ("", true),
            ("user = 'fix THE'", true),
            ("user = ['nothing', 'bug']", true),
            ("user = 'nothing'", false),
            ("output = 'failed'", true),
            ("output = 'passed'", false),
            ("output_not = 'failed'", false),
            ("output_not = 'passed'", true),
            ("exit = 1", true),
            ("exit = 'nonzero'", true),
            ("exit = 0", false),
            ("exit = 'none'", false),
            ("exit = 'not-zero'", true),
            ("exits = { tests = 1 }", true),
            ("exits = { other = 'none' }", false),
            ("after = 'tests'", true),
            ("after = ['x', 'tests']", true),
            ("after = 'test'", false),
            ("tool = 'exec_command'", true),
            ("tool = 'shell'", false),
            ("no_tool = 'exec_command'", false),
            ("round = 1", true),
            ("round = 0", false),
            ("turn = 2", true),
            ("turn = 1", false),
            ("running = false", true),
            ("running = true", false),
            ("model = 'gpt'", true),
            ("model = 'other'", false),
            ("request = 'any'", true),
            ("request = 'compaction'", false),
            ("user = 'fix'\nexit = 0", false),
        ] {
            let read: When = toml::from_str(when).unwrap();
            assert_eq!(fits(&read, &view()), want, "{when}");
        }
    }

    #[test]
    fn rules_that_are_used_up_are_passed_over() {
        let text = "[[rule]]\nname = 'once'\ntimes = 1\noutput = [{ text = 'a' }]\n\
                    [[rule]]\nname = 'then'\noutput = [{ text = 'b' }]\n";
        let script = Script::read("t", text).unwrap();
        let name = |fired: u64| choose(&script, &view(), |_| fired).map(|(_, rule)| rule.name.clone());
        assert_eq!(name(0).as_deref(), Some("once"));
        assert_eq!(name(1).as_deref(), Some("then"));
    }
}
