//! Each verdict on the events can be bad.

use super::*;

const GOOD: &str = r#"{"type":"thread.started","thread_id":"t1"}
{"type":"turn.started"}
{"type":"item.started","item":{"id":"item_0","type":"command_execution","command":"sh -c 'make it'","exit_code":null,"status":"in_progress"}}
{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"sh -c 'make it'","exit_code":1,"status":"failed"}}
{"type":"item.completed","item":{"id":"item_1","type":"file_change","changes":[{"path":"/x/a.sh","kind":"update"}],"status":"completed"}}
{"type":"item.completed","item":{"id":"item_2","type":"agent_message","text":"**Fixed.** it"}}
{"type":"turn.completed","usage":{"input_tokens":7}}
"#;

fn wrong(findings: &[Finding]) -> Vec<&str> {
    findings.iter().filter(|finding| finding.wrong.is_some()).map(|finding| finding.what.as_str()).collect()
}

#[test]
fn good_events_have_no_faults_and_each_fault_is_found() {
    assert_eq!(wrong(&form(&read(GOOD))), [""; 0]);
    for (from, to) in [
        ("{\"type\":\"turn.started\"}\n", ""),
        ("\"type\":\"turn.completed\"", "\"type\":\"turn.failed\""),
        ("\"item_1\"", "\"item_0\""),
        ("\"exit_code\":1,\"status\":\"failed\"", "\"exit_code\":1,\"status\":\"in_progress\""),
        (
            "\"type\":\"item.completed\",\"item\":{\"id\":\"item_0\"",
            "\"type\":\"item.updated\",\"item\":{\"id\":\"item_0\"",
        ),
        ("{\"type\":\"thread.started\"", "hello\n{\"type\":\"thread.started\""),
        ("\"input_tokens\":7", "\"input_tokens\":0"),
        (
            "{\"type\":\"turn.started\"}\n",
            "{\"type\":\"turn.started\"}\n{\"type\":\"error\",\"message\":\"x\"}\n",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(wrong(&form(&read(&GOOD.replacen(from, to, 1)))).len(), 1, "{from} → {to}");
    }
}

#[test]
fn expected_items_are_found_once_in_any_order() {
    let expect = |kind: &str, part: &str, status: &str| Expect {
        item: Some(kind.to_owned()),
        contains: Some(part.to_owned()),
        status: Some(status.to_owned()),
        ..Expect::default()
    };
    let command = expect("command_execution", "make it", "failed");
    let change = expect("file_change", "a.sh", "completed");
    let events = read(GOOD);
    assert_eq!(wrong(&items(&events, &[command.clone(), change.clone()])).len(), 0);
    assert_eq!(wrong(&items(&events, &[change, command.clone()])).len(), 0);
    assert_eq!(wrong(&items(&events, &[command.clone(), command.clone()])).len(), 1, "each item counts once");
    assert_eq!(wrong(&items(&events, &[expect("command_execution", "make it", "completed")])).len(), 1);
    let code = Expect { exit: Some(crate::demo::values::ExitIs::Code(0)), ..command };
    assert_eq!(wrong(&items(&events, &[code])).len(), 1);
}

#[test]
fn the_final_message_is_the_same_everywhere() {
    let expect = [Expect { message: true, contains: Some("**Fixed.**".to_owned()), ..Expect::default() }];
    let run = |last: Option<&str>| Run { last_message: last.map(str::to_owned), ..Run::default() };
    assert_eq!(message(&run(Some("**Fixed.** it\n")), &read(GOOD), &expect).wrong, None);
    for (last, events) in [
        (None, GOOD),
        (Some("other"), GOOD),
        (Some("**Fixed.** it"), ""),
        (Some("x it"), &GOOD.replace("**Fixed.**", "x")),
    ] {
        assert!(message(&run(last), &read(events), &expect).wrong.is_some(), "{last:?}");
    }
}
