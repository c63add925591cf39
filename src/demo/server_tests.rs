//! The backend over real connections, with a client of a few lines.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Sends one request and reads to the end of the connection: status, head, body without chunk marks.
async fn ask(
    server: &Server,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.backend().port)).await.unwrap();
    let auth = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{auth}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let split = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let head = String::from_utf8_lossy(&answer[..split]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = if head.contains("chunked") { unchunk(&answer[split..]) } else { answer[split..].to_vec() };
    (status, head, body)
}

/// Joins chunks; a missing end mark is told by a last `!`.
fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(at) = bytes.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..at]).unwrap(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&bytes[at + 2..(at + 2 + size).min(bytes.len())]);
        bytes = bytes.get(at + 4 + size..).unwrap_or_default();
    }
    whole.push(b'!');
    whole
}

async fn start(script: &str) -> Server {
    let script = Script::read("test", script).unwrap();
    Server::start(script, Options { port: 0, auth: true, scale: 0.0 }).await.unwrap()
}

fn request(input: &[Value]) -> String {
    json!({
        "model": "m", "stream": true, "store": false, "prompt_cache_key": "k", "include": ["reasoning.encrypted_content"],
        "input": input, "tools": [{"type": "function", "name": "exec_command", "parameters": {}}],
    })
    .to_string()
}

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

/// Posts to the model route; events of the answer, or its body as one.
async fn post(server: &Server, body: &str) -> (u16, Vec<Value>) {
    let (status, _, body) = ask(server, "POST", "/v1/responses", Some(server.token().expose()), body).await;
    let text = String::from_utf8_lossy(&body).into_owned();
    if status != 200 {
        return (status, vec![serde_json::from_str(&text).unwrap_or(Value::from(text))]);
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    (status, data.filter_map(|data| serde_json::from_str(data).ok()).collect())
}

const TWO_STEPS: &str = "[[rule]]\nname = 'run'\nwhen = { user = 'go', round = 0 }\noutput = [{ reasoning = 'hm' }, { exec = 'make' }]\n\
    [[rule]]\nname = 'good'\nwhen = { after = 'run', exit = 0 }\noutput = [{ text = 'It worked: {{last_line}}' }]\n\
    [[rule]]\nname = 'bad'\nwhen = { after = 'run' }\noutput = [{ text = 'It ended with {{exit}}' }]\n";

#[tokio::test]
async fn a_turn_reacts_to_what_really_happened() {
    for (code, want) in [(0, "It worked: done"), (2, "It ended with 2")] {
        let server = start(TWO_STEPS).await;
        let mut input = vec![user("go on")];
        let (status, events) = post(&server, &request(&input)).await;
        assert_eq!(status, 200, "{events:?}");
        let items = events.iter().filter(|event| event["type"] == "response.output_item.done");
        input.extend(items.map(|event| event["item"].clone()));
        let call_id = input.last().unwrap()["call_id"].clone();
        let output = format!("Process exited with code {code}\nOutput:\nalmost\ndone\n");
        input.push(json!({"type": "function_call_output", "call_id": call_id, "output": output}));
        let (_, events) = post(&server, &request(&input)).await;
        let text: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
        assert_eq!(text, want);
        let state = server.backend().state();
        assert_eq!((state.answered, state.breaches, state.last_history.len()), (2, 0, 5));
    }
}

#[tokio::test]
async fn breaches_are_refused_and_counted() {
    let server = start(TWO_STEPS).await;
    assert_eq!(post(&server, &request(&[user("go")])).await.0, 200);
    let leak = user(&format!("my key is {}", server.token().expose()));
    for (body, part) in [
        ("{".to_owned(), "no JSON object"),
        (request(&[]), "`input` is empty"),
        (request(&[user("gone")]), "input[0] differs from the former request"),
        (request(&[user("go"), leak]), "the provider's key"),
    ] {
        let (status, answer) = post(&server, &body).await;
        assert!(status == 400 && answer[0].to_string().contains(part), "{answer:?}, wanted {part}");
    }
    let state = server.backend().state();
    assert_eq!((state.breaches, state.breach_texts.len()), (4, 4));
}

#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let server = start(TWO_STEPS).await;
    for path in ["/v1/responses", "/v1/models", "/control/state", "/anything"] {
        for token in [None, Some("wrong")] {
            assert_eq!(ask(&server, "GET", path, token, "").await.0, 401, "{path}");
        }
    }
    let token = server.token().expose();
    assert_eq!(ask(&server, "GET", "/v1/models?client_version=1", Some(token), "").await.0, 200);
    assert_eq!(ask(&server, "GET", "/v1/responses", Some(token), "").await.0, 426);
    assert_eq!(ask(&server, "GET", "/else", Some(token), "").await.0, 404);
    let (_, _, requests) = ask(&server, "GET", "/control/requests", Some(token), "").await;
    let requests = String::from_utf8(requests).unwrap();
    assert!(requests.contains("Bearer [token]") && !requests.contains(token), "{requests}");
}

#[tokio::test]
async fn tests_can_script_and_break_the_backend_from_outside() {
    let server = start(TWO_STEPS).await;
    let token = Some(server.token().expose());
    let (status, _, body) = ask(&server, "POST", "/control/script", token, "[[rule]]\nname = 'x'\n").await;
    assert!(status == 400 && String::from_utf8_lossy(&body).contains("script:1: rule `x` answers nothing"));
    let script = "[[rule]]\nname = 'once'\ntimes = 1\noutput = [{ text = 'one' }]\n[[rule]]\noutput = [{ text = 'two' }]\n";
    assert_eq!(ask(&server, "POST", "/control/script", token, script).await.0, 200);
    let faults = "[[fault]]\nkind = 'status'\ncode = 429\nbody = 'usage-limit'\n[[fault]]\nkind = 'status'\ncode = 500\nbody = 'html'\n";
    assert_eq!(ask(&server, "POST", "/control/faults", token, faults).await.0, 200);
    let body = request(&[user("hi")]);
    let (status, head, answer) = ask(&server, "POST", "/v1/responses", token, &body).await;
    assert!(status == 429 && head.contains("x-codex-primary-used-percent: 100.0"), "{head}");
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert!(answer["error"]["resets_at"].as_u64() > Some(1_700_000_000), "{answer}");
    assert_eq!(post(&server, &body).await.0, 500);
    for want in ["one", "two", "two"] {
        let (_, events) = post(&server, &body).await;
        assert_eq!(events.iter().find_map(|event| event["delta"].as_str()), Some(want));
    }
    let carried = user("hi\n```script\n[[rule]]\noutput = [{ text = 'carried' }]\n```");
    let mut other: Value = serde_json::from_str(&request(&[carried])).unwrap();
    other["prompt_cache_key"] = "other".into();
    let (_, events) = post(&server, &other.to_string()).await;
    assert_eq!(events.iter().find_map(|event| event["delta"].as_str()), Some("carried"));
}

#[tokio::test]
async fn cuts_reach_the_wire_where_they_should() {
    let cases = [
        ("kind = 'cut', bytes = 30", 30, true),
        ("kind = 'cut', at = 'headers'", 0, true),
        ("kind = 'cut', events = 0, clean = true", 0, false),
    ];
    for (fault, bytes, broken) in cases {
        let server = start(&format!("[[rule]]\nfault = {{ {fault} }}\noutput = [{{ text = 'ä' }}]\n")).await;
        let (status, _, body) =
            ask(&server, "POST", "/v1/responses", Some(server.token().expose()), &request(&[user("x")]))
                .await;
        let ended_badly = status == 0 || body.last() == Some(&b'!');
        assert_eq!(
            (body.len() - usize::from(status != 0 && ended_badly), ended_badly),
            (bytes, broken),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn oversized_and_unreadable_bodies_are_refused() {
    let server = start(TWO_STEPS).await;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.backend().port)).await.unwrap();
    let head = format!("POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", MOST_BODY + 1);
    stream.write_all(head.as_bytes()).await.unwrap();
    let block = vec![b' '; 1 << 20];
    while stream.write_all(&block).await.is_ok() {}
    let mut answer = [0; 12];
    // The answer may be lost with the reset; the server must live on in any case.
    if stream.read_exact(&mut answer).await.is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    let (status, _, _) = ask(&server, "POST", "/v1/responses", Some(server.token().expose()), "").await;
    assert_eq!(status, 400);
}
