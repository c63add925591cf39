//! What a command does, for display only: reading a file, listing, searching, or simply "runs". Nothing is
//! decided by it, so it may guess at operands; but one command it does not know makes the whole line unknown,
//! because a summary that hides a part would mislead.

use std::path::{Path, PathBuf};

use super::parse::{Commands, Shape};
use crate::protocol::item::CommandAction;

/// Summarises an argument vector; `bash -lc "<script>"` and its like are opened.
pub(crate) fn of_argv(argv: &[String]) -> Vec<CommandAction> {
    let commands = Commands::of_argv(argv);
    let text = commands.script.clone().unwrap_or_else(|| quote(argv));
    summarise(&commands, &text)
}

/// Words as one line that a shell would read back as the same words.
pub(crate) fn quote<S: AsRef<str>>(words: &[S]) -> String {
    let quoter = shlex::Quoter::new().allow_nul(true);
    let joined = quoter.join(words.iter().map(AsRef::as_ref));
    joined.unwrap_or_else(|_| words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" "))
}

fn summarise(commands: &Commands, text: &str) -> Vec<CommandAction> {
    let unknown = || vec![CommandAction::Unknown { command: text.trim().to_owned() }];
    if commands.shape != Shape::Plain {
        return unknown();
    }
    let mut dir = PathBuf::new();
    let mut actions = Vec::new();
    for piece in &commands.pieces {
        let (name, args) = match piece.split_first() {
            Some((name, args)) => (base_name(name), args),
            None => continue,
        };
        match (name, args) {
            ("cd", [target]) if actions.is_empty() && !target.starts_with('-') => dir.push(target),
            ("true", []) if !actions.is_empty() => {}
            _ if !actions.is_empty() && only_shapes_text(name, args) => {}
            _ => match recognise(name, args, &quote(piece), &dir) {
                Some(found) => actions.extend(found),
                None => return unknown(),
            },
        }
    }
    if actions.is_empty() { unknown() } else { actions }
}

fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// A filter without a file of its own: it trims what the command before it shows.
fn only_shapes_text(name: &str, args: &[String]) -> bool {
    match name {
        "head" | "tail" => operands(args, &["-n", "-c", "--lines", "--bytes"]).is_empty(),
        "wc" | "sort" | "uniq" | "tac" | "rev" | "column" => operands(args, &["-k", "-t"]).is_empty(),
        "nl" => operands(args, NL_VALUES).is_empty(),
        "cut" => operands(args, &["-d", "-f", "-c", "-b"]).is_empty(),
        "tr" => true,
        "sed" => matches!(args, [flag, range] if flag == "-n" && is_print_range(range)),
        _ => false,
    }
}

const NL_VALUES: &[&str] = &["-b", "-d", "-f", "-h", "-i", "-l", "-n", "-s", "-v", "-w"];
const SEARCH_VALUES: &[&str] = &[
    "-A",
    "-B",
    "-C",
    "-m",
    "-g",
    "-t",
    "-T",
    "-j",
    "-M",
    "--glob",
    "--iglob",
    "--type",
    "--type-not",
    "--max-count",
    "--max-depth",
    "--context",
    "--after-context",
    "--before-context",
    "--color",
    "--sort",
    "--sortr",
    "--threads",
    "--include",
    "--exclude",
    "--exclude-dir",
];

fn recognise(name: &str, args: &[String], command: &str, dir: &Path) -> Option<Vec<CommandAction>> {
    let read = |files: Vec<&str>| {
        let actions = files.iter().map(|file| CommandAction::Read {
            command: command.to_owned(),
            name: base_name(file.trim_end_matches('/')).to_owned(),
            path: dir.join(file),
        });
        Some(actions.collect::<Vec<_>>()).filter(|all| !all.is_empty())
    };
    let list = |path: Option<&str>| {
        let path =
            path.map(|p| dir.join(p)).or_else(|| (!dir.as_os_str().is_empty()).then(|| dir.to_owned()));
        let path = path.map(|p| p.to_string_lossy().into_owned());
        Some(vec![CommandAction::ListFiles { command: command.to_owned(), path }])
    };
    match name {
        "cat" | "bat" | "batcat" | "less" | "more" => {
            read(operands(args, &["-r", "-l", "--line-range", "--language", "--style"]))
        }
        "head" | "tail" if follows(name, args) => None,
        "head" | "tail" => read(operands(args, &["-n", "-c", "--lines", "--bytes"])),
        "nl" => read(operands(args, NL_VALUES)),
        "sed" => match args {
            [flag, range, file] if flag == "-n" && is_print_range(range) => read(vec![file]),
            _ => None,
        },
        "ls" => list(operands(args, &["-I", "-w", "-T"]).first().copied()),
        "tree" => list(operands(args, &["-L", "-P", "-I"]).first().copied()),
        "fd" | "fdfind" if has_any(args, &["-x", "-X", "--exec", "--exec-batch"]) => None,
        "fd" | "fdfind" => list(operands(args, &["-e", "-t", "-d", "-E", "-g"]).get(1).copied()),
        "find" if args.iter().any(|a| FIND_ACTS.contains(&a.as_str())) => None,
        "find" => list(args.first().map(String::as_str).filter(|a| !a.starts_with(['-', '!', '(']))),
        "rg" if has_any(args, &["--files"]) => list(operands(args, SEARCH_VALUES).first().copied()),
        "rg" | "grep" | "egrep" | "fgrep" | "ag" => search(args, command, dir),
        "git" => match args.split_first() {
            Some((sub, rest)) if sub == "grep" => search(rest, command, dir),
            Some((sub, rest)) if sub == "ls-files" => list(operands(rest, &["-x"]).first().copied()),
            _ => None,
        },
        _ => None,
    }
}

/// Predicates of `find` that do more than list.
const FIND_ACTS: &[&str] =
    &["-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprint0", "-fprintf", "-fls"];

fn follows(name: &str, args: &[String]) -> bool {
    name == "tail" && has_any(args, &["-f", "-F", "--follow"])
}

fn has_any(args: &[String], flags: &[&str]) -> bool {
    args.iter().any(|a| flags.contains(&a.as_str()))
}

fn search(args: &[String], command: &str, dir: &Path) -> Option<Vec<CommandAction>> {
    let given = args.iter().position(|a| a == "-e" || a == "--regexp").and_then(|at| args.get(at + 1));
    let mut values = SEARCH_VALUES.to_vec();
    values.extend(["-e", "--regexp"]);
    let mut rest = operands(args, &values).into_iter();
    let query = given.map(String::as_str).or_else(|| rest.next())?.to_owned();
    let path =
        rest.next().map(|p| dir.join(p)).or_else(|| (!dir.as_os_str().is_empty()).then(|| dir.to_owned()));
    let path = path.map(|p| p.to_string_lossy().into_owned());
    Some(vec![CommandAction::Search { command: command.to_owned(), query: Some(query), path }])
}

/// The words that are not options. `with_value`: options whose next word belongs to them.
fn operands<'a>(args: &'a [String], with_value: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        if arg == "--" {
            found.extend(args);
            break;
        } else if with_value.contains(&arg) {
            args.next();
        } else if arg == "-" || !arg.starts_with('-') {
            found.push(arg);
        }
    }
    found
}

/// `5p` or `1,200p`, as `sed -n` takes it.
pub(crate) fn is_print_range(text: &str) -> bool {
    let Some(range) = text.strip_suffix('p') else { return false };
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match range.split_once(',') {
        Some((from, to)) => number(from) && (number(to) || to == "$"),
        None => number(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(script: &str) -> String {
        let one = |action: &CommandAction| match action {
            CommandAction::Read { name, path, .. } => format!("read {name} at {}", path.display()),
            CommandAction::ListFiles { path, .. } => format!("list {}", path.as_deref().unwrap_or("-")),
            CommandAction::Search { query, path, .. } => {
                format!("search {} in {}", query.as_deref().unwrap_or("-"), path.as_deref().unwrap_or("-"))
            }
            CommandAction::Unknown { command } => format!("run {command}"),
        };
        summarise(&Commands::of_script(script), script).iter().map(one).collect::<Vec<_>>().join(" + ")
    }

    #[test]
    fn summaries() {
        for (script, want) in [
            ("cat src/main.rs", "read main.rs at src/main.rs"),
            ("cd sub && cat -n a.txt | head -5", "read a.txt at sub/a.txt"),
            ("cat a b", "read a at a + read b at b"),
            ("head -n 20 README.md", "read README.md at README.md"),
            ("tail -5 log", "read log at log"),
            ("sed -n '1,200p' x.c", "read x.c at x.c"),
            ("nl -ba x.c | sed -n 1,40p", "read x.c at x.c"),
            ("ls -la", "list -"),
            ("cd a/b && ls", "list a/b"),
            ("find src -name '*.rs' | wc -l", "list src"),
            ("fd -e rs foo src", "list src"),
            ("rg --files src | head -n 50", "list src"),
            ("rg -n -A 3 'fn main' src || true", "search fn main in src"),
            ("grep -r -e TODO .", "search TODO in ."),
            ("git grep -n needle", "search needle in -"),
            ("ls; cat x; rg y", "list - + read x at x + search y in -"),
            ("cargo test", "run cargo test"),
            ("cat x && cargo test", "run cat x && cargo test"),
            ("find . -delete", "run find . -delete"),
            ("tail -f log", "run tail -f log"),
            ("cat x > y", "run cat x > y"),
            ("sed -i s/a/b/ x", "run sed -i s/a/b/ x"),
            ("cat", "run cat"),
            ("cd x", "run cd x"),
            ("", "run "),
        ] {
            assert_eq!(shown(script), want, "{script:?}");
        }
    }

    #[test]
    fn argument_vectors_are_shown_quoted() {
        let argv: Vec<String> = ["python3", "-c", "print(1)"].map(str::to_owned).to_vec();
        assert_eq!(of_argv(&argv), vec![CommandAction::Unknown { command: "python3 -c 'print(1)'".into() }]);
        let argv: Vec<String> = ["bash", "-lc", "cat x"].map(str::to_owned).to_vec();
        assert!(matches!(&of_argv(&argv)[..], [CommandAction::Read { command, .. }] if command == "cat x"));
    }
}
