//! A redemption under way: carries out what the machine says until it is over, and tells its steps. It has no way to
//! be taken back; whoever lets go of it leaves the intent on disk for the next start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::intent::{Book, Decision, Intent, Reading, Receipt, Refusal, decide};
use super::journal::{self, Journal};
use super::redeem::{Answer, Effect, Ended, Input, Machine, Trouble};
use super::redeemer::{PATIENCE, Plan, Redeemer, Wish, account_changed, blocking};
use crate::backend::{self, consume};
use crate::base::tasks::{self, Task};

/// A reading older than this, in milliseconds, is not what an intent is made from.
const FRESH_MS: u64 = 30_000;

/// Steps that are kept for a front end that looks away; there are never so many.
const STEPS: usize = 64;

/// One step of a redemption under way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Another process is redeeming; its end is waited for.
    Queued,
    /// The intent is on disk.
    Noted,
    /// A request leaves; the number counts from 1.
    Sending(u32),
    /// There was no answer to rely on; the same request is sent again after so many milliseconds.
    Again(u64),
    /// The account is read.
    Reading,
    /// The answer is there.
    Answered(Box<Receipt>),
    /// The windows have not moved yet; they are looked at again after so many milliseconds.
    Watching(u64),
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The intent came to its end, here or in another process. `unwritten`: why the receipt is not on disk.
    Settled { receipt: Box<Receipt>, elsewhere: bool, unwritten: Option<String> },
    /// Nothing reached the service.
    NotSent(Trouble),
    /// Nobody knows whether it was carried out. The intent stays; nothing else may be redeemed before it.
    Unknown(Box<Intent>, Trouble),
    /// It must not be.
    Refused(Refusal),
    /// The journal was damaged and is now here: the user has to say yes knowing that.
    Damaged(PathBuf),
    /// Another process is redeeming and does not come to its end.
    Busy,
    /// The account could not be read, so nothing was begun.
    NotRead(backend::Error),
    /// The journal cannot be used; nothing was sent.
    Journal(String),
}

/// A redemption under way. Letting go of it stops looking at it; the intent on disk is finished by the next start.
pub(crate) struct Redemption {
    /// Its steps.
    pub(crate) steps: mpsc::Receiver<Step>,
    task: Task<Outcome>,
}

impl Redemption {
    /// Waits for the end.
    pub(crate) async fn outcome(self) -> Outcome {
        drop(self.steps);
        self.task.join().await.unwrap_or_else(|failed| Outcome::Journal(failed.to_string()))
    }
}

/// Does what the plan says, after the person said yes.
pub(super) fn start(redeemer: Arc<Redeemer>, plan: Plan, wish: Wish) -> Redemption {
    let (told, steps) = mpsc::channel(STEPS);
    let run = Run { redeemer, wish, told };
    Redemption { steps, task: tasks::spawn("redeem", run.all(plan)) }
}

/// One run of [`start`].
struct Run {
    redeemer: Arc<Redeemer>,
    wish: Wish,
    told: mpsc::Sender<Step>,
}

impl Run {
    async fn all(self, plan: Plan) -> Outcome {
        if plan.account != self.redeemer.account {
            // The person said yes to something of another account.
            return Outcome::NotRead(account_changed());
        }
        let journal = match self.hold().await {
            Ok(Some(journal)) => Arc::new(journal),
            Ok(None) => return Outcome::Busy,
            Err(error) => return Outcome::Journal(error.to_string()),
        };
        let loading = Arc::clone(&journal);
        let book = match blocking(move || loading.load()).await {
            Ok(book) => book,
            Err(error) => return Outcome::Journal(error.to_string()),
        };
        let (machine, effect) = match self.begin(&book, plan).await {
            Ok(begun) => begun,
            Err(outcome) => return outcome,
        };
        self.drive(&journal, book, machine, effect).await
    }

    /// Takes the journal, waiting for whoever holds it.
    async fn hold(&self) -> Result<Option<Journal>, journal::Error> {
        let place = self.redeemer.place.clone();
        if let Some(journal) = blocking(move || place.take(Duration::ZERO)).await? {
            return Ok(Some(journal));
        }
        if self.wish.at_once {
            return Ok(None);
        }
        self.tell(Step::Queued);
        let place = self.redeemer.place.clone();
        blocking(move || place.take(PATIENCE)).await
    }

    /// What is to be done now that nobody else can write.
    async fn begin(&self, book: &Book, plan: Plan) -> Result<(Machine, Effect), Outcome> {
        let (named, force) = (self.wish.credit.as_deref(), self.wish.force);
        let now_ms = self.redeemer.clock.now_ms();
        let watch = !self.wish.no_wait;
        if let Some(intent) = &book.intent {
            return match decide(book, &Reading::default(), named, force) {
                Decision::Refuse(refusal) => Err(Outcome::Refused(refusal)),
                Decision::Finish(_) | Decision::Redeem { .. } => {
                    Ok(Machine::resume(intent.clone(), watch, now_ms))
                }
            };
        }
        let settled = matches!(plan.decision, Decision::Finish(_));
        if (settled || book.last_key() != plan.last_key.as_deref())
            && let Some(receipt) = book.receipts.last()
        {
            // Somebody was quicker, with an intent of their own or with the one that was to be finished: the wish is
            // fulfilled, a second credit is not wanted.
            let receipt = Box::new(receipt.clone());
            return Err(Outcome::Settled { receipt, elsewhere: true, unwritten: None });
        }
        if let Some(aside) = book.damaged.clone().filter(|_| !self.wish.despite_damage) {
            return Err(Outcome::Damaged(aside));
        }
        let fresh = plan
            .reading
            .filter(|_| now_ms.saturating_sub(plan.made_ms) <= FRESH_MS && now_ms >= plan.made_ms);
        let reading = match fresh {
            Some(reading) => reading,
            None => {
                self.tell(Step::Reading);
                self.redeemer.read().await.map_err(Outcome::NotRead)?
            }
        };
        match decide(book, &reading, named, force) {
            Decision::Refuse(refusal) => Err(Outcome::Refused(refusal)),
            Decision::Finish(intent) => Ok(Machine::resume(*intent, watch, now_ms)),
            Decision::Redeem { credit_id, .. } => {
                let intent = Intent {
                    key: uuid::Uuid::new_v4().to_string(),
                    account: self.redeemer.account.clone(),
                    credit_id,
                    made_at: now_ms / 1000,
                    count_before: reading.count(),
                    runs: 0,
                    sent_at: 0,
                    before: reading.marks,
                };
                Ok(Machine::begin(intent, watch))
            }
        }
    }

    /// Carries out one effect after the other until the machine says that it is over.
    async fn drive(
        &self,
        journal: &Arc<Journal>,
        mut book: Book,
        mut machine: Machine,
        mut effect: Effect,
    ) -> Outcome {
        loop {
            let input = match effect {
                Effect::NoteIntent(intent) => {
                    let mut next = book.clone();
                    next.open(intent);
                    let noted = store(journal, &next).await;
                    if noted.is_ok() {
                        book = next;
                        self.tell(Step::Noted);
                    }
                    Input::Noted(noted)
                }
                Effect::NoteReceipt(receipt) => {
                    self.tell(Step::Answered(Box::new(receipt.clone())));
                    book.settle(receipt);
                    Input::Noted(store(journal, &book).await)
                }
                Effect::Send(number) => {
                    self.tell(Step::Sending(number));
                    Input::Answered(self.send(machine.intent()).await)
                }
                Effect::Read(limit_ms) => {
                    self.tell(Step::Reading);
                    Input::Read(self.read(limit_ms).await)
                }
                Effect::Wait(ms) => {
                    self.tell(if machine.is_watching() { Step::Watching(ms) } else { Step::Again(ms) });
                    sleep(Duration::from_millis(ms)).await;
                    Input::Waited
                }
                Effect::End(ended) => return Outcome::from(ended),
            };
            effect = machine.step(self.redeemer.clock.now_ms(), input);
        }
    }

    async fn send(&self, intent: &Intent) -> Answer {
        let backend = &self.redeemer.backend;
        let said = consume::consume(backend, &intent.account, &intent.key, intent.credit_id.as_deref()).await;
        said.map_or_else(answer, Answer::Said)
    }

    async fn read(&self, limit_ms: u64) -> Result<Reading, String> {
        match timeout(Duration::from_millis(limit_ms), self.redeemer.read()).await {
            Ok(read) => read.map_err(|error| error.to_string()),
            Err(_) => Err("the account could not be read in time".to_owned()),
        }
    }

    /// A front end that looks away misses steps, never the end.
    fn tell(&self, step: Step) {
        let _ = self.told.try_send(step);
    }
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Settled(receipt, unwritten) => Self::Settled { receipt, elsewhere: false, unwritten },
            Ended::NotSent(trouble) => Self::NotSent(trouble),
            Ended::NotNoted(why) => Self::Journal(why),
            Ended::Unknown(intent, trouble) => Self::Unknown(intent, trouble),
        }
    }
}

/// What an error says about the fate of the request.
fn answer(error: backend::Error) -> Answer {
    use backend::Error as E;
    let trouble = |again| Trouble { why: error.to_string(), again, sign_in: error.is_sign_in() };
    match &error {
        E::Unreachable { .. } => Answer::NotSent(trouble(true)),
        // A refusal of the credentials comes before anything is looked at.
        E::NotSignedIn | E::Credentials(_) | E::Unauthorized | E::Setup(_) => Answer::NotSent(trouble(false)),
        E::Broken { .. } => Answer::Lost(trouble(true)),
        E::Status { code, .. } => Answer::Lost(trouble(*code >= 500)),
        // An answer that is no JSON comes from a gateway on the way; the next one may be the service's own.
        E::BadAnswer { .. } => Answer::Lost(trouble(true)),
        // The time for an answer is used up already.
        E::TimedOut { .. } | E::NotFound { .. } => Answer::Lost(trouble(false)),
    }
}

async fn store(journal: &Arc<Journal>, book: &Book) -> Result<(), String> {
    let (journal, book) = (Arc::clone(journal), book.clone());
    blocking(move || journal.store(&book)).await.map_err(|error| error.to_string())
}
