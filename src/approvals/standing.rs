//! The rules in force for a thread, and how the user's answers become rules. Rules "for this project" are kept
//! with the user's files, not in the project: what one user allows must not reach others through a repository,
//! nor come from one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::proposal::Proposal;
use super::rule_files;
use super::rulebook::Rulebook;
use super::rules::{Rule, RuleDecision};
use crate::base::tasks;
use crate::config::RuleSources;

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    book: Mutex<Arc<Rulebook>>,
    sources: RuleSources,
    problems: Vec<String>,
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
        let (mut book, problems) = rule_files::load(&sources.places);
        book.rules.extend(sources.required.iter().map(|required| Rule {
            pattern: required.pattern.clone(),
            decision: if required.forbidden { RuleDecision::Forbidden } else { RuleDecision::Prompt },
            justification: required.justification.clone(),
        }));
        Self { book: Mutex::new(Arc::new(book)), sources, problems }
    }

    /// Sentences about what is wrong with the files.
    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// All rules, as they are now.
    pub(crate) fn now(&self) -> Arc<Rulebook> {
        Arc::clone(&self.book.lock().unwrap_or_else(PoisonError::into_inner))
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
        {
            let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
            let mut grown = Rulebook::clone(&book);
            grown.rules.extend(proposal.words.iter().map(|words| Rule::allowing(words)));
            *book = Arc::new(grown);
        }
        let (path, heading) = match reach {
            Reach::Always => {
                (self.sources.user_file.clone(), "Commands that may run outside the sandbox".to_owned())
            }
            Reach::Project => (
                self.sources.project_file.clone(),
                format!("Commands that may run outside the sandbox in {}", one_line(&self.sources.project)),
            ),
        };
        let (target, lines) = (path.clone(), proposal.lines.clone());
        let written =
            tasks::blocking("add rule", move || rule_files::append(&target, &heading, &lines)).await;
        match written.map_err(io::Error::other).and_then(|done| done) {
            Ok(()) => Ok(path),
            Err(error) => Err((path, error)),
        }
    }
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
            required: vec![RequiredRule {
                pattern: vec![vec!["curl".to_owned()]],
                forbidden: true,
                justification: Some("not here".to_owned()),
            }],
            project: home.join("p"),
            user_file,
            project_file,
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
            let proposal = proposal::propose(&commands, &[0], &[], None).unwrap();
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

    #[tokio::test]
    async fn no_accepted_rule_beats_the_administrator() {
        let dir = tempfile::tempdir().unwrap();
        let standing = Standing::load(sources(dir.path()));
        let commands = Commands::of_script("curl x.org");
        let proposal = proposal::propose(&commands, &[0], &[], None).unwrap();
        standing.accept(&proposal, Reach::Always).await.unwrap();
        assert_eq!(decision(&standing, "curl x.org"), Some(RuleDecision::Forbidden));
    }
}
