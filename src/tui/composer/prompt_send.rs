//! What leaves the prompt, and what goes into it from a list: sending, running commands, taking a chosen row,
//! opening a paste.

use super::complete::{Popup, Subject, inserted_path, subject};
use super::draft::Draft;
use super::effect::{Effect, Env};
use super::elements::Element;
use super::prompt::Composer;
use super::send::{self, Sending};
use super::undo::Kind;
use crate::tui::slash::Command;

impl Composer {
    /// Takes the chosen row; `complete` only writes a command's name.
    pub(super) fn accept(&mut self, complete: bool, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        match self.completion.popup() {
            Some(Popup::Commands(list)) => {
                let Some(command) = list.chosen().map(|row| row.command) else { return false };
                if !complete {
                    self.run(command, String::new(), env, out);
                    return true;
                }
                let end = self.area.text().len();
                self.area.replace(0, end, &format!("/{} ", command.name()), Kind::Other);
                true
            }
            Some(Popup::Files(files)) => {
                let Some(hit) = files.found.chosen() else { return false };
                let path = inserted_path(hit);
                let (text, cursor) = (self.area.text(), self.area.cursor());
                let Some(Subject::File { start, .. }) = subject(text, cursor, self.shell) else {
                    return false;
                };
                self.area.replace(start, cursor, &path, Kind::Other);
                true
            }
            None => false,
        }
    }

    // --- sending ---

    /// Sends what stands in the prompt. False when there is nothing to send.
    pub(super) fn submit(&mut self, queue: bool, env: &Env<'_>, out: &mut Vec<Effect>) -> bool {
        let draft = self.draft();
        if draft.is_blank() && !self.shell {
            return false;
        }
        match send::decide(&draft, env.running) {
            Sending::Not(reason) => out.push(Effect::Notice(reason)),
            Sending::Command(command, args) => self.run(command, args, env, out),
            Sending::Shell(command) => {
                out.push(Effect::Remember(draft.to_history()));
                out.push(Effect::Shell(command));
                self.sent(draft);
            }
            Sending::Prompt => {
                out.push(Effect::Remember(draft.to_history()));
                self.sent(draft.clone());
                out.push(if queue { Effect::Queue(draft) } else { Effect::Submit(draft) });
            }
        }
        true
    }

    fn sent(&mut self, draft: Draft) {
        self.clear();
        self.history.remember(draft);
    }

    /// Runs a command, or tells why not and leaves the text.
    fn run(&mut self, command: Command, args: String, env: &Env<'_>, out: &mut Vec<Effect>) {
        if let Some(reason) = send::refusal(command, &args, env.running) {
            out.push(Effect::Notice(reason));
        } else if command == Command::Mention {
            self.clear();
            self.area.insert("@");
        } else {
            self.sent(Draft::from_text(format!("/{} {args}", command.name()).trim_end()));
            out.push(Effect::Command(command, args));
        }
    }

    /// Opens the paste under the cursor, so that it can be edited in place.
    pub(super) fn open_paste(&mut self, out: &mut Vec<Effect>) {
        let Some((token, Element::Paste { text, .. })) = self.area.paste_under_cursor() else { return };
        if text.len() > super::OPEN_LIMIT {
            out.push(Effect::Notice(
                "This paste is too long to open here; ctrl-g opens it in your editor".into(),
            ));
            return;
        }
        let text = text.clone();
        let start = self.area.cursor();
        self.area.replace(start, start + token.len_utf8(), &text, Kind::Other);
    }
}
