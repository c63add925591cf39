//! What ordinary work must still do inside.

use super::bed::{Bed, NAMESPACES, ways};

#[test]
fn files_devices_and_memory() {
    for way in ways().into_iter().filter(|way| way.level == NAMESPACES) {
        let bed = Bed::new(way);
        let script = "set -e
            echo a > new; mkdir -p a/b; mv new a/b/c; ln a/b/c hard; ln -s a soft; chmod 755 hard; cp -p hard copy
            touch -d 2001-01-01 copy; mkfifo pipe; rm -r a hard soft copy pipe
            echo x > /dev/null; head -c 8 /dev/urandom > random; head -c 8 /dev/zero | wc -c; rm random
            echo shared > /dev/shm/codex-test; test -s /dev/shm/codex-test
            t=$(mktemp /tmp/codex-test-XXXXXX); echo x > $t; rm $t
            test $(id -u) = 65534 || echo err > /dev/stderr
            sleep 0 & wait; (trap 'exit 3' TERM; kill -TERM $(sh -c 'echo $PPID')) || test $? = 3
            ls /proc/self/fd | wc -l; cat /etc/passwd > /dev/null; cat .git/config";
        let (code, output) = bed.sh(script);
        assert_eq!(code, 0, "{way:?}: {output}");
        assert!(
            !std::path::Path::new("/dev/shm/codex-test").exists(),
            "{way:?}: shared memory is not private"
        );
    }
}

/// What mounts make private elsewhere is the command's own because it made it.
#[test]
fn shared_memory_and_terminals_are_its_own_without_mounts() {
    for way in ways().into_iter().filter(|way| way.level != NAMESPACES) {
        let bed = Bed::new(way);
        let theirs = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
        std::fs::set_permissions(theirs.path(), std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        let mark = format!("codex-own-{}-{:?}", std::process::id(), way.user);
        let path = theirs.path().display();
        let script = format!(
            "m='/dev/shm/{mark}'; set -e; echo a > \"$m\"; echo b >> \"$m\"; test $(wc -l < \"$m\") = 2
             ln \"$m\" \"$m-2\"; rm \"$m\"; test -s \"$m-2\"
             echo x > {path} && exit 4; ln {path} \"$m-3\" && exit 5; mv {path} \"$m-4\" && exit 6
             ln \"$m-2\" own-memory && exit 7; rm -f {path} && exit 8
             for t in /dev/pts/[0-9]*; do test -e $t || continue; echo x > $t && exit 9; done; true"
        );
        let (code, output) = bed.sh(&script);
        assert_eq!(code, 0, "{way:?}: {output}");
        assert_eq!(std::fs::read(theirs.path()).unwrap(), b"", "{way:?}");
        let left = |name: &std::ffi::OsString| name.to_string_lossy().starts_with(&mark);
        let names = std::fs::read_dir("/dev/shm").unwrap().flatten().map(|entry| entry.file_name());
        assert_eq!(names.filter(left).count(), 0, "{way:?}: its memory stays");
    }
}

#[test]
fn only_stdio_is_inherited() {
    for way in ways() {
        let bed = Bed::new(way);
        let (code, output) = bed.sh("exec ls /proc/self/fd");
        // The fourth is the folder being listed.
        assert_eq!((code, output.as_str()), (0, "0\n1\n2\n3\n"), "{way:?}");
    }
}

#[test]
fn the_environment_and_the_folder_arrive() {
    for way in ways() {
        let bed = Bed::new(way);
        let (code, output) = bed.sh("pwd; echo $W");
        assert_eq!((code, output), (0, format!("{0}\n{0}\n", bed.work().display())), "{way:?}");
    }
}

#[test]
fn python_runs_subprocesses_servers_and_queues() {
    if !crate::support::python() {
        return;
    }
    let program = r#"
import asyncio, multiprocessing, os
async def main():
    p = await asyncio.create_subprocess_exec("echo", "sub", stdout=asyncio.subprocess.PIPE)
    assert (await p.communicate())[0] == b"sub\n"
    async def pong(r, w):
        w.write(b"pong"); await w.drain(); w.close()
    s = await asyncio.start_server(pong, "127.0.0.1", 0)
    r, w = await asyncio.open_connection(*s.sockets[0].getsockname())
    assert await r.read() == b"pong"
asyncio.run(main())
q = multiprocessing.Queue()
p = multiprocessing.Process(target=q.put, args=(1,)); p.start(); assert q.get() == 1; p.join()
"#;
    for way in ways() {
        let bed = Bed::new(way);
        let output = bed.codex("workspace-write", &["python3", "-c", program]);
        assert!(output.status.success(), "{way:?}: {output:?}");
    }
}
