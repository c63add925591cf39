//! All rules in force, and what they say about a call. A call is judged piece by piece. Strict rules also see
//! into what cannot be read word by word (wrapping programs, shells in shells, scripts that a shell computes):
//! there a sequence of words is enough for them, because a rule that forbids must not be lost to a redirection.

use std::collections::HashSet;

use super::network::NetworkRule;
use super::rules::{Hosts, Rule, RuleMatch, base_name, git_verb, matching, strictest};
use super::{lists, safe};
use crate::process::parse::{Commands, Shape};

/// How often a shell inside a shell is opened.
const MAX_NESTING: usize = 4;

/// Rules of all files and of the administrator.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rulebook {
    /// In order of files and lines.
    pub(crate) rules: Vec<Rule>,
    /// Where programs lie.
    pub(crate) hosts: Hosts,
    /// A rule that may forbid something could not be read: none may allow anything.
    pub(crate) blind: bool,
    /// About hosts.
    pub(crate) networks: Vec<NetworkRule>,
}

impl Rulebook {
    /// The strictest rule for each piece of a call, in order. `at_root`: it runs in the project's root; elsewhere
    /// a program named by a relative path is not the one that a rule allows.
    pub(crate) fn judge(&self, commands: &Commands, at_root: bool) -> Vec<Option<RuleMatch>> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let stays = at_root && !commands.pieces.iter().any(|piece| lists::moves(piece));
        let found = |piece: &Vec<String>| {
            let elsewhere = !stays && piece.first().is_some_and(|p| p.contains('/') && !p.starts_with('/'));
            self.piece(piece, elsewhere || commands.shape == Shape::Opaque, 0)
        };
        let mut verdicts: Vec<Option<RuleMatch>> = commands.pieces.iter().map(found).collect();
        // Only the leading command of a here-document is a piece; of an opaque script, the whole call is.
        if commands.shape != Shape::Plain
            && let (Some(script), Some(first)) = (&commands.script, verdicts.first_mut())
        {
            let strict = self.in_words(&safe::loose_words(script));
            *first = strictest(first.take().into_iter().chain(strict));
        }
        verdicts
    }

    /// `strict_only`: it is no command that a rule could allow.
    fn piece(&self, words: &[String], strict_only: bool, depth: usize) -> Option<RuleMatch> {
        let mut found = matching(&self.rules, Some(&self.hosts), words);
        found.retain(|rule| is_strict(rule) || !(self.blind || strict_only));
        found.extend(self.inside(words, depth));
        // What stands between `git` and its verb does not hide the verb from strict rules.
        let bare = without_globals(words).map(|words| matching(&self.rules, Some(&self.hosts), &words));
        found.extend(bare.into_iter().flatten().filter(is_strict));
        strictest(found)
    }

    /// The strictest strict rule for what a piece would run in turn.
    fn inside(&self, words: &[String], depth: usize) -> Option<RuleMatch> {
        let (program, args) = words.split_first()?;
        let inner = Commands::of_argv(words);
        if inner.script.is_some() && inner.shape == Shape::Plain && depth < MAX_NESTING {
            let pieces = inner.pieces.iter().filter_map(|piece| self.piece(piece, false, depth + 1));
            return strictest(pieces.filter(is_strict));
        }
        if inner.script.is_none() && !safe::runs_others(program) {
            return None;
        }
        let text = args.join(" ");
        let plain: Vec<&str> = args.iter().map(String::as_str).collect();
        strictest(self.in_words(&plain).into_iter().chain(self.in_words(&safe::loose_words(&text))))
    }

    /// The strictest strict rule that matches from any of these words on.
    fn in_words(&self, words: &[&str]) -> Option<RuleMatch> {
        let strict: Vec<&Rule> = self.rules.iter().filter(|rule| rule.decision.is_strict()).collect();
        let first: HashSet<&str> =
            strict.iter().filter_map(|rule| rule.pattern.first()).flatten().map(String::as_str).collect();
        let longest = strict.iter().map(|rule| rule.pattern.len()).max().unwrap_or(0);
        let begins = |word: &str| first.contains(word) || first.contains(base_name(word));
        let starts = words.iter().enumerate().filter(|(_, word)| begins(word));
        let found = starts.flat_map(|(at, _)| {
            let rest = words.iter().skip(at).take(longest).map(|word| (*word).to_owned());
            let mut found = matching(&self.rules, Some(&self.hosts), &rest.collect::<Vec<_>>());
            found.retain(is_strict);
            found
        });
        strictest(found)
    }
}

/// A call of git without the options before its verb; `None` when there are none.
fn without_globals(words: &[String]) -> Option<Vec<String>> {
    let (program, args) = words.split_first().filter(|(program, _)| base_name(program) == "git")?;
    let at = git_verb(args);
    (at > 0).then(|| std::iter::once(program).chain(args.iter().skip(at)).cloned().collect())
}

fn is_strict(rule: &RuleMatch) -> bool {
    rule.decision.is_strict()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approvals::rule_text;

    fn book(text: &str) -> Rulebook {
        let reading = rule_text::read(text);
        Rulebook {
            rules: reading.rules,
            hosts: reading.hosts.into_iter().collect(),
            blind: reading.blind,
            networks: reading.networks,
        }
    }

    fn verdicts(book: &Rulebook, script: &str) -> String {
        let word = |found: Option<RuleMatch>| found.map_or("-", |rule| rule.decision.word());
        let all = book.judge(&Commands::of_script(script), true);
        all.into_iter().map(word).collect::<Vec<_>>().join(" ")
    }

    const RULES: &str = "prefix_rule(pattern=['git', 'status'])\nprefix_rule(pattern=['cat'])\n\
        prefix_rule(pattern=['bash'])\n\
        prefix_rule(pattern=['git', 'push'], decision='prompt')\n\
        prefix_rule(pattern=['curl'], decision='forbidden')\n";

    #[test]
    fn each_piece_is_judged() {
        let book = book(RULES);
        for (script, want) in [
            ("git status", "allow"),
            ("git status && git push; ls", "allow prompt -"),
            ("git status | curl x", "allow forbidden"),
            ("git pull", "-"),
            // What cannot be read is never allowed, but still forbidden.
            ("git status > x", "-"),
            ("git push > x", "prompt"),
            ("echo $(curl x)", "forbidden"),
            ("for i in 1; do curl x; done", "forbidden"),
            ("cat <<'E'\nx\nE", "allow"),
            ("cat <<'E'\ncurl x\nE", "forbidden"),
            // Nor is it lost behind other programs.
            ("sudo git push", "prompt"),
            ("timeout 5 /usr/bin/curl x", "forbidden"),
            ("find . -exec curl {} \\;", "forbidden"),
            ("bash -c 'ls; curl x'", "forbidden"),
            ("bash -c 'bash -c \"curl x\"'", "forbidden"),
            ("bash -c 'curl $x'", "forbidden"),
            ("xargs curl", "forbidden"),
            ("env A=1 curl x", "forbidden"),
            ("echo curl", "-"),
            ("git commit -m 'curl x'", "-"),
            ("git -C . push", "prompt"),
            ("/usr/bin/git --no-pager -c a=b --git-dir=x push", "prompt"),
            ("git -C push status", "-"),
        ] {
            assert_eq!(verdicts(&book, script), want, "{script}");
        }
        assert_eq!(Rulebook::default().judge(&Commands::of_script("ls"), true), []);
    }

    #[test]
    fn a_relative_program_is_allowed_in_the_root_of_the_project_only() {
        let book =
            book("prefix_rule(pattern=['./run'])\nprefix_rule(pattern=['./no'], decision='forbidden')\n");
        let allowed = |script: &str, at_root| {
            book.judge(&Commands::of_script(script), at_root).iter().flatten().any(|rule| !is_strict(rule))
        };
        assert!(allowed("./run x", true) && !allowed("./run x", false) && !allowed("cd y; ./run x", true));
        assert!(book.judge(&Commands::of_script("./no"), false)[0].is_some());
    }

    #[test]
    fn a_blind_book_allows_nothing_and_still_forbids() {
        let blind = book(&format!("{RULES}prefix_rule(pattern=X, decision='forbidden')\n"));
        assert!(blind.blind);
        assert_eq!(verdicts(&blind, "git status; curl x; git push"), "- forbidden prompt");
    }
}
