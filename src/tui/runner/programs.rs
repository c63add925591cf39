//! Programs of this machine: the editor, the clipboard, the user's notify program. Each with a time limit, except
//! the editor, which is a person's. None of them gets the variables that hold keys, not even the user's own: what an
//! editor starts (language servers, plugins, a shell) is as much anybody's as what the model starts.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

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

/// Where a text went.
pub(super) enum Copied {
    /// Into the clipboard, by a program.
    Program,
    /// These bytes make the terminal copy it.
    Terminal(Vec<u8>),
    /// Into this file.
    File(PathBuf),
}

/// Starts them.
#[derive(Clone)]
pub(super) struct Programs {
    hidden: Arc<[String]>,
}

impl Programs {
    /// Programs that do not get these variables.
    pub(super) fn hiding(names: &[String]) -> Self {
        Self { hidden: names.into() }
    }

    /// What there is to review in a folder. Blocks, for a few seconds at most.
    pub(super) fn changes(&self, cwd: &Path, kind: Kind) -> Result<Choices, ErrorInfo> {
        let found = match kind {
            Kind::Branches => commits::branches(cwd, &self.hidden).map(Choices::Branches),
            Kind::Commits => commits::commits(cwd, &self.hidden).map(Choices::Commits),
        };
        found.map_err(|error| ErrorInfo::new(ErrorKind::BadRequest, error.to_string()))
    }

    /// Copies text the best way that works.
    pub(super) async fn copy(
        &self,
        text: String,
        around: &Surroundings,
        home: &Path,
    ) -> Result<Copied, String> {
        for way in clipboard::ways(&text, around) {
            match way {
                Way::Program => {
                    for program in COPY_PROGRAMS {
                        if self.feed(program, text.as_bytes()).await {
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

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        for name in &*self.hidden {
            command.env_remove(name);
        }
        command
    }

    /// A program that has nothing to do with the terminal and ends when it is not waited for any more.
    fn silent(&self, program: &[&str]) -> Option<Command> {
        let (name, args) = program.split_first()?;
        let mut command = self.command(name);
        command.args(args).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(command)
    }

    /// Gives text to a program. False when that did not work.
    async fn feed(&self, program: &[&str], text: &[u8]) -> bool {
        let work = async {
            let mut child = self.silent(program)?.stdin(Stdio::piped()).spawn().ok()?;
            let mut stdin = child.stdin.take()?;
            stdin.write_all(text).await.ok()?;
            drop(stdin);
            child.wait().await.ok().filter(std::process::ExitStatus::success)
        };
        tokio::time::timeout(PATIENCE, work).await.is_ok_and(|done| done.is_some())
    }

    /// Takes an image from the clipboard into a file below `home`.
    pub(super) async fn paste_image(&self, home: &Path, ssh: bool) -> Result<PathBuf, String> {
        let mut there = false;
        for program in IMAGE_PROGRAMS {
            let Some(child) = self.start(program) else { continue };
            there = true;
            if let Ok(Some(image)) = tokio::time::timeout(PATIENCE, read(child)).await {
                let path = home.join("tmp").join("images").join(format!("{}.png", uuid::Uuid::now_v7()));
                let kept = keep(path, image).await;
                return kept.map_err(|error| format!("The image could not be kept: {error}"));
            }
        }
        Err(no_image(ssh, there).to_owned())
    }

    fn start(&self, program: &[&str]) -> Option<Child> {
        self.silent(program)?.stdout(Stdio::piped()).spawn().ok()
    }

    /// Calls the user's program with one more argument and does not wait for it.
    pub(super) async fn notify(&self, program: &[String], json: String) {
        let Some((name, args)) = program.split_first() else { return };
        let mut command = self.command(name);
        command.args(args).arg(json);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(mut child) = command.spawn() {
            // Waited for only so that it does not stay behind as a dead process.
            let _ = tokio::time::timeout(NOTIFY_PATIENCE, child.wait()).await;
        }
    }

    /// Lets the user edit a text. The terminal must be theirs for the time.
    ///
    /// The file is in our own home, where no command can put another one in its place while the editor is open.
    pub(super) async fn edit(&self, text: &str, editor: Option<&str>, home: &Path) -> Result<String, String> {
        let words = shlex::split(editor.unwrap_or(EDITOR)).filter(|words| !words.is_empty());
        let words = words.ok_or("$EDITOR cannot be read")?;
        let (name, args) = words.split_first().ok_or("$EDITOR is empty")?;
        let (written, folder) = (text.to_owned(), home.join("tmp"));
        let file = tasks::blocking("write for the editor", move || for_editor(&written, &folder)).await;
        let file =
            file.map_err(|error| error.to_string()).and_then(|file| file.map_err(|error| error.to_string()));
        let file = file.map_err(|error| format!("No file for the editor: {error}"))?;
        let status = self.command(name).args(args).arg(file.path()).status().await;
        match status {
            Ok(status) if status.success() => {
                let read = tasks::blocking("read what was edited", move || read_back(file, TEXT_MAX)).await;
                read.map_err(|error| error.to_string())?
            }
            Ok(_) => Err(format!("{name} ended with an error; the prompt is as it was")),
            Err(error) => Err(format!("{name} could not be started: {error}")),
        }
    }
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

async fn read(mut child: Child) -> Option<Vec<u8>> {
    let mut image = Vec::new();
    child.stdout.take()?.take(IMAGE_MAX + 1).read_to_end(&mut image).await.ok()?;
    let whole = u64::try_from(image.len()).is_ok_and(|size| size <= IMAGE_MAX);
    (whole && image.starts_with(PNG)).then_some(image)
}

/// Why there was no image, and what works instead. `there`: a program that can read the clipboard is.
fn no_image(ssh: bool, there: bool) -> &'static str {
    match (ssh, there) {
        (true, _) => "Over ssh your clipboard is out of reach: copy the image here, paste its path",
        (false, true) => "No image in the clipboard",
        (false, false) => "Reading images needs wl-paste or xclip; or paste the path of the image",
    }
}

fn for_editor(text: &str, folder: &Path) -> std::io::Result<NamedTempFile> {
    use std::io::Write as _;
    fs::create_private_dir(folder)?;
    let mut file = tempfile::Builder::new().prefix("codex-").suffix(".md").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
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

    fn plain() -> Programs {
        Programs::hiding(&[])
    }

    #[tokio::test]
    async fn no_program_gets_what_is_hidden() {
        // Cargo sets this one for every test.
        const NAME: &str = "CARGO_PKG_NAME";
        let dir = tempfile::tempdir().unwrap();
        let seen = dir.path().join("seen");
        let script = format!("echo \"[${NAME}]\" >> {}", seen.display());
        let (script, quoted) = (script.clone(), shlex::try_quote(&script).unwrap().into_owned());
        for programs in [plain(), Programs::hiding(&[NAME.to_owned()])] {
            assert!(programs.feed(&["sh", "-c", &script], b"").await);
            assert_eq!(read(programs.start(&["sh", "-c", &script]).unwrap()).await, None);
            programs.notify(&["sh".to_owned(), "-c".to_owned(), script.clone()], String::new()).await;
            programs.edit("", Some(&format!("sh -c {quoted}")), dir.path()).await.unwrap();
        }
        let seen = std::fs::read_to_string(seen).unwrap();
        assert_eq!(seen, "[codex]\n".repeat(4) + &"[]\n".repeat(4));
    }

    #[tokio::test]
    async fn an_editor_changes_the_text() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        let where_it_is = plain().edit("", Some("sh -c 'echo \"$0\" > \"$0\"'"), home).await.unwrap();
        assert!(where_it_is.starts_with(&home.join("tmp").display().to_string()), "{where_it_is}");
        let edited = plain().edit("one", Some("sh -c 'echo two >> \"$0\"'"), home).await;
        assert_eq!(edited.as_deref(), Ok("onetwo\n"));
        assert!(plain().edit("one", Some("false"), home).await.unwrap_err().contains("ended with an error"));
        assert!(
            plain()
                .edit("one", Some("/no/such/editor"), home)
                .await
                .unwrap_err()
                .contains("could not be started")
        );
        assert!(plain().edit("one", Some("'"), home).await.is_err());
        let long = for_editor("12345", home).unwrap();
        let path = long.path().to_owned();
        let refused = read_back(long, 4).unwrap_err();
        assert!(refused.contains(&path.display().to_string()), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "12345");
        std::fs::remove_file(path).unwrap();
        assert_eq!(read_back(for_editor("1234", home).unwrap(), 4).as_deref(), Ok("1234"));
    }

    #[tokio::test]
    async fn without_another_way_text_goes_into_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let dumb = Surroundings::of(&Env::of(&[("TERM", "dumb")], dir.path()));
        let Ok(Copied::File(path)) = plain().copy("text".to_owned(), &dumb, dir.path()).await else {
            panic!()
        };
        assert_eq!(std::fs::read_to_string(path).unwrap(), "text");
        let term = Surroundings::of(&Env::of(&[("TERM", "xterm")], dir.path()));
        assert!(matches!(plain().copy("text".to_owned(), &term, dir.path()).await, Ok(Copied::Terminal(_))));
    }

    #[tokio::test]
    async fn programs_that_fail_are_no_clipboard() {
        assert!(plain().feed(&["cat"], b"text").await);
        assert!(!plain().feed(&["false"], b"text").await);
        assert!(!plain().feed(&["/no/such/program"], b"text").await);
        assert_eq!(read(plain().start(&["printf", "no image"]).unwrap()).await, None);
        assert!(plain().start(&["/no/such/program"]).is_none());
        assert!(
            no_image(true, true).contains("paste its path") && !no_image(true, true).contains("wl-paste")
        );
        assert!(no_image(false, false).contains("wl-paste") && !no_image(false, true).contains("wl-paste"));
        for told in [no_image(true, false), no_image(false, true), no_image(false, false)] {
            assert!(told.len() < 78, "it fits the line of hints");
        }
    }
}
