//! Programs of this machine: the editor, the clipboard, the user's notify program. Each with a time limit, except
//! the editor, which is a person's.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::base::{fs, tasks};
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::tui::popups::review::{Choices, Kind};
use crate::tui::terminal::Surroundings;
use crate::tui::terminal::clipboard::{self, COPY_PROGRAMS, IMAGE_PROGRAMS, Way};
use crate::workspace::commits;

/// How long a clipboard program may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the notify program may run.
const NOTIFY_PATIENCE: Duration = Duration::from_secs(30);
/// Largest image taken from the clipboard, in bytes.
const IMAGE_MAX: u64 = 32 * 1024 * 1024;
/// First bytes of a PNG file.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Opens when neither variable names an editor.
const EDITOR: &str = "vi";
/// Largest text taken back from the editor, in bytes.
const TEXT_MAX: u64 = 16 * 1024 * 1024;

/// What there is to review in a folder. Blocks, for a few seconds at most.
pub(super) fn changes(cwd: &Path, kind: Kind) -> Result<Choices, ErrorInfo> {
    let found = match kind {
        Kind::Branches => commits::branches(cwd).map(Choices::Branches),
        Kind::Commits => commits::commits(cwd).map(Choices::Commits),
    };
    found.map_err(|error| ErrorInfo::new(ErrorKind::BadRequest, error.to_string()))
}

/// Where a text went.
pub(super) enum Copied {
    /// Into the clipboard, by a program.
    Program,
    /// These bytes make the terminal copy it.
    Terminal(Vec<u8>),
    /// Into this file.
    File(PathBuf),
}

/// Copies text the best way that works.
pub(super) async fn copy(text: String, around: &Surroundings, home: &Path) -> Result<Copied, String> {
    for way in clipboard::ways(&text, around) {
        match way {
            Way::Program => {
                for program in COPY_PROGRAMS {
                    if feed(program, text.as_bytes()).await {
                        return Ok(Copied::Program);
                    }
                }
            }
            Way::Terminal(bytes) => return Ok(Copied::Terminal(bytes)),
            Way::File => break,
        }
    }
    let path = home.join("tmp").join("copied.txt");
    keep(path, text.into_bytes()).await.map(Copied::File)
}

/// Writes a private file, and its folder where that is missing.
async fn keep(path: PathBuf, bytes: Vec<u8>) -> Result<PathBuf, String> {
    let work = move || {
        let folder = path.parent().map_or(Ok(()), fs::create_private_dir);
        folder.and_then(|()| fs::replace(&path, &bytes, 0o600)).map(|()| path)
    };
    let written = tasks::blocking("keep a file", work).await.map_err(|error| error.to_string())?;
    written.map_err(|error| error.to_string())
}

fn command(program: &[&str]) -> Option<Command> {
    let (name, args) = program.split_first()?;
    let mut command = Command::new(name);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    Some(command)
}

/// Gives text to a program. False when that did not work.
async fn feed(program: &[&str], text: &[u8]) -> bool {
    let work = async {
        let mut child = command(program)?.stdin(Stdio::piped()).spawn().ok()?;
        let mut stdin = child.stdin.take()?;
        stdin.write_all(text).await.ok()?;
        drop(stdin);
        child.wait().await.ok().filter(std::process::ExitStatus::success)
    };
    tokio::time::timeout(PATIENCE, work).await.is_ok_and(|done| done.is_some())
}

/// Takes an image from the clipboard into a file below `home`.
pub(super) async fn paste_image(home: &Path, ssh: bool) -> Result<PathBuf, String> {
    for program in IMAGE_PROGRAMS {
        if let Ok(Some(image)) = tokio::time::timeout(PATIENCE, read(program)).await {
            let path = home.join("tmp").join("images").join(format!("{}.png", uuid::Uuid::now_v7()));
            let kept = keep(path, image).await;
            return kept.map_err(|error| format!("The image could not be kept: {error}"));
        }
    }
    Err(no_image(ssh).to_owned())
}

/// Why there was no image, and what works instead.
fn no_image(ssh: bool) -> &'static str {
    match ssh {
        true => "Over ssh your clipboard is out of reach: copy the image here, paste its path",
        false => "No image in the clipboard (it is read by wl-paste or xclip)",
    }
}

async fn read(program: &[&str]) -> Option<Vec<u8>> {
    let mut child = command(program)?.stdout(Stdio::piped()).spawn().ok()?;
    let mut image = Vec::new();
    child.stdout.take()?.take(IMAGE_MAX + 1).read_to_end(&mut image).await.ok()?;
    let whole = u64::try_from(image.len()).is_ok_and(|size| size <= IMAGE_MAX);
    (whole && image.starts_with(PNG)).then_some(image)
}

/// Calls the user's program with one more argument and does not wait for it.
pub(super) async fn notify(program: &[String], json: String) {
    let Some((name, args)) = program.split_first() else { return };
    let mut command = Command::new(name);
    command.args(args).arg(json);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = command.spawn() {
        // Waited for only so that it does not stay behind as a dead process.
        let _ = tokio::time::timeout(NOTIFY_PATIENCE, child.wait()).await;
    }
}

/// Lets the user edit a text. The terminal must be theirs for the time.
pub(super) async fn edit(text: &str, editor: Option<&str>) -> Result<String, String> {
    let words = shlex::split(editor.unwrap_or(EDITOR)).filter(|words| !words.is_empty());
    let words = words.ok_or("$EDITOR cannot be read")?;
    let (name, args) = words.split_first().ok_or("$EDITOR is empty")?;
    let written = text.to_owned();
    let file = tasks::blocking("write for the editor", move || for_editor(&written)).await;
    let file =
        file.map_err(|error| error.to_string()).and_then(|file| file.map_err(|error| error.to_string()));
    let file = file.map_err(|error| format!("No file for the editor: {error}"))?;
    let status = Command::new(name).args(args).arg(file.path()).status().await;
    match status {
        Ok(status) if status.success() => {
            let read = tasks::blocking("read what was edited", move || read_back(file, TEXT_MAX)).await;
            read.map_err(|error| error.to_string())?
        }
        Ok(_) => Err(format!("{name} ended with an error; the prompt is as it was")),
        Err(error) => Err(format!("{name} could not be started: {error}")),
    }
}

fn for_editor(text: &str) -> std::io::Result<NamedTempFile> {
    let file = tempfile::Builder::new().prefix("codex-").suffix(".md").tempfile()?;
    std::fs::write(file.path(), text)?;
    Ok(file)
}

/// Takes the text back. One of more than `max` bytes is not cut: it stays in its file.
fn read_back(file: NamedTempFile, max: u64) -> Result<String, String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    // The editor may have put another file in this place.
    let read = std::fs::File::open(file.path()).and_then(|file| file.take(max + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("The edited text could not be read: {error}"))?;
    if bytes.len() as u64 > max {
        let kept = file.keep().map_err(|error| format!("The edited text is too long: {error}"))?.1;
        let mib = max / (1024 * 1024);
        return Err(format!("The edited text is longer than {mib} MiB; it stays in {}", kept.display()));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Env;

    #[tokio::test]
    async fn an_editor_changes_the_text() {
        let edited = edit("one", Some("sh -c 'echo two >> \"$0\"'")).await;
        assert_eq!(edited.as_deref(), Ok("onetwo\n"));
        assert!(edit("one", Some("false")).await.unwrap_err().contains("ended with an error"));
        assert!(edit("one", Some("/no/such/editor")).await.unwrap_err().contains("could not be started"));
        assert!(edit("one", Some("'")).await.is_err());
        let long = for_editor("12345").unwrap();
        let path = long.path().to_owned();
        let refused = read_back(long, 4).unwrap_err();
        assert!(refused.contains(&path.display().to_string()), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "12345");
        std::fs::remove_file(path).unwrap();
        assert_eq!(read_back(for_editor("1234").unwrap(), 4).as_deref(), Ok("1234"));
    }

    #[tokio::test]
    async fn without_another_way_text_goes_into_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let dumb = Surroundings::of(&Env::of(&[("TERM", "dumb")], dir.path()));
        let Ok(Copied::File(path)) = copy("text".to_owned(), &dumb, dir.path()).await else { panic!() };
        assert_eq!(std::fs::read_to_string(path).unwrap(), "text");
        let term = Surroundings::of(&Env::of(&[("TERM", "xterm")], dir.path()));
        assert!(matches!(copy("text".to_owned(), &term, dir.path()).await, Ok(Copied::Terminal(_))));
    }

    #[tokio::test]
    async fn programs_that_fail_are_no_clipboard() {
        assert!(feed(&["cat"], b"text").await);
        assert!(!feed(&["false"], b"text").await);
        assert!(!feed(&["/no/such/program"], b"text").await);
        assert_eq!(read(&["printf", "no image"]).await, None);
        assert!(no_image(true).contains("paste its path") && !no_image(true).contains("wl-paste"));
        for told in [no_image(true), no_image(false)] {
            assert!(told.len() < 78, "it fits the line of hints");
        }
    }
}
