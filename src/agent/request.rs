//! A thread's state → the request of its next step, and the context that goes before it. Reads the thread,
//! changes nothing.

use serde_json::value::RawValue;

use super::context::environment::environment;
use super::context::instructions;
use super::context::told::{self, Fragment};
use super::history::History;
use super::thread::Thread;
use crate::base::ids::TurnId;
use crate::base::tasks::CancellationToken;
use crate::protocol::model_item::ModelItem;
use crate::responses::headers::{RequestKind, TurnIds};
use crate::responses::items::{self, Part};
use crate::responses::{Reasoning, Request, ResponseStream, TurnState};
use crate::sandbox;

/// Opens the stream of a turn's next step.
pub(crate) fn turn_stream(
    thread: &Thread,
    turn_id: TurnId,
    state: &TurnState,
    schema: Option<&serde_json::Value>,
    cancel: &CancellationToken,
) -> ResponseStream {
    let ids = ids(thread, turn_id, state, RequestKind::Turn);
    let tools = thread.registry.definitions();
    open(thread, thread.history.items(), tools, thread.settings.parallel_calls, schema, &ids, cancel)
}

/// Opens the stream of a request for a hand-over note about `input`.
pub(crate) fn compaction_stream(
    thread: &Thread,
    turn_id: TurnId,
    state: &TurnState,
    input: &[ModelItem],
    cancel: &CancellationToken,
) -> ResponseStream {
    let ids = ids(thread, turn_id, state, RequestKind::Compaction);
    let mut input = input.to_vec();
    input.push(items::harness(thread.settings.compact_prompt.as_ref()));
    open(thread, &input, &[], false, None, &ids, cancel)
}

fn ids(thread: &Thread, turn_id: TurnId, state: &TurnState, kind: RequestKind) -> TurnIds {
    TurnIds {
        thread_id: thread.reviewer.unwrap_or(thread.id),
        review_of: thread.reviewer.map(|_| thread.id),
        turn_id,
        window: thread.window_number,
        installation_id: thread.services.installation_id.clone(),
        originator: thread.services.originator.clone(),
        kind,
        turn_state: state.clone(),
        sandbox_mode: thread.settings.sandbox.mode().as_str(),
    }
}

fn open(
    thread: &Thread,
    input: &[ModelItem],
    tools: &[Box<RawValue>],
    parallel_tool_calls: bool,
    output_schema: Option<&serde_json::Value>,
    ids: &TurnIds,
    cancel: &CancellationToken,
) -> ResponseStream {
    let settings = &thread.settings;
    let field = thread.services.instructions_field;
    let with_base: Vec<ModelItem>;
    let input = if field {
        input
    } else {
        with_base = std::iter::once(items::base_instructions(&settings.instructions))
            .chain(input.iter().cloned())
            .collect();
        &with_base
    };
    let reasoning = settings
        .reasons
        .then_some(Reasoning { effort: settings.effort.as_deref(), summary: settings.summary.as_deref() });
    let request = Request {
        model: &settings.model,
        instructions: field.then_some(settings.instructions.as_ref()),
        input,
        tools,
        parallel_tool_calls,
        reasoning,
        verbosity: settings.verbosity.as_deref(),
        output_schema,
        service_tier: settings.service_tier.as_deref(),
        ids,
    };
    thread.services.client.stream(&request, cancel.clone())
}

/// The context as it is now, whole: for a new window after a compaction.
pub(crate) fn whole_context(thread: &Thread) -> Vec<ModelItem> {
    due_context(thread, &History::default())
}

/// What of the context the model does not know yet, given what `history` has told it.
pub(crate) fn due_context(thread: &Thread, history: &History) -> Vec<ModelItem> {
    let settings = &thread.settings;
    let mut due = Vec::new();
    let permissions = instructions::permissions(settings.approval, &settings.sandbox);
    if told::is_due(history, Fragment::Permissions, &permissions) {
        let mut parts = vec![Part::text(permissions)];
        parts.extend(settings.developer_instructions.as_ref().map(Part::text));
        due.push(items::developer(&parts));
    }
    if told::is_due(history, Fragment::AgentsMd, &settings.agents_md) {
        due.push(items::harness(settings.agents_md.as_str()));
    }
    let roots = thread.roots.now();
    let (now, limits) = (jiff::Zoned::now(), sandbox::limits(&roots));
    let environment = environment(&settings.cwd, &settings.shell, &now, &roots, &limits);
    if told::is_due(history, Fragment::Environment, &environment) {
        due.push(items::harness(environment));
    }
    let allowed = thread.roots.said();
    if told::is_due(history, Fragment::Allowed, &allowed) {
        due.push(items::harness(allowed));
    }
    due
}

/// Tokens that every request carries besides the history: instructions and tools, estimated.
pub(crate) fn fixed_tokens(thread: &Thread) -> u64 {
    let tools: usize = thread.registry.definitions().iter().map(|tool| tool.get().len()).sum();
    ((thread.settings.instructions.len() + tools) / 4) as u64
}
