//! Token usage.

use serde::{Deserialize, Serialize};

/// Tokens of one answer, of a turn, or of a whole thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenUsage {
    /// All input, cached or not.
    #[serde(default)]
    pub(crate) input_tokens: u64,
    /// Input the server had cached.
    #[serde(default)]
    pub(crate) cached_input_tokens: u64,
    /// Input the server wrote to its cache.
    #[serde(default)]
    pub(crate) cache_write_input_tokens: u64,
    /// All output, reasoning included.
    #[serde(default)]
    pub(crate) output_tokens: u64,
    /// Output spent on reasoning.
    #[serde(default)]
    pub(crate) reasoning_output_tokens: u64,
    /// Input plus output as the server counts it.
    #[serde(default)]
    pub(crate) total_tokens: u64,
}

impl TokenUsage {
    /// Adds another answer's usage; saturates instead of overflowing on absurd input.
    pub(crate) fn add(&mut self, other: &Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.cached_input_tokens = self.cached_input_tokens.saturating_add(other.cached_input_tokens);
        self.cache_write_input_tokens =
            self.cache_write_input_tokens.saturating_add(other.cache_write_input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.reasoning_output_tokens =
            self.reasoning_output_tokens.saturating_add(other.reasoning_output_tokens);
        self.total_tokens = self.total_tokens.saturating_add(other.total_tokens);
    }
}

/// Where a thread stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadUsage {
    /// Sum over the thread.
    pub(crate) total: TokenUsage,
    /// The last answer; its `total_tokens` is the context fill.
    pub(crate) last: TokenUsage,
    /// Usable context window in tokens, when the model is known.
    pub(crate) context_window: Option<u64>,
}
