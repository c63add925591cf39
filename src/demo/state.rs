//! What the backend remembers: counters, recorded requests, pending faults, the last request of each thread.
//! Everything has a bound, because tests send hostile amounts.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::account_state::AccountState;
use super::faults::{Fault, Pending};
use super::oauth::Oauth;
use super::prefix::Former;
use super::script::Script;

/// Recorded requests that are kept, and bytes of their bodies.
const REQUESTS: usize = 1000;
const REQUEST_BYTES: usize = 128 << 20;
/// Threads that are remembered, and bytes of what is remembered.
const THREADS: usize = 256;
const THREAD_BYTES: usize = 64 << 20;
/// Breaches that are kept as text; all are counted.
const BREACHES: usize = 100;

/// One request as it came.
#[derive(Debug, Serialize)]
pub(crate) struct Recorded {
    /// Number since the start, from 1.
    pub(crate) number: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case; the token is replaced by a mark.
    pub(crate) headers: BTreeMap<String, String>,
    /// JSON when it is JSON, else text.
    pub(crate) body: Value,
    /// Rule that answered.
    pub(crate) rule: Option<String>,
    /// Status answered; 0 when the connection was dropped or left hanging.
    pub(crate) status: u16,
    /// What was wrong with it.
    pub(crate) breach: Option<String>,
    #[serde(skip)]
    bytes: usize,
}

impl Recorded {
    /// A request that has no answer yet.
    pub(crate) fn new(method: &str, path: &str, headers: BTreeMap<String, String>, body: &str) -> Self {
        Self {
            number: 0,
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: serde_json::from_str(body).unwrap_or_else(|_| Value::from(body)),
            rule: None,
            status: 0,
            breach: None,
            bytes: body.len(),
        }
    }
}

/// All that changes while the backend runs.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The rules in force.
    pub(crate) script: Arc<Script>,
    /// Responses streamed.
    pub(crate) answered: u64,
    /// Requests that no rule wanted.
    pub(crate) unmatched: u64,
    /// Breaches of the protocol, all of them.
    pub(crate) breaches: u64,
    /// The first breaches as text.
    pub(crate) breach_texts: Vec<String>,
    /// Requests in order; the oldest go first.
    pub(crate) requests: VecDeque<Recorded>,
    /// Input of the last request and items of the last answer, in the order the model saw them.
    pub(crate) last_history: Vec<Value>,
    /// The account.
    pub(crate) account: AccountState,
    /// The sign-in service.
    pub(crate) oauth: Oauth,
    routes: BTreeMap<String, u64>,
    request_bytes: usize,
    numbered: u64,
    pending: Vec<Pending>,
    fired: HashMap<(u64, usize), u64>,
    threads: HashMap<String, Former>,
    thread_order: VecDeque<String>,
    thread_bytes: usize,
}

impl State {
    /// A state with `script` in force.
    pub(crate) fn new(script: Script) -> Self {
        let mut state = Self::default();
        state.install(script);
        state
    }

    /// Puts another script in force; its pending faults are added.
    pub(crate) fn install(&mut self, script: Script) {
        self.pending.extend(script.faults.iter().cloned());
        self.fired.retain(|(id, _), _| *id != script.id);
        self.script = Arc::new(script);
    }

    /// Adds faults that wait for their route.
    pub(crate) fn add_faults(&mut self, faults: Vec<Pending>) {
        self.pending.extend(faults);
    }

    /// Forgets everything but the script.
    pub(crate) fn reset(&mut self) {
        *self = Self { script: Arc::clone(&self.script), ..Self::default() };
    }

    /// Counts a request of `route`.
    pub(crate) fn count(&mut self, route: &str) {
        *self.routes.entry(route.to_owned()).or_default() += 1;
    }

    /// How often `route` was asked.
    pub(crate) fn counted(&self, route: &str) -> u64 {
        self.routes.get(route).copied().unwrap_or(0)
    }

    /// Keeps a request; returns its number.
    pub(crate) fn record(&mut self, mut request: Recorded) -> u64 {
        self.numbered += 1;
        request.number = self.numbered;
        self.request_bytes += request.bytes;
        self.requests.push_back(request);
        while self.requests.len() > REQUESTS
            || (self.request_bytes > REQUEST_BYTES && self.requests.len() > 1)
        {
            if let Some(gone) = self.requests.pop_front() {
                self.request_bytes -= gone.bytes;
            }
        }
        self.numbered
    }

    /// The kept request of this number.
    pub(crate) fn recorded(&mut self, number: u64) -> Option<&mut Recorded> {
        self.requests.iter_mut().rev().find(|request| request.number == number)
    }

    /// Counts a breach of the protocol and notes it at its request.
    pub(crate) fn breach(&mut self, number: u64, message: &str) {
        self.breaches += 1;
        if self.breach_texts.len() < BREACHES {
            self.breach_texts.push(format!("request {number}: {message}"));
        }
        if let Some(request) = self.recorded(number) {
            request.breach = Some(message.to_owned());
        }
    }

    /// Takes the next fault that waits for `route`.
    pub(crate) fn take_fault(&mut self, route: &str) -> Option<Fault> {
        let index = self.pending.iter().position(|pending| pending.route == route && pending.times > 0)?;
        let pending = self.pending.get_mut(index)?;
        pending.times -= 1;
        let fault = pending.fault.clone();
        if pending.times == 0 {
            self.pending.remove(index);
        }
        Some(fault)
    }

    /// How often a rule has answered.
    pub(crate) fn fired(&self, script: u64, rule: usize) -> u64 {
        self.fired.get(&(script, rule)).copied().unwrap_or(0)
    }

    /// Counts an answer of a rule.
    pub(crate) fn fire(&mut self, script: u64, rule: usize) {
        *self.fired.entry((script, rule)).or_default() += 1;
    }

    /// The last request of a thread.
    pub(crate) fn former(&self, thread: &str) -> Option<&Former> {
        self.threads.get(thread)
    }

    /// Remembers the last request of a thread, or forgets the thread.
    pub(crate) fn remember(&mut self, thread: &str, former: Option<Former>) {
        if let Some(old) = self.threads.remove(thread) {
            self.thread_bytes -= old.cost();
            self.thread_order.retain(|name| name != thread);
        }
        let Some(former) = former else { return };
        self.thread_bytes += former.cost();
        self.threads.insert(thread.to_owned(), former);
        self.thread_order.push_back(thread.to_owned());
        while self.threads.len() > THREADS || (self.thread_bytes > THREAD_BYTES && self.threads.len() > 1) {
            let Some(oldest) = self.thread_order.pop_front() else { break };
            if let Some(old) = self.threads.remove(&oldest) {
                self.thread_bytes -= old.cost();
            }
        }
    }

    /// The counters as JSON.
    pub(crate) fn summary(&self) -> Value {
        json!({
            "routes": self.routes,
            "answered": self.answered,
            "unmatched": self.unmatched,
            "breaches": self.breaches,
            "breach_texts": self.breach_texts,
            "pending_faults": self.pending.iter().map(|pending| pending.times).sum::<u64>(),
            "rules": self.script.rules.len(),
            "oauth": self.oauth.summary(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_wait_for_their_route_and_run_out() {
        let script = Script::read(
            "t",
            "[[fault]]\nkind = 'garbage'\ntimes = 2\n[[fault]]\nkind = 'unknown'\nroute = '/v1/models'\n",
        );
        let mut state = State::new(script.unwrap());
        assert_eq!(state.take_fault("/v1/models"), Some(Fault::UnknownEvents));
        assert_eq!(state.take_fault("/v1/models"), None);
        assert_eq!(state.take_fault("/v1/responses"), Some(Fault::Garbage));
        assert_eq!(state.take_fault("/v1/responses"), Some(Fault::Garbage));
        assert_eq!(state.take_fault("/v1/responses"), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut state = State::default();
        for n in 0..1100 {
            state.record(Recorded::new("GET", "/", BTreeMap::new(), &n.to_string()));
            let body = format!(r#"{{"input":[{n}]}}"#);
            state.remember(&n.to_string(), Former::of(&body, None));
        }
        assert_eq!(state.requests.len(), REQUESTS);
        assert_eq!((state.threads.len(), state.thread_order.len()), (THREADS, THREADS));
        assert!(state.former("0").is_none() && state.former("1099").is_some());
        assert_eq!(state.recorded(1100).map(|request| request.number), Some(1100));
    }
}
