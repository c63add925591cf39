//! Carries out the calls of one answer. Calls that allow it run side by side; a call that writes the workspace
//! by itself waits for the ones before it and runs alone. Every call gets exactly one output, whatever happens:
//! an unknown tool, a crash of ours and an interrupt are outputs too.

use std::sync::Arc;
use std::task::Poll;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::oneshot;

use super::turn::{Stop, Turn};
use crate::base::tasks;
use crate::protocol::model_item::{ModelItem, OutputKind};
use crate::tools::context::ToolContext;
use crate::tools::registry::Registry;
use crate::tools::tool::{ToolCall, ToolOutput};

/// Calls of one answer that run side by side; an answer with more of them is not worth as many processes.
const AT_ONCE: usize = 32;

/// A call that waits to be carried out.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// What is called.
    pub(crate) call: ToolCall,
    /// How the answer is typed on the wire.
    pub(crate) output: OutputKind,
}

/// Carries out `calls` in waves and adds their outputs to the conversation in call order. On disk an output is
/// stored as soon as it is known.
pub(crate) async fn run(turn: &mut Turn<'_>, calls: Vec<Pending>) -> Result<(), Stop> {
    let mut rest = calls.into_iter().peekable();
    while let Some(first) = rest.next() {
        let registry = Arc::clone(&turn.thread.registry);
        let mut wave = vec![first];
        if !registry.parallel(&wave[0].call) {
            // It changes files by itself and for good: what led to it must not be lost to a power cut.
            turn.thread.sync().await?;
        } else {
            while let Some(next) = rest.next_if(|p| registry.parallel(&p.call)) {
                wave.push(next);
            }
        }
        run_wave(turn, wave).await?;
    }
    if turn.cancel.is_cancelled() { Err(Stop::Interrupted) } else { Ok(()) }
}

async fn run_wave(turn: &mut Turn<'_>, wave: Vec<Pending>) -> Result<(), Stop> {
    let context = turn.thread.tool_context(turn.id, &turn.cancel);
    let registry = Arc::clone(&turn.thread.registry);
    let mut before = None;
    let mut begin = |(index, pending): (usize, &Pending)| {
        let (begun, next) = oneshot::channel();
        let order = Order { before: before.replace(next), begun };
        let task = start(Arc::clone(&registry), context.clone(), pending.call.clone(), order);
        async move { (index, task.join().await) }
    };
    let mut outputs: Vec<Option<ModelItem>> = vec![None; wave.len()];
    let mut waiting = wave.iter().enumerate();
    let mut running: FuturesUnordered<_> = waiting.by_ref().take(AT_ONCE).map(&mut begin).collect();
    let mut heard = true;
    while !running.is_empty() {
        let (thread, ops) = turn.parts();
        tokio::select! {
            biased; // events of a call come before its output, and ops before both
            // When nobody can send ops any more, the end of the channel would be heard for ever.
            op = ops.recv(), if heard => {
                heard = op.is_some();
                turn.on_op(op);
            }
            Some(event) = thread.tool_events.recv() => thread.on_tool_event(event).await,
            Some((index, done)) = running.next() => {
                running.extend(waiting.next().map(&mut begin));
                let output = done.unwrap_or_else(|failed| ToolOutput::text(failed.to_string()));
                if let (Some(slot), Some(pending)) = (outputs.get_mut(index), wave.get(index)) {
                    *slot = Some(thread.store_output(pending, output));
                }
            }
            () = thread.readers.flush(), if thread.readers.holding() => {}
        }
    }
    turn.thread.drain_tool_events().await;
    for output in outputs.into_iter().flatten() {
        turn.thread.add_stored(output);
    }
    turn.thread.writable()?;
    Ok(())
}

/// The place of a call in its wave. Calls run side by side but begin one after the other: what they tell first, and
/// the questions they ask at once, come in the order in which the model wrote them.
struct Order {
    /// Told, or closed, when the call before has begun.
    before: Option<oneshot::Receiver<()>>,
    /// Tells the next one.
    begun: oneshot::Sender<()>,
}

impl Order {
    /// Runs `work` when it is its turn. It has begun when it waits for something for the first time.
    async fn run<T>(self, work: impl Future<Output = T>) -> T {
        let Self { before, begun } = self;
        if let Some(before) = before {
            let _ = before.await;
        }
        let mut work = std::pin::pin!(work);
        let first = std::future::poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
        let _ = begun.send(());
        match first {
            Poll::Ready(done) => done,
            Poll::Pending => work.await,
        }
    }
}

fn start(
    registry: Arc<Registry>,
    context: ToolContext,
    call: ToolCall,
    order: Order,
) -> tasks::Task<ToolOutput> {
    tasks::spawn("tool call", async move {
        let work = async {
            match registry.find(&call.name) {
                Some(_) if context.cancel.is_cancelled() => ToolOutput::text("aborted by user"),
                Some(tool) => tool.call(&context, call).await,
                None => unknown(&context, &call).await,
            }
        };
        order.run(work).await
    })
}

/// A name nobody answers to: the user sees the call, the model is told.
async fn unknown(context: &ToolContext, call: &ToolCall) -> ToolOutput {
    let text = match call.payload {
        crate::tools::tool::Payload::Function(_) => format!("unsupported call: {}", call.name),
        crate::tools::tool::Payload::Custom(_) => format!("unsupported custom tool call: {}", call.name),
    };
    context.failed(call, text).await
}
