//! The house rules as tests: layers, sizes, index cards, the map, forgotten files. They read the tree as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Layer of every top module; a file may name only modules of lower layers, its own module, or a listed pair.
const LAYERS: &[(&str, u8)] = &[
    ("base", 0),
    ("protocol", 0),
    ("config", 1),
    ("demo", 1),
    ("net", 1),
    ("patch", 1),
    ("process", 1),
    ("approvals", 2),
    ("auth", 2),
    ("sandbox", 2),
    ("workspace", 2),
    ("backend", 3),
    ("models", 3),
    ("responses", 3),
    ("threads", 3),
    ("limits", 4),
    ("tools", 5),
    ("agent", 6),
    ("exec", 7),
    ("tui", 7),
    ("bench", 8),
    ("cli", 8),
];

/// Pairs allowed inside one layer (importer, imported).
const PAIRS: &[(&str, &str)] = &[("protocol", "base")];

/// Longest allowed file, in lines.
const MAX_LINES: usize = 600;
/// Longest allowed index card, in lines.
const MAX_CARD: usize = 80;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `dir` with one of the extensions, sorted.
fn files(dir: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    let found: Vec<_> = files(&root().join("src"), &["rs"])
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root()).unwrap().to_path_buf(), text)
        })
        .collect();
    assert!(found.len() > 50, "the tree was not found");
    found
}

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

/// Top module of a source file: the first component below `src`, without extension.
fn module(path: &Path) -> String {
    let first = path.components().nth(1).unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_import_only_from_lower_layers() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let own = module(&path);
        if matches!(own.as_str(), "main" | "lib" | "build") {
            continue;
        }
        let Some(own_layer) = layer(&own) else {
            wrong.push(format!("{}: module `{own}` has no layer", path.display()));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for found in code.match_indices("crate::").map(|(at, word)| at + word.len()) {
                let name: String =
                    code[found..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(other) = layer(&name) else { continue };
                let allowed =
                    name == own || other < own_layer || PAIRS.contains(&(own.as_str(), name.as_str()));
                if !allowed {
                    wrong.push(format!("{}:{}: {own} must not know {name}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "layer rule:\n{}", wrong.join("\n"));
}

/// Whether a line of code has a path into `library`: `library::…`, and not `module::library::…`.
fn names(line: &str, library: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let path = format!("{library}::");
    code.match_indices(&path).any(|(at, _)| {
        !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

#[test]
fn libraries_stay_in_their_place() {
    let homes: &[(&str, &[&str])] = &[
        ("clap", &["src/cli/"]),
        ("anyhow", &["src/cli/"]),
        ("ratatui", &["src/tui/"]),
        ("crossterm", &["src/tui/"]),
        ("reqwest", &["src/backend/", "src/net/", "src/responses/"]),
        ("hyper", &["src/demo/", "src/net/"]),
        ("landlock", &["src/sandbox/"]),
        ("seccompiler", &["src/sandbox/linux/"]),
    ];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (library, places) in homes {
            let used = text.lines().any(|line| names(line, library));
            if used && !places.iter().any(|place| path.starts_with(place)) {
                wrong.push(format!("{} uses {library}", path.display()));
            }
        }
        if text.contains("unsafe {") {
            let home = path.starts_with("src/process") || path.starts_with("src/sandbox/linux");
            if !home {
                wrong.push(format!("{} has unsafe code", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_small_and_say_what_they_are() {
    let mut wrong = Vec::new();
    let tests = files(&root().join("tests"), &["rs"]).into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root()).unwrap().to_path_buf(), text)
    });
    for (path, text) in sources().into_iter().chain(tests) {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines, at most {MAX_LINES}", path.display()));
        }
        if !text.starts_with("//!") && !text.starts_with("#![doc") {
            wrong.push(format!("{}: the first line must say what the file is (`//!`)", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_has_an_index_card_without_logic() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if path.file_name().unwrap() != "mod.rs" || module(&path) == "cli" {
            continue;
        }
        if text.lines().count() > MAX_CARD {
            wrong.push(format!("{}: more than {MAX_CARD} lines", path.display()));
        }
        for line in text.lines().filter(|line| line.starts_with("fn ") || line.starts_with("pub(crate) fn "))
        {
            wrong.push(format!("{}: logic on an index card: {line}", path.display()));
        }
        let before = std::iter::once("").chain(text.lines());
        for (line, before) in text.lines().zip(before) {
            let declared = line
                .strip_prefix("pub(crate) mod ")
                .or_else(|| line.strip_prefix("mod "))
                .map(|rest| rest.trim_end_matches(';'));
            if let Some(name) = declared
                && !before.starts_with("#[cfg(test)]")
                && !before.starts_with("#[path")
                && !text.contains(&format!("[`{name}`]"))
            {
                wrong.push(format!("{}: `{name}` is not on the card", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The map shows the layers that the test above holds: by number, and the pairs.
#[test]
fn the_map_shows_the_layers_that_hold() {
    let map = fs::read_to_string(root().join("src/ARCHITECTURE.md")).unwrap();
    let mut shown = BTreeSet::new();
    let mut pairs = BTreeSet::new();
    for line in map.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Some(Ok(layer)) = cells.get(1).map(|number| number.parse::<u8>()) else { continue };
        shown.extend(cells[2].split('`').skip(1).step_by(2).map(|module| (module.to_owned(), layer)));
        let pair = cells[3].split_once(" → ");
        pairs.extend(pair.map(|(importer, imported)| (importer.to_owned(), imported.to_owned())));
    }
    assert!(shown.remove(&("main".to_owned(), 8)), "{shown:?}");
    let real: BTreeSet<_> = LAYERS.iter().map(|(module, layer)| ((*module).to_owned(), *layer)).collect();
    assert_eq!(shown, real);
    assert_eq!(pairs, PAIRS.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect());
}

/// What the map says of every source file: `folder/` lines open a folder, other lines start with a file name.
fn mapped() -> BTreeMap<String, String> {
    let map = fs::read_to_string(root().join("src/ARCHITECTURE.md")).unwrap();
    let tree = map.split("<!-- tree -->").nth(1).expect("the map has its tree between two markers");
    let mut found = BTreeMap::new();
    let mut folders: Vec<(usize, String)> = Vec::new();
    for line in tree.lines().filter(|l| !l.trim().is_empty() && !l.trim().starts_with("```")) {
        let indent = line.len() - line.trim_start().len();
        folders.retain(|(at, _)| *at < indent);
        let prefix: String = folders.iter().map(|(_, name)| name.as_str()).collect();
        let (name, says) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        if name.ends_with('/') {
            folders.push((indent, name.to_owned()));
            found.insert(format!("{prefix}{name}mod.rs"), says.trim().to_owned());
        } else if name.ends_with(".rs") {
            found.insert(format!("{prefix}{name}"), says.trim().to_owned());
        }
    }
    found
}

#[test]
fn the_map_equals_the_tree() {
    let mapped: BTreeSet<String> = mapped().into_keys().collect();
    let real: BTreeSet<String> = sources()
        .into_iter()
        .map(|(path, _)| path.strip_prefix("src").unwrap().to_string_lossy().into_owned())
        .filter(|path| !path.ends_with("_tests.rs"))
        .collect();
    let missing: Vec<_> = real.difference(&mapped).collect();
    let gone: Vec<_> = mapped.difference(&real).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not on the map: {missing:?}\nnot in the tree: {gone:?}");
}

/// What an index card says of the file `name`: its bullet, on one line. A bullet may begin with several names.
fn on_the_card(card: &str, name: &str) -> Option<String> {
    let mut bullets: Vec<String> = Vec::new();
    for line in card.lines().filter_map(|line| line.strip_prefix("//! ")) {
        match line.strip_prefix("- ") {
            Some(bullet) => bullets.push(bullet.to_owned()),
            None if line.starts_with("  ") => bullets.last_mut()?.push_str(&format!(" {}", line.trim())),
            None => {}
        }
    }
    let bullet = bullets.iter().find_map(|bullet| {
        let (names, says) = bullet.split_once(": ")?;
        names.split(", ").any(|one| one == format!("[`{name}`]")).then_some(says)
    })?;
    Some(bullet.to_owned())
}

#[test]
fn the_map_says_what_the_index_cards_say() {
    let cards: BTreeMap<PathBuf, String> = sources().into_iter().collect();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (path, says) in mapped() {
        let path = Path::new("src").join(path);
        let card = &cards.get(&path.with_file_name("mod.rs")).map_or("", String::as_str);
        let name = path.file_stem().unwrap().to_string_lossy();
        if let Some(card) = on_the_card(card, &name) {
            compared += 1;
            if !card.trim_end_matches('.').starts_with(&says) || says.is_empty() {
                wrong.push(format!("{}:\n  map:  {says}\n  card: {card}", path.display()));
            }
        }
    }
    assert!(compared > 300, "{compared}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_test_file_is_forgotten() {
    let main = fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for entry in fs::read_dir(root().join("tests/it")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        assert!(
            name == "main" || main.contains(&format!("mod {name};")),
            "tests/it/{name} is not in main.rs"
        );
    }
    let all: String = sources().into_iter().map(|(_, text)| text).collect();
    for path in files(&root().join("src"), &["rs"]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with("_tests.rs") {
            let module = name.trim_end_matches(".rs");
            let used = all.contains(&format!("{name}\"]")) || all.contains(&format!("mod {module};"));
            assert!(used, "{name} is compiled by nobody");
        }
    }
}

#[test]
fn no_snapshot_is_orphaned_or_pending() {
    let sources: BTreeMap<PathBuf, String> = sources().into_iter().collect();
    for path in files(&root().join("snapshots"), &["snap", "new"]) {
        let relative = path.strip_prefix(root().join("snapshots")).unwrap();
        assert!(path.extension().unwrap() == "snap", "{} waits for a decision", relative.display());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let folder = relative.parent().unwrap();
        let home = Path::new("src").join(folder);
        let folder = format!("/snapshots/{}", folder.display());
        let used = sources.iter().any(|(file, text)| {
            let near = file.to_string_lossy().starts_with(&*home.to_string_lossy());
            let named = text.contains(&format!("\"{name}\"")) || text.contains("assert_screen!(");
            (near && named) || text.contains(&folder)
        });
        assert!(used, "no test names snapshot {}", relative.display());
    }
}

#[test]
fn tests_wait_for_events_and_never_sleep() {
    let mut wrong = Vec::new();
    for path in files(&root().join("tests"), &["rs"]) {
        let text = fs::read_to_string(&path).unwrap();
        let before = std::iter::once("").chain(text.lines());
        for (number, (line, before)) in text.lines().zip(before).enumerate() {
            let slept = ["thread::sl", "time::sl"].iter().any(|word| line.contains(&format!("{word}eep(")));
            let skipped = line.contains(concat!("#[ig", "nore")) && !line.contains("started by another test");
            // Where time itself is what is tested, the line above says so.
            if (slept && !before.contains("time itself:")) || skipped {
                wrong.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_unfinished() {
    let words = ["todo!(", "unimplemented!(", "FIX", "XXX", "HACK"];
    for (path, text) in sources() {
        for word in words {
            let word = if word == "FIX" { concat!("FIX", "ME") } else { word };
            assert!(!text.contains(word), "{} contains {word}", path.display());
        }
    }
}

#[test]
fn the_top_level_is_as_agreed() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "assets",
        "snapshots",
        "config.example.toml",
        "tests",
        "README.md",
        "LICENSE",
        "target",
    ];
    for entry in fs::read_dir(root()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            name.starts_with('.') || allowed.contains(&name.as_str()),
            "{name} does not belong at the top"
        );
    }
}
