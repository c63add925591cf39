//! Tests of `profile`.

use super::*;
use crate::process::env::Vars;
use crate::process::testing::launcher;

struct Home {
    dir: tempfile::TempDir,
    shell: &'static str,
    profiles: Profiles,
}

impl Home {
    fn new(profile: &str) -> Self {
        Self::of("/bin/bash", ".bash_profile", profile)
    }

    fn of(shell: &'static str, file: &str, profile: &str) -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap(), shell, profiles: Profiles::default() };
        home.write(file, profile);
        home
    }

    /// A profile that counts how often it is run.
    fn write(&self, file: &str, profile: &str) {
        std::fs::write(self.dir.path().join(file), format!("echo x >> ~/runs\n{profile}\n")).unwrap();
    }

    fn runs(&self) -> usize {
        std::fs::read_to_string(self.dir.path().join("runs")).map_or(0, |text| text.lines().count())
    }

    /// Runs a login command; its output, and whether the profile was replayed.
    async fn run(&self, script: &str) -> (String, bool) {
        let (output, replayed, note) = self.noted(script).await;
        assert_eq!(note, None);
        (output, replayed)
    }

    async fn noted(&self, script: &str) -> (String, bool, Option<String>) {
        let home = self.dir.path().to_owned();
        let env = Vars::from([
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), home.clone().into()),
            ("KEEP".into(), "kept".into()),
            ("DROP".into(), "dropped".into()),
        ]);
        let argv = [self.shell, "-lc", script].map(OsString::from).to_vec();
        let mut spec = CommandSpec { argv, cwd: home, env, tty: false, stdin: Stdin::Closed, confine: None };
        let note = self.profiles.apply(&launcher(), &mut spec).await;
        let mut running = launcher().start(&spec).unwrap();
        let mut output = Vec::new();
        let mut buf = [0; 4096];
        while let Ok(count @ 1..) = running.read(&mut buf).await {
            output.extend_from_slice(buf.get(..count).unwrap());
        }
        running.ended().await;
        assert_eq!(running.exit(), Exit::Code(0));
        (String::from_utf8(output).unwrap(), spec.argv.get(1).is_some_and(|flag| flag == "-c"), note)
    }
}

const PROFILE: &str = "echo noise; echo more >&2; export A='1 2' KEEP=changed; b='not exported'; unset DROP
arr=(x 'y z'); f() { echo \"f:$1\"; }; alias ll='echo aliased'; shopt -s expand_aliases nullglob";
const SCRIPT: &str = "echo \"$A|$b|$KEEP|${DROP-gone}|${arr[1]}\"; f 1; shopt -q nullglob && echo glob; echo ${__CODEX_PROFILE-clean}
ll; nosuch 2>&1 | sed 's/.*line/line/'; true";
const OUTPUT: &str =
    "1 2|not exported|changed|gone|y z\nf:1\nglob\nclean\naliased\nline 2: nosuch: command not found\n";

#[tokio::test]
async fn the_profile_is_run_once_and_its_noise_is_nowhere() {
    let home = Home::new(PROFILE);
    for _ in 0..3 {
        assert_eq!(home.run(SCRIPT).await, (OUTPUT.to_owned(), true));
    }
    assert_eq!(home.runs(), 1);
    home.write(".bash_profile", "export A=other");
    for _ in 0..2 {
        assert_eq!(home.run("echo $A").await, ("other\n".to_owned(), true));
    }
    assert_eq!(home.runs(), 2);
}

#[tokio::test]
async fn commands_that_come_together_share_one_answer() {
    let home = Home::new("sleep 0.1; export A=1");
    let all =
        tokio::join!(home.run("echo $A"), home.run("echo $A"), home.run("echo $A"), home.run("echo $A"));
    let one = ("1\n".to_owned(), true);
    assert_eq!(all, (one.clone(), one.clone(), one.clone(), one));
    assert_eq!(home.runs(), 1);
}

#[tokio::test]
async fn a_profile_that_does_more_is_run_each_time() {
    for profile in ["trap 'echo end' EXIT", "cd /", "readonly R=1", "exit 0", "ulimit -n 100"] {
        let home = Home::new(profile);
        for _ in 0..3 {
            let (_, replayed) = home.run("true").await;
            assert!(!replayed, "{profile}");
        }
    }
    let home = Home::new("umask 027");
    assert_eq!(home.run("umask").await, ("0027\n".to_owned(), true));
}

#[tokio::test]
async fn a_profile_without_end_is_left_out_and_said_to_be_once() {
    let mut home = Home::new("export A=late; sleep 600");
    home.profiles = Profiles::patient(Duration::from_millis(500));
    let (output, left_out, note) = home.noted("echo ${A-none}").await;
    assert_eq!((output.as_str(), left_out), ("none\n", true));
    assert!(note.unwrap().contains("did not end within 0.5 s"));
    for _ in 0..2 {
        assert_eq!(home.run("echo ${A-none}").await, ("none\n".to_owned(), true));
    }
    assert_eq!(home.runs(), 1);
    home.write(".bash_profile", "export A=mended");
    assert_eq!(home.run("echo $A").await, ("mended\n".to_owned(), true));
}

#[tokio::test]
async fn an_alias_can_be_used_in_the_first_line() {
    let home = Home::new("shopt -s expand_aliases; alias ll='echo aliased'");
    let script = "ll; echo ${__CODEX_PROFILE-clean} ${__CODEX_SCRIPT-clean}";
    assert_eq!(home.run(script).await, ("aliased\nclean clean\n".to_owned(), true));
}

#[tokio::test]
async fn the_profile_of_zsh_is_replayed_where_there_is_zsh() {
    let Some(shell) = ["/bin/zsh", "/usr/bin/zsh"].into_iter().find(|path| Path::new(path).exists()) else {
        return;
    };
    let profile = "echo noise; echo more >&2; export A='1 2' KEEP=changed; b='not exported'; unset DROP; umask 027
arr=(x 'y z'); f() { echo \"f:$1\"; }; alias ll='echo aliased'; setopt nullglob; path+=(/opt/x); typeset -A m=(k v)";
    let script =
        "ll; echo \"$A|$b|$KEEP|${DROP-gone}|${arr[2]}|${m[k]}\"; f 1; [[ -o nullglob ]] && echo glob
umask; echo $path[-1] ${__CODEX_PROFILE-clean}";
    let output = "aliased\n1 2|not exported|changed|gone|y z|v\nf:1\nglob\n027\n/opt/x clean\n".to_owned();
    let home = Home::of(shell, ".zprofile", profile);
    for _ in 0..3 {
        assert_eq!(home.run(script).await, (output.clone(), true));
    }
    assert_eq!(home.runs(), 1);
    home.write(".zshenv", "export Z=1");
    assert_eq!(home.run("echo $Z").await.0, "1\n");
    let home = Home::of(shell, ".zlogin", "readonly R=1");
    assert!(!home.run("true").await.1);
}
