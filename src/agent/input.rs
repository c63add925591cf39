//! The user's input → the message the model sees. Local images are read here, before the turn's first request.

use std::path::Path;

use crate::base::ids::ItemId;
use crate::base::tasks;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::input::UserInput;
use crate::protocol::model_item::ModelItem;
use crate::responses::items::{self, Part};
use crate::tools::picture;

/// One user message with all parts in order.
///
/// # Errors
/// An image cannot be read; nothing was sent.
pub(crate) async fn message(id: &ItemId, input: &[UserInput], cwd: &Path) -> Result<ModelItem, ErrorInfo> {
    let mut parts = Vec::with_capacity(input.len());
    for part in input {
        parts.push(match part {
            UserInput::Text { text } => Part::text(text),
            UserInput::Image { url } => Part::image(url),
            UserInput::LocalImage { path } => Part::image(load(cwd.join(path)).await?),
        });
    }
    Ok(items::user(id, &parts))
}

async fn load(path: std::path::PathBuf) -> Result<String, ErrorInfo> {
    let shown = path.display().to_string();
    let bad = |reason: String| {
        ErrorInfo::new(ErrorKind::BadRequest, format!("cannot attach the image {shown}: {reason}"))
    };
    match tasks::blocking("read image", move || picture::load(&path, &|_| None)).await {
        Ok(Ok(url)) => Ok(url),
        Ok(Err(error)) => Err(bad(error.to_string())),
        Err(failed) => Err(bad(failed.to_string())),
    }
}
