//! Events as bytes, cut into pieces that have nothing to do with lines or characters, as a network does. Also
//! the faults that happen inside a stream. Pure: the same events give the same pieces.

use std::time::Duration;

use bytes::Bytes;

use super::answer::Event;
use super::faults::{Fault, Point};
use super::script_file::Wire;

/// What the body of a response does next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Send these bytes.
    Send(Bytes),
    /// Be silent for a while.
    Wait(Duration),
    /// Be silent until the client gives up.
    Stall,
    /// Drop the connection.
    Cut,
    /// Send these bytes for ever, with this wait between.
    Forever(Bytes, Duration),
}

/// Time between the last byte and a cut, so that the bytes leave before the connection does.
const BEFORE_CUT: Duration = Duration::from_millis(20);
/// Pace of comments that never end.
const COMMENT_PACE: Duration = Duration::from_millis(20);

/// Lays out a response: waits and bytes, with the stream fault built in.
pub(crate) fn steps(events: &[Event], wire: &Wire, fault: Option<&Fault>, scale: f64) -> Vec<Step> {
    match fault {
        Some(Fault::EndlessLine) => {
            let block = Bytes::from(vec![b'x'; 64 * 1024]);
            return vec![Step::Send(Bytes::from_static(b"data: ")), Step::Forever(block, Duration::ZERO)];
        }
        Some(Fault::EndlessComments) => {
            return vec![Step::Forever(Bytes::from_static(b": still here\n\n"), COMMENT_PACE)];
        }
        _ => {}
    }
    let mut layout = Layout::new(wire);
    if wire.bom {
        layout.bytes.extend_from_slice("\u{feff}".as_bytes());
    }
    for (number, event) in events.iter().enumerate() {
        if layout.events_reached(number, fault) {
            return layout.steps;
        }
        layout.disturb(number, fault);
        layout.event(&event.kind, &event.json);
        if wire.comment_every > 0 && number % wire.comment_every == wire.comment_every - 1 {
            layout.line(": keep-alive");
            layout.line("");
        }
        if event.delta && wire.delta_ms > 0 && scale > 0.0 {
            layout.flush();
            let wait = Duration::from_millis(wire.delta_ms).mul_f64(scale);
            layout.steps.push(Step::Wait(wait));
        }
    }
    if layout.events_reached(events.len(), fault) {
        return layout.steps;
    }
    layout.flush();
    cut_bytes(layout.steps, fault)
}

/// Collects bytes and waits.
struct Layout<'a> {
    wire: &'a Wire,
    steps: Vec<Step>,
    bytes: Vec<u8>,
    random: u64,
}

impl<'a> Layout<'a> {
    fn new(wire: &'a Wire) -> Self {
        Self { wire, steps: Vec::new(), bytes: Vec::new(), random: 0x9e37_79b9_7f4a_7c15 }
    }

    fn line(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.extend_from_slice(if self.wire.crlf { b"\r\n" } else { b"\n" });
    }

    fn event(&mut self, kind: &str, json: &str) {
        self.line(&format!("event: {kind}"));
        // JSON may be broken between any two tokens; after the first brace is always such a place.
        match json.strip_prefix('{').filter(|_| self.wire.split_data) {
            Some(rest) => {
                self.line("data: {");
                self.line(&format!("data:{rest}"));
            }
            None => self.line(&format!("data: {json}")),
        }
        self.line("");
    }

    /// Adds what a fault puts between the events.
    fn disturb(&mut self, number: usize, fault: Option<&Fault>) {
        match fault {
            Some(Fault::Garbage) => match number % 3 {
                0 => self
                    .event("response.output_text.delta", "{\"type\":\"response.output_text.delta\",\"delta"),
                1 => {
                    self.line("no field at all");
                    self.line("data");
                    self.line("");
                }
                _ => {
                    self.bytes.extend_from_slice(b"data: \xff\xfe\xc3\n\n");
                    self.event("message", "[1, 2");
                }
            },
            Some(Fault::UnknownEvents) => {
                self.event(
                    "response.surprise",
                    "{\"type\":\"response.surprise\",\"item\":{\"type\":\"mystery\"}}",
                );
            }
            Some(Fault::LongLine { bytes }) if number == 1 => {
                let padding = "x".repeat(*bytes);
                self.event(
                    "response.padding",
                    &format!("{{\"type\":\"response.padding\",\"padding\":\"{padding}\"}}"),
                );
            }
            _ => {}
        }
    }

    /// Ends or stalls before event `number` when the fault says so; true when the stream ends here.
    fn events_reached(&mut self, number: usize, fault: Option<&Fault>) -> bool {
        match fault {
            Some(Fault::Stall { at: Point::Events(events), time }) if *events == number => {
                self.flush();
                self.steps.push(time.map_or(Step::Stall, Step::Wait));
                time.is_none()
            }
            Some(Fault::Cut { at: Point::Events(events), clean }) if *events == number => {
                self.flush();
                if !clean {
                    self.steps.extend([Step::Wait(BEFORE_CUT), Step::Cut]);
                }
                true
            }
            _ => false,
        }
    }

    /// Turns the collected bytes into pieces.
    fn flush(&mut self) {
        let mut rest = Bytes::from(std::mem::take(&mut self.bytes));
        while !rest.is_empty() {
            let size = if self.wire.chunk > 0 { self.wire.chunk } else { self.odd_size() };
            let size = size.min(rest.len());
            self.steps.push(Step::Send(rest.split_to(size)));
        }
    }

    /// 1 to 1,200 bytes, small sizes often (xorshift; no real randomness, so that a failure repeats).
    fn odd_size(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let most = if self.random & 0x100 == 0 { 1200 } else { 60 };
        1 + (self.random % most) as usize
    }
}

/// Carries out the faults that count bytes.
fn cut_bytes(steps: Vec<Step>, fault: Option<&Fault>) -> Vec<Step> {
    let (at, end): (&Point, Vec<Step>) = match fault {
        Some(Fault::Cut { at, clean: true }) => (at, Vec::new()),
        Some(Fault::Cut { at, clean: false }) => (at, vec![Step::Wait(BEFORE_CUT), Step::Cut]),
        Some(Fault::Stall { at, time: None }) => (at, vec![Step::Stall]),
        Some(Fault::Stall { at, time: Some(time) }) => (at, vec![Step::Wait(*time)]),
        _ => return steps,
    };
    let mut left = match at {
        Point::Bytes(bytes) => *bytes,
        Point::MidChar => middle(&steps),
        Point::Headers | Point::Events(_) => return steps,
    };
    let resumes = matches!(fault, Some(Fault::Stall { time: Some(_), .. }));
    let mut cut = Vec::new();
    let mut steps = steps.into_iter();
    for step in steps.by_ref() {
        let Step::Send(mut bytes) = step else {
            cut.push(step);
            continue;
        };
        if bytes.len() < left {
            left -= bytes.len();
            cut.push(Step::Send(bytes));
            continue;
        }
        cut.push(Step::Send(bytes.split_to(left)));
        cut.extend(end);
        if resumes {
            cut.push(Step::Send(bytes));
            cut.extend(steps);
        }
        break;
    }
    cut
}

/// Bytes up to and including the first byte of the first character that has several.
fn middle(steps: &[Step]) -> usize {
    let all: Vec<u8> = steps
        .iter()
        .filter_map(|step| if let Step::Send(bytes) = step { Some(bytes) } else { None })
        .flatten()
        .copied()
        .collect();
    all.iter().position(|byte| *byte >= 0xc0).map_or(all.len() / 2, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<Event> {
        let event =
            |kind: &str, json: &str| Event { kind: kind.to_owned(), json: json.to_owned(), delta: true };
        vec![event("a", "{\"n\":1}"), event("b", "{\"n\":\"é\"}"), event("c", "{\"n\":3}")]
    }

    fn text(steps: &[Step]) -> Vec<u8> {
        steps
            .iter()
            .filter_map(|step| if let Step::Send(bytes) = step { Some(bytes.to_vec()) } else { None })
            .flatten()
            .collect()
    }

    fn lay(wire: &Wire, fault: Option<Fault>) -> Vec<Step> {
        steps(&events(), wire, fault.as_ref(), 1.0)
    }

    #[test]
    fn pieces_are_odd_and_complete() {
        let wire = Wire { chunk: 3, ..Wire::default() };
        let plain = text(&lay(&Wire::default(), None));
        assert_eq!(text(&lay(&wire, None)), plain);
        assert!(lay(&wire, None).iter().all(|step| matches!(step, Step::Send(bytes) if bytes.len() <= 3)));
        assert!(String::from_utf8(plain).unwrap().starts_with("event: a\ndata: {\"n\":1}\n\nevent: b\n"));
    }

    #[test]
    fn wire_options() {
        let wire = Wire { crlf: true, bom: true, split_data: true, comment_every: 1, ..Wire::default() };
        let text = String::from_utf8(text(&lay(&wire, None))).unwrap();
        assert!(
            text.starts_with("\u{feff}event: a\r\ndata: {\r\ndata:\"n\":1}\r\n\r\n: keep-alive\r\n\r\n"),
            "{text}"
        );
    }

    #[test]
    fn the_pace_waits_after_each_delta_and_scales() {
        let wire = Wire { delta_ms: 10, ..Wire::default() };
        let waits = |scale: f64| -> Vec<Duration> {
            let steps = steps(&events(), &wire, None, scale);
            steps
                .iter()
                .filter_map(|step| if let Step::Wait(time) = step { Some(*time) } else { None })
                .collect()
        };
        assert_eq!(waits(0.5), [Duration::from_millis(5); 3]);
        assert!(waits(0.0).is_empty());
    }

    #[test]
    fn cuts_fall_where_they_should() {
        let cut = |at, clean| lay(&Wire::default(), Some(Fault::Cut { at, clean }));
        let bytes = cut(Point::Bytes(7), false);
        assert_eq!(text(&bytes), b"event: ");
        assert_eq!(bytes.last(), Some(&Step::Cut));
        let event = cut(Point::Events(1), true);
        assert_eq!(text(&event), b"event: a\ndata: {\"n\":1}\n\n");
        assert!(!event.contains(&Step::Cut));
        assert_eq!(text(&cut(Point::MidChar, false)).last(), Some(&0xc3));
        assert!(text(&cut(Point::Events(3), false)).ends_with(b"{\"n\":3}\n\n"));
    }

    #[test]
    fn a_stall_with_an_end_loses_nothing() {
        let time = Some(Duration::from_millis(1));
        for at in [Point::Bytes(30), Point::Events(2), Point::MidChar] {
            let stalled = lay(&Wire::default(), Some(Fault::Stall { at, time }));
            assert_eq!(text(&stalled), text(&lay(&Wire::default(), None)), "{at:?}");
            assert!(stalled.contains(&Step::Wait(Duration::from_millis(1))));
        }
    }

    #[test]
    fn nonsense_leaves_the_good_events_whole() {
        let mut wire = Wire { comment_every: 0, ..Wire::default() };
        wire.chunk = 5;
        for fault in [Fault::Garbage, Fault::UnknownEvents, Fault::LongLine { bytes: 100 }] {
            let all = text(&lay(&wire, Some(fault)));
            let all = String::from_utf8_lossy(&all).into_owned();
            for event in events() {
                assert!(
                    all.contains(&format!("\nevent: {}\ndata: {}\n\n", event.kind, event.json))
                        || all.starts_with(&format!("event: {}\ndata: {}\n\n", event.kind, event.json)),
                    "{all}"
                );
            }
        }
    }
}
