//! What stays in the shell after the screen was given back: the end of the last answer, tokens, how to go on.

use super::model::Model;
use super::status::facts::short;
use super::text;

/// Lines of the answer that are repeated.
const LINES: usize = 10;

/// The text; empty when nothing was said.
pub(crate) fn text(model: &Model) -> String {
    let mut out = String::new();
    let usage = model.facts.usage.map(|usage| usage.total).filter(|usage| usage.total_tokens > 0);
    if !model.options.fullscreen && usage.is_some() {
        out.push('\n');
    }
    if let Some(answer) = &model.turn.last_answer
        && model.options.fullscreen
    {
        let clean = text::sanitize(answer.trim_end()).into_owned();
        let lines: Vec<&str> = clean.lines().collect();
        let from = lines.len().saturating_sub(LINES);
        if from > 0 {
            out.push_str("…\n");
        }
        for line in lines.iter().skip(from) {
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
    }
    let Some(usage) = usage else { return out };
    let (input, output) = (short(usage.input_tokens), short(usage.output_tokens));
    out.push_str(&format!("Tokens: {} ({input} in, {output} out)\n", short(usage.total_tokens)));
    let passing = model.setup.tour.as_ref().is_some_and(|tour| tour.passing);
    if let Some(thread) = model.facts.thread.as_ref().filter(|_| !passing) {
        out.push_str(&format!("To go on: codex resume {}\n", thread.id));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::scene::Scene;
    use super::super::status::facts::samples;
    use super::*;

    #[test]
    fn the_end_of_the_answer_stays() {
        let mut model = Scene::new(80, 24).model;
        assert_eq!(text(&model), "");
        model.facts = samples::facts();
        model.turn.last_answer = Some((1..=12).map(|n| format!("line {n}\n")).collect());
        let text = text(&model);
        assert!(
            text.starts_with("…\nline 3\nline 4\n") && text.contains("line 12\n\nTokens: 61.8K"),
            "{text}"
        );
        assert!(text.ends_with("To go on: codex resume 0199a000-0000-7000-8000-000000000001\n"));
    }
}
