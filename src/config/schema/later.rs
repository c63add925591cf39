//! Keys that are known but do nothing yet. They are accepted in silence, so that a file written for the full
//! program loads here without noise; they are left out of `config.example.toml` for the same reason. Keys that
//! protect something are told: silence would look like protection. A key that begins to work leaves this list. `*`
//! stands for one name of the user's; everything below a listed table is accepted too.

/// Dotted paths, in alphabetical order within each table.
const LATER: &[&str] = &[
    "agents",
    "analytics",
    "approvals_reviewer",
    "apps",
    "background_terminal_max_timeout",
    "check_for_update_on_startup",
    "desktop",
    "experimental_realtime_ws_base_url",
    "feedback",
    "file_opener",
    "hooks",
    "include_apps_instructions",
    "include_collaboration_mode_instructions",
    "include_environment_context",
    "include_permissions_instructions",
    "log_dir",
    "marketplaces",
    "mcp_oauth_callback_port",
    "mcp_oauth_callback_url",
    "mcp_oauth_credentials_store",
    "mcp_servers",
    "memories",
    "model_auto_compact_token_limit_scope",
    "model_catalog_json",
    "model_providers.*.auth",
    "model_providers.*.aws",
    "model_providers.*.supports_websockets",
    "model_providers.*.websocket_connect_timeout_ms",
    "notice.fast_default_opt_out",
    "notice.model_migrations",
    "otel",
    "personality",
    "plan_mode_reasoning_effort",
    "plugins",
    "realtime",
    "shell_environment_policy.experimental_use_profile",
    "skills",
    "sqlite_home",
    "suppress_unstable_features_warning",
    "tools",
    "tui.animations",
    "tui.model_availability_nux",
    "tui.notification_method",
    "tui.raw_output_mode",
    "tui.session_picker_view",
    "tui.show_mcp_startup_status",
    "tui.show_tooltips",
    "tui.status_line_use_colors",
    "tui.terminal_resize_reflow_max_rows",
    "tui.vim_mode_default",
    "windows",
];

/// Those of them, at the top level, that somebody writes to be protected from something.
const PROTECTING: &[&str] = &["hooks"];

/// Whether `name` in the table at `path` would protect the user if it worked.
pub(crate) fn protects(path: &str, name: &str) -> bool {
    path.is_empty() && PROTECTING.contains(&name)
}

/// Whether `name` in the table at `path` is on the list.
pub(crate) fn accepted(path: &str, name: &str) -> bool {
    // Notices of the full program are switched off by a key each; some have dots in their names.
    names(path).any(|known| known == name) || (path == "notice" && name.starts_with("hide_"))
}

/// The listed keys of the table at `path`.
pub(crate) fn names(path: &str) -> impl Iterator<Item = &'static str> {
    LATER.iter().filter_map(move |entry| {
        let (table, name) = entry.rsplit_once('.').unwrap_or(("", *entry));
        same_table(table, path).then_some(name)
    })
}

/// Whether the dotted path of a key is on the list, or below a table that is.
#[cfg(test)]
pub(crate) fn covers(key: &str) -> bool {
    LATER
        .iter()
        .any(|entry| key == *entry || key.strip_prefix(entry).is_some_and(|rest| rest.starts_with('.')))
}

/// Whether a table pattern (`a.*`) fits a dotted path (`a.name`, where the name may be quoted and hold dots).
fn same_table(pattern: &str, path: &str) -> bool {
    match pattern.split_once(".*") {
        None => pattern == path,
        Some((table, "")) => path.strip_prefix(table).is_some_and(|rest| {
            let name = rest.strip_prefix('.').unwrap_or_default();
            !name.is_empty() && (name.starts_with('"') || !name.contains('.'))
        }),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_one_name() {
        assert!(accepted("", "agents"));
        assert!(accepted("tui", "animations"));
        assert!(accepted("model_providers.mine", "aws"));
        assert!(accepted("model_providers.\"a.b\"", "aws"));
        assert!(accepted("notice", "hide_gpt-5.1-codex-max_migration_prompt"));
        assert!(!accepted("notice", "hidden") && !accepted("", "hide_"));
        assert!(!accepted("model_providers", "aws"));
        assert!(!accepted("model_providers.mine.deep", "aws"));
        assert!(!accepted("tui", "aws"));
    }

    #[test]
    fn listed_once_each_and_in_order() {
        assert!(LATER.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(PROTECTING.iter().all(|name| accepted("", name)));
    }
}
