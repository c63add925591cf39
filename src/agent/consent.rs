//! The question about a command, and what is kept of its answer.

use super::denied::Denied;
use super::permit::{Judged, Permits, call};
use crate::approvals::effects;
use crate::approvals::proposal::{self, Proposal};
use crate::approvals::standing::Reach;
use crate::process::actions;
use crate::protocol::ask::{Answer, Ask, Effect, RuleOffer};
use crate::tools::context::ToolContext;

impl Permits {
    /// Asks the user, and keeps what is to be kept of the answer.
    pub(super) async fn ask(
        &self,
        ctx: &ToolContext,
        judged: &Judged<'_>,
        reason: Option<String>,
        outside: bool,
        needs: &[usize],
        denied: Option<Denied>,
    ) -> Said {
        let request = judged.request;
        let place = denied.as_ref().and_then(|denied| denied.narrow.as_ref());
        let place = place.map(|narrow| self.places.offer(narrow));
        let (proposal, missing) = match self.propose(judged, outside, needs) {
            Ok(found) => (Some(found), None),
            // What is open for longer stands beside it.
            Err(why) => (None, Some(why).filter(|_| place.is_none())),
        };
        let rule = proposal.as_ref().map(|found| RuleOffer {
            lines: found.lines.clone(),
            project: self.places.rules.project().to_owned(),
            project_only: found.project_only,
            inside: found.inside,
        });
        let question = Ask::Command {
            item_id: request.item_id.clone(),
            command: request.display(),
            cwd: request.cwd.clone(),
            actions: actions::of_argv(&request.argv),
            reason,
            effects: effects(judged, outside, needs, denied),
            rule,
            place: place.clone(),
            missing,
        };
        let reach = match ctx.ask(question).await {
            Answer::Decline => return Said::No("rejected by user"),
            Answer::Cancel => return Said::No("aborted by user"),
            Answer::Accept => return Said::Yes,
            answer @ (Answer::Open | Answer::OpenForProject | Answer::OpenAlways) => {
                let Some(place) = place else { return Said::No("rejected by user") };
                self.places.open(ctx, &place.narrow, answer).await;
                self.remembered.opened(&place.narrow);
                return Said::Inside;
            }
            Answer::AcceptForSession => None,
            Answer::AcceptForProject => Some(Reach::Project),
            Answer::AcceptAlways => Some(Reach::Always),
        };
        self.keep(ctx, judged, outside, needs, proposal.zip(reach)).await;
        Said::Yes
    }

    /// The rule that would answer for good, or why there is none. One about what stays in the sandbox lets nothing out.
    fn propose(&self, judged: &Judged<'_>, outside: bool, needs: &[usize]) -> Result<Proposal, String> {
        let Judged { request, commands, rules, planted, .. } = judged;
        if let Some(doubt) = judged.doubts.first() {
            return Err(doubt.clone());
        }
        if let Some(path) = needs.iter().find_map(|at| planted.get(*at).and_then(Option::as_ref)) {
            return Err(format!("commands can change {}", path.display()));
        }
        let found = proposal::propose(commands, needs, rules, request.prefix_rule.as_deref(), !outside)?;
        match found.project_only && request.cwd != self.places.rules.project() {
            true => Err("the program is named from a folder inside the project".to_owned()),
            false => Ok(found),
        }
    }

    /// Remembers what was allowed for longer than once.
    async fn keep(
        &self,
        ctx: &ToolContext,
        judged: &Judged<'_>,
        outside: bool,
        needs: &[usize],
        rule: Option<(Proposal, Reach)>,
    ) {
        let Judged { request, commands, planted, .. } = judged;
        self.grants().allow(call(request, commands, outside, planted), needs);
        let place = if outside { "outside the sandbox" } else { "in the sandbox" };
        for piece in needs.iter().filter_map(|at| commands.pieces.get(*at)) {
            let words = actions::quote(piece);
            let cwd = request.cwd.display();
            self.places.roots.say(&format!("`{words}` in {cwd} may run {place} in this session"));
        }
        if let Some((proposal, reach)) = rule {
            let reach = if proposal.project_only { Reach::Project } else { reach };
            for words in &proposal.words {
                let words = actions::quote(words);
                self.places.roots.say(&format!("commands that begin with `{words}` run {place}, by a rule"));
            }
            if let Err((path, error)) = self.places.rules.accept(&proposal, reach).await {
                self.places.not_kept(ctx, "The rule", &path, &error.to_string()).await;
            }
        }
    }
}

/// What the user would allow.
fn effects(judged: &Judged<'_>, outside: bool, needs: &[usize], denied: Option<Denied>) -> Vec<Effect> {
    let mut found = Vec::new();
    found.extend(denied.map(|denied| denied.what).filter(|what| !what.is_empty()).map(Effect::Refused));
    found.extend(match outside {
        true => effects::outside(&judged.commands, needs, &judged.request.cwd),
        false => vec![Effect::Confined(judged.in_force.describe())],
    });
    found.extend(judged.doubts.iter().cloned().map(Effect::Doubt));
    for (at, path) in judged.planted.iter().enumerate() {
        if let (Some(path), true) = (path, needs.contains(&at) && outside) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let doubt = Effect::Doubt(format!("`{name}` is {}, which commands can change", path.display()));
            found.extend((!found.contains(&doubt)).then_some(doubt));
        }
    }
    found
}

/// What the user said, as far as this command is concerned.
pub(super) enum Said {
    Yes,
    /// Yes, in the sandbox.
    Inside,
    /// What the model is told.
    No(&'static str),
}
