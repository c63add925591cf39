//! What is refused, and the one place that would help.

use super::*;
use crate::protocol::policy::SandboxPolicy;

#[test]
fn the_one_place_that_was_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    for name in ["home/w/.git", "home/a/b", "home/c"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    let policy = SandboxPolicy::workspace();
    let (home, cwd) = (root.join("home"), root.join("home/w"));
    let mut roots = crate::sandbox::resolve(&policy, &cwd, None);
    roots.never_open(Some(&home));
    let at = |path: &str| home.join(path).display().to_string();
    let says = |script: &str, output: &str| match narrow(&roots, &Commands::of_script(script), &cwd, output) {
        None => "-".to_owned(),
        Some(Narrow::Folder(path)) => path.strip_prefix(&home).unwrap().display().to_string(),
        Some(Narrow::Host(host)) => host,
        Some(Narrow::Hosts(hosts)) => hosts.join(" "),
        Some(Narrow::Port(port)) => port.to_string(),
    };
    for (script, output, want) in [
        (format!("touch {}", at("a/x")), String::new(), "a"),
        (format!("touch {} {}", at("a/x"), at("c/y")), String::new(), "-"),
        (format!("touch {} && touch z", at("a/b/x")), String::new(), "a/b"),
        (format!("mkdir -p {}", at("a/new/deeper")), String::new(), "a"),
        (format!("touch {}", at("x")), String::new(), "-"),
        ("touch .git/x".to_owned(), String::new(), "-"),
        ("touch /etc/x".to_owned(), String::new(), "-"),
        ("touch x".to_owned(), String::new(), "-"),
        ("make > log".to_owned(), format!("sh: 1: {}: Read-only file system", at("c/out")), "c"),
        ("make > log".to_owned(), format!("/bin/bash: line 1: {}: Read-only file system", at("c/out")), "c"),
        ("make".to_owned(), format!("OSError: [Errno 30] Read-only file system: '{}'", at("a/b/o")), "a/b"),
        ("make".to_owned(), format!("wrote {}", at("c/out")), "-"),
        (
            "curl https://Example.org/x".to_owned(),
            "curl: (6) Could not resolve host: example.org".to_owned(),
            "example.org:443",
        ),
        (
            "curl http://a.org:8080/x".to_owned(),
            "curl: (6) Could not resolve host: a.org".to_owned(),
            "a.org:8080",
        ),
        ("curl https://a.org https://b.org".to_owned(), "Could not resolve host: a.org".to_owned(), "-"),
        ("curl https://a.org".to_owned(), "curl: (22) 404".to_owned(), "-"),
        (
            "pip install x".to_owned(),
            "NewConnectionError: [Errno -3] Temporary failure in name resolution: /simple/x/".to_owned(),
            "pypi.org:443 files.pythonhosted.org:443",
        ),
        (
            "npm ci".to_owned(),
            "request to https://registry.npmjs.org/x failed, getaddrinfo EAI_AGAIN registry.npmjs.org"
                .to_owned(),
            "registry.npmjs.org:443",
        ),
        (
            "cargo build".to_owned(),
            "Could not resolve host: index.crates.io".to_owned(),
            "index.crates.io:443 static.crates.io:443",
        ),
        ("make".to_owned(), "Could not resolve host".to_owned(), "-"),
        (
            "git fetch > x".to_owned(),
            "fatal: unable to access 'https://g.org/r/': Could not resolve host: g.org".to_owned(),
            "g.org:443",
        ),
    ] {
        assert_eq!(says(&script, &output), want, "{script} {output}");
    }
}

#[test]
fn the_one_place_that_the_words_name_before_anything_is_tried() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    for name in ["home/w", "home/a", "home/b"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    let (home, cwd) = (root.join("home"), root.join("home/w"));
    let policy = SandboxPolicy::workspace();
    let mut roots = crate::sandbox::resolve(&policy, &cwd, None);
    roots.never_open(Some(&home));
    let foreseen = |script: &str| foreseen(&roots, &Commands::of_script(script), &cwd);
    let says = |script: &str| foreseen(script).map_or("-".to_owned(), |narrow| narrow.words());
    let folder = |name: &str| format!("write in {}", home.join(name).display());
    for (script, want) in [
        ("touch ../a/x", folder("a")),
        ("mkdir x && cp x ../a/y", folder("a")),
        ("touch ../a/x ../b/y", "-".to_owned()),
        ("touch x", "-".to_owned()),
        ("touch /etc/x", "-".to_owned()),
        ("make", "-".to_owned()),
        ("touch $HOME/x", "-".to_owned()),
        ("curl https://a.org/x", "connect to a.org:443".to_owned()),
        ("curl https://a.org/x | tee ../a/x", "-".to_owned()),
        ("curl https://a.org https://b.org", "-".to_owned()),
        ("npm ci && npm test", "connect to registry.npmjs.org:443".to_owned()),
        ("pip install x", "connect to pypi.org:443 and files.pythonhosted.org:443".to_owned()),
        ("pip install x; npm i", "-".to_owned()),
        ("git push", "-".to_owned()),
        ("ssh u@box ls", "-".to_owned()),
    ] {
        assert_eq!(says(script), want, "{script}");
    }
}

#[test]
fn a_port_of_this_machine_when_somebody_listens_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let cwd = tempfile::tempdir().unwrap();
    let policy = SandboxPolicy::workspace();
    let roots = crate::sandbox::resolve(&policy, cwd.path(), None);
    let found = |script: &str, output: &str| narrow(&roots, &Commands::of_script(script), cwd.path(), output);
    let refused = format!("connect to 127.0.0.1 port {port} failed: Connection refused");
    assert_eq!(found("make check", &refused), Some(Narrow::Port(port)));
    assert_eq!(found(&format!("curl http://localhost:{port}/"), &refused), Some(Narrow::Port(port)));
    assert_eq!(
        found("make check", &format!("Error: ECONNREFUSED 127.0.0.1:{port}")),
        Some(Narrow::Port(port))
    );
    drop(listener);
    assert_eq!(found("make check", &refused), None);
}
