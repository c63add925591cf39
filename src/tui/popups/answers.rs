//! The answers there are to a question, and the rows that offer them.

use std::path::Path;

use super::facts;
use super::list::Row;
use crate::protocol::ask::{Answer, Ask, PlaceOffer, RuleOffer};
use crate::tui::keymap::Action;
use crate::tui::text;

/// The place that a question offers to open.
pub(super) fn place(ask: &Ask) -> Option<&PlaceOffer> {
    match ask {
        Ask::Command { place, .. } | Ask::Patch { place, .. } => place.as_ref(),
    }
}

fn rule(ask: &Ask) -> Option<&RuleOffer> {
    match ask {
        Ask::Command { rule, .. } => rule.as_ref(),
        Ask::Patch { .. } => None,
    }
}

/// The answers, in order; the least comes first: it is what `enter` means.
pub(crate) fn choices(ask: &Ask) -> Vec<Answer> {
    let (place, rule) = (place(ask), rule(ask));
    // To open a place is less than to leave the sandbox, and more than to write these files once.
    let once = [Answer::Accept, Answer::AcceptForSession];
    let patch = matches!(ask, Ask::Patch { .. });
    let mut choices = Vec::new();
    choices.extend(once.into_iter().filter(|_| patch));
    if let Some(place) = place {
        choices.push(Answer::Open);
        choices.extend(place.project.as_ref().map(|_| Answer::OpenForProject));
        choices.extend(place.always.as_ref().map(|_| Answer::OpenAlways));
    }
    choices.extend(once.into_iter().filter(|_| !patch));
    choices.extend(rule.map(|_| Answer::AcceptForProject));
    choices.extend(rule.filter(|rule| !rule.project_only).map(|_| Answer::AcceptAlways));
    choices.extend([Answer::Decline, Answer::Cancel]);
    choices
}

/// What a key that stands for an answer means among `choices`.
pub(super) fn of(action: Action, choices: &[Answer]) -> Option<Answer> {
    // Of a place and a rule the place is less, so the letters are its own.
    let either = |place, rule| if choices.contains(&place) { place } else { rule };
    Some(match action {
        Action::ApprovePlace => Answer::Open,
        Action::ApproveOnce => Answer::Accept,
        Action::ApproveSession => Answer::AcceptForSession,
        Action::ApproveProject => either(Answer::OpenForProject, Answer::AcceptForProject),
        Action::ApprovePrefix => either(Answer::OpenAlways, Answer::AcceptAlways),
        Action::Refuse => Answer::Decline,
        Action::RefuseAndStop => Answer::Cancel,
        _ => return None,
    })
}

/// What the letter of an answer means, where there are no keys to be set.
pub(crate) fn of_letter(letter: &str, choices: &[Answer]) -> Option<Answer> {
    let action = match letter {
        "o" => Action::ApprovePlace,
        "y" => Action::ApproveOnce,
        "a" => Action::ApproveSession,
        "t" => Action::ApproveProject,
        "p" => Action::ApprovePrefix,
        "d" => Action::Refuse,
        "n" => Action::RefuseAndStop,
        _ => return None,
    };
    of(action, choices)
}

/// The row of an answer.
pub(super) fn row(answer: Answer, ask: &Ask, home: Option<&Path>) -> Row {
    let opened =
        || place(ask).map(|place| text::reveal_line(&facts::opened(&place.narrow, home))).unwrap_or_default();
    let patch = matches!(ask, Ask::Patch { .. });
    let inside = if patch { "Yes, and" } else { "Yes, inside, and" };
    // Where a place is offered too, what leaves the sandbox says so.
    let outside = if place(ask).is_some() && !patch { ", outside the sandbox" } else { "" };
    // The letters are those of the place then; the number is there in any case.
    let by_rule = |words: String, letter: &'static str| match place(ask) {
        Some(_) => Row::new(words),
        None => Row::new(words).right(letter),
    };
    match answer {
        Answer::Open => Row::new(format!("{inside} {} this session", opened())).right("o"),
        Answer::OpenForProject => Row::new("The same from now on in this project").right("t"),
        Answer::OpenAlways => Row::new("The same from now on, always").right("p"),
        Answer::Accept => Row::new(format!("Yes, once{outside}")).right("y"),
        Answer::AcceptForSession if patch => Row::new("Yes, and these files for this session").right("a"),
        Answer::AcceptForSession => Row::new(format!("Yes, for this session{outside}")).right("a"),
        Answer::AcceptForProject => by_rule(format!("Yes, in this project{outside} (the rule)"), "t"),
        Answer::AcceptAlways => by_rule(format!("Yes, always{outside} (the rule)"), "p"),
        Answer::Decline => Row::new("No, but go on").right("d"),
        Answer::Cancel => Row::new("No, stop: I will say what to do").right("esc"),
    }
}

/// What stays of an answer in the conversation. A refusal is told by the cell of what was refused.
pub(super) fn told(answer: Answer, ask: &Ask, home: Option<&Path>) -> Option<String> {
    let open = || {
        let place = place(ask).map(|place| facts::place(&place.narrow, home)).unwrap_or_default();
        format!("You opened {}", text::reveal_line(&place))
    };
    let inside = if rule(ask).is_some_and(|rule| rule.inside) { ", in the sandbox" } else { "" };
    Some(match answer {
        Answer::Open => format!("{} for this session", open()),
        Answer::OpenForProject => format!("{} from now on in this project", open()),
        Answer::OpenAlways => format!("{} from now on", open()),
        Answer::Accept => "You allowed it, this once".to_owned(),
        Answer::AcceptForSession => "You allowed it, and the same again in this session".to_owned(),
        Answer::AcceptForProject => {
            format!("You allowed it, and the same from now on in this project{inside}")
        }
        Answer::AcceptAlways => format!("You allowed it, and the same from now on{inside}"),
        Answer::Decline | Answer::Cancel => return None,
    })
}
