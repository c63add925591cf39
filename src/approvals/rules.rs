//! What a rule says about one command. Only the result of matching is defined here: the decision needs nothing
//! else, wherever rules come from.

/// A rule that matched one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleMatch {
    /// What it says.
    pub(crate) decision: RuleDecision,
    /// The words of the command that it matched.
    pub(crate) prefix: Vec<String>,
    /// Why, in the words of the rule's author.
    pub(crate) justification: Option<String>,
}

/// What a rule says; the stricter, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RuleDecision {
    /// Run it, outside the sandbox.
    Allow,
    /// Ask first.
    Prompt,
    /// Never run it.
    Forbidden,
}
