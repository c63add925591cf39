//! Effect → task. Every task is owned here and ends with the app; what only the newest may answer (a search, a list)
//! replaces the one before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::disk::{self, Job, Places};
use super::limits;
use super::programs::{Copied, Programs};
use crate::base::fs;
use crate::base::tasks::{self, Task};
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::tui::composer::Draft;
use crate::tui::door::{Begin, Call, Door, Live, ThreadFilter, Waiting, Way};
use crate::tui::effect::Effect;
use crate::tui::msg::Answer;
use crate::tui::setup::Setup;
use crate::tui::terminal::Surroundings;
use crate::tui::usage::Ask;
use crate::workspace::search::Search;

/// Results that may wait.
const RESULTS: usize = 256;
/// Results of a search that may wait.
const FOUND: usize = 8;
/// Finished tasks are looked for when there are more than this.
const TASKS: usize = 32;

/// What a task came to.
pub(crate) enum Done {
    /// For the update.
    Answer(Answer),
    /// An opened thread, or not.
    Opened(Result<Box<Live>, ErrorInfo>),
    /// Bytes for the terminal.
    Bytes(Vec<u8>),
}

/// Carries out effects.
pub(crate) struct Runner {
    door: Door,
    done: mpsc::Sender<Done>,
    tasks: Vec<Task<()>>,
    disk: mpsc::Sender<Job>,
    _disk: Task<()>,
    places: Places,
    home: PathBuf,
    surroundings: Surroundings,
    notify_program: Vec<String>,
    programs: Programs,
    search: Option<(PathBuf, Arc<Search>)>,
    searching: Option<Task<()>>,
    listing: Option<Task<()>>,
    signing: Option<Task<()>>,
}

impl Runner {
    /// A runner, and where results come out.
    pub(crate) fn new(setup: &Setup, door: Door) -> (Self, mpsc::Receiver<Done>) {
        let (done, results) = mpsc::channel(RESULTS);
        let places = Places {
            history: setup.history_file(),
            keep_history: setup.keep_history,
            max_bytes: setup.history_max_bytes,
            drafts: setup.drafts(),
            prefix: disk::prefix(&setup.cwd),
        };
        let (disk, worker) = disk::start(places.clone(), done.clone());
        let runner = Self {
            door,
            done,
            tasks: Vec::new(),
            disk,
            _disk: worker,
            places,
            home: setup.codex_home.clone(),
            surroundings: setup.surroundings.clone(),
            notify_program: setup.notify_program.clone(),
            programs: Programs::hiding(&setup.secret_env),
            search: None,
            searching: None,
            listing: None,
            signing: None,
        };
        (runner, results)
    }

    /// Begins an effect; those of the terminal and the open thread are the app's own.
    pub(crate) fn run(&mut self, effect: Effect, unix: u64) {
        match effect {
            Effect::Open(begin) => self.open(begin),
            Effect::Earlier
            | Effect::Rename(_)
            | Effect::Diff
            | Effect::Undo { .. }
            | Effect::Since { .. }
            | Effect::Locate(_)
            | Effect::Trust
            | Effect::LookOnly
            | Effect::SignIn(_)
            | Effect::Pasted(_)
            | Effect::Adopt
            | Effect::Demo
            | Effect::Logout
            | Effect::Save(_) => self.call(effect),
            Effect::SignInBy(way) => self.sign_in(way),
            Effect::GiveUp => self.signing = None,
            Effect::Threads(filter) => self.list(filter),
            Effect::Glance => self.glance(),
            Effect::Limits(ask) => self.limits(ask),
            Effect::ReviewList(cwd, kind) => {
                let programs = self.programs.clone();
                self.blocking("list changes", move || Answer::ReviewList(programs.changes(&cwd, kind)));
            }
            Effect::CheckFolder(base, folder) => {
                self.blocking("folder", move || Answer::Folder(check_folder(&base, &folder)));
            }
            Effect::Remember(thread, text) => {
                self.on_disk(Job::Remember(thread.map(|id| id.to_string()).unwrap_or_default(), unix, text));
            }
            Effect::LoadHistory(before) => self.on_disk(Job::LoadHistory(before)),
            Effect::SaveDraft(draft) => self.on_disk(Job::SaveDraft(Box::new(draft))),
            Effect::Park(kept) => self.on_disk(Job::Park(kept)),
            Effect::Release => self.on_disk(Job::Release),
            Effect::LoadDraft => self.on_disk(Job::LoadDraft),
            Effect::FindFiles(root, query) => self.find_files(root, query),
            Effect::CheckImages(token, base, paths) => {
                let user = self.surroundings.home.clone();
                self.blocking("images", move || {
                    Answer::Images(token, images(&base, user.as_deref(), &paths))
                });
            }
            Effect::PasteImage => {
                let (programs, home, ssh) = (self.programs.clone(), self.home.clone(), self.surroundings.ssh);
                self.answer("paste image", async move {
                    Answer::Attached(programs.paste_image(&home, ssh).await)
                });
            }
            Effect::Copy(what, text) => self.copy(what, text),
            Effect::Export(path, text) => self.blocking("export", move || {
                let written = fs::replace(&path, text.as_bytes(), 0o644);
                let place = written.map(|()| format!("written to {}", path.display()));
                Answer::Copied("Conversation".to_owned(), place.map_err(|error| error.to_string()))
            }),
            Effect::NotifyProgram(json) => {
                let (programs, program) = (self.programs.clone(), self.notify_program.clone());
                self.keep(tasks::spawn("notify", async move { programs.notify(&program, json).await }));
            }
            Effect::Op(_)
            | Effect::Forget
            | Effect::Editor(_)
            | Effect::Notify(_)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }

    /// Makes a call through the door whose answer is a message.
    fn call(&mut self, effect: Effect) {
        let door = self.door.clone();
        match effect {
            Effect::Earlier => {
                self.answer("earlier turns", async move { Answer::Earlier(door.call(Call::Earlier).await) });
            }
            Effect::Rename(name) => self.answer("rename", async move {
                let result = door.call(|reply| Call::Rename(name.clone(), reply)).await;
                Answer::Renamed(name, result)
            }),
            Effect::Undo { cwd, which } => self.answer("undo", async move {
                Answer::Undone(door.call(|reply| Call::Undo(cwd, which, reply)).await)
            }),
            Effect::Since { cwd, wanted, dry } => self.answer("undo since", async move {
                Answer::Since(dry, door.call(|reply| Call::Since(cwd, wanted, dry, reply)).await)
            }),
            Effect::Diff => self.answer("git diff", async move { Answer::Diff(door.call(Call::Diff).await) }),
            Effect::Trust => {
                self.answer("trust", async move { Answer::Trusted(door.call(Call::Trust).await) })
            }
            Effect::LookOnly => {
                self.answer("look only", async move { Answer::Trusted(door.call(Call::LookOnly).await) })
            }
            Effect::Locate(begin) => self.answer("locate thread", async move {
                let found = door.call(|reply| Call::Locate(begin.clone(), reply)).await;
                Answer::Located(begin, found)
            }),
            Effect::SignIn(key) => self.answer("sign in", async move {
                Answer::SignedIn(door.call(|reply| Call::SignIn(key, reply)).await)
            }),
            Effect::Adopt => {
                self.answer("adopt", async move { Answer::Adopted(door.call(Call::Adopt).await) });
            }
            Effect::Pasted(text) => self.answer("pasted address", async move {
                Answer::Pasted(door.call(|reply| Call::Pasted(text, reply)).await)
            }),
            Effect::Demo => self.answer("demo", async move { Answer::SignedIn(door.call(Call::Demo).await) }),
            Effect::Logout => {
                self.answer("log out", async move { Answer::LoggedOut(door.call(Call::Logout).await) });
            }
            Effect::Save(setting) => self.answer("save a setting", async move {
                let result = door.call(|reply| Call::Save(setting.clone(), reply)).await;
                Answer::Saved(setting, result)
            }),
            // Everything else needs no door.
            _ => {}
        }
    }

    /// Lets the user edit a text; the terminal must be theirs for the time.
    pub(crate) async fn edit(&self, text: &str) -> Result<String, String> {
        self.programs.edit(text, self.surroundings.editor.as_deref(), &self.home).await
    }

    /// Keeps the last draft before the end.
    pub(crate) async fn finish(&mut self, draft: Draft) {
        let places = self.places.clone();
        let _ = tasks::blocking("keep draft", move || disk::save_draft(&places, &draft)).await;
    }

    fn keep(&mut self, task: Task<()>) {
        if self.tasks.len() >= TASKS {
            self.tasks.retain(|task| !task.is_finished());
        }
        self.tasks.push(task);
    }

    fn answer(&mut self, name: &'static str, work: impl Future<Output = Answer> + Send + 'static) {
        let done = self.done.clone();
        self.keep(tasks::spawn(name, async move {
            let answer = work.await;
            let _ = done.send(Done::Answer(answer)).await;
        }));
    }

    fn blocking(&mut self, name: &'static str, work: impl FnOnce() -> Answer + Send + 'static) {
        self.answer(name, async move {
            tasks::blocking(name, work).await.unwrap_or_else(|failed| Answer::Trouble(failed.to_string()))
        });
    }

    fn on_disk(&mut self, job: Job) {
        if let Err(mpsc::error::TrySendError::Full(job)) = self.disk.try_send(job) {
            let disk = self.disk.clone();
            self.keep(tasks::spawn("wait for disk", async move { drop(disk.send(job).await) }));
        }
    }

    fn open(&mut self, begin: Begin) {
        let (door, done) = (self.door.clone(), self.done.clone());
        self.keep(tasks::spawn("open thread", async move {
            let live = door.call(|reply| Call::Open(begin, reply)).await;
            let _ = done.send(Done::Opened(live.map(Box::new))).await;
        }));
    }

    /// Signs in; giving up drops the task, and with it the place of the result.
    fn sign_in(&mut self, way: Way) {
        let (door, done) = (self.door.clone(), self.done.clone());
        self.signing = Some(tasks::spawn("sign in", async move {
            let result = match door.call(|reply| Call::SignInBy(way, reply)).await {
                Ok(Waiting { url, code, done: end }) => {
                    if done.send(Done::Answer(Answer::SignInShown(way, url, code))).await.is_err() {
                        return;
                    }
                    end.await.unwrap_or_else(|_| {
                        Err(ErrorInfo::new(ErrorKind::Unauthorized, "The sign-in was cancelled."))
                    })
                }
                Err(error) => Err(error),
            };
            let _ = done.send(Done::Answer(Answer::SignedIn(result))).await;
        }));
    }

    fn list(&mut self, filter: ThreadFilter) {
        let (door, done) = (self.door.clone(), self.done.clone());
        self.listing = Some(tasks::spawn("list threads", async move {
            if let Ok(mut rows) = door.threads(filter).await {
                while let Some(rows) = rows.recv().await {
                    if done.send(Done::Answer(Answer::Threads(filter, rows))).await.is_err() {
                        return;
                    }
                }
            }
            let _ = done.send(Done::Answer(Answer::ThreadsDone(filter))).await;
        }));
    }

    fn glance(&mut self) {
        let (door, done) = (self.door.clone(), self.done.clone());
        self.keep(tasks::spawn("glance", async move {
            let (pieces, mut seen) = mpsc::channel(FOUND);
            if door.send(Call::Glance(pieces)).await.is_err() {
                return;
            }
            while let Some(piece) = seen.recv().await {
                let _ = done.send(Done::Answer(Answer::Glimpse(piece))).await;
            }
        }));
    }

    fn limits(&mut self, ask: Ask) {
        self.keep(tasks::spawn("limits", limits::carry_out(ask, self.door.clone(), self.done.clone())));
    }

    fn find_files(&mut self, root: PathBuf, query: String) {
        let search = match &self.search {
            Some((known, search)) if *known == root => Arc::clone(search),
            _ => {
                let search = Arc::new(Search::new(root.clone()));
                self.search = Some((root, Arc::clone(&search)));
                search
            }
        };
        let done = self.done.clone();
        self.searching = Some(tasks::spawn("find files", async move {
            let (out, mut found) = mpsc::channel(FOUND);
            let run = search.run(query, out);
            let mut run = std::pin::pin!(run);
            let mut ended = false;
            loop {
                tokio::select! {
                    biased; // rows before the end
                    rows = found.recv() => match rows {
                        Some(rows) => drop(done.send(Done::Answer(Answer::Files(rows))).await),
                        None => break,
                    },
                    _ = &mut run, if !ended => ended = true,
                }
            }
        }));
    }

    fn copy(&mut self, what: String, text: String) {
        let (done, home, around) = (self.done.clone(), self.home.clone(), self.surroundings.clone());
        let programs = self.programs.clone();
        self.keep(tasks::spawn("copy", async move {
            let result = match programs.copy(text, &around, &home).await {
                Ok(Copied::Program) => Ok("copied".to_owned()),
                Ok(Copied::Terminal(bytes)) => {
                    let _ = done.send(Done::Bytes(bytes)).await;
                    Ok("copied by the terminal".to_owned())
                }
                Ok(Copied::File(path)) => Ok(format!("no clipboard here, kept in {}", path.display())),
                Err(why) => Err(why),
            };
            let _ = done.send(Done::Answer(Answer::Copied(what, result))).await;
        }));
    }
}

fn check_folder(base: &Path, folder: &Path) -> Result<PathBuf, String> {
    let folder = base.join(folder);
    let real = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    if real.is_dir() { Ok(real) } else { Err(format!("{} is not a folder", real.display())) }
}

/// Those of the paths that are files, absolute; none unless all are.
fn images(base: &Path, home: Option<&Path>, paths: &[PathBuf]) -> Vec<PathBuf> {
    let absolute = |path: &PathBuf| match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => base.join(path),
    };
    let found: Vec<PathBuf> = paths.iter().map(absolute).filter(|path| path.is_file()).collect();
    if found.len() == paths.len() { found } else { Vec::new() }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
