//! Writes stdout and stderr, in the order given, on a thread of its own: a reader that stands still may hold up
//! the writing, but not the signals. A lost stderr is nobody's trouble; a lost stdout ends the run.

use std::io::{self, Write};

use tokio::sync::mpsc;

use crate::base::tasks::{self, Task};

/// Chunks that may wait before the events are held up.
const WAITING: usize = 64;

/// The two streams.
pub(crate) struct Output {
    chunks: mpsc::Sender<Chunk>,
    task: Task<io::Result<()>>,
}

/// Something to write.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// To stdout.
    Out(Vec<u8>),
    /// To stderr.
    Err(Vec<u8>),
}

/// Stdout cannot be written any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Its reader is gone: nobody wants the rest.
    #[error("stdout was closed")]
    Closed,
    /// The answer would be lost, for example on a full disk.
    #[error("cannot write to stdout: {0}")]
    Failed(io::Error),
}

impl Output {
    /// Starts the writer.
    pub(crate) fn start(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let task = tasks::spawn("exec output", async move {
            match tasks::blocking("exec output", move || write_all(receiver, out, err)).await {
                Ok(result) => result,
                Err(error) => Err(io::Error::other(error)),
            }
        });
        Self { chunks: sender, task }
    }

    /// Waits for a place in the queue. Safe to cancel. `None` when stdout is lost: [`Output::finish`] tells why.
    pub(crate) async fn place(&self) -> Option<mpsc::Permit<'_, Chunk>> {
        self.chunks.reserve().await.ok()
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// Something for stdout could not be written.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        drop(self.chunks);
        match self.task.join().await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Err(Error::Closed),
            Ok(Err(error)) => Err(Error::Failed(error)),
            Err(error) => Err(Error::Failed(io::Error::other(error))),
        }
    }
}

fn write_all(
    mut chunks: mpsc::Receiver<Chunk>,
    mut out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
) -> io::Result<()> {
    let mut err = Some(err);
    while let Some(chunk) = chunks.blocking_recv() {
        match chunk {
            Chunk::Out(bytes) => {
                out.write_all(&bytes)?;
                out.flush()?;
            }
            Chunk::Err(bytes) => {
                let lost =
                    err.as_mut().is_some_and(|err| err.write_all(&bytes).and_then(|()| err.flush()).is_err());
                if lost {
                    err = None;
                }
            }
        }
    }
    Ok(())
}
