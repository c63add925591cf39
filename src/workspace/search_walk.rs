//! The walk behind the file search: every path below a root that no ignore rule names, in chunks. Ignore rules
//! hold outside of git repositories too. Links are not followed; names that are not text or hold control
//! characters are left out, since they could not be put into a prompt as they are.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::search::{Kind, Shared};

/// Paths kept at most; a tree beyond that is searched in part.
const MAX_PATHS: usize = 1_000_000;
/// Bytes of paths kept at most.
const MAX_BYTES: usize = 96 << 20;
/// Paths of the first chunk and of the largest: early rows first, few locks later.
const FIRST_CHUNK: usize = 64;
const LAST_CHUNK: usize = 4096;

/// Folders of version control, whose insides nobody mentions.
const INSIDES: [&[u8]; 4] = [b".git", b".hg", b".svn", b".jj"];

/// A part of the list: paths one after the other in one text.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    text: String,
    /// End of each path in `text`, and what it is.
    ends: Vec<(u32, Kind)>,
}

impl Chunk {
    fn push(&mut self, path: &str, kind: Kind) {
        self.text.push_str(path);
        self.ends.push((u32::try_from(self.text.len()).unwrap_or(u32::MAX), kind));
    }

    /// The path at `index`.
    pub(super) fn get(&self, index: usize) -> Option<(&str, Kind)> {
        let (end, kind) = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|i| self.ends.get(i)).map_or(0, |(end, _)| *end);
        Some((self.text.get(start as usize..end as usize)?, kind))
    }

    /// How many paths it holds.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// What one thread of the walk has found and not handed over yet.
struct Batch<'a> {
    shared: &'a Shared,
    total: &'a std::sync::atomic::AtomicUsize,
    bytes: &'a std::sync::atomic::AtomicUsize,
    chunk: Chunk,
    size: usize,
}

impl Batch<'_> {
    fn add(&mut self, entry: &DirEntry) -> WalkState {
        use std::sync::atomic::Ordering::Relaxed;
        if self.shared.is_closed() {
            return WalkState::Quit;
        }
        if let Some((path, kind)) = describe(entry, &self.shared.root) {
            self.chunk.push(path, kind);
            if self.chunk.len() >= self.size {
                let total = self.total.fetch_add(self.chunk.len(), Relaxed);
                let bytes = self.bytes.fetch_add(self.chunk.text.len(), Relaxed);
                self.flush();
                if total > MAX_PATHS || bytes > MAX_BYTES {
                    return WalkState::Quit;
                }
            }
        }
        WalkState::Continue
    }

    fn flush(&mut self) {
        self.size = (self.size * 4).min(LAST_CHUNK);
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.text.shrink_to_fit();
        chunk.ends.shrink_to_fit();
        self.shared.push(chunk);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.chunk.len() > 0 {
            self.flush();
        }
    }
}

/// The path below `root` as text. Works on bytes: this runs for every file of the tree.
fn describe<'a>(entry: &'a DirEntry, root: &Path) -> Option<(&'a str, Kind)> {
    let whole = entry.path().as_os_str().as_bytes();
    let rest = whole.strip_prefix(root.as_os_str().as_bytes())?;
    let path = std::str::from_utf8(rest.strip_prefix(b"/").unwrap_or(rest)).ok()?;
    let plain = path.bytes().all(|b| matches!(b, b' '..=b'~'));
    let good = !path.is_empty() && (plain || !path.contains(char::is_control));
    let folder = entry.file_type().is_some_and(|t| t.is_dir());
    good.then_some((path, if folder { Kind::Folder } else { Kind::File }))
}

/// Walks the tree and hands its paths over. Blocks until it is done.
pub(super) fn walk(shared: &Shared) {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    let (total, bytes) = Default::default();
    let walk = WalkBuilder::new(&shared.root)
        .hidden(false)
        .require_git(false)
        .threads(threads)
        .filter_entry(|entry| !INSIDES.contains(&entry.file_name().as_bytes()))
        .build_parallel();
    walk.run(|| {
        let chunk = Chunk::default();
        let mut batch = Batch { shared, total: &total, bytes: &bytes, chunk, size: FIRST_CHUNK };
        Box::new(move |entry| match entry {
            Ok(entry) => batch.add(&entry),
            Err(_) => WalkState::Continue,
        })
    });
    shared.walked();
}
