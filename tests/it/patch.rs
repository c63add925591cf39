//! Patches through the whole program: what they may reach, and what they keep.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use serde_json::Value;

use super::support::World;
use super::support::codex::Output;

/// A world whose model sends these patches one after the other.
fn world(patches: &[&str]) -> World {
    let mut script = String::new();
    for (round, body) in patches.iter().enumerate() {
        script.push_str(&format!(
            "[[rule]]\nwhen = {{ round = {round} }}\n[[rule.output]]\npatch = '''\n*** Begin Patch\n{body}*** End Patch\n'''\n"
        ));
    }
    World::new(&(script + "[[rule]]\noutput = [{ text = 'It is said.' }]\n"))
}

/// Only the project may be written, wherever the tests live.
const ONLY_HERE: [&str; 4] = [
    "-c",
    "sandbox_workspace_write.exclude_slash_tmp=true",
    "-c",
    "sandbox_workspace_write.exclude_tmpdir_env_var=true",
];

fn play(world: &World) -> Output {
    let output = world.exec(&ONLY_HERE).args(["--full-auto", "hello"]).run().expect(0);
    assert_eq!(world.backend.state()["breaches"], 0);
    output
}

fn statuses(output: &Output) -> Vec<Value> {
    output.items_of("file_change").iter().map(|item| item["status"].clone()).collect()
}

/// What the model was told of its patches.
fn told(world: &World) -> String {
    let last = world.backend.requests().pop().unwrap();
    let outputs = last["input"].as_array().unwrap().iter().filter(|i| i["type"] == "custom_tool_call_output");
    outputs.map(|i| i["output"].to_string()).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_outside_is_written() {
    let escapes = |kind: &str, body: &str| -> Vec<String> {
        ["../outside/new", "/outside/new", "link/new", "src/../../outside/new", "./link/../link/new", "soft"]
            .map(|path| format!("*** {kind} File: {path}\n{body}"))
            .to_vec()
    };
    let mut patches = escapes("Add", "+x\n");
    patches.extend(escapes("Update", "-old\n+x\n"));
    patches.push("*** Delete File: ../outside/file\n".into());
    patches.push("*** Delete File: link/file\n".into());
    patches.push("*** Update File: own\n*** Move to: ../outside/moved\n-own\n+x\n".into());
    patches.push("*** Update File: own\n*** Move to: link/moved\n-own\n+x\n".into());
    patches.push("*** Update File: link/file\n*** Move to: taken\n-old\n+x\n".into());
    patches.push("*** Update File: ../outside/file\n*** Move to: taken\n-old\n+x\n".into());
    for name in [".git", ".codex", ".agents"] {
        patches.push(format!("*** Add File: {name}/hooks/new\n+x\n"));
        patches.push(format!("*** Add File: src/../{name}/new\n+x\n"));
        patches.push(format!("*** Update File: own\n*** Move to: {name}/own\n-own\n+x\n"));
    }
    patches.push("*** Add File: gitlink/new\n+x\n".into());
    patches.push("*** Update File: .git/HEAD\n-ref: refs/heads/main\n+x\n".into());
    patches.push("*** Delete File: .git/HEAD\n".into());
    // A good part does not carry a bad one along.
    patches.push("*** Add File: good\n+x\n*** Add File: ../outside/new\n+x\n".into());
    let world = world(&patches.iter().map(String::as_str).collect::<Vec<_>>());
    let outside = world.root().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "old\n").unwrap();
    fs::create_dir(world.project().join("src")).unwrap();
    fs::write(world.project().join("own"), "own\n").unwrap();
    symlink(&outside, world.project().join("link")).unwrap();
    symlink("../outside/file", world.project().join("soft")).unwrap();
    symlink(".git", world.project().join("gitlink")).unwrap();
    let output = play(&world);
    let statuses = statuses(&output);
    assert_eq!(statuses.len(), patches.len());
    for (status, patch) in statuses.iter().zip(&patches) {
        assert_eq!(status, "failed", "{patch}\n{}", told(&world));
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read(outside.join("file")).unwrap(), b"old\n");
    assert_eq!(fs::read(world.project().join(".git/HEAD")).unwrap(), b"ref: refs/heads/main\n");
    let mut names: Vec<_> = fs::read_dir(world.project()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".git", "gitlink", "link", "own", "soft", "src"]);
    assert_eq!(fs::read_dir(world.project().join(".git")).unwrap().count(), 3);
}

#[test]
fn nothing_is_written_where_only_reading_is_allowed() {
    let world =
        world(&["*** Add File: new\n+x\n", "*** Update File: own\n-own\n+x\n", "*** Delete File: own\n"]);
    fs::write(world.project().join("own"), "own\n").unwrap();
    let output = world.exec(&["-s", "read-only", "hello"]).run().expect(0);
    assert_eq!(statuses(&output), ["failed", "failed", "failed"]);
    assert_eq!(fs::read(world.project().join("own")).unwrap(), b"own\n");
    assert!(!world.project().join("new").exists());
}

/// A command swaps a folder for a link to the outside as fast as it can while patches are written into it. A patch
/// that makes the folder in a gap must not bring the swapping to an end, so each round begins from nothing.
#[test]
fn a_link_swapped_in_at_the_wrong_moment_lets_nothing_out() {
    let patches: Vec<String> =
        (0..30).map(|n| format!("*** Add File: dir/f{n}\n+x\n*** Add File: dir/g{n}\n+x\n")).collect();
    let mut script = String::from(
        "[[rule]]\nwhen = { round = 0 }\n[[rule.output]]\nexec = 'exec 2>/dev/null; \
         while :; do mkdir dir; rm -r dir; ln -sT ../outside dir; rm -r dir; done'\n\
         args = { yield_time_ms = 250 }\n",
    );
    for (n, patch) in patches.iter().enumerate() {
        script.push_str(&format!(
            "[[rule]]\nwhen = {{ round = {} }}\n[[rule.output]]\npatch = '''\n*** Begin Patch\n{patch}*** End Patch\n'''\n",
            n + 1
        ));
    }
    let world = World::new(&(script + "[[rule]]\noutput = [{ text = 'It is said.' }]\n"));
    let outside = world.root().join("outside");
    fs::create_dir(&outside).unwrap();
    let output = world.exec(&ONLY_HERE).args(["--full-auto", "hello"]).run().expect(0);
    let statuses = statuses(&output);
    assert!(statuses.iter().any(|status| status == "failed"), "nothing was ever in the way: {statuses:?}");
    assert_eq!(statuses.len(), patches.len());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "something got out");
}

#[test]
fn a_move_onto_itself_keeps_the_file() {
    let world = world(&[
        "*** Update File: a\n*** Move to: a\n-1\n+2\n",
        "*** Update File: a\n*** Move to: ./a\n-2\n+3\n",
        "*** Update File: a\n*** Move to: dir/../a\n-3\n+4\n",
        "*** Update File: a\n*** Move to: here/a\n-4\n+5\n",
        "*** Update File: a\n*** Move to: soft\n-5\n+6\n",
        "*** Update File: a\n*** Move to: hard\n",
    ]);
    let project = world.project();
    fs::write(project.join("a"), "1\n").unwrap();
    fs::create_dir(project.join("dir")).unwrap();
    symlink(".", project.join("here")).unwrap();
    symlink("a", project.join("soft")).unwrap();
    play(&world);
    let text = told(&world);
    let kept = ["a", "hard"].map(|name| fs::read_to_string(project.join(name)).unwrap_or_default());
    assert!(kept.iter().any(|content| content.starts_with(['5', '6'])), "{kept:?} {text}");
}

#[test]
fn what_a_file_is_stays() {
    let world = world(&[
        "*** Update File: crlf\n@@\n-b\n+B\n",
        "*** Update File: bom\n@@\n-a\n+A\n",
        "*** Update File: open-end\n@@\n-b\n+B\n",
        "*** Update File: run.sh\n@@\n-echo a\n+echo b\n",
        "*** Update File: soft\n@@\n-t\n+T\n",
        "*** Update File: run.sh\n*** Move to: bin/go.sh\n@@\n-echo b\n+echo c\n",
        "*** Delete File: latin\n",
        "*** Update File: lone\n@@\n-b\n+B\n",
    ]);
    let project = world.project();
    for (name, content) in [
        ("crlf", b"a\r\nb\r\nc\r\n".as_slice()),
        ("bom", b"\xef\xbb\xbfa\nb\n"),
        ("open-end", b"a\nb"),
        ("run.sh", b"#!/bin/sh\necho a\n"),
        ("target", b"t\n"),
        ("latin", b"\xe9\n"),
        ("lone", b"a\rx\nb\n"),
    ] {
        fs::write(project.join(name), content).unwrap();
    }
    fs::set_permissions(project.join("run.sh"), fs::Permissions::from_mode(0o751)).unwrap();
    symlink("target", project.join("soft")).unwrap();
    let output = play(&world);
    assert!(statuses(&output).iter().all(|status| status == "completed"), "{}", told(&world));
    let read = |name: &str| fs::read(project.join(name)).unwrap();
    assert_eq!(read("crlf"), b"a\r\nB\r\nc\r\n");
    assert_eq!(read("bom"), b"\xef\xbb\xbfA\nb\n");
    assert!([b"a\nB".as_slice(), b"a\nB\n"].contains(&read("open-end").as_slice()));
    assert_eq!(read("bin/go.sh"), b"#!/bin/sh\necho c\n");
    assert_eq!(fs::metadata(project.join("bin/go.sh")).unwrap().mode() & 0o777, 0o751);
    assert!(!project.join("run.sh").exists());
    assert!(fs::symlink_metadata(project.join("soft")).unwrap().is_symlink());
    assert_eq!(read("target"), b"T\n");
    assert!(!project.join("latin").exists());
    assert_eq!(read("lone"), b"a\rx\nB\n");
}

/// A hard link inside to a file outside: the outside keeps its content.
#[test]
fn a_hard_link_does_not_carry_a_patch_outside() {
    let world = world(&["*** Update File: hard\n-old\n+x\n"]);
    let outside = world.root().join("file");
    fs::write(&outside, "old\n").unwrap();
    fs::hard_link(&outside, world.project().join("hard")).unwrap();
    play(&world);
    assert_eq!(fs::read(&outside).unwrap(), b"old\n");
}

/// Scripts in a namespace of their own: a full disk and a folder that cannot be written.
fn in_namespace(world: &World, prepare: &str) -> Option<String> {
    let script = format!("{prepare} && \"$CODEX\" exec --json --full-auto hello; cp -r . $HOME/kept");
    let output = world.around("unshare").args(["-Urm", "sh", "-c", &script]).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    if stdout.is_empty() {
        eprintln!("no namespaces here, nothing was tested: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(stdout)
}

#[test]
fn a_full_disk_keeps_what_was_there() {
    let more =
        "+xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(2000);
    let world = world(&[&format!(
        "*** Add File: small\n+x\n*** Update File: big\n@@\n-old\n{more}*** Delete File: gone\n"
    )]);
    let prepare = "mkdir small-disk && mount -t tmpfs -o size=64k none small-disk && cd small-disk && \
                   mkdir .git .git/refs .git/objects && echo 'ref: refs/heads/main' > .git/HEAD && echo old > big && echo here > gone";
    let Some(stdout) = in_namespace(&world, prepare) else { return };
    assert!(
        stdout.contains(r#""type":"file_change""#)
            && !stdout.contains("small-disk/small\",\"kind\":\"add\"}],\"status\":\"completed"),
        "{stdout}"
    );
    let kept = world.home().join("kept");
    assert_eq!(fs::read(kept.join("big")).unwrap(), b"old\n");
    assert_eq!(fs::read(kept.join("gone")).unwrap(), b"here\n");
    let mut names: Vec<_> = fs::read_dir(&kept).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".git", "big", "gone"], "{}", told(&world));
    assert!(told(&world).to_lowercase().contains("space"), "{}", told(&world));
}

#[test]
fn a_folder_on_a_read_only_disk_is_named() {
    let world = world(&["*** Add File: ok\n+x\n*** Update File: ro/file\n@@\n-old\n+x\n"]);
    fs::create_dir(world.project().join("ro")).unwrap();
    fs::write(world.project().join("ro/file"), "old\n").unwrap();
    let prepare = "mount --bind ro ro && mount -o remount,bind,ro ro";
    if in_namespace(&world, prepare).is_none() {
        return;
    }
    assert_eq!(fs::read(world.project().join("ro/file")).unwrap(), b"old\n");
    assert!(!world.project().join("ok").exists());
    assert!(told(&world).contains("ro/file"), "{}", told(&world));
}
