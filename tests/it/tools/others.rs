//! Plans, images, and calls that make no sense.

use std::fs;

use serde_json::{Value, json};

use super::bed::{call, patch, play};
use crate::support::World;
use crate::support::scripts::DOT;

#[test]
fn unknown_sessions_tools_and_broken_arguments_are_told_to_the_model() {
    let world = World::new("");
    let calls = [
        call("write_stdin", &json!({"session_id": 4711, "chars": "x"})),
        call("no_such_tool", &json!({"a": 1})),
        "[[rule.output]]\ncustom = \"no_such_custom\"\ninput = \"x\"\n".to_owned(),
        "[[rule.output]]\ncall = \"exec_command\"\narguments = '{\"cmd\": \"echo'\n".to_owned(),
        call("exec_command", &json!({"command": "wrong name"})),
        call("exec_command", &json!({"cmd": 5})),
        call("update_plan", &json!({"plan": "no list"})),
        call("view_image", &json!({"path": "missing.png"})),
        patch("no patch at all"),
    ];
    let told = play(&world, &calls.concat());
    assert_eq!(told[0], "write_stdin failed: Unknown process id 4711");
    assert_eq!(told[1], "unsupported call: no_such_tool");
    assert_eq!(told[2], "unsupported custom tool call: no_such_custom");
    for text in &told[3..7] {
        assert!(text.starts_with("failed to parse function arguments: "), "{text}");
    }
    assert!(told[4].contains("cmd"), "{}", told[4]);
    assert!(told[7].contains("missing.png"), "{}", told[7]);
    assert!(told[8].starts_with("apply_patch verification failed: "), "{}", told[8]);
    assert_eq!(told.len(), 9);
}

#[test]
fn plans_are_shown_and_answered() {
    let world = World::new("");
    let plan = |first: &str, second: &str| json!({"explanation": "why", "plan": [{"step": "look", "status": first}, {"step": "fix", "status": second}]});
    let told = play(
        &world,
        &[
            call("update_plan", &plan("in_progress", "pending")),
            call("update_plan", &plan("completed", "completed")),
        ]
        .concat(),
    );
    assert_eq!(told, ["Plan updated", "Plan updated"]);
    let script = format!(
        "[[rule]]\nwhen = {{ round = 0 }}\n{}[[rule]]\noutput = [{{ text = \"end\" }}]\n",
        call("update_plan", &plan("completed", "in_progress"))
    );
    world.backend.script(&script);
    let output = world.exec(&["plan"]).run().expect(0);
    let items = output.items_of("todo_list");
    assert_eq!(
        items[0]["items"],
        json!([{"text": "look", "completed": true}, {"text": "fix", "completed": false}])
    );
}

#[test]
fn images_are_returned_as_images() {
    let world = World::new("");
    fs::write(world.project().join("dot.png"), DOT).unwrap();
    fs::write(world.project().join("text.png"), "no image").unwrap();
    let told = play(
        &world,
        &[
            call("view_image", &json!({"path": "dot.png"})),
            call("view_image", &json!({"path": "text.png"})),
            call("view_image", &json!({"path": "."})),
        ]
        .concat(),
    );
    let parts: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(parts[0]["type"], "input_image");
    assert!(parts[0]["image_url"].as_str().unwrap().starts_with("data:image/png;base64,"));
    assert!(told[1].contains("unsupported image data"), "{}", told[1]);
    assert!(told[2].contains("project"), "{}", told[2]);
}
