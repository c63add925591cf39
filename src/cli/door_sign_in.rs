//! Sign-in from inside the terminal app: a task that waits for the browser or the code, and what reaches it
//! meanwhile. Whoever stops waiting for the result stops the sign-in.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};

use super::browse;
use crate::auth::browser::{BrowserSignIn, PORTS, Pasted};
use crate::auth::device_code::DeviceSignIn;
use crate::auth::error::Error;
use crate::auth::manager::Identity;
use crate::auth::sign_in::SignIn;
use crate::base::tasks::{self, Task};
use crate::config::Env;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::tui::door::{Reply, Waiting, Way};

/// A sign-in that is under way; it ends with this value.
pub(super) struct Running {
    _task: Task<()>,
    pasted: mpsc::Sender<Pasted>,
}

impl Running {
    /// Begins one; `reply` gets what to show, or why there is none.
    pub(super) fn begin(sign_in: SignIn, way: Way, env: Env, reply: Reply<Waiting>) -> Self {
        let (sender, pasted) = mpsc::channel(1);
        let task = tasks::spawn("sign in", async move {
            match way {
                Way::Browser => browser(sign_in, &env, pasted, reply).await,
                Way::Code => code(sign_in, reply).await,
            }
        });
        Self { _task: task, pasted: sender }
    }

    /// Hands on an address that the user pasted; the error says what is wrong with it.
    pub(super) async fn paste(&self, text: String) -> Result<(), ErrorInfo> {
        let (answer, told) = oneshot::channel();
        let gone = || ErrorInfo::new(ErrorKind::Unauthorized, "This sign-in is over.");
        self.pasted.send((text, answer)).await.map_err(|_| gone())?;
        let wrong = |why: String| ErrorInfo::new(ErrorKind::BadRequest, why);
        told.await.map_err(|_| gone())?.map_err(wrong)
    }
}

async fn browser(sign_in: SignIn, env: &Env, pasted: mpsc::Receiver<Pasted>, reply: Reply<Waiting>) {
    let hidden = sign_in.store.hidden();
    let waiting = match BrowserSignIn::begin(sign_in, &PORTS).await {
        Ok(waiting) => waiting,
        Err(error) => return drop(reply.send(Err(error.into()))),
    };
    let (result, done) = oneshot::channel();
    let seen = browse::absent(env).is_none();
    if seen {
        browse::open(env, &hidden, waiting.url());
    }
    let shown = Waiting { url: waiting.url().to_owned(), code: None, done };
    if reply.send(Ok(shown)).is_ok() {
        until(waiting.finish(pasted), result).await;
    }
}

async fn code(sign_in: SignIn, reply: Reply<Waiting>) {
    let waiting = match DeviceSignIn::begin(sign_in).await {
        Ok(waiting) => waiting,
        Err(error) => return drop(reply.send(Err(error.into()))),
    };
    let (result, done) = oneshot::channel();
    let shown = Waiting { url: waiting.url(), code: Some(waiting.code().to_owned()), done };
    if reply.send(Ok(shown)).is_ok() {
        until(waiting.finish(), result).await;
    }
}

/// Waits for the end, or until nobody wants it any more.
async fn until(
    finish: impl Future<Output = Result<Identity, Error>>,
    mut result: oneshot::Sender<Result<(), ErrorInfo>>,
) {
    // Nobody waits for the result any more: dropping the sign-in in the middle is what is wanted.
    tokio::select! {
        done = finish => drop(result.send(done.map(drop).map_err(ErrorInfo::from))),
        () = result.closed() => {}
    }
}
