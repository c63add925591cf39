//! Colours of code: per terminal, bounded, and of the user's own themes.

use super::*;
use crate::tui::testing::{assert_screen, paper};
use crate::tui::text::syntaxes::{is_theme, load_themes, theme_names};

const RUST: &str = "// doubles\nfn twice(n: u32) -> u32 {\n    2 * n\n}\n";

fn theme(colors: Colors) -> Theme {
    Theme { colors, ..Theme::default() }
}

#[test]
fn code_has_the_colours_of_the_terminal() {
    for colors in [Colors::None, Colors::Ansi16, Colors::Ansi256, Colors::True] {
        let name = format!("rust_{colors:?}").to_lowercase();
        assert_screen!(name, paper(40, &lines(RUST, "rust", &theme(colors))));
    }
}

#[test]
fn text_is_never_changed() {
    for language in ["rust", "py", "no-such-language", "", "json", "html"] {
        let code = "let x = \"é漢\"; /* \n\n <b> */ }}\n\tend";
        let out = lines(code, language, &theme(Colors::True));
        let texts: Vec<_> = out.iter().map(Line::to_string).collect();
        assert_eq!(texts.join("\n"), code, "{language}");
    }
}

#[test]
fn long_texts_and_lines_are_plain() {
    let long = "let x = 1;\n".repeat(MAX_TEXT / 10);
    assert!(lines(&long, "rust", &theme(Colors::True)).iter().all(|line| line.spans.len() == 1));
    let line = format!("let x = \"{}\";", "a".repeat(MAX_LINE));
    assert_eq!(lines(&line, "rust", &theme(Colors::True))[0].spans.len(), 1);
}

#[test]
fn common_names_are_known() {
    for language in [
        "rust",
        "rs",
        "python",
        "py",
        "js",
        "ts",
        "tsx",
        "typescript",
        "go",
        "c",
        "cpp",
        "c++",
        "java",
        "sh",
        "bash",
        "shell",
        "console",
        "json",
        "jsonc",
        "toml",
        "yaml",
        "html",
        "css",
        "sql",
        "diff",
        "dockerfile",
        "makefile",
        "ruby",
        "php",
        "kotlin",
        "swift",
        "markdown",
        "xml",
        "ini",
        "zig",
        "nix",
    ] {
        assert!(Painter::new(language, &theme(Colors::True)).is_some(), "{language}");
    }
    for path in ["a/b.rs", "Makefile", "Dockerfile", "x.tsx", "go.mod", "Cargo.toml"] {
        assert!(Painter::for_path(Path::new(path), &theme(Colors::True)).is_some(), "{path}");
    }
}

#[test]
fn themes_of_the_user_are_found_by_name() {
    let own = br#"<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>name</key><string>Own</string>
<key>settings</key><array><dict><key>settings</key><dict><key>foreground</key><string>#111111</string></dict></dict>
<dict><key>scope</key><string>comment</string><key>settings</key><dict><key>foreground</key><string>#abcdef</string>
</dict></dict></array></dict></plist>"#;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("my-own.tmTheme"), own).unwrap();
    std::fs::write(folder.path().join("broken.tmTheme"), "no plist").unwrap();
    let cut = "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n<key>name</oops>\n";
    std::fs::write(folder.path().join("cut.tmTheme"), cut).unwrap();
    std::fs::write(folder.path().join("other.txt"), "x").unwrap();
    let told: Vec<String> = load_themes(folder.path()).iter().map(|(path, error)| error.told(path)).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("broken.tmTheme") && told[0].contains("not a tmTheme file"), "{told:?}");
    assert!(told[1].contains("cut.tmTheme:4: not a tmTheme file: "), "{told:?}");
    for (name, there) in
        [("", true), ("my-own", true), ("One Half Dark", true), ("cut", false), ("日本", false)]
    {
        assert_eq!(is_theme(name), there, "{name}");
    }
    assert!(theme_names().contains(&"my-own".to_owned()));
    let theme = Theme { colors: Colors::True, syntax: "my-own".to_owned(), ..Theme::default() };
    let out = lines("// c", "rust", &theme);
    assert_eq!(out[0].spans[0].style.fg, Some(Color::Rgb(0xab, 0xcd, 0xef)));
}

#[test]
fn built_in_themes_have_config_names() {
    let names = theme_names();
    for name in ["catppuccin-mocha", "dracula", "gruvbox-dark", "solarized-light", "nord"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    let dracula = Theme { colors: Colors::True, syntax: "dracula".to_owned(), ..Theme::default() };
    let unknown = Theme { syntax: "no such".to_owned(), ..dracula.clone() };
    let usual = Theme { syntax: String::new(), ..dracula.clone() };
    let paint = |theme| lines(RUST, "rust", theme);
    assert_ne!(paint(&dracula), paint(&usual));
    assert_eq!(paint(&unknown), paint(&usual));
}
