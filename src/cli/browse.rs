//! Opens the user's browser, and knows where there is none.

use std::process::{Command, Stdio};

use crate::base::tasks;
use crate::config::Env;

/// Why a browser that opens here would not be seen by the user; `None` when it would.
pub(crate) fn absent(env: &Env) -> Option<&'static str> {
    let set = |names: &[&str]| names.iter().any(|name| env.get(name).is_some());
    if set(&["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"]) {
        return Some("this is a session over SSH");
    }
    let shown = set(&["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"]);
    (!shown).then_some("this machine has no display")
}

/// Opens `url`, without waiting and without words of the browser on the terminal. Whoever asked shows the address
/// anyway: that a program starts does not mean that a page opens. The browser does not get the variables in `hidden`:
/// they hold keys, and what a browser starts is anybody's.
pub(crate) fn open(env: &Env, hidden: &[String], url: &str) {
    let chosen =
        env.text("BROWSER").and_then(|all| all.split(':').find(|one| !one.is_empty())).map(str::to_owned);
    let (url, hidden) = (url.to_owned(), hidden.to_vec());
    tasks::detach("open the browser", move || {
        let programs = chosen.into_iter().chain(["xdg-open", "wslview", "www-browser"].map(str::to_owned));
        for program in programs {
            let mut command = Command::new(program);
            for name in &hidden {
                command.env_remove(name);
            }
            command.arg(&url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Ok(mut child) = command.spawn() {
                let _ = child.wait();
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn where_a_browser_is_seen() {
        for (vars, seen) in [
            (&[][..], false),
            (&[("DISPLAY", ":0")][..], true),
            (&[("WAYLAND_DISPLAY", "wayland-0")][..], true),
            (&[("BROWSER", "firefox")][..], true),
            (&[("DISPLAY", ":10"), ("SSH_CONNECTION", "1 2 3 4")][..], false),
            (&[("DISPLAY", "")][..], false),
        ] {
            assert_eq!(absent(&Env::of(vars, Path::new("/"))).is_none(), seen, "{vars:?}");
        }
    }
}
