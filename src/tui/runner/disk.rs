//! Prompt history and drafts. One worker does one thing after the other, so that what was written last wins and a
//! slow disk holds up nobody.

use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::run::Done;
use crate::base::fs;
use crate::base::tasks::{self, Task};
use crate::tui::composer::{Draft, draft, history_file};
use crate::tui::msg::Answer;
use crate::tui::usage::Kept;

/// Jobs that may wait.
const JOBS: usize = 256;

/// Ending of the note that a draft waits.
const WAITS: &str = "waits";
/// Such a note is shorter.
const MAX_NOTE: u64 = 4096;

/// Something to do on the disk.
pub(super) enum Job {
    /// Append a prompt, said in a thread, at a unix second.
    Remember(String, u64, String),
    /// Read prompts before this byte.
    LoadHistory(Option<u64>),
    /// Keep this draft.
    SaveDraft(Box<Draft>),
    /// Note that the draft waits for a reset, or that it does not.
    Park(Option<Kept>),
    /// Take that note away, and say when it is gone.
    Release,
    /// Bring back a draft whose program is gone.
    LoadDraft,
}

/// Where things are.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The prompt history.
    pub(super) history: PathBuf,
    /// Prompts are kept there.
    pub(super) keep_history: bool,
    /// Size at which the oldest prompts go.
    pub(super) max_bytes: Option<u64>,
    /// Folder of drafts.
    pub(super) drafts: PathBuf,
    /// Start of the names of this folder's drafts.
    pub(super) prefix: String,
}

impl Places {
    /// The draft of this program.
    pub(super) fn own_draft(&self) -> PathBuf {
        self.drafts.join(format!("{}-{}.json", self.prefix, std::process::id()))
    }

    /// The note that it waits.
    fn own_note(&self) -> PathBuf {
        self.own_draft().with_extension(WAITS)
    }
}

/// Start of the names of drafts written in `cwd`.
pub(super) fn prefix(cwd: &Path) -> String {
    let hash = Sha256::digest(cwd.as_os_str().as_encoded_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Starts the worker.
pub(super) fn start(places: Places, done: mpsc::Sender<Done>) -> (mpsc::Sender<Job>, Task<()>) {
    let (jobs, mut waiting) = mpsc::channel(JOBS);
    let task = tasks::spawn("prompt files", async move {
        while let Some(job) = waiting.recv().await {
            let places = places.clone();
            let answer = tasks::blocking("prompt files", move || work(&places, job)).await;
            if let Ok(Some(answer)) = answer
                && done.send(Done::Answer(answer)).await.is_err()
            {
                return;
            }
        }
    });
    (jobs, task)
}

fn work(places: &Places, job: Job) -> Option<Answer> {
    match job {
        Job::Remember(..) if !places.keep_history => None,
        Job::Remember(thread, at, text) => {
            let written = history_file::append(&places.history, &thread, at, &text, places.max_bytes);
            written.err().map(|error| trouble("The prompt history could not be written", &error))
        }
        Job::LoadHistory(before) => {
            Some(Answer::History(history_file::read_older(&places.history, before).unwrap_or_default()))
        }
        Job::SaveDraft(draft) => {
            save_draft(places, &draft).err().map(|error| trouble("The draft could not be kept", &error))
        }
        Job::Park(kept) => {
            park(places, kept).err().map(|error| trouble("The waiting could not be kept", &error))
        }
        Job::Release => Some(Answer::Released(park(places, None).map_err(|error| error.to_string()))),
        Job::LoadDraft => load_draft(places).map(|(draft, kept)| Answer::Draft(Box::new(draft), kept)),
    }
}

fn trouble(what: &str, error: &io::Error) -> Answer {
    Answer::Trouble(format!("{what}: {error}"))
}

/// Keeps the draft of this program; an empty one goes.
pub(super) fn save_draft(places: &Places, draft: &Draft) -> io::Result<()> {
    if !draft.text.is_empty() {
        fs::create_private_dir(&places.drafts)?;
    }
    draft::save(&places.own_draft(), draft)
}

/// Notes that the draft of this program waits, or that it does not.
fn park(places: &Places, kept: Option<Kept>) -> io::Result<()> {
    match kept {
        Some(kept) => {
            fs::create_private_dir(&places.drafts)?;
            fs::replace(&places.own_note(), &serde_json::to_vec(&kept)?, 0o600)
        }
        None => match std::fs::remove_file(places.own_note()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// The newest draft of this folder whose program is gone, and until when it waited. Both belong to this program from
/// here on, and to no other that starts at the same time.
fn load_draft(places: &Places) -> Option<(Draft, Option<Kept>)> {
    let left = std::fs::read_dir(&places.drafts).ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let id: i32 =
            name.strip_prefix(&places.prefix)?.strip_prefix('-')?.strip_suffix(".json")?.parse().ok()?;
        let gone = Pid::from_raw(id).is_none_or(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH));
        gone.then(|| (entry.metadata().and_then(|meta| meta.modified()).ok(), entry.path()))
    });
    let mut left: Vec<_> = left.collect();
    left.sort();
    while let Some((_, path)) = left.pop() {
        if std::fs::rename(&path, places.own_draft()).is_err() {
            // Another program was quicker.
            continue;
        }
        let _ = std::fs::rename(path.with_extension(WAITS), places.own_note());
        let Some(draft) = draft::load(&places.own_draft()) else {
            let _ = std::fs::remove_file(places.own_draft());
            let _ = std::fs::remove_file(places.own_note());
            return None;
        };
        let note = fs::read_bounded(&places.own_note(), MAX_NOTE).ok();
        return Some((draft, note.and_then(|note| serde_json::from_slice(&note).ok())));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(dir: &Path) -> Places {
        Places {
            history: dir.join("history.jsonl"),
            keep_history: true,
            max_bytes: None,
            drafts: dir.join("drafts"),
            prefix: prefix(Path::new("/project")),
        }
    }

    #[test]
    fn a_draft_of_a_program_that_is_gone_comes_back_once() {
        let dir = tempfile::tempdir().unwrap();
        let places = places(dir.path());
        assert_eq!(load_draft(&places), None);
        let draft = Draft::from_text("half a thought");
        save_draft(&places, &draft).unwrap();
        assert_eq!(load_draft(&places), None, "its program is alive");
        // No process has this number: it is beyond the largest there is.
        let left = places.drafts.join(format!("{}-{}.json", places.prefix, i32::MAX));
        std::fs::rename(places.own_draft(), &left).unwrap();
        assert_eq!(load_draft(&places), Some((draft, None)));
        assert!(!left.exists() && places.own_draft().exists());
        let elsewhere = Places { prefix: prefix(Path::new("/other")), ..places };
        assert_eq!(load_draft(&elsewhere), None);
    }

    #[test]
    fn a_waiting_draft_comes_back_with_its_note_to_one_program() {
        let dir = tempfile::tempdir().unwrap();
        let places = places(dir.path());
        let (draft, kept) =
            (Draft::from_text("later"), Kept { at: 77, thread: crate::base::ids::ThreadId::new() });
        save_draft(&places, &draft).unwrap();
        park(&places, Some(kept)).unwrap();
        let left = places.drafts.join(format!("{}-{}.json", places.prefix, i32::MAX));
        std::fs::rename(places.own_draft(), &left).unwrap();
        std::fs::rename(places.own_note(), left.with_extension(WAITS)).unwrap();
        assert_eq!(load_draft(&places), Some((draft, Some(kept))));
        assert_eq!(load_draft(&places), None, "it is this program's now");
        assert!(matches!(work(&places, Job::Release), Some(Answer::Released(Ok(())))));
        assert!(!places.own_note().exists() && places.own_draft().exists());
        assert!(matches!(work(&places, Job::Release), Some(Answer::Released(Ok(())))), "there is none");
    }

    #[test]
    fn history_is_kept_only_when_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let off = Places { keep_history: false, ..places(dir.path()) };
        assert!(work(&off, Job::Remember("t".into(), 1, "one".into())).is_none());
        assert!(!off.history.exists());
        work(&places(dir.path()), Job::Remember("t".into(), 1, "one".into()));
        let Some(Answer::History(page)) = work(&off, Job::LoadHistory(None)) else { panic!() };
        assert_eq!(page.entries, ["one"]);
    }
}
