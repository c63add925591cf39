//! The frame of a rollout line: `{"timestamp","type","payload"}`, plus `ordinal` in the newer record mode.
//! Payloads stay raw JSON here; who needs one parses it. Writing makes no tree of values in between, and a line
//! never holds a raw line break.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How every line of ours begins. Also the place to look for when two lines ran into each other.
const OPENING: &[u8] = b"{\"timestamp\"";

/// One line as read, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Place in the thread; only in the newer record mode.
    pub(crate) ordinal: Option<u64>,
    /// What it holds.
    pub(crate) record: Record<'a>,
    /// Something stood before it in the same line and is lost.
    pub(crate) salvaged: bool,
}

/// The payload by type of line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'a> {
    /// `session_meta`: what thread this is.
    Meta(&'a RawValue),
    /// `turn_context`: settings of the turn.
    Context(&'a RawValue),
    /// `response_item`: an entry of what the model sees.
    Model(&'a RawValue),
    /// `event_msg`: something the user saw, or a turn's start and end.
    Event(&'a RawValue),
    /// `compacted`: the history begins anew here.
    Compacted(&'a RawValue),
    /// A type we do not know or do not need.
    Other,
}

/// Why a line could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Not JSON, cut short, or not a record.
    NotARecord(String),
    /// The record is there but its payload has the wrong shape.
    WrongShape(String),
    /// Longer than we read at once.
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// The last line has no end: the writer was killed in the middle of it.
    Torn,
    /// A file this one continues is missing or runs in a circle.
    MissingBase(String),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotARecord(why) => write!(f, "not a record ({why})"),
            Self::WrongShape(why) => write!(f, "a record of a strange shape ({why})"),
            Self::TooLong { bytes } => write!(f, "too long ({bytes} bytes)"),
            Self::Torn => f.write_str("torn"),
            Self::MissingBase(what) => write!(f, "earlier lines are missing ({what})"),
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(default, borrow)]
    ordinal: Option<&'a RawValue>,
}

/// Reads one line without its line break.
///
/// NUL bytes before the record (blocks that never reached the disk) are ignored, and of two lines that ran into
/// each other the later is saved.
///
/// # Errors
/// The line holds no record.
pub(crate) fn parse(bytes: &[u8]) -> Result<Line<'_>, Reason> {
    let bytes = trim(bytes);
    let first = match parse_exact(bytes) {
        Ok(line) => return Ok(line),
        Err(reason) => reason,
    };
    match memchr::memmem::rfind(bytes, OPENING).filter(|at| *at > 0).and_then(|at| bytes.get(at..)) {
        Some(tail) => match parse_exact(tail) {
            Ok(line) => Ok(Line { salvaged: true, ..line }),
            Err(_) => Err(first),
        },
        None => Err(first),
    }
}

fn parse_exact(bytes: &[u8]) -> Result<Line<'_>, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|error| Reason::NotARecord(error.to_string()))?;
    let envelope: Envelope<'_> =
        serde_json::from_str(text).map_err(|error| Reason::NotARecord(error.to_string()))?;
    let payload = envelope.payload;
    let record = match &*envelope.kind {
        "session_meta" => Record::Meta(payload),
        "turn_context" => Record::Context(payload),
        "response_item" => Record::Model(payload),
        "event_msg" => Record::Event(payload),
        "compacted" => Record::Compacted(payload),
        _ => Record::Other,
    };
    let ordinal = envelope.ordinal.and_then(|raw| raw.get().parse().ok());
    Ok(Line { ordinal, record, salvaged: false })
}

fn trim(bytes: &[u8]) -> &[u8] {
    let junk = |b: &u8| *b == 0 || b.is_ascii_whitespace();
    let start = bytes.iter().position(|b| !junk(b)).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// Parses a payload, telling a wrong shape as the reason.
pub(crate) fn payload<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Reason> {
    serde_json::from_str(raw.get()).map_err(|error| Reason::WrongShape(error.to_string()))
}

/// The `type` of a payload.
#[derive(Deserialize)]
pub(crate) struct Kind<'a> {
    /// The word.
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Cow<'a, str>,
}

#[derive(Serialize)]
struct Frame<'a, P> {
    timestamp: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    payload: P,
}

/// Collects lines of one moment into one buffer, to be appended in one write.
#[derive(Debug)]
pub(crate) struct Batch {
    timestamp: String,
    bytes: Vec<u8>,
}

impl Batch {
    /// An empty batch. `now_ms` is the time of all its lines.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self { timestamp: timestamp(now_ms), bytes: Vec::with_capacity(512) }
    }

    /// Adds a line; on failure the batch is unchanged.
    pub(crate) fn push(&mut self, kind: &'static str, payload: impl Serialize) -> serde_json::Result<()> {
        let before = self.bytes.len();
        let frame = Frame { timestamp: &self.timestamp, kind, payload };
        if let Err(error) = serde_json::to_writer(&mut self.bytes, &frame) {
            self.bytes.truncate(before);
            return Err(error);
        }
        // Embedded JSON is taken as it came. A line break in it can only stand between tokens, where a space
        // means the same.
        let line = self.bytes.get_mut(before..).unwrap_or_default();
        let mut from = 0;
        while let Some(at) = memchr::memchr2(b'\n', b'\r', line.get(from..).unwrap_or_default()) {
            from += at;
            if let Some(byte) = line.get_mut(from) {
                *byte = b' ';
            }
        }
        self.bytes.push(b'\n');
        Ok(())
    }

    /// The lines, each with its line break.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The time of the lines, as written.
    pub(crate) fn timestamp(&self) -> &str {
        &self.timestamp
    }
}

/// UTC with milliseconds and `Z`.
pub(crate) fn timestamp(now_ms: u64) -> String {
    let moment = Timestamp::from_millisecond(i64::try_from(now_ms).unwrap_or(i64::MAX)).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Milliseconds of a timestamp as written by any version.
pub(crate) fn timestamp_ms(text: &str) -> Option<u64> {
    let moment: Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_milliseconds_and_go_back() {
        assert_eq!(timestamp(1_795_174_635_635), "2026-11-20T11:37:15.635Z");
        assert_eq!(timestamp(1_795_174_635_000), "2026-11-20T11:37:15.000Z");
        assert_eq!(timestamp_ms("2026-11-20T11:37:15.635Z"), Some(1_795_174_635_635));
        assert_eq!(timestamp_ms("yesterday"), None);
    }

    #[test]
    fn embedded_json_keeps_its_bytes_but_not_its_line_breaks() {
        let raw = RawValue::from_string("{\"b\": 1,\n \"a\":\"x\\ny\"}".to_owned()).unwrap();
        let mut batch = Batch::new(0);
        batch.push("response_item", &raw).unwrap();
        let text = std::str::from_utf8(batch.bytes()).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.contains("{\"b\": 1,  \"a\":\"x\\ny\"}"), "{text}");
    }

    #[test]
    fn parse_cases() {
        let good = br#"{"timestamp":"t","type":"event_msg","payload":{"type":"x"},"ordinal":7,"more":1}"#;
        let line = parse(good).unwrap();
        assert_eq!(line.ordinal, Some(7));
        assert!(matches!(line.record, Record::Event(raw) if raw.get() == r#"{"type":"x"}"#));
        for (text, fine) in [
            (&b"{\"type\":\"never_seen\",\"payload\":null}"[..], true),
            (b"{\"type\":\"event_msg\",\"payload\":3,\"ordinal\":\"x\"}", true),
            (b"{\"type\":7,\"payload\":{}}", false),
            (b"{\"type\":\"event_msg\"}", false),
            (b"[]", false),
            (b"", false),
            (b"\xff\xfe", false),
        ] {
            assert_eq!(parse(text).is_ok(), fine, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn saves_what_follows_nuls_and_torn_lines() {
        let good = r#"{"timestamp":"t","type":"compacted","payload":{}}"#;
        for before in ["\0\0\0\0", r#"{"timestamp":"t","type":"event_"#, r#"{"timestamp":"#] {
            let glued = format!("{before}{good}");
            let line = parse(glued.as_bytes()).unwrap();
            assert!(matches!(line.record, Record::Compacted(_)), "{before}");
            assert_eq!(line.salvaged, !before.starts_with('\0'), "{before}");
        }
    }
}
