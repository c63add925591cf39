//! The confinement of one command, put in place by its supervisor: at each of the supervisor's moments the right
//! pieces of this folder. A piece that fails stops the command; nothing here tries something weaker instead.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::{fs, process};

use seccompiler::BpfProgram;

use super::bridge::Bridge;
use super::broker::{Asks, Broker, Places, Reach};
use super::children::Children;
use super::landlock::Grants;
use super::mounts::Plan;
use super::network::{Entrance, Network};
use super::record::Record;
use super::seccomp::Needs;
use super::wrap::Confine;
use super::{identity, landlock, mounts, seccomp, sockets, sys};
use crate::process::supervise::{Confinement, SetupError};
use crate::protocol::network::Visits;
use crate::sandbox::detect::Level;

/// One command's confinement on its way into force.
pub(crate) struct Inside {
    confine: Confine,
    children: Children,
    sockets: Vec<PathBuf>,
    shared: Option<(Entrance, Record)>,
    bridge: Option<Bridge>,
    ruleset: Option<OwnedFd>,
    filters: Vec<BpfProgram>,
    broker: Option<Broker>,
}

impl Inside {
    /// Nothing is in force yet.
    pub(crate) fn new(confine: Confine) -> Self {
        Self {
            confine,
            children: Children::default(),
            sockets: Vec::new(),
            shared: None,
            bridge: None,
            ruleset: None,
            filters: Vec::new(),
            broker: None,
        }
    }

    /// The command will be in this network.
    ///
    /// # Errors
    /// No descriptors.
    pub(crate) fn share(&mut self, network: &Network) -> Result<(), SetupError> {
        self.shared = Some(network.share().map_err(|error| SetupError::new("network", error))?);
        Ok(())
    }

    /// What is around the network of the command, and the network itself when it is shared. Gives whether the command
    /// needs one of its own.
    fn enter_network(&mut self) -> Result<bool, SetupError> {
        if !Network::is_for(&self.confine) {
            return Ok(false);
        }
        self.bridge = Bridge::start(&self.confine.hosts)?;
        if self.shared.is_none() && !(self.confine.ports.is_empty() && self.confine.serve.is_empty()) {
            let mut network = Network::new()?;
            network.join(&self.confine)?;
            self.share(&network)?;
        }
        let Some((entrance, _)) = &self.shared else { return Ok(true) };
        entrance.enter()?;
        self.bridge.as_mut().map_or(Ok(()), Bridge::listen)?;
        Ok(false)
    }

    fn drop_capabilities(&self) -> Result<(), SetupError> {
        match self.confine.without("capabilities") {
            true => Ok(()),
            false => identity::drop_capabilities(),
        }
    }

    /// Landlock and the filter, prepared for [`Confinement::inner`].
    fn prepare(&mut self, namespaces: bool) -> Result<(), SetupError> {
        let abi = self.confine.oldest(landlock::abi());
        if abi == 0 && !namespaces {
            return Err(SetupError::new("landlock", "this kernel does not offer it"));
        }
        let mut write: Vec<_> = self.confine.write.iter().map(|root| root.path.path()).collect();
        // A root that is everything must not bring the kernel's settings and devices with it.
        if !namespaces && write.iter().any(|root| root.parent().is_none()) {
            self.children.read_only.extend(["/proc", "/sys", "/dev"].map(PathBuf::from));
        }
        let hide: Vec<_> = self.confine.hide.iter().map(|path| path.path()).collect();
        if !namespaces {
            // What holds something hidden must not be moved to where the next command can read it.
            self.children.read_only.extend(hide.iter().cloned());
        }
        // Mounts protect what is there; in an open repository also names must not come to be there.
        let repository = namespaces && !self.children.reopen.is_empty();
        if repository {
            write.extend(self.children.reopen.iter().cloned());
        }
        let sealed = self.children.sealed.clone();
        let plain = &self.children.reopen;
        let grants = match namespaces {
            true => Grants { write: &write, except: &sealed, plain, private: IN_NAMESPACES, hide: None },
            false => Grants {
                write: &write,
                except: &self.children.read_only,
                plain,
                private: HARMLESS,
                hide: Some(&hide),
            },
        };
        if !self.confine.without("landlock") {
            self.ruleset = landlock::ruleset(&grants, abi)?;
        }
        if !self.confine.without("seccomp") {
            let asked = (!namespaces || repository) && !self.confine.without("broker");
            let datagrams = namespaces && (self.confine.network || self.confine.without("late sockets"));
            let needs = Needs { namespaces, network: self.confine.network, abi, asked, datagrams };
            self.filters = seccomp::programs(needs)?;
            let sockets = self.reach(namespaces);
            if asked || (namespaces && sockets.is_some()) {
                let asks = Asks { names: asked, reads: !namespaces, metadata: !namespaces, sockets };
                let refusing = asked.then(seccomp::refusing).transpose()?;
                self.broker = Some(Broker::new(self.places(hide), asks, refusing)?);
            }
        }
        Ok(())
    }

    /// Whom the command may connect to, when that has to be asked. With namespaces only a socket with a name in the
    /// file system is elsewhere; who asks is looked up in `/proc`, which in some containers is an older one.
    fn reach(&self, namespaces: bool) -> Option<Reach> {
        let ours = || fs::read_link("/proc/self").is_ok_and(|link| link == *process::id().to_string());
        match namespaces {
            _ if self.confine.network => None,
            false if self.confine.without("servers") => Some(Reach::Anybody),
            false => Some(Reach::Own),
            true => (!self.confine.without("late sockets") && ours()).then_some(Reach::Inhabitants),
        }
    }

    /// Where the command may change something, for the supervisor to decide by.
    fn places(&mut self, hidden: Vec<PathBuf>) -> Places {
        let without = self.confine.without("protected");
        Places {
            write: self.confine.write.iter().map(|root| root.path.path()).collect(),
            closed: std::mem::take(&mut self.children.read_only),
            reopened: std::mem::take(&mut self.children.reopen),
            sealed: std::mem::take(&mut self.children.sealed),
            hidden,
            git_init: self.confine.git_init,
            unprotected: without,
            unpinned: self.confine.without("pins"),
            lawless: self.confine.without("places"),
        }
    }
}

/// Devices that change nothing for anybody else.
const HARMLESS: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// The same, and what is private in the command's own mount namespace.
const IN_NAMESPACES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",
];

impl Confinement for Inside {
    fn outer(&mut self) -> Result<Option<i32>, SetupError> {
        if self.confine.without("hide") {
            self.confine.hide.clear();
        }
        if self.confine.without("settings") {
            self.confine.protect.clear();
        }
        self.children = Children::find(&self.confine)?;
        if self.confine.without("seals") {
            self.children.sealed.clear();
        }
        if self.confine.without("protected") {
            self.children.read_only.clear();
        }
        match self.confine.level {
            Level::Landlock => Ok(None),
            Level::Namespaces => {
                // In an open repository names are kept from coming to be by Landlock alone.
                if landlock::abi() == 0 {
                    self.children.reopen.clear();
                }
                if !self.confine.without("sockets") {
                    self.sockets = sockets::of_host();
                }
                let unless = |off, flag| if off { 0 } else { flag };
                let own_network = self.enter_network()?;
                let ipc = unless(self.confine.without("ipc"), libc::CLONE_NEWIPC);
                let pid = unless(self.confine.without("pid"), libc::CLONE_NEWPID);
                let all = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | pid | ipc;
                Ok(Some(all | unless(!own_network, libc::CLONE_NEWNET)))
            }
        }
    }

    fn adopt(&mut self, process_1: i32) -> Result<(), SetupError> {
        identity::map(process_1)
    }

    fn init(&mut self) -> Result<(), SetupError> {
        if self.confine.level == Level::Landlock {
            self.prepare(false)?;
            // Here this is the supervisor itself, which needs no power either.
            return self.drop_capabilities();
        }
        if Network::is_for(&self.confine) && self.shared.is_none() {
            sys::loopback_up().map_err(|error| SetupError::new("loopback", error))?;
            self.bridge.as_mut().map_or(Ok(()), Bridge::listen)?;
        }
        let mut write: Vec<_> = self.confine.write.iter().map(|root| root.path.path()).collect();
        write.sort();
        let plan = Plan {
            write,
            read_only: self.children.read_only.clone(),
            reopen: self.children.reopen.clone(),
            sealed: self.children.sealed.clone(),
            hide: self.confine.hide.iter().map(|path| path.path()).collect(),
            sockets: std::mem::take(&mut self.sockets),
            unpinned: self.confine.without("pins"),
        };
        if !self.confine.without("mounts") {
            mounts::build(&plan)?;
        }
        self.prepare(true)?;
        self.drop_capabilities()
    }

    fn inner(&self) -> Result<(), (&'static str, i32)> {
        if !self.confine.without("no new privileges") {
            sys::no_new_privileges().map_err(|errno| ("no new privileges", errno))?;
        }
        if let Some(ruleset) = &self.ruleset {
            sys::landlock_restrict_self(ruleset.as_raw_fd()).map_err(|errno| ("landlock", errno))?;
        }
        for filter in &self.filters {
            sys::seccomp(filter).map_err(|errno| ("seccomp", errno))?;
        }
        if let Some(broker) = &self.broker {
            broker.install().map_err(|errno| ("seccomp", errno))?;
        }
        Ok(())
    }

    fn started(&mut self) {
        if let Some(broker) = &mut self.broker {
            broker.started();
        }
    }

    fn questions(&self) -> RawFd {
        self.broker.as_ref().map_or(-1, Broker::fd)
    }

    fn answer(&mut self) {
        if let Some(broker) = &mut self.broker {
            broker.answer();
        }
    }

    fn reached(&mut self) -> Visits {
        let mut visits = self.bridge.as_mut().map(|bridge| bridge.record().take()).unwrap_or_default();
        if let Some((_, record)) = &mut self.shared {
            visits.join(record.take());
        }
        visits
    }

    fn done(&mut self) {
        self.children.release();
    }
}
