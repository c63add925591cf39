//! How the index and the records are written: tens of thousands of paths with their marks, read before and written after
//! every turn. As text that was a third of what undo costs. A name is any bytes here, and each path is written as what
//! differs from the one before it. A sum at the end tells a whole file from a damaged one.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::stamp::{Kind, Stamp};
use super::state::{Before, Gaps, Kept, State};

/// A path below the folder, compared byte by byte: part by part would cost more than looking at the file.
pub(super) type Name = Box<OsStr>;

const MAGIC: &[u8] = b"codex undo 1\n";

/// Writes one file.
pub(super) struct Writer(Vec<u8>);

/// Reads it again; everything is `None` from where it is damaged.
pub(super) struct Reader<'a>(&'a [u8]);

impl Writer {
    pub(super) fn new() -> Self {
        Self(MAGIC.to_vec())
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A path after another.
    pub(super) fn path(&mut self, before: &[u8], path: &[u8]) {
        let shared = before.iter().zip(path).take_while(|(a, b)| a == b).count();
        self.number(shared as u64);
        self.bytes(path.get(shared..).unwrap_or_default());
    }

    pub(super) fn stamp(&mut self, stamp: Option<&Stamp>) {
        let Some(stamp) = stamp else { return self.number(0) };
        self.number(match stamp.kind {
            Kind::File => 1,
            Kind::Link => 2,
            Kind::Folder => 3,
            Kind::Other => 4,
        });
        self.number(stamp.mode.into());
        self.number(stamp.owner.0.into());
        self.number(stamp.owner.1.into());
        if stamp.kind == Kind::Folder {
            return;
        }
        self.number(stamp.size);
        self.number(stamp.inode);
        for (seconds, nanos) in [stamp.modified, stamp.changed] {
            self.number(seconds.cast_unsigned());
            self.number(nanos.into());
        }
    }

    pub(super) fn state(&mut self, state: Option<&State>) {
        self.stamp(state.map(|state| &state.stamp));
        let Some(State { kept, .. }) = state else { return };
        let Some(kept) = kept else { return self.number(0) };
        self.number(kept.pack + 1);
        self.number(kept.offset);
        self.number(kept.length);
        self.0.extend_from_slice(&kept.sum.to_le_bytes());
    }

    /// The whole file.
    pub(super) fn end(mut self) -> Vec<u8> {
        let sum = sum(&self.0);
        self.0.extend_from_slice(&sum.to_le_bytes());
        self.0
    }
}

impl<'a> Reader<'a> {
    /// `None`: it is damaged, or no such file.
    pub(super) fn new(file: &'a [u8]) -> Option<Self> {
        let (body, end) = file.split_last_chunk::<8>()?;
        (sum(body) == u64::from_le_bytes(*end)).then_some(())?;
        Some(Self(body.strip_prefix(MAGIC)?))
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A path after another.
    pub(super) fn path(&mut self, before: &[u8]) -> Option<OsString> {
        let shared = before.get(..usize::try_from(self.number()?).ok()?)?;
        Some(OsString::from_vec([shared, self.bytes()?].concat()))
    }

    pub(super) fn stamp(&mut self) -> Option<Option<Stamp>> {
        let kind = match self.number()? {
            0 => return Some(None),
            1 => Kind::File,
            2 => Kind::Link,
            3 => Kind::Folder,
            4 => Kind::Other,
            _ => return None,
        };
        let (mode, owner) = (self.small()?, (self.small()?, self.small()?));
        if kind == Kind::Folder {
            return Some(Some(Stamp {
                kind,
                mode,
                owner,
                size: 0,
                inode: 0,
                modified: (0, 0),
                changed: (0, 0),
            }));
        }
        let (size, inode) = (self.number()?, self.number()?);
        let modified = (self.number()?.cast_signed(), self.small()?);
        let changed = (self.number()?.cast_signed(), self.small()?);
        Some(Some(Stamp { kind, mode, owner, size, inode, modified, changed }))
    }

    pub(super) fn state(&mut self) -> Option<Option<State>> {
        let Some(stamp) = self.stamp()? else { return Some(None) };
        let kept = match self.number()?.checked_sub(1) {
            None => None,
            Some(pack) => {
                let (offset, length) = (self.number()?, self.number()?);
                let (sum, rest) = self.0.split_first_chunk::<8>()?;
                self.0 = rest;
                Some(Kept { pack, offset, length, sum: u64::from_le_bytes(*sum) })
            }
        };
        Some(Some(State { stamp, kept }))
    }
}

/// A folder before a turn, as a file.
pub(super) fn from_before(before: &Before) -> Vec<u8> {
    let mut to = Writer::new();
    let Gaps { partial, ignored, cut, .. } = before.gaps;
    to.number(u64::from(partial) | u64::from(cut) << 1 | u64::from(ignored) << 2);
    to.number(before.gaps.unseen.len() as u64);
    let mut last: &[u8] = b"";
    for path in &before.gaps.unseen {
        to.path(last, path.as_bytes());
        last = path.as_bytes();
    }
    to.number(before.entries.len() as u64);
    for (path, state) in &before.entries {
        to.path(last, path.as_bytes());
        to.state(Some(state));
        last = path.as_bytes();
    }
    to.end()
}

/// The same from a file; `None` when it is damaged.
pub(super) fn to_before(file: &[u8]) -> Option<Before> {
    let mut from = Reader::new(file)?;
    let flags = from.number()?;
    let flag = |bit: u64| flags & bit != 0;
    let mut gaps = Gaps { partial: flag(1), cut: flag(2), ignored: flag(4), ..Gaps::default() };
    let mut last: Name = OsString::new().into();
    for _ in 0..from.number()? {
        last = from.path(last.as_bytes())?.into();
        gaps.unseen.insert(last.clone());
    }
    let mut entries: Vec<(Name, State)> = Vec::new();
    for _ in 0..from.number()? {
        let before = entries.last().map_or(last.as_bytes(), |(path, _)| path.as_bytes());
        let path = from.path(before)?.into_boxed_os_str();
        entries.push((path, from.state()??));
    }
    Some(Before { entries, gaps })
}

/// A quick sum, against accidents only.
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = bytes.len() as u64;
    let mut mix = |word: u64| sum = (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
    rest.iter().for_each(|byte| mix(u64::from(*byte)));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> Before {
        let stamp = |kind, n: u32| Stamp {
            kind,
            mode: 0o644 + n,
            owner: (n, 65534),
            size: u64::MAX - u64::from(n),
            inode: u64::from(n),
            modified: (-5, 999_999_999),
            changed: (i64::MAX, n),
        };
        let folder = Stamp { size: 0, inode: 0, modified: (0, 0), changed: (0, 0), ..stamp(Kind::Folder, 4) };
        let kept = Some(Kept { pack: 0, offset: 1 << 40, length: 7, sum: u64::MAX });
        let name = |bytes: &[u8]| OsStr::from_bytes(bytes).into();
        let entries = vec![
            (name(b"a\n"), State { stamp: stamp(Kind::File, 1), kept }),
            (name(b"a\n/\xff\xfe"), State { stamp: stamp(Kind::Link, 2), kept: None }),
            (name(b"b"), State { stamp: stamp(Kind::Other, 3), kept: None }),
            (name(b"dir"), State { stamp: folder, kept: None }),
        ];
        let unseen = [name(b"node_modules"), name(b"target")].into();
        Before { entries, gaps: Gaps { unseen, partial: true, ignored: true, cut: false } }
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(to_before(&from_before(&before())), Some(before()));
        assert_eq!(to_before(&from_before(&Before::default())), Some(Before::default()));
    }

    #[test]
    fn what_is_damaged_is_nothing() {
        let file = from_before(&before());
        for at in 0..file.len() {
            assert_eq!(to_before(&file[..at]), None, "cut off at {at}");
            let mut other = file.clone();
            other[at] ^= 0x40;
            assert_eq!(to_before(&other), None, "changed at {at}");
            // Also with a sum that is right.
            let (body, _) = other.split_last_chunk::<8>().unwrap();
            let _ = to_before(&[body, &sum(body).to_le_bytes()].concat());
        }
    }
}
