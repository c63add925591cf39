//! Files of ours that somebody scribbled on: never a panic, never a hang; what is readable counts, what is not is
//! named.

use std::fs;
use std::path::PathBuf;

use crate::support::World;

const SAY: &str = "[[rule]]\nwhen = { user = 'run', round = 0 }\noutput = [{ exec = 'echo one' }, { exec = 'echo two' }]\n\
                   [[rule]]\noutput = [{ text = 'It is said.' }]\n";

/// A thread with a turn of two commands, and the bytes of its file.
fn thread(world: &World) -> (String, PathBuf, Vec<u8>) {
    world.exec(&["--full-auto", "run"]).run().expect(0);
    let path = world.rollouts().remove(0);
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let id = stem.get(stem.len() - 36..).unwrap().to_owned();
    let bytes = fs::read(&path).unwrap();
    (id, path, bytes)
}

#[test]
fn a_thread_cut_anywhere_goes_on() {
    let world = World::new(SAY);
    let (id, path, bytes) = thread(&world);
    let first = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
    let step = (bytes.len() - first) / 23;
    for end in (first..=bytes.len()).step_by(step.max(1)) {
        fs::write(&path, &bytes[..end]).unwrap();
        world.backend.reset();
        let output = world.exec(&["--full-auto", "resume", &id, "go on"]).run().expect(0);
        assert_eq!(output.items_of("agent_message").last().unwrap()["text"], "It is said.", "cut at {end}");
        let state = world.backend.state();
        assert_eq!(state["breaches"], 0, "cut at {end}: {state:#}");
        let text = fs::read_to_string(&path).unwrap();
        let whole = text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        assert!(whole && text.ends_with('\n'), "cut at {end}: {text}");
    }
}

#[test]
fn a_thread_scribbled_on_goes_on_with_what_is_readable() {
    let world = World::new(SAY);
    let (id, path, bytes) = thread(&world);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let without = |drop: usize| {
        let kept: Vec<&str> =
            lines.iter().enumerate().filter(|(n, _)| *n != drop).map(|(_, line)| *line).collect();
        (kept.join("\n") + "\n").into_bytes()
    };
    let mut cases: Vec<(String, Vec<u8>)> =
        (1..lines.len()).map(|n| (format!("without line {n}"), without(n))).collect();
    let mut reversed = lines[1..].to_vec();
    reversed.reverse();
    for (what, middle) in [
        ("NUL bytes", "\0\0\0\0".to_owned()),
        ("not UTF-8", "\u{fffd}".to_owned()),
        ("wrong types", r#"{"timestamp":7,"type":"response_item","payload":[]}"#.to_owned()),
        ("payload missing", r#"{"timestamp":"x","type":"response_item"}"#.to_owned()),
        ("misshapen message", r#"{"timestamp":"x","type":"response_item","payload":{"type":"message","role":"user","content":7}}"#.to_owned()),
        ("empty message", r#"{"timestamp":"x","type":"response_item","payload":{"type":"message","role":"assistant","content":[]}}"#.to_owned()),
        ("orphan output", r#"{"timestamp":"x","type":"response_item","payload":{"type":"function_call_output","call_id":"ghost","output":"boo"}}"#.to_owned()),
        ("nested deep", "[".repeat(100_000)),
        ("unknown type", r#"{"timestamp":"x","type":"surprise","payload":{}}"#.to_owned()),
        ("compacted nonsense", r#"{"timestamp":"x","type":"compacted","payload":{"replacement_history":[7,null,{"type":"message"}]}}"#.to_owned()),
    ] {
        let mut changed = lines.clone();
        changed.insert(lines.len() / 2, &middle);
        cases.push((what.to_owned(), (changed.join("\n") + "\n").into_bytes()));
    }
    let mut binary = bytes.clone();
    binary.extend((0..=255u8).cycle().take(5000));
    cases.push(("binary at the end".to_owned(), binary));
    for (what, content) in cases {
        fs::write(&path, &content).unwrap();
        world.backend.reset();
        let output = world.exec(&["--full-auto", "resume", &id, "go on"]).run();
        assert_eq!(output.code, Some(0), "{what}: {}{}", output.stdout, output.stderr);
        let state = world.backend.state();
        assert_eq!(state["breaches"], 0, "{what}: {state:#}");
    }
    // The service may refuse what was said twice; that is all that may happen.
    for twice in [lines[1..].join("\n"), reversed.join("\n")] {
        fs::write(&path, [lines.join("\n"), twice, String::new()].join("\n")).unwrap();
        let output = world.exec(&["--full-auto", "resume", &id, "go on"]).run();
        assert!(matches!(output.code, Some(0 | 1)), "{output:?}");
    }
    // Forgets the breaches of the last part, which it allows.
    world.backend.reset();
}

#[test]
fn a_thread_without_a_beginning_is_refused_or_goes_on_but_never_crashes() {
    let world = World::new(SAY);
    let (id, path, bytes) = thread(&world);
    let first = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
    for (what, content) in [
        ("empty", Vec::new()),
        ("line breaks", b"\n\n\n".to_vec()),
        ("no first line", bytes[first..].to_vec()),
        ("half a first line", bytes[..first / 2].to_vec()),
        ("NUL", vec![0; 4096]),
        ("other JSON", b"{}\n[]\n7\n".to_vec()),
    ] {
        fs::write(&path, &content).unwrap();
        world.backend.reset();
        let output = world.exec(&["--full-auto", "resume", &id, "go on"]).run();
        assert!(matches!(output.code, Some(0 | 1)), "{what}: {output:?}");
        assert!(!output.stderr.contains("panicked"), "{what}: {}", output.stderr);
        if output.code == Some(1) {
            let told = output.stderr.matches("ERROR").count() + output.stdout.matches("turn.failed").count();
            assert_eq!(told, 1, "{what}: {output:?}");
            assert_eq!(fs::read(&path).unwrap(), content, "{what}: a file that is refused is left as it is");
        }
        world.exec(&["--full-auto", "resume", "--last", "go on"]).run();
    }
}

#[test]
fn a_corrupt_config_names_the_place() {
    let world = World::new(SAY);
    let path = world.codex_home().join("config.toml");
    let good = fs::read(&path).unwrap();
    for (content, part) in [
        (b"model = ".as_slice(), "config.toml:1:"),
        (b"model = \"a\0b\"\n", "config.toml:1:"),
        (b"\xff\xfe\n", "UTF-8"),
        (b"model = 7\n", "config.toml:1:"),
        (b"sandbox_mode = \"off\"\n", "workspace-write"),
        (b"model_providers = 3\n", "config.toml:1:"),
        (b"[projects]\nx = 1\n", "config.toml:2:"),
        (b"a = 1\na = 2\n", "config.toml:2:"),
        (b"\0\0\0\0", "config.toml:1:"),
    ] {
        fs::write(&path, content).unwrap();
        let output = world.exec(&["hello"]).run();
        let shown = String::from_utf8_lossy(content);
        assert_eq!(output.code, Some(1), "{shown:?}: {}", output.stderr);
        assert!(output.stderr.contains(part), "{shown:?}: {}", output.stderr);
        assert_eq!(output.stderr.matches("ERROR").count(), 1, "{}", output.stderr);
    }
    let mut long = good.clone();
    long.extend(format!("\nx = {}{}\n", "[".repeat(50_000), "]".repeat(50_000)).into_bytes());
    fs::write(&path, long).unwrap();
    let output = world.exec(&["hello"]).run();
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stderr.chars().count() < 2000, "the whole line is printed");
}

#[test]
fn corrupt_credentials_are_named_without_their_content() {
    let world = World::new(SAY);
    fs::write(
        world.codex_home().join("config.toml"),
        format!("openai_base_url = \"{}\"\n", world.backend.base_url),
    )
    .unwrap();
    let path = world.codex_home().join("auth.json");
    let key = "sk-canary-0123456789";
    for content in [
        String::new(),
        format!("{{\"OPENAI_API_KEY\": \"{key}\""),
        format!("{{\"OPENAI_API_KEY\": [\"{key}\"]}}"),
        format!("{{\"OPENAI_API_KEY\": \"{key}\\n{key}\"}}"),
        format!("{{\"tokens\": \"{key}\"}}"),
        format!("{{\"tokens\": {{\"access_token\": 7, \"id_token\": \"{key}\"}}}}"),
        format!("\"{key}\""),
        "\0\0".to_owned(),
        "[".repeat(100_000),
    ] {
        fs::write(&path, &content).unwrap();
        let shown: String = content.chars().take(60).collect();
        let output = world.exec(&["--skip-git-repo-check", "hello"]).run();
        assert_eq!(output.code, Some(1), "{shown:?}: {output:?}");
        let all = format!("{}{}", output.stdout, output.stderr);
        assert!(!all.contains("canary"), "{shown:?}: {all}");
        assert!(all.contains("auth.json") || all.contains("login"), "{shown:?}: {all}");
        assert!(!all.contains("panicked"), "{all}");
    }
}
