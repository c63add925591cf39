//! What the user allowed "for this session": pieces of commands, each in its folder, inside the sandbox or outside
//! it. A piece that was allowed is not asked about again, whatever stands beside it. Lives as long as its thread
//! and is never written to disk.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::lists;
use crate::process::parse::{Commands, Shape};

/// Everything granted in one thread.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    commands: HashSet<Grant>,
    /// How often they were taken back.
    forgotten: u64,
}

/// A call, as grants see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// Its pieces.
    pub(crate) commands: &'a Commands,
    /// The whole call.
    pub(crate) argv: &'a [String],
    /// Absolute working directory.
    pub(crate) cwd: &'a Path,
    /// It would run outside the sandbox.
    pub(crate) outside: bool,
    /// For each piece, the program that it finds when commands can change it ([`super::vouch::planted`]).
    pub(crate) planted: &'a [Option<PathBuf>],
}

/// Identity of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Grant {
    words: Vec<String>,
    /// Changes of directory before it.
    moves: Vec<Vec<String>>,
    cwd: PathBuf,
    outside: bool,
    planted: Option<PathBuf>,
}

impl Call<'_> {
    /// The identity of one piece. A call whose pieces change what the others mean, or that cannot be read word by
    /// word, is one piece.
    fn grant(&self, at: usize, outside: bool) -> Option<Grant> {
        let pieces = &self.commands.pieces;
        let whole =
            self.commands.shape != Shape::Plain || pieces.iter().any(|piece| lists::changes_shell(piece));
        let (words, moves) = if whole {
            (self.argv.to_vec(), Vec::new())
        } else {
            let moves = pieces.iter().take(at).filter(|piece| lists::moves(piece));
            (pieces.get(at)?.clone(), moves.cloned().collect())
        };
        let (moves, cwd) = match !whole && lists::names_all_places(&words) {
            true => (Vec::new(), PathBuf::from("/")),
            false => (moves, self.cwd.to_owned()),
        };
        let planted = self.planted.get(at).cloned().flatten();
        Some(Grant { words, moves, cwd, outside, planted })
    }
}

impl Grants {
    /// Forgets everything when it was taken back meanwhile: `forgotten` grows each time.
    pub(crate) fn since(&mut self, forgotten: u64) {
        if self.forgotten != forgotten {
            *self = Self { commands: HashSet::new(), forgotten };
        }
    }

    /// Remembers these pieces of a call.
    pub(crate) fn allow(&mut self, call: Call<'_>, pieces: &[usize]) {
        self.commands.extend(pieces.iter().filter_map(|at| call.grant(*at, call.outside)));
    }

    /// For each piece, whether it was allowed before. What may run outside the sandbox may run inside.
    pub(crate) fn cover(&self, call: Call<'_>) -> Vec<bool> {
        let held = |grant: Option<Grant>| grant.is_some_and(|grant| self.commands.contains(&grant));
        (0..call.commands.pieces.len())
            .map(|at| held(call.grant(at, true)) || (!call.outside && held(call.grant(at, false))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_put_in_the_way_is_another_one() {
        let commands = Commands::of_script("touch /x");
        let argv = ["touch".to_owned(), "/x".to_owned()];
        let planted = [Some(PathBuf::from("/p/bin/touch"))];
        let call =
            |planted| Call { commands: &commands, argv: &argv, cwd: Path::new("/p"), outside: true, planted };
        let mut grants = Grants::default();
        grants.allow(call(&[]), &[0]);
        assert_eq!((grants.cover(call(&[])), grants.cover(call(&planted))), (vec![true], vec![false]));
        grants.allow(call(&planted), &[0]);
        assert_eq!(grants.cover(call(&planted)), [true]);
    }

    /// Grants all pieces of `given`, then looks `asked` up; both as (script, folder, outside).
    fn covered(given: (&str, &str, bool), asked: (&str, &str, bool)) -> Vec<bool> {
        let argv = |script: &str| ["bash", "-c", script].map(str::to_owned).to_vec();
        let mut grants = Grants::default();
        let (words, commands) = (argv(given.0), Commands::of_script(given.0));
        let call = |commands, argv, cwd| Call { commands, argv, cwd, outside: given.2, planted: &[] };
        let all: Vec<usize> = (0..commands.pieces.len()).collect();
        grants.allow(call(&commands, &words, Path::new(given.1)), &all);
        let (words, commands) = (argv(asked.0), Commands::of_script(asked.0));
        grants.cover(Call { outside: asked.2, ..call(&commands, &words, Path::new(asked.1)) })
    }

    #[test]
    fn a_piece_is_not_asked_about_twice() {
        let same = |script: &'static str| (script, "/p", true);
        for (given, asked, want) in [
            (same("touch x"), same("touch x"), vec![true]),
            (same("touch x"), same("ls && touch x"), vec![false, true]),
            (same("touch x; make"), same("make"), vec![true]),
            (same("touch x"), same("touch x y"), vec![false]),
            (same("touch x"), ("touch x", "/q", true), vec![false]),
            (same("touch x"), ("touch x", "/p", false), vec![true]),
            (("touch x", "/p", false), same("touch x"), vec![false]),
            // After a change of directory the same words mean something else.
            (same("touch x"), same("cd y; touch x"), vec![false, false]),
            (same("cd y; touch x"), same("cd y; touch x"), vec![true, true]),
            (same("cd y; touch x"), same("touch x"), vec![false]),
            // Unless they name their places in full.
            (same("touch /x"), same("cd y; touch /x"), vec![false, true]),
            (same("rm -f /x"), ("rm -f /x", "/q", true), vec![true]),
            (same("touch /x y"), ("touch /x y", "/q", true), vec![false]),
            (same("make /x"), ("make /x", "/q", true), vec![false]),
            // What cannot be taken apart is one piece.
            (same("touch x > y"), same("touch x > y"), vec![true]),
            (same("touch x > y"), same("touch x > z"), vec![false]),
            (same("export A=1; touch x"), same("touch x"), vec![false]),
            (same("export A=1; touch x"), same("export A=1; touch x"), vec![true, true]),
            (same("touch x"), same("export A=1; touch x"), vec![false, false]),
            (same("python3 - <<'E'\na\nE"), same("python3 - <<'E'\nb\nE"), vec![false]),
        ] {
            assert_eq!(covered(given, asked), want, "{given:?} {asked:?}");
        }
    }
}
