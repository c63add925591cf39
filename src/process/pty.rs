//! A pseudo terminal of 24 rows and 80 columns. The program's side is opened through the master, not by name,
//! so it works whatever is mounted on `/dev/pts`.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const SIZE: Winsize = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };

/// Both sides of a fresh terminal.
pub(super) struct Pty {
    /// Our side.
    pub(super) master: OwnedFd,
    /// The program's side; to be closed here once the program has it, or its end is never seen.
    pub(super) slave: OwnedFd,
}

/// Opens a terminal. Both sides are closed on exec.
///
/// # Errors
/// The machine has no (more) pseudo terminals.
pub(super) fn open() -> io::Result<Pty> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    tcsetwinsize(&master, SIZE)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = match ioctl_tiocgptpeer(&master, flags) {
        Ok(slave) => slave,
        Err(_) => {
            let name = ptsname(&master, Vec::new())?;
            rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?
        }
    };
    Ok(Pty { master, slave })
}
