//! Where a thread comes from.

use serde::{Deserialize, Serialize};

/// The front end that started a thread, as stored in its rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ThreadSource {
    /// The terminal app.
    Cli,
    /// `codex exec`.
    Exec,
    /// An app-server client.
    VsCode,
    /// The MCP server.
    Mcp,
}

impl ThreadSource {
    /// The `originator` that goes with it in headers and rollouts.
    pub(crate) fn originator(&self) -> &'static str {
        match self {
            Self::Cli => "codex-tui",
            Self::Exec => "codex_exec",
            Self::VsCode => "codex_vscode",
            Self::Mcp => "codex_mcp",
        }
    }
}
