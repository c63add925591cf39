//! What a command would do, for the question about it: which programs leave the sandbox, which places they name
//! to write or delete, where they connect to. Read from the words alone, so it is a help to the user and never
//! decides anything; what it does not name may still happen once a program is outside.

use std::path::{Path, PathBuf};

use super::lists::{self, Operands};
use super::rules::base_name;
use super::safe;
use crate::base::path::absolute;
use crate::process::parse::{Commands, Shape};
use crate::protocol::ask::Effect;

/// More places than this are only counted.
const MAX_PLACES: usize = 5;

/// The effects of the pieces `needs` of a call in `cwd`, run outside the sandbox.
pub(crate) fn outside(commands: &Commands, needs: &[usize], cwd: &Path) -> Vec<Effect> {
    if commands.shape == Shape::Opaque {
        let script = commands.script.as_deref().unwrap_or_default();
        let hosts = safe::loose_words(script).into_iter().filter_map(url_host).map(Effect::Connects);
        return bounded(vec![Effect::OutsideUnread], hosts.collect());
    }
    let mut programs: Vec<String> = Vec::new();
    let mut places = Vec::new();
    let mut dir = Some(cwd.to_owned());
    for (at, piece) in commands.pieces.iter().enumerate() {
        let Some((program, args)) = piece.split_first() else { continue };
        if lists::moves(piece) {
            dir = moved(dir, args);
        } else if needs.contains(&at) {
            let name = base_name(program).to_owned();
            if !programs.contains(&name) {
                programs.push(name);
            }
            places.extend(of_piece(base_name(program), args, dir.as_deref()));
        }
    }
    bounded(vec![Effect::Outside(programs)], places)
}

/// At most so many places, none twice.
fn bounded(mut effects: Vec<Effect>, places: Vec<Effect>) -> Vec<Effect> {
    let mut more = 0;
    for place in places {
        if effects.contains(&place) {
            continue;
        }
        match effects.len() <= MAX_PLACES {
            true => effects.push(place),
            false => more += 1,
        }
    }
    effects.extend((more > 0).then_some(Effect::More(more)));
    effects
}

/// The folder after a change of directory; `None` when the words do not tell.
pub(super) fn moved(dir: Option<PathBuf>, args: &[String]) -> Option<PathBuf> {
    match args {
        [target] if !target.starts_with('-') => Some(absolute(&dir?, Path::new(target))),
        _ => None,
    }
}

fn of_piece(name: &str, args: &[String], dir: Option<&Path>) -> Vec<Effect> {
    let operands: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let place = |operand: &&String| match dir {
        Some(dir) => absolute(dir, Path::new(operand.as_str())),
        None => PathBuf::from(operand.as_str()),
    };
    let mut effects: Vec<Effect> = Vec::new();
    if lists::DELETERS.contains(&name) {
        effects.extend(operands.iter().map(place).map(Effect::Deletes));
    }
    if let Some((_, which)) = lists::WRITERS.iter().find(|(writer, _)| *writer == name) {
        let skipped = match which {
            Operands::All => 0,
            Operands::AfterFirst => 1,
            Operands::Last => operands.len().saturating_sub(1),
        };
        effects.extend(operands.iter().skip(skipped).map(place).map(Effect::Writes));
    }
    if name == "dd" {
        let files = args.iter().filter_map(|arg| arg.strip_prefix("of="));
        effects.extend(files.map(|file| Effect::Writes(place(&&file.to_owned()))));
    }
    effects.extend(connects(name, args, &operands));
    effects
}

fn connects(name: &str, args: &[String], operands: &[&String]) -> Vec<Effect> {
    let mut hosts: Vec<String> = args.iter().filter_map(|arg| url_host(arg)).collect();
    if hosts.is_empty() && matches!(name, "curl" | "wget") {
        hosts.extend(operands.last().map(|target| host_of(target)).filter(|host| !host.is_empty()));
    }
    if hosts.is_empty() && matches!(name, "ssh" | "scp" | "rsync" | "git") {
        hosts.extend(operands.iter().filter_map(|target| remote_host(target)));
    }
    let known = |(program, word, _): &&(&str, &str, &str)| {
        *program == name && (word.is_empty() || operands.iter().any(|operand| operand == word))
    };
    if hosts.is_empty()
        && let Some((_, _, to)) = lists::CONNECTORS.iter().find(known)
    {
        hosts.push((*to).to_owned());
    }
    hosts.into_iter().map(Effect::Connects).collect()
}

/// `example.org:443` of `https://user@example.org:443/x`.
fn url_host(word: &str) -> Option<String> {
    let (scheme, rest) = word.split_once("://")?;
    let scheme = scheme.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '+').next()?;
    let host = host_of(rest);
    (!scheme.is_empty() && scheme != "file" && !host.is_empty()).then_some(host)
}

fn host_of(rest: &str) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}

/// `host` of `user@host:path` and `user@host`.
fn remote_host(word: &str) -> Option<String> {
    let (user, rest) = word.split_once('@')?;
    let host = rest.split([':', '/']).next().unwrap_or_default();
    let plain = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '/');
    (plain(user) && plain(host)).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(script: &str, needs: &[usize]) -> String {
        let path = |path: &Path| path.display().to_string();
        let one = |effect: Effect| match effect {
            Effect::Confined(text) => text,
            Effect::Outside(programs) => format!("out {}", programs.join("+")),
            Effect::OutsideUnread => "unread".to_owned(),
            Effect::Refused(text) | Effect::Doubt(text) => text,
            Effect::Writes(at) => format!("w {}", path(&at)),
            Effect::Deletes(at) => format!("d {}", path(&at)),
            Effect::Connects(to) => format!("c {to}"),
            Effect::More(count) => format!("+{count}"),
        };
        let commands = Commands::of_script(script);
        let effects = outside(&commands, needs, Path::new("/p"));
        effects.into_iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn effects_are_those_of_the_pieces_that_need_consent() {
        for (script, needs, want) in [
            ("ls && touch /etc/x y", &[1][..], "out touch, w /etc/x, w /p/y"),
            ("ls && touch /etc/x", &[0], "out ls"),
            ("cd sub && touch y", &[1], "out touch, w /p/sub/y"),
            ("cd - && touch y", &[1], "out touch, w y"),
            ("cp a b /to; mv c d", &[0, 1], "out cp+mv, w /to, w /p/c, w /p/d"),
            ("rm -rf ../x; chmod 755 z", &[0, 1], "out rm+chmod, d /x, w /p/z"),
            ("dd if=/dev/zero of=/dev/sdx", &[0], "out dd, w /dev/sdx"),
            ("curl -s https://me:pw@example.org:8443/a", &[0], "out curl, c example.org:8443"),
            ("curl -s example.org/a", &[0], "out curl, c example.org"),
            ("git push origin main", &[0], "out git, c a git server"),
            ("git clone git@host.org:a/b", &[0], "out git, c host.org"),
            ("git commit -m 'mail me@example.org now'", &[0], "out git"),
            ("ssh -p 1 u@box ls", &[0], "out ssh, c box"),
            ("npm install left-pad", &[0], "out npm, c the npm registry"),
            ("cargo build", &[0], "out cargo"),
            ("curl https://a.org/$X > f", &[0], "unread, c a.org"),
            ("touch 1 2 3 4 5 6 7 7", &[0], "out touch, w /p/1, w /p/2, w /p/3, w /p/4, w /p/5, +3"),
            ("echo file:///etc/x", &[0], "out echo"),
        ] {
            assert_eq!(shown(script, needs), want, "{script}");
        }
    }
}
