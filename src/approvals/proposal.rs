//! Which rule to offer with a question, so that the same need not be asked again: for exactly the pieces that
//! need consent. What the model proposes is taken when it fits them and is not too wide; otherwise each piece in
//! full. No rule is offered for what no prefix can describe safely.

use super::lists;
use super::rule_files;
use super::rules::{Rule, RuleDecision, RuleMatch, base_name};
use super::safe;
use crate::process::parse::{Commands, Shape};

/// Pieces of one call for which rules are offered.
const MAX_RULES: usize = 3;
/// Longer rules nobody reads.
const MAX_TEXT: usize = 600;

/// The rules that would answer a question for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// The words of each.
    pub(crate) words: Vec<Vec<String>>,
    /// Each as it would be written.
    pub(crate) lines: Vec<String>,
    /// They name files of this project and mean something else elsewhere.
    pub(crate) project_only: bool,
}

/// Proposes rules for the pieces `needs` of a call. `model`: the prefix that the model wishes for.
pub(crate) fn propose(
    commands: &Commands,
    needs: &[usize],
    rules: &[Option<RuleMatch>],
    model: Option<&[String]>,
) -> Option<Proposal> {
    if commands.shape != Shape::Plain || commands.pieces.iter().any(|piece| lists::changes_shell(piece)) {
        return None;
    }
    // A rule that asks is the user's own word; another rule would not silence it.
    if needs.iter().any(|at| rules.get(*at).is_some_and(Option::is_some)) {
        return None;
    }
    let pieces: Vec<&Vec<String>> = needs.iter().filter_map(|at| commands.pieces.get(*at)).collect();
    let fits = |words: &&[String]| {
        let rule = Rule::allowing(words);
        !words.is_empty() && !too_wide(words) && pieces.iter().all(|piece| rule.matches(piece))
    };
    let mut words: Vec<Vec<String>> = match model.filter(fits) {
        Some(prefix) => vec![prefix.to_vec()],
        None => pieces.into_iter().cloned().collect(),
    };
    words.sort();
    words.dedup();
    if words.is_empty() || words.len() > MAX_RULES || words.iter().any(|words| too_wide(words)) {
        return None;
    }
    let lines: Vec<String> =
        words.iter().map(|words| rule_files::text(words, RuleDecision::Allow)).collect::<Option<_>>()?;
    if lines.iter().map(String::len).sum::<usize>() > MAX_TEXT {
        return None;
    }
    let relative = |words: &Vec<String>| {
        words.first().is_some_and(|first| first.contains('/') && !first.starts_with('/'))
    };
    let project_only = words.iter().any(relative);
    // A path of the project means another file after a change of directory.
    let moves = commands.pieces.iter().any(|piece| lists::moves(piece));
    (!(project_only && moves)).then_some(Proposal { words, lines, project_only })
}

/// Whether a rule with these words would allow what nobody has looked at: code from anywhere, any program, or
/// more deletions, since a prefix leaves open what follows.
fn too_wide(words: &[String]) -> bool {
    let Some((program, args)) = words.split_first() else { return true };
    let name = base_name(program);
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let takes_code = |arg: &String| {
        let letters = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        lists::TAKES_CODE.contains(&arg.as_str()) || letters.is_some_and(|rest| rest.contains(['c', 'e']))
    };
    let interpreter = lists::INTERPRETERS.contains(&plain);
    // The script is the first word that is no option; before it every option may take code.
    let before: Vec<&String> = args.iter().take_while(|arg| arg.starts_with('-')).collect();
    let bare = interpreter && (before.len() == args.len() || before.into_iter().any(takes_code));
    bare || safe::runs_others(program)
        || lists::DELETERS.contains(&name)
        || lists::changes_shell(words)
        || (args.is_empty() && lists::TOO_WIDE.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn proposed(script: &str, needs: &[usize], model: &str) -> Option<String> {
        let model = words(model);
        let commands = Commands::of_script(script);
        let given = (!model.is_empty()).then_some(model.as_slice());
        let proposal = propose(&commands, needs, &[], given)?;
        let mark = if proposal.project_only { " (project)" } else { "" };
        Some(proposal.words.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join(", ") + mark)
    }

    #[test]
    fn the_rule_covers_the_pieces_that_need_it() {
        for (script, needs, model, want) in [
            ("ls && touch /x && rm -f y", &[1][..], "", Some("touch /x")),
            ("touch /x; touch /y; touch /x", &[0, 1, 2], "", Some("touch /x, touch /y")),
            ("git push origin main", &[0], "", Some("git push origin main")),
            ("git push origin main", &[0], "git push", Some("git push")),
            ("cargo test && git push", &[1], "git push", Some("git push")),
            ("cargo test && git push", &[0, 1], "git push", Some("cargo test, git push")),
            ("./run.sh a", &[0], "", Some("./run.sh a (project)")),
            ("/opt/run a", &[0], "", Some("/opt/run a")),
            ("cd x && ./run.sh a", &[1], "", None),
            ("python3 tool.py", &[0], "", Some("python3 tool.py")),
            // Too wide: the model's wish is passed over, or nothing is offered.
            ("git push", &[0], "git", Some("git push")),
            ("python3 tool.py", &[0], "python3", Some("python3 tool.py")),
            ("touch /x", &[0], "git push", Some("touch /x")),
            ("python3 -c 'x'", &[0], "", None),
            ("python3.12 -Bc 'x'", &[0], "", None),
            ("node -e x", &[0], "node -e", None),
            ("bash", &[0], "", None),
            ("python3 -", &[0], "", None),
            ("sudo touch /x", &[0], "sudo touch", None),
            ("env A=1 make", &[0], "", None),
            ("rm /x", &[0], "", None),
            ("export A=1; make", &[1], "", None),
            ("touch $X", &[0], "", None),
            ("python3 x.py <<'E'\nx\nE", &[0], "", None),
            ("a; b; c; d", &[0, 1, 2, 3], "", None),
            ("touch 'a\nb'", &[0], "", None),
            ("ls", &[], "", None),
        ] {
            assert_eq!(proposed(script, needs, model).as_deref(), want, "{script} {model}");
        }
    }

    #[test]
    fn no_rule_against_a_rule() {
        let commands = Commands::of_script("git push");
        let rule = RuleMatch {
            decision: RuleDecision::Prompt,
            prefix: words("git push"),
            justification: None,
            resolved: None,
        };
        assert_eq!(propose(&commands, &[0], &[Some(rule)], None), None);
    }
}
