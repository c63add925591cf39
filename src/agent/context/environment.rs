//! Where the model works, as one XML-like user message (responses-wire, chapter 3). Resent whole when any part
//! of it changed.

use std::path::Path;

use crate::sandbox::Roots;

/// Builds the environment message.
pub(crate) fn environment(
    cwd: &Path,
    shell: &str,
    now: &jiff::Zoned,
    roots: &Roots,
    limits: &[&str],
) -> String {
    let mut text = String::from("<environment_context>\n");
    element(&mut text, "cwd", &cwd.display().to_string());
    element(&mut text, "shell", shell);
    element(&mut text, "current_date", &now.date().to_string());
    if let Some(zone) = now.time_zone().iana_name() {
        element(&mut text, "timezone", zone);
    }
    filesystem(&mut text, cwd, roots);
    for limit in limits {
        element(&mut text, "sandbox_limit", limit);
    }
    text.push_str("</environment_context>");
    text
}

fn element(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("  <{name}>{}</{name}>\n", escape(value)));
}

fn filesystem(text: &mut String, cwd: &Path, roots: &Roots) {
    text.push_str("  <filesystem><workspace_roots><root>");
    text.push_str(&escape(&cwd.display().to_string()));
    text.push_str("</root></workspace_roots>");
    if roots.full_access() {
        text.push_str("<permission_profile type=\"disabled\"/></filesystem>\n");
        return;
    }
    text.push_str("<permission_profile type=\"managed\"><file_system type=\"restricted\">");
    text.push_str("<entry access=\"read\"><special>:root</special></entry>");
    for root in roots.roots() {
        entry(text, "write", &root.path);
    }
    for path in roots.protected() {
        entry(text, "read", path);
    }
    text.push_str("</file_system></permission_profile></filesystem>\n");
}

fn entry(text: &mut String, access: &str, path: &Path) {
    text.push_str(&format!(
        "<entry access=\"{access}\"><path>{}</path></entry>",
        escape(&path.display().to_string())
    ));
}

/// A path may hold anything; it must not be able to close our elements.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
