//! Helps to point at a fault: byte offset to line and column, the line itself, the word that was meant. What is
//! shown of a file is short, free of control characters, and never a line that looks like it holds a secret.

/// Longest excerpt of a line, in characters.
const EXCERPT: usize = 120;

/// Words that mark a line whose value must not be repeated.
const SECRET_WORDS: [&str; 7] = ["token", "secret", "key", "password", "auth", "bearer", "header"];

/// Line and column (in characters), both from 1, of a byte offset; past the end means the end.
pub(crate) fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..text.floor_char_boundary(offset)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before.get(line_start..).unwrap_or_default().chars().count() + 1)
}

/// The line at `offset` with a mark below the column, each on a line of its own after a newline; empty when the
/// line may hold a secret or there is nothing to see.
pub(crate) fn excerpt(text: &str, offset: usize) -> String {
    let (line, column) = line_column(text, offset);
    let Some(shown) = text.split('\n').nth(line - 1) else { return String::new() };
    let lower = shown.to_ascii_lowercase();
    if shown.trim().is_empty() || SECRET_WORDS.iter().any(|word| lower.contains(word)) {
        return String::new();
    }
    let clean: String = shown.chars().take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if column > EXCERPT {
        return format!("\n  {}", clean.trim_end());
    }
    format!("\n  {}\n  {:>column$}", clean.trim_end(), "^")
}

/// A value as it may be shown in a message: quoted, short, without control characters.
pub(crate) fn quoted(value: &str) -> String {
    let short: String = value.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let more = if value.chars().nth(40).is_some() { "…" } else { "" };
    format!("\"{short}{more}\"")
}

/// The candidate that was probably meant by `word`, when one is close enough to be worth saying.
pub(crate) fn meant<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    let plain = fold(word);
    let limit = (length / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&plain, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean …?` or nothing.
pub(crate) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    meant(word, candidates).map_or_else(String::new, |candidate| format!("; did you mean `{candidate}`?"))
}

/// Case and the kind of separator are no difference worth a step.
fn fold(word: &str) -> Vec<char> {
    word.chars().map(|c| if c == '-' || c == ' ' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// Edits between two words: insert, delete, replace, or swap two neighbours.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best =
                (at(&above, j) + usize::from(l != r)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && left.get(i - 1) == Some(r) && right.get(j - 1) == Some(l) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_offsets_past_the_end_are_the_end() {
        let text = "a\né = 1\n";
        assert_eq!(line_column(text, 0), (1, 1));
        assert_eq!(line_column(text, 2), (2, 1));
        assert_eq!(line_column(text, 3), (2, 1), "inside a character means its start");
        assert_eq!(line_column(text, 4), (2, 2));
        assert_eq!(line_column(text, 99), (3, 1));
    }

    #[test]
    fn excerpt_marks_the_column_and_hides_secrets() {
        assert_eq!(excerpt("x\nmodel = \u{1b}[2Jy", 10), "\n  model =  [2Jy\n          ^");
        assert_eq!(excerpt("experimental_bearer_token = sk-1", 30), "");
        assert_eq!(excerpt("", 0), "");
        assert_eq!(excerpt(&"x".repeat(5000), 4000), format!("\n  {}", "x".repeat(EXCERPT)));
    }

    #[test]
    fn suggestions() {
        let known = ["model", "model_provider", "sandbox_mode", "approval_policy", "tui"];
        for (word, want) in [
            ("modle", Some("model")),
            ("sandbox-mode", Some("sandbox_mode")),
            ("sandboxmode", Some("sandbox_mode")),
            ("Approval_Policy", Some("approval_policy")),
            ("aproval_polcy", Some("approval_policy")),
            ("tiu", Some("tui")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(meant(word, known), want, "{word}");
        }
    }
}
