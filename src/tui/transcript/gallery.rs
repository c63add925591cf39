//! Every kind of cell in every state, folded and unfolded, at three widths, as pictures to be looked at.

use ratatui::text::Line;

use super::cell::{Look, fitted};
use super::samples::{self, *};
use super::{Level, Notice, Transcript};
use crate::base::ids::AskId;
use crate::protocol::ask::Ask;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::protocol::input::UserInput;
use crate::protocol::item::{
    ChangeKind, CommandAction, CommandItem, CommandSource, FileChange, Item, ItemDelta, ItemStatus,
    PlanStatus, PlanStep, ToolStatus,
};
use crate::protocol::review::{Output, WITHOUT_RESULT};
use crate::protocol::turn::TurnStatus;
use crate::tui::testing::{assert_screen, paper};
use crate::tui::theme::{Colors, Theme};

/// Pictures of all cells but the header, each behind a blank line.
fn pictures(name: &str, transcript: &Transcript) {
    let theme = Theme { colors: Colors::Ansi256, ..Theme::default() };
    for width in [60, 80, 120] {
        for unfolded in [false, true] {
            let look = Look { theme: &theme, unfolded, now_ms: 15_000 };
            let mut lines: Vec<Line<'static>> = Vec::new();
            for (_, cell) in transcript.cells().skip(1) {
                let all: Vec<_> =
                    (0..cell.parts(&look)).flat_map(|n| fitted(cell, n, width, &look)).collect();
                if !all.is_empty() && !lines.is_empty() {
                    lines.push(Line::default());
                }
                lines.extend(all);
            }
            let fold = if unfolded { "unfolded" } else { "folded" };
            assert_screen!(format!("{name}_{fold}_{width}"), paper(width, &lines));
        }
    }
}

#[test]
fn user() {
    let mut t = transcript();
    let long = "Please look at the parser: it fails on nested lists when the first item \
                is empty, and the error message does not say which line it was.\n\nThe \
                test is in tests/parser.rs.";
    let with_images = Item::UserMessage {
        id: "u3".into(),
        content: vec![
            UserInput::Text { text: "What is wrong in this picture?".to_owned() },
            UserInput::LocalImage {
                path: "/home/me/screenshots/a very long name of a screenshot 2026-11-20.png".into(),
            },
            UserInput::Image { url: "data:image/png;base64,AAAA".to_owned() },
        ],
    };
    let only_image = Item::UserMessage {
        id: "u4".into(),
        content: vec![UserInput::LocalImage { path: "/tmp/a.png".into() }],
    };
    for item in
        [super::samples::user("u1", "fix it"), super::samples::user("u2", long), with_images, only_image]
    {
        t.feed(&[completed(&item)], 0);
    }
    pictures("user", &t);
}

#[test]
fn message() {
    let mut t = transcript();
    let text = "## Done\n\nThe parser now keeps **empty items**. I changed `parse_list` \
                in src/parser.rs:42 and added a test; see [the rules](https://example.org/spec).\n\
                \n- [x] empty first item\n- [ ] tabs as indent\n\n```rust\nfn parse_list(input: \
                &str) -> List {\n    // one item per line\n    List::default()\n}\n```\n\
                \n| case | before | after |\n|---|---:|---:|\n| empty | fail | pass |\n\
                | 漢字 | pass | pass |\n";
    t.feed(&[completed(&super::samples::message("m1", text))], 0);
    let open = super::samples::message("m2", "");
    t.feed(&[started(&open), super::samples::text("m2", "This one is still **being wri")], 0);
    pictures("message", &t);
}

#[test]
fn reasoning() {
    let mut t = transcript();
    t.feed(
        &[
            completed(&super::samples::reasoning(
                "r1",
                "**Looking at the parser**\n\nThe list code treats an empty first item as \
                the end of the list. That is wrong when more items follow.",
            )),
            completed(&Item::Reasoning {
                id: "r2".into(),
                summary: vec![],
                content: vec!["raw thoughts of an open model".into()],
            }),
            completed(&super::samples::reasoning("r3", "")),
        ],
        0,
    );
    pictures("reasoning", &t);
}

#[test]
fn explored() {
    let mut t = transcript();
    let list = CommandItem {
        command_actions: vec![CommandAction::ListFiles { command: "ls -la".into(), path: None }],
        ..running("c1", "ls -la")
    };
    t.feed(
        &[
            completed(&command(ended(list, 0, "total 8\nmain.py\nutil.py\n", 3))),
            completed(&command(ended(read("c2", "main.py"), 0, "print('hello')\n", 2))),
            completed(&super::samples::reasoning("r1", "**Reading on**\n\nThe entry is small.")),
            completed(&command(ended(read("c3", "util.py"), 0, "def f():\n    pass\n", 2))),
            completed(&command(ended(grep("c4", "hello", "."), 0, "main.py:1:print('hello')\n", 9))),
            completed(&command(ended(grep("c5", "nowhere", "src"), 1, "", 9))),
            completed(&command(ended(
                read("c6", "gone.py"),
                2,
                "cat: gone.py: No such file or directory\n",
                9,
            ))),
            completed(&super::samples::message("m1", "Now the rest.")),
            started(&command(read(
                "c7",
                "a file with a name that is long enough to be cut when the window is narrow, really.txt",
            ))),
        ],
        0,
    );
    pictures("explored", &t);
    let mut t = transcript();
    for n in 0..30 {
        let item = grep(&format!("c{n}"), &format!("word{n}"), "src");
        t.feed(&[completed(&command(ended(item, 0, "x\n", 1)))], 0);
    }
    pictures("explored_many", &t);
}

fn lines(n: usize) -> String {
    (1..=n).map(|n| format!("line {n} of the output\n")).collect()
}

#[test]
fn command_states() {
    let mut t = transcript();
    let long = "cargo test --workspace --all-features -- --nocapture --test-threads=1 some::very::long::path::to::a::test";
    let declined = CommandItem {
        status: ItemStatus::Declined,
        aggregated_output: Some("rejected by user".into()),
        ..running("c6", "rm -rf build")
    };
    let broken = CommandItem {
        status: ItemStatus::Failed,
        aggregated_output: Some(
            "blocked by sandbox: user namespaces are not available on this machine".into(),
        ),
        ..running("c7", "make")
    };
    let left = CommandItem {
        status: ItemStatus::Completed,
        process_id: Some("3".into()),
        aggregated_output: Some("listening on port 8080\n".into()),
        duration_ms: Some(10_000),
        ..running("c8", "npm start")
    };
    t.feed(
        &[
            completed(&command(ended(running("c1", "true"), 0, "", 4))),
            completed(&command(ended(running("c2", "cargo build"), 0, &lines(30), 12_340))),
            completed(&command(ended(
                running("c3", long),
                101,
                "test a ... \u{1b}[31mFAILED\u{1b}[0m\n\nfailures:\n    a\n",
                65_200,
            ))),
            completed(&command(ended(running("c4", "cat <<EOF > x\na\nEOF"), 0, "", 4))),
            completed(&command(ended(running("c5", "sleep 100"), 143, "", 2_500))),
            completed(&command(declined)),
            completed(&command(broken)),
            completed(&command(left)),
        ],
        0,
    );
    pictures("command_ended", &t);
}

#[test]
fn command_live() {
    let mut t = transcript();
    t.feed(
        &[
            started(&command(running("c1", "cargo test"))),
            output("c1", "   Compiling app v0.1.0\n"),
            output("c1", "    Finished\nrunning 3 tests\ntest a ... ok\ntest b ... ok\n"),
            started(&command(running("c2", "sleep 60"))),
            started(&command(running("c3", "git push"))),
            Event::Ask {
                id: AskId(1),
                ask: Box::new(Ask::Command {
                    item_id: "c3".into(),
                    command: "git push".into(),
                    cwd: "/home/me/app".into(),
                    actions: vec![],
                    reason: None,
                    effects: Vec::new(),
                    rule: None,
                    place: None,
                    missing: None,
                }),
            },
        ],
        3_000,
    );
    pictures("command_live", &t);
}

#[test]
fn shell() {
    let mut t = transcript();
    let own = |id, line| CommandItem { source: CommandSource::UserShell, ..running(id, line) };
    t.feed(
        &[
            completed(&command(ended(own("c1", "git status -s"), 0, " M src/main.rs\n?? notes.txt\n", 18))),
            completed(&command(ended(
                own("c2", "ls /x; exit 7"),
                7,
                "ls: cannot access '/x': No such file or directory\n",
                20,
            ))),
            completed(&command(ended(own("c3", "seq 100"), 0, &lines(100), 1_200))),
            started(&command(own("c4", "tail -f log"))),
            output("c4", "one\ntwo\n"),
        ],
        3_000,
    );
    pictures("shell", &t);
}

const DIFF: &str = "--- a/src/main.rs\n+++ b/src/main.rs\n@@ -10,6 +10,7 @@ fn main() {\n     \
                let a = 1;\n     let b = 2;\n-    println!(\"{a}\");\n+    let sum = a \
                + b;\n+    println!(\"{sum}\");\n     drop(a);\n     drop(b);\n }\n@@ -40,3 \
                +41,3 @@\n fn last() {\n-    old();\n+    new();\n }\n";

#[test]
fn patch_states() {
    let mut t = transcript();
    let added: String = (1..=20).map(|n| format!("def f{n}(): pass\n")).collect();
    let changes = vec![
        edit("src/main.rs", DIFF),
        FileChange { path: "/home/me/app/tools/gen.py".into(), kind: ChangeKind::Add, diff: added },
        FileChange { path: "/home/me/app/old.txt".into(), kind: ChangeKind::Delete, diff: "gone\n".into() },
        FileChange {
            path: "/home/me/app/a.md".into(),
            kind: ChangeKind::Update { move_path: Some("/home/me/app/docs/a.md".into()) },
            diff: "@@ -1,1 +1,1 @@\n-# A\n+# About\n".into(),
        },
    ];
    let error = "apply_patch verification failed: src/main.rs: the lines to be replaced \
                were not found near line 10";
    t.feed(
        &[
            completed(&patch("p1", changes, ItemStatus::Completed, None)),
            completed(&patch("p2", vec![], ItemStatus::Failed, Some(error))),
            completed(&patch(
                "p3",
                vec![edit("src/main.rs", DIFF)],
                ItemStatus::Declined,
                Some("patch rejected by user"),
            )),
            started(&patch("p4", vec![edit("src/main.rs", DIFF)], ItemStatus::InProgress, None)),
        ],
        0,
    );
    pictures("patch", &t);
    let mut t = transcript();
    let item = patch("p5", vec![edit("src/main.rs", DIFF)], ItemStatus::InProgress, None);
    let ask = Ask::Patch { item_id: "p5".into(), changes: vec![], reason: None, place: None, missing: None };
    t.feed(&[started(&item), Event::Ask { id: AskId(2), ask: Box::new(ask) }], 0);
    pictures("patch_asking", &t);
}

#[test]
fn tool() {
    let mut t = transcript();
    let call = |id: &str, tool: &str, arguments, status, output: Option<&str>| Item::ToolCall {
        id: id.into(),
        tool: tool.into(),
        arguments,
        status,
        success: None,
        output: output.map(str::to_owned),
    };
    let json = serde_json::json!({"query": "ratatui widgets", "limit": 5, "filters": {"language": "rust", "stars": 100}});
    t.feed(
        &[
            completed(&call("t1", "docs.search", json.clone(), ToolStatus::Completed, Some(&lines(12)))),
            completed(&call(
                "t2",
                "no_such_tool",
                "not json".into(),
                ToolStatus::Failed,
                Some("unsupported call: no_such_tool"),
            )),
            started(&call("t3", "docs.read", json, ToolStatus::InProgress, None)),
        ],
        0,
    );
    pictures("tool", &t);
}

#[test]
fn plan() {
    let mut t = transcript();
    let step = |step: &str, status| PlanStep { step: step.into(), status };
    t.feed(
        &[Event::PlanUpdated {
            explanation: Some("The parser first, then its callers.".into()),
            plan: vec![
                step("Reproduce the failure with a test", PlanStatus::Completed),
                step("Keep empty items in the list, also when they stand first and more items follow after them", PlanStatus::InProgress),
                step("Update the changelog", PlanStatus::Pending),
            ],
        }],
        0,
    );
    pictures("plan", &t);
}

#[test]
fn small_things() {
    let mut t = transcript();
    let compaction = Item::ContextCompaction { id: "k1".into() };
    t.feed(&[started(&compaction)], 1_000);
    t.feed(&[completed(&compaction)], 9_000);
    t.feed(
        &[
            started(&Item::ContextCompaction { id: "k2".into() }),
            started(&Item::WebSearch { id: "w1".into(), query: String::new() }),
            completed(&Item::WebSearch {
                id: "w2".into(),
                query: "how wide is a zero width joiner sequence in terminals, and who decides that".into(),
            }),
            completed(&Item::ImageView { id: "i1".into(), path: "/home/me/app/assets/shot.png".into() }),
        ],
        10_000,
    );
    pictures("small_things", &t);
}

#[test]
fn notices() {
    let mut t = transcript();
    let error =
        ErrorInfo::new(ErrorKind::Unauthorized, "The sign-in is no longer accepted (request req_123).")
            .with_hint("Sign in again with `codex login`.");
    t.notice(Level::Info, "Model switched to gpt-5 high.");
    t.notice(
        Level::Warning,
        "The context is 95 % full; it will be compacted before the next request, which may take a moment.",
    );
    t.notice(Level::Granted, "You allowed commands that start with `git push` for this session.");
    t.push_notice(Notice::error(&error).with_detail("{\"error\":{\"message\":\"token expired\"}}"));
    pictures("notices", &t);
}

#[test]
fn turn_ends() {
    let mut t = transcript();
    let error = ErrorInfo::new(ErrorKind::Overloaded, "The service has no capacity at the moment.")
        .with_hint("Try again, or choose another model with /model.");
    t.feed(
        &[
            turn_end(TurnStatus::Completed, None, 400),
            turn_end(TurnStatus::Completed, None, 75_000),
            turn_end(TurnStatus::Interrupted, None, 5_400),
            turn_end(TurnStatus::Failed, Some(error), 5_400),
        ],
        0,
    );
    pictures("turn_ends", &t);
}

#[test]
fn hostile_text() {
    let mut t = transcript();
    let bad = "a\u{1b}[2Jb\u{1b}]0;title\u{7}c\u{0}d\te\rf \u{202e}drow\u{202c} 👩\u{200d}👩\u{200d}👧 \
                漢字 e\u{301} שלום";
    t.feed(
        &[
            completed(&super::samples::user("u", bad)),
            completed(&super::samples::message("m", bad)),
            completed(&command(ended(running("c", bad), 1, bad, 5))),
            completed(&patch(
                "p",
                vec![edit(bad, &format!("@@ -1,1 +1,1 @@\n-{bad}\n+x\n"))],
                ItemStatus::Failed,
                Some(bad),
            )),
            Event::Warning { message: bad.into() },
            delta("nobody", ItemDelta::Text(bad.into())),
        ],
        0,
    );
    pictures("hostile_text", &t);
}

#[test]
fn review() {
    let output = |json: &str| Output::of_answer(json);
    let full = output(
        r#"{"findings":[
        {"title":"[P1] Keep the last line of the list","priority":1,
         "body":"`read` returns false for a last line without a newline, so its price is **not added**.\n\nUse `|| [ -n \"$name\" ]`.",
         "code_location":{"absolute_file_path":"/home/me/app/src/total.sh","line_range":{"start":4,"end":6}}},
        {"title":"Say which file is missing when the list cannot be opened, because the message of the shell does not",
         "priority":2,"body":"An unreadable list ends with a total of 0.",
         "code_location":{"absolute_file_path":"/etc/elsewhere.sh","line_range":{"start":2,"end":2}}},
        {"title":"A \u001b[31mtitle\u001b[0m without place","priority":3}],
        "overall_correctness":"patch is incorrect",
        "overall_explanation":"The sum lacks the last line of a list in one case that the change is about."}"#,
    );
    let entered = |id: &str, words: &str| Item::EnteredReviewMode {
        id: id.into(),
        review: words.to_owned(),
        target: None,
    };
    let exited = |id: &str, output: Option<Output>| Item::ExitedReviewMode {
        id: id.into(),
        review: output.as_ref().map_or_else(|| WITHOUT_RESULT.to_owned(), Output::text),
        output,
    };
    // While it runs: the mark, what the reviewer says, a command.
    let mut t = transcript();
    for item in [entered("r1", "changes against 'main'"), samples::message("m1", "I read the change first.")]
    {
        t.apply(&Event::ItemCompleted { item }, at(0));
    }
    let command = running("c1", "git diff 67444bd");
    t.apply(&Event::ItemStarted { item: Item::CommandExecution(command) }, at(0));
    pictures("review_running", &t);
    let mut t = transcript();
    for (n, result) in [Some(full), Some(output("Looks fine, no JSON here.")), Some(output(r#"{"findings":[],"overall_correctness":"patch is correct","overall_explanation":"It does what it says."}"#)), Some(output("")), None]
        .into_iter()
        .enumerate()
    {
        let text = result.as_ref().map(Output::text);
        t.apply(&Event::ItemCompleted { item: entered(&format!("b{n}"), "current changes") }, at(0));
        t.apply(&Event::ItemCompleted { item: exited(&format!("e{n}"), result) }, at(0));
        if let Some(text) = text {
            // The protocol has a message repeat the result: it is shown once.
            t.apply(&Event::ItemCompleted { item: samples::message(&format!("a{n}"), &text) }, at(0));
        }
    }
    pictures("review", &t);
    assert_eq!(t.copy_sources()[0].text, "The reviewer gave no answer.");
}
