//! The words of the command line besides `exec`, and that the README tells the truth about them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::World;
use crate::support::codex::Codex;
use crate::support::scripts::HELLO;

#[test]
fn help_and_version_go_to_stdout() {
    let world = World::new("");
    let help = world.codex().arg("--help").run().expect(0);
    for word in ["exec", "sandbox", "demo", "login", "logout", "Exit codes"] {
        assert!(help.stdout.contains(word), "{word} is missing: {}", help.stdout);
    }
    assert_eq!(help.stderr, "");
    let version = world.codex().arg("--version").run().expect(0);
    assert_eq!(version.stdout, format!("codex {}\n", env!("CARGO_PKG_VERSION")));
    let exec = world.codex().args(["exec", "--help"]).run().expect(0).stdout;
    for code in ["0 ", "1 ", "2 ", "130 ", "143 "] {
        assert!(exec.lines().any(|line| line.trim_start().starts_with(code)), "exit code {code}: {exec}");
    }
    assert_eq!(world.codex().args(["help", "exec"]).run().expect(0).stdout, exec);
}

#[test]
fn wrong_words_and_flags_are_code_2_and_name_what_is_wrong() {
    let world = World::new("");
    for args in [
        &["--frobnicate"][..],
        &["exec", "--frobnicate", "hi"],
        &["exec", "-s", "frobnicate", "hi"],
        &["exec", "--color", "frobnicate", "hi"],
        &["demo", "frobnicate"],
        &["sandbox", "--frobnicate"],
        &["login", "frobnicate"],
    ] {
        let output = world.codex().args(args).run().expect(2);
        assert!(output.stderr.contains("frobnicate"), "{args:?}: {}", output.stderr);
        assert_eq!(output.stdout, "");
    }
    let both = ["exec", "--full-auto", "--dangerously-bypass-approvals-and-sandbox", "hi"];
    world.codex().args(both).run().expect(2);
}

#[test]
fn keys_are_stored_privately_shown_masked_and_removed() {
    let world = World::new("");
    let file = world.codex_home().join("auth.json");
    let status = || world.codex().args(["login", "status"]).run();
    assert!(status().expect(1).stderr.contains("codex login --with-api-key"));
    let key = "sk-proj-0123456789abcdefghij";
    let login = |typed: &str| world.codex().args(["login", "--with-api-key"]).stdin(typed).run();
    let output = login(&format!("{key}\n")).expect(0);
    assert!(!(output.stdout + &output.stderr).contains(key));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = status().expect(0).stderr;
    assert!(shown.contains("API key") && !shown.contains(key), "{shown}");

    // What cannot be a key changes nothing.
    for bad in ["", "  \n", "two words"] {
        let output = login(bad).expect(1);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
    assert!(fs::read_to_string(&file).unwrap().contains(key));
    let output = world.codex().args(["login", "--api-key", key]).run().expect(2);
    assert!(!output.stderr.contains(key) && output.stderr.contains("--with-api-key"), "{}", output.stderr);

    world.codex().arg("logout").run().expect(0);
    assert!(!file.exists());
    world.codex().arg("logout").run().expect(0);
    status().expect(1);
}

#[test]
fn damaged_files_are_named() {
    let world = World::new(HELLO);
    let auth = world.codex_home().join("auth.json");
    for text in ["{\"OPENAI_API_KEY\": \"sk-", "[1]", "{\"OPENAI_API_KEY\": 5}", "\0\0\0"] {
        fs::write(&auth, text).unwrap();
        let output = world.codex().args(["exec", "-c", "model_provider=openai", "hi"]).run().expect(1);
        assert!(output.stderr.contains("auth.json"), "{text:?}: {}", output.stderr);
        assert!(output.stderr.contains("codex log"), "the way out: {}", output.stderr);
        let output = world.codex().args(["login", "status"]).run().expect(1);
        assert!(output.stderr.contains("auth.json"), "{text:?}: {}", output.stderr);
    }
    for (text, place) in
        [("model = \n", "config.toml:1:"), ("\nmodel = 5\n", "config.toml:2:"), ("m\0", "config.toml:1:")]
    {
        fs::write(world.codex_home().join("config.toml"), text).unwrap();
        let output = world.codex().args(["exec", "hi"]).run().expect(1);
        assert!(output.stderr.contains(place), "{text:?}: {}", output.stderr);
    }
    fs::write(world.codex_home().join("config.toml"), b"model = \"\xff\"\n").unwrap();
    let output = world.codex().args(["exec", "hi"]).run().expect(1);
    assert!(output.stderr.contains("config.toml"), "{}", output.stderr);
    assert!(world.backend.requests().is_empty());
}

#[test]
fn a_home_that_cannot_be_written_is_said_before_anything_is_sent() {
    let world = World::new(HELLO);
    let config = fs::read_to_string(world.codex_home().join("config.toml")).unwrap();
    fs::remove_dir_all(world.codex_home()).unwrap();
    // Not even root can create files below a file.
    fs::write(world.codex_home(), "a file").unwrap();
    let output = world.codex().args(["exec", "hi"]).run().expect(1);
    assert!(output.stderr.contains(".codex"), "{}", output.stderr);
    fs::remove_file(world.codex_home()).unwrap();
    fs::create_dir(world.codex_home()).unwrap();
    fs::write(world.codex_home().join("config.toml"), config).unwrap();
    fs::write(world.codex_home().join("sessions"), "a file").unwrap();
    let output = world.codex().args(["exec", "hi"]).run().expect(1);
    assert!(output.stderr.contains("sessions"), "{}", output.stderr);
    assert_eq!(output.stderr.matches("ERROR:").count(), 1, "{}", output.stderr);
    assert!(world.backend.requests().is_empty(), "nothing was sent that could not be kept");
    world.codex().args(["exec", "--ephemeral", "hi"]).run().expect(0);
}

#[test]
fn the_demo_checks_itself_and_leaves_nothing() {
    let world = World::new("");
    let temporary = world.root().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let before = fs::read_dir(world.codex_home()).unwrap().count();
    let demo = |args: &[&str]| world.codex().arg("demo").args(args).env("TMPDIR", &temporary).run();
    let output = demo(&["--check"]).expect(0);
    assert!(output.stdout.contains("checks are fine"), "{}", output.stdout);
    let output = demo(&[]).expect(0);
    let shown = output.stdout + &output.stderr;
    assert!(shown.contains("scripted") && shown.contains("The sandbox held"), "{shown}");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "nothing is left behind");
    assert_eq!(fs::read_dir(world.codex_home()).unwrap().count(), before, "nothing of the user's is touched");
}

#[test]
fn what_serve_prints_can_be_pasted() {
    let world = World::new("");
    let mut server = world.codex().args(["demo", "--serve"]).start();
    let told = server.until("Ctrl-C ends it");
    let pasted: Vec<&str> = told.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(pasted.len() > 1, "{told}");
    // In a folder nobody knows, by the installed name.
    let (bin, folder) = (world.root().join("bin"), world.root().join("anywhere"));
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_codex"), bin.join("codex")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let shell = Codex::program(std::path::Path::new("/bin/sh"), &world.home(), &folder);
    let output = shell.env("PATH", path).args(["-c", &pasted.join("\n")]).run().expect(0);
    assert!(output.stdout.contains("The sandbox held, and let me write nowhere"), "{}", output.stdout);
    assert!(output.stdout.contains("5h limit:"), "{}", output.stdout);
    assert!(output.stdout.contains("You have 3 reset credits"), "{}", output.stdout);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let home = told.lines().find_map(|line| line.trim().strip_prefix("export CODEX_HOME=")).unwrap();
    assert!(std::path::Path::new(home).join("auth.json").is_file());
    server.signal(2);
    server.wait().expect(130);
    assert!(!std::path::Path::new(home).exists(), "the home of the account is removed");
}

#[test]
fn a_stopped_demo_puts_everything_away_and_says_so() {
    let world = World::new("");
    for (signal, code) in [(2, 130), (15, 143), (1, 129)] {
        let mut demo = world.codex().arg("demo").start();
        let told = demo.until_told("session id:");
        let project = told.lines().find_map(|line| line.strip_prefix("workdir: ")).unwrap();
        let folder = std::path::Path::new(project).parent().unwrap();
        assert!(folder.exists(), "{told}");
        demo.signal(signal);
        let output = demo.wait().expect(code);
        assert!(output.stdout.contains("are removed"), "{}", output.stdout);
        assert!(!folder.exists(), "after signal {signal}");
    }
}

#[test]
fn sandbox_hands_the_exit_code_through() {
    let world = World::new("");
    let sandbox = |args: &[&str]| world.codex().arg("sandbox").args(args).run();
    sandbox(&["--", "sh", "-c", "exit 7"]).expect(7);
    sandbox(&["linux", "--", "true"]).expect(0);
    sandbox(&["--", "no-such-program-here"]).expect(127);
    sandbox(&["--", "/etc/passwd"]).expect(126);
    sandbox(&["--", "sh", "-c", "kill -9 $$"]).expect(137);
    let output = sandbox(&["--", "sh", "-c", "echo out; echo err >&2; echo x > file"]);
    assert_ne!(output.code, Some(0), "read-only is the default");
    assert_eq!(output.stdout, "out\n");
    assert!(output.stderr.starts_with("err\n"), "{}", output.stderr);
    assert!(!world.project().join("file").exists());
    sandbox(&["--full-auto", "--", "sh", "-c", "echo x > file"]).expect(0);
    assert!(world.project().join("file").exists());
    sandbox(&["-C", "nowhere", "--", "true"]).expect(1);
    sandbox(&["sh", "-c", "exit 5"]).expect(5);
}

fn readme() -> String {
    fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The words of every `codex …` that a text in backticks or a `$ ` line of the README shows.
fn shown_commands() -> Vec<Vec<String>> {
    let text = readme();
    let console = text.lines().filter_map(|line| line.strip_prefix("$ "));
    let inline = text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("codex "));
    let mut found = Vec::new();
    for line in console.chain(inline) {
        for piece in line.split(" | ") {
            let words = shlex::split(piece.split(" < ").next().unwrap()).unwrap_or_else(|| panic!("{piece}"));
            if words.first().is_some_and(|word| word == "codex") {
                found.push(words[1..].to_vec());
            } else if words.first().is_some_and(|word| word == "cargo") {
                let known = ["run", "test", "install"].contains(&words[1].as_str());
                assert!(known, "{line}");
                if let Some(at) = words.iter().position(|word| word == "--") {
                    found.push(words[at + 1..].to_vec());
                }
            }
        }
    }
    found
}

#[test]
fn every_command_of_the_readme_parses() {
    let world = World::new("");
    let commands = shown_commands();
    assert!(commands.len() >= 10, "{commands:?}");
    for mut words in commands {
        // `--help` ends the run after everything before it was understood.
        let at = words.iter().position(|word| word == "--").unwrap_or(words.len());
        words.insert(at, "--help".to_owned());
        let output = world.codex().args(&words).run();
        assert_eq!(output.code, Some(0), "codex {words:?}: {}", output.stderr);
        assert!(output.stdout.contains("Usage: codex"), "codex {words:?}");
    }
}

#[test]
fn the_readme_names_the_flags_and_codes_that_exist() {
    let world = World::new("");
    let help = world.codex().args(["exec", "--help"]).run().expect(0).stdout;
    let text = readme();
    let rows = text.lines().filter(|line| line.starts_with("| `-"));
    let mut flags = 0;
    for row in rows {
        let cell = row.split(" | ").next().unwrap();
        for code in cell.split('`').skip(1).step_by(2) {
            let flag = code.split(' ').next().unwrap();
            let known = [' ', ',', '\n'].iter().any(|end| help.contains(&format!("{flag}{end}")));
            assert!(known, "{flag} is not in --help");
            flags += 1;
        }
    }
    assert!(flags >= 12, "{flags}");
    for code in ["`0`", "`1`", "`2`", "`130`", "`143`"] {
        assert!(text.contains(code), "{code}");
    }
}
