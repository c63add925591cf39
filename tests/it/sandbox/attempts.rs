//! Single attempts that need system calls a shell does not have. The ignored tests run inside the sandbox, in a
//! copy of this test binary, and succeed when the attempt succeeds; the tests at the end start them.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::Command;

use super::bed::{Bed, Way, ways};

fn target(name: &str) -> String {
    fs::read_to_string(format!("targets/{name}")).unwrap()
}

macro_rules! attempt {
    ($name:ident, $body:expr) => {
        #[test]
        #[ignore = "runs inside the sandbox, started by another test"]
        fn $name() {
            #[allow(clippy::redundant_closure_call)]
            let result: std::io::Result<()> = (|| $body)();
            result.unwrap();
        }
    };
}

attempt!(tcp, TcpStream::connect(target("tcp"))?.write_all(b"x"));
attempt!(udp, {
    UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", target("udp"))?;
    // Sent is not arrived: the outer test looks whether anything came.
    Ok(())
});
attempt!(tcp_6, TcpStream::connect(target("tcp_6"))?.write_all(b"x"));
attempt!(udp_6, UdpSocket::bind("[::1]:0")?.send_to(b"x", target("udp_6")).map(drop));
attempt!(unix_path, UnixStream::connect(target("unix"))?.write_all(b"x"));
attempt!(unix_datagram, UnixDatagram::unbound()?.send_to(b"x", target("datagram")).map(drop));
attempt!(unix_datagram_from_a_pair, {
    let (one, _two) = UnixDatagram::pair()?;
    one.send_to(b"x", target("datagram")).map(drop)
});
attempt!(unix_abstract, {
    let address = SocketAddr::from_abstract_name(target("abstract"))?;
    UnixStream::connect_addr(&address)?.write_all(b"x")
});
attempt!(vsock, socket(rustix::net::AddressFamily::from_raw(40)));
attempt!(packet, socket(rustix::net::AddressFamily::PACKET));
attempt!(kernel_crypto, socket(rustix::net::AddressFamily::from_raw(38)));
attempt!(terminal_input, {
    let (_master, slave) = terminal()?;
    push_key(&slave)
});

attempt!(inode_flags, {
    let file = fs::File::open(target("file"))?;
    let flags = rustix::fs::ioctl_getflags(&file)?;
    Ok(rustix::fs::ioctl_setflags(&file, flags ^ rustix::fs::IFlags::NODUMP)?)
});
attempt!(priority_of_others, {
    let pid = rustix::process::Pid::from_raw(target("pid").parse().unwrap());
    Ok(rustix::process::setpriority_process(pid, 15)?)
});

fn socket(family: rustix::net::AddressFamily) -> std::io::Result<()> {
    rustix::net::socket(family, rustix::net::SocketType::STREAM, None)?;
    Ok(())
}

fn terminal() -> std::io::Result<(rustix::fd::OwnedFd, fs::File)> {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?.into_string().unwrap();
    let slave = fs::OpenOptions::new().read(true).write(true).open(name)?;
    Ok((master, slave))
}

/// Not TIOCSTI itself, which kernels refuse for a terminal that is not the controlling one, but the error of the
/// filter (EPERM) against that of the kernel (EPERM too): so the attempt is made on the controlling terminal.
fn push_key(slave: &fs::File) -> std::io::Result<()> {
    let _ = rustix::process::setsid();
    rustix::process::ioctl_tiocsctty(slave)?;
    #[allow(unsafe_code)]
    // SAFETY: one byte to read, alive during the call.
    let result =
        unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(slave), libc::TIOCSTI as _, b"x".as_ptr()) };
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

attempt!(own_socket_pairs, {
    let (mut one, mut two) = UnixStream::pair()?;
    one.write_all(b"ping")?;
    let mut bytes = [0; 4];
    two.read_exact(&mut bytes)
});
attempt!(own_sockets, {
    let tcp = TcpListener::bind("127.0.0.1:0")?;
    TcpStream::connect(tcp.local_addr()?)?.write_all(b"x")?;
    let unix = UnixListener::bind("own.sock")?;
    UnixStream::connect("own.sock")?.write_all(b"x")?;
    drop((tcp, unix));
    fs::remove_file("own.sock")
});
attempt!(own_terminal, {
    let (master, mut slave) = terminal()?;
    slave.write_all(b"x")?;
    let mut byte = [0];
    rustix::io::read(&master, &mut byte)?;
    assert_eq!(byte, *b"x");
    Ok(())
});

/// System calls refused whatever their arguments: the filter answers before the kernel looks at them.
#[cfg(target_arch = "x86_64")]
const REFUSED: &[libc::c_long] = &[
    libc::SYS_mount,
    libc::SYS_pivot_root,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_open_by_handle_at,
    libc::SYS_pidfd_getfd,
    libc::SYS_swapon,
    libc::SYS_acct,
    libc::SYS_clone3,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
];

#[cfg(target_arch = "x86_64")]
#[test]
#[ignore = "runs inside the sandbox, started by another test"]
#[allow(unsafe_code)]
fn every_listed_call_is_refused() {
    for call in REFUSED {
        // SAFETY: null pointers and impossible numbers; the kernel refuses all of them in any case.
        let result = unsafe { libc::syscall(*call, -1, 0, 0, -1, 0) };
        let error = std::io::Error::last_os_error().raw_os_error().unwrap();
        assert!(result == -1 && [libc::EPERM, libc::ENOSYS].contains(&error), "{call}: {result} {error}");
    }
}

/// The 32-bit entry has other numbers for the same calls.
#[cfg(target_arch = "x86_64")]
#[test]
#[ignore = "runs inside the sandbox, started by another test"]
#[allow(unsafe_code)]
fn entry_of_32_bits() {
    const GETPID: i32 = 20;
    let result: i32;
    // SAFETY: asks for the process id; the kernel may change the registers named.
    unsafe {
        std::arch::asm!("int 0x80", inlateout("eax") GETPID => result, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    assert!(result > 0);
}

/// Whether the attempt succeeded inside.
fn try_inside(bed: &Bed, mode: &str, name: &str) -> (bool, String) {
    let name = format!("sandbox::attempts::{name}");
    let helper = bed.helper();
    let output =
        bed.codex(mode, &[helper.to_str().unwrap(), "--ignored", "--exact", &name, "--test-threads=1"]);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(text.contains("running 1 test"), "{name}: {text}");
    (output.status.success(), text)
}

/// Listeners of the host, and whether anything arrived there.
struct Host {
    tcp: TcpListener,
    udp: UdpSocket,
    /// The same by the newer protocol, where it is on.
    newer: Option<(TcpListener, UdpSocket)>,
    unix: UnixListener,
    datagram: UnixDatagram,
    named: UnixListener,
}

impl Host {
    fn new(bed: &Bed) -> Self {
        let (unix, datagram) = (bed.path().join("unix"), bed.path().join("datagram"));
        let name = format!("codex-test-{}", bed.path().display());
        let host = Self {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
            newer: TcpListener::bind("[::1]:0").ok().zip(UdpSocket::bind("[::1]:0").ok()),
            unix: UnixListener::bind(&unix).unwrap(),
            datagram: UnixDatagram::bind(&datagram).unwrap(),
            named: UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap(),
        };
        bed.own(&unix);
        bed.own(&datagram);
        bed.write("work/targets/tcp", &host.tcp.local_addr().unwrap().to_string());
        bed.write("work/targets/udp", &host.udp.local_addr().unwrap().to_string());
        bed.write("work/targets/unix", unix.to_str().unwrap());
        bed.write("work/targets/datagram", datagram.to_str().unwrap());
        bed.write("work/targets/abstract", &name);
        if let Some((tcp, udp)) = &host.newer {
            bed.write("work/targets/tcp_6", &tcp.local_addr().unwrap().to_string());
            bed.write("work/targets/udp_6", &udp.local_addr().unwrap().to_string());
            tcp.set_nonblocking(true).unwrap();
            udp.set_nonblocking(true).unwrap();
        }
        host.tcp.set_nonblocking(true).unwrap();
        host.udp.set_nonblocking(true).unwrap();
        host.unix.set_nonblocking(true).unwrap();
        host.datagram.set_nonblocking(true).unwrap();
        host.named.set_nonblocking(true).unwrap();
        host
    }

    fn reached(&self) -> bool {
        let mut byte = [0];
        let results = [
            self.tcp.accept().map(drop),
            self.udp.recv(&mut byte).map(drop),
            self.unix.accept().map(drop),
            self.datagram.recv(&mut byte).map(drop),
            self.named.accept().map(drop),
        ];
        let newer =
            self.newer.iter().flat_map(|(tcp, udp)| [tcp.accept().map(drop), udp.recv(&mut [0]).map(drop)]);
        results
            .into_iter()
            .chain(newer)
            .any(|result| !matches!(result, Err(error) if error.kind() == ErrorKind::WouldBlock))
    }
}

#[test]
fn no_network_and_no_socket_of_the_host() {
    for way in ways() {
        let bed = Bed::new(way);
        let host = Host::new(&bed);
        let mut names =
            vec!["tcp", "udp", "unix_path", "unix_datagram", "unix_datagram_from_a_pair", "unix_abstract"];
        match host.newer {
            Some(_) => names.extend(["tcp_6", "udp_6"]),
            None => eprintln!("no IPv6 here, not tried"),
        }
        for name in names {
            let (worked, text) = try_inside(&bed, "danger-full-access", name);
            assert!(worked && host.reached(), "{name} does not work even without a sandbox: {text}");
            while host.reached() {}
            for mode in ["workspace-write", "read-only"] {
                let (worked, _) = try_inside(&bed, mode, name);
                assert!(!worked || name.starts_with("udp"), "{way:?} {mode}: {name} worked");
                assert!(!host.reached(), "{way:?} {mode}: {name} arrived");
            }
        }
        for name in ["vsock", "packet", "kernel_crypto", "terminal_input"] {
            assert!(!try_inside(&bed, "workspace-write", name).0, "{way:?}: {name} worked");
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn dangerous_calls_are_refused_by_every_entry() {
    for way in ways() {
        let bed = Bed::new(way);
        let (worked, text) = try_inside(&bed, "workspace-write", "every_listed_call_is_refused");
        assert!(worked, "{way:?}: {text}");
        let free = Bed::new(way);
        assert!(!try_inside(&free, "danger-full-access", "every_listed_call_is_refused").0);
        let (worked, text) = try_inside(&bed, "workspace-write", "entry_of_32_bits");
        assert!(!worked, "{way:?}: {text}");
    }
}

#[test]
fn own_sockets_and_terminals_work() {
    for way in ways() {
        let bed = Bed::new(way);
        for name in ["own_socket_pairs", "own_sockets", "own_terminal"] {
            let (worked, text) = try_inside(&bed, "workspace-write", name);
            assert!(worked, "{way:?}: {name}: {text}");
        }
    }
}

#[test]
fn what_a_file_outside_is_marked_with_stays() {
    for way in ways() {
        let bed = Bed::new(way);
        let file = bed.outside().join("file");
        bed.write("work/targets/file", file.to_str().unwrap());
        let flags = || rustix::fs::ioctl_getflags(fs::File::open(&file).unwrap()).ok();
        let before = flags();
        if !try_inside(&bed, "danger-full-access", "inode_flags").0 || flags() == before {
            eprintln!("no flags on this file system: nothing was tested");
            return;
        }
        let before = flags();
        assert!(!try_inside(&bed, "workspace-write", "inode_flags").0, "{way:?}");
        assert_eq!(flags(), before, "{way:?}");
    }
}

#[test]
fn processes_outside_keep_their_priority() {
    for way in ways() {
        let bed = Bed::new(way);
        let mut sleep = Command::new("sleep");
        sleep.arg("600");
        bed.prepare(&mut sleep);
        let mut sleep = sleep.spawn().unwrap();
        bed.write("work/targets/pid", &sleep.id().to_string());
        let priority =
            || rustix::process::getpriority_process(rustix::process::Pid::from_raw(sleep.id() as i32));
        let before = priority().unwrap();
        assert!(!try_inside(&bed, "workspace-write", "priority_of_others").0, "{way:?}");
        assert_eq!(priority().unwrap(), before, "{way:?}");
        assert!(try_inside(&bed, "danger-full-access", "priority_of_others").0, "{way:?}");
        assert_ne!(priority().unwrap(), before, "{way:?}");
        sleep.kill().unwrap();
        sleep.wait().unwrap();
    }
}

#[test]
fn processes_outside_get_no_signal() {
    for way in ways() {
        let bed = Bed::new(way);
        let mut sleep = Command::new("sleep");
        sleep.arg("600");
        bed.prepare(&mut sleep);
        let mut sleep = sleep.spawn().unwrap();
        let pid = sleep.id();
        for script in
            [format!("kill -9 {pid}"), format!("kill -9 -{pid}"), "kill -9 $PPID".into(), "kill -9 0".into()]
        {
            bed.sh(&script);
        }
        assert!(sleep.try_wait().unwrap().is_none(), "{way:?}: killed from inside");
        let free = Bed::new(Way { user: way.user, ..way });
        free.sh_free(&format!("kill -9 {pid}"));
        assert!(!sleep.wait().unwrap().success());
    }
}
