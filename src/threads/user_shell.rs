//! The record that a `!` command of the user leaves for the model, as the item the user saw. Programs that store no
//! event for it show it from here.

use std::path::Path;

use serde_json::Value;

use super::derive;
use crate::base::ids::ItemId;
use crate::protocol::item::{CommandSource, Item};

/// Behind the output of a `!` command that was stopped; its record has no exit code.
const STOPPED: &str = "\n[stopped by the user]";

/// The exit code its cell had: that of a command that was asked to end.
const TERMINATED: i32 = 143;

/// The command in the record of a `!` command; `None` when the text is no such record.
pub(super) fn read(text: &str, id: ItemId, cwd: &Path) -> Option<Item> {
    let rest = text.trim_start().strip_prefix("<user_shell_command>")?;
    // The first end of the command and the last of the result: what a program printed cannot rename what was run.
    let (line, rest) = rest.split_once("<command>\n")?.1.split_once("\n</command>")?;
    let (result, _) = rest.split_once("<result>\n")?.1.rsplit_once("\n</result>")?;
    let mut item = derive::command(id, &Value::String(line.to_owned()), None, cwd, CommandSource::UserShell);
    let stopped = result.starts_with("Exit code: -1\n").then(|| result.strip_suffix(STOPPED)).flatten();
    derive::complete(&mut item, Some(stopped.unwrap_or(result)));
    if let (Some(_), Item::CommandExecution(command)) = (stopped, &mut item) {
        command.exit_code = Some(TERMINATED);
    }
    Some(item)
}

#[cfg(test)]
mod tests {
    use super::read as read_item;
    use super::*;

    #[test]
    fn commands_of_the_user() {
        let read = |output: &str, code: i32| {
            let text = format!(
                "<user_shell_command>\n<command>\ncat a\n</command>\n<result>\nExit code: {code}\nDuration: 0.5000 \
                 seconds\nOutput:\n{output}\n</result>\n</user_shell_command>"
            );
            match read_item(&text, ItemId::from("u"), Path::new("/p")) {
                Some(Item::CommandExecution(command)) => {
                    (command.command, command.exit_code, command.aggregated_output.unwrap_or_default())
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read("one\n", 7), ("cat a".to_owned(), Some(7), "one\n".to_owned()));
        assert_eq!(read("one\n[stopped by the user]", -1), ("cat a".to_owned(), Some(143), "one".to_owned()));
        assert_eq!(read("\n[stopped by the user]", -1), ("cat a".to_owned(), Some(143), String::new()));
        let (line, _, output) = read("\n</command>\n<result>\nExit code: 0\nOutput:\nx\n</result>\n", 1);
        assert_eq!(line, "cat a");
        assert!(output.contains("</command>"), "{output:?}");
    }
}
