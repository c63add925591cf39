//! What the model sees, append-only: an item once added is repeated byte for byte in every request. The only
//! exception is compaction, which starts a new list. Every call is answered exactly once.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::protocol::model_item::{ModelItem, ModelItemKind, OutputKind};

/// Estimate used where the server has not counted yet.
const BYTES_PER_TOKEN: u64 = 4;

/// The model's view of a thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    items: Vec<ModelItem>,
    bytes: u64,
    /// Tokens the server counted, and the bytes we had at that moment.
    counted: Option<(u64, u64)>,
}

impl History {
    /// Takes over a stored history. Outputs are put behind their calls in call order: they are stored in the
    /// order in which they became known.
    pub(crate) fn from_items(items: Vec<ModelItem>) -> Self {
        let mut history = Self::default();
        for item in in_call_order(items) {
            history.push(item);
        }
        history
    }

    /// Adds an item at the end.
    pub(crate) fn push(&mut self, item: ModelItem) {
        self.bytes += item.bytes() as u64;
        self.items.push(item);
    }

    /// All items in order.
    pub(crate) fn items(&self) -> &[ModelItem] {
        &self.items
    }

    /// Calls that have no output yet, in order.
    pub(crate) fn open_calls(&self) -> Vec<(String, OutputKind)> {
        let answered: HashSet<&str> = self
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ModelItemKind::Output { call_id } => Some(call_id.as_str()),
                _ => None,
            })
            .collect();
        self.items
            .iter()
            .filter_map(|item| match &item.kind {
                ModelItemKind::Call { call_id, output } if !answered.contains(call_id.as_str()) => {
                    Some((call_id.clone(), *output))
                }
                _ => None,
            })
            .collect()
    }

    /// Notes what the server counted for everything so far.
    pub(crate) fn counted(&mut self, total_tokens: u64) {
        self.counted = Some((total_tokens, self.bytes));
    }

    /// Context fill in tokens: the server's last count plus an estimate for what came after it. `fixed` is what
    /// requests carry besides, for as long as the server has not counted.
    pub(crate) fn tokens(&self, fixed: u64) -> u64 {
        match self.counted {
            Some((tokens, at)) => tokens + self.bytes.saturating_sub(at) / BYTES_PER_TOKEN,
            None => fixed + self.bytes / BYTES_PER_TOKEN,
        }
    }

    /// Forgets everything from the user's last `turns` messages on; returns how many there were.
    pub(crate) fn rewind(&mut self, turns: u32) -> u32 {
        let mut found = 0;
        while found < turns
            && let Some(at) = self.items.iter().rposition(|item| item.kind == ModelItemKind::User)
        {
            let gone: u64 = self.items.drain(at..).map(|item| item.bytes() as u64).sum();
            self.bytes = self.bytes.saturating_sub(gone);
            found += 1;
        }
        if found > 0 {
            // The server's count was for the longer conversation.
            self.counted = None;
        }
        found
    }

    /// Starts anew with these items, after a compaction.
    pub(crate) fn replace(&mut self, items: Vec<ModelItem>) {
        *self = Self::from_items(items);
    }
}

/// Moves every output behind its call. Calls that follow each other, remarks between them included, are answered
/// together and in their order; nobody else speaks before they are.
fn in_call_order(items: Vec<ModelItem>) -> Vec<ModelItem> {
    let mut sorted = Vec::with_capacity(items.len());
    let mut outputs: HashMap<String, VecDeque<ModelItem>> = HashMap::new();
    // An id may come again later in a thread, so outputs are taken in their order.
    let mut rest: Vec<Result<ModelItem, String>> = Vec::with_capacity(items.len());
    for item in items {
        match &item.kind {
            ModelItemKind::Output { call_id } => {
                let call_id = call_id.clone();
                outputs.entry(call_id.clone()).or_default().push_back(item);
                rest.push(Err(call_id));
            }
            _ => rest.push(Ok(item)),
        }
    }
    let mut open: Vec<String> = Vec::new();
    let mut answering = false;
    for item in rest {
        let item = match item {
            Ok(item) => item,
            Err(call_id) => {
                answering |= open.contains(&call_id);
                continue;
            }
        };
        let speaks =
            matches!(item.kind, ModelItemKind::User | ModelItemKind::Harness | ModelItemKind::Developer);
        if answering || speaks {
            answer(&mut sorted, &mut open, &mut outputs);
            answering = false;
        }
        if let ModelItemKind::Call { call_id, .. } = &item.kind {
            open.push(call_id.clone());
        }
        sorted.push(item);
    }
    answer(&mut sorted, &mut open, &mut outputs);
    sorted
}

fn answer(
    sorted: &mut Vec<ModelItem>,
    open: &mut Vec<String>,
    outputs: &mut HashMap<String, VecDeque<ModelItem>>,
) {
    sorted.extend(open.drain(..).filter_map(|call_id| outputs.get_mut(&call_id)?.pop_front()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: ModelItemKind) -> ModelItem {
        let json = serde_json::value::RawValue::from_string("{}".to_owned()).unwrap();
        ModelItem { json: json.into(), kind }
    }

    fn call(id: &str) -> ModelItem {
        item(ModelItemKind::Call { call_id: id.into(), output: OutputKind::Function })
    }

    fn output(id: &str) -> ModelItem {
        item(ModelItemKind::Output { call_id: id.into() })
    }

    fn order(history: &History) -> String {
        history
            .items()
            .iter()
            .map(|i| match &i.kind {
                ModelItemKind::Call { call_id, .. } => format!("c{call_id} "),
                ModelItemKind::Output { call_id } => format!("o{call_id} "),
                _ => "m ".to_owned(),
            })
            .collect()
    }

    #[test]
    fn stored_outputs_come_back_in_call_order() {
        let given = vec![
            item(ModelItemKind::User),
            call("1"),
            call("2"),
            call("3"),
            output("3"),
            output("1"),
            output("2"),
            item(ModelItemKind::Assistant),
            call("4"),
            output("4"),
        ];
        assert_eq!(order(&History::from_items(given)), "m c1 c2 c3 o1 o2 o3 m c4 o4 ");
    }

    #[test]
    fn outputs_join_their_calls_from_wherever_they_stand() {
        for (given, want) in [
            (
                vec![call("1"), item(ModelItemKind::Assistant), call("2"), output("2"), output("1")],
                "c1 m c2 o1 o2 ",
            ),
            (vec![call("1"), item(ModelItemKind::User), output("1")], "c1 o1 m "),
            (vec![call("1"), output("1"), call("1"), output("1")], "c1 o1 c1 o1 "),
            (vec![output("1"), call("2"), output("2")], "c2 o2 "),
        ] {
            assert_eq!(order(&History::from_items(given)), want);
        }
    }

    #[test]
    fn open_calls_are_those_without_output() {
        let history = History::from_items(vec![call("1"), call("2"), output("1")]);
        assert_eq!(history.open_calls(), vec![("2".to_owned(), OutputKind::Function)]);
    }

    #[test]
    fn rewinding_takes_back_whole_turns() {
        let turn = |id: &str| [item(ModelItemKind::Harness), item(ModelItemKind::User), call(id), output(id)];
        let mut history = History::from_items([turn("1"), turn("2"), turn("3")].concat());
        assert_eq!(history.rewind(2), 2);
        assert_eq!(order(&history), "m m c1 o1 m ", "what stood before the message stays");
        assert_eq!(history.rewind(5), 1, "there was only one left");
        assert!(history.open_calls().is_empty());
    }

    #[test]
    fn tokens_follow_the_server_and_estimate_the_rest() {
        let mut history = History::default();
        history.push(item(ModelItemKind::User));
        history.counted(1000);
        for _ in 0..4 {
            history.push(item(ModelItemKind::User));
        }
        assert_eq!(history.tokens(77), 1002, "four items of two bytes are two tokens");
    }
}
