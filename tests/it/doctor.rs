//! `codex doctor` through the real binary: what a program can rely on in its JSON.

use crate::support::World;

#[test]
fn the_report_for_machines_has_a_schema_and_names_what_it_looked_at() {
    let world = World::new("");
    let run = world.codex().args(["doctor", "--json", "--offline"]).env("LANG", "C.UTF-8").run();
    let found: serde_json::Value = serde_json::from_str(&run.stdout).expect(&run.stdout);
    assert_eq!(found["schema"], 1);
    let checks = found["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    for name in ["configuration", "rules", "credentials", "sandbox", "mcp servers", "terminal", "colours"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let rungs = found["rungs"].as_array().unwrap();
    assert_eq!(rungs.iter().filter(|rung| rung["in_use"] == true).count(), 1, "{rungs:?}");
    // What is told of the lower rung is what commands there are told.
    let limits = rungs[1]["limits"].to_string();
    for missing in ["named Unix sockets", "POSIX message queues", "loopback_ports", "serve_ports", "UDP"] {
        assert!(limits.contains(missing), "{missing}: {limits}");
    }
    let attempts = found["attempts"].as_array().unwrap();
    // Also where the home lies below `/tmp`, as it does here.
    let made = attempts.len() > 10 && attempts.iter().all(|attempt| attempt["as_wanted"] == true);
    assert!(made, "{attempts:?}");
    for what in
        ["read a secret", "plant a git hook", "set a value of the kernel", "make namespaces of its own"]
    {
        assert!(attempts.iter().any(|attempt| attempt["what"] == what), "{what}");
    }
    // The rung that is not in use is tried as well.
    let rungs: std::collections::BTreeSet<&str> =
        attempts.iter().filter_map(|attempt| attempt["rung"].as_str()).collect();
    assert!(!rungs.is_empty() && attempts.len().is_multiple_of(rungs.len()), "{rungs:?}");
    let bad = checks.iter().any(|check| check["health"] == "bad");
    assert_eq!(run.code, Some(i32::from(bad)));
}

#[test]
fn a_fault_is_told_with_its_remedy_and_an_exit_code() {
    let world = World::new("");
    std::fs::create_dir_all(world.codex_home().join("rules")).unwrap();
    std::fs::write(world.codex_home().join("rules/a.rules"), "prefix_rule(\n").unwrap();
    let run = world.codex().args(["doctor", "--offline"]).run();
    assert!(run.code == Some(1) && run.stdout.contains("a.rules:2"), "{}", run.stdout);
    assert!(run.stdout.contains("What each rung of the sandbox enforces"), "{}", run.stdout);
}

#[test]
fn what_the_machine_enforces_is_tried_also_with_a_broken_configuration() {
    let world = World::new("");
    world.config("model = \n");
    let run = world.codex().args(["doctor", "--json", "--offline"]).run();
    let found: serde_json::Value = serde_json::from_str(&run.stdout).expect(&run.stdout);
    assert_eq!((run.code, &found["checks"][0]["health"]), (Some(1), &"bad".into()));
    assert!(found["attempts"].as_array().unwrap().len() > 10, "{found}");
    assert!(run.stdout.contains("were not looked at"), "{found}");
}
