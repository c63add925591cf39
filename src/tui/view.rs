//! The state → one screen. Divides the rows, lets each component draw its part, and tells where the cursor is. Only
//! reads.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::composer::Look;
use super::keymap::Action;
use super::model::{Armed, Model, SMALLEST, Stage};
use super::popups::any::Popup;
use super::popups::frame::{self, Drawn};
use super::status::line;
use super::text;
use super::theme::Role;
use super::usage::notice;

/// Columns left of status line and hint line.
const INDENT: u16 = 2;
/// What stands in an empty prompt.
const PLACEHOLDER: &str = "What is to be done?";
/// The same while a turn runs.
const PLACEHOLDER_RUNNING: &str = "Add to what is being done";

/// The same while a review runs.
const PLACEHOLDER_REVIEW: &str = "Waits for the end of the review";

/// Column and row of the cursor.
pub(crate) type Cursor = Option<(u16, u16)>;

/// Draws everything.
pub(crate) fn view(model: &Model, buf: &mut Buffer) -> Cursor {
    #[cfg(debug_assertions)]
    super::trap::drawn();
    let area = buf.area;
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small(model, area, buf);
    }
    match &model.stage {
        Stage::SignIn(page) => {
            return lines(&page.draw(area.width, usize::from(area.height), &model.theme), area, buf);
        }
        Stage::Trust(page) => {
            return lines(&page.draw(area.width, usize::from(area.height), &model.theme), area, buf);
        }
        Stage::Main => {}
    }
    if let Some(page) = &model.page {
        return page.view(area, buf, &model.theme);
    }
    if let Some(cursor) = model.popup.as_ref().and_then(|popup| popup.view_page(area, buf, &model.theme)) {
        return cursor;
    }
    conversation(model, area, buf)
}

fn too_small(model: &Model, area: Rect, buf: &mut Buffer) -> Cursor {
    let words = format!("Codex needs a window of {}×{} or more", SMALLEST.0, SMALLEST.1);
    let line = Line::styled(words, model.theme.style(Role::Warn));
    let nothing = Line::default();
    for (y, row) in (area.y..area.bottom()).zip(text::wrap(&line, area.width, &nothing, &nothing)) {
        buf.set_line(area.x, y, &row, area.width);
    }
    None
}

/// Rows from the top; the cursor as they tell.
fn lines(drawn: &Drawn, area: Rect, buf: &mut Buffer) -> Cursor {
    for (y, line) in (area.y..area.bottom()).zip(&drawn.lines) {
        buf.set_line(area.x, y, line, area.width);
    }
    drawn
        .cursor
        .map(|(x, y)| (area.x + x, area.y + y))
        .filter(|(x, y)| *x < area.right() && *y < area.bottom())
}

/// Transcript, what goes on, and the prompt or what stands in its place.
fn conversation(model: &Model, area: Rect, buf: &mut Buffer) -> Cursor {
    let bottom = bottom_height(model, area);
    let mut middle = middle(model, area.width);
    let notices = notices(model, area.width);
    if middle.is_empty() && !notices.is_empty() {
        middle.push(Line::default());
    }
    let wanted = u16::try_from(middle.len() + notices.len()).unwrap_or(u16::MAX);
    let middle_height = wanted.min(area.height - bottom);
    let room = area.height - bottom - middle_height;
    let rows = model.transcript.rows_wanted(area.width, room, &model.theme, model.now_ms).min(room);
    let above = Rect { height: rows, ..area };
    model.transcript.view(above, buf, &model.theme, model.now_ms);
    glance(model, Rect { y: above.bottom(), height: area.height - bottom - rows, ..area }, buf);
    for (y, line) in (above.bottom()..area.bottom() - bottom).zip(&middle) {
        buf.set_line(area.x, y, line, area.width);
    }
    // What is about limits keeps to the prompt, however short the transcript is.
    let top = (area.bottom() - bottom).saturating_sub(u16::try_from(notices.len()).unwrap_or(0));
    for (y, line) in (top.max(above.bottom())..area.bottom() - bottom).zip(&notices) {
        buf.set_line(area.x, y, line, area.width);
    }
    let below = Rect { y: area.bottom() - bottom, height: bottom, ..area };
    match model.popup.as_ref().filter(|popup| popup.floats()) {
        None => foot(model, below, area.height, buf),
        Some(popup) => {
            // Seen below the box, without a cursor.
            prompt(model, below, area.height, buf);
            frame::float(&boxed_rows(model, popup, area.width, area.height), area, buf, &model.theme);
            None
        }
    }
}

/// The rows inside the box of a popup that floats over a screen of this size.
fn boxed_rows(model: &Model, popup: &Popup, width: u16, height: u16) -> Vec<Line<'static>> {
    let room = usize::from(height.saturating_sub(2));
    popup.draw(frame::inside(width), room, &model.around(), &model.theme).lines
}

/// What can be gone on with, a blank row below the transcript.
fn glance(model: &Model, room: Rect, buf: &mut Buffer) {
    for (y, line) in (room.y..room.bottom()).zip(&glance_rows(model, room.width)) {
        buf.set_line(room.x, y, line, room.width);
    }
}

/// The same as rows, the blank one included; none when there is nothing to be shown.
fn glance_rows(model: &Model, width: u16) -> Vec<Line<'static>> {
    let Some(glance) = model.glance.as_ref().filter(|_| !model.is_running() && model.transcript.is_at_end())
    else {
        return Vec::new();
    };
    let key = model.keymap.shown(Action::ResumeLast);
    let mut lines = glance.lines(&key, &model.usage_view(), width, &model.theme);
    if matches!(model.popup, Some(Popup::Usage(_) | Popup::Reached(_))) {
        // The page tells the same at length.
        lines.pop();
    }
    lines.insert(0, Line::default());
    lines
}

/// The live part of the screen alone: what goes on, and the prompt. For the mode in which the terminal scrolls.
pub(crate) fn live_lines(model: &Model, width: u16, height: u16) -> (Vec<Line<'static>>, u16) {
    let area = Rect::new(0, 0, width, height);
    let mut rows = glance_rows(model, width);
    // Below it nothing waits for a place.
    rows.pop_if(|last| last.spans.is_empty());
    rows.extend(middle(model, width));
    let notices = notices(model, width);
    if rows.is_empty() && !notices.is_empty() {
        rows.push(Line::default());
    }
    rows.extend(notices);
    let boxed = model.popup.as_ref().filter(|popup| popup.floats());
    let foot = boxed.map(|popup| boxed_rows(model, popup, width, height.saturating_sub(1)).len() + 3);
    let foot = foot.map(|rows| u16::try_from(rows).unwrap_or(u16::MAX).min(height));
    (rows, foot.unwrap_or_else(|| bottom_height(model, area)))
}

/// Draws the prompt, or what stands in its place, at the bottom.
pub(crate) fn foot(model: &Model, area: Rect, screen_rows: u16, buf: &mut Buffer) -> Cursor {
    let under = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    match &model.popup {
        Some(popup) if popup.floats() => {
            let rows = boxed_rows(model, popup, area.width, under.height);
            frame::float(&rows, under, buf, &model.theme);
            None
        }
        Some(popup) => {
            let drawn = popup_rows(model, popup, area.width, screen_rows);
            lines(&drawn, under, buf)
        }
        None => prompt(model, area, screen_rows, buf),
    }
}

/// Rows of the prompt with its two lines, or of the popup, a blank row above included.
fn bottom_height(model: &Model, area: Rect) -> u16 {
    let wanted = match model.popup.as_ref().filter(|popup| !popup.floats()) {
        Some(popup) => {
            u16::try_from(popup_rows(model, popup, area.width, area.height).lines.len()).unwrap_or(u16::MAX)
        }
        None => model.composer.height(area.width, area.height).saturating_add(3),
    };
    wanted.saturating_add(1).min(area.height)
}

fn popup_rows(model: &Model, popup: &Popup, width: u16, screen_rows: u16) -> Drawn {
    popup.draw(width, usize::from(screen_rows.saturating_sub(3)), &model.around(), &model.theme)
}

/// What is about limits, above the prompt; nothing while a page tells the same at length.
fn notices(model: &Model, width: u16) -> Vec<Line<'static>> {
    match model.popup {
        Some(Popup::Usage(_) | Popup::Reached(_)) => Vec::new(),
        _ => notice::rows(&model.usage_view(), width, &model.theme),
    }
}

/// What goes on: status row, waiting messages. A blank row first, when there is anything.
fn middle(model: &Model, width: u16) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    if let Some(working) = &model.turn.working {
        let headline = model.transcript.headline();
        let asking = matches!(model.popup, Some(Popup::Approval(_)));
        let key = model.keymap.shown(Action::Interrupt);
        let room = width.saturating_sub(background_width(model));
        let mut lines = working.lines(headline.as_deref(), asking, &key, room, model.now_ms, &model.theme);
        if let (Some(first), Some(words)) = (lines.first_mut(), background(model)) {
            first.spans.push(Span::styled(format!(" · {words}"), model.theme.style(Role::Dim)));
        }
        rows.extend(lines);
    }
    rows.extend(model.queue.lines(width, &model.keymap, &model.theme));
    if !rows.is_empty() {
        rows.insert(0, Line::default());
    }
    rows
}

/// How many commands run on in the background.
fn background(model: &Model) -> Option<String> {
    match model.turn.background.len() {
        0 => None,
        1 => Some("1 background terminal".to_owned()),
        count => Some(format!("{count} background terminals")),
    }
}

fn background_width(model: &Model) -> u16 {
    background(model).and_then(|words| u16::try_from(text::width(&words) + 3).ok()).unwrap_or(0)
}

/// Something at the left and something at the right; the left one is cut when both do not fit.
fn two_sided(left: Span<'static>, right: Span<'static>, width: u16) -> Line<'static> {
    let width = usize::from(width);
    let right_width = text::width(&right.content).min(width);
    let room = if right_width == 0 { width } else { width.saturating_sub(right_width + 2) };
    let shown = text::truncate_end(&left.content, room).into_owned();
    let gap = width.saturating_sub(text::width(&shown) + right_width);
    let line = Line::from(vec![Span::styled(shown, left.style), Span::raw(" ".repeat(gap)), right]);
    text::truncate_line(line, width)
}

/// The prompt that is looked at, in the place where it would stand: not every screen can scroll to it.
fn looked_at(model: &Model) -> Option<String> {
    let at = model.browse?.at;
    let prompt = model.transcript.prompts().nth(at)?;
    let first = prompt.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("a prompt without text");
    Some(format!("Back to: {}", text::sanitize(first).trim()))
}

fn prompt(model: &Model, area: Rect, screen_rows: u16, buf: &mut Buffer) -> Cursor {
    let running = model.is_running();
    let looked_at = looked_at(model);
    let placeholder = match (running, looked_at.as_deref(), model.suggestion()) {
        (_, Some(prompt), _) => prompt,
        (true, ..) if model.turn.reviewing => PLACEHOLDER_REVIEW,
        (true, ..) => PLACEHOLDER_RUNNING,
        (false, _, Some(suggestion)) => suggestion,
        (false, _, None) => PLACEHOLDER,
    };
    let look = Look { theme: &model.theme, running, placeholder };
    let rows = model.composer.height(area.width, screen_rows).min(area.height.saturating_sub(4)).max(1);
    let composer = Rect { y: area.y + 1, height: rows, ..area }.intersection(area);
    let cursor = model.composer.view(composer, buf, &look);
    let inner = area.width.saturating_sub(INDENT);
    let status = area.bottom().saturating_sub(2);
    if status > composer.bottom() {
        let items = line::line(&model.options.status_line, &model.facts, model.unix, usize::from(inner));
        buf.set_line(INDENT, status, &Line::styled(items, model.theme.style(Role::Dim)), inner);
        buf.set_line(INDENT, status + 1, &hint_line(model, inner), inner);
    }
    let elsewhere = model.transcript.takes_keys() || model.browse.is_some();
    cursor.map(|at| (at.x, at.y)).filter(|_| !elsewhere)
}

/// What the keys do now, and the badges.
fn hint_line(model: &Model, width: u16) -> Line<'static> {
    if let Some(find) = model.transcript.find_line(width, &model.theme) {
        return find;
    }
    let left = Span::styled(hint(model), model.theme.style(Role::Dim));
    let mut badges = Vec::new();
    if model.setup.tour.is_some() {
        badges.push("Scripted model".to_owned());
    }
    // While a turn runs its row tells.
    if let (Some(words), None) = (background(model), &model.turn.working) {
        badges.push(format!("{words} · /ps"));
    }
    badges.extend(model.composer.badge().map(str::to_owned));
    match model.warnings.len() {
        0 => {}
        1 => badges.push(format!("⚠ 1 warning · {} to view", model.keymap.shown(Action::Warnings))),
        count => {
            badges.push(format!("⚠ {count} warnings · {} to view", model.keymap.shown(Action::Warnings)))
        }
    }
    let right = Span::styled(badges.join(" · "), model.theme.style(Role::Warn));
    two_sided(left, right, width)
}

fn hint(model: &Model) -> String {
    if model.popup.as_ref().is_some_and(Popup::floats) {
        return String::new();
    }
    let key = |action| model.keymap.shown(action);
    match (&model.toast, model.armed) {
        (_, Some((Armed::Quit, _))) => return format!("{} again to quit", key(Action::Cancel)),
        (_, Some((Armed::GoBack, _))) => {
            return format!("{} again to edit a previous message", key(Action::Interrupt));
        }
        (Some(toast), None) => return text::sanitize(&toast.text).replace('\n', " "),
        (None, None) => {}
    }
    if model.browse.is_some() {
        return "← → prompts · ↑ ↓ scroll · enter go back · esc leave".to_owned();
    }
    if model.transcript.takes_keys() {
        return "↑ ↓ other activity · enter unfold · esc leave".to_owned();
    }
    if let Some(hint) = model.composer.hint(model.is_running()) {
        return hint;
    }
    if model.suggestion().is_some() && model.transcript.is_at_end() {
        return format!("enter sends this · tab edits it · {} for shortcuts", key(Action::Shortcuts));
    }
    if model.composer.is_empty() {
        format!("{} for shortcuts", key(Action::Shortcuts))
    } else {
        String::new()
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
