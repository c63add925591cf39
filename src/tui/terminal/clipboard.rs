//! The clipboard: text out by the terminal itself or a program of this machine, images in by a program. The choice
//! is made here as data; the runner carries it out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Surroundings;

/// Most terminals drop longer ones, in bytes of Base64.
const OSC52_MAX: usize = 100_000;

/// A program that takes text on its standard input.
pub(crate) const COPY_PROGRAMS: [&[&str]; 3] =
    [&["wl-copy"], &["xclip", "-selection", "clipboard", "-in"], &["xsel", "--clipboard", "--input"]];

/// A program that writes a PNG image to its standard output.
pub(crate) const IMAGE_PROGRAMS: [&[&str]; 2] = [
    &["wl-paste", "--no-newline", "--type", "image/png"],
    &["xclip", "-selection", "clipboard", "-target", "image/png", "-out"],
];

/// Ways to copy, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A program of this machine.
    Program,
    /// These bytes for the terminal.
    Terminal(Vec<u8>),
    /// Neither: into a file.
    File,
}

/// Which ways may work here. The clipboard of this machine is the user's only when they sit at it.
pub(crate) fn ways(text: &str, around: &Surroundings) -> Vec<Way> {
    let mut ways = Vec::new();
    if around.display && !around.ssh {
        ways.push(Way::Program);
    }
    ways.extend(osc52(text, around.tmux).filter(|_| !around.dumb).map(Way::Terminal));
    ways.push(Way::File);
    ways
}

/// The bytes that make the terminal copy `text`; inside tmux wrapped so that it passes them on.
fn osc52(text: &str, tmux: bool) -> Option<Vec<u8>> {
    let encoded = STANDARD.encode(text);
    if encoded.len() > OSC52_MAX {
        return None;
    }
    let plain = format!("\x1b]52;c;{encoded}\x07");
    let all =
        if tmux { format!("\x1bPtmux;{}\x1b\\{plain}", plain.replace('\x1b', "\x1b\x1b")) } else { plain };
    Some(all.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Env;
    use std::path::Path;

    fn around(vars: &[(&str, &str)]) -> Surroundings {
        Surroundings::of(&Env::of(vars, Path::new("/")))
    }

    #[test]
    fn the_best_way_comes_first() {
        let term = ("TERM", "xterm-256color");
        let hi = Way::Terminal(b"\x1b]52;c;aGk=\x07".to_vec());
        for (vars, want) in [
            (&[term][..], vec![hi.clone(), Way::File]),
            (&[term, ("DISPLAY", ":0")], vec![Way::Program, hi.clone(), Way::File]),
            (&[term, ("DISPLAY", ":10"), ("SSH_TTY", "/dev/pts/1")], vec![hi, Way::File]),
            (&[("TERM", "dumb")], vec![Way::File]),
        ] {
            assert_eq!(ways("hi", &around(vars)), want, "{vars:?}");
        }
        assert_eq!(ways(&"x".repeat(200_000), &around(&[term])), [Way::File]);
    }

    #[test]
    fn tmux_passes_it_on_and_keeps_it_too() {
        let bytes = osc52("hi", true).unwrap();
        assert_eq!(bytes, b"\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\\x1b]52;c;aGk=\x07");
    }
}
