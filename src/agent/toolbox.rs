//! The tools of one thread, joined with its permissions.

use std::sync::Arc;

use super::live_roots::LiveRoots;
use super::permit::Permits;
use super::places::Places;
use super::services::Services;
use super::settings::Settings;
use crate::config::Config;
use crate::process::spawn::Launcher;
use crate::tools::apply_patch::ApplyPatch;
use crate::tools::commands::Commands;
use crate::tools::registry::{Registry, Wanted};

/// Tools, and the paths they may write.
pub(crate) struct Toolbox {
    /// The tools.
    pub(crate) registry: Registry,
    /// Replaced when the settings change.
    pub(crate) roots: LiveRoots,
}

impl Toolbox {
    /// Builds the tools that the configuration wants.
    pub(crate) fn new(config: &Config, settings: &Settings, services: &Services) -> Self {
        Self::of(config, settings, services, false)
    }

    /// Those of a reviewer: nothing that writes, and no rule leads out of the sandbox.
    pub(crate) fn of_reviewer(config: &Config, settings: &Settings, services: &Services) -> Self {
        Self::of(config, settings, services, true)
    }

    fn of(config: &Config, settings: &Settings, services: &Services, reviews: bool) -> Self {
        let roots = LiveRoots::new(Arc::clone(&settings.roots));
        let places = Places::new(roots.clone(), Arc::clone(&services.rules));
        let patch = Arc::new(ApplyPatch::new(Arc::new(places.clone()), services.journals.clone()));
        let permits = Permits::new(places, Arc::clone(&patch), reviews);
        let commands = Commands::new(Launcher::default(), permits);
        let wanted = Wanted {
            shell: config.features.enabled("shell_tool"),
            view_image: config.features.enabled("view_image"),
            edits: !reviews,
        };
        Self { registry: Registry::new(wanted, commands, patch), roots }
    }
}
