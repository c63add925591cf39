//! Items beside each other, as many as fit: paths are cut in their middle first, then items go from the end.

use super::facts::{Facts, Item};
use crate::tui::text;

/// Between items.
pub(crate) const SEPARATOR: &str = " · ";
/// A path is not cut below this.
const PATH_MIN: usize = 16;

/// The text of the line at `now_s` (unix seconds), at most `width` cells.
pub(crate) fn line(items: &[Item], facts: &Facts, now_s: u64, width: usize) -> String {
    let mut parts: Vec<(Item, String)> =
        items.iter().filter_map(|item| Some((*item, clean(&item.text(facts, now_s)?)))).collect();
    loop {
        let total: usize = parts.iter().map(|(_, part)| text::width(part)).sum::<usize>()
            + text::width(SEPARATOR) * parts.len().saturating_sub(1);
        if total <= width {
            break;
        }
        let over = total - width;
        let is_long = |(item, part): &(Item, String)| item.is_path() && text::width(part) > PATH_MIN;
        let path = parts.iter().position(is_long).and_then(|at| parts.get_mut(at));
        if let Some((_, part)) = path {
            let to = text::width(part).saturating_sub(over).max(PATH_MIN);
            *part = text::truncate_middle(part, to).into_owned();
        } else if parts.len() > 1 {
            parts.pop();
        } else {
            let only = parts.pop().unwrap_or_else(|| (Item::Model, String::new()));
            return text::truncate_end(&only.1, width).into_owned();
        }
    }
    parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(SEPARATOR)
}

fn clean(raw: &str) -> String {
    text::sanitize(raw).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::super::facts::{DEFAULT_LINE, samples};
    use super::*;

    #[test]
    fn what_does_not_fit_goes() {
        let facts = samples::facts();
        for (width, want) in [
            (120, "gpt-5.5 medium · ~/work/project · main · 92% context left · 5h 58% left"),
            (60, "gpt-5.5 medium · ~/work/project · main · 92% context left"),
            (40, "gpt-5.5 medium · ~/work/project · main"),
            (20, "gpt-5.5 medium"),
            (6, "gpt-5…"),
            (0, ""),
        ] {
            assert_eq!(line(&DEFAULT_LINE, &facts, samples::NOW, width), want, "{width}");
        }
        let mut deep = samples::facts();
        deep.thread.as_mut().unwrap().cwd = "/home/u/work/some/deep/folder/of/a/project/src".into();
        assert_eq!(
            line(&DEFAULT_LINE, &deep, samples::NOW, 76),
            "gpt-5.5 medium · ~/work/so…oject/src · main · 92% context left · 5h 58% left"
        );
    }
}
