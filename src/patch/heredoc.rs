//! Recognises a shell call that is nothing but a patch, so that no shell has to run for it. Anything more than
//! `[cd dir &&] apply_patch <<WORD … WORD` is left to the shell.

/// A patch inside a shell call.
#[derive(Debug, PartialEq)]
pub(crate) struct Heredoc {
    /// Folder that the script changes to first, as written.
    pub(crate) dir: Option<String>,
    /// The patch.
    pub(crate) patch: String,
}

/// The patch of a script that does nothing else.
pub(crate) fn as_heredoc(script: &str) -> Option<Heredoc> {
    let (command, body) = script.trim_start().split_once('\n')?;
    let (dir, call) = match command.trim_start().strip_prefix("cd ") {
        Some(rest) => {
            let (dir, call) = rest.rsplit_once("&&")?;
            (Some(word(dir)?), call)
        }
        None => (None, command),
    };
    let redirect =
        call.trim().strip_prefix("apply_patch").or_else(|| call.trim().strip_prefix("applypatch"))?;
    let mark = redirect.trim().strip_prefix("<<")?;
    let (mark, tabs) = match mark.strip_prefix('-') {
        Some(mark) => (mark, true),
        None => (mark, false),
    };
    let end = word(mark)?;
    let mut patch = String::with_capacity(body.len());
    let mut lines = body.split('\n');
    for line in lines.by_ref() {
        let line = if tabs { line.trim_start_matches('\t') } else { line };
        if line.strip_suffix('\r').unwrap_or(line) == end {
            return lines.all(|rest| rest.trim().is_empty()).then_some(Heredoc { dir, patch });
        }
        patch.push_str(line);
        patch.push('\n');
    }
    None
}

/// The patch of a command that is `apply_patch PATCH`, or a shell that runs such a script.
pub(crate) fn as_command(argv: &[String]) -> Option<Heredoc> {
    match argv {
        [program, patch] if is_name(program) => Some(Heredoc { dir: None, patch: patch.clone() }),
        [shell, flag, script] if is_shell(shell) && matches!(flag.as_str(), "-c" | "-lc") => {
            as_heredoc(script)
        }
        _ => None,
    }
}

/// Whether a program name is one of those this program answers to as a patcher.
pub(crate) fn is_name(program: &str) -> bool {
    matches!(program, "apply_patch" | "applypatch")
}

fn is_shell(program: &str) -> bool {
    matches!(program.rsplit('/').next(), Some("bash" | "sh" | "zsh"))
}

/// One shell word that means itself, quoted or not.
fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let quoted = text.starts_with(['\'', '"']);
    if !quoted && text.contains(['$', '`', '*', '?', '[', '~', ';', '|', '&', '<', '>', '(', ')', '#']) {
        return None;
    }
    if text.starts_with('"') && text.contains(['$', '`']) {
        return None;
    }
    match shlex::split(text)?.as_slice() {
        [word] if !word.is_empty() => Some(word.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(dir: Option<&str>, patch: &str) -> Option<Heredoc> {
        Some(Heredoc { dir: dir.map(str::to_owned), patch: patch.to_owned() })
    }

    #[test]
    fn scripts() {
        for (script, want) in [
            ("apply_patch <<'EOF'\na\nb\nEOF\n", found(None, "a\nb\n")),
            ("  applypatch  << \"END\"\na\nEND", found(None, "a\n")),
            ("apply_patch <<EOF\r\na\r\nEOF\r\n", found(None, "a\r\n")),
            ("apply_patch <<-EOF\n\ta\n\tEOF\n", found(None, "a\n")),
            ("cd sub && apply_patch <<'EOF'\na\nEOF\n\n", found(Some("sub"), "a\n")),
            ("cd 'a && b' && apply_patch <<'EOF'\na\nEOF", found(Some("a && b"), "a\n")),
            ("apply_patch <<'EOF'\na\nEOF\nrm x\n", None),
            ("apply_patch <<'EOF'\na\n", None),
            ("apply_patch <<'EOF' > out\na\nEOF\n", None),
            ("cd $HOME && apply_patch <<'EOF'\na\nEOF\n", None),
            ("cd \"$HOME\" && apply_patch <<'EOF'\na\nEOF\n", None),
            ("cd a b && apply_patch <<'EOF'\na\nEOF\n", None),
            ("cd a; rm x && apply_patch <<'EOF'\na\nEOF\n", None),
            ("ls && apply_patch <<'EOF'\na\nEOF\n", None),
            ("apply_patch_all <<'EOF'\na\nEOF\n", None),
            ("cat <<'EOF'\na\nEOF\n", None),
            ("apply_patch", None),
            ("", None),
        ] {
            assert_eq!(as_heredoc(script), want, "{script:?}");
        }
    }

    #[test]
    fn commands() {
        let argv = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        assert_eq!(as_command(&argv(&["apply_patch", "p"])), found(None, "p"));
        assert_eq!(as_command(&argv(&["/bin/bash", "-lc", "apply_patch <<E\nx\nE"])), found(None, "x\n"));
        assert_eq!(as_command(&argv(&["python", "-c", "apply_patch <<E\nx\nE"])), None);
        assert_eq!(as_command(&argv(&["apply_patch", "p", "q"])), None);
    }
}
