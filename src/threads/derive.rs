//! Items that only calls and their outputs tell of. Other programs do not always store what a command or a tool
//! looked like, so it is worked out from what the model asked for and what it was told. Best effort by nature:
//! what cannot be worked out is shown as a plain call with its output.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::told::Told;
use super::written::join;
use crate::base::ids::ItemId;
use crate::protocol::item::{
    ChangeKind, CommandItem, CommandSource, FileChange, Item, ItemStatus, ToolStatus,
};

/// What is said of a call whose output is not stored.
const NO_OUTPUT: &str = "interrupted";

#[derive(Deserialize)]
struct CallIn {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    call_id: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    arguments: Option<String>,
    #[serde(default)]
    input: Option<String>,
    #[serde(default)]
    action: Value,
}

/// The item of a call, not finished; `None` for items that show nothing.
pub(crate) fn call(raw: &RawValue, cwd: &Path) -> Option<Item> {
    let call: CallIn = serde_json::from_str(raw.get()).ok()?;
    if call.kind == "web_search_call" {
        let word = |key| call.action.get(key).and_then(Value::as_str);
        let query = word("query").or(word("url")).unwrap_or_default().to_owned();
        return Some(Item::WebSearch { id: call.id?.into(), query });
    }
    let id = ItemId::from(call.call_id?);
    if call.kind == "local_shell_call" {
        let dir = call.action.get("working_directory").and_then(Value::as_str).map(PathBuf::from);
        return Some(command(id, call.action.get("command")?, dir, cwd, CommandSource::Agent));
    }
    let text = call.input.or(call.arguments).unwrap_or_default();
    let arguments: Value = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
    let dir = || arguments.get("workdir").and_then(Value::as_str).map(PathBuf::from);
    match &*call.name {
        "exec_command" if arguments.get("cmd").is_some() => {
            Some(command(id, arguments.get("cmd")?, dir(), cwd, CommandSource::UnifiedExecStartup))
        }
        "shell" | "shell_command" | "container.exec" if arguments.get("command").is_some() => {
            Some(command(id, arguments.get("command")?, dir(), cwd, CommandSource::Agent))
        }
        "apply_patch" => {
            let patch = arguments.get("input").and_then(Value::as_str).unwrap_or(&text);
            let status = ItemStatus::InProgress;
            Some(Item::FileChange { id, changes: changes(patch, cwd), status, error: None })
        }
        "view_image" if arguments.get("path").is_some() => {
            let path = arguments.get("path").and_then(Value::as_str).unwrap_or_default();
            Some(Item::ImageView { id, path: cwd.join(path) })
        }
        _ => Some(Item::ToolCall {
            id,
            tool: call.name,
            arguments,
            status: ToolStatus::InProgress,
            success: None,
            output: None,
        }),
    }
}

/// A command that is not finished. `dir` is where it ran, as the call says it; without it, `cwd`.
pub(super) fn command(
    id: ItemId,
    line: &Value,
    dir: Option<PathBuf>,
    cwd: &Path,
    source: CommandSource,
) -> Item {
    let line = match line {
        Value::String(text) => text.clone(),
        Value::Array(words) => {
            let words: Vec<String> = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            join(&words).unwrap_or_else(|| words.join(" "))
        }
        other => other.to_string(),
    };
    Item::CommandExecution(CommandItem {
        id,
        command: line,
        cwd: dir.map_or_else(|| cwd.to_owned(), |dir| cwd.join(dir)),
        process_id: None,
        source,
        status: ItemStatus::InProgress,
        command_actions: Vec::new(),
        aggregated_output: None,
        exit_code: None,
        duration_ms: None,
    })
}

/// Files of a patch by its section headers; the hunks are the diff as the model wrote it.
fn changes(patch: &str, cwd: &Path) -> Vec<FileChange> {
    let mut files: Vec<FileChange> = Vec::new();
    for line in patch.lines() {
        let header = [
            ("*** Add File: ", ChangeKind::Add),
            ("*** Delete File: ", ChangeKind::Delete),
            ("*** Update File: ", ChangeKind::Update { move_path: None }),
        ]
        .into_iter()
        .find_map(|(word, kind)| Some((line.strip_prefix(word)?, kind)));
        if let Some((path, kind)) = header {
            files.push(FileChange { path: cwd.join(path.trim()), kind, diff: String::new() });
        } else if let Some(file) = files.last_mut() {
            match (&mut file.kind, line) {
                (ChangeKind::Update { move_path }, line) if line.starts_with("*** Move to: ") => {
                    *move_path = line.strip_prefix("*** Move to: ").map(|to| cwd.join(to.trim()));
                }
                (_, line) if line.starts_with("*** ") => {}
                (ChangeKind::Add, line) => {
                    file.diff.push_str(line.strip_prefix('+').unwrap_or(line));
                    file.diff.push('\n');
                }
                (_, line) => {
                    file.diff.push_str(line);
                    file.diff.push('\n');
                }
            }
        }
    }
    files
}

#[derive(Deserialize)]
struct OutputIn {
    call_id: String,
    #[serde(default)]
    output: Value,
}

/// The text of a stored output and the call it answers.
pub(crate) fn output(raw: &RawValue) -> Option<(ItemId, String)> {
    let read: OutputIn = serde_json::from_str(raw.get()).ok()?;
    let text = match &read.output {
        Value::String(text) => text.clone(),
        Value::Array(parts) => texts(parts),
        Value::Object(object) => match object.get("content") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => texts(parts),
            _ => read.output.to_string(),
        },
        _ => String::new(),
    };
    Some((read.call_id.into(), text))
}

fn texts(parts: &[Value]) -> String {
    let texts = parts.iter().map(|part| part.get("text").and_then(Value::as_str).unwrap_or("[image]"));
    texts.collect::<Vec<_>>().join("\n")
}

/// Finishes an item with the output of its call; `None` when there is none.
pub(crate) fn complete(item: &mut Item, text: Option<&str>) {
    match item {
        Item::CommandExecution(command) => complete_command(command, text),
        Item::FileChange { status, error, .. } => {
            let fine = text.is_some_and(|text| {
                Told::read(text).exit_code.map_or(text.trim_start().starts_with("Success"), |code| code == 0)
            });
            *status = if fine { ItemStatus::Completed } else { ItemStatus::Failed };
            *error = (!fine).then(|| text.unwrap_or(NO_OUTPUT).to_owned());
        }
        Item::ToolCall { tool, status, success, output, .. } => {
            let failed = text.is_none_or(|text| {
                text.starts_with("unsupported call") || text.starts_with(&format!("{tool} failed"))
            });
            *status = if failed { ToolStatus::Failed } else { ToolStatus::Completed };
            *success = failed.then_some(false);
            *output = Some(text.unwrap_or(NO_OUTPUT).to_owned());
        }
        _ => {}
    }
}

fn complete_command(command: &mut CommandItem, text: Option<&str>) {
    let Some(text) = text else {
        command.status = ItemStatus::Failed;
        command.aggregated_output = Some(String::new());
        return;
    };
    let told = Told::read(text);
    // A command that went on in the background has no exit code and did not fail.
    let fine = told.exit_code == Some(0) || (told.exit_code.is_none() && told.session.is_some());
    command.status = if fine { ItemStatus::Completed } else { ItemStatus::Failed };
    command.exit_code = told.exit_code;
    command.process_id = told.session;
    command.duration_ms = told.duration_ms;
    command.aggregated_output = Some(told.output);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(call_json: &str, output_text: Option<&str>) -> Item {
        let raw = RawValue::from_string(call_json.to_owned()).unwrap();
        let mut item = call(&raw, Path::new("/p")).unwrap();
        complete(&mut item, output_text);
        item
    }

    #[test]
    fn commands_of_every_spelling() {
        for (json, line, dir) in [
            (
                r#"{"type":"function_call","call_id":"c","name":"exec_command","arguments":"{\"cmd\":\"ls\",\"workdir\":\"d\"}"}"#,
                "ls",
                "/p/d",
            ),
            (
                r#"{"type":"function_call","call_id":"c","name":"shell","arguments":"{\"command\":[\"a\",\"b c\"]}"}"#,
                "a 'b c'",
                "/p",
            ),
            (
                r#"{"type":"function_call","call_id":"c","name":"shell_command","arguments":"{\"command\":\"x\",\"workdir\":\"/q\"}"}"#,
                "x",
                "/q",
            ),
            (
                r#"{"type":"local_shell_call","call_id":"c","action":{"type":"exec","command":["pwd"],"working_directory":"/w"}}"#,
                "pwd",
                "/w",
            ),
        ] {
            let Item::CommandExecution(command) =
                item(json, Some("Exit code: 2\nWall time: 1.5 seconds\nOutput:\nx\n"))
            else {
                panic!("{json}")
            };
            assert_eq!((&*command.command, &*command.cwd), (line, Path::new(dir)));
            assert_eq!((command.exit_code, command.duration_ms), (Some(2), Some(1500)));
            assert_eq!(
                (command.status, command.aggregated_output.as_deref()),
                (ItemStatus::Failed, Some("x\n"))
            );
        }
    }

    #[test]
    fn outputs_of_every_spelling() {
        let call =
            r#"{"type":"function_call","call_id":"c","name":"exec_command","arguments":"{\"cmd\":\"ls\"}"}"#;
        for (text, status, code, output) in [
            (
                Some(r#"{"output":"o","metadata":{"exit_code":0,"duration_seconds":0.1}}"#),
                ItemStatus::Completed,
                Some(0),
                "o",
            ),
            (Some("Process running with session ID 7\nOutput:\n"), ItemStatus::Completed, None, ""),
            (Some("refused by the user"), ItemStatus::Failed, None, "refused by the user"),
            (None, ItemStatus::Failed, None, ""),
        ] {
            let Item::CommandExecution(command) = item(call, text) else { panic!() };
            assert_eq!((command.status, command.exit_code), (status, code), "{text:?}");
            assert_eq!(command.aggregated_output.as_deref(), Some(output), "{text:?}");
        }
    }

    #[test]
    fn patches_and_unknown_tools() {
        let patch = r#"{"type":"custom_tool_call","call_id":"c","name":"apply_patch","input":"*** Begin Patch\n*** Update File: a\n*** Move to: b\n@@\n-x\n+y\n*** Add File: n\n+new\n*** End Patch"}"#;
        let Item::FileChange { changes, status, .. } = item(patch, Some("Success. Updated")) else {
            panic!()
        };
        assert_eq!(status, ItemStatus::Completed);
        assert_eq!(changes[0].kind, ChangeKind::Update { move_path: Some("/p/b".into()) });
        assert_eq!((&*changes[0].diff, &*changes[1].diff), ("@@\n-x\n+y\n", "new\n"));
        let odd = r#"{"type":"function_call","call_id":"c","name":"odd","arguments":"{not json"}"#;
        let Item::ToolCall { arguments, status, output, .. } = item(odd, Some("unsupported call: odd"))
        else {
            panic!()
        };
        assert_eq!(arguments, Value::String("{not json".into()));
        assert_eq!((status, output.as_deref()), (ToolStatus::Failed, Some("unsupported call: odd")));
    }
}
