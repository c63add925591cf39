//! `/model`: which model, then how much it reasons. Two menus in a row; the second decides whether the choice is kept.

use super::list::Row;
use super::menu::Menu;
use super::wish::Wish;
use crate::models::catalogue::Model;

/// The first menu: listed models, and the present one if it is not among them.
pub(crate) fn models(all: &[Model], now: &str) -> Menu {
    let mut rows: Vec<(Row, Wish)> = all
        .iter()
        .filter(|model| model.listed || model.slug == now)
        .map(|model| {
            let row = Row::new(model.display_name.as_ref()).detail(model.description.as_ref());
            (row.current(model.slug == now), wish(model))
        })
        .collect();
    if !all.iter().any(|model| model.slug == now) {
        let other = crate::models::catalogue::find(now);
        rows.insert(0, (Row::new(now).detail("set by hand").current(true), wish(&other)));
    }
    Menu::new("Choose a model", rows)
}

/// What choosing a model leads to: the efforts it knows, or the change itself when it knows none.
fn wish(model: &Model) -> Wish {
    let slug = model.slug.to_string();
    if model.efforts.is_empty() {
        return Wish::Model { slug, effort: None, save: true };
    }
    Wish::Efforts(slug)
}

/// The second menu. `now` is the effort in use, when this model is (`used`) and it was chosen.
pub(crate) fn efforts(model: &Model, used: bool, now: Option<&str>) -> Menu {
    let change = |effort: &str, save| Wish::Model {
        slug: model.slug.to_string(),
        effort: Some(effort.to_owned()),
        save,
    };
    let default = model.default_effort.as_deref();
    let now = now.or(default);
    let row = |effort: &str| {
        let right = if default == Some(effort) { "default" } else { "" };
        Row::new(title(effort)).detail(about(effort)).right(right).current(used && now == Some(effort))
    };
    let first = model.efforts.iter().position(|effort| now == Some(effort.as_ref())).unwrap_or(0);
    let rows = model.efforts.iter().map(|effort| (row(effort), change(effort, true))).collect();
    let once = model.efforts.iter().map(|effort| change(effort, false)).collect();
    Menu::new(format!("How much should {} reason?", model.display_name), rows)
        .other('s', once, "enter use from now on · s this thread only · esc back")
        .select(first)
}

fn title(effort: &str) -> String {
    match effort {
        "xhigh" => "Extra high".to_owned(),
        _ => {
            let mut chars = effort.chars();
            chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
        }
    }
}

fn about(effort: &str) -> &'static str {
    match effort {
        "none" | "minimal" => "answers at once",
        "low" => "quick, for simple changes",
        "medium" => "a balance of speed and care",
        "high" => "careful, for hard problems",
        "xhigh" | "max" => "the most careful, slow",
        _ => "",
    }
}

/// The effort `by` steps away from the present one, when there is one.
pub(crate) fn step(model: &Model, now: Option<&str>, more: bool) -> Option<String> {
    let now = now.or(model.default_effort.as_deref())?;
    let at = model.efforts.iter().position(|effort| effort == now)?;
    let to = if more { at + 1 } else { at.checked_sub(1)? };
    model.efforts.get(to).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::catalogue;
    use crate::tui::keymap::Keymap;
    use crate::tui::keys::{Code, Key};
    use crate::tui::popups::wish::Outcome;
    use crate::tui::testing::{assert_screen, paper};
    use crate::tui::theme::Theme;

    #[test]
    fn the_choice_is_kept_or_not() {
        let model = catalogue::find(catalogue::DEFAULT_SLUG);
        let key = |c| Key::plain(Code::Char(c));
        for (press, effort, save) in
            [(key('1'), model.efforts.first(), true), (key('s'), Some(&"medium".into()), false)]
        {
            let effort = effort.map(ToString::to_string);
            let wish = Wish::Model { slug: model.slug.to_string(), effort, save };
            let outcome = efforts(&model, false, None).on_key(press, &Keymap::default());
            assert_eq!(outcome, Outcome::Wish(wish));
        }
    }

    #[test]
    fn steps_stop_at_the_ends() {
        let model = catalogue::find(catalogue::DEFAULT_SLUG);
        assert_eq!(step(&model, Some("medium"), true).as_deref(), Some("high"));
        assert_eq!(step(&model, model.efforts.first().map(AsRef::as_ref), false), None);
        assert_eq!(step(&model, model.efforts.last().map(AsRef::as_ref), true), None);
        assert_eq!(step(&catalogue::find("other"), None, true), None);
    }

    #[test]
    fn views() {
        let theme = Theme::default();
        for width in [60, 80, 120] {
            let menu = models(catalogue::all(), "mine");
            assert_screen!(format!("models_{width}"), paper(width, &menu.draw(width, 20, &theme).lines));
            let menu = efforts(&catalogue::find(catalogue::DEFAULT_SLUG), true, Some("high"));
            assert_screen!(format!("efforts_{width}"), paper(width, &menu.draw(width, 20, &theme).lines));
            let menu = efforts(&catalogue::find(catalogue::DEFAULT_SLUG), false, None);
            let drawn = menu.draw(width, 20, &theme);
            assert_screen!(format!("efforts_of_another_{width}"), paper(width, &drawn.lines));
        }
    }
}
