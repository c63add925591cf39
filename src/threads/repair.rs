//! Mends the end of a file. Complete lines are never touched: other programs may be reading them, and
//! whatever is wrong with them, a reader can pass over it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::line;
use super::reader::Backwards;

/// What was done to the end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mended {
    /// It was sound.
    Nothing,
    /// The last line was whole and only lacked its line break.
    Ended,
    /// A piece of a line was cut off.
    Cut {
        /// Its length.
        bytes: u64,
    },
}

impl Mended {
    /// What the user should know of it.
    pub(crate) fn message(self) -> Option<String> {
        match self {
            Self::Nothing | Self::Ended => None,
            Self::Cut { bytes } => Some(format!(
                "the end of the thread's file was torn, probably by a crash: a piece of a line ({bytes} bytes) was \
                 cut off; every whole line is kept"
            )),
        }
    }
}

/// Makes the file end with a whole line, so that the next one does not run into a piece of the last. `file` is
/// open for appending; `path` is the same file.
pub(crate) fn mend(file: &File, path: &Path) -> io::Result<Mended> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last == *b"\n" {
        return Ok(Mended::Nothing);
    }
    let mut lines = Backwards::open(path, length)?;
    let Some(tail) = lines.next()? else { return Ok(Mended::Nothing) };
    if tail.bytes.is_ok_and(|bytes| line::parse(bytes).is_ok()) {
        let mut end = file;
        end.write_all(b"\n")?;
        return Ok(Mended::Ended);
    }
    if tail.offset == 0 {
        return Ok(Mended::Nothing); // a first line that is torn is all there is: nothing can be continued here
    }
    file.set_len(tail.offset)?;
    Ok(Mended::Cut { bytes: length - tail.offset })
}
