//! Project root, trust and project documents. Root and trust are looked up before the layers are merged; here
//! their keys only get their types checked.

use crate::config::error::Error;
use crate::config::places::Opened;
use crate::config::trust::Trust;

use super::choice::Choice;
use super::reader::Reader;

/// Bytes of project documents that go to the model by default.
const DOC_MAX_BYTES: u64 = 32 * 1024;

impl Choice for Trust {
    const WORDS: &'static [(&'static str, Self)] =
        &[("trusted", Self::Trusted), ("untrusted", Self::Untrusted)];
}

/// How AGENTS.md is looked for.
#[derive(Clone, Debug)]
pub(crate) struct ProjectDocs {
    /// Budget of all project files together, in bytes; 0 for none.
    pub(crate) max_bytes: u64,
    /// File names tried when there is no AGENTS.md.
    pub(crate) fallback_names: Vec<String>,
}

/// Reads the keys; also the places that are open in single projects.
///
/// # Errors
/// A value is not allowed.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<(ProjectDocs, Vec<Opened>), Error> {
    reader.texts("project_root_markers")?;
    let opened = reader.each("projects", |name, project| {
        project.choice::<Trust>("trust_level")?;
        Opened::read(name, project)
    })?;
    let max_bytes = reader.number("project_doc_max_bytes", 0)?.unwrap_or(DOC_MAX_BYTES);
    let fallback_names = reader.texts("project_doc_fallback_filenames")?.unwrap_or_default();
    let plain =
        |name: &String| !name.is_empty() && !name.contains(['/', '\0']) && name != "." && name != "..";
    if !fallback_names.iter().all(plain) {
        return Err(reader.fault(
            "project_doc_fallback_filenames",
            "holds something else than a file name; allowed: names without folders",
        ));
    }
    Ok((ProjectDocs { max_bytes, fallback_names }, opened))
}
