//! Programs people run every day, whole: each ends with 0 inside as it does outside. What is not installed is
//! said and skipped. At the Landlock level only what that level can tell apart is asked for.

use std::process::Command;

use super::bed::{Bed, LANDLOCK, NAMESPACES, Way, ways};

/// Runs the script in a workspace with `files`, at every level named and as every user. `needs` are programs.
fn works(levels: &[&str], needs: &[&str], files: &[(&str, &str)], script: &str) {
    for way in ways().into_iter().filter(|way| levels.contains(&way.level)) {
        let bed = Bed::new(way);
        if let Some(missing) = needs.iter().find(|program| !has(&bed, program)) {
            eprintln!("{missing} is not there for {way:?}, skipped");
            continue;
        }
        for (file, text) in files {
            bed.write(&format!("work/src/{file}"), text);
        }
        let (code, output) = bed.sh(&format!("cd src && {script}"));
        assert_eq!(code, 0, "{way:?}: {output}");
    }
}

fn has(bed: &Bed, program: &str) -> bool {
    let mut which = Command::new("sh");
    which.args(["-c", &format!("command -v {program} && {program} --version")]);
    bed.prepare(&mut which);
    which.output().is_ok_and(|output| output.status.success())
}

const BOTH: &[&str] = &[NAMESPACES, LANDLOCK];

#[test]
fn descriptors_travel_over_socket_pairs() {
    let program = "import os, socket
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    one, two = socket.socketpair(socket.AF_UNIX, kind)
    r, w = os.pipe()
    if os.fork() == 0:
        _, fds, _, _ = socket.recv_fds(two, 16, 1)
        os.write(fds[0], b'passed'); two.send(b'done'); os._exit(0)
    socket.send_fds(one, [b'fd'], [w])
    assert one.recv(16) == b'done' and os.read(r, 16) == b'passed'
";
    works(BOTH, &["python3"], &[("fds.py", program)], "python3 fds.py");
}

#[test]
fn node_runs_children_and_servers() {
    let program = "const c = require('child_process'), assert = require('assert');
assert.equal(c.execSync('echo hi').toString(), 'hi\\n');
assert.equal(c.spawnSync('cat', {input: 'in'}).stdout.toString(), 'in');
const f = c.fork('child.js'); f.on('message', m => { assert.equal(m, 'pong'); f.disconnect(); });
f.send('ping');
";
    let child = "process.on('message', m => process.send(m === 'ping' ? 'pong' : 'no'));";
    works(BOTH, &["node"], &[("main.js", program), ("child.js", child)], "node main.js");
    let server = "const h = require('http'); const s = h.createServer((q, r) => r.end('web')).listen(0, () =>
h.get({port: s.address().port}, r => r.on('data', d => { console.log(String(d)); s.close(); })));";
    works(BOTH, &["node"], &[("web.js", server)], "test \"$(node web.js)\" = web");
}

#[test]
fn a_web_server_and_its_client() {
    let script = "echo page > index.html; python3 -u -m http.server 18181 --bind 127.0.0.1 > log 2>&1 &
        for i in $(seq 100); do grep -q Serving log && break; sleep 0.05; done
        test \"$(python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:18181/index.html\").read().decode().strip())')\" = page";
    works(BOTH, &["python3"], &[], script);
}

#[test]
fn shared_memory_of_every_kind() {
    let program = "from multiprocessing import shared_memory, Process, Semaphore, Pool
import mmap
m = shared_memory.SharedMemory(create=True, size=64); m.buf[0] = 7
n = shared_memory.SharedMemory(m.name); assert n.buf[0] == 7; n.close(); m.close(); m.unlink()
s = Semaphore(0); p = Process(target=s.release); p.start(); assert s.acquire(timeout=10); p.join()
if __name__ == '__main__':
    with Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
";
    works(BOTH, &["python3"], &[("shm.py", program)], "python3 shm.py");
    works(BOTH, &["ipcmk"], &[], "ipcmk -M 4096 && ipcmk -Q && ipcmk -S 1 && ipcs -m | grep -q 4096");
    let system_v = "import ctypes, os
l = ctypes.CDLL(None, use_errno=True); l.shmat.restype = ctypes.c_void_p
i = l.shmget(0x7c0de1 + os.getpid(), 4096, 0o1600); assert i >= 0
assert l.shmget(0x7c0de1 + os.getpid(), 4096, 0o600) == i
p = l.shmat(i, None, 0); ctypes.memset(p, 7, 1)
if os.fork() == 0:
    q = l.shmat(i, None, 0); assert ctypes.string_at(q, 1) == b'\\x07'; ctypes.memset(q, 9, 1); os._exit(0)
assert os.wait()[1] == 0 and ctypes.string_at(p, 1) == b'\\x09'
assert l.shmctl(i, 0, None) == 0
s = l.semget(0, 1, 0o600); assert s >= 0 and l.semctl(s, 0, 16, 3) == 0 and l.semctl(s, 0, 12) == 3
open('x', 'w').close(); os.setxattr('x', 'user.note', b'hi'); assert os.getxattr('x', 'user.note') == b'hi'
os.removexattr('x', 'user.note'); assert os.listxattr('x') == []
f = os.open('x', os.O_RDONLY); os.setxattr(f, 'user.note', b'ho'); assert os.getxattr('x', 'user.note') == b'ho'
";
    works(BOTH, &["python3"], &[("v.py", system_v)], "python3 v.py");
    let anonymous = "import mmap, os
m = mmap.mmap(-1, 4096)
if os.fork() == 0: m[0] = 5; os._exit(0)
os.wait(); assert m[0] == 5; os.memfd_create('x')";
    works(BOTH, &["python3"], &[("anon.py", anonymous)], "python3 anon.py");
}

#[test]
fn debuggers_trace_their_own_children() {
    let program = "import ctypes, os, signal
l = ctypes.CDLL(None, use_errno=True)
p = os.fork()
if p == 0:
    assert l.ptrace(0, 0, 0, 0) == 0; os.kill(os.getpid(), signal.SIGSTOP); os._exit(3)
_, s = os.waitpid(p, 0); assert os.WIFSTOPPED(s), s
assert l.ptrace(7, p, 0, 0) == 0
_, s = os.waitpid(p, 0); assert os.WEXITSTATUS(s) == 3
";
    works(BOTH, &["python3"], &[("trace.py", program)], "python3 trace.py");
    works(BOTH, &["strace"], &[], "echo > t && strace -f -o t sh -c 'true; /bin/true' && grep -q execve t");
}

#[test]
fn terminals_and_job_control() {
    let program = "import os, pty
pid, fd = pty.fork()
if pid == 0: os.execvp('bash', ['bash', '--norc', '-i'])
os.write(fd, b'sleep 100 &\\njobs; kill %1; wait; echo END$((1+1)); exit\\n')
seen = b''
while True:
    try: chunk = os.read(fd, 1024)
    except OSError: break
    if not chunk: break
    seen += chunk
assert b'END2' in seen and b'Running' in seen, seen
assert b'no job control' not in seen, seen
";
    works(BOTH, &["python3", "bash"], &[("pty.py.txt", program)], "python3 pty.py.txt");
    works(
        BOTH,
        &["script"],
        &[],
        "test \"$(script -qec 'tty >/dev/null && stty size >/dev/null && echo yes' /dev/null | tr -d '\\r')\" = yes",
    );
}

#[test]
fn builds() {
    let makefile = "all: a b c\na b c:\n\t@sleep 0.01; echo $@ > $@\nclean:\n\t@rm a b c\n";
    works(
        BOTH,
        &["make"],
        &[("Makefile", makefile)],
        "make -s -j2 && test -s a && test -s c && make -s clean",
    );
    let c = "#include <stdio.h>\nint main(void) { puts(\"built\"); return 0; }";
    works(BOTH, &["gcc"], &[("m.c", c)], "gcc -O1 -o m m.c && test \"$(./m)\" = built");
    works(
        BOTH,
        &["python3"],
        &[],
        "python3 -m venv --without-pip v && v/bin/python -c 'import sys; assert sys.prefix.endswith(\"v\")'",
    );
    let package = "{\"name\":\"p\",\"version\":\"1.0.0\"}";
    works(
        BOTH,
        &["npm"],
        &[
            ("p/package.json", package),
            ("p/index.js", "module.exports = 5"),
            ("q/package.json", "{\"name\":\"q\"}"),
        ],
        "export npm_config_cache=$PWD/cache npm_config_update_notifier=false && npm pack ./p >/dev/null && cd q && \
         npm install --offline --no-audit --no-fund ../p-1.0.0.tgz >/dev/null && test $(node -p 'require(\"p\")') = 5",
    );
}

/// The toolchain of the tests where every user can read it: as links beside the bed, or as a copy.
fn toolchain(bed: &Bed) -> Option<std::path::PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let from = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    let to = bed.path().join("toolchain");
    std::fs::create_dir(&to).unwrap();
    let script = "for d in bin lib; do cp -al \"$1/$d\" \"$2/\" 2>/dev/null || cp -a \"$1/$d\" \"$2/\" || exit 1; done";
    let copied = Command::new("sh").args(["-c", script, "sh", &from]).arg(&to).status().ok()?;
    copied.success().then_some(to)
}

#[test]
fn a_crate_is_built_and_tested() {
    for way in ways() {
        let bed = Bed::new(way);
        let Some(toolchain) = toolchain(&bed) else {
            eprintln!("`rustc --print sysroot` names nothing that can be linked or copied: skipped");
            return;
        };
        let manifest = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
        bed.write("work/src/c/Cargo.toml", manifest);
        bed.write("work/src/c/src/main.rs", "fn main() { println!(\"built\") }\n#[test]\nfn t() {}\n");
        let script = "cd src/c && cargo build --offline -q && test \"$(target/debug/tiny)\" = built && cargo test --offline -q";
        let mut codex = bed.command("workspace-write", &["sh", "-c", script]);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", toolchain.join("bin").display());
        for name in
            ["RUSTC", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR"]
        {
            codex.env_remove(name);
        }
        // What cargo keeps for itself is not in the workspace.
        let output = codex.env("PATH", path).env("CARGO_HOME", bed.work().join("cargo")).output().unwrap();
        assert!(output.status.success(), "{way:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{way:?}: {output:?}");
    }
}

#[test]
fn at_the_landlock_level_existing_places_can_be_worked_in() {
    for way in ways().into_iter().filter(|way: &Way| way.level == LANDLOCK) {
        let bed = Bed::new(way);
        let script = "set -e; echo x > own; mkdir -p src/a/b; echo y > src/a/b/c; mv src/a/b/c src/c; rm -r src/a
            ln -s c src/soft; ln src/c src/hard; test $(cat src/hard) = y; mkfifo src/pipe; rm src/pipe
            t=$(mktemp /tmp/codex-test-XXXXXX); echo x > $t; rm $t; echo x > /dev/null; cat /etc/passwd | wc -l";
        let (code, output) = bed.sh(script);
        assert_eq!(code, 0, "{way:?}: {output}");
    }
}
