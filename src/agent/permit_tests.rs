//! What nothing holds runs only after what led to it is safe on disk.

use tokio::sync::mpsc;

use super::*;
use crate::agent::live_roots::LiveRoots;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::policy::SandboxPolicy;
use crate::tools::context::ToolEvent;
use crate::tools::testing::Bench;

type Disk = Result<(), ErrorInfo>;

/// Permissions in `sandbox`, and whether asking for `script` waited for the disk, which answers `disk`.
async fn permit(sandbox: &SandboxPolicy, script: &str, disk: Disk) -> (Permit, bool) {
    let mut bench = Bench::new();
    let roots = Arc::new(sandbox::resolve(sandbox, &bench.ctx.cwd, None));
    let places = Places::new(LiveRoots::new(roots), Arc::default());
    let patch = Arc::new(ApplyPatch::new(Arc::new(places.clone()), bench.ctx.cwd.clone()));
    let permits = Permits::new(places, patch, false);
    let request = request(script, &bench.ctx.cwd);
    let asked = permits.permit(&bench.ctx, &request);
    let (permit, waited) = tokio::join!(asked, answer(&mut bench.events, disk));
    (permit, waited)
}

/// Answers the one question that may have been asked by now.
async fn answer(events: &mut mpsc::Receiver<ToolEvent>, disk: Disk) -> bool {
    let Ok(event) = events.try_recv() else { return false };
    let ToolEvent::Sync(sender) = event else { panic!("not a question about the disk") };
    sender.send(disk).unwrap();
    true
}

fn request(script: &str, cwd: &Path) -> CommandRequest {
    CommandRequest {
        argv: ["bash", "-c", script].map(str::to_owned).to_vec(),
        script: Some(script.to_owned()),
        cwd: cwd.to_owned(),
        escalate: false,
        justification: None,
        prefix_rule: None,
        item_id: "item".into(),
        tty: false,
    }
}

#[tokio::test]
async fn a_free_command_waits_for_the_disk() {
    let free = SandboxPolicy::DangerFullAccess;
    assert_eq!(permit(&free, "make install", Ok(())).await, (Permit::Unsandboxed, true));
    let broken = ErrorInfo::new(ErrorKind::Io, "no space");
    let refused = Permit::Refused("the command did not run: no space".to_owned());
    assert_eq!(permit(&free, "make install", Err(broken)).await, (refused, true));
}

#[tokio::test]
async fn a_harmless_command_does_not_wait() {
    assert_eq!(permit(&SandboxPolicy::DangerFullAccess, "ls", Ok(())).await, (Permit::Unsandboxed, false));
}

#[tokio::test]
async fn without_the_thread_nothing_free_runs() {
    let mut bench = Bench::new();
    bench.events.close();
    assert_eq!(bench.ctx.synced().await, Err("the turn has ended".to_owned()));
}
