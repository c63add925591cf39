//! What commands cannot read, at both levels and by every way to the file.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::bed::{Bed, ways};

const SECRET: &str = "hush-hush";
const SECRETS: [&str; 8] = [
    "home/.codex/auth.json",
    "home/.codex/work.key",
    "home/.ssh/id_ed25519",
    "home/.ssh/named-otherwise",
    "home/.aws/credentials",
    "home/.gnupg/private-keys-v1.d/key",
    "work/.env",
    "work/app/deep/.env.local",
];
const OPEN: [&str; 6] = [
    "home/.ssh/id_ed25519.pub",
    "home/.ssh/known_hosts",
    "home/.codex/config.toml",
    "home/other",
    "work/.env.example",
    "work/app/deep/main.js",
];

fn bed(way: super::bed::Way) -> Bed {
    let bed = Bed::new(way);
    for file in SECRETS {
        bed.write(file, SECRET);
    }
    for file in OPEN.into_iter().filter(|file| !file.ends_with("config.toml")) {
        bed.write(file, "open");
    }
    bed.write("home/.codex/config.toml", "# open");
    bed
}

#[test]
fn secrets_cannot_be_read_by_any_way_and_the_rest_can() {
    for way in ways() {
        let bed = bed(way);
        let root = bed.path().display();
        for mode in ["workspace-write", "read-only"] {
            for file in SECRETS {
                let name = file.rsplit('/').next().unwrap();
                let folder = format!("{root}/{}", file.rsplit_once('/').unwrap().0);
                for script in [
                    format!("cat {root}/{file}"),
                    format!("cat /proc/self/root{root}/{file}"),
                    format!("cd {folder} && cat {name}"),
                    format!("exec 3<{root}/{file}; cat <&3"),
                    format!("ln -s {root}/{file} src/soft; cat src/soft"),
                    format!("ln {root}/{file} src/hard; cat src/hard"),
                    format!("cp {root}/{file} src/copy; cat src/copy"),
                    format!("mv {root}/{file} src/moved; cat src/moved"),
                    format!("mv {folder} src/folder; cat src/folder/{name}"),
                    format!("cat /proc/*/root{root}/{file}"),
                ] {
                    let output = bed.codex(mode, &["sh", "-c", &script]);
                    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
                    assert!(!text.contains(SECRET), "{way:?} {mode}: `{script}` read it");
                    assert!(!text.contains("could not be set up"), "{way:?} {mode}: {text}");
                }
                assert_eq!(fs::read_to_string(bed.path().join(file)).unwrap(), SECRET, "{way:?} {file}");
            }
            for file in OPEN {
                let output = bed.codex(mode, &["cat", &format!("{root}/{file}")]);
                assert!(
                    String::from_utf8_lossy(&output.stdout).contains("open"),
                    "{way:?} {file}: {output:?}"
                );
            }
        }
    }
}

/// Programs that write a file anew rename it over the old one; a command that runs meanwhile must not see either.
#[test]
fn a_secret_that_is_written_anew_stays_hidden_from_commands_that_run() {
    for way in ways() {
        let bed = bed(way);
        // Too many for a folder of their own in the command's view.
        for number in 0..200 {
            bed.write(&format!("home/.ssh/known-{number}.pub"), "open");
        }
        let script = "echo ready; read line; ln .env src/hard; mv .env env; mv app/deep/.env.local src/local; mv app src/app; \
                      cat .env env src/hard src/local app/deep/.env.local /proc/self/root$PWD/.env src/app/deep/.env.local; \
                      echo own > new; cat new; mv new newer; cat newer; cat ~/.codex/auth.json ~/.codex/.codex-new ~/.ssh/id_ed25519 ~/.codex/b.key; \
                      cat ~/.codex/config.toml; ls ~/.codex";
        let mut command = bed.command("workspace-write", &["sh", "-c", script]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut output = String::new();
        lines.read_line(&mut output).unwrap();
        assert_eq!(output, "ready\n", "{way:?}");
        let home = bed.path().join("home");
        // With namespaces a secret of the workspace is covered as it was when the command started.
        let renamed = if way.level == super::bed::LANDLOCK { 4 } else { 2 };
        let all = [
            (".codex/.codex-old", ".codex/auth.json"),
            (".ssh/tmp", ".ssh/id_ed25519"),
            ("../work/.saved", "../work/.env"),
            ("../work/app/deep/saved", "../work/app/deep/.env.local"),
        ];
        for (from, to) in all.into_iter().take(renamed) {
            bed.write(&format!("home/{from}"), SECRET);
            fs::rename(home.join(from), home.join(to)).unwrap();
        }
        for name in [".codex/.codex-new", ".codex/b.key"] {
            bed.write(&format!("home/{name}"), SECRET);
        }
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
        lines.read_to_string(&mut output).unwrap();
        child.wait().unwrap();
        assert!(!output.contains(SECRET), "{way:?}: {output}");
        assert!(output.contains("# open") && output.contains("config.toml"), "{way:?}: {output}");
        assert_eq!(output.matches("own").count(), 2, "{way:?}: {output}");
    }
}

/// A folder with a secret in it must not be moved to where the list does not find it any more.
#[test]
fn a_secret_is_not_moved_into_the_open_for_the_next_command() {
    for way in ways() {
        let bed = bed(way);
        bed.sh("mv app src/app; mv app/deep src/deep; mv .env src/env; mv app elsewhere");
        let (_, output) = bed.sh("grep -r hush . ; find . -name '*env*' -exec cat {} +");
        assert!(!output.contains(SECRET), "{way:?}: {output}");
    }
}

#[test]
fn a_folder_behind_a_symlink_is_hidden_too() {
    for way in ways() {
        let bed = bed(way);
        fs::rename(bed.path().join("home/.aws"), bed.path().join("home/real")).unwrap();
        symlink("real", bed.path().join("home/.aws")).unwrap();
        let (_, output) = bed.sh("cat ~/.aws/credentials ~/real/credentials");
        assert!(!output.contains(SECRET), "{way:?}: {output}");
    }
}

#[test]
fn the_list_can_be_changed_by_the_user_but_not_by_the_project() {
    for way in ways() {
        let bed = bed(way);
        bed.write(
            "home/.codex/config.toml",
            "[deny_read]\nallow = ['~/.aws', '/nowhere']\npaths = ['~/oth*']\n",
        );
        bed.write("work/.codex/config.toml", "[deny_read]\ndefaults = false\n");
        let (_, output) = bed.sh("cat ~/.aws/credentials");
        assert!(output.contains(SECRET), "{way:?}: {output}");
        let (code, output) = bed.sh("cat ~/other");
        assert!(code != 0 && !output.contains("open"), "{way:?}: {output}");
        let (_, output) = bed.sh("cat ~/.ssh/id_ed25519");
        assert!(!output.contains(SECRET), "{way:?}: {output}");
        let output = bed
            .command("danger-full-access", &["cat", bed.path().join("work/.env").to_str().unwrap()])
            .output()
            .unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains(SECRET));
    }
}
