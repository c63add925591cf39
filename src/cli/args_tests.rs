//! The command line as people type it.

use clap::CommandFactory;

use super::super::args_exec::{ExecRequest, ResumeTarget};
use super::*;
use crate::exec::text::Color;

fn parsed(line: &[&str]) -> Result<Cli, clap::Error> {
    parse(std::iter::once("codex").chain(line.iter().copied()).map(OsString::from))
}

fn exec(line: &[&str]) -> Result<ExecRequest, clap::Error> {
    let cli = parsed(line)?;
    match cli.command {
        Some(Command::Exec(exec)) => exec.request(cli.shared),
        other => panic!("{other:?}"),
    }
}

/// The arguments of `codex sandbox` as their debug text: the fields belong to their own file.
fn sandbox(line: &[&str]) -> Result<String, clap::Error> {
    match parsed(line)?.command {
        Some(Command::Sandbox(sandbox)) => Ok(format!("{:?}", sandbox.request().0)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definitions_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn exec_takes_every_flag() {
    let request = exec(&[
        "exec",
        "--json",
        "-o",
        "out",
        "--output-schema",
        "s.json",
        "-m",
        "gpt",
        "-c",
        "a=1",
        "-p",
        "work",
        "-s",
        "workspace-write",
        "-C",
        "dir",
        "--add-dir",
        "x",
        "--add-dir",
        "y",
        "-i",
        "a.png,b.png",
        "-i",
        "c.png",
        "--skip-git-repo-check",
        "--ephemeral",
        "--color",
        "always",
        "--enable",
        "f",
        "--disable",
        "g",
        "do it",
    ])
    .unwrap();
    let options = request.options;
    assert_eq!(request.prompt.as_deref(), Some("do it"));
    assert!(options.json && options.skip_git_repo_check && options.ephemeral);
    assert_eq!(options.output_last_message, Some("out".into()));
    assert_eq!(options.output_schema, Some("s.json".into()));
    assert_eq!(
        (options.work.model.as_deref(), options.work.sandbox),
        (Some("gpt"), Some(SandboxMode::WorkspaceWrite))
    );
    assert_eq!((options.work.cwd, options.work.add_dir), (Some("dir".into()), vec!["x".into(), "y".into()]));
    assert_eq!(options.work.image, ["a.png", "b.png", "c.png"].map(PathBuf::from));
    assert_eq!(options.color, Some(Color::Always));
    let shared = Shared {
        config: vec!["a=1".into()],
        profile: Some("work".into()),
        enable: vec!["f".into()],
        disable: vec!["g".into()],
    };
    assert_eq!(options.shared, shared);
    assert!(exec(&["e", "--full-auto", "x"]).unwrap().options.work.full_auto);
    assert!(exec(&["e", "--dangerously-bypass-approvals-and-sandbox", "x"]).unwrap().options.work.bypass);
    assert_eq!(exec(&["e", "-"]).unwrap().prompt.as_deref(), Some("-"));
    assert_eq!(exec(&["e", "--", "--odd"]).unwrap().prompt.as_deref(), Some("--odd"));
    assert_eq!(exec(&["e", "help"]).unwrap().prompt.as_deref(), Some("help"));
}

#[test]
fn flags_before_and_after_the_word_are_joined() {
    let request = exec(&[
        "-c", "a=1", "-p", "one", "exec", "-c", "b=2", "--json", "resume", "-c", "c=3", "-p", "two", "ID",
        "go",
    ])
    .unwrap();
    assert_eq!(request.options.shared.config, ["a=1", "b=2", "c=3"]);
    assert_eq!(request.options.shared.profile.as_deref(), Some("two"));
    assert!(request.options.json);
}

#[test]
fn resume_finds_thread_and_prompt() {
    let id = |text: &str| Some(ResumeTarget::Id(text.into()));
    let last = Some(ResumeTarget::Last);
    for (line, target, prompt) in [
        (&["exec", "resume", "ID"][..], id("ID"), None),
        (&["exec", "resume", "ID", "go on"], id("ID"), Some("go on")),
        (&["exec", "resume", "--last"], last.clone(), None),
        (&["exec", "resume", "--last", "--all", "on"], Some(ResumeTarget::LastAnywhere), Some("on")),
        (&["exec", "resume", "--last", "go on"], last.clone(), Some("go on")),
        (&["exec", "resume", "go on", "--last", "-m", "x"], last, Some("go on")),
        (&["exec", "resume", "ID", "-"], id("ID"), Some("-")),
    ] {
        let request = exec(line).unwrap();
        assert_eq!((request.resume, request.prompt.as_deref()), (target, prompt), "{line:?}");
    }
    for line in [&["exec", "resume"][..], &["exec", "resume", "--last", "ID", "go"]] {
        assert_eq!(exec(line).unwrap_err().exit_code(), 2, "{line:?}");
    }
}

#[test]
fn sandbox_takes_its_flags_in_both_spellings() {
    for (line, parts) in [
        (&["sandbox", "--", "ls", "-la"][..], &["mode: None", r#"command: ["ls", "-la"]"#][..]),
        (&["sandbox", "ls", "-s", "x"], &[r#"command: ["ls", "-s", "x"]"#]),
        (&["sandbox", "linux", "--", "ls"], &[r#"command: ["ls"]"#]),
        (&["sandbox", "linux", "--full-auto", "ls"], &["full_auto: true", r#"command: ["ls"]"#]),
        (&["sandbox", "-s", "read-only", "--", "ls"], &["mode: Some(ReadOnly)"]),
        (
            &["-c", "a=1", "sandbox", "-C", "/d", "sh", "-c", "x"],
            &[r#"cd: Some("/d")"#, r#"["sh", "-c", "x"]"#],
        ),
    ] {
        let text = sandbox(line).unwrap();
        for part in parts {
            assert!(text.contains(part), "{line:?}: {text}");
        }
    }
    let line = ["sandbox", "--full-auto", "-s", "read-only", "ls"];
    assert_eq!(sandbox(&line).unwrap_err().exit_code(), 2, "{line:?}");
    // A missing command is told apart later: `explain` needs none.
    assert!(sandbox(&["sandbox", "explain"]).unwrap().contains("command: []"));
    assert!(sandbox(&["debug", "landlock", "--", "ls"]).unwrap().contains(r#"command: ["ls"]"#));
}

#[test]
fn sandbox_is_read_the_same_without_the_other_words() {
    let alone = |line: &[&str]| {
        Sandbox::alone(std::iter::once("codex").chain(line.iter().copied()).map(OsString::from))
            .map(|sandbox| format!("{:?}", sandbox.request()))
    };
    for line in [
        &["sandbox", "--", "ls", "-la"][..],
        &["sandbox", "ls", "-s", "x"],
        &["sandbox", "linux", "--full-auto", "ls"],
        &["sandbox", "explain", "-P", ":workspace", "--", "ls"],
        &["sandbox"],
    ] {
        let whole = parsed(line).unwrap().command.unwrap();
        let Command::Sandbox(whole) = whole else { panic!("{line:?}") };
        assert_eq!(alone(line).unwrap(), format!("{:?}", whole.request()), "{line:?}");
    }
    for line in
        [&["sandbox", "--help"][..], &["sandbox", "-V"], &["sandbox", "--nope"], &["exec", "sandbox"], &[]]
    {
        assert!(alone(line).is_none(), "{line:?}");
    }
}

#[test]
fn demo_is_a_word() {
    assert!(matches!(parsed(&["demo", "--check"]).unwrap().command, Some(Command::Demo(_))));
}

#[test]
fn login_refuses_a_key_on_the_command_line_without_repeating_it() {
    for line in
        [&["login", "--api-key", "sk-abc"][..], &["login", "--api-key=sk-abc"], &["login", "--api-key"]]
    {
        let error = parsed(line).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.exit_code(), 2);
        assert!(text.contains("--with-api-key") && !text.contains("sk-abc"), "{text}");
    }
    let login = |line: &[&str]| match parsed(line).unwrap().command {
        Some(Command::Login(login)) => login,
        other => panic!("{other:?}"),
    };
    assert!(login(&["login", "--with-api-key"]).with_api_key);
    assert!(matches!(login(&["login", "status"]).command, Some(LoginCommand::Status)));
    assert!(matches!(parsed(&["logout"]).unwrap().command, Some(Command::Logout)));
}

#[test]
fn wrong_words_exit_with_2_and_help_with_0() {
    for (line, code) in [
        (&["exec", "--nope"][..], 2),
        (&["exec", "-s", "everything", "x"], 2),
        (&["exec", "--color", "pink", "x"], 2),
        (&["exec", "--full-auto", "--dangerously-bypass-approvals-and-sandbox", "x"], 2),
        (&["exec", "--dangerously-bypass-approvals-and-sandbox", "resume", "--last", "--full-auto"], 2),
        (&["--nonsense"], 2),
        (&["resume", "--nonsense"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["exec", "--help"], 0),
    ] {
        let error = match parsed(line) {
            Err(error) => error,
            Ok(_) => exec(line).unwrap_err(),
        };
        assert_eq!(error.exit_code(), code, "{line:?}");
    }
    let help = parsed(&["exec", "--help"]).unwrap_err().to_string();
    for word in ["130", "141", "read-only", "--output-schema", "resume"] {
        assert!(help.contains(word), "{word} is missing in:\n{help}");
    }
}

/// Nothing wraps in the middle of a word in the usual terminal.
#[test]
fn every_help_fits_80_columns() {
    for words in [
        &[][..],
        &["exec"],
        &["exec", "resume"],
        &["resume"],
        &["sandbox"],
        &["demo"],
        &["login"],
        &["logout"],
    ] {
        let line: Vec<&str> = words.iter().copied().chain(["-h"]).collect();
        let text = parsed(&line).unwrap_err().to_string();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{words:?}: {line}");
        }
    }
}

/// The help is text that people read: every change of it is to be seen.
#[test]
fn help() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cli/args"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, line) in [("exec_help", &["exec", "-h"][..]), ("sandbox_help", &["sandbox", "-h"])] {
        let text = parsed(line).unwrap_err().to_string();
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}
