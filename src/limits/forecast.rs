//! When a window runs out, from its readings; pure. The rate is the median of the slopes between pairs of readings
//! (Theil and Sen), so that a single burst or a wrong reading does not move it; its quartiles give the range. With
//! fewer than three readings, or readings too close together, nothing is said.

use super::state::{LiveWindow, Sample};

/// Fewer readings than this are no basis.
const MIN_SAMPLES: usize = 3;

/// What is to be expected of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Forecast {
    /// Too little is known.
    Unknown,
    /// It is used up.
    Reached,
    /// It lasts until its reset.
    Lasts {
        /// Percent that will be used then.
        used_at_reset: Option<f64>,
    },
    /// It runs out before its reset.
    RunsOut {
        /// The most likely moment, unix seconds.
        at: u64,
        /// As early as this.
        early: u64,
        /// As late as this; `None`: it may also last.
        late: Option<u64>,
    },
}

/// What is to be expected of `window` at `now` (the server's clock).
pub(crate) fn of(window: &LiveWindow<'_>, now: u64) -> Forecast {
    if window.used >= 100.0 {
        return Forecast::Reached;
    }
    if window.restarted {
        return Forecast::Unknown;
    }
    estimate(window.samples, window.minutes, window.used, window.resets_at, now)
}

/// The same from bare values.
pub(crate) fn estimate(
    samples: &[Sample],
    minutes: Option<u64>,
    used: f64,
    resets_at: Option<u64>,
    now: u64,
) -> Forecast {
    let length = minutes.unwrap_or(300).saturating_mul(60);
    let Some(rates) = rates(samples, length, now) else { return Forecast::Unknown };
    let remaining = (100.0 - used).max(0.0);
    // From the last reading on: what was used since then is not known.
    let from = samples.last().map_or(now, |last| last.at).min(now);
    let moment = |rate: f64| {
        let seconds = if rate > 0.0 { remaining / rate } else { f64::INFINITY };
        (seconds < 1e10).then(|| from.saturating_add(seconds as u64).max(now))
    };
    let Some(at) = moment(rates.median).filter(|at| resets_at.is_none_or(|end| *at < end)) else {
        let ahead = resets_at.map(|end| end.saturating_sub(from) as f64);
        let used_at_reset = ahead.map(|ahead| (used + rates.median.max(0.0) * ahead).clamp(0.0, 100.0));
        return Forecast::Lasts { used_at_reset };
    };
    // Never narrower than a tenth of the way: readings are rounded.
    let tenth = (at - now) / 10;
    let early = moment(rates.high).unwrap_or(at).min(at - tenth).max(now);
    let late = moment(rates.low).map(|late| late.max(at + tenth));
    Forecast::RunsOut { at, early, late: late.filter(|late| resets_at.is_none_or(|end| *late < end)) }
}

/// Percent per second: median and quartiles.
struct Rates {
    low: f64,
    median: f64,
    high: f64,
}

fn rates(samples: &[Sample], length: u64, now: u64) -> Option<Rates> {
    // What was long ago says little about now: a quarter of the window, at most a day.
    let horizon = (length / 4).clamp(1800, 86_400);
    let recent: Vec<Sample> =
        samples.iter().filter(|s| s.at <= now && now - s.at <= horizon).copied().collect();
    let (first, last) = (recent.first()?, recent.last()?);
    let span = last.at.checked_sub(first.at)?;
    if recent.len() < MIN_SAMPLES || span < (length / 300).clamp(60, 1800) {
        return None;
    }
    // Close readings have wild slopes.
    let shortest = (span / 8).max(1);
    let mut slopes = Vec::new();
    for (index, a) in recent.iter().enumerate() {
        for b in recent.iter().skip(index + 1).filter(|b| b.at - a.at >= shortest) {
            slopes.push((b.used - a.used) / (b.at - a.at) as f64);
        }
    }
    slopes.retain(|slope| slope.is_finite());
    slopes.sort_by(f64::total_cmp);
    let at =
        |share: f64| slopes.get((share * (slopes.len().saturating_sub(1)) as f64).round() as usize).copied();
    Some(Rates { low: at(0.25)?, median: at(0.5)?, high: at(0.75)? })
}

#[cfg(test)]
#[path = "forecast_tests.rs"]
mod tests;
