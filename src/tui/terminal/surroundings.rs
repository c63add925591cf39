//! What the environment tells about the terminal: colours, light or dark, where we run. Guesses only; replies of
//! the terminal correct them later. Reads the captured environment, never the process's own.

use std::path::PathBuf;

use crate::config::Env;
use crate::tui::theme::Colors;

/// Terminals known to turn OSC 9 into a notification.
const OSC9: [&str; 5] = ["iTerm.app", "ghostty", "WezTerm", "kitty", "rio"];

/// Where the app runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// What the terminal can show.
    pub(crate) colors: Colors,
    /// Whether its background is light.
    pub(crate) light: bool,
    /// The terminal can do nothing but text.
    pub(crate) dumb: bool,
    /// The terminal may be asked for its colours.
    pub(crate) answers: bool,
    /// Inside tmux or screen: sequences for the terminal around it need a wrapper.
    pub(crate) tmux: bool,
    /// At another width it wraps the lines it holds.
    pub(crate) rewraps: bool,
    /// OSC 9 shows a notification.
    pub(crate) osc9: bool,
    /// Over ssh: the clipboard of this machine is not the user's.
    pub(crate) ssh: bool,
    /// Display server of this machine, for its clipboard programs.
    pub(crate) display: bool,
    /// `$VISUAL` or `$EDITOR`.
    pub(crate) editor: Option<String>,
    /// Home folder, shown as `~`.
    pub(crate) home: Option<PathBuf>,
    /// Name of this machine.
    pub(crate) hostname: Option<String>,
}

impl Surroundings {
    /// Reads the environment.
    pub(crate) fn of(env: &Env) -> Self {
        let term = env.text("TERM").unwrap_or_default();
        let program = env.text("TERM_PROGRAM").unwrap_or_default();
        let tmux = env.get("TMUX").is_some() || env.get("STY").is_some();
        let kitty = term == "xterm-kitty" || env.get("KITTY_WINDOW_ID").is_some();
        Self {
            colors: colors(env.no_color(), term, env.text("COLORTERM").unwrap_or_default()),
            light: env.text("COLORFGBG").is_some_and(light),
            dumb: term.is_empty() || term == "dumb",
            answers: !matches!(term, "" | "dumb" | "linux" | "vt100" | "vt220"),
            tmux,
            rewraps: env.get("TMUX").is_some() || !cuts_off(env, term),
            osc9: !tmux && (OSC9.contains(&program) || kitty),
            ssh: env.get("SSH_TTY").is_some() || env.get("SSH_CONNECTION").is_some(),
            display: env.get("WAYLAND_DISPLAY").is_some() || env.get("DISPLAY").is_some(),
            editor: env.text("VISUAL").or_else(|| env.text("EDITOR")).map(str::to_owned),
            home: env.home().map(PathBuf::from),
            hostname: rustix::system::uname().nodename().to_str().ok().map(str::to_owned),
        }
    }
}

/// The few terminals that cut lines off at another width. A terminal that is asked may know better.
fn cuts_off(env: &Env, term: &str) -> bool {
    let named = matches!(term, "" | "dumb" | "linux" | "vt100" | "vt220" | "st");
    named || term.starts_with("st-") || env.get("STY").is_some() || env.get("XTERM_VERSION").is_some()
}

/// The same, by the name that a terminal gives itself.
pub(crate) fn rewraps(name: &str) -> bool {
    !name.starts_with("XTerm(")
}

fn colors(no_color: bool, term: &str, colorterm: &str) -> Colors {
    let full = ["kitty", "alacritty", "ghostty", "wezterm", "foot", "direct", "contour"];
    match () {
        () if no_color || matches!(term, "" | "dumb" | "vt100" | "vt220") => Colors::None,
        () if matches!(colorterm, "truecolor" | "24bit") => Colors::True,
        () if full.iter().any(|name| term.contains(name)) => Colors::True,
        () if term.contains("256color") => Colors::Ansi256,
        () => Colors::Ansi16,
    }
}

/// `COLORFGBG` ends with the number of the background colour.
fn light(value: &str) -> bool {
    matches!(value.rsplit(';').next(), Some("7" | "15"))
}

/// Whether a background of this colour is light.
pub(crate) fn is_light([r, g, b]: [u8; 3]) -> bool {
    u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114 > 128_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn colours_by_terminal() {
        for (vars, want) in [
            (&[("TERM", "xterm")][..], Colors::Ansi16),
            (&[("TERM", "xterm-256color")], Colors::Ansi256),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Colors::True),
            (&[("TERM", "xterm-kitty")], Colors::True),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], Colors::None),
            (&[("TERM", "linux")], Colors::Ansi16),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], Colors::None),
            (&[], Colors::None),
        ] {
            assert_eq!(Surroundings::of(&Env::of(vars, Path::new("/"))).colors, want, "{vars:?}");
        }
    }

    #[test]
    fn tmux_and_light_grounds() {
        let env = Env::of(
            &[
                ("TERM", "screen-256color"),
                ("TMUX", "/tmp/x"),
                ("TERM_PROGRAM", "ghostty"),
                ("COLORFGBG", "0;15"),
            ],
            Path::new("/"),
        );
        let found = Surroundings::of(&env);
        assert!(found.tmux && !found.osc9 && found.light && !found.dumb && found.answers);
        assert!(is_light([255, 255, 240]) && !is_light([30, 30, 46]));
    }
}
