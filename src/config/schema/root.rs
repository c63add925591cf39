//! The whole file as typed tables. Nothing is filled in or weighed here beyond the default of a single key; what
//! needs several keys or the machine is done when the tables are resolved.

use crate::config::error::Error;
use crate::config::places::Opened;
use crate::config::tree::Value;
use crate::protocol::policy::ShellEnvPolicy;

use super::budget::{self, BudgetTable};
use super::features::{self, Features};
use super::interface::{self, Interface};
use super::login::{self, Login};
use super::model::{self, Model};
use super::permissions::{self, Permissions};
use super::project::{self, ProjectDocs};
use super::providers::{self, ProviderTable};
use super::reader::Reader;
use super::shell_env;

/// Everything the file can say.
pub(crate) struct Tables {
    /// Model, reasoning, limits, instructions.
    pub(crate) model: Model,
    /// Which provider, and what is said about each.
    pub(crate) provider: ProviderTable,
    /// Approvals and sandbox.
    pub(crate) permissions: Permissions,
    /// Environment of commands.
    pub(crate) shell_env: ShellEnvPolicy,
    /// AGENTS.md.
    pub(crate) docs: ProjectDocs,
    /// Places that are open in single projects.
    pub(crate) opened: Vec<Opened>,
    /// What is shown, kept and notified.
    pub(crate) interface: Interface,
    /// Credentials.
    pub(crate) login: Login,
    /// How much may be used.
    pub(crate) budget: BudgetTable,
    /// Switches.
    pub(crate) features: Features,
}

/// Reads the outermost table.
///
/// # Errors
/// A key has a value it cannot have.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Tables, Error> {
    profiles(reader)?;
    let (docs, opened) = project::read(reader)?;
    Ok(Tables {
        model: model::read(reader)?,
        provider: providers::read(reader)?,
        permissions: permissions::read(reader)?,
        shell_env: reader.table("shell_environment_policy", shell_env::read)?,
        docs,
        opened,
        interface: interface::read(reader)?,
        login: login::read(reader)?,
        budget: reader.table("budget", budget::read)?,
        features: reader.table("features", features::read)?,
    })
}

/// The chosen profile was laid over the file before; here the keys are only known, and each profile a table.
fn profiles(reader: &mut Reader<'_>) -> Result<(), Error> {
    reader.name("profile")?;
    let Some(node) = reader.node("profiles") else { return Ok(()) };
    match &node.value {
        Value::Table(_) => Ok(()),
        other => Err(reader.fault("profiles", &format!("is {}; allowed: a table", other.type_name()))),
    }
}
