//! Workspaces that are not what one expects, and many commands one after the other.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::bed::{Bed, LANDLOCK, NAMESPACES, Way, processes, snapshot, ways};

/// Exit code and output of a script under settings of one's own.
fn run(bed: &Bed, settings: &[&str], script: &str) -> (i32, String) {
    let mut command = std::process::Command::new(bed.path().join("codex"));
    command.args(["sandbox", "--full-auto", "--level", bed.way.level]);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.args(["--", "sh", "-c", script]);
    bed.prepare(&mut command);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn roots_that_are_missing_files_symlinks_or_nested() {
    for way in ways() {
        let bed = Bed::new(way);
        bed.write("extra/inner/.git/config", "[core]");
        bed.write("extra/inner/file", "x");
        symlink(bed.path().join("extra"), bed.path().join("link")).unwrap();
        let path = bed.path().display();
        let roots = format!(
            "sandbox_workspace_write.writable_roots=['{path}/none','{path}/outside/file','{path}/link',\
             '{path}/extra/inner','/proc','/sys']"
        );
        let before = [snapshot(&bed.outside()), snapshot(&bed.path().join("extra/inner/.git"))];
        let script = "for f in $O/file $O/new ../extra/inner/.git/config; do echo y > $f; done
            mv ../extra/inner ../extra/moved; rm -rf ../extra/inner/.git
            v=$(cat /proc/sys/vm/swappiness); echo $v > /proc/sys/vm/swappiness && echo SETTINGS; echo z > ../extra/inner/file && echo WROTE";
        let (_, text) = run(&bed, &[&roots], script);
        assert!(text.contains("WROTE"), "{way:?}: {text}");
        assert!(!text.contains("SETTINGS"), "{way:?}: {text}");
        let after = [snapshot(&bed.outside()), snapshot(&bed.path().join("extra/inner/.git"))];
        assert_eq!(before, after, "{way:?}");
    }
}

#[test]
fn everything_as_a_root_brings_neither_settings_nor_devices() {
    for way in ways().into_iter().filter(|way| way.level == NAMESPACES) {
        let bed = Bed::new(way);
        let script = "echo y > $O/file && echo WROTE
            test -w /proc/sys/vm/swappiness && echo SETTINGS; test -w /sys/kernel && echo SYS
            for d in /dev/vda /dev/sda /dev/mem /dev/kmsg; do test -e $d && (exec 3<>$d) 2>/dev/null && echo DEVICE; done; true";
        let (_, text) = run(&bed, &["sandbox_workspace_write.writable_roots=['/']"], script);
        assert!(text.starts_with("WROTE\n") && text.contains("the whole machine"), "{way:?}: {text}");
        assert!(!["SETTINGS", "SYS", "DEVICE"].iter().any(|found| text.contains(found)), "{way:?}: {text}");
    }
}

#[test]
fn our_home_inside_the_workspace_stays_ours() {
    for way in ways() {
        let bed = Bed::new(way);
        bed.write("work/mine/auth.json", "hush");
        bed.write("work/mine/config.toml", "");
        let mut command = bed.command(
            "workspace-write",
            &[
                "sh",
                "-c",
                "cat mine/auth.json; echo x > mine/config.toml; mv mine other; mkdir mine; rm -rf mine",
            ],
        );
        let output = command.env("CODEX_HOME", bed.work().join("mine")).output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stdout).contains("hush"), "{way:?}");
        assert_eq!(fs::read_to_string(bed.work().join("mine/config.toml")).unwrap(), "", "{way:?}");
    }
}

#[test]
fn a_workspace_in_memory_with_unreadable_and_many_entries() {
    for way in ways() {
        let bed = Bed::new(way);
        let shm = Path::new("/dev/shm");
        let Ok(dir) = tempfile::Builder::new().prefix("codex-odd-").tempdir_in(shm) else { continue };
        bed.own(dir.path());
        for name in [".git", "closed", "sub"] {
            fs::create_dir(dir.path().join(name)).unwrap();
            bed.own(&dir.path().join(name));
        }
        for number in 0..10_000 {
            fs::write(dir.path().join(number.to_string()), "").unwrap();
            bed.own(&dir.path().join(number.to_string()));
        }
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o000);
        fs::set_permissions(dir.path().join("closed"), closed).unwrap();
        let script = "echo x > 7 && echo x > sub/new && echo WROTE; echo x > .git/new; mv .git aside";
        let mut command = bed.command("workspace-write", &["sh", "-c", script]);
        let output = command.current_dir(dir.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "WROTE\n", "{way:?}: {output:?}");
        assert!(!dir.path().join(".git/new").exists() && dir.path().join(".git").exists(), "{way:?}");
    }
}

/// Runs a script in a sandbox whose workspace is what `mount` makes of it, in a mount namespace of its own; only root
/// can, and not everywhere.
pub(super) fn on(bed: &Bed, mount: &str, script: &str) -> Option<(i32, String)> {
    if !super::bed::is_root() {
        eprintln!("only root can mount, skipped: {mount}");
        return None;
    }
    let user =
        bed.way.user.map_or(String::new(), |id| format!("setpriv --reuid {id} --regid {id} --clear-groups"));
    let path = bed.path().display();
    let line = format!(
        "cd {path} && {{ {mount}; }} || exit 99; cd {path}/work && exec {user} {path}/codex sandbox -s workspace-write \
         --level {} -- sh -c '{script}'",
        bed.way.level
    );
    let mut command = std::process::Command::new("unshare");
    command.args(["-m", "sh", "-c", &line]);
    let free = Bed::new(Way { user: None, ..bed.way });
    free.prepare(&mut command);
    command.env("O", bed.outside()).env("HOME", bed.path().join("home"));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.code() == Some(99) {
        eprintln!("this machine does not mount it, skipped: {mount}: {text}");
        return None;
    }
    Some((output.status.code().unwrap_or(-1), text))
}

#[test]
fn file_systems_of_every_kind() {
    let script =
        "set -e; echo x > new; mkdir -p d/e; mv new d/e/n; test $(cat d/e/n) = x; chmod 600 d/e/n; rm -r d
        ! (echo x > .git/config) && ! (echo x > $O/new) && ! mkdir .codex/x && ! mv .git aside && echo FINE";
    let make = "mkdir work/.git; echo c > work/.git/config; chmod -R a+rwX work";
    for (mount, mode) in [
        (format!("mount -t tmpfs none work && {make}"), "FINE"),
        (
            // Upper and work folder on a file system that takes them.
            format!(
                "mkdir -p ov lower/.git && mount -t tmpfs none ov && mkdir ov/up ov/wk && chmod -R a+rwX ov lower && \
                 mount -t overlay -o lowerdir=lower,upperdir=ov/up,workdir=ov/wk none work && chmod a+rwX work && \
                 {{ {}; }}",
                make.replace("mkdir work/.git; ", "")
            ),
            "FINE",
        ),
        ("mount --bind work work && mount -o remount,bind,ro work".to_owned(), "READ-ONLY"),
    ] {
        for way in ways() {
            let bed = Bed::new(way);
            let before = snapshot(&bed.outside());
            let script =
                if mode == "FINE" { script } else { "(echo x > own) || (mkdir d) || echo READ-ONLY" };
            let Some((_, text)) = on(&bed, &mount, script) else { continue };
            assert!(text.contains(mode), "{way:?}: {mount}: {text}");
            assert_eq!(before, snapshot(&bed.outside()), "{way:?}: {mount}");
        }
    }
}

#[test]
fn a_root_that_vanishes_and_a_working_folder_that_is_gone() {
    for way in ways() {
        let bed = Bed::new(way);
        bed.write("extra/file", "x");
        let roots = format!("sandbox_workspace_write.writable_roots=['{}/extra']", bed.path().display());
        let script = "touch ready; while ! test -e go; do sleep 0.01; done
            (echo y > ../extra/new) && echo WROTE; echo fine > own; cat own";
        let (code, text) = std::thread::scope(|scope| {
            let command = scope.spawn(|| run(&bed, &[&roots], script));
            while !bed.work().join("ready").exists() && !command.is_finished() {
                std::thread::yield_now();
            }
            // A mount elsewhere does not keep it here.
            fs::remove_dir_all(bed.path().join("extra")).unwrap();
            bed.write("work/go", "");
            command.join().unwrap()
        });
        assert!(code == 0 && text.contains("fine\n") && !text.contains("WROTE"), "{way:?}: {text}");
        let (code, text) = run(&bed, &[&roots], "cat own");
        assert!(
            code == 0 && text.starts_with("fine\n") && text.contains("extra is not there"),
            "{way:?}: {text}"
        );
        let codex = bed.path().join("codex");
        let mut gone = std::process::Command::new("sh");
        let line = format!(
            "mkdir gone && cd gone && rmdir ../gone && exec {} sandbox --level {} -- echo RAN",
            codex.display(),
            way.level
        );
        gone.args(["-c", &line]);
        bed.prepare(&mut gone);
        let output = gone.output().unwrap();
        let (said, code) = (String::from_utf8_lossy(&output.stderr), output.status.code());
        assert!(
            code == Some(0) || (code != Some(101) && !said.trim().is_empty()),
            "{way:?}: {code:?} {said}"
        );
        assert!(!said.contains("panicked"), "{way:?}: {said}");
    }
}

#[test]
fn inside_another_sandbox_a_command_is_held_by_both() {
    for way in ways() {
        let bed = Bed::new(way);
        let codex = bed.path().join("codex").display().to_string();
        let script = format!(
            "{codex} sandbox -- sh -c 'echo x > src/new'; echo $?; \
            {codex} sandbox --full-auto -- sh -c 'echo x > src/newer; echo x > $O/new; echo x > .git/config'"
        );
        let before = [snapshot(&bed.outside()), snapshot(&bed.work().join(".git"))];
        let (_, text) = bed.sh(&script);
        assert!(!bed.work().join("src/new").exists(), "{way:?}: {text}");
        // Where the supervisor makes changes in the command's place, one inside would be hollow, and says so.
        let hollow = way.level == LANDLOCK;
        assert_eq!(!hollow, bed.work().join("src/newer").exists(), "{way:?}: {text}");
        assert_eq!(
            hollow,
            text.contains("can enforce") || text.contains("cannot enforce"),
            "{way:?}: {text}"
        );
        assert_eq!(before, [snapshot(&bed.outside()), snapshot(&bed.work().join(".git"))], "{way:?}");
    }
}

#[test]
fn fifty_commands_leave_nothing_behind() {
    let mounts = || fs::read_to_string("/proc/self/mounts").unwrap().lines().count();
    for way in ways() {
        let way = Way { ..way };
        let bed = Bed::new(way);
        let (files, before) = (snapshot(&bed.work()), mounts());
        let mark = format!("6{}.5", std::process::id());
        for _ in 0..50 {
            let (code, text) = bed.sh(&format!("(sleep {mark} &); (setsid sleep {mark} &); true"));
            assert_eq!(code, 0, "{way:?}: {text}");
        }
        assert_eq!((mounts(), processes(&mark)), (before, 0), "{way:?}");
        // The folder itself was touched by the names that stand in for missing ones.
        assert_eq!(files[1..], snapshot(&bed.work())[1..], "{way:?}");
    }
}
