//! Tests of the stream against a server that does exactly what each test says.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::responses::provider::ProviderSettings;
use crate::responses::request::{Request, tests::ids};
use crate::responses::testing::*;

#[tokio::test]
async fn a_whole_answer_and_what_was_sent() {
    let (labels, requests) = play(vec![stream_of(&FRAMES)]).await;
    assert_eq!(labels, WHOLE);
    assert_eq!(requests.len(), 1);
    let request = requests[0].to_ascii_lowercase();
    assert!(request.starts_with("post /v1/responses http/1.1\r\n"), "{request}");
    for header in [
        "authorization: bearer key-0",
        "chatgpt-account-id: acct",
        "accept: text/event-stream",
        "user-agent: test",
    ] {
        assert!(request.contains(&format!("\r\n{header}\r\n")), "{header}: {request}");
    }
}

#[tokio::test]
async fn a_cut_at_every_boundary_starts_the_answer_anew() {
    for kept in 0..FRAMES.len() {
        let (labels, requests) = play(vec![stream_of(&FRAMES[..kept]), stream_of(&FRAMES)]).await;
        let mut want: Vec<&str> = WHOLE[..kept].to_vec();
        want.push("retry 1/1 StreamCut");
        want.extend(WHOLE);
        assert_eq!(labels, want, "cut after {kept}");
        let body = |r: &str| r.split_once("\r\n\r\n").unwrap().1.to_owned();
        assert_eq!(body(&requests[0]), body(&requests[1]), "a retry sends the same body");
    }
}

#[tokio::test]
async fn a_cut_inside_a_character_and_inside_a_chunk() {
    let text = FRAMES.concat();
    let inside = text.find('😀').unwrap() + 2;
    let cut = vec![send(format!("{OK}\r\n")), send(&text.as_bytes()[..inside])];
    let (labels, _) = play(vec![cut, stream_of(&FRAMES)]).await;
    assert_eq!(labels[..2], ["created", "added"]);
    assert_eq!(labels[2], "retry 1/1 StreamCut");
    assert_eq!(labels[3..], WHOLE);

    let chunked = vec![send(format!("{OK}transfer-encoding: chunked\r\n\r\nffff\r\n{}", FRAMES[0]))];
    let (labels, _) = play(vec![chunked]).await;
    assert_eq!(labels, ["created", "retry 1/1 StreamCut", "created", "failed StreamCut"]);
}

#[tokio::test]
async fn bytes_that_come_one_by_one() {
    let mut acts = vec![send(format!("{OK}\r\n"))];
    acts.extend(FRAMES.concat().bytes().map(|b| send([b])));
    let (labels, _) = play(vec![acts]).await;
    assert_eq!(labels, WHOLE);
}

#[tokio::test]
async fn garbage_is_skipped() {
    let garbage =
        "data: {\"type\":\n\nnonsense\n\n\u{0}\u{1}\n\ndata: [DONE]\n\ndata: {\"type\":\"x.y\"}\n\n: c\n\n";
    let (labels, _) =
        play(vec![stream_of(&[garbage, &FRAMES.concat(), "data: {\"type\":\"late\"}\n\n"])]).await;
    assert_eq!(labels, WHOLE);
}

#[tokio::test]
async fn silence_ends_and_comments_are_life() {
    let mut alive = vec![send(format!("{OK}\r\n"))];
    for _ in 0..8 {
        alive.extend([Act::Pause(100), send(": still here\n\n")]);
    }
    alive.push(send(FRAMES.concat()));
    let server = Server::start(vec![alive, vec![send(format!("{OK}\r\n{}", FRAMES[0])), Act::Hang]]).await;
    let settings =
        ProviderSettings { stream_idle_timeout_ms: 600, stream_max_retries: 0, ..provider(&server.url) };
    let (labels, _) = all(start(settings.clone(), 0, CancellationToken::new())).await;
    assert_eq!(labels, WHOLE);
    let (labels, events) = all(start(settings, 0, CancellationToken::new())).await;
    assert_eq!(labels, ["created", "failed StreamCut"]);
    assert!(error_of(&events).message.contains("stalled"), "{events:?}");
}

#[tokio::test]
async fn drops_of_a_line_are_not_life() {
    let mut acts = vec![send(format!("{OK}\r\n"))];
    for _ in 0..1000 {
        acts.extend([send("x"), Act::Pause(50)]);
    }
    let server = Server::start(vec![acts]).await;
    let settings =
        ProviderSettings { stream_idle_timeout_ms: 300, stream_max_retries: 0, ..provider(&server.url) };
    let begin = Instant::now();
    let (labels, _) = all(start(settings, 0, CancellationToken::new())).await;
    assert_eq!(labels, ["failed StreamCut"]);
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_line_without_end_is_refused() {
    let acts = vec![send(format!("{OK}\r\ndata: ")), Act::Forever(vec![b'x'; 1 << 20])];
    let (labels, requests) = play(vec![acts]).await;
    assert_eq!(labels, ["failed Server"]);
    assert_eq!(requests.len(), 1, "it is not asked for again");
}

#[tokio::test]
async fn headers_that_never_come() {
    let server = Server::start(vec![vec![Act::Hang]]).await;
    let settings = ProviderSettings { stream_idle_timeout_ms: 200, ..provider(&server.url) };
    let (labels, events) = all(start(settings, 0, CancellationToken::new())).await;
    assert_eq!(labels, ["retry 1/1 Server", "failed Server"]);
    assert!(error_of(&events).message.contains("did not answer within 0.2 s"), "{events:?}");
}

#[tokio::test]
async fn server_errors_are_repeated_inside_and_outside() {
    let (labels, requests) = play(vec![status("500 Oops", "", "")]).await;
    assert_eq!(labels, ["retry 1/1 Server", "failed Server"]);
    assert_eq!(requests.len(), 4, "(1 + request_max_retries) * (1 + stream_max_retries)");
    let (labels, _) = play(vec![status("502 Bad", "", "<html>"), stream_of(&FRAMES)]).await;
    assert_eq!(labels, WHOLE, "the first repetition is silent");
    let (labels, _) = play(vec![vec![], stream_of(&FRAMES)]).await;
    assert_eq!(labels, WHOLE, "closed before an answer");
}

#[tokio::test]
async fn too_many_requests() {
    let wait = status("429 Slow", "retry-after-ms: 300\r\n", "");
    let server = Server::start(vec![wait, stream_of(&FRAMES)]).await;
    let begin = Instant::now();
    let (labels, events) = all(start(provider(&server.url), 0, CancellationToken::new())).await;
    assert_eq!(labels[0], "retry 1/1 RateLimited");
    assert_eq!(labels[1..], WHOLE);
    assert!(matches!(events[0], ResponseEvent::Retrying { delay_ms: 300, .. }), "{events:?}");
    assert!(begin.elapsed() >= Duration::from_millis(300));

    let body = r#"{"error":{"type":"usage_limit_reached","plan_type":"plus","resets_in_seconds":3700}}"#;
    let headers = "x-codex-primary-used-percent: 100\r\nx-codex-primary-window-minutes: 300\r\n";
    let (labels, requests) = play(vec![status("429 Limit", headers, body)]).await;
    assert_eq!(labels, ["limits codex", "failed UsageLimit"]);
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn failed_events_retry_or_end() {
    let failed = |code: &str| {
        format!(
            "data: {{\"type\":\"response.failed\",\"response\":{{\"error\":{{\"code\":\"{code}\",\"message\":\"m key-0\"}}}}}}\n\n"
        )
    };
    let (labels, _) = play(vec![stream_of(&[FRAMES[0], &failed("server_error")]), stream_of(&FRAMES)]).await;
    assert_eq!(labels[..2], ["created", "retry 1/1 Server"]);
    assert_eq!(labels[2..], WHOLE);
    let server = Server::start(vec![stream_of(&[&failed("invalid_prompt")])]).await;
    let (labels, events) = all(start(provider(&server.url), 0, CancellationToken::new())).await;
    assert_eq!(labels, ["failed BadRequest"]);
    assert_eq!(error_of(&events).message, "m [secret]");
    let (labels, _) = play(vec![stream_of(&[&failed("context_length_exceeded")])]).await;
    assert_eq!(labels, ["failed ContextTooLong"]);
}

#[tokio::test]
async fn a_401_asks_for_better_credentials() {
    let server =
        Server::start(vec![status("401 No", "", ""), status("401 No", "", ""), stream_of(&FRAMES)]).await;
    let (labels, _) = all(start(provider(&server.url), 9, CancellationToken::new())).await;
    assert_eq!(labels, WHOLE);
    assert!(server.requests()[2].contains("Bearer key-2"));

    let server = Server::start(vec![status("401 No", "", "key-0 is wrong")]).await;
    let (labels, events) = all(start(provider(&server.url), 0, CancellationToken::new())).await;
    assert_eq!(labels, ["failed Unauthorized"]);
    assert!(error_of(&events).message.contains("[secret] is wrong"), "{events:?}");
    let server = Server::start(vec![status("401 No", "", "")]).await;
    let (labels, _) = all(start(provider(&server.url), 99, CancellationToken::new())).await;
    assert_eq!(labels, ["failed Unauthorized"]);
    assert_eq!(server.requests().len(), 3, "a persistent 401 ends");
}

#[tokio::test]
async fn nobody_signed_in_means_no_network() {
    let server = Server::start(vec![stream_of(&FRAMES)]).await;
    let keys = Keys { now: AtomicUsize::new(0), better: 0, signed_in: false };
    let (labels, events) =
        all(start_with(&client(provider(&server.url), keys), CancellationToken::new())).await;
    assert_eq!(labels, ["failed Unauthorized"]);
    assert!(error_of(&events).hint.unwrap().contains("codex login --with-api-key"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn other_refusals_end_at_once() {
    for (line, body, want) in [
        ("400 Bad", "<html><title>Bad thing</title></html>", "failed BadRequest"),
        ("403 No", "{}", "failed BadRequest"),
        ("404 No", "", "failed BadRequest"),
        ("503 Busy", r#"{"error":{"code":"server_is_overloaded"}}"#, "failed Overloaded"),
    ] {
        let (labels, requests) = play(vec![status(line, "", body)]).await;
        assert_eq!(labels, [want], "{line}");
        assert_eq!(requests.len(), 1, "{line}");
    }
    let (labels, _) =
        play(vec![status("200 OK", "content-type: text/html\r\n", "<title>Hotel</title>")]).await;
    assert_eq!(labels, ["failed Server"]);
}

#[tokio::test]
async fn an_error_body_without_end_is_bounded() {
    let endless = vec![send("HTTP/1.1 400 Bad\r\n\r\n"), Act::Forever(vec![b'x'; 1 << 16])];
    let (labels, _) = play(vec![endless]).await;
    assert_eq!(labels, ["failed BadRequest"]);
    let server =
        Server::start(vec![vec![send("HTTP/1.1 400 Bad\r\ncontent-length: 9\r\n\r\nabc"), Act::Hang]]).await;
    let settings = ProviderSettings { stream_idle_timeout_ms: 300, ..provider(&server.url) };
    let (labels, events) = all(start(settings, 0, CancellationToken::new())).await;
    assert_eq!(labels, ["failed BadRequest"]);
    assert!(error_of(&events).message.ends_with(": abc."), "{events:?}");
}

#[tokio::test]
async fn redirects_do_not_carry_the_key_away() {
    let other = Server::start(vec![stream_of(&FRAMES)]).await;
    let headers = format!("location: {}/responses\r\n", other.url);
    let (labels, _) = play(vec![status("307 Moved", &headers, "")]).await;
    assert_eq!(labels, ["failed BadRequest"]);
    assert_eq!(other.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_connection_ends_within_its_budget() {
    // A port that was free a moment ago.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let begin = Instant::now();
    let settings = provider(&format!("http://127.0.0.1:{port}"));
    let (labels, events) = all(start(settings, 0, CancellationToken::new())).await;
    assert_eq!(labels[0], "retry 1/0 Connection");
    assert_eq!(labels.last().unwrap(), "failed Connection");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let message = error_of(&events).message;
    assert!(message.contains(&port.to_string()) && message.contains("refused"), "{message}");
}

#[tokio::test]
async fn cancelling_ends_every_wait_without_an_event() {
    let hang_later = vec![send(format!("{OK}\r\n{}", FRAMES[0])), Act::Hang];
    for (script, before) in [
        (vec![Act::Hang], vec![]),
        (hang_later, vec!["created"]),
        (status("429 Slow", "retry-after: 50\r\n", ""), vec!["retry 1/1 RateLimited"]),
    ] {
        let server = Server::start(vec![script]).await;
        let cancel = CancellationToken::new();
        let mut stream = start(provider(&server.url), 0, cancel.clone());
        for want in before {
            assert_eq!(label(&stream.next().await.unwrap()), want);
        }
        let waiting = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
        assert!(waiting.is_err(), "{waiting:?}");
        cancel.cancel();
        assert!(stream.next().await.is_none());
        assert!(server.requests().len() <= 1, "nothing is sent after a cancel");
    }
}

#[tokio::test]
async fn a_reader_may_stop_waiting_and_come_back() {
    let slow = vec![Act::Pause(200), send(format!("{OK}\r\n")), Act::Pause(200), send(FRAMES.concat())];
    let server = Server::start(vec![slow]).await;
    let mut stream = start(provider(&server.url), 0, CancellationToken::new());
    let mut labels = Vec::new();
    loop {
        match tokio::time::timeout(Duration::from_millis(20), stream.next()).await {
            Ok(Some(event)) => labels.push(label(&event)),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    assert_eq!(labels, WHOLE);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn one_connection_and_one_turn_state_for_all_requests() {
    let text = FRAMES.concat();
    let answer = |extra: &str| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n";
        let all_but_the_end = format!("{head}{extra}\r\n{:x}\r\n{text}\r\n", text.len());
        vec![Act::KeepOpen, send(all_but_the_end), Act::Pause(20), send("0\r\n\r\n")]
    };
    let server =
        Server::start(vec![answer("x-codex-turn-state: sticky\r\nopenai-model: m2\r\n"), answer("")]).await;
    let client = client(provider(&server.url), Keys { now: AtomicUsize::new(0), better: 0, signed_in: true });
    let ids = ids();
    for round in 1..=2 {
        let request = Request {
            model: "m",
            instructions: None,
            input: &[],
            tools: &[],
            parallel_tool_calls: false,
            reasoning: None,
            verbosity: None,
            output_schema: None,
            service_tier: None,
            ids: &ids,
        };
        let (labels, _) = all(client.stream(&request, CancellationToken::new())).await;
        assert_eq!(labels.contains(&"model m2".to_owned()), round == 1);
        while server.answered.load(Ordering::SeqCst) < round {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The connection goes back to the pool in a task of its own; a turn has more to do in between than this.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    let requests = server.requests();
    assert!(!requests[0].contains("x-codex-turn-state"));
    assert!(requests[1].contains("x-codex-turn-state: sticky"), "{}", requests[1]);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}
