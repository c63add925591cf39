//! Whole screens of every state at three sizes, and odd sizes that must only not fail.

use crate::base::ids::{AskId, ItemId};
use crate::protocol::ask::Ask;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::protocol::item::{ChangeKind, FileChange, Item, ItemStatus};
use crate::protocol::turn::TurnStatus;
use crate::tui::door::ThreadFilter;
use crate::tui::msg::{Answer, Msg};
use crate::tui::scene::{Scene, setup};
use crate::tui::setup::{AskTrust, Setup};
use crate::tui::status::facts::samples;
use crate::tui::testing::assert_screen;
use crate::workspace::undo::Report;
use crate::workspace::undo::Step;

const ANSWER: &str = "I looked at the parser.\n\n1. It reads the file twice.\n2. The *second* read is not needed.\n\n\
```rust\nfn parse(text: &str) -> Tree {\n    Tree::from(text)\n}\n```\n\n| File | Lines |\n|---|---:|\n| a.rs | 12 |\n| 漢字.rs | 7 |\n";

/// Sizes every state is looked at in.
const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

fn check(name: &str, play: impl Fn(&mut Scene)) {
    for (width, height) in SIZES {
        let mut scene = Scene::new(width, height);
        play(&mut scene);
        assert_screen!(format!("{name}_{width}x{height}"), scene.screen());
    }
}

fn talk(scene: &mut Scene) {
    scene.turn("why is the parser slow?").ran("c1", "cargo bench", "parse  12.5 ms\ntree   0.3 ms\n", 0);
    scene.says(ANSWER).ends(TurnStatus::Completed);
}

/// What a turn changed, not all of which can be taken back.
fn files_changed() -> Report {
    let steps = vec![
        Step::Removed("benches/parse.rs".into()),
        Step::Left("notes.txt".into(), "changed since"),
        Step::Restored("src/parser/lexer.rs".into()),
        Step::Restored("src/parser/mod.rs".into()),
        Step::Restored("src/parser/tree.rs".into()),
        Step::Restored("src/parser/words.rs".into()),
    ];
    Report { number: 3, steps, with: vec![4], skipped: true, ..Report::default() }
}

#[test]
fn at_rest() {
    check("empty", |_| {});
    check("typing", |scene| {
        scene.text("make it faster, and keep the tests");
    });
    check("shell_mode", |scene| {
        scene.text("!git status");
    });
    check("commands", |scene| {
        scene.text("/st");
    });
    check("answered", talk);
    check("facts", |scene| scene.model.facts = samples::facts());
}

#[test]
fn during_a_turn() {
    check("working", |scene| {
        scene.turn("fix the test").runs("c1", "cargo test --workspace").wait(12_000);
    });
    check("streaming", |scene| {
        scene.turn("explain").says_on("m1", ANSWER).wait(700);
    });
    check("waiting_messages", |scene| {
        scene.turn("fix the test").runs("c1", "cargo test").text("only the unit tests").keys(&["enter"]);
        scene.text("then write the changelog").keys(&["tab"]).text("and").wait(500);
    });
    check("retrying", |scene| {
        scene.turn("hello");
        let error = ErrorInfo::new(ErrorKind::Server, "The service answered 503 Service Unavailable.");
        scene.event(Event::Retrying { attempt: 2, max: 5, delay_ms: 8000, error }).wait(3000);
    });
    check("interrupted", |scene| {
        scene.turn("fix the test").says_on("m1", "I begin with").keys(&["esc"]);
        scene.ends(TurnStatus::Interrupted);
    });
}

#[test]
fn questions() {
    check("asks_command", |scene| {
        scene.turn("install it").runs("c1", "sudo make install").asks(1, "c1", "sudo make install").wait(500);
    });
    check("asks_patch", |scene| {
        scene.turn("rename it");
        let changes = vec![FileChange {
            path: "/home/u/work/project/src/main.rs".into(),
            kind: ChangeKind::Update { move_path: None },
            diff: "@@ -1,3 +1,3 @@\n fn main() {\n-    old();\n+    new();\n }\n".to_owned(),
        }];
        let item = Item::FileChange {
            id: ItemId::from("p1"),
            changes: changes.clone(),
            status: ItemStatus::InProgress,
            error: None,
        };
        scene.event(Event::ItemStarted { item });
        let ask =
            Ask::Patch { item_id: ItemId::from("p1"), changes, reason: None, place: None, missing: None };
        scene.event(Event::Ask { id: AskId(1), ask: Box::new(ask) }).wait(500);
    });
}

#[test]
fn menus_and_pages() {
    let open = |command: &'static str| {
        move |scene: &mut Scene| {
            talk(scene);
            scene.text(command).keys(&["enter"]);
        }
    };
    check("model", open("/model"));
    check("permissions", open("/permissions"));
    check("status", open("/status"));
    check("statusline", open("/statusline"));
    check("copy", open("/copy"));
    check("rename", open("/rename"));
    check("resume", |scene| {
        scene.text("/resume").keys(&["enter"]).answer(Answer::ThreadsDone(ThreadFilter::default()));
    });
    check("keys", |scene| {
        scene.keys(&["?"]);
    });
    check("diff", |scene| {
        let diff = "diff --git a/a.rs b/a.rs\n--- a/a.rs\n+++ b/a.rs\n@@ -1 +1 @@\n-fn a() {}\n+fn b() {}\n";
        scene.text("/diff").keys(&["enter"]).answer(Answer::Diff(Ok(diff.to_owned())));
    });
}

#[test]
fn looking_around() {
    check("find", |scene| {
        talk(scene);
        scene.keys(&["f3"]).text("parser");
    });
    check("activity", |scene| {
        talk(scene);
        scene.keys(&["f4"]);
    });
    check("scrolled_up", |scene| {
        talk(scene);
        talk(scene);
        scene.screen();
        scene.keys(&["page-up"]);
        scene.model.facts = samples::facts();
        let limits = std::sync::Arc::make_mut(scene.model.facts.limits.as_mut().unwrap());
        limits.families.get_mut("codex").unwrap().primary.as_mut().unwrap().window.used_percent = 92.0;
    });
    check("armed", |scene| {
        talk(scene);
        scene.keys(&["esc"]);
    });
    check("going_back", |scene| {
        talk(scene);
        talk(scene);
        scene.screen();
        scene.keys(&["esc", "esc", "left"]);
    });
    check("going_back_asks", |scene| {
        talk(scene);
        scene.keys(&["esc", "esc", "enter"]);
        scene.answer(Answer::Since(true, Ok(Some(files_changed()))));
    });
    check("went_back", |scene| {
        talk(scene);
        scene.keys(&["esc", "esc", "enter"]);
        scene.answer(Answer::Since(true, Ok(Some(files_changed()))));
        scene.keys(&["2"]).answer(Answer::Since(false, Ok(Some(files_changed()))));
        scene.event(Event::Rewound { turns: 1 });
    });
    check("quit_again", |scene| {
        scene.keys(&["ctrl-c"]);
    });
    check("warnings", |scene| {
        scene
            .model
            .warnings
            .push("Start-up", "The key \"modle\" in config.toml is unknown; did you mean \"model\"?");
        scene.keys(&["f2"]);
    });
}

#[test]
fn first_pages() {
    for (width, height) in SIZES {
        let page = |setup: Setup| Scene::with(setup, width, height).screen();
        assert_screen!(format!("sign_in_{width}x{height}"), page(Setup { sign_in: true, ..setup() }));
        let ask_trust = Some(AskTrust {
            folder: "/home/u/work/project".into(),
            trusted: "Workspace: this folder is writable, network off; asks for more.".to_owned(),
            looking: "Read only: nothing is writable, network off; asks for more.".to_owned(),
        });
        assert_screen!(format!("trust_{width}x{height}"), page(Setup { ask_trust, ..setup() }));
    }
}

#[test]
fn any_size_is_drawn() {
    for (width, height) in [(0, 0), (1, 1), (2, 40), (39, 12), (40, 11), (40, 12), (300, 100)] {
        for command in ["", "/model", "/resume", "/status", "/theme"] {
            let mut scene = Scene::new(80, 24);
            talk(&mut scene);
            scene.text(command).keys(&["enter"]).turn("go").asks(1, "x", "ls");
            scene.send(Msg::Resize(width, height));
            scene.screen();
            scene.keys(&["page-up", "esc"]);
            scene.screen();
        }
    }
    assert_screen!("too_small", Scene::new(39, 11).screen());
    let mut small = Scene::new(40, 12);
    small.turn("install it").runs("c1", "make").asks(1, "c1", "sudo make install").wait(500);
    assert_screen!("smallest_asks", small.screen());
    let mut small = Scene::new(40, 12);
    small.turn("install it").runs("c1", "make").text("a");
    for line in ["b", "c", "d", "e", "f", "g"] {
        small.keys(&["ctrl-j"]).text(line);
    }
    assert_screen!("smallest_typing", small.screen());
}
