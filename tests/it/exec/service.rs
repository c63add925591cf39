//! How `codex exec` fails: no account, no service, errors of the service.

use super::bed::types;
use crate::support::scripts::HELLO;
use crate::support::{Codex, World};

#[test]
fn without_an_account_it_says_what_to_do() {
    let world = World::new(HELLO);
    let output = Codex::new(&world.home(), &world.project()).args(["exec", "hi"]).run().expect(1);
    assert!(output.stderr.contains("TEST_KEY"), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1);
    let output = world.exec(&["-c", "model_provider=openai", "hi"]).run().expect(1);
    assert!(output.stderr.contains("codex login --with-api-key"), "{}", output.stderr);
    assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("", 1), "{}", output.stderr);
    assert!(world.rollouts().is_empty());
    // A key that is not accepted: told once, with the place where it comes from.
    let wrong = world.codex().env("TEST_KEY", "sk-not-accepted").args(["exec", "hi"]).run().expect(1);
    assert_eq!(wrong.stderr.matches("ERROR").count(), 1, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("TEST_KEY") && !wrong.stderr.contains("codex login"), "{}", wrong.stderr);
}

#[test]
fn a_dead_endpoint_ends_within_its_bound() {
    let world = World::new(HELLO);
    // A port that was free a moment ago and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("model_providers.test.base_url=\"http://127.0.0.1:{port}/v1\"");
    let none = ["-c", "model_providers.test.stream_max_retries=0"];
    let output = world.exec(&none).args(["-c", &url, "hi"]).run().expect(1);
    let last = output.events().pop().unwrap();
    assert_eq!(last["type"], "turn.failed");
    let message = last["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("127.0.0.1:{port}")), "the address is named: {message}");
}

#[test]
fn the_services_errors_are_told_once_with_a_way_out() {
    let world = World::new("");
    for (fault, wants) in [
        ("code = 400, message = \"no such thing\"", &["no such thing"][..]),
        ("code = 400, body = \"html\"", &["refused the request"]),
        ("code = 403, body = \"empty\"", &["403", "no access"]),
        ("code = 404, body = \"json\"", &["404", "base_url"]),
        ("code = 429, body = \"usage-limit\"", &["limit"]),
        ("code = 429, body = \"quota\"", &["billing"]),
        ("code = 503, body = \"overloaded\"", &["capacity", "another model"]),
    ] {
        world.backend.script(&format!("[[rule]]\nfault = {{ kind = \"status\", {fault} }}\n"));
        let output = world.codex().args(["exec", "hi"]).run().expect(1);
        assert_eq!(output.stderr.matches("ERROR:").count(), 1, "{fault}: {}", output.stderr);
        let line = output.stderr.lines().find(|line| line.starts_with("ERROR:")).unwrap();
        for want in wants {
            assert!(line.contains(want), "{fault}: {want:?} is missing: {line}");
        }
        assert_eq!(output.stdout, "");
    }
    // As JSON: the error, then the end of the turn, nothing else.
    world.backend.script("[[rule]]\nfault = { kind = \"status\", code = 400, message = \"no\" }\n");
    let output = world.exec(&["hi"]).run().expect(1);
    assert_eq!(types(&output), ["thread.started", "turn.started", "error", "turn.failed"]);
    assert_eq!(output.events()[2]["message"], output.events()[3]["error"]["message"]);
}

#[test]
fn a_cut_stream_is_repeated_and_nothing_appears_twice() {
    let world = World::new(
        "[[rule]]\nname = \"cut\"\ntimes = 1\nfault = { kind = \"cut\", events = 5 }\n\
         output = [{ text = \"The answer is long enough to be cut in the middle.\" }]\n\
         [[rule]]\noutput = [{ text = \"The whole answer.\" }]\n",
    );
    let output = world.exec(&["hi"]).run().expect(0);
    assert_eq!(
        types(&output),
        ["thread.started", "turn.started", "error", "item.completed:agent_message", "turn.completed"]
    );
    let message = output.events()[2]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Reconnecting... 1/"), "{message}");
    assert_eq!(output.events()[3]["item"]["text"], "The whole answer.");
    let answers = world.rollout().iter().filter(|l| l["payload"]["role"] == "assistant").count();
    assert_eq!(answers, 1);
}

#[test]
fn a_mistyped_key_is_told_also_when_nothing_can_begin() {
    let world = World::new(HELLO);
    let output = world.codex().args(["exec", "-c", "modle=1", "-i", "missing.png", "hi"]).run().expect(1);
    assert!(output.stderr.contains("did you mean `model`"), "{}", output.stderr);
    assert!(output.stderr.trim_end().lines().last().unwrap().starts_with("ERROR:"), "{}", output.stderr);
}
