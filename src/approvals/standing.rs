//! The rules in force for a thread, and how the user's answers become rules. Rules "for this project" are kept
//! with the user's files, not in the project: what one user allows must not reach others through a repository,
//! nor come from one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::proposal::Proposal;
use super::rule_files::{self, Marks};
use super::rulebook::Rulebook;
use super::rules::{Rule, RuleDecision};
use crate::base::tasks;
use crate::config::RuleSources;

/// The rules in force. A file that changes counts from the next command on, whoever changed it: each question looks
/// at the marks of the files first, which costs less than a watcher and forgets nothing.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    held: Mutex<Held>,
    sources: RuleSources,
}

/// What was read, and what shows that it is still so.
#[derive(Debug, Default)]
struct Held {
    book: Arc<Rulebook>,
    seen: Marks,
    problems: Vec<String>,
    /// Sentences about the files that nobody was told yet.
    news: Vec<String>,
    /// Accepted rules that could not be written down.
    unwritten: Vec<Rule>,
}

/// Where an accepted rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// In this project.
    Project,
    /// Everywhere.
    Always,
}

impl Standing {
    /// Reads all rules. Reads the disk.
    pub(crate) fn load(sources: RuleSources) -> Self {
        let mut held = Held::default();
        held.read(&sources);
        held.news.clear();
        Self { held: Mutex::new(held), sources }
    }

    /// Sentences about what is wrong with the files.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.held().problems.clone()
    }

    /// What turned out to be wrong, or to be right again, since this was asked last.
    pub(crate) fn news(&self) -> Vec<String> {
        std::mem::take(&mut self.held().news)
    }

    /// All rules, as they are now. Looks at the files, and reads them when one of them changed.
    pub(crate) fn now(&self) -> Arc<Rulebook> {
        let mut held = self.held();
        if held.seen != marks(&self.sources) {
            held.read(&self.sources);
        }
        Arc::clone(&held.book)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of the user's own files.
    pub(crate) fn home(&self) -> &Path {
        self.sources.user_file.ancestors().nth(2).unwrap_or(Path::new("/"))
    }

    /// The project that rules are kept for.
    pub(crate) fn project(&self) -> &Path {
        &self.sources.project
    }

    /// Puts accepted rules in force and writes them down. They hold for this thread also when writing fails.
    ///
    /// # Errors
    /// The file, and why it cannot be written.
    pub(crate) async fn accept(
        &self,
        proposal: &Proposal,
        reach: Reach,
    ) -> Result<PathBuf, (PathBuf, io::Error)> {
        let path = self.sources.file(reach == Reach::Project, proposal.inside);
        let how = if proposal.inside { "in the sandbox without asking" } else { "outside the sandbox" };
        let mut heading = format!("Commands that may run {how}");
        if reach == Reach::Project {
            heading.push_str(&format!(" in {}", one_line(&self.sources.project)));
        }
        let (target, lines) = (path.clone(), proposal.lines.clone());
        let written =
            tasks::blocking("add rule", move || rule_files::append(&target, &heading, &lines)).await;
        match written.map_err(io::Error::other).and_then(|done| done) {
            Ok(()) => Ok(path),
            Err(error) => {
                let mut held = self.held();
                let decision = proposal.decision();
                let rule = |words: &Vec<String>| Rule { decision, ..Rule::allowing(words) };
                held.unwritten.extend(proposal.words.iter().map(rule));
                held.read(&self.sources);
                Err((path, error))
            }
        }
    }
}

impl Held {
    fn read(&mut self, sources: &RuleSources) {
        // The marks first: what changes while it is read is read again.
        self.seen = marks(sources);
        let (mut book, mut problems) = rule_files::load(&sources.places, Some(sources));
        problems.extend(rule_files::tighten(&mut book, &sources.strict));
        book.rules.extend(sources.required.iter().map(|required| Rule {
            pattern: required.pattern.clone(),
            decision: if required.forbidden { RuleDecision::Forbidden } else { RuleDecision::Prompt },
            justification: required.justification.clone(),
            origin: Some(Arc::clone(&required.origin)),
        }));
        book.rules.extend(self.unwritten.iter().cloned());
        self.news.extend(problems.iter().filter(|problem| !self.problems.contains(problem)).cloned());
        self.problems = problems;
        self.book = Arc::new(book);
    }
}

fn marks(sources: &RuleSources) -> Marks {
    rule_files::marks(&[&sources.places[..], &sources.strict].concat())
}

fn one_line(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approvals::proposal;
    use crate::config::RequiredRule;
    use crate::process::parse::Commands;

    fn sources(home: &Path) -> RuleSources {
        let (user_file, project_file) =
            (home.join("rules/default.rules"), home.join("rules/projects/p.rules"));
        RuleSources {
            places: vec![home.join("rules"), project_file.clone()],
            strict: Vec::new(),
            required: vec![RequiredRule {
                pattern: vec![vec!["curl".to_owned()]],
                forbidden: true,
                justification: Some("not here".to_owned()),
                origin: "requirements.toml".into(),
            }],
            project: home.join("p"),
            user_file,
            project_file,
            sandboxed: home.join("rules/sandboxed"),
        }
    }

    fn decision(standing: &Standing, script: &str) -> Option<RuleDecision> {
        let verdicts = standing.now().judge(&Commands::of_script(script), true);
        verdicts.into_iter().flatten().map(|rule| rule.decision).next()
    }

    #[tokio::test]
    async fn accepted_rules_hold_at_once_and_after_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let standing = Standing::load(sources(dir.path()));
        for (script, reach) in [("touch /x", Reach::Always), ("./run it", Reach::Project)] {
            let commands = Commands::of_script(script);
            let proposal = proposal::propose(&commands, &[0], &[], None, false).unwrap();
            assert_eq!(decision(&standing, script), None);
            standing.accept(&proposal, reach).await.unwrap();
            assert_eq!(decision(&standing, script), Some(RuleDecision::Allow));
        }
        let again = Standing::load(sources(dir.path()));
        assert_eq!(again.problems(), Vec::<String>::new());
        assert_eq!(decision(&again, "touch /x"), Some(RuleDecision::Allow));
        assert_eq!(decision(&again, "./run it"), Some(RuleDecision::Allow));
        // Another project has another file.
        let other = RuleSources { places: vec![dir.path().join("rules")], ..sources(dir.path()) };
        assert_eq!(decision(&Standing::load(other), "./run it"), None);
    }

    #[test]
    fn what_is_written_meanwhile_counts_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rules/a.rules");
        let standing = Standing::load(sources(dir.path()));
        assert_eq!(decision(&standing, "make"), None);
        rule_files::append(&file, "", &["prefix_rule(pattern=['make'])".to_owned()]).unwrap();
        assert_eq!(decision(&standing, "make"), Some(RuleDecision::Allow));
        // Of the same length, in the same place.
        std::fs::write(&file, "prefix_rule(pattern=['mike'])\n").unwrap();
        assert_eq!(decision(&standing, "make"), None);
        assert_eq!(standing.news(), Vec::<String>::new());
        std::fs::write(&file, "prefix_rule(pattern=['mike'])\nprefix_rule(decision='forbidden')\n").unwrap();
        assert_eq!(decision(&standing, "mike"), None, "blind");
        assert_eq!(standing.news().len(), 2);
        assert_eq!((standing.news().len(), standing.problems().len()), (0, 2));
        std::fs::remove_dir_all(dir.path().join("rules")).unwrap();
        assert_eq!((decision(&standing, "mike"), standing.problems().len()), (None, 0));
    }

    #[tokio::test]
    async fn no_accepted_rule_beats_the_administrator() {
        let dir = tempfile::tempdir().unwrap();
        let standing = Standing::load(sources(dir.path()));
        let commands = Commands::of_script("curl x.org");
        let proposal = proposal::propose(&commands, &[0], &[], None, false).unwrap();
        standing.accept(&proposal, Reach::Always).await.unwrap();
        assert_eq!(decision(&standing, "curl x.org"), Some(RuleDecision::Forbidden));
    }
}
