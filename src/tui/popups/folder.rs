//! Where to go on with a thread that worked in another folder.

use std::path::Path;

use super::list::Row;
use super::menu::Menu;
use super::wish::Wish;
use crate::base::path::with_tilde;
use crate::tui::door::Elsewhere;
use crate::tui::text;

/// Longest folder in a sentence, in columns.
const FOLDER: usize = 48;

/// The question. It stands before the conversation.
pub(crate) fn menu(elsewhere: &Elsewhere, home: Option<&Path>) -> Menu {
    let shown = |folder: &Path| {
        let folder = text::reveal_line(&with_tilde(folder, home));
        text::truncate_middle(&folder, FOLDER).into_owned()
    };
    let go = |folder: &Path| Wish::ResumeIn(elsewhere.id, folder.to_owned());
    let rows = vec![
        (Row::new("In this folder").detail(shown(&elsewhere.here)), go(&elsewhere.here)),
        (Row::new("In its own").detail(shown(&elsewhere.there)), go(&elsewhere.there)),
        (Row::new("Not at all"), Wish::NotResumed),
    ];
    let words = format!(
        "It began in {}. What it says about files means those; commands and changes happen where you go on. In its \
         own folder these permissions hold: {}.",
        shown(&elsewhere.there),
        elsewhere.permissions
    );
    Menu::new("Where to go on with this thread?", rows).text(words).leaving(Wish::NotResumed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::ThreadId;
    use crate::tui::keymap::Keymap;
    use crate::tui::keys::{Code, Key};
    use crate::tui::popups::wish::Outcome;
    use crate::tui::testing::{assert_screen, paper};
    use crate::tui::theme::Theme;

    fn elsewhere() -> Elsewhere {
        Elsewhere {
            id: ThreadId::new(),
            there: "/home/u/work/another/project".into(),
            exists: true,
            permissions: "Read only".to_owned(),
            here: "/home/u/work/project".into(),
        }
    }

    #[test]
    fn keys_typed_ahead_choose_nothing_and_leaving_is_an_answer() {
        let asked = elsewhere();
        let (map, enter) = (Keymap::default(), Key::plain(Code::Enter));
        let mut question = menu(&asked, None).unasked(1000);
        assert_eq!(question.on_key_at(enter, 1299, &map), Outcome::Keep(Wish::TypedAhead(vec![enter])));
        assert_eq!(question.on_key_at(Key::plain(Code::Esc), 1300, &map), Outcome::Wish(Wish::NotResumed));
        let here = Wish::ResumeIn(asked.id, asked.here.clone());
        assert_eq!(question.on_key_at(enter, 1300, &map), Outcome::Wish(here));
        let there = Wish::ResumeIn(asked.id, asked.there.clone());
        assert_eq!(question.on_key_at(Key::plain(Code::Char('2')), 1300, &map), Outcome::Wish(there));
    }

    #[test]
    fn views() {
        for width in [40, 60, 80, 120] {
            let drawn = menu(&elsewhere(), Some(Path::new("/home/u"))).draw(width, 20, &Theme::default());
            assert_screen!(format!("folder_{width}"), paper(width, &drawn.lines));
        }
    }
}
