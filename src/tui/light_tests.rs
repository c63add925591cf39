//! Every page on a light and on a dark ground, after the terminal has told which: no text that cannot be read there,
//! no colour where there are none.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::base::ids::ThreadId;
use crate::protocol::item::{ChangeKind, FileChange, Item, ItemStatus};
use crate::protocol::turn::TurnStatus;
use crate::tui::door::{Elsewhere, GitState, Glimpse, ThreadFilter, ThreadRow};
use crate::tui::msg::{Answer, Msg};
use crate::tui::palette::can_be_read;
use crate::tui::popups::any::Popup;
use crate::tui::popups::folder;
use crate::tui::scene::{Scene, setup};
use crate::tui::setup::{AskTrust, Setup};
use crate::tui::terminal::Input;
use crate::tui::theme::Colors;
use crate::tui::usage::samples;
use crate::workspace::changed::Count;

const ANSWER: &str = "# Title\n\nSome **bold** and `code`, a [link](https://example.org).\n\n> quoted\n\n- [x] done\n\n\
```rust\n// comment\nfn parse(text: &str) -> Result<Tree, Error> {\n    let n: u32 = 42; // why\n    \
tree(\"text\", n, true)?;\n}\n```\n\n| File | Lines |\n|---|---:|\n| a.rs | 12 |\n";

/// What a terminal shows, and whether its ground is light.
const GROUNDS: [(Colors, bool); 6] = [
    (Colors::None, true),
    (Colors::Ansi16, true),
    (Colors::Ansi256, true),
    (Colors::True, true),
    (Colors::True, false),
    (Colors::Ansi256, false),
];

/// Keys and messages that lead to a page.
type Play = fn(&mut Scene);

fn talk(scene: &mut Scene) {
    scene.turn("Look at the parser").says(ANSWER).ran("c1", "cargo test", "one\ntwo\nerror: three", 1);
    let changes = vec![FileChange {
        path: "src/a.rs".into(),
        kind: ChangeKind::Update { move_path: None },
        diff: "@@ -1,3 +1,3 @@\n fn a() {\n-    let x: &str = \"old\"; // was\n+    let x: &str = \"new\"; // is\n }\n"
            .to_owned(),
    }];
    let id = crate::base::ids::ItemId::from("p1");
    scene.event(crate::protocol::event::Event::ItemCompleted {
        item: Item::FileChange { id, changes, status: ItemStatus::Completed, error: None },
    });
    scene.ends(TurnStatus::Completed);
}

fn thread(title: &str) -> ThreadRow {
    let at_ms = 1_699_990_000_000;
    ThreadRow { id: ThreadId::new(), title: title.to_owned(), cwd: Some("/p".into()), branch: None, at_ms }
}

const PAGES: &[(&str, Play)] = &[
    ("empty", |scene| {
        let changed = Count { known: 2, fresh: 1, more: false };
        scene.answer(Answer::Glimpse(Glimpse::Last(Some(thread("Fix it")))));
        scene.answer(Answer::Glimpse(Glimpse::Git(GitState::Counted(Some("main".to_owned()), changed))));
    }),
    ("talk", talk),
    ("unfolded", |scene| {
        talk(scene);
        scene.keys(&["ctrl-t"]);
    }),
    ("working", |scene| {
        scene.turn("go").runs("c1", "cargo build").text("more").keys(&["tab"]);
    }),
    ("asking", |scene| {
        scene.turn("go").asks(1, "c1", "rm -rf build").wait(500);
    }),
    ("finding", |scene| {
        talk(scene);
        scene.keys(&["f3"]).text("parse");
    }),
    ("focus", |scene| {
        talk(scene);
        scene.keys(&["f4"]);
    }),
    ("status", |scene| {
        scene.text("/status").keys(&["enter"]);
    }),
    ("commands", |scene| {
        scene.text("/");
    }),
    ("model", |scene| {
        scene.text("/model").keys(&["enter"]);
    }),
    ("permissions", |scene| {
        scene.text("/permissions").keys(&["enter"]);
    }),
    ("usage", |scene| {
        scene.text("/usage").keys(&["enter"]);
    }),
    ("box", |scene| {
        talk(scene);
        scene.text("/usage").keys(&["enter", "2"]);
    }),
    ("theme", |scene| {
        scene.text("/theme").keys(&["enter"]);
    }),
    ("items", |scene| {
        scene.text("/statusline").keys(&["enter"]);
    }),
    ("threads", |scene| {
        scene.text("/resume").keys(&["enter"]);
        scene.answer(Answer::Threads(ThreadFilter::default(), vec![thread("one"), thread("two")]));
    }),
    ("folder", |scene| {
        let elsewhere = Elsewhere {
            id: ThreadId::new(),
            there: "/p".into(),
            exists: true,
            permissions: "Read only".to_owned(),
            here: "/q".into(),
        };
        scene.model.popup = Some(Popup::Menu(Box::new(folder::menu(&elsewhere, None))));
    }),
    ("keys", |scene| {
        scene.keys(&["?"]);
    }),
    ("diff", |scene| {
        let diff = "diff --git a/x b/x\n--- a/x.rs\n+++ b/x.rs\n@@ -1 +1 @@\n-let a = 1;\n+let a = 2; // b\n";
        scene.answer(Answer::Diff(Ok(diff.to_owned())));
    }),
    ("warnings", |scene| {
        scene.model.warnings.push("Start-up", "Something is not right.");
        scene.keys(&["f2"]);
    }),
    ("shell", |scene| {
        scene.text("!ls");
    }),
];

/// The colours a reader sees, on a terminal with these for what is not coloured.
fn seen(cell: &Cell, text: Color, ground: Color) -> (Color, Color) {
    let or = |color, usual| if color == Color::Reset { usual } else { color };
    let (fg, bg) = (or(cell.fg, text), or(cell.bg, ground));
    if cell.modifier.contains(Modifier::REVERSED) { (bg, fg) } else { (fg, bg) }
}

fn check(name: &str, buffer: &Buffer, colors: Colors, light: bool) {
    let (black, white) = (Color::Rgb(0x10, 0x10, 0x10), Color::Rgb(0xfa, 0xfa, 0xfa));
    let (text, ground) = if light { (black, white) } else { (white, black) };
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            if colors == Colors::None {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{name} at {x},{y}");
            }
            let (fg, bg) = seen(cell, text, ground);
            let blank = cell.symbol().trim().is_empty();
            assert!(
                blank || can_be_read(fg, bg),
                "{name}, {colors:?}, light {light}: {:?} at {x},{y} is {fg} on {bg}\n{}",
                cell.symbol(),
                crate::tui::testing::show(buffer)
            );
        }
    }
}

/// What the terminal answers when it is asked for its ground.
fn tell(scene: &mut Scene, colors: Colors, light: bool) {
    scene.model.theme.colors = colors;
    let ground = if light { [0xfa; 3] } else { [0x10; 3] };
    scene.send(Msg::Input(Input::Background(ground)));
}

#[test]
fn every_page_can_be_read_on_every_ground() {
    for (name, play) in PAGES {
        let limits = samples::limits([92.0, 63.0], "plus", Some(samples::two()));
        let mut scene = Scene::limited(limits, 80, 30);
        play(&mut scene);
        // Told late, as over a slow line: what was drawn before follows.
        for (colors, light) in GROUNDS {
            scene.screen();
            tell(&mut scene, colors, light);
            check(name, &scene.screen(), colors, light);
        }
    }
}

#[test]
fn so_can_the_pages_before_the_conversation() {
    let trust =
        AskTrust { folder: "/p".into(), trusted: "Workspace.".to_owned(), looking: "Read only.".to_owned() };
    let trouble = Some("The credential file cannot be read.".to_owned());
    let first = Setup { sign_in: true, sign_in_trouble: trouble, ..setup() };
    let second = Setup { ask_trust: Some(trust), ..setup() };
    for (colors, light) in GROUNDS {
        for (name, page) in [("sign in", &first), ("trust", &second)] {
            let mut scene = Scene::with(page.clone(), 80, 24);
            tell(&mut scene, colors, light);
            check(name, &scene.screen(), colors, light);
        }
    }
}
