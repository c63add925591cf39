//! Tests of instruction files: which are found, in which order, and what is cut.

use super::*;

/// A home and a project `p/a/b`, and how to look.
struct Case {
    _dir: tempfile::TempDir,
    root: PathBuf,
    docs: ProjectDocs,
    trust: Trust,
    has_root: bool,
    hidden: DenyRead,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["home", "p/a/b"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (path, text) in files {
            std::fs::write(root.join(path), text).unwrap();
        }
        let docs =
            ProjectDocs { max_bytes: 1000, fallback_names: vec!["CLAUDE.md".into(), "NOTES.md".into()] };
        let hidden = DenyRead::usual(Some(&root.join("home")), Some(&root.join("home")));
        Self { _dir: dir, root, docs, trust: Trust::Unknown, has_root: true, hidden }
    }

    fn find(&self) -> Docs {
        let project = self.root.join("p");
        find(Search {
            codex_home: &self.root.join("home"),
            cwd: &self.root.join("p/a/b"),
            project_root: self.has_root.then_some(project.as_path()),
            trust: self.trust,
            docs: &self.docs,
            hidden: &self.hidden,
        })
    }

    /// Texts in order, and warnings without the folder.
    fn told(&self) -> (Vec<String>, Vec<String>) {
        let docs = self.find();
        let texts = docs.global.iter().chain(&docs.project).map(|doc| doc.text.clone()).collect();
        let prefix = format!("{}/", self.root.display());
        (texts, docs.warnings.iter().map(|warning| warning.replace(&prefix, "")).collect())
    }
}

#[test]
fn which_files_and_in_which_order() {
    for (files, want) in [
        (vec![], vec![]),
        (
            vec![
                ("home/AGENTS.md", "g"),
                ("p/a/b/AGENTS.md", "3"),
                ("p/AGENTS.md", "1"),
                ("p/a/AGENTS.md", "2"),
            ],
            vec!["g", "1", "2", "3"],
        ),
        (vec![("p/AGENTS.override.md", "o"), ("p/AGENTS.md", "1"), ("p/NOTES.md", "n")], vec!["o"]),
        (vec![("home/AGENTS.override.md", "o"), ("home/AGENTS.md", "g")], vec!["o"]),
        (vec![("p/NOTES.md", "n"), ("p/CLAUDE.md", "c")], vec!["c"]),
        (vec![("p/AGENTS.md", " \n"), ("p/NOTES.md", "n")], vec!["n"]),
        (vec![("p/AGENTS.override.md", ""), ("p/AGENTS.md", "1"), ("p/a/AGENTS.md", "2")], vec!["2"]),
        (vec![("home/NOTES.md", "n"), ("AGENTS.md", "above the root")], vec![]),
    ] {
        let (texts, warnings) = Case::new(&files).told();
        assert_eq!((texts, warnings.len()), (want.iter().map(|t| (*t).to_owned()).collect(), 0), "{files:?}");
    }
}

#[test]
fn trust_budget_zero_and_a_missing_root_narrow_the_search() {
    let mut case = Case::new(&[("home/AGENTS.md", "g"), ("p/AGENTS.md", "1"), ("p/a/b/AGENTS.md", "3")]);
    case.has_root = false;
    assert_eq!(case.told().0, ["g", "3"]);
    case.trust = Trust::Untrusted;
    assert_eq!(case.told(), (vec!["g".to_owned()], vec![]));
    case.trust = Trust::Trusted;
    case.docs.max_bytes = 0;
    assert_eq!(case.told(), (vec!["g".to_owned()], vec![]));
}

#[test]
fn what_is_over_the_budget_is_told_exactly() {
    let mut case = Case::new(&[
        ("home/AGENTS.md", &"g".repeat(500)),
        ("p/AGENTS.md", "12345"),
        ("p/a/AGENTS.md", "ab€defgh"),
        ("p/a/b/AGENTS.md", "never"),
    ]);
    case.docs.max_bytes = 9;
    let (texts, warnings) = case.told();
    assert_eq!(texts[1..], ["12345", "ab"], "the character at the limit goes as a whole");
    assert_eq!(
        warnings,
        [
            "p/a/AGENTS.md is cut: 2 of its 10 bytes are used, 8 are not (project_doc_max_bytes = 9)",
            "p/a/b/AGENTS.md is left out: the files above it used up project_doc_max_bytes = 9",
        ]
    );
    case.docs.max_bytes = 15;
    let (texts, warnings) = case.told();
    assert_eq!(texts[1..], ["12345", "ab€defgh"]);
    assert_eq!(
        warnings,
        ["p/a/b/AGENTS.md is left out: the files above it used up project_doc_max_bytes = 15"]
    );
}

#[test]
fn text_that_is_not_utf8_and_files_that_are_no_files() {
    let case = Case::new(&[]);
    std::fs::write(case.root.join("p/AGENTS.md"), b"\xef\xbb\xbfa\xffb").unwrap();
    std::fs::create_dir(case.root.join("p/a/AGENTS.md")).unwrap();
    let pipe = case.root.join("p/a/b/AGENTS.md");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert_eq!(case.told(), (vec!["a\u{fffd}b".to_owned()], vec![]));
}

#[test]
fn the_users_own_file_is_bounded_too() {
    let case = Case::new(&[("home/AGENTS.md", &"x".repeat(300_000))]);
    let (texts, warnings) = case.told();
    assert_eq!(texts[0].len() as u64, GLOBAL_MAX);
    assert_eq!(warnings, ["home/AGENTS.md is cut: only its first 262144 of 300000 bytes are used"]);
}

#[test]
fn block() {
    let cwd = Path::new("/w");
    let case =
        Case::new(&[("home/AGENTS.md", "mine\n"), ("p/AGENTS.md", "one\n\n"), ("p/a/AGENTS.md", "two")]);
    assert_eq!(
        case.find().block(cwd).unwrap(),
        "# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>\nmine\n\n--- project-doc ---\n\none\n\ntwo\n</INSTRUCTIONS>"
    );
    assert_eq!(
        Case::new(&[("p/AGENTS.md", "one")]).find().block(cwd).unwrap(),
        "# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>\none\n</INSTRUCTIONS>"
    );
    assert_eq!(Case::new(&[]).find().block(cwd), None);
}

#[test]
fn a_file_of_the_project_is_no_way_to_what_commands_cannot_read() {
    let case = Case::new(&[("p/a/AGENTS.md", "one"), ("home/auth.json", "hush"), ("p/.env.local", "hush")]);
    std::fs::create_dir(case.root.join("home/.ssh")).unwrap();
    std::fs::write(case.root.join("home/.ssh/id_x"), "hush").unwrap();
    let link = case.root.join("p/a/b/AGENTS.md");
    for target in ["home/auth.json", "home/.ssh/id_x", "p/.env.local"] {
        std::os::unix::fs::symlink(case.root.join(target), &link).unwrap();
        let docs = case.find();
        assert!(!format!("{docs:?}").contains("hush"), "{target}");
        assert_eq!(docs.project.len(), 1);
        assert!(docs.warnings[0].contains("leads to what commands cannot read"), "{:?}", docs.warnings);
        std::fs::remove_file(&link).unwrap();
    }
    std::os::unix::fs::symlink(case.root.join("p/a/AGENTS.md"), &link).unwrap();
    assert_eq!(case.find().project.len(), 2, "other links are followed");
}
