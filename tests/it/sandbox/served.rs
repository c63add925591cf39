//! Workspaces on a file system that a program serves, as those over a network and those shared with another system
//! are: nothing about them is known beforehand, and some take capitals for the same letters without telling.

use std::fs;

use super::bed::{Bed, Way, ways};
use super::odd_places::on;

/// Puts a script on such a file system; `None` where there can be none.
fn served(way: Way, kind: &str, git: &str, script: &str) -> Option<(Bed, String)> {
    let bed = Bed::new(way);
    bed.write("fuse.py", include_str!("fuse.py"));
    let mount = format!(
        "mkdir store && {git} && echo secret > store/.env && echo own > store/own && chmod -R a+rwX store &&
         (python3 fuse.py store work {kind} $$ >/dev/null 2>&1 &) &&
         for i in $(seq 500); do mountpoint -q work && break; sleep 0.02; done; mountpoint -q work"
    );
    let (_, text) = on(&bed, &mount, script)?;
    Some((bed, text))
}

const FOLDER: &str = "mkdir store/.git && echo precious > store/.git/config";
const FILE: &str = "echo precious > store/.git";

#[test]
fn a_workspace_that_a_program_serves_can_be_worked_in_and_is_protected() {
    if !crate::support::python() {
        return;
    }
    let script = "set -e; echo x > new; mkdir -p d/e; mv new d/e/n; test $(cat d/e/n) = x; chmod 600 d/e/n; ln -s n d/e/s
        ln own hard; test $(cat hard) = own; rm -r d hard; for i in $(seq 50); do echo $i > f$i; done; test $(cat f50) = 50
        touch -d 2001-01-01 f1; truncate -s 1 f1; ls | wc -l > /dev/null; echo x > /dev/null; echo s > /dev/shm/served
        rm /dev/shm/served; ! (echo x > .git/config) && ! (echo x > $O/new) && ! mkdir .codex/x && ! mv .git aside
        ! cat .env && echo FINE";
    for kind in ["plain", "folding"] {
        for way in ways() {
            let Some((bed, text)) = served(way, kind, FOLDER, script) else { return };
            assert!(text.contains("FINE") && !text.contains("secret"), "{way:?} {kind}: {text}");
            assert_eq!(fs::read_to_string(bed.path().join("store/.git/config")).unwrap(), "precious\n");
            assert!(!bed.path().join("store/.codex").exists() && !bed.outside().join("new").exists());
        }
    }
}

#[test]
fn capitals_lead_to_nothing_that_is_protected() {
    if !crate::support::python() {
        return;
    }
    let script = "cat .GIT .GIT/config; cat .ENV; cat .Env; (echo x > .GIT) ; (echo x > .Git/config); mkdir .CODEX/x; mkdir .CoDeX
        (echo x > .Codex/config.toml); mv .GIT aside; mv .CODEX other; ln .GIT hard; chmod 600 .GIT; rm -rf .GIT .AGENTS; mv src .GIT
        mv own .GIT; ln -sfn src .Git; (echo x > .gIt/hooks); cat aside hard; echo DONE";
    for git in [FOLDER, FILE] {
        for way in ways() {
            let Some((bed, text)) = served(way, "folding", git, script) else { return };
            let store = bed.path().join("store");
            assert!(text.contains("DONE") && !text.contains("secret"), "{way:?} {git}: {text}");
            let file = if git == FILE { ".git" } else { ".git/config" };
            assert_eq!(fs::read_to_string(store.join(file)).unwrap(), "precious\n", "{way:?} {git}: {text}");
            let mut left: Vec<_> =
                fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            left.sort();
            assert_eq!(left, [".env", ".git", "own"], "{way:?} {git}: {text}");
        }
    }
}

/// Only mounts are between the command and what it spells otherwise, where the question is left out.
#[cfg(debug_assertions)]
#[test]
fn the_question_about_spellings_is_missed_when_it_is_left_out() {
    if !crate::support::python() {
        return;
    }
    for way in ways() {
        let without = if way.level == super::bed::LANDLOCK { "places" } else { "spellings" };
        // The names of secrets are a question of their own.
        let without = format!("{without} --without 'names of secrets'");
        let bed = Bed::new(way);
        let user =
            way.user.map_or(String::new(), |id| format!("setpriv --reuid {id} --regid {id} --clear-groups"));
        let inner = format!(
            "exec {user} {0}/codex sandbox --full-auto --level {1} --without {without} -- cat .ENV",
            bed.path().display(),
            way.level
        );
        let Some((_, text)) = served_free(&bed, &inner) else { return };
        assert!(text.contains("secret"), "{way:?}: {text}");
    }
}

#[cfg(debug_assertions)]
fn served_free(bed: &Bed, command: &str) -> Option<(i32, String)> {
    bed.write("fuse.py", include_str!("fuse.py"));
    let mut line = std::process::Command::new("unshare");
    let script = format!(
        "cd .. && mkdir store && echo secret > store/.env && chmod -R a+rwX store &&
         (python3 fuse.py store work folding $$ >/dev/null 2>&1 &) &&
         for i in $(seq 500); do mountpoint -q work && break; sleep 0.02; done; mountpoint -q work || exit 99
         cd work && {command}"
    );
    line.args(["-m", "sh", "-c", &script]);
    let root = Bed::new(Way { user: None, ..bed.way });
    root.prepare(&mut line);
    line.current_dir(bed.work()).env("HOME", bed.path().join("home"));
    let output = line.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.code() == Some(99) || !super::bed::is_root() {
        eprintln!("no such file system here, skipped: {text}");
        return None;
    }
    Some((output.status.code().unwrap_or(-1), text))
}
