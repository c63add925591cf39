//! Whether a request repeats its forerunner: the service's prompt cache works on identical bytes, so a client
//! that renders an old item anew pays for the whole thread again. Also whether the items of the last answer came
//! back as they were sent. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// How much of an item is kept to show where it differs, in characters.
const HEAD: usize = 160;

/// What is remembered of the last request of a thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Former {
    /// Context window; another one starts afresh.
    pub(crate) window: Option<String>,
    /// Model, instructions and tools, as one hash of bytes each.
    front: Front,
    /// The input items.
    items: Vec<Seen>,
    /// Items of the answer that was sent in full.
    pub(crate) sent: Vec<Value>,
    /// Length of the whole body.
    pub(crate) body_bytes: usize,
}

/// What stands before the input in the cached prefix.
#[derive(Clone, Debug, Default, PartialEq)]
struct Front {
    model: String,
    instructions: u64,
    tools: u64,
}

/// One item: hash of its bytes, and its beginning.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    hash: u64,
    head: String,
}

/// The parts of a body whose exact bytes matter.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(default)]
    model: String,
    #[serde(borrow)]
    instructions: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Vec<&'a RawValue>,
}

impl Former {
    /// Looks at the bytes of a body; `None` when it cannot be read (which `validate` tells better).
    pub(crate) fn of(body: &str, window: Option<String>) -> Option<Self> {
        let raw: Raw<'_> = serde_json::from_str(body).ok()?;
        let bytes = |value: Option<&RawValue>| value.map_or(0, |value| hash(value.get()));
        let front =
            Front { model: raw.model, instructions: bytes(raw.instructions), tools: bytes(raw.tools) };
        let items = raw
            .input
            .iter()
            .map(|item| Seen { hash: hash(item.get()), head: item.get().chars().take(HEAD).collect() });
        Some(Self { window, front, items: items.collect(), sent: Vec::new(), body_bytes: body.len() })
    }

    /// Bytes that remembering this costs, roughly.
    pub(crate) fn cost(&self) -> usize {
        self.items.len() * (HEAD + 40) + self.sent.iter().map(|item| item.to_string().len()).sum::<usize>()
    }

    /// Checks that `next` begins with everything that was here. Nothing is compared across windows.
    pub(crate) fn check_next(&self, next: &Self, body: &Value) -> Result<(), String> {
        if self.window != next.window {
            return Ok(());
        }
        if self.front.model == next.front.model {
            for (what, was, is) in [
                ("instructions", self.front.instructions, next.front.instructions),
                ("tools", self.front.tools, next.front.tools),
            ] {
                if was != is {
                    return Err(format!("`{what}` differs from the former request of this thread"));
                }
            }
        }
        if self.is_taken_back(next, body) {
            return Ok(());
        }
        for (index, was) in self.items.iter().enumerate() {
            match next.items.get(index) {
                None => {
                    return Err(format!(
                        "`input` has {} items, the former request of this thread had {}",
                        next.items.len(),
                        self.items.len()
                    ));
                }
                Some(is) if is.hash != was.hash => return Err(differs(index, was, is)),
                Some(_) => {}
            }
        }
        let input = body.get("input").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        self.check_echo(input.get(self.items.len()..).unwrap_or_default())
    }

    /// Whether the user went back to an earlier prompt: one stood where the requests part, and nothing but another
    /// prompt stands there now.
    fn is_taken_back(&self, next: &Self, body: &Value) -> bool {
        let pairs = self.items.iter().zip(&next.items);
        let parting = pairs.take_while(|(was, is)| was.hash == is.hash).count();
        let Some(was) = self.items.get(parting).filter(|_| parting > 0) else { return false };
        let input = body.get("input").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let fresh = input.get(parting..).unwrap_or_default();
        let role = |item: &Value| item.get("role").and_then(Value::as_str).unwrap_or_default().to_owned();
        let prompts = fresh.iter().all(|item| matches!(role(item).as_str(), "user" | "developer"));
        was.head.contains("\"role\":\"user\"") && prompts && fresh.iter().any(|item| role(item) == "user")
    }

    /// Items of the last answer come back in order and unchanged. They may be missing from the end (the client
    /// was stopped before it saw them), but not before one that is there.
    fn check_echo(&self, added: &[Value]) -> Result<(), String> {
        let mut added = added.iter();
        let mut missing: Option<&Value> = None;
        for sent in &self.sent {
            let rest = added.clone();
            let Some(at) = rest.clone().position(|item| same(sent, item)) else {
                if let Some(item) = rest.clone().find(|item| identity(item) == identity(sent)) {
                    return Err(format!("{} came back changed: {}", name(sent), first_change(sent, item)));
                }
                missing = missing.or(Some(sent));
                continue;
            };
            if let Some(lost) = missing {
                return Err(format!("{} came back without {} before it", name(sent), name(lost)));
            }
            added = added.as_slice().get(at + 1..).unwrap_or_default().iter();
        }
        Ok(())
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn differs(index: usize, was: &Seen, is: &Seen) -> String {
    let at = was.head.chars().zip(is.head.chars()).take_while(|(a, b)| a == b).count();
    let from = |head: &str| head.chars().skip(at.saturating_sub(20)).take(60).collect::<String>();
    let (was, is) = (from(&was.head), from(&is.head));
    if was == is {
        return format!(
            "input[{index}] differs from the former request of this thread, after its first {HEAD} characters"
        );
    }
    format!("input[{index}] differs from the former request of this thread: was …{was}…, is …{is}…")
}

/// What makes two items the same one: type and id.
fn identity(item: &Value) -> (Option<&Value>, Option<&Value>) {
    let id = item.get("call_id").filter(|_| item.get("output").is_none()).or_else(|| item.get("id"));
    (item.get("type"), id)
}

fn name(item: &Value) -> String {
    let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or("?");
    let id = if item.get("call_id").is_some() { text("call_id") } else { text("id") };
    format!("{} `{id}`", text("type"))
}

/// Fields that carry meaning; others (status, annotations) may be left out by a client.
const FIELDS: [&str; 9] =
    ["type", "id", "call_id", "name", "namespace", "arguments", "input", "encrypted_content", "summary"];

fn same(sent: &Value, item: &Value) -> bool {
    FIELDS.iter().all(|key| sent.get(*key) == item.get(*key)) && text_of(sent) == text_of(item)
}

fn first_change(sent: &Value, item: &Value) -> String {
    let changed = FIELDS.iter().find(|key| sent.get(**key) != item.get(**key));
    format!("its `{}`", changed.unwrap_or(&"content"))
}

fn text_of(item: &Value) -> Vec<&str> {
    let parts = item.get("content").and_then(Value::as_array);
    parts.into_iter().flatten().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn former(input: &str) -> (Former, Value) {
        let body = format!(r#"{{"model":"m","input":{input}}}"#);
        (Former::of(&body, Some("w:0".to_owned())).unwrap(), serde_json::from_str(&body).unwrap())
    }

    fn check(first: &str, sent: Value, second: &str) -> Result<(), String> {
        let (mut was, _) = former(first);
        was.sent = sent.as_array().cloned().unwrap_or_default();
        let (is, body) = former(second);
        was.check_next(&is, &body)
    }

    #[test]
    fn prefixes() {
        let none = || Value::Null;
        assert_eq!(check(r#"[{"a":1}]"#, none(), r#"[{"a":1},{"b":2}]"#), Ok(()));
        assert!(check(r#"[{"a":1}]"#, none(), r#"[{"a": 1}]"#).unwrap_err().contains("input[0] differs"));
        assert!(check(r#"[{"a":1},{"b":2}]"#, none(), r#"[{"a":1}]"#).unwrap_err().contains("had 2"));
    }

    #[test]
    fn another_window_starts_afresh() {
        let (was, _) = former(r#"[{"a":1}]"#);
        let (mut is, body) = former(r#"[{"c":1}]"#);
        assert!(was.check_next(&is, &body).is_err());
        is.window = Some("w:1".to_owned());
        assert_eq!(was.check_next(&is, &body), Ok(()));
    }

    #[test]
    fn sent_items_come_back() {
        let reasoning =
            serde_json::json!({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"E"});
        let call = serde_json::json!({"type":"function_call","id":"fc_1","call_id":"c1","name":"x","arguments":"{}"});
        let sent = || serde_json::json!([reasoning, call]);
        let mut less = call.clone();
        less["status"] = "completed".into();
        let mut changed = call.clone();
        changed["arguments"] = "{ }".into();
        for (added, want) in [
            (vec![&reasoning, &call], None),
            (vec![&reasoning, &less], None),
            (vec![&reasoning], None),
            (vec![], None),
            (vec![&call], Some("without reasoning `rs_1` before it")),
            (vec![&reasoning, &changed], Some("its `arguments`")),
        ] {
            let second = serde_json::to_string(&added).unwrap();
            match (check("[]", sent(), &second), want) {
                (Ok(()), None) => {}
                (Err(message), Some(part)) => assert!(message.contains(part), "{message}"),
                (got, want) => panic!("{second}: {got:?}, wanted {want:?}"),
            }
        }
    }
}
