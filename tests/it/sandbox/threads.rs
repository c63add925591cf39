//! The network of a thread: what one command serves the next one reaches, the machine only by rule, and nothing of it
//! stays behind.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::Value;

use super::bed::{Bed, LANDLOCK, NAMESPACES, Way, ways};
use crate::support::alive::Alive;
use crate::support::backend::Backend;

/// Serves `who` at the port of its first argument for as long as it lives.
const SERVER: &str = "import socket,sys
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen()
print('serving', flush=True)
while True:
    c,_=s.accept(); c.sendall(b'page of '+sys.argv[2].encode()); c.close()
";

/// Prints what the port says, or that nobody is there; waits for a server that is on its way.
const CLIENT: &str = "import socket,sys,time
end=time.time()+float(sys.argv[2])
while True:
    try:
        s=socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)
        text=s.recv(100).decode()
        if text: print(text); break
    except OSError as e:
        text=type(e).__name__
    if time.time()>end: print('nobody', text); break
    time.sleep(0.02)
";

/// Tries to change the network it is in; says what worked.
const CHANGE: &str = "import socket,struct,fcntl
s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def tried(name, act):
    try: act(); print('changed', name)
    except OSError as e: pass
tried('lo', lambda: fcntl.ioctl(s, 0x8914, struct.pack('16sH22x', b'lo', 0)))
tried('address', lambda: fcntl.ioctl(s, 0x8916, struct.pack('16sHH4s16x', b'lo', 2, 0, b'\\x0a\\0\\0\\x01')))
n=socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
# RTM_NEWLINK of a dummy, acknowledged
body=struct.pack('BxHiII',0,0,0,0,0)+struct.pack('HH5s3x',9,3,b'dum0\\0')+struct.pack('HH',16,18)+struct.pack('HH5s3x',9,1,b'dummy')
n.send(struct.pack('IHHII',16+len(body),16,0x605,1,0)+body)
if struct.unpack('i', n.recv(4096)[16:20])[0]==0: print('changed links')
try: open('/proc/sys/net/ipv4/ip_forward','w').write('1'); print('changed forwarding')
except OSError: pass
print('looked')
";

/// One turn of `codex exec` by the user of a way. Its last command waits until the test has seen enough.
struct Turn {
    bed: Bed,
    _backend: Backend,
    codex: Child,
    up: Alive,
}

fn commands(list: &[(String, u32)]) -> String {
    let mut script = String::new();
    for (n, (command, wait)) in list.iter().enumerate() {
        let when = match n {
            0 => "{ round = 0 }".to_owned(),
            n => format!("{{ after = \"r{}\" }}", n - 1),
        };
        script.push_str(&format!(
            "[[rule]]\nname = \"r{n}\"\nwhen = {when}\n[[rule.output]]\nexec = {}\nargs = {{ yield_time_ms = {wait} }}\n",
            Value::from(command.as_str())
        ));
    }
    script + "[[rule]]\noutput = [{ text = \"end\" }]\n"
}

impl Turn {
    fn start(way: Way, settings: &str, mut list: Vec<(String, u32)>) -> Self {
        list.push(sh("echo up > up; cat go".to_owned()));
        let backend = Backend::start();
        backend.script(&commands(&list));
        let bed = Bed::new(way);
        for (name, text) in [("server.py", SERVER), ("client.py", CLIENT), ("change.py", CHANGE)] {
            bed.write(&format!("work/{name}"), text);
        }
        bed.write(
            "home/.codex/config.toml",
            &format!(
                "model = \"gpt-5.5\"\nmodel_provider = \"test\"\n[model_providers.test]\nname = \"test\"\n\
                 base_url = \"{}\"\nenv_key = \"TEST_KEY\"\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n\
                 [sandbox_workspace_write]\n{settings}\n",
                backend.base_url,
                bed.work().display()
            ),
        );
        let up = Alive::new(&bed.work(), "up");
        mknodat(CWD, bed.work().join("go"), FileType::Fifo, Mode::from_bits_retain(0o600), 0).unwrap();
        ["up", "go"].iter().for_each(|pipe| bed.own(&bed.work().join(pipe)));
        let codex = bed.path().join("codex");
        let mut command = match way.level {
            NAMESPACES => std::process::Command::new(codex),
            // Where there are to be no namespaces but this one.
            _ => {
                let mut command = std::process::Command::new("unshare");
                let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
                command.args(["-r", "sh", "-c", script, "-"]).arg(codex);
                command
            }
        };
        command.args(["exec", "--json", "-s", "workspace-write", "--skip-git-repo-check", "go"]);
        bed.prepare(&mut command);
        command.env("TEST_KEY", &backend.token).stdout(Stdio::piped());
        let codex = command.spawn().unwrap();
        Self { bed, _backend: backend, codex, up }
    }

    /// What each command printed, in order of their ends, and last what the turn reached in the network. Every process that belongs to the thread ends with it.
    fn outputs(mut self) -> Vec<String> {
        let all = descendants(self.codex.id());
        assert!(all.len() > 2, "a server and a command at least");
        drop(File::options().write(true).open(self.bed.work().join("go")).unwrap());
        let mut text = String::new();
        self.codex.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(self.codex.wait().unwrap().success(), "{text}");
        let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
        for process in all {
            let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).unwrap();
            assert_eq!(ended, 1, "something was left");
        }
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<Value> = lines.collect();
        let end = lines.iter().find(|line| line["type"] == "turn.completed").unwrap();
        let told = end["network"].as_array().into_iter().flatten();
        let told = told.map(|visit| format!("{} {} {}", visit["place"], visit["outcome"], visit["count"]));
        let mut said = lines
            .iter()
            .filter(|line| line["type"] == "item.completed" && line["item"]["type"] == "command_execution")
            .map(|line| line["item"]["aggregated_output"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>();
        said.push(told.collect::<Vec<_>>().join("; "));
        said
    }
}

/// All that a process has started, and what they have, for as long as they live.
pub(super) fn descendants(of: u32) -> Vec<OwnedFd> {
    let mut found = vec![of];
    let mut at = 0;
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    while let Some(parent) = found.get(at).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    let open = |pid: &u32| pidfd_open(Pid::from_raw(*pid as i32)?, PidfdFlags::empty()).ok();
    found.iter().skip(1).filter_map(open).collect()
}

fn users() -> impl Iterator<Item = Way> {
    ways().into_iter().filter(|way| way.level == NAMESPACES)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server of the machine, for as long as the test's process lives.
fn machine(text: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(text.as_bytes());
        }
    });
    port
}

fn sh(text: String) -> (String, u32) {
    (text, 30_000)
}

fn serve(port: u16, who: &str) -> (String, u32) {
    (format!("exec python3 server.py {port} {who}"), 250)
}

#[test]
fn the_next_command_reaches_what_one_serves_and_nobody_changes_the_network() {
    if !crate::support::python() {
        return;
    }
    let secret = machine("page of the machine");
    for way in users() {
        let port = free_port();
        let turn = Turn::start(
            way,
            "",
            vec![
                serve(port, "one"),
                sh(format!("python3 client.py {port} 20; readlink /proc/self/ns/net")),
                sh("python3 change.py; readlink /proc/self/ns/net".to_owned()),
                sh(format!("python3 client.py {secret} 0")),
                sh(format!("python3 client.py {port} 0")),
            ],
        );
        turn.up.up();
        let said = turn.outputs();
        let [client, change, other, again, ..] = &said[..] else { panic!("{way:?}: {said:?}") };
        let network = client.lines().last().unwrap();
        let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
        assert!(
            client.starts_with("page of one\n") && network != ours.to_str().unwrap(),
            "{way:?}: {said:?}"
        );
        assert_eq!(*change, format!("looked\n{network}\n"), "{way:?}");
        assert!(other.starts_with("nobody ConnectionRefused"), "{way:?}: {other}");
        assert_eq!(again, "page of one\n", "{way:?}");
    }
}

#[test]
fn listed_ports_lead_to_the_machine_or_are_free_for_servers_and_served_ones_lead_back() {
    if !crate::support::python() {
        return;
    }
    let outside = machine("page of the machine");
    for way in users() {
        let (free, served) = (free_port(), free_port());
        let settings = format!("loopback_ports = [{outside}, {free}]\nserve_ports = [{served}]");
        let turn = Turn::start(
            way,
            &settings,
            vec![
                serve(free, "free"),
                serve(served, "served"),
                sh(format!("python3 client.py {outside} 20; python3 client.py {free} 20")),
                sh(format!("python3 client.py {served} 20")),
            ],
        );
        // Now as the user's browser would.
        turn.up.up();
        let mut page = String::new();
        TcpStream::connect(("127.0.0.1", served)).unwrap().read_to_string(&mut page).unwrap();
        assert_eq!(page, "page of served", "{way:?}");
        assert!(TcpStream::connect(("127.0.0.1", free)).is_err(), "{way:?}: not listed for this direction");
        let said = turn.outputs();
        let client = said.iter().find(|text| text.contains("page of free")).unwrap();
        assert!(client.starts_with("page of the machine\npage of free\n"), "{way:?}: {said:?}");
        let want = format!("\"127.0.0.1:{outside}\" \"reached\" 1");
        assert_eq!(said.last(), Some(&want), "{way:?}: {said:?}");
        assert!(TcpStream::connect(("127.0.0.1", served)).is_err(), "{way:?}: it is over");
    }
}

/// There is no network for each thread then, but the lists mean the same.
#[test]
fn without_namespaces_commands_reach_each_other_what_is_listed_and_nothing_else() {
    if !crate::support::python() {
        return;
    }
    let [outside, secret] = ["page of the machine", "secret"].map(machine);
    for way in ways().into_iter().filter(|way| way.level == LANDLOCK) {
        let port = free_port();
        let away =
            "python3 -c \"import socket; socket.create_connection(('192.0.2.1', 443))\" 2>&1 | tail -1";
        let turn = Turn::start(
            way,
            &format!("loopback_ports = [{outside}]"),
            vec![
                serve(port, "one"),
                sh(format!(
                    "python3 client.py {port} 20; python3 client.py {outside} 20; readlink /proc/self/ns/net"
                )),
                sh(format!("python3 client.py {secret} 0; {away}")),
            ],
        );
        turn.up.up();
        let said = turn.outputs();
        let [client, other, ..] = &said[..] else { panic!("{way:?}: {said:?}") };
        let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
        let want = format!("page of one\npage of the machine\n{}\n", ours.display());
        assert!(client.starts_with(&want), "{way:?}: {said:?}");
        assert!(
            other.starts_with("nobody ConnectionRefused") && other.contains("unreachable"),
            "{way:?}: {other}"
        );
        let want = format!("\"127.0.0.1:{outside}\" \"reached\" 1; \"192.0.2.1:443\" \"refused\" 1");
        assert_eq!(said.last(), Some(&want), "{way:?}: {said:?}");
    }
}

#[test]
fn each_thread_has_a_network_of_its_own() {
    if !crate::support::python() {
        return;
    }
    for way in users() {
        let look = || vec![sh("readlink /proc/self/ns/net".to_owned())];
        let turns = [(), ()].map(|()| Turn::start(way, "", look()));
        // Both are there at one time, or the numbers would say nothing.
        turns.iter().for_each(|turn| drop(turn.up.up()));
        let [one, other] = turns.map(Turn::outputs);
        assert!(one[0].starts_with("net:[") && one != other, "{way:?}: {one:?}");
    }
}
