//! The handles a thread works with, built once in `cli/wire.rs`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::approvals::standing::Standing;
use crate::limits::Cache;
use crate::limits::budget::Budgets;
use crate::responses::Client;
use crate::workspace::undo::Keeper;

/// Everything outside a thread that a thread uses.
pub(crate) struct Services {
    /// The model API.
    pub(crate) client: Client,
    /// Limits of the ChatGPT sign-in; `None` when requests go out under a key.
    pub(crate) limits: Option<Cache>,
    /// How much of them may be used before codex waits for a word.
    pub(crate) budgets: Budgets,
    /// Whether base instructions travel in their own field; otherwise they are the first developer message.
    pub(crate) instructions_field: bool,
    /// `originator` of requests.
    pub(crate) originator: String,
    /// This installation, when it has an id.
    pub(crate) installation_id: Option<String>,
    /// Our environment, captured at start.
    pub(crate) env: Arc<BTreeMap<OsString, OsString>>,
    /// Variables that hold keys of model providers; commands never get them.
    pub(crate) secret_env: Arc<Vec<String>>,
    /// Value of `TMPDIR`.
    pub(crate) tmpdir: Option<PathBuf>,
    /// What undo needs.
    pub(crate) undo: Arc<Keeper>,
    /// Rules about commands.
    pub(crate) rules: Arc<Standing>,
    /// Folder for the journals of running patches.
    pub(crate) journals: PathBuf,
    /// Folder for outputs that are too long for the model.
    pub(crate) output_dir: PathBuf,
}
