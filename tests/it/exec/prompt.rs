//! Where the prompt of `codex exec` comes from.

use crate::support::World;
use crate::support::scripts::HELLO;

#[test]
fn the_prompt_comes_from_the_argument_stdin_or_both() {
    let world = World::new(HELLO);
    world.exec(&["-"]).stdin("from stdin\n").run().expect(0);
    world.exec(&[]).stdin("also stdin").run().expect(0);
    world.exec(&["both"]).stdin("piped\n").run().expect(0);
    world.exec(&["--", "-x --odd"]).run().expect(0);
    let prompts: Vec<String> = world
        .backend
        .requests()
        .iter()
        .map(|body| {
            let input = body["input"].as_array().unwrap();
            input.last().unwrap()["content"][0]["text"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(prompts, ["from stdin\n", "also stdin", "both\n\n<stdin>\npiped\n</stdin>", "-x --odd"]);
}

#[test]
fn an_open_stdin_does_not_hold_up_a_given_prompt() {
    let world = World::new(HELLO);
    let output = world.codex().args(["exec", "hi"]).open_stdin().run().expect(0);
    assert_eq!(output.stdout, "Hello there.\n");
}

#[test]
fn no_usable_prompt_ends_at_once_and_says_why() {
    let world = World::new(HELLO);
    for (output, want) in [
        (world.exec(&[]).run(), "no prompt"),
        (world.exec(&[]).stdin(" \n").run(), "no prompt"),
        (world.exec(&["  "]).run(), "the prompt is empty"),
        (world.exec(&["-"]).stdin(b"ok\xff".to_vec()).run(), "UTF-8"),
    ] {
        let output = output.expect(1);
        assert!(output.stderr.contains(want), "{want}: {}", output.stderr);
        assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("", 1), "{}", output.stderr);
    }
    assert!(world.backend.requests().is_empty());
    assert!(world.rollouts().is_empty());
}
