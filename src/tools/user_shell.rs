//! The user's own command (`!ls`): their shell, their rights, no sandbox and no question, because a person typed
//! it. It is shown live like any command, and the model reads about it with its next request.

use std::time::Duration;

use super::commands::{Commands, Reached};
use super::context::ToolContext;
use super::gate::CommandRequest;
use super::output;
use crate::base::ids::ItemId;
use crate::process::shell::Shell;
use crate::process::spawn::Exit;
use crate::protocol::item::CommandSource;

/// A forgotten command ends after this long.
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

impl Commands {
    /// Runs `script` to its end or until `ctx.cancel` fires; returns the record for the model.
    pub(crate) async fn run_for_user(&self, ctx: &ToolContext, id: ItemId, script: &str) -> String {
        let request = CommandRequest {
            argv: Shell::of_user(&ctx.env).argv(script, true),
            script: Some(script.to_owned()),
            cwd: ctx.cwd.clone(),
            escalate: false,
            justification: None,
            prefix_rule: None,
            item_id: id,
            tty: false,
        };
        let (code, wall, output) = match self
            .run_unasked(ctx, &request, CommandSource::UserShell, LIMIT)
            .await
        {
            Reached::Done(mut live, _) => {
                let code = live.exit().map_or(-1, Exit::code);
                live.complete().await;
                let (chunk, file) = live.take(ctx.output_tokens);
                (code, live.wall(), output::within(&chunk, ctx.output_tokens, file.as_ref()))
            }
            Reached::Aborted(mut live) => {
                let (chunk, file) = live.take(ctx.output_tokens);
                let text = output::within(&chunk, ctx.output_tokens, file.as_ref());
                (-1, live.wall(), format!("{text}\n[stopped by the user]"))
            }
            Reached::Refused(why) | Reached::Failed(why) => return record(script, -1, Duration::ZERO, &why),
        };
        record(script, code, wall, &output)
    }
}

/// What the model reads. The tags are those of the rollout format, by which readers know the record.
fn record(script: &str, code: i32, wall: Duration, output: &str) -> String {
    format!(
        "<user_shell_command>\n<command>\n{script}\n</command>\n<result>\nExit code: {code}\nDuration: {:.4} \
         seconds\nOutput:\n{output}\n</result>\n</user_shell_command>",
        wall.as_secs_f64()
    )
}
