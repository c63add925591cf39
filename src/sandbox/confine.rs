//! The one step from a resolved policy to what a command is started with.

use super::detect;
use super::linux::Confine;
use super::policy::Roots;

/// Why a command cannot be confined as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Run it without a sandbox, if the user wants that, or on another machine.
    #[error(
        "this machine cannot enforce a sandbox: it allows neither user namespaces nor Landlock (Linux 5.13 or \
         later, with `landlock` among the security modules)"
    )]
    NothingEnforceable,
    /// A defect: the description of the confinement has no text form.
    #[error("the sandbox could not be described: {0}")]
    Describe(#[from] serde_json::Error),
}

/// The confinement of the command `argv` under `roots`, as the supervisor takes it; `None` for full access. The
/// words matter for what git may write, and for nothing else.
///
/// # Errors
/// The policy asks for more than this machine can enforce. The command must not run then.
pub(crate) fn confine(roots: &Roots, argv: &[String]) -> Result<Option<String>, Error> {
    if roots.full_access() {
        return Ok(None);
    }
    Ok(Some(serde_json::to_string(&Confine::new(roots, detect::level()?, roots.git_for(argv)))?))
}
