//! How long to wait before trying again. Pure: time and chance are handed in.

use std::time::Duration;

/// First wait of a series; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(200);

/// No single wait is longer, whatever the server says.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// A small source of chance (SplitMix64). Good enough to keep clients from retrying in step, nothing more.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    /// Starts from `seed`; equal seeds give equal waits.
    #[cfg(test)]
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Starts from a random seed.
    pub(crate) fn random() -> Self {
        Self(uuid::Uuid::new_v4().as_u64_pair().0)
    }

    /// A factor between 0.9 and 1.1.
    fn factor(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        0.9 + 0.2 * ((z >> 11) as f64 / (1u64 << 53) as f64)
    }
}

/// Wait before retry number `retry` (from 1): 0.2 s, 0.4 s, 0.8 s, … with ±10 %, never above `longest`.
pub(crate) fn backoff(retry: u32, longest: Duration, jitter: &mut Jitter) -> Duration {
    let doubled = FIRST.saturating_mul(1u32.checked_shl(retry.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(longest).mul_f64(jitter.factor()).min(longest)
}

/// What the server asks for: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date. Capped at
/// [`LONGEST`]; `None` for no header and for nonsense.
pub(crate) fn retry_after(header: impl Fn(&str) -> Option<String>, now_ms: u64) -> Option<Duration> {
    if let Some(ms) = header("retry-after-ms").and_then(|text| non_negative(&text)) {
        return Some(capped(ms / 1000.0));
    }
    let text = header("retry-after")?;
    if let Some(seconds) = non_negative(&text) {
        return Some(capped(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp().as_millisecond();
    Some(capped((at - now_ms as i64).max(0) as f64 / 1000.0))
}

/// The delay in a sentence like "… try again in 1.5s", "… in 20 seconds", "… in 300ms". Capped like above.
pub(crate) fn delay_in_text(text: &str) -> Option<Duration> {
    const MARK: &str = "try again in ";
    let lower = text.to_ascii_lowercase();
    let (_, rest) = lower.split_once(MARK)?;
    let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let number = non_negative(digits.trim_end_matches('.'))?;
    let unit: String = rest
        .chars()
        .skip(digits.len())
        .skip_while(|c| *c == ' ')
        .take_while(char::is_ascii_alphabetic)
        .collect();
    match unit.as_str() {
        "ms" | "milliseconds" | "millisecond" => Some(capped(number / 1000.0)),
        "s" | "sec" | "second" | "seconds" => Some(capped(number)),
        "m" | "min" | "minute" | "minutes" => Some(capped(number * 60.0)),
        _ => None,
    }
}

fn non_negative(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0)
}

fn capped(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_jitter_and_stop_at_the_cap() {
        let mut jitter = Jitter::new(7);
        for (retry, want_ms) in [(1, 200.0), (2, 400.0), (3, 800.0), (4, 1600.0), (5, 3200.0)] {
            for _ in 0..200 {
                let ms = backoff(retry, LONGEST, &mut jitter).as_secs_f64() * 1000.0;
                assert!((want_ms * 0.9..=want_ms * 1.1).contains(&ms), "retry {retry}: {ms}");
            }
        }
        let cap = Duration::from_secs(5);
        assert!(backoff(40, cap, &mut jitter) <= cap);
        assert!(backoff(u32::MAX, cap, &mut jitter) >= cap.mul_f64(0.89));
    }

    #[test]
    fn jitter_varies_and_repeats_with_its_seed() {
        let waits = |seed| {
            let mut jitter = Jitter::new(seed);
            (0..5).map(|_| backoff(1, LONGEST, &mut jitter)).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }

    #[test]
    fn retry_after_forms() {
        let now_ms = 1_795_181_000_000; // Fri, 20 Nov 2026 13:23:20 GMT
        for (name, value, want_ms) in [
            ("retry-after", "2", Some(2_000)),
            ("retry-after", " 0.5 ", Some(500)),
            ("retry-after", "0", Some(0)),
            ("retry-after", "100000", Some(60_000)),
            ("retry-after", "1e300", Some(60_000)),
            ("retry-after", "-1", None),
            ("retry-after", "NaN", None),
            ("retry-after", "soon", None),
            ("retry-after", "", None),
            ("retry-after", "Fri, 20 Nov 2026 13:23:30 GMT", Some(10_000)),
            ("retry-after", "Fri, 20 Nov 2026 13:23:10 GMT", Some(0)),
            ("retry-after", "Sat, 21 Nov 2026 13:23:10 GMT", Some(60_000)),
            ("retry-after-ms", "1500", Some(1_500)),
        ] {
            let got = retry_after(|n| (n == name).then(|| value.to_owned()), now_ms);
            assert_eq!(got, want_ms.map(Duration::from_millis), "{name}: {value}");
        }
        let both = |n: &str| Some(if n == "retry-after-ms" { "250" } else { "9" }.to_owned());
        assert_eq!(retry_after(both, now_ms), Some(Duration::from_millis(250)));
    }

    #[test]
    fn delays_in_sentences() {
        for (text, want_ms) in [
            ("Rate limit reached. Please try again in 1.5s. See the docs", Some(1_500)),
            ("try again in 300ms", Some(300)),
            ("Try Again In 20 seconds.", Some(20_000)),
            ("try again in 2 m", Some(60_000)),
            ("try again in 3.", None),
            ("try again in soon", None),
            ("try again later", None),
            ("", None),
        ] {
            assert_eq!(delay_in_text(text), want_ms.map(Duration::from_millis), "{text}");
        }
    }
}
