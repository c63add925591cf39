//! The bundled list of models (`assets/models.json`), and what to assume of a model that is not in it: a user
//! with another provider is the rule, not the exception, so an unknown name is no error.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde::Deserialize;

/// Used when neither flag nor configuration names a model. It takes the classic tools, which we send.
pub(crate) const DEFAULT_SLUG: &str = "gpt-5.5";

/// Window assumed of an unknown model, in tokens.
const UNKNOWN_WINDOW: u64 = 272_000;

/// Share of the window that is used; the rest is kept for the answer and for counting errors.
const USABLE_PCT: u64 = 95;

/// What a model can do. Texts borrow from the bundled list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// Name on the wire.
    pub(crate) slug: Cow<'static, str>,
    /// Name for people.
    pub(crate) display_name: Cow<'static, str>,
    /// What it is for, one line.
    pub(crate) description: Cow<'static, str>,
    /// Whole window in tokens.
    pub(crate) context_window: u64,
    /// Reasoning effort when none is chosen; `None` leaves it to the server.
    pub(crate) default_effort: Option<Cow<'static, str>>,
    /// Efforts it knows, weakest first; empty when that is not known.
    pub(crate) efforts: Vec<Cow<'static, str>>,
    /// Verbosity when none is chosen; `None` when the model does not know the setting.
    pub(crate) verbosity: Option<Cow<'static, str>>,
    /// Shown in lists.
    pub(crate) listed: bool,
    /// Whether several calls may come in one answer.
    #[serde(default = "yes")]
    pub(crate) parallel_tool_calls: bool,
    /// Whether it was in the list; if not, the rest is assumed.
    #[serde(skip, default = "yes")]
    pub(crate) known: bool,
}

impl Model {
    /// The value of `reasoning.summary` when none is chosen. The reference asks models it does not know for a
    /// summary and leaves the others alone.
    pub(crate) fn default_summary(&self) -> Option<&'static str> {
        (!self.known).then_some("auto")
    }
}

/// How much of a window of so many tokens may be filled.
pub(crate) fn usable(window: u64) -> u64 {
    window.saturating_mul(USABLE_PCT) / 100
}

/// All bundled models, in the order of the list.
pub(crate) fn all() -> &'static [Model] {
    static ALL: OnceLock<Vec<Model>> = OnceLock::new();
    // A test reads the asset; a broken one would leave every model "unknown", which still works.
    ALL.get_or_init(|| serde_json::from_str(include_str!("../../assets/models.json")).unwrap_or_default())
}

/// What is known or assumed of the model `slug`.
pub(crate) fn find(slug: &str) -> Model {
    all().iter().find(|model| model.slug == slug).cloned().unwrap_or_else(|| unknown(slug))
}

/// The cheapest listed model.
const CHEAPEST: &str = "gpt-5.6-luna";

/// A model that costs less of the limits than `slug`; nothing for the cheapest and for models that are not listed.
pub(crate) fn cheaper(slug: &str) -> Option<Model> {
    let now = all().iter().find(|model| model.slug == slug && model.listed)?;
    (now.slug != CHEAPEST).then(|| find(CHEAPEST))
}

fn unknown(slug: &str) -> Model {
    Model {
        slug: Cow::Owned(slug.to_owned()),
        display_name: Cow::Owned(slug.to_owned()),
        description: Cow::Borrowed("Not in the bundled list."),
        context_window: UNKNOWN_WINDOW,
        default_effort: None,
        efforts: Vec::new(),
        verbosity: None,
        listed: false,
        parallel_tool_calls: true,
        known: false,
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_asset_is_whole() {
        assert_eq!(all().len(), 9);
        for model in all() {
            let effort = model.default_effort.as_ref().unwrap();
            assert!(model.efforts.contains(effort), "{}", model.slug);
            assert!(model.context_window >= 272_000 && !model.description.is_empty(), "{}", model.slug);
            assert_eq!(find(&model.slug), *model);
        }
        let mut slugs: Vec<_> = all().iter().map(|m| &m.slug).collect();
        slugs.sort();
        slugs.dedup();
        assert_eq!(slugs.len(), 9, "a slug is listed twice");
    }

    #[test]
    fn there_is_a_cheaper_model_for_all_but_one() {
        let none: Vec<_> = all().iter().filter(|model| cheaper(&model.slug).is_none()).collect();
        assert_eq!(none.len(), 1);
        assert!(none[0].slug == CHEAPEST && none[0].listed && none[0].description.contains("cheapest"));
        assert_eq!(cheaper("llama"), None, "who knows what it costs");
    }

    #[test]
    fn known_and_unknown() {
        let default = find(DEFAULT_SLUG);
        assert!(default.known && default.listed);
        assert_eq!(default.default_effort.as_deref(), Some("medium"));
        assert_eq!(usable(default.context_window), 258_400);
        assert_eq!(default.default_summary(), None);
        assert_eq!(find("gpt-6.1-terra").context_window, 500_000);
        let other = find("llama");
        assert!(!other.known);
        assert_eq!((other.default_effort, other.verbosity), (None, None));
        assert_eq!(find("llama").default_summary(), Some("auto"));
    }
}
