//! `view_image`: shows the model an image of this machine.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{function, parse};
use super::commands::item_id;
use super::context::ToolContext;
use super::picture::{self, Error};
use super::tool::{Tool, ToolCall, ToolOutput};
use crate::base::path::absolute;
use crate::base::tasks;
use crate::protocol::event::Event;
use crate::protocol::item::Item;

/// The tool.
pub(crate) struct ViewImage;

#[derive(Deserialize)]
struct Args {
    path: String,
}

impl Tool for ViewImage {
    fn name(&self) -> &'static str {
        "view_image"
    }

    fn definition(&self) -> Option<Value> {
        let parameters = json!({
            "path": { "type": "string", "description": "Image file, absolute or from the working directory." },
        });
        let description = include_str!("../../assets/tools/view_image.md");
        Some(function(self.name(), description, &parameters, &["path"]))
    }

    fn call<'a>(&'a self, ctx: &'a ToolContext, call: ToolCall) -> BoxFuture<'a, ToolOutput> {
        Box::pin(async move {
            let args: Args = match parse(ctx, &call).await {
                Ok(args) => args,
                Err(output) => return output,
            };
            let path = absolute(&ctx.cwd, Path::new(&args.path));
            let item = Item::ImageView { id: item_id(&call.call_id), path: path.clone() };
            ctx.tell(Event::ItemStarted { item: item.clone() }).await;
            let shown = path.display().to_string();
            let roots = Arc::clone(&ctx.roots);
            let load = move || picture::load(&path, &|opened| roots.cannot_read(opened));
            let output = match tasks::blocking("view_image", load).await {
                Ok(Ok(url)) => ToolOutput::Image { url },
                Ok(Err(error @ (Error::File(_) | Error::NotAFile))) => {
                    ToolOutput::text(format!("unable to locate image at `{shown}`: {error}"))
                }
                Ok(Err(error)) => ToolOutput::text(format!("unable to process image: {error}")),
                Err(failed) => ToolOutput::text(format!("unable to process image: {failed}")),
            };
            ctx.tell(Event::ItemCompleted { item }).await;
            output
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::testing::{Bench, call};

    #[tokio::test]
    async fn a_path_from_the_working_directory_is_shown_and_a_wrong_one_named() {
        let mut bench = Bench::new();
        let path = bench.ctx.cwd.join("a.png");
        image::DynamicImage::new_rgb8(3, 2).save(&path).unwrap();
        let output = ViewImage.call(&bench.ctx, call("view_image", r#"{"path":"./a.png"}"#)).await;
        assert!(matches!(&output, ToolOutput::Image { url } if url.starts_with("data:image/png;base64,")));
        let items = bench.items();
        assert_eq!(items.len(), 2, "started and completed");
        assert!(
            items.iter().all(|(_, item)| matches!(item, Item::ImageView { path: seen, .. } if *seen == path))
        );
        let output = ViewImage.call(&bench.ctx, call("view_image", r#"{"path":"b.png"}"#)).await;
        let want =
            format!("unable to locate image at `{}`: No such file", bench.ctx.cwd.join("b.png").display());
        assert!(matches!(&output, ToolOutput::Text(text) if text.starts_with(&want)), "{output:?}");
    }
}
