//! What the flags of `codex exec` do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::World;
use crate::support::scripts::{DOT, HELLO};

#[test]
fn output_schemas_are_sent_and_bad_ones_are_named() {
    let world = World::new("[[rule]]\noutput = [{ text = '{\"n\":1}' }]\n");
    let file = world.root().join("schema.json");
    let path = file.to_str().unwrap();
    fs::write(&file, r#"{"type":"object","properties":{"n":{"type":"number"}}}"#).unwrap();
    let output = world.codex().args(["exec", "--output-schema", path, "hi"]).run().expect(0);
    assert_eq!(output.stdout, "{\"n\":1}\n");
    let format = &world.backend.requests()[0]["text"]["format"];
    assert_eq!(format["schema"]["properties"]["n"]["type"], "number");
    assert_eq!(
        (&format["type"], &format["strict"], &format["name"]),
        (&json!("json_schema"), &json!(true), &json!("codex_output_schema"))
    );

    fs::write(&file, "{\n  nope").unwrap();
    let output = world.codex().args(["exec", "--output-schema", path, "hi"]).run().expect(1);
    assert!(output.stderr.contains("schema.json:2:3"), "{}", output.stderr);
    let output = world.codex().args(["exec", "--output-schema", "missing.json", "hi"]).run().expect(1);
    assert_eq!(output.stderr.matches("No such file").count(), 1, "{}", output.stderr);
    assert_eq!(world.backend.requests().len(), 1, "nothing was sent");
}

#[test]
fn model_config_and_profile_choose() {
    let world = World::new(HELLO);
    world.exec(&["-m", "gpt-5.4-mini", "hi"]).run().expect(0);
    world.exec(&["-c", "model=\"from-c\"", "-c", "model_reasoning_effort=high", "hi"]).run().expect(0);
    world.config("[profiles.work]\nmodel = \"from-profile\"\n");
    world.exec(&["-p", "work", "hi"]).run().expect(0);
    world.codex().args(["-p", "work", "-c", "model=\"both\"", "exec", "--json", "hi"]).run().expect(0);
    let sent = world.backend.requests();
    let models: Vec<_> = sent.iter().map(|body| body["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["gpt-5.4-mini", "from-c", "from-profile", "both"]);
    assert_eq!(sent[1]["reasoning"]["effort"], "high");

    for (args, want) in [
        (["-p", "missing"], "missing"),
        (["-c", "model=3"], "model"),
        (["-c", "sandbox_mode=none"], "read-only"),
        (["-c", "no equals"], "="),
        (["-c", "model_provider=nobody"], "nobody"),
    ] {
        let output = world.exec(&args).arg("hi").run().expect(1);
        assert!(output.stderr.starts_with("ERROR: ") && output.stderr.contains(want), "{}", output.stderr);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
    let output = world.codex().args(["exec", "-c", "modle=1", "hi"]).run().expect(0);
    assert!(output.stderr.contains("did you mean `model`?"), "{}", output.stderr);
    assert_eq!(output.stdout, "Hello there.\n");
}

/// Tries to write inside the project, beside it, and into one more folder.
fn writes(world: &World) -> String {
    let beside = world.root().join("beside");
    let more = world.root().join("more");
    fs::create_dir_all(&beside).unwrap();
    fs::create_dir_all(&more).unwrap();
    format!(
        "[[rule]]\nwhen = {{ round = 0 }}\noutput = [{{ exec = \"touch in; touch {}/x; touch {}/x; true\" }}]\n\
         [[rule]]\noutput = [{{ text = \"done\" }}]\n",
        beside.display(),
        more.display()
    )
}

#[test]
fn sandbox_flags_decide_what_commands_may_write() {
    // Whether the command wrote: inside, beside, one more folder.
    let cases: [(&[&str], [bool; 3]); 6] = [
        (&["-s", "read-only"], [false, false, false]),
        (&["-s", "workspace-write"], [true, false, false]),
        (&["--full-auto"], [true, false, false]),
        (&["--full-auto", "--add-dir", "../more"], [true, false, true]),
        (&["-s", "danger-full-access"], [true, true, true]),
        (&["--dangerously-bypass-approvals-and-sandbox"], [true, true, true]),
    ];
    let world = World::new("");
    // The world may live below /tmp, which is writable otherwise.
    let narrow = ["-c", "sandbox_workspace_write.exclude_slash_tmp=true"];
    for (flags, want) in cases {
        world.backend.script(&writes(&world));
        let output = world.exec(&narrow).args(flags).arg("write").run().expect(0);
        let wrote = ["project/in", "beside/x", "more/x"].map(|path| {
            let path = world.root().join(path);
            fs::remove_file(path).is_ok()
        });
        assert_eq!(wrote, want, "{flags:?}\n{}", output.stdout);
    }
}

#[test]
fn the_working_directory_is_as_told() {
    let world = World::new(
        "[[rule]]\nwhen = { round = 0 }\noutput = [{ exec = \"pwd\" }]\n\
         [[rule]]\noutput = [{ text = \"You are in {{last_line}}\" }]\n",
    );
    let inner = world.project().join("inner dir");
    fs::create_dir(&inner).unwrap();
    let output = world.codex().args(["exec", "-C", "inner dir", "where"]).run().expect(0);
    assert_eq!(output.stdout, format!("You are in {}\n", inner.display()));
    let output = world.codex().args(["exec", "-C", "nowhere", "where"]).run().expect(1);
    assert!(output.stderr.contains("nowhere"), "{}", output.stderr);
}

#[test]
fn outside_of_git_and_trust_it_refuses_unless_told_otherwise() {
    let world = World::new(HELLO);
    // Some machines have a repository above their temporary folder.
    let elsewhere = tempfile::tempdir().unwrap();
    let output = world.codex().cwd(elsewhere.path()).args(["exec", "hi"]).run().expect(1);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("--skip-git-repo-check"), "{}", output.stderr);
    assert!(world.backend.requests().is_empty());
    let skip = ["exec", "--skip-git-repo-check", "hi"];
    let output = world.codex().cwd(elsewhere.path()).args(skip).run().expect(0);
    assert!(output.stderr.contains("sandbox: read-only"), "an unknown folder: {}", output.stderr);
}

#[test]
fn ephemeral_threads_leave_nothing() {
    let world = World::new(HELLO);
    world.exec(&["--ephemeral", "hi"]).run().expect(0);
    assert_eq!(world.rollouts(), Vec::<std::path::PathBuf>::new());
    world.exec(&["hi"]).run().expect(0);
    assert_eq!(world.rollouts().len(), 1);
    assert_eq!(fs::metadata(&world.rollouts()[0]).unwrap().permissions().mode() & 0o077, 0, "private");
}

#[test]
fn images_are_attached_and_bad_ones_are_named() {
    let world = World::new(HELLO);
    fs::write(world.project().join("dot.png"), DOT).unwrap();
    world.exec(&["-i", "dot.png,dot.png", "look"]).run().expect(0);
    let requests = world.backend.requests();
    let content = requests[0]["input"].as_array().unwrap().last().unwrap()["content"].clone();
    let kinds: Vec<_> = content.as_array().unwrap().iter().map(|p| p["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["input_text", "input_image", "input_image"]);
    assert!(content[1]["image_url"].as_str().unwrap().starts_with("data:image/png;base64,"));
    fs::write(world.project().join("no.png"), "text").unwrap();
    for name in ["no.png", "missing.png"] {
        let output = world.codex().args(["exec", "-i", name, "look"]).run().expect(1);
        assert_eq!(output.stderr.matches("ERROR:").count(), 1, "{}", output.stderr);
        assert!(output.stderr.contains(name), "{}", output.stderr);
    }
    assert_eq!(world.backend.requests().len(), 1);
    // A mistyped name is told before a thread begins.
    let before = world.rollouts().len();
    world.codex().args(["exec", "-i", "missing.png", "look"]).run().expect(1);
    assert_eq!(world.rollouts().len(), before);
    // Like every other file it is named from where the user stands.
    let other = world.root().join("elsewhere");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("here.png"), DOT).unwrap();
    let there = world.codex().cwd(&other).args(["exec", "-C"]).arg(world.project());
    there.args(["-i", "here.png", "look"]).run().expect(0);
}
