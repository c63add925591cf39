//! A service that misbehaves: whatever it sends, the answer is told once or the reason is, the program ends by
//! itself with the right exit code, and no item is left open.

use serde_json::Value;

use super::support::World;
use super::support::codex::Output;

/// Waits between attempts are the program's own; few attempts keep the tests quick.
const FEW: &str = "request_max_retries = 1\nstream_max_retries = 2\nstream_idle_timeout_ms = 20000";

/// The first request fails as `fault` says, the next is answered; umlauts are there to be cut.
fn once(fault: &str) -> String {
    format!(
        "[[rule]]\ntimes = 1\nfault = {{ {fault} }}\noutput = [{{ reasoning = 'Überlegung' }}, {{ text = 'Größe: 5 µm' }}]\n\
         [[rule]]\noutput = [{{ reasoning = 'Überlegung' }}, {{ text = 'Größe: 5 µm' }}]\n"
    )
}

fn always(fault: &str) -> String {
    format!("[[rule]]\nfault = {{ {fault} }}\noutput = [{{ text = 'Größe: 5 µm' }}]\n")
}

fn world(provider: &str) -> World {
    let world = World::new("");
    world.config_with("", provider);
    world
}

/// One turn against `script`.
fn turn(world: &World, script: &str) -> Output {
    world.backend.script(script);
    world.exec(&["--ephemeral", "say it"]).run()
}

#[track_caller]
fn answered_once(output: Output, what: &str) -> Output {
    let output = output.expect(0);
    let texts: Vec<Value> =
        output.items_of("agent_message").into_iter().map(|item| item["text"].clone()).collect();
    assert_eq!(texts, ["Größe: 5 µm"], "{what}: {}", output.stdout);
    let ends = output.events().iter().filter(|event| event["type"] == "turn.completed").count();
    assert_eq!(ends, 1, "{what}: {}", output.stdout);
    output
}

/// The turn failed; returns its reason, which is told once on each channel.
#[track_caller]
fn failed(output: Output, what: &str) -> String {
    let output = output.expect(1);
    let events = output.events();
    let ends: Vec<&Value> = events.iter().filter(|event| event["type"] == "turn.failed").collect();
    assert_eq!(ends.len(), 1, "{what}: {}", output.stdout);
    let reason = ends[0]["error"]["message"].as_str().unwrap().to_owned();
    let told = events.iter().filter(|event| event["type"] == "error" && event["message"] == reason.as_str());
    assert_eq!(told.count(), 1, "{what}: {}", output.stdout);
    assert!(!reason.contains('\n') && reason.chars().count() < 900, "{what}: {reason}");
    output.items();
    reason
}

#[test]
fn nonsense_between_the_events_does_no_harm() {
    let world = world(FEW);
    for kind in ["garbage", "unknown"] {
        answered_once(turn(&world, &always(&format!("kind = '{kind}'"))), kind);
    }
    for wire in ["crlf = true", "bom = true", "split_data = true", "comment_every = 1", "chunk = 1"] {
        let script = format!("[wire]\n{wire}\n[[rule]]\noutput = [{{ text = 'Größe: 5 µm' }}]\n");
        answered_once(turn(&world, &script), wire);
    }
}

#[test]
fn a_line_of_ten_megabytes_is_read() {
    let world = world(FEW);
    answered_once(turn(&world, &always("kind = 'long-line', bytes = 10485760")), "long line");
}

#[test]
fn a_stream_cut_anywhere_is_answered_once() {
    let world = world(FEW);
    let places = (0..14).map(|n| format!("events = {n}")).chain(["at = 'mid-char'".to_owned()]);
    for place in places {
        for clean in [true, false] {
            let what = format!("kind = 'cut', {place}, clean = {clean}");
            let output = answered_once(turn(&world, &once(&what)), &what);
            assert_eq!(output.items_of("reasoning").len(), 1, "{what}: {}", output.stdout);
        }
    }
}

#[test]
fn a_connection_dropped_before_the_answer_is_tried_again() {
    let world = world(FEW);
    answered_once(turn(&world, &once("kind = 'cut', at = 'headers'")), "dropped");
}

#[test]
fn a_stream_that_is_always_cut_ends_with_one_reason() {
    let world = world(FEW);
    let output = turn(&world, &always("kind = 'cut', events = 6"));
    let shown = output.items_of("agent_message").len();
    let reason = failed(output, "always cut");
    assert!(reason.contains("broke off") && reason.contains("3 attempts"), "{reason}");
    assert!(shown <= 1, "every attempt left its text");
}

#[test]
fn a_stall_anywhere_is_noticed() {
    let world = world("request_max_retries = 1\nstream_max_retries = 1\nstream_idle_timeout_ms = 400");
    for place in ["at = 'headers'", "events = 0", "events = 4", "at = 'mid-char'"] {
        answered_once(turn(&world, &once(&format!("kind = 'stall', {place}"))), place);
    }
    let reason = failed(turn(&world, &always("kind = 'stall', at = 'headers'")), "silent");
    assert!(reason.contains("did not answer within 0.4 s"), "{reason}");
    let reason = failed(turn(&world, &always("kind = 'stall', events = 3")), "stalled");
    assert!(reason.contains("stalled"), "{reason}");
}

#[test]
fn lines_and_comments_without_end_are_bounded() {
    let world = world("request_max_retries = 0\nstream_max_retries = 0\nstream_idle_timeout_ms = 300");
    for (kind, want) in
        [("endless-line", "larger than 64 MiB"), ("endless-comments", "no event came for 1.2 s")]
    {
        let reason = failed(turn(&world, &always(&format!("kind = '{kind}'"))), kind);
        assert!(reason.contains(want), "{kind}: {reason}");
    }
}

#[test]
fn refusals_are_told_in_their_own_words() {
    let world = world("request_max_retries = 0\nstream_max_retries = 0");
    for (code, body, want) in [
        (400, "json", "scripted refusal with status 400"),
        (400, "context-length", "context window"),
        (401, "json", "TEST_KEY"),
        (401, "empty", "TEST_KEY"),
        (401, "token-expired", "TEST_KEY"),
        (403, "html", "403"),
        (403, "json", "scripted refusal"),
        (403, "empty", "403"),
        (404, "json", "base_url"),
        (404, "html", "base_url"),
        (404, "empty", "404"),
        (429, "json", "Too many requests"),
        (429, "empty", "Too many requests"),
        (429, "html", "Too many requests"),
        (429, "usage-limit", "usage limit"),
        (429, "usage-not-included", "plan"),
        (429, "quota", "billing"),
        (429, "rate-limit", "too many scripted requests"),
        (500, "json", "scripted refusal with status 500"),
        (500, "html", "high demand"),
        (500, "empty", "500"),
        (503, "html", "503"),
        (503, "empty", "503"),
        (503, "overloaded", "capacity"),
    ] {
        let what = format!("{code} {body}");
        let fault = format!(
            "kind = 'status', code = {code}, body = '{body}', headers = {{ x-request-id = 'req-77' }}"
        );
        let output = turn(&world, &always(&fault));
        assert!(output.stderr.matches("req-77").count() <= 1, "{what}: {}", output.stderr);
        let reason = failed(output, &what);
        assert!(reason.to_lowercase().contains(&want.to_lowercase()), "{what}: {reason}");
        assert!(!reason.contains('<'), "{what}: markup in {reason}");
        if ["json", "html", "empty"].contains(&body) {
            assert!(reason.contains("req-77"), "{what}: no request id in {reason}");
        }
    }
}

#[test]
fn on_a_screen_the_reason_stands_once() {
    let world = world("request_max_retries = 0\nstream_max_retries = 0");
    world.backend.script(&always("kind = 'status', code = 403"));
    let output = world.codex().args(["exec", "--ephemeral", "say it"]).run().expect(1);
    assert_eq!(output.stdout, "");
    assert_eq!(output.stderr.matches("scripted refusal").count(), 1, "{}", output.stderr);
}

#[test]
fn what_may_pass_is_tried_again() {
    let world = world(FEW);
    for fault in [
        "kind = 'status', code = 500",
        "kind = 'status', code = 502, body = 'html'",
        "kind = 'status', code = 503, body = 'empty'",
        "kind = 'status', code = 429, body = 'rate-limit', retry_after = '0.1'",
        "kind = 'status', code = 429, body = 'empty'",
        "kind = 'failed', error = 'rate_limit_exceeded', message = 'Please try again in 10ms.'",
        "kind = 'failed', error = 'server_error'",
    ] {
        answered_once(turn(&world, &once(fault)), fault);
    }
}

#[test]
fn an_answer_that_failed_says_why() {
    let world = world("request_max_retries = 0\nstream_max_retries = 0");
    for (code, want) in [
        ("context_length_exceeded", "context window"),
        ("insufficient_quota", "billing"),
        ("usage_not_included", "plan"),
        ("usage_limit_reached", "usage limit"),
        ("server_is_overloaded", "capacity"),
        ("slow_down", "capacity"),
        ("cyber_policy", "scripted failure"),
        ("invalid_prompt", "scripted failure"),
        ("rate_limit_exceeded", "scripted failure"),
        ("server_error", "scripted failure"),
        ("something_new", "scripted failure"),
    ] {
        let reason = failed(turn(&world, &always(&format!("kind = 'failed', error = '{code}'"))), code);
        assert!(reason.to_lowercase().contains(want), "{code}: {reason}");
    }
    for (why, want) in [("max_output_tokens", "output"), ("content_filter", "filter")] {
        let output = turn(&world, &always(&format!("kind = 'incomplete', error = '{why}'")));
        let reason = failed(output, why);
        assert!(reason.contains(want), "{why}: {reason}");
    }
}

/// Bodies nobody would send, as events of their own.
#[test]
fn events_of_wrong_shapes_do_no_harm() {
    let world = world(FEW);
    for event in [
        "null",
        "[]",
        "7",
        "{\"type\":7}",
        "{\"type\":\"response.output_item.done\"}",
        "{\"type\":\"response.output_item.done\",\"item\":null}",
        "{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"message\",\"content\":7}}",
        "{\"type\":\"response.output_item.added\",\"item\":{\"type\":7}}",
        "{\"type\":\"response.output_text.delta\",\"delta\":7,\"output_index\":-1}",
        "{\"type\":\"response.created\",\"response\":[]}",
        "{\"type\":\"response.metadata\",\"headers\":7}",
        "{\"type\":\"codex.rate_limits\",\"rate_limits\":{\"primary\":\"x\"}}",
    ] {
        let script = format!("[[rule]]\noutput = [{{ event = '{event}' }}, {{ text = 'Größe: 5 µm' }}]\n");
        answered_once(turn(&world, &script), event);
    }
}

#[test]
fn a_sign_in_page_is_no_answer() {
    let world = world("request_max_retries = 0\nstream_max_retries = 0");
    let html = "[[rule]]\nheaders = { content-type = 'text/html' }\noutput = [{ text = 'x' }]\n";
    let reason = failed(turn(&world, html), "html");
    assert!(reason.contains("not an event stream") && reason.contains("proxy"), "{reason}");
}
