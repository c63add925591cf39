//! Checks one file, and mends its end. Complete lines are never touched: other programs may be reading them, and
//! whatever is wrong with them, a reader can pass over it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::history::Pairs;
use super::line::{self, Reason, Record};
use super::meta::Meta;
use super::reader::{Backwards, Forwards, Problems};

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

/// The state of one file.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Lines, good and bad.
    pub(crate) lines: u64,
    /// Length of the file.
    pub(crate) bytes: u64,
    /// Bytes of what the model's history was at each summary: the part of a big file that can be blamed on them.
    pub(crate) compacted_bytes: u64,
    /// The thread, when its first line can be read.
    pub(crate) meta: Option<Meta>,
    /// Lines that are passed over.
    pub(crate) problems: Problems,
    /// The last line has no end.
    pub(crate) torn: bool,
    /// Places where the ordinals do not grow.
    pub(crate) ordinal_faults: u64,
    /// Calls that were never answered.
    pub(crate) open_calls: usize,
}

/// Reads a whole file and tells what is wrong with it. Changes nothing.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn verify(path: &Path) -> io::Result<Report> {
    let mut report = Report::default();
    let mut pairs = Pairs::default();
    let mut ordinal = None;
    let mut lines = Forwards::open(path)?;
    while let Some(raw) = lines.next()? {
        report.lines += 1;
        report.torn = !raw.ended;
        let offset = raw.offset;
        let read = match raw.bytes.and_then(line::parse) {
            Ok(read) => read,
            Err(reason) => {
                let reason = if raw.ended { reason } else { Reason::Torn };
                report.problems.push(offset, Some(report.lines), reason);
                continue;
            }
        };
        if read.ordinal.is_some() {
            report.ordinal_faults += u64::from(ordinal.is_some() && read.ordinal <= ordinal);
            ordinal = read.ordinal.max(ordinal);
        }
        match read.record {
            Record::Meta(raw) if report.meta.is_none() => report.meta = Meta::parse(raw),
            Record::Model(raw) => pairs.see(raw),
            Record::Compacted(raw) => report.compacted_bytes += raw.get().len() as u64,
            Record::Meta(_) | Record::Context(_) | Record::Event(_) | Record::Other => {}
        }
    }
    report.bytes = std::fs::metadata(path)?.len();
    report.open_calls = pairs.open();
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        let text = concat!(
            r#"{"type":"session_meta","ordinal":0,"payload":{"id":"01a1f8bf-0000-7000-8000-00000000000a"}}"#,
            "\n\0\0\n",
            r#"{"type":"response_item","ordinal":1,"payload":{"type":"function_call","call_id":"a"}}"#,
            "\n",
            r#"{"type":"response_item","ordinal":1,"payload":{"type":"function_call","call_id":"b"}}"#,
            "\n",
            r#"{"type":"response_item","ordinal":2,"payload":{"type":"function_call_output","call_id":"a"}}"#,
            "\n",
            r#"{"type":"compacted","ordinal":3,"payload":{"message":""}}"#,
            "\n{\"type\":",
        );
        std::fs::write(&path, text).unwrap();
        let report = verify(&path).unwrap();
        assert_eq!((report.lines, report.bytes), (7, text.len() as u64));
        assert_eq!((report.open_calls, report.ordinal_faults, report.torn), (1, 1, true));
        assert_eq!(report.compacted_bytes, 14);
        assert!(report.meta.is_some());
        let lines: Vec<_> = report.problems.list.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [Some(2), Some(7)]);
        assert_eq!(report.problems.list[1].reason, Reason::Torn);
        assert_eq!(std::fs::read(&path).unwrap(), text.as_bytes(), "nothing is changed");
    }
}
