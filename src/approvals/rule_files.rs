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

/// Largest rules file.
const FILE_MAX: u64 = 1024 * 1024;
/// Most rules files in one folder.
const MAX_FILES: usize = 200;
/// How long to wait for another program that adds a rule.
const LOCK_TIME: Duration = Duration::from_secs(2);

/// Reads `files`, each a rules file or a folder of them, into one book. What is not there says nothing. Also
/// returns a sentence for each fault, with file and line.
pub(crate) fn load(places: &[PathBuf]) -> (Rulebook, Vec<String>) {
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
            add(&mut book, &file, &mut problems);
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
    let (strict, mut problems) = load(places);
    let allows = |decision: RuleDecision| decision == RuleDecision::Allow;
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

fn add(book: &mut Rulebook, file: &Path, problems: &mut Vec<String>) {
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
    book.rules.extend(reading.rules);
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
mod tests {
    use super::*;
    use crate::approvals::rules::Rule;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn of_files_that_commands_could_have_made_only_the_strict_rules_count() {
        let dir = tempfile::tempdir().unwrap();
        let text = "prefix_rule(pattern=['a'])\nprefix_rule(pattern=['b'], decision='forbidden')\n\
                    host_executable(name='a', paths=['/evil/a'])\n";
        std::fs::write(dir.path().join("x.rules"), text).unwrap();
        let mut book = Rulebook::default();
        let problems = tighten(&mut book, &[dir.path().to_owned()]);
        assert_eq!(
            book.rules.iter().map(|rule| rule.decision).collect::<Vec<_>>(),
            [RuleDecision::Forbidden]
        );
        assert!(
            book.hosts.is_empty() && problems[0].contains("rules that allow are ignored"),
            "{problems:?}"
        );
        assert!(tighten(&mut book, &[dir.path().join("none")]).is_empty());
    }

    #[test]
    fn folders_are_read_in_order_and_faults_name_their_line() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("b.rules", "prefix_rule(pattern=['b'])\n\nprefix_rule(pattern=[x])\n");
        write("a.rules", "prefix_rule(pattern=['a'])\nhost_executable(name='a', paths=['/a'])\n");
        write("notes.txt", "nothing");
        let (book, problems) = load(&[dir.path().to_owned(), dir.path().join("missing")]);
        let first: Vec<&str> = book.rules.iter().map(|rule| rule.pattern[0][0].as_str()).collect();
        assert_eq!((first, book.blind), (vec!["a", "b"], false));
        assert_eq!(book.hosts["a"], ["/a"]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("b.rules:3: expected a string"), "{problems:?}");
        assert_eq!(load(&[dir.path().join("a.rules")]).0.rules.len(), 1, "a file by name");
    }

    #[test]
    fn a_file_that_cannot_be_read_blinds() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.rules"), b"\xff\xfe").unwrap();
        std::fs::write(dir.path().join("b.rules"), "prefix_rule(pattern=['b'], decision='prompt')").unwrap();
        std::fs::create_dir(dir.path().join("c.rules")).unwrap();
        let (book, problems) = load(&[dir.path().to_owned()]);
        assert!(book.blind && book.rules.len() == 1);
        assert!(problems[0].contains("a.rules") && problems[1].contains("c.rules"), "{problems:?}");
        assert!(problems[2].contains("no rule allows anything"));
    }

    #[test]
    fn rules_are_added_once_and_can_be_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rules/default.rules");
        let odd = vec!["touch".to_owned(), "a\"b\\c ä".to_owned()];
        let rule = text(&odd, RuleDecision::Allow).unwrap();
        append(&path, "Made by codex", std::slice::from_ref(&rule)).unwrap();
        append(&path, "Made by codex", &[rule, text(&words("git push"), RuleDecision::Allow).unwrap()])
            .unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written.lines().count(), 3, "{written}");
        let (book, problems) = load(std::slice::from_ref(&path));
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(book.rules, [Rule::allowing(&odd), Rule::allowing(&words("git push"))]);
        assert_eq!(text(&["a\nb".to_owned()], RuleDecision::Allow), None);
    }

    #[test]
    fn a_last_line_without_its_end_is_not_joined() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.rules");
        std::fs::write(&path, "prefix_rule(pattern=['a'])").unwrap();
        append(&path, "", &[text(&words("b"), RuleDecision::Allow).unwrap()]).unwrap();
        assert_eq!(load(std::slice::from_ref(&path)).0.rules.len(), 2);
        let lock = FileLock::try_take(&path).unwrap();
        let error = append(&path, "", &[text(&words("c"), RuleDecision::Allow).unwrap()]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(lock);
    }

    /// What each process of the test below does: told its file and its number on its input.
    #[test]
    #[ignore = "run by another test, with input"]
    fn adds_rules_as_a_process() {
        let mut told = String::new();
        std::io::stdin().read_line(&mut told).unwrap();
        let Some((number, path)) = told.trim().split_once(' ') else { return };
        for n in 0..25 {
            let own = text(&words(&format!("own {number} {n}")), RuleDecision::Allow).unwrap();
            let shared = text(&words(&format!("shared {n}")), RuleDecision::Allow).unwrap();
            append(Path::new(path), "heading", &[own, shared]).unwrap();
        }
    }

    #[test]
    fn processes_that_add_at_once_lose_and_double_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rules/default.rules");
        let start = |number: usize| {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "--ignored", "approvals::rule_files::tests::adds_rules_as_a_process"])
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            let told = format!("{number} {}\n", path.display());
            child.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
            child
        };
        let children: Vec<_> = (0..3).map(start).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (1 + 3 * 25 + 25, "# heading"), "{text}");
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 101, "{text}");
        assert_eq!(load(std::slice::from_ref(&path)).0.rules.len(), 100);
    }
}
