//! Reading scenarios: good forms, and where errors point.

use super::*;
use crate::demo::rule::Output;

fn error(text: &str) -> String {
    Script::read("x.toml", text).unwrap_err().to_string()
}

#[test]
fn errors_name_file_line_and_cause() {
    let rule = "[[rule]]\nname = 'a'\noutput = [{ text = 'x' }]\n";
    for (text, place, part) in [
        ("name = ", "x.toml:1:", "value"),
        ("name = 'a'\nprompt = 3\n", "x.toml:2:", "string"),
        ("\n\nstroy = 'x'\n", "x.toml:3:", "unknown field `stroy`"),
        ("[[rule]]\nname = 'a'\n[rule.when]\nusr = 'x'\n", "x.toml:4:", "unknown field `usr`"),
        ("[[rule]]\nname = 'A b'\noutput = [{ text = 'x' }]\n", "x.toml:1:", "rule name"),
        ("# c\n[[rule]]\nname = 'a'\n", "x.toml:2:", "answers nothing"),
        ("[[rule]]\n[[rule.output]]\ntext = 'x'\nexec = 'y'\n", "x.toml:2:", "text and exec"),
        ("[[rule]]\n[[rule.output]]\nrepeat = 2\n", "x.toml:2:", "found none"),
        ("[[rule]]\noutput = [{ text = 'a {{nope}}' }]\n", "x.toml:1:", "unknown template `{{nope}}`"),
        ("[[rule]]\noutput = [{ text = 'a {{exit:nope}}' }]\n", "x.toml:1:", "no rule is called `nope`"),
        (
            "[[rule]]\n[rule.when]\nafter = 'nope'\n[[rule.output]]\ntext = 'x'\n",
            "x.toml:1:",
            "no rule is called `nope`",
        ),
        ("[[rule]]\n[rule.when]\nexit = 'odd'\n[[rule.output]]\ntext = 'x'\n", "x.toml:3:", "exit code"),
        ("[[rule]]\nfault = { kind = 'status' }\n", "x.toml:2:", "needs `code`"),
        ("[[fault]]\nkind = 'cut'\n", "x.toml:1:", "exactly one of"),
        ("[[file]]\npath = '../x'\ntext = ''\n", "x.toml:1:", "inside the project"),
        ("[[expect]]\ncontains = 'x'\n", "x.toml:1:", "found 0"),
        ("[[rule]]\n[[rule.output]]\nitem = '{'\n", "x.toml:2:", "no JSON"),
    ] {
        let error = error(text);
        assert!(error.starts_with(place) && error.contains(part), "{text}\n→ {error}");
    }
    let twice = error(&format!("{rule}{rule}"));
    assert!(twice.starts_with("x.toml:4:") && twice.contains("already"), "{twice}");
}

#[test]
fn all_kinds_of_output_are_read() {
    let text = r#"
[[rule]]
[rule.when]
user = ["a", "b"]
exits = { r1 = "nonzero" }
[[rule.output]]
reasoning = ["one", "two"]
[[rule.output]]
commentary = "c"
[[rule.output]]
exec = "ls"
args = { yield_time_ms = 300, tty = true }
[[rule.output]]
call = "x"
arguments = "{broken"
[[rule.output]]
custom = "js"
input = "1 + 1"
[[rule.output]]
patch = "*** Begin Patch"
[[rule.output]]
item = '{"type":"web_search_call"}'
[[rule.output]]
event = 'anything'
[[rule.output]]
text = "t"
repeat = 3
"#;
    let script = Script::read("t", text).unwrap();
    let [rule] = script.rules.as_slice() else { panic!("{:?}", script.rules) };
    assert_eq!((rule.name.as_str(), rule.outputs.len()), ("r1", 9));
    let Output::Exec { args, .. } = &rule.outputs[2] else { panic!("{:?}", rule.outputs[2]) };
    assert_eq!(args, &serde_json::json!({"yield_time_ms": 300, "tty": true}));
}

#[test]
fn open_rules_come_last_when_joined() {
    let read = |name: &str, when: &str| {
        Script::read("t", &format!("[[rule]]\nname = '{name}'\n{when}\noutput = [{{ text = 'x' }}]\n"))
            .unwrap()
    };
    let joined =
        Script::join([read("open", ""), read("shut", "when = { user = 'x' }"), read("once", "times = 1")]);
    let names: Vec<&str> = joined.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["shut", "once", "open"]);
}

#[test]
fn the_example_above_is_a_scenario() {
    let source = include_str!("script.rs");
    let lines = source.lines().skip_while(|line| *line != "//! ```toml").skip(1);
    let lines = lines.take_while(|line| *line != "//! ```").map(|line| line.trim_start_matches("//!"));
    let text = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(Script::read("script.rs", &text).unwrap().rules.len(), 4);
}
