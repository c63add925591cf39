//! The files a scenario left: what had to change, and what had to stay as it was.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::check::Finding;
use super::client::files_below;
use super::script_file::Expect;
use super::setting::Setting;
use super::values::ExitIs;

/// Files that must not change, as they were before.
#[derive(Debug)]
pub(crate) struct Before(Vec<(String, Vec<Print>)>);

/// A file: path, rights, content.
type Print = (String, u32, Vec<u8>);

impl Before {
    /// Looks at everything that must stay unchanged.
    pub(crate) fn look(setting: &Setting, expects: &[Expect]) -> Self {
        let paths = expects.iter().filter_map(|expect| expect.unchanged.clone());
        Self(paths.map(|path| (path.clone(), prints(&setting.project.join(path)))).collect())
    }
}

fn prints(path: &Path) -> Vec<Print> {
    let files = if path.is_dir() { files_below(path, &|_| true) } else { vec![path.to_owned()] };
    let print = |file: &Path| {
        let mode = std::fs::metadata(file).ok()?.permissions().mode();
        Some((file.display().to_string(), mode, std::fs::read(file).ok()?))
    };
    files.iter().filter_map(|file| print(file)).collect()
}

/// Checks all expectations about files, and the commands that look into them.
pub(crate) async fn check(setting: &Setting, expects: &[Expect], before: &Before) -> Vec<Finding> {
    let mut findings = Vec::new();
    for expect in expects {
        if let Some(path) = &expect.file {
            let part = expect.contains.as_deref().unwrap_or_default();
            let verdict = match std::fs::read_to_string(setting.project.join(path)) {
                Ok(text) if text.contains(part) => Ok(()),
                Ok(text) => Err(format!("it says:\n{text}")),
                Err(error) => Err(error.to_string()),
            };
            findings.push(Finding::new(format!("{path} has `{part}`"), verdict));
        }
        if let Some(path) = &expect.absent {
            let there = std::fs::symlink_metadata(setting.project.join(path)).is_ok();
            let verdict = if there { Err("it is there".to_owned()) } else { Ok(()) };
            findings.push(Finding::new(format!("{path} was not written"), verdict));
        }
        if let Some(command) = &expect.command {
            let verdict = command_ends(setting, command, expect.exit.unwrap_or(ExitIs::Code(0))).await;
            findings.push(Finding::new(format!("`{command}` ends as it should"), verdict));
        }
    }
    for (path, was) in &before.0 {
        let verdict = match prints(&setting.project.join(path)) {
            _ if was.is_empty() => Err("it was not there before".to_owned()),
            is if is == *was => Ok(()),
            is => Err(difference(was, &is)),
        };
        findings.push(Finding::new(format!("{path} is unchanged"), verdict));
    }
    findings
}

fn difference(was: &[Print], is: &[Print]) -> String {
    let changed = is.iter().filter(|print| !was.contains(print)).map(|print| format!("changed: {}", print.0));
    let gone = was
        .iter()
        .filter(|print| !is.iter().any(|now| now.0 == print.0))
        .map(|print| format!("gone: {}", print.0));
    changed.chain(gone).collect::<Vec<_>>().join("\n")
}

async fn command_ends(setting: &Setting, command: &str, exit: ExitIs) -> Result<(), String> {
    let output = setting.shell(command).output().await.map_err(|error| error.to_string())?;
    if exit.fits(output.status.code().map(i64::from)) {
        return Ok(());
    }
    Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stdout)))
}
