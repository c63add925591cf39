//! What a thread's requests cost in tokens, when, with which model and for which tools: the raw material of
//! `codex usage explain`. Reads one file from its start and holds one line at a time. A tool is charged by the share
//! of characters that its calls and outputs add to the next request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::reader::Forwards;
use crate::protocol::tokens::TokenUsage;

/// Tools named per request; more share one name.
const MAX_TOOLS: usize = 32;

/// The tokens of one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Use {
    /// Unix milliseconds at which it was answered.
    pub(crate) at_ms: u64,
    /// Model of its turn.
    pub(crate) model: Option<String>,
    /// Tokens, those that were cached at a tenth.
    pub(crate) weight: f64,
    /// Share of each tool in what was new to the request; the rest is the conversation itself.
    pub(crate) tools: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
struct ModelOnly {
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
struct TokensOnly {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    last_token_usage: TokenUsage,
}

#[derive(Deserialize)]
struct ItemOnly<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    call_id: Option<Cow<'a, str>>,
}

/// The requests of a file since `from` (unix seconds).
///
/// # Errors
/// The file cannot be read.
pub(crate) fn uses(path: &Path, from: u64) -> io::Result<Vec<Use>> {
    let mut lines = Forwards::open(path)?;
    let mut collector = Collector::default();
    while let Some(line) = lines.next()? {
        if let Ok(bytes) = line.bytes {
            collector.line(bytes, from);
        }
    }
    Ok(collector.uses)
}

#[derive(Default)]
struct Collector {
    model: Option<String>,
    /// Names of calls by their id.
    calls: BTreeMap<String, String>,
    /// Characters since the last request: of all entries, and of each tool's.
    all: f64,
    tools: BTreeMap<String, f64>,
    last_total: Option<TokenUsage>,
    uses: Vec<Use>,
}

impl Collector {
    fn line(&mut self, bytes: &[u8], from: u64) {
        let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(bytes) else { return };
        let payload = envelope.payload.get();
        match &*envelope.kind {
            "turn_context" => {
                if let Ok(ModelOnly { model: Some(model) }) = serde_json::from_str(payload) {
                    self.model = Some(model);
                }
            }
            "response_item" => self.item(payload),
            "event_msg" if payload.contains("token_count") => {
                let at = envelope.timestamp.and_then(|text| text.parse::<jiff::Timestamp>().ok());
                let at = at.and_then(|at| u64::try_from(at.as_millisecond()).ok());
                self.tokens(payload, at, from);
            }
            _ => {}
        }
    }

    fn item(&mut self, payload: &str) {
        let Ok(item) = serde_json::from_str::<ItemOnly<'_>>(payload) else { return };
        let size = payload.len() as f64;
        self.all += size;
        let name = match (item.name, item.call_id) {
            (Some(name), call_id) => {
                if let Some(id) = call_id.filter(|_| self.calls.len() < 4096) {
                    self.calls.insert(id.into_owned(), name.clone().into_owned());
                }
                Some(name.into_owned())
            }
            (None, Some(id)) => self.calls.remove(&*id),
            (None, None) => None,
        };
        let is_call = item.kind.contains("call");
        if let Some(name) = name.filter(|_| is_call) {
            let full = self.tools.len() >= MAX_TOOLS && !self.tools.contains_key(&name);
            *self.tools.entry(if full { "other tools".to_owned() } else { name }).or_insert(0.0) += size;
        }
    }

    fn tokens(&mut self, payload: &str, at_ms: Option<u64>, from: u64) {
        let Ok(TokensOnly { kind, info: Some(info) }) = serde_json::from_str(payload) else { return };
        let usage = info.last_token_usage;
        // The line is repeated when only the limits changed.
        if kind != "token_count" || self.last_total.as_ref() == Some(&usage) {
            return;
        }
        let (all, tools) = (std::mem::take(&mut self.all), std::mem::take(&mut self.tools));
        let fresh = usage.input_tokens.saturating_sub(usage.cached_input_tokens);
        let weight = fresh as f64 + usage.cached_input_tokens as f64 / 10.0 + usage.output_tokens as f64;
        self.last_total = Some(usage);
        if let Some(at_ms) = at_ms.filter(|at| *at / 1000 >= from && weight > 0.0) {
            let tools = tools.into_iter().map(|(name, size)| (name, size / all.max(1.0))).collect();
            self.uses.push(Use { at_ms, model: self.model.clone(), weight, tools });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_by_model_and_tool() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.jsonl");
        let at = |n: u64| format!("2026-11-20T10:00:{n:02}Z");
        let count = |n: u64, input: u64| {
            format!(
                r#"{{"timestamp":"{}","type":"event_msg","payload":{{"type":"token_count","info":{{"total_token_usage":{{"input_tokens":1,"output_tokens":1,"total_tokens":2}},"last_token_usage":{{"input_tokens":{input},"cached_input_tokens":100,"output_tokens":10,"total_tokens":9}}}}}}}}"#,
                at(n)
            )
        };
        let lines = [
            r#"{"timestamp":"x","type":"turn_context","payload":{"model":"m-1"}}"#.to_owned(),
            r#"{"type":"response_item","payload":{"type":"function_call","name":"shell","call_id":"c1","arguments":"{}"}}"#.to_owned(),
            r#"{"type":"response_item","payload":{"type":"function_call_output","call_id":"c1","output":"0123456789"}}"#.to_owned(),
            count(5, 200),
            count(6, 200),
            "garbage".to_owned(),
            count(7, 300),
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let uses = uses(&path, 0).unwrap();
        assert_eq!(uses.len(), 2);
        assert_eq!((uses[0].model.as_deref(), uses[0].weight), (Some("m-1"), 120.0));
        assert_eq!(uses[0].tools["shell"], 1.0);
        assert!(uses[1].tools.is_empty());
        assert!(super::uses(&path, uses[1].at_ms / 1000 + 1).unwrap().is_empty());
    }
}
