//! stub
use super::app::Outcome;
use super::door::Door;
use super::setup::Setup;
use super::terminal;
pub(crate) async fn run(_setup: Setup, _door: Door) -> Result<Outcome, terminal::Error> {
    Ok(Outcome::default())
}
