//! A copy of a thread to go on in. The new file begins with its own identity and then holds every whole line of
//! its source, as older programs do it, so that it depends on no other file.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use super::error::Error;
use super::load::load;
use super::meta::NewThread;
use super::writer::Writer;
use crate::base::clock::Clock;

/// Lines are copied in pieces of about this many bytes.
const PIECE: usize = 1 << 20;

/// Copies the thread in `source` into a new thread and gives its writer. Blocks.
///
/// # Errors
/// The source cannot be read or continues another file, or the copy cannot be written (then there is none).
pub(crate) fn fork(
    home: &Path,
    source: &Path,
    thread: NewThread,
    clock: Arc<dyn Clock>,
) -> Result<Writer, Error> {
    if load(home, source)?.meta.base.is_some() {
        return Err(Error::Unsupported {
            what: "a thread that is spread over several files cannot be forked",
        });
    }
    let mut writer = Writer::create(home, thread, clock);
    match copy(source, &mut writer) {
        Ok(()) => Ok(writer),
        Err(error) => {
            if let Some(path) = writer.path() {
                let _ = std::fs::remove_file(path);
            }
            Err(error)
        }
    }
}

fn copy(source: &Path, writer: &mut Writer) -> Result<(), Error> {
    let mut lines = BufReader::new(File::open(source).map_err(Error::io("open", source))?);
    let mut piece = Vec::new();
    loop {
        let before = piece.len();
        let read = lines.read_until(b'\n', &mut piece).map_err(Error::io("read", source))?;
        if read > 0 && !piece.ends_with(b"\n") {
            // A torn end belongs to nobody.
            piece.truncate(before);
        }
        if piece.len() >= PIECE || (read == 0 && !piece.is_empty()) {
            writer.copied(&piece)?;
            piece.clear();
        }
        if read == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SystemClock;
    use crate::base::ids::ThreadId;
    use crate::protocol::thread::ThreadSource;

    #[test]
    fn a_fork_holds_what_its_source_held() {
        let home = tempfile::tempdir().unwrap();
        let fixture =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rollouts/legacy-plain.jsonl");
        let source = home.path().join("source.jsonl");
        let mut text = std::fs::read(&fixture).unwrap();
        text.extend_from_slice(b"{\"torn");
        std::fs::write(&source, text).unwrap();
        let id = ThreadId::new();
        let thread = NewThread {
            id,
            cwd: "/p".into(),
            source: ThreadSource::Cli,
            cli_version: "1".into(),
            model_provider: "m".into(),
            base_instructions: None,
            forked_from: None,
            git: None,
        };
        let writer = fork(home.path(), &source, thread, Arc::new(SystemClock)).unwrap();
        let forked = load(home.path(), writer.path().unwrap()).unwrap();
        let original = load(home.path(), &source).unwrap();
        assert_eq!(forked.meta.id, id);
        let texts = |loaded: &crate::threads::Loaded| -> Vec<String> {
            loaded.history.iter().map(|item| item.json.get().to_owned()).collect()
        };
        assert_eq!(texts(&forked), texts(&original));
        assert_eq!(forked.problems.count, 0, "the torn end was not copied");
    }
}
