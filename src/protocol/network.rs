//! What commands reached in the network through their chosen ways, and what they were refused there.

use serde::{Deserialize, Serialize};

use crate::base::clean;

/// Places told one by one.
const TOLD: usize = 20;

/// How it came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Connected.
    Reached,
    /// Not on the list, or nobody there.
    Refused,
    /// On the list, but its name could not be looked up.
    Unknown,
    /// A port of this machine that was to lead to a command's server, and is somebody else's.
    InUse,
}

/// One place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Visit {
    /// `host:port`.
    pub(crate) place: String,
    /// How it came out.
    pub(crate) outcome: Outcome,
    /// How often.
    pub(crate) count: u64,
}

/// A number of places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Visits {
    /// In the order of their names.
    pub(crate) places: Vec<Visit>,
    /// Others that are not told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) more: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Visits {
    /// There was nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.more == 0
    }

    /// One more of a kind, or several.
    pub(crate) fn add(&mut self, place: &str, outcome: Outcome, count: u64) {
        match self
            .places
            .binary_search_by(|visit| (visit.place.as_str(), visit.outcome).cmp(&(place, outcome)))
        {
            Ok(at) => self
                .places
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|visit| visit.count = visit.count.saturating_add(count)),
            Err(_) if self.places.len() >= TOLD => self.more = self.more.saturating_add(count),
            Err(at) => self.places.insert(at, Visit { place: place.to_owned(), outcome, count }),
        }
    }

    /// All of the other as well.
    pub(crate) fn join(&mut self, other: Self) {
        for visit in other.places {
            self.add(&visit.place, visit.outcome, visit.count);
        }
        self.more = self.more.saturating_add(other.more);
    }

    /// In words, for example `a.example:443 (2 times), b.example:22 refused`; `None` when there was nothing.
    pub(crate) fn words(&self) -> Option<String> {
        let word = |visit: &Visit| {
            let outcome = match visit.outcome {
                Outcome::Reached => "",
                Outcome::Refused => " refused",
                Outcome::Unknown => " could not be looked up",
                Outcome::InUse => " in use on this machine, not served",
            };
            let times = if visit.count > 1 { format!(" ({} times)", visit.count) } else { String::new() };
            format!("{}{outcome}{times}", clean::line(&visit.place, 300))
        };
        // A stored thread may name any number of them.
        let mut words: Vec<String> = self.places.iter().take(TOLD).map(word).collect();
        let rest = self.places.iter().skip(TOLD).map(|visit| visit.count);
        let more = rest.fold(self.more, u64::saturating_add);
        if more > 0 {
            words.push(format!("and {more} more"));
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_name_and_outcome_and_bounded() {
        let mut visits = Visits::default();
        assert!(visits.is_empty() && visits.words().is_none());
        visits.add("b.example:22", Outcome::Refused, 1);
        visits.add("a.example:443", Outcome::Reached, 1);
        let mut more = Visits::default();
        more.add("a.example:443", Outcome::Reached, 1);
        more.add("a.example:443", Outcome::Refused, 1);
        visits.join(more);
        let want = "a.example:443 (2 times), a.example:443 refused, b.example:22 refused";
        assert_eq!(visits.words().as_deref(), Some(want));
        for n in 0..30 {
            visits.add(&format!("h{n}:1"), Outcome::Reached, 1);
        }
        assert!(visits.places.len() == TOLD && visits.words().unwrap().ends_with(", and 13 more"));
        let one =
            |n: u64| Visit { place: format!("h\u{1b}[2J\n{n}"), outcome: Outcome::Reached, count: u64::MAX };
        let hostile = Visits { places: (0..1000).map(one).collect(), more: 7 };
        let words = hostile.words().unwrap();
        assert!(words.len() < 3000 && !words.contains(char::is_control), "{words}");
        visits.join(hostile);
        let json = serde_json::to_string(&visits).unwrap();
        assert_eq!(serde_json::from_str::<Visits>(&json).unwrap(), visits);
    }
}
