//! What a hostile command must not do to files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::bed::{Bed, is_root, snapshot, ways};

/// Runs each script without a sandbox, where it must change what is watched, and with one, where it must not.
pub(super) fn attack(scripts: &[&str], make: impl Fn(&Bed), watched: impl Fn(&Bed) -> Vec<PathBuf>) {
    let see = |bed: &Bed| watched(bed).iter().flat_map(|path| snapshot(path)).collect::<Vec<_>>();
    for way in ways() {
        for script in scripts {
            let free = Bed::new(way);
            make(&free);
            let before = see(&free);
            free.sh_free(script);
            assert_ne!(before, see(&free), "the attack does not work even without a sandbox: {script}");

            let bed = Bed::new(way);
            make(&bed);
            let before = see(&bed);
            let (code, output) = bed.sh(script);
            assert_eq!(before, see(&bed), "{way:?}: `{script}` got through ({code}): {output}");
            assert!(!output.contains("sandbox could not be set up"), "{way:?}: {output}");
        }
    }
}

#[test]
fn nothing_outside_changes() {
    let scripts = [
        "echo x > $O/file",
        "echo x >> $O/file",
        "touch $O/new",
        "mkdir $O/new",
        "mkfifo $O/new",
        "ln -s x $O/new",
        "ln own $O/new",
        "rm $O/file",
        "rm -r $O/folder",
        "mv $O/file $O/moved",
        "mv $O/file .",
        "mv own $O/new",
        "truncate -s 0 $O/file",
        "chmod 600 $O/file",
        "chmod 700 $O",
        "touch -d 2001-01-01 $O/file",
        "ln $O/file hard && echo x > hard",
        "ln -s $O/file soft && echo x > soft",
        "ln -s $O soft && touch soft/new",
        "cd ../outside && touch new",
        "echo x > /proc/self/root$O/file",
        "echo x > /proc/self/cwd/../outside/file",
        "echo x > /proc/$$/root$O/file",
        "rm -r src && ln -s $O src && touch src/new",
    ];
    attack(&scripts, |_| {}, |bed| vec![bed.outside()]);
}

#[test]
fn root_changes_no_owner_outside() {
    if is_root() {
        let root_only = ["test $(id -u) != 0 && rm $O/file; chown 1 $O/file"];
        attack(&root_only, |_| {}, |bed| vec![bed.outside()]);
    }
}

#[test]
fn an_existing_git_folder_stays_as_it_is() {
    let scripts = [
        "echo x > .git/config",
        "touch .git/new",
        "rm -rf .git",
        "mv .git aside",
        "mv .git aside; mkdir .git; echo x > .git/config",
        "mv src .git/src",
        "ln .git/config hard && echo x > hard",
        "ln -s .git soft && echo x > soft/config",
        "chmod 600 .git/config",
        "touch -d 2001-01-01 .git/config",
        "echo x > /proc/self/cwd/.git/config",
        "echo x > /proc/self/root$W/.git/config",
        "cd .git/hooks && echo x > sample",
        "cd /; echo x > .$W/.git/config",
        "mv $W $O/stolen; echo x > $O/stolen/.git/config",
    ];
    attack(&scripts, |_| {}, |bed| vec![bed.work().join(".git")]);
}

#[test]
fn missing_protected_names_do_not_come_to_exist() {
    let scripts = [
        "mkdir .agents",
        "echo x > .codex",
        "mkdir -p .codex && echo x > .codex/config.toml",
        "ln -s src .agents",
        "mv src .agents",
        "ln own .codex",
        "rmdir .agents; mkdir .agents",
        "mv .agents aside; mkdir .agents",
    ];
    attack(&scripts, |_| {}, |bed| vec![bed.work().join(".agents"), bed.work().join(".codex")]);
}

#[test]
fn a_protected_symlink_to_nothing_stays_one() {
    let make = |bed: &Bed| {
        symlink("later", bed.work().join(".codex")).unwrap();
        bed.own(&bed.work().join(".codex"));
    };
    let scripts =
        ["mkdir later && echo x > later/config.toml", "echo x > .codex", "rm .codex", "ln -sfn src .codex"];
    attack(&scripts, make, |bed| vec![bed.work().join(".codex"), bed.work().join("later")]);
}

#[test]
fn nothing_is_left_in_the_workspace() {
    for way in ways() {
        let bed = Bed::new(way);
        let before = fs::read_dir(bed.work()).unwrap().count();
        bed.sh("true");
        assert_eq!(fs::read_dir(bed.work()).unwrap().count(), before);
    }
}

#[test]
fn a_git_file_and_the_folder_it_names_stay_as_they_are() {
    let make = |bed: &Bed| {
        fs::remove_dir_all(bed.work().join(".git")).unwrap();
        bed.write("work/.git", "gitdir: main/git/worktrees/w\n");
        bed.write("work/main/git/worktrees/w/commondir", "../..\n");
        bed.write("work/main/git/hooks/sample", "#!/bin/sh");
    };
    let scripts = [
        "echo 'gitdir: src' > .git",
        "rm .git",
        "mv .git aside",
        "echo x > main/git/hooks/sample",
        "touch main/git/worktrees/w/new",
        "mv main/git main/aside",
        "mv main aside",
        "mv main aside; mkdir -p main/git/hooks; echo x > main/git/hooks/sample",
    ];
    attack(&scripts, make, |bed| vec![bed.work().join(".git"), bed.work().join("main/git")]);
}

#[test]
fn a_git_symlink_and_its_target_stay_as_they_are() {
    let make = |bed: &Bed| {
        fs::rename(bed.work().join(".git"), bed.work().join("store")).unwrap();
        symlink("store", bed.work().join(".git")).unwrap();
        bed.own(&bed.work().join(".git"));
    };
    let scripts = [
        "echo x > store/config",
        "echo x > .git/config",
        "rm .git",
        "ln -sfn src .git",
        "mv .git aside",
        "mv store aside",
        "rm -rf store",
    ];
    attack(&scripts, make, |bed| vec![bed.work().join(".git"), bed.work().join("store")]);
}

#[test]
fn read_only_writes_nowhere() {
    for way in ways() {
        let bed = Bed::new(way);
        let before = [snapshot(&bed.work()), snapshot(&bed.outside())];
        let script = "echo x > own; touch new; touch $O/new; touch /tmp/codex-read-only-$$ && echo WROTE";
        let output = bed.codex("read-only", &["sh", "-c", script]);
        assert!(!String::from_utf8_lossy(&output.stdout).contains("WROTE"), "{way:?}");
        assert_eq!(before, [snapshot(&bed.work()), snapshot(&bed.outside())], "{way:?}");
    }
}

#[test]
fn kernel_settings_and_mounts_are_out_of_reach() {
    for way in ways() {
        let bed = Bed::new(way);
        for script in [
            "v=$(cat /proc/sys/vm/swappiness) && echo $v > /proc/sys/vm/swappiness",
            "echo h > /proc/sysrq-trigger",
            "mount -t tmpfs none src",
            "mount --bind $O src",
            "umount -l /proc",
            "mount -o remount,rw /",
            "unshare -Ur true",
            "unshare -m true",
            "chroot / true",
            "mknod src/disk b 8 0",
        ] {
            let (code, output) = bed.sh(script);
            assert_ne!(code, 0, "{way:?}: `{script}` worked: {output}");
        }
    }
}

#[test]
fn an_inherited_descriptor_is_not_writable_inside() {
    for way in ways() {
        let bed = Bed::new(way);
        let before = snapshot(&bed.outside());
        let script = format!(
            "exec 9>>$O/file; exec {}/codex sandbox --full-auto --level {} -- sh -c 'echo x >&9'",
            bed.path().display(),
            way.level
        );
        bed.sh_free(&script);
        assert_eq!(before, snapshot(&bed.outside()), "{way:?}");
    }
}

/// What mounts do elsewhere is done at the Landlock level by the supervisor in the command's place.
#[test]
fn beside_protected_children_everything_else_can_be_changed() {
    for way in ways() {
        let bed = Bed::new(way);
        let script = "set -e; echo x > new; touch -d 2001-01-01 new; chmod 600 new; test $(stat -c %a new) = 600
            test $(stat -c %Y new) -lt 1000000000; mkdir -p a/b; mv new a/b/c; mv a e; ln e/b/c hard; ln -s own soft
            umask 077; echo y >> own; echo z > closed; test $(stat -c %a closed) = 600; mkfifo pipe; truncate -s 1 hard
            test $(wc -c < e/b/c) = 1; rm -r e hard soft closed pipe; mkdir src/d; rmdir src/d; mv own src/own; mv src/own own
            test $(cat own | wc -l) = 1";
        let (code, output) = bed.sh(script);
        assert_eq!(code, 0, "{way:?}: {output}");
    }
}

/// Threads that change what a path means while it is looked at.
#[test]
fn swapping_links_under_the_supervisor_leads_nowhere() {
    let swap = "for i in $(seq 300); do ln -sfn $O link; ln -sfn src link; done &
        for i in $(seq 300); do ln -sfn ../.git/config src/f; ln -sfn ../own src/f; done &
        for i in $(seq 100); do touch link/new$i; chmod 777 link/file; rm -f link/file; echo x >> src/f; \
        mv own link/own; mv link/own own; mkdir link/d$i; done; wait";
    attack(
        &[swap],
        |bed| {
            bed.write("work/src/file", "x");
        },
        |bed| vec![bed.outside(), bed.work().join(".git")],
    );
}

/// Whoever else is on the machine could use it, also when the command is gone.
#[test]
fn no_program_of_a_commands_takes_on_the_rights_of_its_owner() {
    for way in super::bed::ways() {
        let bed = Bed::new(way);
        let script = "cp /bin/true src/t; chmod u+s src/t; chmod 6755 src/t; install -m 4755 /bin/true src/u; \
                      python3 -c 'import os; os.fchmod(os.open(\"src/t\", 0), 0o4755)'; chmod 755 src/t; chmod g+s src; true";
        let (code, output) = bed.sh(script);
        assert_eq!(code, 0, "{way:?}: {output}");
        let (_, found) =
            bed.sh("find . -perm -4000; find src/t -perm -755; find src -maxdepth 0 -perm -2000");
        assert_eq!(found, "src/t\nsrc\n", "{way:?}: {output}");
    }
}
