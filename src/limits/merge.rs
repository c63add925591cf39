//! How readings come together; pure. A full reading is authoritative, an answer's headers are sparse: what they do
//! not speak of stays. Late readings lose against newer ones, value by value. Windows are never dropped because
//! time has passed: [`AccountLimits::windows`] shows them as started anew.

use super::state::{AccountLimits, Family, FullRead, Held, MAIN, Sample, Source, Stamped};
use crate::protocol::limits::{AccountReading, LimitWindow, LimitsSnapshot, ResetCredits, Told};

/// Samples kept of one window.
const MAX_SAMPLES: usize = 96;

/// A sample that tells nothing else is kept after this time, in seconds.
const SAMPLE_EVERY_S: u64 = 300;

/// Families kept.
const MAX_FAMILIES: usize = 32;

/// A stamp this far in the future comes from a clock that was set back, in milliseconds.
const FUTURE_MS: u64 = 5_000;

/// The writer speaks for another account; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign;

/// When and for whom something was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer<'a> {
    /// Account of the credentials the answer was asked with.
    pub(crate) account_id: Option<&'a str>,
    /// Unix milliseconds at which the answer was asked for or, without that, told.
    pub(crate) at_ms: u64,
    /// Unix milliseconds now.
    pub(crate) now_ms: u64,
}

/// Adds what the headers or an event of an answer tell.
///
/// # Errors
/// They are of another account.
pub(crate) fn sparse(
    state: &mut AccountLimits,
    snapshot: &LimitsSnapshot,
    writer: Writer<'_>,
) -> Result<(), Foreign> {
    admit(state, writer)?;
    let id = family_id(snapshot.limit_id.as_deref());
    if snapshot.primary.is_some() || snapshot.secondary.is_some() {
        if !state.families.contains_key(&id) && state.families.len() >= MAX_FAMILIES {
            return Ok(());
        }
        let family = state.families.entry(id.clone()).or_default();
        if snapshot.limit_name.is_some() && id != MAIN {
            family.name.clone_from(&snapshot.limit_name);
        }
        for (held, told) in
            [(&mut family.primary, snapshot.primary), (&mut family.secondary, snapshot.secondary)]
        {
            if let Some(window) = told {
                let completed = complete(held.as_ref(), window, writer.now_ms);
                hold(held, completed, Source::Answer, writer);
            }
        }
    }
    put(&mut state.plan, snapshot.plan_type.clone(), Source::Answer, writer);
    put(&mut state.credits, snapshot.credits.clone(), Source::Answer, writer);
    put(&mut state.reached, snapshot.rate_limit_reached_type.clone(), Source::Answer, writer);
    Ok(())
}

/// Takes over a full reading.
///
/// # Errors
/// It is of another account.
pub(crate) fn full(
    state: &mut AccountLimits,
    reading: &AccountReading,
    writer: Writer<'_>,
) -> Result<(), Foreign> {
    admit(state, writer)?;
    state.clock_ahead_s = reading.clock_ahead_s;
    for told in reading.families.iter().take(MAX_FAMILIES) {
        let family = state.families.entry(told.id.clone()).or_default();
        if told.name.is_some() {
            family.name.clone_from(&told.name);
        }
        for (held, told) in [(&mut family.primary, &told.primary), (&mut family.secondary, &told.secondary)] {
            match told {
                Told::Silent => {}
                Told::Nothing if newer(held.as_ref().map(|held| held.at_ms), writer) => *held = None,
                Told::Nothing => {}
                Told::Is(window) => {
                    hold(held, sane(*window, state.clock_ahead_s, writer), Source::Usage, writer)
                }
            }
        }
    }
    if reading.families_complete {
        let listed = |id: &str| id == MAIN || reading.families.iter().any(|family| family.id == id);
        state.families.retain(|id, family| listed(id) || !older(family, writer));
    }
    state.families.retain(|_, family| family.primary.is_some() || family.secondary.is_some());
    put(&mut state.plan, reading.plan.clone(), Source::Usage, writer);
    tell(&mut state.credits, &reading.credits, writer);
    tell(&mut state.spend, &reading.spend, writer);
    // Only a full reading takes the word back: headers that lack it say nothing.
    match &reading.reached {
        Told::Is(_) => tell(&mut state.reached, &reading.reached, writer),
        Told::Nothing | Told::Silent => tell(&mut state.reached, &Told::Nothing, writer),
    }
    count(state, &reading.reset_count, writer);
    let read = FullRead { sent_ms: writer.at_ms, done_ms: writer.now_ms };
    if newer(state.full_read.map(|read| read.sent_ms), writer) {
        state.full_read = Some(read);
        state.failure = None;
    }
    Ok(())
}

/// Takes over a list of reset credits.
///
/// # Errors
/// It is of another account.
pub(crate) fn reset_credits(
    state: &mut AccountLimits,
    list: &ResetCredits,
    writer: Writer<'_>,
) -> Result<(), Foreign> {
    admit(state, writer)?;
    let mut list = list.clone();
    if list.credits.is_none() {
        list.credits = known_list(state, list.available_count);
    }
    put(&mut state.reset_credits, Some(list), Source::Usage, writer);
    Ok(())
}

fn admit(state: &AccountLimits, writer: Writer<'_>) -> Result<(), Foreign> {
    if state.account_id.as_deref() == writer.account_id { Ok(()) } else { Err(Foreign) }
}

/// The number alone: a list that fits the number stays.
fn count(state: &mut AccountLimits, told: &Told<u64>, writer: Writer<'_>) {
    let list = match told {
        Told::Silent => return,
        Told::Nothing => None,
        Told::Is(count) => Some(ResetCredits { available_count: *count, credits: known_list(state, *count) }),
    };
    match list {
        Some(list) => put(&mut state.reset_credits, Some(list), Source::Usage, writer),
        None => tell(&mut state.reset_credits, &Told::Nothing, writer),
    }
}

fn known_list(state: &AccountLimits, count: u64) -> Option<Vec<crate::protocol::limits::ResetCredit>> {
    let held = &state.reset_credits.as_ref()?.value;
    held.credits.clone().filter(|_| held.available_count == count)
}

fn family_id(id: Option<&str>) -> String {
    id.map_or_else(|| MAIN.to_owned(), |id| id.to_ascii_lowercase().replace('-', "_"))
}

/// Whether what is told now replaces what is held.
fn newer(held_ms: Option<u64>, writer: Writer<'_>) -> bool {
    held_ms.is_none_or(|held| held <= writer.at_ms || held > writer.now_ms + FUTURE_MS)
}

/// Whether everything in a family is older than the reading.
fn older(family: &Family, writer: Writer<'_>) -> bool {
    family.primary.iter().chain(&family.secondary).all(|held| newer(Some(held.at_ms), writer))
}

fn put<T>(held: &mut Option<Stamped<T>>, value: Option<T>, source: Source, writer: Writer<'_>) {
    if let Some(value) = value
        && newer(held.as_ref().map(|held| held.at_ms), writer)
    {
        *held = Some(Stamped { value, at_ms: writer.at_ms, source });
    }
}

fn tell<T: Clone>(held: &mut Option<Stamped<T>>, told: &Told<T>, writer: Writer<'_>) {
    match told {
        Told::Silent => {}
        Told::Nothing => {
            if newer(held.as_ref().map(|held| held.at_ms), writer) {
                *held = None;
            }
        }
        Told::Is(value) => put(held, Some(value.clone()), Source::Usage, writer),
    }
}

/// A sparse window with its length and end filled in from what is held, as long as that has not passed.
fn complete(held: Option<&Held>, told: LimitWindow, now_ms: u64) -> LimitWindow {
    let Some(held) = held.map(|held| held.window) else { return told };
    let window_minutes = told.window_minutes.or(held.window_minutes);
    let lives = held.resets_at.filter(|at| *at > now_ms / 1000);
    let falls = told.used_percent + 1.0 < held.used_percent;
    let resets_at = told.resets_at.or(lives.filter(|_| !falls && window_minutes == held.window_minutes));
    LimitWindow { used_percent: told.used_percent, window_minutes, resets_at }
}

/// An end that had passed when the server told it is no end.
fn sane(window: LimitWindow, ahead_s: i64, writer: Writer<'_>) -> LimitWindow {
    let server_now = (writer.at_ms / 1000).saturating_add_signed(ahead_s);
    LimitWindow { resets_at: window.resets_at.filter(|at| *at > server_now), ..window }
}

/// Puts a window in its place; its samples go on as long as it is the same one.
fn hold(held: &mut Option<Held>, window: LimitWindow, source: Source, writer: Writer<'_>) {
    if !newer(held.as_ref().map(|held| held.at_ms), writer) {
        return;
    }
    let mut samples = match held.take() {
        Some(old) if same(&old.window, &window) => old.samples,
        _ => Vec::new(),
    };
    sample(&mut samples, Sample { at: writer.at_ms / 1000, used: window.used_percent.clamp(0.0, 100.0) });
    *held = Some(Held { window, at_ms: writer.at_ms, source, samples });
}

/// Whether two readings are of one window: same length, same end (servers round), and not emptied meanwhile.
pub(crate) fn same(old: &LimitWindow, new: &LimitWindow) -> bool {
    let tolerance = new.window_minutes.map_or(120, |minutes| (minutes * 60 / 100).clamp(120, 7200));
    let ends = match (old.resets_at, new.resets_at) {
        (Some(old), Some(new)) => old.abs_diff(new) <= tolerance,
        (None, None) => true,
        _ => false,
    };
    ends && old.window_minutes == new.window_minutes && new.used_percent + 1.0 >= old.used_percent
}

fn sample(samples: &mut Vec<Sample>, new: Sample) {
    // A clock that was set back makes the older ones useless.
    samples.retain(|sample| sample.at <= new.at);
    let last = samples.last();
    if last.is_some_and(|last| last.used == new.used && new.at - last.at < SAMPLE_EVERY_S) {
        return;
    }
    if last.is_some_and(|last| last.at == new.at) {
        samples.pop();
    }
    samples.push(new);
    if samples.len() > MAX_SAMPLES {
        // The older half is thinned: the shape stays, the ends stay.
        let half = samples.len() / 2;
        let mut index = 0;
        samples.retain(|_| {
            index += 1;
            index > half || index % 2 == 1
        });
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
