//! Tables of profiles: what they come to, and what is refused.

use super::super::schema::reader::Context;
use super::super::schema::root;
use super::super::tree::{Layer, Source, Sources};
use super::*;
use crate::protocol::policy::SandboxMode;

const PLACE: &str = "/etc/p.toml";

fn compiled(text: &str) -> Result<Compiled, String> {
    let mut sources = Sources::default();
    let (label, base) = (PLACE.to_owned(), "/etc".into());
    let source = sources.add(Source { layer: Layer::User, label, base, text: Some(text.to_owned()) });
    let tree = sources.parse(source).unwrap();
    let context = Context::new(&sources, Some(Path::new("/home/me")));
    let tables = context.root(&tree, root::read).unwrap();
    assert_eq!(context.into_unknown(), [""; 0], "{text}");
    let place = Place::file(Path::new("-c"));
    compile("dev", place, tables.permissions.profiles, Path::new("/w"), Some(Path::new("/var/t")))
        .map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    compiled(text).map(|found| format!("{found:?}")).expect_err(text)
}

#[test]
fn the_longest_path_counts_and_becomes_what_a_sandbox_can_do() {
    let found = compiled(
        "[permissions.dev]\ndescription = 'work'\nextends = 'base'\nworkspace_roots = ['/lib']\n\
         [permissions.dev.filesystem]\n'~/cache' = 'write'\n'~/cache/seal' = 'read'\n'secret' = 'deny'\n\
         '~/keys' = 'deny'\n'~/keys/public' = 'read'\n'/tmp/mine' = 'read'\n':tmpdir' = 'read'\n\
         [permissions.base]\nextends = ':workspace'\n[permissions.base.filesystem]\n'~/keys' = 'read'\n\
         [permissions.other]\nextends = 7\n",
    )
    .unwrap();
    let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
    let want = SandboxPolicy::WorkspaceWrite {
        writable_roots: paths(&["/home/me/cache", "/lib"]),
        network_access: false,
        exclude_tmpdir_env_var: true,
        exclude_slash_tmp: false,
    };
    assert_eq!(found.policy, want);
    assert_eq!(found.denied, paths(&["/home/me/keys", "/lib/secret", "/w/secret"]));
    assert_eq!(found.readable, paths(&["/home/me/keys/public"]));
    assert_eq!(found.profiled.read_only, paths(&["/home/me/cache/seal", "/tmp/mine"]));
    assert!(found.profiled.workdir && found.profiled.description.as_deref() == Some("work"));
}

#[test]
fn a_profile_can_close_the_working_directory_and_open_the_network() {
    let text = "[permissions.dev.filesystem]\n':root' = 'read'\n':project_roots' = { '.' = 'read', 'out' = 'write' }\n\
                [permissions.dev.network]\nenabled = true\n";
    let found = compiled(text).unwrap();
    assert!(!found.profiled.workdir && found.policy.network_access());
    assert_eq!(found.policy.writable_roots(), [PathBuf::from("/w/out")]);
    let found =
        compiled(&format!("{text}domains = {{ 'a.example' = 'allow', 'b.example' = 'deny' }}")).unwrap();
    assert!(!found.policy.network_access() && found.network.hosts == ["a.example"]);
    let found = compiled("[permissions.dev]\nextends = ':read-only'\n").unwrap();
    assert_eq!(found.policy.mode(), SandboxMode::ReadOnly);
}

#[test]
fn what_cannot_be_enforced_is_refused_with_its_place_and_key() {
    let files = |lines: &str| {
        format!("[permissions.dev]\nextends = ':workspace'\n[permissions.dev.filesystem]\n{lines}")
    };
    for (lines, want) in [
        ("':root' = 'deny'", "hides single places"),
        ("':minimal' = 'write'", "programs of the system"),
        ("':project_roots' = 'deny'", "commands run there"),
        ("':odd' = 'read'", "not known"),
        ("'~/x' = 'execute'", "allowed: \"read\""),
        ("'../x' = 'deny'", "leads out of the project"),
        ("'**/*.env' = 'deny'", "is a pattern"),
        ("'*.env' = 'write'", "is a pattern"),
        ("'/etc/hosts' = 'write'", "it is a file"),
        ("'x' = 'deny'\n'x/y' = 'write'", "in a folder that is denied"),
        ("'x' = 'read'\n'x/y' = 'write'", "in a \"read\" folder"),
    ] {
        let said = refused(&files(lines));
        assert!(said.contains(want) && said.starts_with(&format!("{PLACE}:")), "{lines}: {said}");
        assert!(said.contains("`permissions.dev.filesystem."), "{lines}: {said}");
    }
    for (text, want) in [
        ("[permissions.dev]\ndescription = 'x'", "says nothing about \":root\""),
        ("[permissions.dev]\nextends = 'dev'", "builds on itself"),
        ("[permissions.dev]\nextends = 'no'", "there is no such permission profile"),
        ("[permissions.dev]\nextends = ':danger-full-access'", "no sandbox that a profile could shape"),
        ("[permissions.dev]\nextends = 7", "extends"),
        ("[permissions.else]\n", "there is no such permission profile, allowed: \"else\""),
        (
            "[permissions.dev]\nextends = ':workspace'\nnetwork.unix_sockets = { '/run/docker.sock' = 'allow' }",
            "sockets of the machine stay closed",
        ),
        (
            "[permissions.dev]\nextends = ':workspace'\n\
             network.domains = { '*.a.org' = 'allow', 'x.a.org' = 'deny' }",
            "all but one",
        ),
        (
            "[permissions.dev]\nextends = ':read-only'\nnetwork.domains = { 'a.org' = 'allow' }",
            "needs a profile that writes",
        ),
    ] {
        let said = refused(text);
        assert!(said.contains(want), "{text}: {said}");
    }
}
