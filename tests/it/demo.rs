//! `codex demo` from outside.

use std::process::Command;

use crate::support::backend::Backend;

#[test]
fn a_test_can_script_break_and_inspect_the_backend() {
    let mut backend = Backend::start("[[rule]]\noutput = [{ text = 'hello' }]\n");
    backend.faults("[[fault]]\nkind = 'status'\ncode = 503\nbody = 'overloaded'\n");
    backend.script("[[rule]]\nname = 'other'\noutput = [{ text = 'good bye' }]\n");
    let body = r#"{"model":"m","stream":true,"store":false,"prompt_cache_key":"k","include":["reasoning.encrypted_content"],
        "input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}]}"#;
    assert_eq!(backend.ask("POST", "/v1/responses", body).0, 503);
    let (status, answer) = backend.ask("POST", "/v1/responses", body);
    assert!(status == 200 && answer.contains("good bye"), "{answer}");
    backend.assert_clean();
    assert_eq!(backend.state()["routes"]["/v1/responses"], 2);
    assert_eq!(backend.requests()[1]["rule"], "other");
    assert!(backend.config().contains(&backend.base_url));
    let (status, answer) = backend.ask("POST", "/control/script", "[[rule]]\nnaem = 'x'\n");
    assert!(status == 400 && answer.contains("script:2: unknown field `naem`"), "{answer}");
    assert_eq!(backend.end(), Some(0));
}

#[test]
fn an_unknown_scenario_is_wrong_use() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_codex")).args(["demo", "--scenario", "nope"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("fix-a-bug"));
}
