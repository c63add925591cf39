//! Who used the limits: the percentages between readings, laid on the requests that this machine has recorded in the
//! same time, by tokens. What fell into a time without any request of ours was used elsewhere, and is said to be so.
//! Pure. An estimate: use elsewhere at the very same time cannot be told apart.

use std::collections::BTreeMap;

use super::history::Spent;
use crate::threads::Use;

/// Requests of one thread.
#[derive(Clone, Debug)]
pub(crate) struct ThreadUses {
    /// Its name or first words.
    pub(crate) title: String,
    /// Its id.
    pub(crate) id: String,
    /// Its requests.
    pub(crate) uses: Vec<Use>,
}

/// Percent of one window by who used it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Explained {
    /// All that was used.
    pub(crate) total: f64,
    /// By thread (index into the given list).
    pub(crate) threads: BTreeMap<usize, f64>,
    /// By model.
    pub(crate) models: BTreeMap<String, f64>,
    /// By tool; `conversation` is the rest.
    pub(crate) tools: BTreeMap<String, f64>,
    /// Used while this machine asked for nothing.
    pub(crate) elsewhere: f64,
}

/// Lays `spent` on the requests of `threads`.
pub(crate) fn explain(spent: &[Spent], threads: &[ThreadUses]) -> BTreeMap<&'static str, Explained> {
    let mut uses: Vec<(usize, &Use)> =
        threads.iter().enumerate().flat_map(|(n, thread)| thread.uses.iter().map(move |u| (n, u))).collect();
    uses.sort_by_key(|(_, one)| one.at_ms);
    let mut windows: BTreeMap<&'static str, Explained> = BTreeMap::new();
    for spent in spent {
        let explained = windows.entry(spent.window).or_default();
        explained.total += spent.percent;
        let begin = uses.partition_point(|(_, one)| one.at_ms <= spent.after_ms);
        let end = uses.partition_point(|(_, one)| one.at_ms <= spent.at_ms);
        let ours = uses.get(begin..end).unwrap_or_default();
        let weight: f64 = ours.iter().map(|(_, one)| one.weight).sum();
        if weight <= 0.0 {
            explained.elsewhere += spent.percent;
            continue;
        }
        for (thread, one) in ours {
            let percent = spent.percent * one.weight / weight;
            *explained.threads.entry(*thread).or_insert(0.0) += percent;
            let model = one.model.clone().unwrap_or_else(|| "unknown".to_owned());
            *explained.models.entry(model).or_insert(0.0) += percent;
            let mut rest = percent;
            for (tool, share) in &one.tools {
                *explained.tools.entry(tool.clone()).or_insert(0.0) += percent * share;
                rest -= percent * share;
            }
            *explained.tools.entry("conversation".to_owned()).or_insert(0.0) += rest.max(0.0);
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_what_is_not_ours() {
        let one = |at, weight, model: &str, tool: Option<(&str, f64)>| Use {
            at_ms: at,
            weight,
            model: Some(model.to_owned()),
            tools: tool.into_iter().map(|(name, share)| (name.to_owned(), share)).collect(),
        };
        let thread = |uses| ThreadUses { title: String::new(), id: String::new(), uses };
        let threads = [
            thread(vec![one(15, 100.0, "a", Some(("shell", 0.5))), one(16, 100.0, "b", None)]),
            thread(vec![one(20, 200.0, "a", None), one(99, 5.0, "a", None)]),
        ];
        let spent = |after, at, percent| Spent { after_ms: after, at_ms: at, window: "weekly", percent };
        let got = explain(&[spent(10, 20, 8.0), spent(20, 30, 3.0)], &threads);
        let week = &got["weekly"];
        assert_eq!((week.total, week.elsewhere), (11.0, 3.0));
        assert_eq!((week.threads[&0], week.threads[&1]), (4.0, 4.0));
        assert_eq!((week.models["a"], week.models["b"]), (6.0, 2.0));
        assert_eq!((week.tools["shell"], week.tools["conversation"]), (1.0, 7.0));
    }
}
