//! The pictures of the README: each is drawn by the app and compared with `assets/pictures`. When one differs the
//! test writes it anew and fails: look at it, and commit it when it is right.

use ratatui::buffer::Buffer;

use super::door::{ThreadFilter, ThreadRow};
use super::msg::Answer;
use super::scene::Scene;
use super::status::facts::samples;
use super::svg;
use super::theme::Colors;
use crate::base::ids::ThreadId;
use crate::protocol::event::Event;
use crate::protocol::item::{
    ChangeKind, CommandAction, CommandItem, CommandSource, FileChange, Item, ItemStatus,
};
use crate::protocol::turn::TurnStatus;

const PROMPT: &str = "The test in this project fails. Find the bug in total.sh and fix it.";
const PATCH: &str = "@@ -3,5 +3,5 @@\n total=0\n-while read -r name price; do\n\
                     +while read -r name price || [ -n \"$name\" ]; do\n   total=$((total + price))\n done < \"$1\"\n";
const DIFF: &str = "diff --git a/src/cart.rs b/src/cart.rs\n--- a/src/cart.rs\n+++ b/src/cart.rs\n\
                    @@ -12,9 +12,10 @@ impl Cart {\n     /// What all of it costs.\n     pub fn total(&self) -> Money {\n\
                    -        let mut sum = 0;\n-        for line in &self.lines {\n\
                    -            sum = sum + line.price;\n-        }\n-        Money::cents(sum)\n\
                    +        let sum = self\n+            .lines\n+            .iter()\n\
                    +            .map(|line| line.price * line.count)\n+            .sum();\n+        Money::cents(sum)\n\
                     \x20    }\n }\n\
                    diff --git a/notes.md b/notes.md\nnew file mode 100644\n--- /dev/null\n+++ b/notes.md\n\
                    @@ -0,0 +1,2 @@\n+# Prices\n+All of them are in cents.\n";

fn scene(height: u16) -> Scene {
    let mut scene = Scene::new(80, height);
    scene.model.theme.colors = Colors::True;
    let facts = samples::facts();
    scene.model.facts.limits = facts.limits;
    scene.model.facts.usage = facts.usage;
    scene.model.options.status_line = super::status::facts::DEFAULT_LINE.to_vec();
    scene
}

fn command(id: &str, line: &str, actions: Vec<CommandAction>, output: &str, code: i32) -> Event {
    Event::ItemCompleted {
        item: Item::CommandExecution(CommandItem {
            id: id.into(),
            command: line.to_owned(),
            cwd: "/home/u/work/project".into(),
            process_id: None,
            source: CommandSource::Agent,
            status: if code == 0 { ItemStatus::Completed } else { ItemStatus::Failed },
            command_actions: actions,
            aggregated_output: Some(output.to_owned()),
            exit_code: Some(code),
            duration_ms: Some(20),
        }),
    }
}

fn read(id: &str, name: &str) -> Event {
    let line = format!("cat {name}");
    let action = CommandAction::Read { command: line.clone(), name: name.to_owned(), path: name.into() };
    command(id, &line, vec![action], "…", 0)
}

fn change() -> Vec<FileChange> {
    vec![FileChange {
        path: "/home/u/work/project/total.sh".into(),
        kind: ChangeKind::Update { move_path: None },
        diff: PATCH.to_owned(),
    }]
}

fn turn() -> Buffer {
    let mut scene = scene(34);
    scene.turn(PROMPT).says("I read the script and the test.");
    scene.event(read("c1", "total.sh")).event(read("c2", "test.sh"));
    let failing =
        "ok     list that ends with a newline\nFAILED list that ends without one: got 7, wanted 12\n";
    scene.event(command("c3", "sh test.sh", Vec::new(), failing, 1));
    scene.says("`read` fails on a last line without newline: the loop drops that line.");
    let (changes, status) = (change(), ItemStatus::Completed);
    scene.event(Event::ItemCompleted {
        item: Item::FileChange { id: "p1".into(), changes, status, error: None },
    });
    scene.event(command(
        "c4",
        "sh test.sh",
        Vec::new(),
        "ok     list that ends with a newline\nok     list that ends without one\n",
        0,
    ));
    scene.says("**Fixed.** The test passes now.").ends(TurnStatus::Completed);
    scene.screen()
}

fn approval() -> Buffer {
    let mut scene = scene(22);
    scene.turn("Install what the build needs.").says("The linker is missing. I would install it.");
    scene.runs("c1", "sudo apt-get install -y lld").asks(1, "c1", "sudo apt-get install -y lld").wait(500);
    scene.screen()
}

fn picker() -> Buffer {
    let mut scene = scene(14);
    scene.text("/resume").keys(&["enter"]);
    let minute = 60_000;
    let now = 1_700_000_000_000;
    let rows = [
        (4, "Fix the rounding in the cart", "main"),
        (95, "Why does the search return stale rows?", "fix/search-cache"),
        (26 * 60, "Write tests for the importer", "main"),
        (3 * 24 * 60, "Replace the hand-written parser of dates", "dates"),
        (12 * 24 * 60, "What does the nightly job do when the disk is full?", "main"),
    ];
    let row = |(minutes, title, branch): (u64, &str, &str)| ThreadRow {
        id: ThreadId::new(),
        title: title.to_owned(),
        cwd: None,
        branch: Some(branch.to_owned()),
        at_ms: now - minutes * minute,
    };
    let filter = ThreadFilter::default();
    scene.answer(Answer::Threads(filter, rows.into_iter().map(row).collect()));
    scene.answer(Answer::ThreadsDone(filter));
    scene.screen()
}

fn pager() -> Buffer {
    let mut scene = scene(26);
    scene.text("/diff").keys(&["enter"]).answer(Answer::Diff(Ok(DIFF.to_owned())));
    scene.screen()
}

#[test]
fn pictures_are_what_the_app_draws() {
    let mut welcome = scene(18);
    welcome.text("/");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures");
    let mut wrong = Vec::new();
    let pictures = [
        ("welcome", "a new thread, and the commands", welcome.screen()),
        ("turn", "a turn: reading, a failing test, the patch, the answer", turn()),
        ("approval", "a question before a command runs", approval()),
        ("picker", "earlier threads", picker()),
        ("pager", "what changed", pager()),
    ];
    for (name, title, screen) in &pictures {
        let path = folder.join(format!("{name}.svg"));
        let drawn = svg::picture(screen, &format!("codex: {title}"));
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&drawn) {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &drawn).unwrap();
            wrong.push(*name);
        }
    }
    let known = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(known, pictures.len(), "a picture that nothing draws");
    assert!(wrong.is_empty(), "drawn anew, look at them: {wrong:?}");
    let readme = include_str!("../../README.md");
    for (name, ..) in &pictures {
        assert!(readme.contains(&format!("assets/pictures/{name}.svg")), "{name} is not in the README");
    }
}
