//! Rules, through the real binary: what rules files forbid and allow, and `codex execpolicy`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Codex, World};
use crate::tui::bed::{calls_then, exec};

fn rules(world: &World, name: &str, text: &str) {
    let file = world.codex_home().join("rules").join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// A program outside the workspace, so that running it needs no path of the project.
fn elsewhere(world: &World) -> String {
    let dir = world.root().join("elsewhere");
    fs::create_dir_all(&dir).unwrap();
    dir.join("mark").display().to_string()
}

#[test]
fn a_forbidding_rule_holds_for_pieces_and_for_what_cannot_be_read() {
    for command in ["true && git push", "git push > log", "sudo git push", "bash -c 'git push'"] {
        let world = World::new(&calls_then(&exec(command), "understood"));
        rules(
            &world,
            "a.rules",
            "prefix_rule(pattern=['git', 'push'], decision='forbidden', justification='ask Eve')\n",
        );
        let run = world.exec(&["push"]).run();
        assert_eq!(run.code, Some(0), "{command}: {}", run.stderr);
        let told = world.backend.requests().last().unwrap().to_string();
        assert!(told.contains("A rule forbids `git push`: ask Eve"), "{command}: {told}");
    }
}

#[test]
fn a_faulty_file_is_named_and_its_strict_rules_stay() {
    let world = World::new(&calls_then(&exec("curl x"), "understood"));
    rules(
        &world,
        "a.rules",
        "prefix_rule(pattern=['ls'], match=['cat'])\nprefix_rule(pattern=['curl'], decision='forbidden', x='1')\n",
    );
    let run = world.codex().args(["exec", "fetch"]).run();
    assert!(run.stderr.contains("a.rules:1: the rule does not match its example `cat`"), "{}", run.stderr);
    assert!(run.stderr.contains("a.rules:2: there is no argument `x`"), "{}", run.stderr);
    let told = world.backend.requests().last().unwrap().to_string();
    assert!(told.contains("A rule forbids `curl`"), "{told}");
}

#[test]
fn an_allowing_rule_lets_out_of_the_sandbox_and_ignoring_rules_does_not() {
    let world = World::new("");
    let mark = elsewhere(&world);
    let command = format!("cd . && touch {mark} | tail -1");
    for (flag, runs) in [(None, true), (Some("--ignore-rules"), false)] {
        world.backend.script(&calls_then(&exec(&command), "done"));
        rules(&world, "default.rules", &format!("prefix_rule(pattern=['touch', '{mark}'])\n"));
        let _ = fs::remove_file(&mark);
        let mut args = vec!["-s", "workspace-write", "-c", "sandbox_workspace_write.exclude_slash_tmp=true"];
        args.extend(flag);
        args.push("touch it");
        let run = world.exec(&args).run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(fs::exists(&mark).unwrap(), runs, "{flag:?}");
    }
}

#[test]
fn rules_of_a_project_count_when_it_is_trusted() {
    let world = World::new(&calls_then(&exec("curl x"), "understood"));
    let dir = world.project().join(".codex/rules");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("p.rules"), "prefix_rule(pattern=['curl'], decision='forbidden')\n").unwrap();
    assert_eq!(world.exec(&["fetch"]).run().code, Some(0));
    let told = world.backend.requests().last().unwrap().to_string();
    assert!(told.contains("A rule forbids `curl`"), "{told}");
}

#[test]
fn a_program_planted_on_the_search_path_is_not_the_one_that_a_rule_allows() {
    let world = World::new("");
    let mark = elsewhere(&world);
    rules(
        &world,
        "default.rules",
        "prefix_rule(pattern=['usual'])\nprefix_rule(pattern=['git', 'status'])\n",
    );
    let script = |dir: &std::path::Path, name: &str| {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join(name), format!("#!/bin/sh\ntouch {mark}\n")).unwrap();
        fs::set_permissions(dir.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    let (own, outside) = (world.project().join("bin"), world.root().join("programs"));
    script(&outside, "usual");
    let path = format!("{}:{}:/usr/bin:/bin", own.display(), outside.display());
    let run = |command: &str| {
        let _ = fs::remove_file(&mark);
        world.backend.script(&calls_then(&exec(command), "done"));
        let more = "sandbox_workspace_write.exclude_slash_tmp=true";
        // A login profile may have a search path of its own.
        let args = ["-s", "workspace-write", "-c", more, "-c", "allow_login_shell=false", "run it"];
        let run = world.exec(&args).env("PATH", &path).run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        fs::exists(&mark).unwrap()
    };
    assert!(run("usual"), "the rule lets it out");
    script(&own, "usual");
    assert!(!run("usual"), "this one commands can write");
    // What stands beside a piece that a rule lets out needs no rule, unless it was planted.
    script(&own, "tail");
    assert!(!run("git status | tail -1"));
    // A repository of the command's own making may run what it likes.
    let nested = world.project().join("nested/.git");
    fs::create_dir_all(nested.join("objects")).unwrap();
    fs::create_dir_all(nested.join("refs")).unwrap();
    fs::write(nested.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    script(&own, "watch");
    let monitor = own.join("watch").display().to_string();
    fs::write(nested.join("config"), format!("[core]\n\tfsmonitor = {monitor}\n")).unwrap();
    assert!(!run(&format!("git -c core.fsmonitor={monitor} status")));
}

fn check(world: &World, args: &[&str]) -> Codex {
    let file = world.root().join("x.rules");
    fs::write(
        &file,
        "prefix_rule(pattern=['git', 'push'], decision='prompt', justification='net')\nprefix_rule(pattern=['git'])\n",
    )
    .unwrap();
    let file = file.display().to_string();
    world.codex().args(["execpolicy", "check", "--rules", &file]).args(args)
}

#[test]
fn execpolicy_shows_what_matches() {
    let world = World::new("");
    let said = |args: &[&str]| check(&world, args).run();
    assert_eq!(said(&["ls"]).stdout.trim(), "{\"matchedRules\":[]}");
    assert_eq!(
        said(&["git", "push", "--force"]).stdout.trim(),
        "{\"matchedRules\":[{\"prefixRuleMatch\":{\"matchedPrefix\":[\"git\",\"push\"],\"decision\":\"prompt\",\
         \"justification\":\"net\"}},{\"prefixRuleMatch\":{\"matchedPrefix\":[\"git\"],\"decision\":\"allow\"}}],\
         \"decision\":\"prompt\"}"
    );
    assert_eq!(said(&["/usr/bin/git", "x"]).stdout.trim(), "{\"matchedRules\":[]}");
    let resolved = said(&["--resolve-host-executables", "/usr/bin/git", "x"]).stdout;
    assert!(resolved.contains("\"resolvedProgram\":\"/usr/bin/git\""), "{resolved}");
    let pretty = said(&["--pretty", "bash", "-lc", "echo x; git status"]).stdout;
    assert!(pretty.contains("\n  \"decision\": \"allow\""), "{pretty}");
    // A piece that no rule is about keeps the others in the sandbox.
    let mixed = said(&["bash", "-lc", "make it; git status"]).stdout;
    assert!(mixed.contains("No rule is about `make it`") && !mixed.contains("}],\"decision\""), "{mixed}");
    fs::write(world.root().join("bad.rules"), "prefix_rule(\n").unwrap();
    let bad = world.root().join("bad.rules").display().to_string();
    let run = world.codex().args(["execpolicy", "check", "--rules", &bad, "ls"]).run();
    assert!(
        run.code == Some(1) && run.stderr.contains("bad.rules:2: the call is not closed"),
        "{}",
        run.stderr
    );
    let run = world.codex().args(["execpolicy", "check", "--rules", "/no/such.rules", "ls"]).run();
    assert!(run.code == Some(1) && run.stderr.contains("no such file"), "{}", run.stderr);
}

#[test]
fn execpolicy_doubts_what_a_running_thread_would_doubt() {
    let world = World::new("");
    let said = |args: &[&str]| check(&world, args).run().stdout;
    // The verb behind options of git is seen, and an option that runs a program takes the permission back.
    let behind = said(&["git", "-c", "a.b=c", "push"]);
    assert!(behind.contains("\"decision\":\"prompt\"}"), "{behind}");
    let option = said(&["git", "-c", "core.pager=x", "log"]);
    assert!(
        option.contains("\"doubts\":[\"A rule allows `git`, but `-c` can make `git` run another program"),
        "{option}"
    );
    assert!(!option.contains("}],\"decision\""), "{option}");
    // A program of that name which commands can write.
    let planted = world.project().join("git");
    fs::write(&planted, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&planted, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", world.project().display());
    let found = check(&world, &["git", "log"]).env("PATH", path).run().stdout;
    assert!(found.contains("which commands can change"), "{found}");
}

#[test]
fn host_executable_says_which_paths_a_rule_about_a_name_means() {
    let world = World::new(&calls_then(&exec("/usr/bin/id -u"), "done"));
    let rules = world.codex_home().join("rules");
    fs::create_dir_all(&rules).unwrap();
    let refused = |hosts: &str, decision: &str| {
        fs::write(
            rules.join("a.rules"),
            format!("prefix_rule(pattern=['id'], decision='{decision}')\n{hosts}\n"),
        )
        .unwrap();
        let file = rules.join("a.rules").display().to_string();
        let args =
            ["execpolicy", "check", "--rules", &file, "--resolve-host-executables", "/usr/bin/id", "-u"];
        world.codex().args(args).run().stdout.contains("resolvedProgram")
    };
    assert!(refused("", "allow") && refused("host_executable(name='id', paths=['/usr/bin/id'])", "allow"));
    assert!(!refused("host_executable(name='id', paths=['/opt/id'])", "allow"));
    // What forbids does not depend on where the program lies.
    assert!(refused("host_executable(name='id', paths=['/opt/id'])", "forbidden"));
    let run = world.exec(&["-s", "workspace-write", "who"]).run();
    assert!(
        run.items_of("command_execution").iter().all(|item| item["status"] != "completed"),
        "{}",
        run.stdout
    );
}
