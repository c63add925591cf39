//! The TOML form of a fault; what it means is decided in [`super::faults`].

use std::collections::BTreeMap;

use serde::Deserialize;

/// One fault.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultFile {
    pub(crate) kind: FaultKind,
    /// HTTP status.
    pub(crate) code: Option<u16>,
    pub(crate) body: Option<BodyWord>,
    pub(crate) body_text: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) retry_after: Option<String>,
    /// Error code of `failed`, reason of `incomplete`.
    pub(crate) error: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) at: Option<Place>,
    pub(crate) bytes: Option<usize>,
    pub(crate) events: Option<usize>,
    pub(crate) ms: Option<u64>,
    /// The body ends properly, only too early.
    #[serde(default)]
    pub(crate) clean: bool,
    /// Pending faults only: how often, 1 when not given.
    pub(crate) times: Option<u64>,
    /// Pending faults only: which route, `/v1/responses` when not given.
    pub(crate) route: Option<String>,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FaultKind {
    Status,
    Stall,
    Slow,
    Cut,
    Failed,
    Incomplete,
    Garbage,
    Unknown,
    LongLine,
    EndlessLine,
    EndlessComments,
}

/// Places in a stream that have names.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    Headers,
    MidChar,
}

/// Bodies of refusals that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BodyWord {
    Json,
    Html,
    Empty,
    UsageLimit,
    UsageNotIncluded,
    Quota,
    RateLimit,
    TokenExpired,
    Overloaded,
    ContextLength,
}
