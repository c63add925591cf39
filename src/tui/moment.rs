//! Moments in words, in the user's time zone. Pure but for the zone, which is read once.

use std::sync::OnceLock;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The user's zone.
pub(crate) fn zone() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    // Screens of tests look the same everywhere.
    ZONE.get_or_init(|| if cfg!(test) { TimeZone::UTC } else { TimeZone::system() })
}

fn local(unix: u64) -> Option<Zoned> {
    Some(Timestamp::from_second(i64::try_from(unix).ok()?).ok()?.to_zoned(zone().clone()))
}

/// Wall clock: `11:34`.
pub(crate) fn clock(unix: u64) -> String {
    local(unix).map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_clocks() {
        assert_eq!(clock(1_700_000_000), "22:13");
        assert_eq!(clock(u64::MAX), "");
    }
}
