//! One confined command in the user's terminal, with this process as its supervisor: `codex sandbox`. Nothing is
//! probed beforehand; when namespaces turn out to be forbidden nothing has run yet, and the next level is tried.

use super::detect::{self, Level};
use super::linux::{Confine, Inside};
use super::policy::Roots;
use crate::process::supervise::{self, Job, Outcome, SetupError, Unconfined};

/// Runs `job` under `roots` until all of it has ended; at `level` and no other when one is given. `words` are the
/// command as the user wrote it. `without` is empty but in tests.
pub(crate) fn foreground(
    roots: &Roots,
    job: &Job,
    words: &[String],
    level: Option<Level>,
    without: &[String],
) -> Outcome {
    if roots.full_access() {
        return supervise::foreground(job, &mut Unconfined);
    }
    let work = roots.git_for(words);
    let run = |level| {
        let confine = Confine::new(roots, level, work).leaving_out(without);
        supervise::foreground(job, &mut Inside::new(confine))
    };
    let first = run(level.unwrap_or(Level::Namespaces));
    match (first, level) {
        (Outcome::Setup(error), None) if needs_namespaces(&error) => match detect::fallback(false) {
            Some(level) => run(level),
            None => Outcome::Setup(SetupError::new(error.stage, super::Error::NothingEnforceable)),
        },
        (outcome, _) => outcome,
    }
}

/// Whether the failure is one of the steps that only the namespace level has.
fn needs_namespaces(error: &SetupError) -> bool {
    matches!(
        error.stage.as_ref(),
        "namespaces" | "user namespace" | "network" | "loopback" | "mounts" | "capabilities"
    )
}
