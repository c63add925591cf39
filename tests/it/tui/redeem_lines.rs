//! `/usage redeem` in plain lines: every question has its number, and only a number that says yes spends something.

use serde_json::json;

use super::bed::{be_read, codex};
use super::terminal::Terminal;
use super::usage::{account, consumed, world};

#[test]
fn a_reset_is_redeemed_in_plain_lines() {
    let world = world("");
    account(&world, &json!({"move_after": 1}));
    let terminal = Terminal::start(codex(&world).arg("--screen-reader"));
    terminal.until("codex");
    terminal.keys("/usage\r");
    terminal.until("To use a reset, type: /usage redeem");
    for (answers, end) in [
        // Nothing is not yes, and neither is leaving the list.
        (&["\r"][..], "Back to the prompt."),
        (&["2\r", "\r"], "Back to the prompt."),
        (&["9\r", "1\r", "2\r"], "Back to the prompt."),
        (&["1\r", "1\r"], "Done: Usage reset."),
    ] {
        assert!(consumed(&world).is_empty());
        terminal.keys("/usage redeem\r");
        terminal.until("2 usage limit resets available.");
        let mut asked = "Type a number and press enter; enter alone leaves.";
        for answer in answers {
            terminal.until(asked);
            be_read();
            terminal.keys(answer);
            asked = if *answer == "9\r" { "Type one of the numbers" } else { "2: no, do not" };
        }
        terminal.until(end);
    }
    terminal.until("1 usage limit reset left.");
    assert_eq!(consumed(&world).len(), 1);
    let raw = terminal.raw();
    assert!(!raw.contains("\x1b["), "{raw:?}");
}
