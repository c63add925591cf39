//! The confinement of one command, put in place by its supervisor: at each of the supervisor's moments the right
//! pieces of this folder. A piece that fails stops the command; nothing here tries something weaker instead.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use seccompiler::BpfProgram;

use super::bridge::Bridge;
use super::broker::{Asks, Broker, Ledger, Places, Reach, Ways};
use super::children::Children;
use super::landlock::Grants;
use super::listening::Listening;
use super::mounts::Plan;
use super::network::{Entrance, Network};
use super::record::Record;
use super::seccomp::Needs;
use super::upstream::Upstream;
use super::wrap::Confine;
use super::{caches, identity, landlock, mounts, seccomp, sockets, stdio, sys};
use crate::process::supervise::{Confinement, SetupError};
use crate::protocol::network::Visits;
use crate::sandbox::detect::Level;

/// One command's confinement on its way into force.
pub(crate) struct Inside {
    confine: Confine,
    children: Children,
    sockets: Vec<PathBuf>,
    shared: Option<(Entrance, Record)>,
    listening: Option<Listening>,
    bridge: Option<Bridge>,
    record: Option<Record>,
    ruleset: Option<OwnedFd>,
    filters: Vec<BpfProgram>,
    broker: Option<Broker>,
    ledger: Ledger,
    /// A cover goes when somebody outside writes the file anew.
    fleeting: bool,
    /// The supervisor and who started it.
    above: [libc::pid_t; 2],
}

/// What is kept from one command of a thread to the next.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    network: Option<Network>,
    listening: Option<Listening>,
}

impl Inside {
    /// Nothing is in force yet.
    pub(crate) fn new(confine: Confine) -> Self {
        Self {
            confine,
            children: Children::default(),
            sockets: Vec::new(),
            shared: None,
            listening: None,
            bridge: None,
            record: None,
            ruleset: None,
            filters: Vec::new(),
            broker: None,
            ledger: Ledger::default(),
            fleeting: false,
            above: [0; 2],
        }
    }

    /// The command will share with others of its thread what is kept for them.
    ///
    /// # Errors
    /// No descriptors or memory, or the machine does not allow it.
    pub(crate) fn share(&mut self, kept: &mut Kept) -> Result<(), SetupError> {
        if !Network::is_for(&self.confine) {
            return Ok(());
        }
        let fail = |error| SetupError::new("network", error);
        if self.confine.level == Level::Landlock {
            let listening = match kept.listening {
                Some(listening) => listening,
                None => *kept.listening.insert(Listening::new().map_err(fail)?),
            };
            self.listening = Some(listening);
            return Ok(());
        }
        let network = match &mut kept.network {
            Some(network) => network,
            None => kept.network.insert(Network::new()?),
        };
        network.join(&self.confine)?;
        self.shared = Some(network.share().map_err(fail)?);
        Ok(())
    }

    /// The command's chosen ways, which are open before it exists.
    fn open_ways(&mut self) -> Result<(), SetupError> {
        caches::lend(&self.confine);
        let upstream = Upstream::take(&self.confine);
        if !Network::is_for(&self.confine) {
            return Ok(());
        }
        let record = Record::new().map_err(|error| SetupError::new("bridge", error))?;
        let everybodys = self.confine.level == Level::Landlock;
        self.bridge = Bridge::start(&self.confine.hosts, &upstream, everybodys, &record)?;
        self.record = Some(record);
        Ok(())
    }

    /// What is around the network of the command, and the network itself when it is shared. Gives whether the command
    /// needs one of its own.
    fn enter_network(&mut self) -> Result<bool, SetupError> {
        if !Network::is_for(&self.confine) {
            return Ok(false);
        }
        if self.shared.is_none() && !(self.confine.ports.is_empty() && self.confine.serve.is_empty()) {
            self.share(&mut Kept::default())?;
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
        // Where mounts do not cover every spelling of a name, what holds without mounts holds too.
        let folds = self.children.folds && !self.confine.without("spellings");
        if abi == 0 && folds {
            let why =
                "a writable folder takes other spellings for protected names; only Landlock could keep them";
            return Err(SetupError::new("landlock", why));
        }
        let metadata = !namespaces || folds;
        let mut write: Vec<_> = self.confine.write.iter().map(|root| root.path.path()).collect();
        let everything = write.iter().any(|root| root.parent().is_none());
        // Where everything is open the folders that every program needs would be asked about one name at a time.
        let by_name = metadata || (self.fleeting && abi > 0 && !everything);
        // A root that is everything must not bring the kernel's settings and devices with it.
        if by_name && everything {
            self.children.read_only.extend(["/proc", "/sys", "/dev"].map(PathBuf::from));
        }
        let hide: Vec<_> = self.confine.hide.iter().map(|path| path.path()).collect();
        if by_name {
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
        let private = if namespaces { IN_NAMESPACES } else { HARMLESS };
        let grants = match by_name {
            false => Grants { write: &write, except: &sealed, plain, private, hide: None },
            true => {
                Grants { write: &write, except: &self.children.read_only, plain, private, hide: Some(&hide) }
            }
        };
        if !self.confine.without("landlock") {
            self.ruleset = landlock::ruleset(&grants, abi)?;
        }
        if !self.confine.without("seccomp") {
            let asked = (by_name || repository) && !self.confine.without("broker");
            let datagrams = namespaces && (self.confine.network || self.confine.without("late sockets"));
            let [supervisor, starter] = self.above;
            let above = [std::process::id() as libc::pid_t, supervisor, starter];
            let needs = Needs { namespaces, network: self.confine.network, abi, asked, datagrams, above };
            self.filters = seccomp::programs(needs)?;
            let sockets = self.reach(namespaces);
            if asked || (namespaces && sockets.is_some()) {
                let asks =
                    Asks { names: asked, reads: by_name, metadata, sockets, binds: by_name && namespaces };
                let refusing = asked.then(seccomp::refusing).transpose()?;
                let ways = sockets.and_then(|_| self.ways()).transpose()?;
                self.broker = Some(Broker::new(self.places(hide), asks, ways, refusing, &self.ledger)?);
            }
        }
        Ok(())
    }

    /// Whom the command may connect to, when that has to be asked. With namespaces only a socket with a name in the
    /// file system is elsewhere.
    fn reach(&self, namespaces: bool) -> Option<Reach> {
        match namespaces {
            _ if self.confine.network => None,
            false if self.confine.without("servers") => Some(Reach::Anybody),
            false => Some(Reach::Own),
            true => (!self.confine.without("late sockets")).then_some(Reach::Inhabitants),
        }
    }

    /// What of its ways out is opened by the supervisor, connection by connection.
    fn ways(&self) -> Option<Result<Ways, SetupError>> {
        let record = self.record.as_ref()?;
        let made = || {
            Ok(Ways {
                ports: self.confine.ports.clone(),
                proxy: self.bridge.as_ref().and_then(Bridge::passage),
                listening: self.listening.map_or_else(Listening::new, Ok)?,
                record: record.try_clone()?,
            })
        };
        Some(made().map_err(|error: std::io::Error| SetupError::new("network", error)))
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
        if !self.confine.without("stdio") {
            stdio::check(self.confine.network)?;
        }
        if self.confine.without("hide") {
            self.confine.hide.clear();
        }
        if self.confine.without("settings") {
            self.confine.protect.clear();
        }
        self.children = Children::find(&self.confine)?;
        self.open_ways()?;
        if self.confine.without("seals") {
            self.children.sealed.clear();
        }
        if self.confine.without("protected") {
            self.children.read_only.clear();
        }
        match self.confine.level {
            Level::Landlock => {
                self.bridge.as_mut().map_or(Ok(()), Bridge::listen)?;
                let pid = |pid: Option<rustix::process::Pid>| pid.map_or(0, |pid| pid.as_raw_nonzero().get());
                self.above = [pid(Some(rustix::process::getpid())), pid(rustix::process::getppid())];
                self.ledger = Ledger::new()?;
                Ok(Some(0))
            }
            Level::Namespaces => {
                // In an open repository names are kept from coming to be by Landlock alone.
                if landlock::abi() == 0 {
                    self.children.reopen.clear();
                }
                if !self.confine.without("sockets") {
                    self.sockets = sockets::of_network();
                }
                let unless = |off, flag| if off { 0 } else { flag };
                let own_network = self.enter_network()?;
                let ipc = unless(self.confine.without("ipc"), libc::CLONE_NEWIPC);
                let pid = unless(self.confine.without("pid"), libc::CLONE_NEWPID);
                let user = unless(self.confine.without("user"), libc::CLONE_NEWUSER);
                let all = user | libc::CLONE_NEWNS | pid | ipc;
                Ok(Some(all | unless(!own_network, libc::CLONE_NEWNET)))
            }
        }
    }

    fn adopt(&mut self, between: i32) -> Result<(), SetupError> {
        match self.confine.level {
            Level::Namespaces if !self.confine.without("user") => identity::map(between),
            Level::Namespaces | Level::Landlock => Ok(()),
        }
    }

    fn init(&mut self) -> Result<(), SetupError> {
        if self.confine.level == Level::Landlock {
            self.prepare(false)?;
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
            let lasting = mounts::build(&plan)?;
            self.fleeting = !lasting && !self.confine.without("names of secrets");
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
        let mut visits = self.record.as_mut().map(Record::take).unwrap_or_default();
        if let Some((_, record)) = &mut self.shared {
            visits.join(record.take());
        }
        visits
    }

    fn ended(&mut self) {
        self.broker = None;
        self.ledger.forget();
    }

    fn done(&mut self) {
        self.children.release();
        self.ledger.clear();
    }

    #[cfg(debug_assertions)]
    fn leaves_out(&self, protection: &str) -> bool {
        self.confine.without(protection)
    }
}
