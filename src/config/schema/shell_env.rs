//! `[shell_environment_policy]`: which variables commands inherit.

use crate::config::error::Error;
use crate::protocol::policy::ShellEnvPolicy;

use super::reader::Reader;

/// Reads the table.
///
/// # Errors
/// A value is not allowed.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<ShellEnvPolicy, Error> {
    let default = ShellEnvPolicy::default();
    let set = reader.text_map("set")?;
    if set.iter().any(|(name, value)| name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')) {
        return Err(reader.fault("set", "holds a name or value that no environment variable can have"));
    }
    Ok(ShellEnvPolicy {
        inherit: reader.choice("inherit")?.unwrap_or(default.inherit),
        ignore_default_excludes: reader
            .flag("ignore_default_excludes")?
            .unwrap_or(default.ignore_default_excludes),
        exclude: reader.texts("exclude")?.unwrap_or_default(),
        set,
        include_only: reader.texts("include_only")?.unwrap_or_default(),
    })
}
