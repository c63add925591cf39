//! `update_plan`: the model's plan, for the user to see. Nothing is stored here: the whole list comes each time.

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{function, object, parse};
use super::context::ToolContext;
use super::tool::{Tool, ToolCall, ToolOutput};
use crate::protocol::event::Event;
use crate::protocol::item::{PlanStatus, PlanStep};

/// The tool.
pub(crate) struct UpdatePlan;

#[derive(Deserialize)]
struct Args {
    explanation: Option<String>,
    plan: Vec<PlanStep>,
}

impl Tool for UpdatePlan {
    fn name(&self) -> &'static str {
        "update_plan"
    }

    fn definition(&self) -> Option<Value> {
        let members = json!({
            "step": { "type": "string", "description": "What is to be done, in a few words." },
            "status": { "type": "string", "enum": ["pending", "in_progress", "completed"] },
        });
        let step = object(&members, &["step", "status"]);
        let parameters = json!({
            "explanation": { "type": "string", "description": "Why the plan changed." },
            "plan": { "type": "array", "items": step, "description": "All steps, in order." },
        });
        let description = include_str!("../../assets/tools/update_plan.md");
        Some(function(self.name(), description, &parameters, &["plan"]))
    }

    fn call<'a>(&'a self, ctx: &'a ToolContext, call: ToolCall) -> BoxFuture<'a, ToolOutput> {
        Box::pin(async move {
            let Args { explanation, plan } = match parse(ctx, &call).await {
                Ok(args) => args,
                Err(output) => return output,
            };
            if plan.iter().filter(|step| step.status == PlanStatus::InProgress).count() > 1 {
                let why = "update_plan failed: at most one step can be in_progress";
                return ctx.failed(&call, why.to_owned()).await;
            }
            ctx.tell(Event::PlanUpdated { explanation, plan }).await;
            ToolOutput::text("Plan updated")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::item::{Item, ToolStatus};
    use crate::tools::context::ToolEvent;
    use crate::tools::testing::{Bench, call};

    #[tokio::test]
    async fn a_plan_is_told_and_a_wrong_one_is_a_failed_call() {
        let mut bench = Bench::new();
        let good = r#"{"explanation":"x","plan":[{"step":"a","status":"in_progress"},{"step":"b","status":"pending"}]}"#;
        assert_eq!(
            UpdatePlan.call(&bench.ctx, call("update_plan", good)).await,
            ToolOutput::text("Plan updated")
        );
        let told = bench.events.try_recv().unwrap();
        assert!(
            matches!(told, ToolEvent::Event(Event::PlanUpdated { plan, .. }) if plan.len() == 2 && plan[0].status == PlanStatus::InProgress)
        );
        for (bad, want) in [
            (
                r#"{"plan":[{"step":"a","status":"in_progress"},{"step":"b","status":"in_progress"}]}"#,
                "update_plan failed",
            ),
            (
                r#"{"plan":[{"step":"a","status":"done"}]}"#,
                "failed to parse function arguments: unknown variant",
            ),
            (r#"{"plan":"#, "failed to parse function arguments: EOF"),
        ] {
            let output = UpdatePlan.call(&bench.ctx, call("update_plan", bad)).await;
            assert!(matches!(&output, ToolOutput::Text(text) if text.starts_with(want)), "{output:?}");
            // No plan is told; the user sees a call that failed.
            for _ in 0..2 {
                let told = bench.events.try_recv().unwrap();
                assert!(matches!(
                    told,
                    ToolEvent::Event(Event::ItemStarted {
                        item: Item::ToolCall { status: ToolStatus::Failed, .. }
                    }) | ToolEvent::Event(Event::ItemCompleted {
                        item: Item::ToolCall { status: ToolStatus::Failed, .. }
                    })
                ));
            }
            assert!(bench.events.try_recv().is_err());
        }
    }
}
