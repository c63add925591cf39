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
    /// They let nothing out of the sandbox.
    pub(crate) inside: bool,
}

impl Proposal {
    /// What the rules say.
    pub(crate) fn decision(&self) -> RuleDecision {
        if self.inside { RuleDecision::Inside } else { RuleDecision::Allow }
    }
}

/// Proposes rules for the pieces `needs` of a call, which let nothing out of the sandbox when they are to stay `inside`.
/// `model`: the prefix that the model wishes for.
///
/// # Errors
/// Why there is none, for the user.
pub(crate) fn propose(
    commands: &Commands,
    needs: &[usize],
    rules: &[Option<RuleMatch>],
    model: Option<&[String]>,
    inside: bool,
) -> Result<Proposal, String> {
    // A rule that asks is somebody's own word; another rule would not silence it.
    let asking =
        |at: &usize| rules.get(*at).and_then(Option::as_ref).filter(|rule| rule.decision.is_strict());
    if let Some(rule) = needs.iter().find_map(asking) {
        let origin = rule.origin.as_deref().map(|origin| format!(" ({origin})")).unwrap_or_default();
        return Err(format!("the rule about `{}`{origin} asks every time", rule.prefix.join(" ")));
    }
    if commands.shape != Shape::Plain {
        return Err("a shell computes what this does, and no rule can tell that beforehand".to_owned());
    }
    if let Some(piece) = commands.pieces.iter().find(|piece| lists::changes_shell(piece)) {
        let word = piece.first().map(String::as_str).unwrap_or_default();
        return Err(format!("`{word}` changes what the words behind it mean"));
    }
    let pieces: Vec<&Vec<String>> = needs.iter().filter_map(|at| commands.pieces.get(*at)).collect();
    let fits = |words: &&[String]| {
        let rule = Rule::allowing(words);
        !words.is_empty() && too_wide(words).is_none() && pieces.iter().all(|piece| rule.matches(piece))
    };
    let mut words: Vec<Vec<String>> = match model.filter(fits) {
        Some(prefix) => vec![prefix.to_vec()],
        None => pieces.into_iter().cloned().collect(),
    };
    words.sort();
    words.dedup();
    if words.is_empty() || words.len() > MAX_RULES {
        return Err(format!("it is more than {MAX_RULES} commands"));
    }
    if let Some(why) = words.iter().find_map(|words| too_wide(words)) {
        return Err(why);
    }
    let lines: Option<Vec<String>> =
        words.iter().map(|words| rule_files::text(words, RuleDecision::Allow)).collect();
    let lines = lines.ok_or("a rule cannot hold line breaks or empty words")?;
    if lines.iter().map(String::len).sum::<usize>() > MAX_TEXT {
        return Err("the rule would be too long to be read".to_owned());
    }
    let relative = |words: &Vec<String>| {
        words.first().is_some_and(|first| first.contains('/') && !first.starts_with('/'))
    };
    let project_only = words.iter().any(relative);
    // A path of the project means another file after a change of directory.
    let moves = commands.pieces.iter().any(|piece| lists::moves(piece));
    if project_only && moves {
        return Err("after `cd` a program of the project is another one".to_owned());
    }
    Ok(Proposal { words, lines, project_only, inside })
}

/// Why a rule with these words would allow what nobody has looked at: code from anywhere, any program, or more
/// deletions, since a prefix leaves open what follows.
fn too_wide(words: &[String]) -> Option<String> {
    let Some((program, args)) = words.split_first() else { return Some("it has no words".to_owned()) };
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
    let what = match () {
        () if bare => "any code",
        () if safe::runs_others(program) || lists::changes_shell(words) => "any program",
        () if lists::DELETERS.contains(&name) => "more deletions",
        () if args.is_empty() && lists::TOO_WIDE.contains(&name) => "all of its commands",
        () => return None,
    };
    Some(format!("a rule about `{name}` would allow {what}"))
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
        let proposal = propose(&commands, needs, &[], given, false).ok()?;
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
    fn why_there_is_no_rule() {
        for (script, needs, why) in [
            ("touch $X", &[0][..], "a shell computes what this does"),
            ("export A=1; make", &[1], "`export` changes what the words behind it mean"),
            ("sudo make", &[0], "a rule about `sudo` would allow any program"),
            ("rm -rf /x", &[0], "a rule about `rm` would allow more deletions"),
            ("python3 -c 'x'", &[0], "a rule about `python3` would allow any code"),
            ("make 'a\nb'", &[0], "line breaks"),
            ("a; b; c; d", &[0, 1, 2, 3], "more than 3 commands"),
            ("cd x; ./y", &[1], "after `cd`"),
        ] {
            let said = propose(&Commands::of_script(script), needs, &[], None, false).unwrap_err();
            assert!(said.contains(why), "{script}: {said}");
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
            origin: Some("/h/a.rules:3".into()),
        };
        let why = propose(&commands, &[0], &[Some(rule)], None, false).unwrap_err();
        assert_eq!(why, "the rule about `git push` (/h/a.rules:3) asks every time");
    }
}
