//! Commands known to be harmless, and commands known to be dangerous, by the tables of [`lists`]. The sandbox is
//! what protects; this only decides what is worth a question.

use super::lists::{self, But};
use super::rules::base_name;
use crate::process::actions::is_print_range;
use crate::process::parse::{Commands, Shape};

/// How often a shell inside a shell is opened before the rest counts as unreadable.
const MAX_NESTING: usize = 4;

/// Whether every piece of a call is known to be harmless.
pub(crate) fn all_harmless(commands: &Commands) -> bool {
    commands.shape != Shape::Opaque
        && !commands.pieces.is_empty()
        && commands.pieces.iter().all(|piece| is_harmless(piece))
}

/// Whether a piece is known to be harmless.
pub(crate) fn is_harmless(piece: &[String]) -> bool {
    let Some((program, args)) = piece.split_first() else { return false };
    // A program of the same name elsewhere, such as `./ls`, is not the one we know.
    let name = ["/bin/", "/usr/bin/"].iter().find_map(|dir| program.strip_prefix(dir)).unwrap_or(program);
    lists::HARMLESS.iter().find(|(known, _)| *known == name).is_some_and(|(_, but)| !applies(*but, args))
}

/// Whether these arguments make a harmless program something else.
fn applies(but: But, args: &[String]) -> bool {
    match but {
        But::Never => false,
        But::Words(words) => args.iter().any(|arg| words.contains(&arg.as_str())),
        But::Options(long, short) => args.iter().any(|arg| {
            let name = arg.split('=').next().unwrap_or(arg);
            long.contains(&name) || short.chars().any(|letter| is_cluster_with(arg, letter))
        }),
        // `sed` can write and run; only "show these lines" is harmless.
        But::PrintsNoRange => match args {
            [flag, range] => !(flag == "-n" && is_print_range(range)),
            [flag, range, file] => !(flag == "-n" && is_print_range(range) && !file.starts_with('-')),
            _ => true,
        },
        But::SecondOperand => {
            args.iter().filter(|arg| !arg.starts_with('-') || *arg == "-").count() > 1
                || args.iter().any(|arg| arg == "--")
        }
    }
}

/// Whether a piece touches no file and no network by itself, so that it needs no permission wherever it runs: what
/// often stands beside the piece that matters, as in `cd x && git push | tail -5`.
pub(crate) fn is_idle(piece: &[String]) -> bool {
    let Some((program, args)) = piece.split_first() else { return false };
    let option = |arg: &String| arg.starts_with('-') && arg.len() > 1 && arg != "--";
    let plain = |(at, arg): (usize, &String)| {
        let number = !arg.is_empty() && arg.bytes().all(|b| b.is_ascii_digit());
        // A number is the value of the option before it; alone it would be a file.
        let value = number && at.checked_sub(1).and_then(|before| args.get(before)).is_some_and(option);
        value || (option(arg) && !arg.contains('/') && !arg.starts_with("--files0"))
    };
    lists::IDLE.contains(&program.as_str())
        || (lists::FILTERS.contains(&program.as_str()) && args.iter().enumerate().all(plain))
}

/// Whether a program runs other programs that its arguments name.
pub(crate) fn runs_others(program: &str) -> bool {
    let name = base_name(program);
    lists::WRAPPERS.contains(&name) || lists::RUNS_TEXT.contains(&name)
}

/// `-abz` for `z`: short options written together. Values of options count too, which errs towards asking.
fn is_cluster_with(arg: &str, letter: char) -> bool {
    arg.starts_with('-') && !arg.starts_with("--") && arg.contains(letter)
}

/// A forced deletion (`rm -f`) somewhere in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// Of these targets, exactly as `rm` gets them.
    Of(Vec<String>),
    /// Behind another program, or in a script that cannot be read.
    Hidden,
}

/// The pieces of a call that force deletions.
pub(crate) fn forcing_pieces(commands: &Commands) -> Vec<usize> {
    if commands.shape == Shape::Opaque {
        return if forced_deletions(commands).is_empty() { Vec::new() } else { vec![0] };
    }
    let pieces = commands.pieces.iter().enumerate();
    pieces.filter(|(_, piece)| deletion(piece, 0).is_some()).map(|(at, _)| at).collect()
}

/// All forced deletions of a call.
pub(crate) fn forced_deletions(commands: &Commands) -> Vec<Deletion> {
    deletions(commands, 0)
}

fn deletions(commands: &Commands, depth: usize) -> Vec<Deletion> {
    if commands.shape == Shape::Opaque {
        let hit = commands.script.as_deref().is_some_and(|script| forced_rm(&loose_words(script)));
        return if hit { vec![Deletion::Hidden] } else { Vec::new() };
    }
    commands.pieces.iter().filter_map(|piece| deletion(piece, depth)).collect()
}

fn deletion(piece: &[String], depth: usize) -> Option<Deletion> {
    let (program, args) = piece.split_first()?;
    let name = base_name(program);
    if name == lists::DANGEROUS.0 {
        return forced_targets(args).map(Deletion::Of);
    }
    let inner = Commands::of_argv(piece);
    let hidden = if inner.script.is_some() {
        depth >= MAX_NESTING || !deletions(&inner, depth + 1).is_empty()
    } else {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let text = || {
            args.iter().any(|arg| forced_rm(&loose_words(arg))) || forced_rm(&loose_words(&args.join(" ")))
        };
        (lists::WRAPPERS.contains(&name) && forced_rm(&words)) || (lists::RUNS_TEXT.contains(&name) && text())
    };
    hidden.then_some(Deletion::Hidden)
}

/// The targets of an `rm` that is forced; `None` when it is not.
fn forced_targets(args: &[String]) -> Option<Vec<String>> {
    let end = args.iter().position(|a| a == "--").unwrap_or(args.len());
    let (options, after) = args.split_at_checked(end)?;
    options.iter().any(|a| is_force(a)).then(|| {
        let before = options.iter().filter(|a| !a.starts_with('-') || *a == "-");
        before.chain(after.iter().skip(1)).cloned().collect()
    })
}

/// `-f`, `-rf`, `--force` and the abbreviations of it that `rm` takes.
fn is_force(arg: &str) -> bool {
    let (_, letter, long) = lists::DANGEROUS;
    is_cluster_with(arg, letter) || (arg.len() > 2 && long.starts_with(arg))
}

/// Whether `rm` with a force option stands anywhere in these words. A separator is a word of its own.
fn forced_rm(words: &[&str]) -> bool {
    words.iter().enumerate().filter(|(_, word)| base_name(word) == lists::DANGEROUS.0).any(|(at, _)| {
        let args = words.iter().skip(at + 1).take_while(|w| **w != ";" && **w != "--");
        args.into_iter().any(|w| is_force(w))
    })
}

/// Words of a script that cannot be read properly: quotes are ignored, separators become `;`.
pub(crate) fn loose_words(script: &str) -> Vec<&str> {
    let is_separator = |c: char| ";|&(){}<>`\n".contains(c);
    let mut words = Vec::new();
    for command in script.split(is_separator) {
        let blank = |c: char| c.is_whitespace() || "'\"\\$,[]".contains(c);
        words.extend(command.split(blank).filter(|word| !word.is_empty()));
        words.push(";");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn harmless_commands() {
        for script in [
            "ls -la",
            "cat a | head -3",
            "cd x && pwd",
            "find . -name '*.rs'",
            "rg -n needle src",
            "sed -n 1,5p f",
            "sed -n 5p",
            "/usr/bin/wc -l f",
            "grep -r x . || true",
            "base64 f",
            "base64 -d f",
            "uniq -c",
            "uniq f",
            "cat <<'E'\n$(x)\nE",
            "echo 'rm -f x'",
            "numfmt 3",
            "tac f",
        ] {
            assert!(all_harmless(&Commands::of_script(script)), "{script}");
        }
    }

    #[test]
    fn everything_else_is_not_harmless() {
        for script in [
            "git status",
            "python3 -V",
            "./ls",
            "/tmp/cat x",
            "ls > x",
            "find . -delete",
            "find . -exec rm {} \\;",
            "find . -fprintf x y",
            "rg --pre=sh x",
            "rg --pre sh x",
            "rg -z x",
            "rg -nz x",
            "rg --search-zip x",
            "rg --hostname-bin=./x y",
            "sed -i s/a/b/ f",
            "sed -n 5p -i",
            "sed -n w/etc/x",
            "sed 5p f",
            "uniq a b",
            "uniq -- a b",
            "uniq - b",
            "base64 -o x f",
            "base64 --output=x f",
            "ls; rm x",
            "sort x",
            "ls $(x)",
            "xargs cat",
            "",
            "cat <<E\n$(x)\nE",
        ] {
            assert!(!all_harmless(&Commands::of_script(script)), "{script}");
        }
        assert!(all_harmless(&Commands::of_argv(&argv("ls -l"))));
        assert!(!all_harmless(&Commands::of_argv(&[])));
    }

    #[test]
    fn forced_deletions_are_found() {
        let of = |words: &[&str]| vec![Deletion::Of(words.iter().map(|w| (*w).to_owned()).collect())];
        let hidden = || vec![Deletion::Hidden];
        for (script, want) in [
            ("rm -rf build/x", of(&["build/x"])),
            ("ls && /bin/rm -f -- -a b", of(&["-a", "b"])),
            ("rm x --force", of(&["x"])),
            ("rm --fo x", of(&["x"])),
            ("rm -vf a b", of(&["a", "b"])),
            ("rm x", vec![]),
            ("rm -r x", vec![]),
            ("rm -- -f", vec![]),
            ("rm --recursive x", vec![]),
            ("echo rm -f x", vec![]),
            ("git commit -m 'rm -f'", vec![]),
            ("sudo rm -f x", hidden()),
            ("sudo -u root /bin/rm -rf x", hidden()),
            ("find . -exec rm -f {} \\;", hidden()),
            ("env A=1 rm -f x", hidden()),
            ("xargs rm -f", hidden()),
            ("bash -c 'rm -f x'", hidden()),
            ("sudo bash -c 'rm -f x'", hidden()),
            ("eval 'rm -f x'", hidden()),
            ("bash -x -c 'rm -f x'", hidden()),
            ("for f in *; do rm -f $f; done", hidden()),
            ("echo \"$(rm -rf x)\"", hidden()),
            ("rm -f *.o", hidden()),
            ("rm -f x > log", hidden()),
            ("echo x > y; rm z", vec![]),
            ("cat > y; ls -f", vec![]),
        ] {
            assert_eq!(forced_deletions(&Commands::of_script(script)), want, "{script}");
        }
        assert_eq!(forced_deletions(&Commands::of_argv(&argv("rm -f x"))), of(&["x"]));
    }

    #[test]
    fn idle_pieces_need_nothing() {
        for (line, want) in [
            ("cd x", true),
            ("echo /etc/passwd", true),
            ("tail -5", true),
            ("head -n 20", true),
            ("tr a b", true),
            ("wc -l", true),
            ("cat", true),
            ("cat x", false),
            ("cat -", false),
            ("uniq 1 2", false),
            ("cat -- 1", false),
            ("head 1", false),
            ("head -n 1 -c 2", true),
            ("wc -l x", false),
            ("wc --files0-from=x", false),
            ("./echo x", false),
            ("grep x", false),
            ("ls", false),
        ] {
            assert_eq!(is_idle(&argv(line)), want, "{line}");
        }
    }

    #[test]
    fn tables_are_in_order_and_hold_no_name_twice() {
        let names: Vec<&str> = lists::HARMLESS.iter().map(|(name, _)| *name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        let writers: Vec<&str> = lists::WRITERS.iter().map(|(name, _)| *name).collect();
        assert!(writers.is_sorted_by(|a, b| a < b));
        assert!(lists::CONNECTORS.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
        for name in lists::IDLE.iter().chain(lists::FILTERS) {
            assert!(names.contains(name), "{name}");
        }
        // Nothing harmless can run another program.
        assert!(names.iter().all(|name| *name == "find" || !runs_others(name)));
    }

    #[test]
    fn shells_within_shells_end_somewhere() {
        let mut script = "ls".to_owned();
        for _ in 0..MAX_NESTING + 2 {
            script = format!("bash -c {}", shlex::try_quote(&script).unwrap());
        }
        assert_eq!(forced_deletions(&Commands::of_script(&script)), vec![Deletion::Hidden]);
    }
}
