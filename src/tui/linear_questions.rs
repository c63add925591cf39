//! The questions of plain lines before there is a thread: trust, which thread, in which folder. Each is put once and waits
//! for a line; a line that was typed before it could be heard is no answer, but for the empty one, which leaves.

use std::path::Path;
use std::time::{Duration, Instant};

use super::door::{Begin, Call, Door, Elsewhere, ThreadFilter};
use super::keys::GUARD_MS;
use super::linear::say;
use super::narrator::TOO_SOON;
use super::popups::resume::age;
use super::setup::AskTrust;
use super::terminal::Keyboard;
use super::text;
use crate::base::clock::{Clock, SystemClock};

/// Threads that are read out.
const LISTED: usize = 20;

/// Asks for trust. False when the user leaves.
pub(super) async fn trust(ask: &AskTrust, door: &Door, keyboard: &mut Keyboard) -> bool {
    say([
        "May codex work in this folder? It reads, changes and runs files here and follows instructions in them.",
        &format!("1: trust this folder: {}", ask.trusted),
        &format!("2: only look: {}", ask.looking),
        "3: leave",
        "Type a number and press enter.",
    ]);
    let put = Instant::now();
    loop {
        let Some(line) = typed(keyboard).await else { return false };
        match line.as_str() {
            "" => return false,
            _ if !heard(put) => say([TOO_SOON]),
            "1" => {
                if let Err(error) = door.call(Call::Trust).await {
                    say([format!("Error: {error}")]);
                }
                return true;
            }
            "2" => {
                if let Err(error) = door.call(Call::LookOnly).await {
                    say([format!("Error: {error}")]);
                    return false;
                }
                return true;
            }
            "3" => return false,
            _ => say(["Type 1, 2 or 3 and press enter."]),
        }
    }
}

/// Lists the newest stored threads and takes one by its number. `None` when the user leaves.
pub(super) async fn pick(filter: ThreadFilter, door: &Door, keyboard: &mut Keyboard) -> Option<Begin> {
    let mut rows = Vec::new();
    if let Ok(mut batches) = door.threads(filter).await {
        while rows.len() < LISTED
            && let Some(batch) = batches.recv().await
        {
            rows.extend(batch);
        }
    }
    rows.truncate(LISTED);
    if rows.is_empty() {
        say(["There is no earlier thread here; this is a new one."]);
        return Some(Begin::New);
    }
    let now = SystemClock.now_ms();
    say(rows.iter().enumerate().map(|(at, row)| {
        let title = text::sanitize(&row.title).replace('\n', " ");
        format!("{}: {title}, {}", at + 1, age(now.saturating_sub(row.at_ms)))
    }));
    say(["Type a number and press enter to go on with that thread; enter alone begins a new one."]);
    loop {
        let line = typed(keyboard).await?;
        let row = line.parse::<usize>().ok().and_then(|number| rows.get(number.checked_sub(1)?));
        match row {
            Some(row) => return Some(Begin::Resume(row.id)),
            None if line.is_empty() => return Some(Begin::New),
            None => say([format!("Type a number from 1 to {} and press enter.", rows.len())]),
        }
    }
}

/// Asks where to go on with a thread that worked in another folder. `None` when the user leaves.
pub(super) async fn placed(begin: Begin, door: &Door, keyboard: &mut Keyboard) -> Option<Begin> {
    if begin == Begin::New {
        return Some(begin);
    }
    let found = door.call(|reply| Call::Locate(begin.clone(), reply)).await;
    let Ok(Some(Elsewhere { id, there, exists, permissions, here })) = found else {
        return Some(begin);
    };
    let named = |folder: &Path| text::reveal_line(&folder.display().to_string());
    if !exists {
        say([format!("This thread worked in {}, which is gone; it goes on in this folder.", named(&there))]);
        return Some(begin);
    }
    say([
        format!("This thread began in {}. Where to go on?", named(&there)),
        format!("1: in this folder, {}", named(&here)),
        format!("2: in its own, with these permissions: {permissions}"),
        "Type a number and press enter; enter alone leaves.".to_owned(),
    ]);
    let put = Instant::now();
    loop {
        let line = typed(keyboard).await?;
        match line.as_str() {
            "" => return None,
            _ if !heard(put) => say([TOO_SOON]),
            "1" => return Some(Begin::ResumeIn(id, here)),
            "2" => return Some(Begin::ResumeIn(id, there)),
            _ => say(["Type 1 or 2 and press enter."]),
        }
    }
}

/// Whether anybody can have heard a question that was put then.
fn heard(put: Instant) -> bool {
    put.elapsed() >= Duration::from_millis(GUARD_MS)
}

/// The next line; `None` at the end of the input.
async fn typed(keyboard: &mut Keyboard) -> Option<String> {
    let bytes = keyboard.read().await.ok().filter(|bytes| !bytes.is_empty())?;
    Some(String::from_utf8_lossy(bytes).trim().to_owned())
}
