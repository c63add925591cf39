//! Which model answers, how it thinks, what it is told first, and how much it may read.

use crate::config::error::Error;

use super::choice::words;
use super::reader::Reader;

words! {
    /// How long the model thinks.
    Effort {
        /// Not at all.
        None = "none",
        /// As little as it can.
        Minimal = "minimal",
        /// A little.
        Low = "low",
        /// As usual.
        Medium = "medium",
        /// Longer.
        High = "high",
        /// Much longer.
        XHigh = "xhigh",
        /// As long as it can; some models only.
        Max = "max",
        /// Beyond that; some models only.
        Ultra = "ultra",
    }
}

words! {
    /// What is shown of the model's thinking.
    Summary {
        /// The model's own choice.
        Auto = "auto",
        /// Short.
        Concise = "concise",
        /// Long.
        Detailed = "detailed",
        /// Nothing.
        None = "none",
    }
}

words! {
    /// How much the model writes.
    Verbosity {
        /// Little.
        Low = "low",
        /// As usual.
        Medium = "medium",
        /// Much.
        High = "high",
    }
}

words! {
    /// Which queue the request stands in.
    ServiceTier {
        /// The usual one.
        Default = "default",
        /// The fast one.
        Priority = "priority" | "fast",
        /// The cheap one.
        Flex = "flex",
    }
}

words! {
    /// Where web searches look.
    WebSearch {
        /// There are none.
        Disabled = "disabled",
        /// In pages stored by the service.
        Cached = "cached",
        /// In the web as it is now.
        Live = "live",
    }
}

/// Model settings. `None` leaves the matter to the model's entry in the catalogue.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// Model slug.
    pub(crate) name: Option<String>,
    /// `reasoning.effort`.
    pub(crate) effort: Option<Effort>,
    /// `reasoning.summary`.
    pub(crate) summary: Option<Summary>,
    /// Whether the model takes reasoning settings, where the catalogue does not know it.
    pub(crate) supports_summaries: Option<bool>,
    /// `text.verbosity`.
    pub(crate) verbosity: Option<Verbosity>,
    /// Tokens that fit the model.
    pub(crate) context_window: Option<u64>,
    /// Tokens at which the conversation is summarised.
    pub(crate) auto_compact_limit: Option<u64>,
    /// Budget of one stored tool output, in tokens.
    pub(crate) tool_output_limit: Option<u64>,
    /// Replaces the built-in instructions.
    pub(crate) base_instructions: Option<String>,
    /// Added to the instructions.
    pub(crate) instructions: Option<String>,
    /// Sent as a developer message.
    pub(crate) developer_instructions: Option<String>,
    /// Replaces the built-in request for a summary.
    pub(crate) compact_prompt: Option<String>,
    /// Model of reviews, when it is another one.
    pub(crate) review: Option<String>,
    /// Which queue.
    pub(crate) service_tier: Option<ServiceTier>,
    /// Web search as configured; the default depends on the sandbox.
    pub(crate) web_search: Option<WebSearch>,
}

/// Reads the settings, and the files they name.
///
/// # Errors
/// A value is not allowed or a file cannot be read.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Model, Error> {
    Ok(Model {
        name: reader.name("model")?,
        effort: reader.choice("model_reasoning_effort")?,
        summary: reader.choice("model_reasoning_summary")?,
        supports_summaries: reader.flag("model_supports_reasoning_summaries")?,
        verbosity: reader.choice("model_verbosity")?,
        context_window: reader.number("model_context_window", 1)?,
        auto_compact_limit: reader.number("model_auto_compact_token_limit", 1)?,
        tool_output_limit: reader.number("tool_output_token_limit", 1)?,
        base_instructions: reader.file("model_instructions_file")?,
        instructions: reader.text("instructions")?,
        developer_instructions: reader.text("developer_instructions")?,
        compact_prompt: compact_prompt(reader)?,
        review: reader.name("review_model")?,
        service_tier: reader.choice("service_tier")?,
        web_search: reader.choice("web_search")?,
    })
}

/// The text itself beats the file.
fn compact_prompt(reader: &mut Reader<'_>) -> Result<Option<String>, Error> {
    let text = reader.text("compact_prompt")?.filter(|text| !text.trim().is_empty());
    let file = reader.file("experimental_compact_prompt_file")?;
    Ok(text.or(file))
}
