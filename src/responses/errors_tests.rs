//! Tests of classification: the tables of the wire specification, odd bodies, and what texts may contain.

use super::*;

fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(n, v)| ((*n).parse().unwrap(), (*v).parse().unwrap())).collect()
}

fn refuse(status: u16, pairs: &[(&'static str, &'static str)], body: &str) -> Failure {
    from_refusal(&Refusal {
        status,
        headers: &map(pairs),
        body: body.as_bytes(),
        url: "http://x/v1/responses",
        now: Timestamp::from_second(1_795_176_000).unwrap(),
        zone: &TimeZone::UTC,
    })
}

#[test]
fn statuses() {
    use ErrorKind as K;
    let code = |code: &str| format!(r#"{{"error":{{"message":"words","code":"{code}"}}}}"#);
    let kind = |kind: &str| format!(r#"{{"error":{{"message":"words","type":"{kind}"}}}}"#);
    let retry = Then::RepeatStream(None);
    for (status, body, want, then) in [
        (400, code("x"), K::BadRequest, Then::Stop),
        (400, code("context_length_exceeded"), K::ContextTooLong, Then::Stop),
        (400, code("cyber_policy"), K::Policy, Then::Stop),
        (422, String::new(), K::BadRequest, Then::Stop),
        (401, code("token_expired"), K::Unauthorized, Then::Recover),
        (401, "<html>".to_owned(), K::Unauthorized, Then::Recover),
        (402, String::new(), K::Quota, Then::Stop),
        (403, String::new(), K::BadRequest, Then::Stop),
        (404, "<h1>Not Found</h1>".to_owned(), K::BadRequest, Then::Stop),
        (413, String::new(), K::ContextTooLong, Then::Stop),
        (302, String::new(), K::BadRequest, Then::Stop),
        (429, kind("usage_limit_reached"), K::UsageLimit, Then::Stop),
        (429, kind("usage_not_included"), K::Quota, Then::Stop),
        (429, code("insufficient_quota"), K::Quota, Then::Stop),
        (429, code("rate_limit_exceeded"), K::RateLimited, retry),
        (429, String::new(), K::RateLimited, retry),
        (500, String::new(), K::Server, Then::RepeatRequest),
        (502, "<title>Bad Gateway</title>".to_owned(), K::Server, Then::RepeatRequest),
        (503, code("server_is_overloaded"), K::Overloaded, Then::Stop),
        (503, code("slow_down"), K::Overloaded, Then::Stop),
        (503, "\0\0".to_owned(), K::Server, Then::RepeatRequest),
        (599, "[1,2]".to_owned(), K::Server, Then::RepeatRequest),
        (418, r#"{"error":7}"#.to_owned(), K::BadRequest, Then::Stop),
    ] {
        let got = refuse(status, &[], &body);
        assert_eq!((got.info.kind, got.then), (want, then), "{status} {body}");
        assert!(!got.info.message.is_empty() && !got.info.message.contains('\n'), "{status} {body}");
    }
}

#[test]
fn waits_that_the_server_names() {
    let after = |s| Then::RepeatStream(Some(Duration::from_secs(s)));
    assert_eq!(refuse(429, &[("retry-after", "2")], "").then, after(2));
    assert_eq!(refuse(429, &[("retry-after", "9999")], "").then, after(60));
    assert_eq!(refuse(503, &[("retry-after", "7")], "").then, after(7));
    assert_eq!(refuse(500, &[("retry-after", "Fri, 20 Nov 2026 12:00:05 GMT")], "").then, after(5));
    assert_eq!(refuse(429, &[("retry-after", "later")], "").then, Then::RepeatStream(None));
}

#[test]
fn words_of_the_service() {
    for (body, want) in [
        (r#"{"error":{"message":"Unknown\nmodel."}}"#, "The service refused the request: Unknown model."),
        (r#"{"error":"plain"}"#, "The service refused the request: plain."),
        (r#"{"detail":"plain"}"#, "The service refused the request: plain."),
        (r#"{"message":"top"}"#, "The service refused the request: top."),
        ("<html><head><title>Blocked</title></head></html>", "The service refused the request: Blocked."),
        ("plain text", "The service refused the request: plain text."),
        ("", "The service refused the request."),
        ("\u{1b}[2Jhi", "The service refused the request: [2Jhi."),
    ] {
        assert_eq!(refuse(400, &[], body).info.message, want, "{body}");
    }
    let long = refuse(400, &[], &"x".repeat(100_000)).info.message;
    assert!(long.chars().count() < 500, "{}", long.len());
    let with_id = refuse(404, &[("cf-ray", "abc")], "").info.message;
    assert_eq!(with_id, "Unexpected HTTP status 404 from http://x/v1/responses (request id abc).");
}

#[test]
fn a_usage_limit_says_what_to_do() {
    let body =
        r#"{"error":{"type":"usage_limit_reached","message":"m","plan_type":"plus","resets_at":1795181000}}"#;
    let got = refuse(429, &[], body).info;
    assert!(got.hint.as_deref().unwrap().ends_with("or try again at 13:23"), "{got:?}");
    let body = r#"{"error":{"type":"usage_limit_reached","resets_in_seconds":60}}"#;
    assert_eq!(refuse(429, &[], body).info.hint.as_deref(), Some("try again at 12:01"));
    let headers = [("x-codex-active-limit", "codex_other"), ("x-codex-other-limit-name", "Other")];
    let got = refuse(429, &headers, body).info;
    assert_eq!(got.message, "The usage limit of Other is reached.");
    let body = r#"{"error":{"type":"usage_limit_reached","resets_at":"soon","plan_type":[1]}}"#;
    assert_eq!(refuse(429, &[], body).info.hint.as_deref(), Some("try again later"));
}

#[test]
fn failed_events() {
    use ErrorKind as K;
    let retry = |ms: Option<u64>| Then::RepeatStream(ms.map(Duration::from_millis));
    for (code, message, kind, then) in [
        ("context_length_exceeded", "m", K::ContextTooLong, Then::Stop),
        ("rate_limit_exceeded", "Please try again in 1.5s.", K::RateLimited, retry(Some(1500))),
        ("rate_limit_exceeded", "", K::RateLimited, retry(None)),
        ("server_is_overloaded", "m", K::Overloaded, Then::Stop),
        ("slow_down", "m", K::Overloaded, Then::Stop),
        ("insufficient_quota", "m", K::Quota, Then::Stop),
        ("usage_not_included", "m", K::Quota, Then::Stop),
        ("usage_limit_reached", "m", K::UsageLimit, Then::Stop),
        ("invalid_prompt", "no", K::BadRequest, Then::Stop),
        ("cyber_policy", "no", K::Policy, Then::Stop),
        ("server_error", "m", K::Server, retry(None)),
        ("", "", K::Server, retry(None)),
    ] {
        let text = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        let body = wire::ErrorBody { code: text(code), message: text(message), ..wire::ErrorBody::default() };
        let got = from_event(&body);
        assert_eq!((got.info.kind, got.then), (kind, then), "{code}");
        assert!(!got.info.message.is_empty(), "{code}");
    }
}

#[test]
fn a_page_instead_of_a_stream() {
    let got = not_a_stream(&Refusal {
        status: 200,
        headers: &HeaderMap::new(),
        body: b"<title>Hotel WiFi</title>",
        url: "http://x/",
        now: Timestamp::UNIX_EPOCH,
        zone: &TimeZone::UTC,
    });
    assert_eq!((got.info.kind, got.then), (ErrorKind::Server, Then::Stop));
    assert!(got.info.message.contains("Hotel WiFi"), "{}", got.info.message);
}
