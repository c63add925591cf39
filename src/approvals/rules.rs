//! Rules about commands: the first words of a command, and what is to become of it. Matching is word by word and
//! pure. Strict rules reach further than allowing ones: they also match a program by its bare name wherever it
//! lies, because a wrong match there costs a question and a missed one costs the protection.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lists;

/// A rule that matched one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleMatch {
    /// What it says.
    pub(crate) decision: RuleDecision,
    /// The words of the rule that it matched.
    pub(crate) prefix: Vec<String>,
    /// Why, in the words of the rule's author.
    pub(crate) justification: Option<String>,
    /// The program as the command names it, when it was matched by its bare name.
    pub(crate) resolved: Option<String>,
    /// Where the rule is written, as file and line.
    pub(crate) origin: Option<Arc<str>>,
}

/// What a rule says; the stricter, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RuleDecision {
    /// Run it in the sandbox without asking, also where everything is asked about. Written like [`Self::Allow`], in
    /// the folder of such rules.
    Inside,
    /// Run it, outside the sandbox.
    Allow,
    /// Ask first.
    Prompt,
    /// Never run it.
    Forbidden,
}

impl RuleDecision {
    /// The word in rules files.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Inside | Self::Allow => "allow",
            Self::Prompt => "prompt",
            Self::Forbidden => "forbidden",
        }
    }

    /// Whether it is there to hold something up.
    pub(crate) fn is_strict(self) -> bool {
        self >= Self::Prompt
    }

    /// The decision of a word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Allow, Self::Prompt, Self::Forbidden].into_iter().find(|decision| decision.word() == word)
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Each place of the prefix with the words that may stand there; neither is empty.
    pub(crate) pattern: Vec<Vec<String>>,
    /// What it says.
    pub(crate) decision: RuleDecision,
    /// Why.
    pub(crate) justification: Option<String>,
    /// Where it is written, as file and line.
    pub(crate) origin: Option<Arc<str>>,
}

impl Rule {
    /// A rule that allows commands with this start.
    pub(crate) fn allowing(words: &[String]) -> Self {
        let pattern = words.iter().map(|word| vec![word.clone()]).collect();
        Self { pattern, decision: RuleDecision::Allow, justification: None, origin: None }
    }

    /// Whether `words` begin as the rule says, its first word taken as `program`.
    fn fits(&self, program: &str, words: &[String]) -> bool {
        words.len() >= self.pattern.len()
            && self.pattern.iter().enumerate().all(|(at, allowed)| match at {
                0 => allowed.iter().any(|word| word == program),
                _ => words.get(at).is_some_and(|word| allowed.contains(word)),
            })
    }

    /// Whether its program is named by a relative path, which means something else in every folder.
    pub(crate) fn names_a_file(&self) -> bool {
        let first = self.pattern.first().into_iter().flatten();
        first.into_iter().any(|word| word.contains('/') && !word.starts_with('/'))
    }

    /// Whether the rule matches these words as they stand.
    pub(crate) fn matches(&self, words: &[String]) -> bool {
        words.first().is_some_and(|program| self.fits(program, words))
    }

    fn strict(&self) -> bool {
        self.decision.is_strict()
    }

    fn matched(&self, program: &str, words: &[String], resolved: Option<&str>) -> RuleMatch {
        let rest = words.iter().take(self.pattern.len()).skip(1).cloned();
        RuleMatch {
            decision: self.decision,
            prefix: std::iter::once(program.to_owned()).chain(rest).collect(),
            justification: self.justification.clone(),
            resolved: resolved.map(str::to_owned),
            origin: self.origin.clone(),
        }
    }
}

/// Folders whose programs are the system's own: an allowing rule for a bare name holds for them.
pub(crate) const SYSTEM_PROGRAMS: [&str; 5] =
    ["/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/"];

/// Where programs lie, by bare name, as `host_executable` says.
pub(crate) type Hosts = BTreeMap<String, Vec<String>>;

/// All rules that match `words`: as they stand, and by the bare name of a program given with its path when `hosts`
/// is there.
pub(crate) fn matching(rules: &[Rule], hosts: Option<&Hosts>, words: &[String]) -> Vec<RuleMatch> {
    let Some(program) = words.first() else { return Vec::new() };
    let exact = rules.iter().filter(|rule| rule.fits(program, words));
    let mut found: Vec<RuleMatch> = exact.map(|rule| rule.matched(program, words, None)).collect();
    let name = base_name(program);
    let Some(hosts) = hosts.filter(|_| name != program && !name.is_empty()) else { return found };
    let known = match hosts.get(name) {
        Some(paths) => paths.iter().any(|path| path == program),
        None => SYSTEM_PROGRAMS.iter().any(|dir| program.strip_prefix(dir) == Some(name)),
    };
    let is_exact = !found.is_empty();
    let loose = rules.iter().filter(|rule| rule.strict() || (known && !is_exact));
    found.extend(
        loose.filter(|rule| rule.fits(name, words)).map(|rule| rule.matched(name, words, Some(program))),
    );
    found
}

/// The strictest of the matches.
pub(crate) fn strictest(matches: impl IntoIterator<Item = RuleMatch>) -> Option<RuleMatch> {
    // The first of equals: the order of files and lines is what the user sees.
    matches.into_iter().reduce(|best, next| if next.decision > best.decision { next } else { best })
}

/// Where the verb of a call of git stands among its arguments.
pub(crate) fn git_verb(args: &[String]) -> usize {
    let (with_value, alone) = lists::GIT_GLOBAL;
    let mut at = 0;
    while let Some(arg) = args.get(at).map(String::as_str) {
        let name = arg.split('=').next().unwrap_or(arg);
        at += match () {
            () if with_value.contains(&arg) => 2,
            () if alone.contains(&arg) || name == "--exec-path" || with_value.contains(&name) => 1,
            () => break,
        };
    }
    at
}

/// The last part of a path.
pub(crate) fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &[&[&str]], decision: RuleDecision) -> Rule {
        let pattern = pattern.iter().map(|at| at.iter().map(|w| (*w).to_owned()).collect()).collect();
        Rule { pattern, decision, justification: None, origin: None }
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_prefix_matches_word_by_word() {
        let rule = rule(&[&["git"], &["push", "fetch"]], RuleDecision::Prompt);
        for (command, want) in [
            ("git push", true),
            ("git fetch --all", true),
            ("git", false),
            ("git pull", false),
            ("git -C x push", false),
            ("gitpush", false),
            ("git pushy", false),
            ("/usr/bin/git push", false),
        ] {
            assert_eq!(rule.matches(&words(command)), want, "{command}");
        }
    }

    #[test]
    fn bare_names_reach_known_programs_and_strict_rules_reach_all() {
        use RuleDecision::{Allow, Forbidden};
        let rules = [rule(&[&["git"], &["status"]], Allow), rule(&[&["git"], &["push"]], Forbidden)];
        let none = Hosts::new();
        let listed = Hosts::from([("git".to_owned(), vec!["/opt/git".to_owned()])]);
        for (command, hosts, want) in [
            ("git status", &none, Some(Allow)),
            ("/usr/bin/git status", &none, Some(Allow)),
            ("/usr/bin/sub/git status", &none, None),
            ("/tmp/git status", &none, None),
            ("./git status", &none, None),
            ("/usr/bin/git status", &listed, None),
            ("/opt/git status", &listed, Some(Allow)),
            ("/tmp/git push", &none, Some(Forbidden)),
            ("./git push", &listed, Some(Forbidden)),
        ] {
            let got = strictest(matching(&rules, Some(hosts), &words(command)));
            assert_eq!(got.map(|found| found.decision), want, "{command}");
        }
        assert!(matching(&rules, None, &words("/usr/bin/git push")).is_empty());
    }

    #[test]
    fn the_strictest_wins_and_the_first_of_equals() {
        use RuleDecision::{Allow, Forbidden, Prompt};
        let rules = [
            rule(&[&["a"]], Allow),
            rule(&[&["a"], &["b"]], Prompt),
            rule(&[&["a"], &["b"], &["c"]], Forbidden),
            rule(&[&["a"], &["b"], &["c"], &["d"]], Forbidden),
        ];
        let got = |command: &str| strictest(matching(&rules, None, &words(command))).unwrap();
        assert_eq!(got("a x").decision, Allow);
        assert_eq!(got("a b x").decision, Prompt);
        assert_eq!(got("a b c d").prefix, words("a b c"));
    }
}
