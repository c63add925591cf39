//! Grammars and colour themes of code, loaded when first asked for (some milliseconds: [`warm`] does it ahead, off
//! the drawing thread). Themes of the user are added by name. Themes stay for the life of the process, so that
//! what paints can hold plain references; their number is bounded.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, PoisonError, RwLock};

use syntect::highlighting::{Color, Highlighter, Theme as SyntaxTheme, ThemeSet};
use syntect::parsing::{SyntaxReference, SyntaxSet};
use two_face::theme::EmbeddedLazyThemeSet;

use crate::tui::theme::{Colors, Theme};

/// Bytes of a theme file.
const MAX_THEME: u64 = 1024 * 1024;
/// Themes a user may add.
const MAX_THEMES: usize = 64;

/// Why a theme of the user is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file cannot be read.
    #[error("cannot read the theme")]
    Read(#[from] std::io::Error),
    /// It is not a theme.
    #[error("not a tmTheme file: {problem}")]
    Parse {
        /// What is wrong.
        problem: String,
        /// Line from 1, when it is known.
        line: Option<usize>,
    },
    /// It is too large, or there are too many.
    #[error("too many or too large themes")]
    TooMuch,
}

impl Error {
    /// A sentence about the file at `path`, with the line where it goes wrong.
    pub(crate) fn told(&self, path: &Path) -> String {
        let line = match self {
            Self::Parse { line: Some(line), .. } => format!(":{line}"),
            _ => String::new(),
        };
        format!("{}{line}: {self}", path.display())
    }

    /// The reader of property lists tells `…: UnclosedXmlElement (offset 123)`.
    fn parse(error: &dyn std::error::Error, text: &[u8]) -> Self {
        let said =
            std::iter::successors(Some(error), |error| error.source()).last().unwrap_or(error).to_string();
        let (problem, place) = said.split_once(" (offset ").unwrap_or((&said, ""));
        let offset = place.strip_suffix(')').and_then(|offset| offset.parse().ok());
        let before = offset.and_then(|offset: usize| text.get(..offset.min(text.len())));
        let line = before.map(|before| before.iter().filter(|byte| **byte == b'\n').count() + 1);
        let mut words = String::new();
        for c in problem.rsplit(": ").next().unwrap_or(problem).chars() {
            if c.is_ascii_uppercase() && !words.is_empty() && !words.ends_with(' ') {
                words.push(' ');
            }
            words.push(c.to_ascii_lowercase());
        }
        // Debug text of the reader's own tokens says nothing to a person.
        if words.contains(['{', '}', '"']) {
            "it is no property list in XML".clone_into(&mut words);
        }
        Self::Parse { problem: words, line }
    }
}

/// A theme ready to paint with.
pub(super) struct Look {
    /// Scopes → styles.
    pub(super) highlighter: Highlighter<'static>,
    /// The colour of text that is nothing in particular.
    pub(super) foreground: Option<Color>,
}

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);
static THEMES: LazyLock<EmbeddedLazyThemeSet> = LazyLock::new(two_face::theme::extra);
/// Themes in use, built in and added, by their bare names.
static LOOKS: RwLock<Vec<(String, &'static Look)>> = RwLock::new(Vec::new());
/// Display names of the added ones.
static ADDED: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// All grammars.
pub(super) fn set() -> &'static SyntaxSet {
    &SYNTAXES
}

/// The grammar for the word after a code fence.
pub(super) fn by_name(language: &str) -> Option<&'static SyntaxReference> {
    let name = language.to_ascii_lowercase();
    let name = match name.as_str() {
        "" | "text" | "txt" | "plain" | "plaintext" | "output" => return None,
        "shell" | "zsh" | "console" | "shell-session" | "shellsession" | "terminal" => "bash",
        "c++" => "cpp",
        "c#" | "csharp" => "cs",
        "golang" => "go",
        "jsonc" | "json5" | "jsonl" => "json",
        "docker" => "dockerfile",
        "patch" => "diff",
        "rustc" | "rust-script" => "rust",
        "node" | "mjs" | "cjs" => "js",
        "python3" | "pycon" => "python",
        other => other,
    };
    SYNTAXES.find_syntax_by_token(name)
}

/// The grammar for a file, by its name or extension.
pub(super) fn by_path(path: &Path) -> Option<&'static SyntaxReference> {
    let name = path.file_name()?.to_str()?;
    SYNTAXES
        .find_syntax_by_extension(name)
        .or_else(|| SYNTAXES.find_syntax_by_extension(path.extension()?.to_str()?))
}

/// The look that a theme asks for, or the one that suits the terminal when that name is not known.
pub(super) fn look(theme: &Theme) -> Option<&'static Look> {
    let usual = usual(theme)?;
    find(&bare(&theme.syntax)).or_else(|| find(usual))
}

/// The theme that suits the terminal; none without colours.
fn usual(theme: &Theme) -> Option<&'static str> {
    match (theme.colors, theme.light) {
        (Colors::None, _) => None,
        (Colors::Ansi16, _) => Some("ansi"),
        (_, false) => Some("onehalfdark"),
        (_, true) => Some("onehalflight"),
    }
}

/// Whether a theme of this name is what code is painted with. Builds nothing.
pub(crate) fn is_in_use(name: &str, theme: &Theme) -> bool {
    let asked = bare(&theme.syntax);
    let known = !asked.is_empty() && is_theme(&theme.syntax);
    bare(name) == if known { asked.as_str() } else { usual(theme).unwrap_or_default() }
}

fn find(name: &str) -> Option<&'static Look> {
    if name.is_empty() {
        return None;
    }
    let known = LOOKS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, look)) = known.iter().find(|(known, _)| known == name) {
        return Some(look);
    }
    drop(known);
    let embedded = EmbeddedLazyThemeSet::theme_names().iter().find(|theme| bare(theme.as_name()) == name)?;
    Some(keep(name.to_owned(), THEMES.get(*embedded)))
}

fn keep(name: String, theme: &'static SyntaxTheme) -> &'static Look {
    let highlighter = Highlighter::new(theme);
    // Kept for good: at most one per built-in theme and `MAX_THEMES` added ones.
    let look: &'static Look =
        Box::leak(Box::new(Look { highlighter, foreground: theme.settings.foreground }));
    let mut looks = LOOKS.write().unwrap_or_else(PoisonError::into_inner);
    looks.retain(|(known, _)| *known != name);
    looks.push((name, look));
    look
}

/// A name without its case and punctuation: `Catppuccin Mocha` and `catppuccin-mocha` are the same theme.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a theme has this name; the empty name stands for the usual one. Builds nothing.
pub(crate) fn is_theme(name: &str) -> bool {
    if name.is_empty() {
        return true;
    }
    let name = bare(name);
    let added =
        || LOOKS.read().unwrap_or_else(PoisonError::into_inner).iter().any(|(known, _)| *known == name);
    EmbeddedLazyThemeSet::theme_names().iter().any(|theme| bare(theme.as_name()) == name) || added()
}

/// Names of all themes, as they are written in the config, added ones last.
pub(crate) fn theme_names() -> Vec<String> {
    let kebab = |name: &str| {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
    };
    let mut names: Vec<String> =
        EmbeddedLazyThemeSet::theme_names().iter().map(|name| kebab(name.as_name())).collect();
    names.sort();
    names.extend(ADDED.read().unwrap_or_else(PoisonError::into_inner).iter().cloned());
    names
}

/// Adds a theme of the user under `name`; one that is there already stays as it is.
///
/// # Errors
/// It is not a theme, or there are too many.
pub(crate) fn add_theme(name: &str, tm_theme: &[u8]) -> Result<(), Error> {
    let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
    if added.iter().any(|known| known == name) {
        return Ok(());
    }
    let theme = ThemeSet::load_from_reader(&mut Cursor::new(tm_theme))
        .map_err(|error| Error::parse(&error, tm_theme))?;
    if added.len() >= MAX_THEMES {
        return Err(Error::TooMuch);
    }
    keep(bare(name), Box::leak(Box::new(theme)));
    added.push(name.to_owned());
    Ok(())
}

/// Adds every `*.tmTheme` file of a folder; a folder that is not there holds none. Blocks on files.
/// Gives the files that could not be added.
pub(crate) fn load_themes(folder: &Path) -> Vec<(PathBuf, Error)> {
    let mut problems = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return problems };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tmTheme"));
    paths.sort();
    for path in paths {
        if let Err(error) = load(&path) {
            problems.push((path, error));
        }
    }
    problems
}

fn load(path: &Path) -> Result<(), Error> {
    if std::fs::metadata(path)?.len() > MAX_THEME {
        return Err(Error::TooMuch);
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    add_theme(&name, &std::fs::read(path)?)
}
