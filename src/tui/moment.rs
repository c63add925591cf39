//! Moments in words, in the user's time zone. Pure but for the zone, which is read once.

use std::sync::OnceLock;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

fn local(unix: u64) -> Option<Zoned> {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    // Screens of tests look the same everywhere.
    let read = || if cfg!(test) { TimeZone::UTC } else { TimeZone::system() };
    let zone = ZONE.get_or_init(read).clone();
    Some(Timestamp::from_second(i64::try_from(unix).ok()?).ok()?.to_zoned(zone))
}

/// Wall clock: `11:34`.
pub(crate) fn clock(unix: u64) -> String {
    local(unix).map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default()
}

/// Wall clock, with the day when it is not that of `now`: `11:34`, `11:34 on 23 Nov`.
pub(crate) fn moment(unix: u64, now: u64) -> String {
    let (Some(at), Some(now)) = (local(unix), local(now)) else { return String::new() };
    let form = if at.date() == now.date() { "%H:%M" } else { "%H:%M on %-d %b" };
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_told_when_it_is_another() {
        assert_eq!(clock(1_700_000_000), "22:13");
        assert_eq!(moment(1_700_000_000, 1_700_000_000), "22:13");
        assert_eq!(moment(1_700_000_000, 1_710_000_000), "22:13 on 14 Nov");
        assert_eq!(clock(u64::MAX), "");
    }
}
