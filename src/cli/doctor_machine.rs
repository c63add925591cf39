//! The checks of `codex doctor` that are about the machine: which rung of the sandbox it has, what every rung enforces,
//! what would lead to a better one here, and what the terminal can show.

use std::path::Path;

use serde::Serialize;

use super::doctor::Check;
use crate::config::Env;
use crate::sandbox::{self, Level};

/// One rung of the sandbox.
#[derive(Debug, Serialize)]
pub(super) struct Rung {
    pub(super) name: &'static str,
    pub(super) in_use: bool,
    pub(super) enforces: &'static [&'static str],
    /// What is refused more widely than it is meant, or not kept at all.
    pub(super) limits: &'static [&'static str],
}

const NAMESPACES: &[&str] = &[
    "files outside the writable folders",
    ".git, .codex, .agents and other protected places",
    "secrets of the deny list",
    "network off, single ports, listed hosts",
    "own processes, terminals, shared memory and sockets only",
    "system calls by filter",
];
const LANDLOCK: &[&str] = &[
    "files outside the writable folders",
    ".git, .codex, .agents and other protected places",
    "secrets of the deny list",
    "network off, single ports, listed hosts",
    "system calls by filter",
];

/// What each rung does, best first.
pub(super) fn rungs() -> Vec<Rung> {
    let level = sandbox::level();
    // Of all that is missing there, the last is mended from one version of Landlock on.
    let limits = match sandbox::signals_stay_inside() {
        true => {
            sandbox::WITHOUT_NAMESPACES.split_last().map_or(sandbox::WITHOUT_NAMESPACES, |(_, most)| most)
        }
        false => sandbox::WITHOUT_NAMESPACES,
    };
    let rung = |name, in_use, enforces, limits| Rung { name, in_use, enforces, limits };
    vec![
        rung("namespaces + Landlock + seccomp", matches!(level, Ok(Level::Namespaces)), NAMESPACES, &[]),
        rung("Landlock + seccomp", matches!(level, Ok(Level::Landlock)), LANDLOCK, limits),
        rung(
            "nothing",
            level.is_err(),
            &[],
            &["commands are refused, unless they may run outside the sandbox"],
        ),
    ]
}

/// The rung in use, and the way to a better one.
pub(super) fn sandbox() -> Check {
    let remedy = remedy(&|path| std::fs::read_to_string(path).ok(), &|path| path.exists());
    match sandbox::level() {
        Ok(Level::Namespaces) => {
            let (kernel, version) = (kernel(), sandbox::landlock_version());
            let landlock =
                if version > 0 { format!("Landlock (version {version})") } else { "no Landlock".to_owned() };
            Check::good("sandbox", format!("namespaces, {landlock} and seccomp on Linux {kernel}"))
        }
        Ok(Level::Landlock) => {
            let gap =
                sandbox::gaps().unwrap_or("Landlock and seccomp alone; some ordinary things are refused");
            Check::odd("sandbox", gap, remedy)
        }
        Err(error) => Check::bad("sandbox", error.to_string(), remedy),
    }
}

fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

/// What keeps namespaces from ordinary users here.
fn remedy(read: &dyn Fn(&Path) -> Option<String>, exists: &dyn Fn(&Path) -> bool) -> String {
    let is = |path: &str, value: &str| read(Path::new(path)).is_some_and(|text| text.trim() == value);
    if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        return "AppArmor keeps namespaces from ordinary programs (Ubuntu): give codex a profile with `userns,`, or \
                `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
            .to_owned();
    }
    if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return "the kernel keeps namespaces from ordinary users (Debian): `sudo sysctl \
                kernel.unprivileged_userns_clone=1`"
            .to_owned();
    }
    if is("/proc/sys/user/max_user_namespaces", "0") {
        return "there may be no user namespaces: `sudo sysctl user.max_user_namespaces=15000`".to_owned();
    }
    // The first process is our supervisor: so it is in a sandbox of ours, or in a container that was made for codex alone,
    // whose processes may gain no rights.
    let first = read(Path::new("/proc/1/comm")).unwrap_or_default();
    let kept = read(Path::new("/proc/self/status")).is_some_and(|text| text.contains("NoNewPrivs:\t1"));
    if first.starts_with("codex") && kept {
        return "this runs inside a sandbox of codex already, which lets nothing make namespaces: run it outside".to_owned();
    }
    if ["/.dockerenv", "/run/.containerenv"].iter().any(|path| exists(Path::new(path))) {
        return "this is a container without namespaces of its own: start it with `--security-opt seccomp=unconfined` \
                (and `--security-opt apparmor=unconfined` where there is AppArmor), or let the container be the sandbox"
            .to_owned();
    }
    let kernel = read(Path::new("/proc/sys/kernel/osrelease")).unwrap_or_default();
    format!(
        "Linux {}: namespaces for users need a kernel with CONFIG_USER_NS, Landlock one from 5.13 on with `landlock` in \
         /sys/kernel/security/lsm",
        kernel.trim()
    )
}

/// How many colours the terminal shows, and whether it shows more than ASCII.
pub(super) fn colours(env: &Env) -> Check {
    let text = |name: &str| env.text(name).unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .map(text)
        .find(|value| !value.is_empty())
        .unwrap_or_default();
    let lower = locale.to_ascii_lowercase();
    let depth = match (text("COLORTERM"), text("TERM")) {
        _ if !text("NO_COLOR").is_empty() => "none (NO_COLOR is set)",
        ("truecolor" | "24bit", _) => "16 million",
        (_, term) if term.contains("256color") || term.contains("direct") => "256",
        (_, "" | "dumb") => "none",
        _ => "16",
    };
    if lower.contains("utf-8") || lower.contains("utf8") {
        return Check::good("colours", format!("{depth}; characters {locale}"));
    }
    Check::odd(
        "colours",
        format!("{depth}; characters {}", if locale.is_empty() { "not set" } else { locale }),
        "`export LANG=C.UTF-8`, or signs are shown wrong in some programs",
    )
}

/// Servers of tools that the configuration names.
pub(super) fn servers(home: &Path) -> Check {
    let text = std::fs::read_to_string(home.join("config.toml")).unwrap_or_default();
    let named = |line: &&str| {
        line.trim()
            .strip_prefix("[mcp_servers.")
            .is_some_and(|name| !name.contains('.') && name.ends_with(']'))
    };
    match text.lines().filter(named).count() {
        0 => Check::good("mcp servers", "none configured"),
        count => Check::odd(
            "mcp servers",
            format!("{count} configured, none started"),
            "this version has no MCP yet; the table is kept for programs that do",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_is_that_of_the_distribution() {
        for (file, value, want) in [
            ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "AppArmor"),
            ("/proc/sys/kernel/unprivileged_userns_clone", "0\n", "Debian"),
            ("/proc/sys/user/max_user_namespaces", "0\n", "max_user_namespaces"),
            ("/.dockerenv", "", "container"),
            ("/proc/sys/kernel/osrelease", "5.4.0\n", "Linux 5.4.0"),
            ("/proc/sys/kernel/unprivileged_userns_clone", "1\n", "CONFIG_USER_NS"),
        ] {
            let read = |path: &Path| (path == Path::new(file)).then(|| value.to_owned());
            let said = remedy(&read, &|path| path == Path::new(file));
            assert!(said.contains(want), "{file}: {said}");
        }
    }

    #[test]
    fn one_rung_is_in_use_and_servers_are_counted() {
        assert_eq!(rungs().iter().filter(|rung| rung.in_use).count(), 1);
        let dir = tempfile::tempdir().unwrap();
        assert!(servers(dir.path()).found.starts_with("none"));
        std::fs::write(
            dir.path().join("config.toml"),
            "[mcp_servers.a]\n[mcp_servers.a.env]\n[mcp_servers.b]\n",
        )
        .unwrap();
        assert!(servers(dir.path()).found.starts_with("2 configured"));
    }
}
