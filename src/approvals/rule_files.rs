//! Rules files on disk: which there are, what they say together, and adding a rule that the user accepted. A file
//! that cannot be read counts like one with a rule that cannot be read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::rule_text;
use super::rulebook::Rulebook;
use super::rules::RuleDecision;
use crate::base::fs::{create_private_dir, open_private_append, read_bounded};
use crate::base::lock::FileLock;
use crate::config::RuleSources;

/// Largest rules file.
const FILE_MAX: u64 = 1024 * 1024;
/// Most rules files in one folder.
const MAX_FILES: usize = 200;
/// How long to wait for another program that adds a rule.
const LOCK_TIME: Duration = Duration::from_secs(2);

/// Reads `places`, each a rules file or a folder of them, into one book. What is not there says nothing. What a
/// file allows is taken as `sources` say of it. Also returns a sentence for each fault, with file and line.
pub(crate) fn load(places: &[PathBuf], sources: Option<&RuleSources>) -> (Rulebook, Vec<String>) {
    let mut book = Rulebook::default();
    let mut problems = Vec::new();
    for place in places {
        let files = match files(place) {
            Ok(files) => files,
            Err(error) => {
                problems.push(unreadable(place, &error));
                book.blind = true;
                continue;
            }
        };
        for file in files {
            add(&mut book, &file, sources, &mut problems);
        }
    }
    if book.blind {
        problems.push(
            "A rule that asks or forbids could not be read: until it is mended no rule allows anything."
                .to_owned(),
        );
    }
    (book, problems)
}

/// Adds those rules of these files that ask or forbid; what they allow, and where they say that programs lie, is left
/// out. Returns faults, as [`load`] does.
pub(crate) fn tighten(book: &mut Rulebook, places: &[PathBuf]) -> Vec<String> {
    let (strict, mut problems) = load(places, None);
    let allows = |decision: RuleDecision| matches!(decision, RuleDecision::Allow | RuleDecision::Inside);
    let before = strict.rules.len() + strict.networks.len() + strict.hosts.len();
    let rules = strict.rules.into_iter().filter(|rule| !allows(rule.decision)).collect::<Vec<_>>();
    let networks = strict.networks.into_iter().filter(|rule| !allows(rule.decision)).collect::<Vec<_>>();
    if rules.len() + networks.len() < before {
        let shown = places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ");
        problems.push(format!(
            "{shown}: rules that allow are ignored, because below the root of a project only a folder that you trust \
             by its own name may have them"
        ));
    }
    book.rules.extend(rules);
    book.networks.extend(networks);
    book.blind |= strict.blind;
    problems
}

/// What shows that rules files are as they were: of each place and file its inode, size and times.
pub(crate) type Marks = Vec<(PathBuf, Option<[i64; 6]>)>;

/// The marks of everything that [`load`] would read.
pub(crate) fn marks(places: &[PathBuf]) -> Marks {
    let of = |path: &Path| {
        let meta = std::fs::metadata(path).ok()?;
        let (inode, size) = (meta.ino().cast_signed(), meta.len().cast_signed());
        Some([inode, size, meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()])
    };
    let each = places.iter().flat_map(|place| {
        let mut found = files(place).unwrap_or_default();
        found.retain(|file| file != place);
        std::iter::once(place.clone()).chain(found)
    });
    each.map(|path| {
        let marks = of(&path);
        (path, marks)
    })
    .collect()
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{}: the rules cannot be read: {error}", path.display())
}

/// The rules files of a folder in the order of their names.
fn files(place: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound => Ok(Vec::new()),
                io::ErrorKind::NotADirectory => Ok(vec![place.to_owned()]),
                _ => Err(error),
            };
        }
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rules") {
            files.push(path);
        }
    }
    if files.len() > MAX_FILES {
        return Err(io::Error::other(format!("there are more than {MAX_FILES} files")));
    }
    files.sort();
    Ok(files)
}

fn add(book: &mut Rulebook, file: &Path, sources: Option<&RuleSources>, problems: &mut Vec<String>) {
    let text = read_bounded(file, FILE_MAX)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text")));
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            problems.push(unreadable(file, &error));
            book.blind = true;
            return;
        }
    };
    let reading = rule_text::read(&text);
    let shown = file.display();
    problems.extend(reading.problems.iter().map(|p| format!("{shown}:{}: {}", p.line, p.text)));
    let stays = sources.is_some_and(|sources| file.starts_with(&sources.sandboxed));
    let above = sources.is_some_and(|sources| sources.is_above(file));
    let mut rules = reading.rules;
    // A program of the folder above is not the one of that name here.
    rules.retain(|rule| rule.decision.is_strict() || !above || !rule.names_a_file());
    book.rules.extend(rules.into_iter().map(|mut rule| {
        rule.origin = rule.origin.map(|line| format!("{shown}:{line}").into());
        if stays && rule.decision == RuleDecision::Allow {
            rule.decision = RuleDecision::Inside;
        }
        rule
    }));
    for (name, paths) in reading.hosts {
        book.hosts.entry(name).or_default().extend(paths);
    }
    book.networks.extend(reading.networks);
    book.blind |= reading.blind;
}

/// A rule as it is written into a file; `None` when its words cannot be written on one line.
pub(crate) fn text(words: &[String], decision: RuleDecision) -> Option<String> {
    if words.is_empty() || words.iter().any(|word| word.is_empty() || word.chars().any(char::is_control)) {
        return None;
    }
    let word = |word: &String| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    let pattern = words.iter().map(word).collect::<Vec<_>>().join(", ");
    Some(format!("prefix_rule(pattern=[{pattern}], decision=\"{}\")", decision.word()))
}

/// Adds lines to a rules file, made with its folder when missing; lines that are there stay alone. `heading` is a
/// comment for a file that is made.
///
/// # Errors
/// The file cannot be written, or another program holds its lock for too long.
pub(crate) fn append(path: &Path, heading: &str, rules: &[String]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        create_private_dir(dir)?;
    }
    let busy = || io::Error::new(io::ErrorKind::TimedOut, "another program keeps the file locked");
    let _lock = FileLock::take_within(path, LOCK_TIME)?.ok_or_else(busy)?;
    let mut file = open_private_append(path)?;
    let mut old = String::new();
    file.seek(SeekFrom::Start(0))?;
    Read::by_ref(&mut file).take(FILE_MAX).read_to_string(&mut old)?;
    let mut added = String::new();
    if old.is_empty() && !heading.is_empty() {
        added.push_str(&format!("# {heading}\n"));
    } else if !old.is_empty() && !old.ends_with('\n') {
        added.push('\n');
    }
    let fresh = rules.iter().filter(|rule| !old.lines().any(|line| line.trim() == rule.as_str()));
    let before = added.len();
    for rule in fresh {
        added.push_str(rule);
        added.push('\n');
    }
    if added.len() == before {
        return Ok(());
    }
    write(&mut file, added.as_bytes())
}

/// One write, taken back when it was torn.
fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let length = file.metadata()?.len();
    let done = file.write_all(bytes).and_then(|()| file.sync_all());
    if done.is_err() {
        let _ = file.set_len(length);
    }
    done
}

#[cfg(test)]
#[path = "rule_files_tests.rs"]
mod tests;
