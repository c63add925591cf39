//! Keys go into the headers of requests and nowhere else: not into files, not into output, not into the commands
//! of the model, not into errors. Each test plants canaries wherever a key can stand and looks everywhere.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::support::World;
use super::support::codex::Output;

/// Prints what a command can see of its own world.
const SPY: &str = "env; tr '\\0' '\\n' < /proc/self/environ; cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'; ls -l /proc/self/fd; true";
/// And what it must not see, when it is confined: the worlds of others.
const SPY_ON_OTHERS: &str = "cat /proc/[0-9]*/environ | tr '\\0' '\\n'; true";

fn spies(world: &World, cmd: &str) {
    world.backend.script(&format!(
        "[[rule]]\nwhen = {{ round = 0 }}\n[[rule.output]]\nexec = \"\"\"{cmd}\"\"\"\n[[rule.output]]\nexec = \"\"\"{cmd}\"\"\"\nargs = {{ tty = true }}\n\
         [[rule]]\noutput = [{{ text = 'It is said.' }}]\n",
        cmd = cmd.replace('\\', "\\\\")
    ));
}

/// Every file below `dir`, except those that hold keys by their purpose.
fn files_with(dir: &Path, canary: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                todo.push(path);
            } else if !path.ends_with(".codex/auth.json") && !path.ends_with(".codex/config.toml") {
                let bytes = fs::read(&path).unwrap_or_default();
                if memchr::memmem::find(&bytes, canary.as_bytes()).is_some() {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    found
}

/// The canary is nowhere, in the output or below the root of the world.
#[track_caller]
fn nowhere(world: &World, output: &Output, canary: &str) {
    assert!(!output.stdout.contains(canary), "{canary} in stdout: {}", output.stdout);
    assert!(!output.stderr.contains(canary), "{canary} in stderr: {}", output.stderr);
    assert_eq!(files_with(world.root(), canary), [""; 0], "{canary}");
    let sent: Vec<String> = world.backend.requests().iter().map(ToString::to_string).collect();
    assert!(!sent.iter().any(|body| body.contains(canary)), "{canary} in a request: {sent:#?}");
}

/// A configuration with a canary in every place that can hold a key.
fn plant(world: &World) {
    world.config_with(
        "",
        "stream_max_retries = 0\nrequest_max_retries = 0\nquery_params = { api-version = \"canary-query\" }\n\
         http_headers = { x-api-key = \"canary-header\", x-plain = \"canary-plain\" }\n\
         env_http_headers = { x-extra-token = \"EXTRA_TOKEN\" }",
    );
}

#[test]
fn keys_do_not_leave_their_headers() {
    for (mode, cmd) in
        [("workspace-write", format!("{SPY}; {SPY_ON_OTHERS}")), ("danger-full-access", SPY.to_owned())]
    {
        let world = World::new("");
        spies(&world, &cmd);
        plant(&world);
        let output = world
            .exec(&["-s", mode, "hello"])
            .env("EXTRA_TOKEN", "canary-extra")
            .env("OPENAI_API_KEY", "canary-openai")
            .env("CODEX_API_KEY", "canary-codex")
            .run()
            .expect(0);
        assert_eq!(output.items_of("command_execution").len(), 2);
        let records = world.backend.records();
        assert_eq!(
            records[0]["headers"]["x-api-key"], "canary-header",
            "the header is sent: {:#}",
            records[0]
        );
        assert_eq!(records[0]["headers"]["x-extra-token"], "canary-extra");
        let token = world.backend.token.clone();
        for canary in
            ["canary-query", "canary-header", "canary-extra", "canary-openai", "canary-codex", &token]
        {
            nowhere(&world, &output, canary);
        }
    }
}

/// The system shows the environment a program was started with for as long as it lives.
#[test]
fn keys_of_the_environment_are_not_in_sight_while_the_program_runs() {
    let world = World::new("");
    world.backend.script("[[rule]]\nwhen = { round = 0 }\n[[rule.output]]\nexec = \"cat gate\"\n[[rule]]\noutput = [{ text = \"end\" }]\n");
    let gate = world.project().join("gate");
    mknodat(CWD, &gate, FileType::Fifo, Mode::from_bits_retain(0o600), 0).unwrap();
    let run = world
        .exec(&["-s", "workspace-write", "hello"])
        .env("OPENAI_API_KEY", "canary-openai")
        .env("CODEX_API_KEY", "canary-codex")
        .start();
    let held = fs::File::options().write(true).open(&gate).unwrap();
    let proc = PathBuf::from(format!("/proc/{}", run.pid()));
    // Only root may look at all.
    match fs::read(proc.join("environ")) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(text.contains("OPENAI_API_KEY=") && !text.contains("canary"), "{text}");
            // The provider's own, which only the configuration names; what is not secret stays.
            assert!(text.contains("TEST_KEY=") && !text.contains(&world.backend.token), "{text}");
            assert!(text.contains(&format!("HOME={}", world.home().display())), "{text}");
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    let limits = fs::read_to_string(proc.join("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    drop(held);
    run.wait().expect(0);
}

/// The service answers with the key in its error, as some do.
#[test]
fn errors_do_not_repeat_keys() {
    let world = World::new("");
    plant(&world);
    let token = world.backend.token.clone();
    for (code, kind) in [(401, "status"), (400, "status"), (500, "status"), (418, "status"), (0, "failed")] {
        let said = format!("bad key {token} with canary-header and canary-extra");
        let fault = match kind {
            "status" => format!("kind = 'status', code = {code}, message = '{said}'"),
            _ => format!("kind = 'failed', error = 'server_error', message = '{said}'"),
        };
        world.backend.script(&format!("[[rule]]\nfault = {{ {fault} }}\noutput = [{{ text = 'x' }}]\n"));
        for json in [true, false] {
            let command = if json { world.exec(&["hello"]) } else { world.codex().args(["exec", "hello"]) };
            let output = command.env("EXTRA_TOKEN", "canary-extra").run().expect(1);
            for canary in [token.as_str(), "canary-header", "canary-extra", "canary-query"] {
                nowhere(&world, &output, canary);
            }
        }
    }
}

#[test]
fn an_address_that_does_not_answer_is_named_without_what_is_secret_in_it() {
    let world = World::new("");
    let config = fs::read_to_string(world.codex_home().join("config.toml")).unwrap();
    let bad = config.replace("http://127.0.0.1", "http://user:canary-pass@127.0.0.1").replace(
        "env_key",
        "query_params = { key = \"canary-query\" }\nrequest_max_retries = 0\nstream_max_retries = 0\nenv_key",
    );
    fs::write(world.codex_home().join("config.toml"), &bad).unwrap();
    world.backend.script(
        "[[rule]]\nfault = { kind = 'status', code = 404, body = 'empty' }\noutput = [{ text = 'x' }]\n",
    );
    let output = world.exec(&["hello"]).run().expect(1);
    nowhere(&world, &output, "canary-pass");
    nowhere(&world, &output, "canary-query");
}

#[test]
fn mistakes_in_the_configuration_are_told_without_their_values() {
    let world = World::new("[[rule]]\noutput = [{ text = 'x' }]\n");
    let path = world.codex_home().join("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("env_key = \"TEST_KEY\"", "env_key = \"sk-canary = x\""),
        ("env_key = \"TEST_KEY\"", "experimental_bearer_token = [\"sk-canary\"]"),
        ("env_key = \"TEST_KEY\"", "http_headers = { x = 7, y = \"sk-canary\" }"),
        ("env_key = \"TEST_KEY\"", "http_headers = \"sk-canary\""),
        ("env_key = \"TEST_KEY\"", "http_headers = { authorization = \"sk-canary\\n\" }"),
        ("env_key = \"TEST_KEY\"", "experimental_bearer_token = \"sk-canary\\u0000\""),
        ("env_key = \"TEST_KEY\"", "experimental_bearer_token = \"sk-canary"),
        ("env_key = \"TEST_KEY\"", "experimental_bearer_tokn = \"sk-canary\""),
        ("env_key = \"TEST_KEY\"", "env_key = \"sk-canary-pasted-by-mistake\""),
    ] {
        fs::write(&path, config.replace(from, to)).unwrap();
        let output = world.exec(&["hello"]).run();
        assert_ne!(output.code, None, "{to}: {output:?}");
        assert!(
            !output.stdout.contains("sk-canary") && !output.stderr.contains("sk-canary"),
            "{to}: {output:?}"
        );
    }
}

#[test]
fn a_key_in_auth_json_stays_there() {
    let world = World::new("");
    spies(&world, &format!("{SPY}; {SPY_ON_OTHERS}"));
    fs::write(
        world.codex_home().join("config.toml"),
        format!(
            "openai_base_url = \"{}\"\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
            world.backend.base_url,
            world.project().display()
        ),
    )
    .unwrap();
    let token = world.backend.token.clone();
    let login = world.codex().args(["login", "--with-api-key"]).stdin(format!("{token}\n")).run().expect(0);
    let auth = world.codex_home().join("auth.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&auth).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    nowhere(&world, &login, &token);
    let output = world.exec(&["--full-auto", "hello"]).env("TEST_KEY", "").run().expect(0);
    assert_eq!(output.items_of("command_execution").len(), 2);
    nowhere(&world, &output, &token);
}

/// What we write is for the user alone, whatever the umask says.
#[test]
fn what_is_stored_is_private() {
    let world = World::new("");
    world.backend.script(
        "[[rule]]\nwhen = { round = 0 }\noutput = [{ exec = 'seq 1 200000' }, { exec = 'echo x > made' }]\n\
         [[rule]]\noutput = [{ text = 'It is said.' }]\n",
    );
    let script = "umask 0; exec \"$CODEX\" exec --full-auto hello";
    let output = world.around("sh").args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut todo = vec![world.codex_home()];
    let mut seen = 0;
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let (path, meta) = (entry.path(), entry.metadata().unwrap());
            if path.ends_with("config.toml") {
                continue;
            }
            let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions());
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
            seen += 1;
            if meta.is_dir() {
                todo.push(path);
            }
        }
    }
    assert!(seen > 5);
}
