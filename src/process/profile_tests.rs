//! Tests of `profile`.

use super::*;
use crate::process::env::Vars;
use crate::process::testing::launcher;

struct Home {
    dir: tempfile::TempDir,
    profiles: Profiles,
}

impl Home {
    fn new(profile: &str) -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap(), profiles: Profiles::default() };
        home.write(profile);
        home
    }

    fn write(&self, profile: &str) {
        // Slow enough to be worth a snapshot, whatever the machine.
        std::fs::write(self.dir.path().join(".bash_profile"), format!("{profile}\nsleep 0.05\n")).unwrap();
    }

    /// Runs a login command; its output, and whether the profile was replayed.
    async fn run(&self, script: &str) -> (String, bool) {
        let home = self.dir.path().to_owned();
        let env = Vars::from([
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), home.clone().into()),
            ("KEEP".into(), "kept".into()),
            ("DROP".into(), "dropped".into()),
        ]);
        let argv = ["/bin/bash", "-lc", script].map(OsString::from).to_vec();
        let mut spec = CommandSpec { argv, cwd: home, env, tty: false, stdin: Stdin::Closed, confine: None };
        self.profiles.apply(&launcher(), &mut spec).await;
        let mut running = launcher().start(&spec).unwrap();
        let mut output = Vec::new();
        let mut buf = [0; 4096];
        while let Ok(count @ 1..) = running.read(&mut buf).await {
            output.extend_from_slice(buf.get(..count).unwrap());
        }
        running.ended().await;
        assert_eq!(running.exit(), Exit::Code(0));
        (String::from_utf8(output).unwrap(), spec.argv.get(1).is_some_and(|flag| flag == "-c"))
    }
}

const PROFILE: &str = "echo noise; echo more >&2; export A='1 2' KEEP=changed; b='not exported'; unset DROP
arr=(x 'y z'); f() { echo \"f:$1\"; }; alias ll='echo aliased'; shopt -s expand_aliases nullglob";
const SCRIPT: &str = "echo \"$A|$b|$KEEP|${DROP-gone}|${arr[1]}\"; f 1; shopt -q nullglob && echo glob; echo ${__CODEX_PROFILE-clean}
ll; nosuch 2>&1 | sed 's/.*line/line/'; true";
const OUTPUT: &str =
    "1 2|not exported|changed|gone|y z\nf:1\nglob\nclean\naliased\nline 2: nosuch: command not found\n";

#[tokio::test]
async fn from_the_second_time_on_the_profile_is_replayed_without_its_noise() {
    let home = Home::new(PROFILE);
    assert_eq!(home.run(SCRIPT).await, (format!("noise\nmore\n{OUTPUT}"), false));
    for _ in 0..2 {
        assert_eq!(home.run(SCRIPT).await, (OUTPUT.to_owned(), true));
    }
    home.write("export A=other");
    assert_eq!(home.run("echo $A").await, ("other\n".to_owned(), false));
    assert_eq!(home.run("echo $A").await, ("other\n".to_owned(), true));
}

#[tokio::test]
async fn a_profile_that_does_more_is_run_each_time() {
    for profile in ["umask 077", "trap 'echo end' EXIT", "cd /", "readonly R=1", "exit 0", "ulimit -n 100"] {
        let home = Home::new(profile);
        for _ in 0..3 {
            let (_, replayed) = home.run("true").await;
            assert!(!replayed, "{profile}");
        }
    }
}
