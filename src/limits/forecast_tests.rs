//! Forecasts over made-up readings.

use super::*;

const NOW: u64 = 1_795_190_400;

/// Readings every `step` seconds up to now.
fn samples(step: u64, used: &[f64]) -> Vec<Sample> {
    let last = used.len() as u64 - 1;
    used.iter()
        .enumerate()
        .map(|(n, used)| Sample { at: NOW - (last - n as u64) * step, used: *used })
        .collect()
}

fn five_hours(samples: &[Sample], resets_in: u64) -> Forecast {
    estimate(samples, Some(300), samples.last().map_or(0.0, |s| s.used), Some(NOW + resets_in), NOW)
}

#[test]
fn never_from_fewer_than_three() {
    for used in [&[][..], &[50.0], &[50.0, 90.0]] {
        let samples = if used.is_empty() { Vec::new() } else { samples(600, used) };
        assert_eq!(five_hours(&samples, 9000), Forecast::Unknown);
    }
    assert_eq!(five_hours(&samples(5, &[50.0, 60.0, 70.0]), 9000), Forecast::Unknown, "too close together");
    let old = [
        Sample { at: NOW - 80_000, used: 1.0 },
        Sample { at: NOW - 70_000, used: 2.0 },
        Sample { at: NOW, used: 3.0 },
    ];
    assert_eq!(five_hours(&old, 9000), Forecast::Unknown, "too long ago");
}

#[test]
fn a_steady_rate_runs_out_when_it_must() {
    // 1 % per minute, 40 % left.
    let Forecast::RunsOut { at, early, late } = five_hours(&samples(60, &[57.0, 58.0, 59.0, 60.0]), 9000)
    else {
        panic!()
    };
    assert_eq!(at, NOW + 2400);
    assert!(early < at && early >= NOW + 2000);
    assert!(late.is_some_and(|late| late > at && late <= NOW + 2800));
}

#[test]
fn a_burst_does_not_move_it() {
    let steady = samples(60, &[50.0, 51.0, 52.0, 53.0, 54.0, 55.0, 56.0, 57.0, 58.0]);
    let mut burst = steady.clone();
    burst[4].used = 90.0;
    let (Forecast::RunsOut { at: calm, .. }, Forecast::RunsOut { at: wild, .. }) =
        (five_hours(&steady, 9000), five_hours(&burst, 9000))
    else {
        panic!()
    };
    assert!(calm.abs_diff(wild) < 600, "{calm} {wild}");
}

#[test]
fn what_is_idle_or_slow_lasts() {
    for used in [[20.0, 20.0, 20.0, 20.0], [20.0, 20.1, 20.2, 20.3]] {
        let forecast = five_hours(&samples(300, &used), 3600);
        assert!(matches!(forecast, Forecast::Lasts { used_at_reset: Some(at) } if at < 30.0), "{forecast:?}");
    }
    let falling = five_hours(&samples(300, &[30.0, 20.0, 10.0]), 3600);
    assert!(matches!(falling, Forecast::Lasts { .. }));
}

#[test]
fn the_reset_comes_first() {
    let readings = samples(60, &[57.0, 58.0, 59.0, 60.0]);
    assert!(matches!(five_hours(&readings, 2000), Forecast::Lasts { .. }));
    // The late end of the range is behind the reset: it may also last.
    assert!(matches!(five_hours(&readings, 2450), Forecast::RunsOut { late: None, .. }));
    let unknown_end = estimate(&readings, None, 60.0, None, NOW);
    assert!(matches!(unknown_end, Forecast::RunsOut { .. }));
}

#[test]
fn a_higher_rate_never_runs_out_later() {
    let mut last = u64::MAX;
    for rate in 1..=20 {
        let used: Vec<f64> = (0..5).map(|n| 20.0 + f64::from(n * rate)).collect();
        let shifted: Vec<f64> = used.iter().map(|u| u - used[4] + 60.0).collect();
        if let Forecast::RunsOut { at, early, late } = five_hours(&samples(300, &shifted), 1_000_000) {
            assert!(at <= last && early <= at && late.is_none_or(|late| late >= at));
            last = at;
        }
    }
    assert!(last < NOW + 3600);
}

#[test]
fn moments_are_never_in_the_past() {
    let mut readings = samples(60, &[80.0, 85.0, 90.0, 95.0]);
    for reading in &mut readings {
        reading.at -= 1200;
    }
    let Forecast::RunsOut { at, early, .. } = five_hours(&readings, 9000) else { panic!() };
    assert!(at >= NOW && early >= NOW);
}

#[test]
fn garbage_makes_no_panic() {
    let odd = [f64::NAN, f64::INFINITY, -5.0, 1e300];
    for a in odd {
        for b in odd {
            let readings = samples(600, &[a, b, a, b]);
            let _ = estimate(&readings, Some(u64::MAX), 50.0, Some(0), NOW);
            let _ = estimate(&readings, Some(0), a, Some(u64::MAX), 0);
        }
    }
}
