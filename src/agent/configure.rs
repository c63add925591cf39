//! New settings for a live thread. They hold for the turns that begin later: a running turn is frozen.

use std::sync::Arc;

use super::places::Places;
use super::settings::Settings;
use super::thread::Thread;
use crate::base::tasks;
use crate::config::Config;
use crate::config::schema::choice::Choice;
use crate::config::schema::model::Effort;
use crate::protocol::event::Event;
use crate::protocol::turn::{Change, Configured};
use crate::workspace::agents_md::{self, Search};

/// Paths in one line of what holds.
pub(super) const LISTED: usize = 8;

/// Applies a change and tells what holds now.
pub(crate) async fn apply(thread: &mut Thread, change: Change) {
    let moved = change.cwd.as_ref().is_some_and(|cwd| *cwd != thread.settings.cwd);
    let config = changed(&thread.config, change);
    let mut agents_md = thread.settings.agents_md.clone();
    if moved {
        let search = config.clone();
        let found = tasks::blocking("find instructions", move || {
            let docs = agents_md::find(Search::from(&search));
            (docs.block(&search.cwd).unwrap_or_default(), docs.warnings)
        });
        if let Ok((block, warnings)) = found.await {
            agents_md = block;
            for message in warnings {
                thread.readers.tell(Event::Warning { message }).await;
            }
        }
    }
    let tmpdir = thread.services.tmpdir.clone();
    let shell = thread.settings.shell.clone();
    thread.settings = Settings::resolve(&config, tmpdir.as_deref(), &shell, agents_md);
    thread.roots.replace(Arc::clone(&thread.settings.roots));
    thread.config = Arc::new(config);
    tell(thread).await;
}

/// Tells the settings in force.
pub(crate) async fn tell(thread: &mut Thread) {
    let settings = &thread.settings;
    let access = Places::new(thread.roots.clone(), Arc::clone(&thread.services.rules)).access();
    let configured = Configured {
        model: settings.model.clone(),
        effort: settings.effort.clone(),
        approval: settings.approval,
        sandbox: settings.sandbox.as_ref().clone(),
        access,
        cwd: settings.cwd.clone(),
        context_window: settings.context_window,
    };
    thread.readers.tell(Event::Configured(Box::new(configured))).await;
}

pub(crate) fn changed(config: &Config, change: Change) -> Config {
    let mut config = config.clone();
    if let Some(model) = change.model.filter(|model| config.model.name.as_ref() != Some(model)) {
        // What was set for the other model need not fit this one.
        config.model.effort = None;
        config.model.context_window = None;
        config.model.name = Some(model);
    }
    if let Some(effort) = change.effort {
        config.model.effort = Effort::from_word(&effort);
    }
    config.approval = change.approval.unwrap_or(config.approval);
    config.sandbox = change.sandbox.unwrap_or(config.sandbox);
    config.cwd = change.cwd.unwrap_or(config.cwd);
    config
}
