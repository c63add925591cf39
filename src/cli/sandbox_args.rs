//! The words after `codex sandbox`, and the policy they ask for.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, FromArgMatches, ValueEnum};

use super::sandbox::mount_namespace;
use crate::agent::settings;
use crate::config::{Config, Env, Flags};
use crate::protocol::policy::{SandboxMode, SandboxPolicy};
use crate::sandbox::{Level, Roots};

/// Runs a command in the sandbox.
#[derive(Args, Debug, Default)]
pub(crate) struct SandboxArgs {
    /// read-only (default), workspace-write, danger-full-access
    #[arg(
        short = 's',
        long = "sandbox",
        value_name = "MODE",
        value_enum,
        conflicts_with = "full_auto",
        hide_possible_values = true
    )]
    mode: Option<ModeArg>,

    /// Short for --sandbox workspace-write
    #[arg(long)]
    full_auto: bool,

    /// Or --permissions-profile: of that name, like :workspace
    #[arg(
        short = 'P',
        alias = "permissions-profile",
        value_name = "NAME",
        conflicts_with_all = ["mode", "full_auto"]
    )]
    profile: Option<String>,

    /// Change a setting, like deny_read.defaults=false
    #[arg(short = 'c', long = "config", value_name = "K=V")]
    overrides: Vec<String>,

    /// Run in this directory
    #[arg(short = 'C', long = "cd", value_name = "DIR")]
    cd: Option<PathBuf>,

    /// Leave the network open
    #[arg(long)]
    network: bool,

    /// Use this mechanism and no other
    #[arg(long, value_enum, hide = true)]
    pub(super) level: Option<LevelArg>,

    /// Second half of `explain`, inside the sandbox: the mount namespace of the first half
    #[arg(long, hide = true)]
    pub(super) traced: Option<OsString>,

    /// Leave a protection out, to see that its absence is noticed; only in builds for tests
    #[cfg(debug_assertions)]
    #[arg(long, hide = true)]
    without: Vec<String>,

    /// The command and its arguments, perhaps after `linux`
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeArg {
    ReadOnly,
    WorkspaceWrite,
    DangerFullAccess,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LevelArg {
    Namespaces,
    Landlock,
}

impl From<LevelArg> for Level {
    fn from(level: LevelArg) -> Self {
        match level {
            LevelArg::Namespaces => Self::Namespaces,
            LevelArg::Landlock => Self::Landlock,
        }
    }
}

impl SandboxArgs {
    /// A command without a flag.
    pub(crate) fn plain(command: Vec<OsString>) -> Self {
        Self { command, ..Self::default() }
    }

    /// Takes in flags given after the system's name; they win. Gives the command behind them.
    pub(super) fn join_after_system(&mut self, words: Vec<OsString>) -> Result<Vec<OsString>, clap::Error> {
        let command = Self::augment_args(clap::Command::new("linux").bin_name("codex sandbox linux"))
            .override_usage("codex sandbox [linux] [OPTIONS] -- <COMMAND>...")
            .no_binary_name(true);
        let right = Self::from_arg_matches(&command.try_get_matches_from(words.into_iter().skip(1))?)?;
        if right.mode.is_some() || right.profile.is_some() || right.full_auto {
            (self.mode, self.profile, self.full_auto) = (right.mode, right.profile, right.full_auto);
        }
        self.overrides.extend(right.overrides);
        self.cd = right.cd.or(self.cd.take());
        self.network |= right.network;
        self.level = right.level.or(self.level);
        self.traced = right.traced.or(self.traced.take());
        #[cfg(debug_assertions)]
        self.without.extend(right.without);
        Ok(right.command)
    }

    /// Read-only without a word, whatever is configured: this command shows what the sandbox does.
    fn mode(&self) -> SandboxMode {
        let full_auto = self.full_auto.then_some(ModeArg::WorkspaceWrite);
        match self.mode.or(full_auto).unwrap_or(ModeArg::ReadOnly) {
            ModeArg::ReadOnly => SandboxMode::ReadOnly,
            ModeArg::WorkspaceWrite => SandboxMode::WorkspaceWrite,
            ModeArg::DangerFullAccess => SandboxMode::DangerFullAccess,
        }
    }

    /// This program again, inside, around the command.
    pub(super) fn explaining(&self, command: Vec<OsString>) -> Vec<OsString> {
        let program = std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
        let mut words: Vec<OsString> =
            vec![program.into(), "sandbox".into(), "--traced".into(), mount_namespace()];
        match &self.profile {
            Some(profile) => words.extend(["-P".into(), profile.into()]),
            None => words.extend(["-s".into(), self.mode().as_str().into()]),
        }
        for setting in &self.overrides {
            words.extend(["-c".into(), setting.into()]);
        }
        if self.network {
            words.push("--network".into());
        }
        words.push("--".into());
        words.extend(command);
        words
    }

    pub(super) fn flags(&self) -> Flags {
        let mut overrides = self.overrides.clone();
        overrides.extend(
            self.profile
                .as_ref()
                .map(|name| format!("default_permissions={}", serde_json::Value::String(name.clone()))),
        );
        Flags {
            sandbox: self.profile.is_none().then(|| self.mode()),
            cwd: self.cd.clone(),
            overrides,
            ..Flags::default()
        }
    }

    /// What of the configuration does not count, or not as it may have been meant.
    pub(super) fn remarks(&self, config: &Config) -> Vec<String> {
        let mut remarks = config.warnings.clone();
        let sets_mode = |setting: &String| setting.trim_start().starts_with("sandbox_mode");
        if self.overrides.iter().any(sets_mode) {
            remarks.push("`-c sandbox_mode` does not count here; say `-s MODE`".to_owned());
        }
        if let SandboxPolicy::WorkspaceWrite { writable_roots, .. } = &config.sandbox {
            for root in writable_roots {
                match root.metadata() {
                    Err(_) => remarks.push(format!("the writable folder {} is not there", root.display())),
                    Ok(_) if root.parent().is_none() => {
                        remarks.push(
                            "`writable_roots` holds \"/\": commands may write the whole machine".to_owned(),
                        );
                    }
                    Ok(_) => {}
                }
            }
        }
        remarks
    }

    pub(super) fn roots(&self, config: &Config, env: &Env) -> Roots {
        let mut policy = config.sandbox.clone();
        if let SandboxPolicy::ReadOnly { network_access }
        | SandboxPolicy::WorkspaceWrite { network_access, .. } = &mut policy
        {
            *network_access |= self.network;
        }
        settings::roots(config, &policy, env.tmpdir())
    }

    #[cfg(debug_assertions)]
    pub(super) fn without(&self) -> &[String] {
        &self.without
    }

    #[cfg(not(debug_assertions))]
    pub(super) fn without(&self) -> &[String] {
        &[]
    }
}

/// Older spellings name the system first. A name of another system comes back as the error.
pub(super) fn without_system_word(mut command: Vec<OsString>) -> Result<Vec<OsString>, &'static str> {
    match command.first().and_then(|word| word.to_str()) {
        Some("linux" | "landlock") => {
            command.remove(0);
            if command.first().is_some_and(|word| word == "--") {
                command.remove(0);
            }
            Ok(command)
        }
        Some("macos" | "seatbelt") => Err("macOS"),
        Some("windows") => Err("Windows"),
        _ => Ok(command),
    }
}

/// `-P :workspace linux --network ls`: what follows the system's name are flags of ours still, and no program.
pub(super) fn has_flags_after_system(words: &[OsString]) -> bool {
    let flag = |word: &OsString| word != "--" && word.as_encoded_bytes().starts_with(b"-");
    let system = words.first().is_some_and(|word| word == "linux" || word == "landlock");
    system && words.get(1).is_some_and(flag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: SandboxArgs,
    }

    fn parse(words: &[&str]) -> Result<SandboxArgs, clap::Error> {
        Cli::try_parse_from(std::iter::once(&"sandbox").chain(words)).map(|cli| cli.args)
    }

    #[test]
    fn flags_end_where_the_command_begins() {
        let args = parse(&["--full-auto", "ls", "-s", "x"]).unwrap();
        assert_eq!(args.command, ["ls", "-s", "x"]);
        assert!(args.mode() == SandboxMode::WorkspaceWrite && !args.network);
        let args = parse(&["-s", "read-only", "-C", "/tmp", "--", "--odd"]).unwrap();
        assert_eq!(args.command, ["--odd"]);
        assert!(args.mode() == SandboxMode::ReadOnly && !args.network);
        let flags = parse(&["--permissions-profile", "mine", "ls"]).unwrap().flags();
        assert_eq!((flags.sandbox, flags.overrides), (None, vec!["default_permissions=\"mine\"".to_owned()]));
        assert!(parse(&["-s", "everything", "ls"]).is_err());
    }

    #[test]
    fn a_command_without_a_flag_is_what_parsing_gives() {
        for words in [
            &["--", "ls", "-l"][..],
            &["--", "--", "x"],
            &["--", "linux", "--", "ls"],
            &["--", "-s"],
            &["--"],
        ] {
            let plain = SandboxArgs::plain(words[1..].iter().map(OsString::from).collect());
            assert_eq!(format!("{plain:?}"), format!("{:?}", parse(words).unwrap()), "{words:?}");
        }
    }

    #[test]
    fn flags_may_also_stand_after_the_system_word() {
        let mut args = parse(&["-P", ":workspace", "linux", "--network", "-C", "/tmp", "ls", "-l"]).unwrap();
        let words = std::mem::take(&mut args.command);
        assert!(has_flags_after_system(&words));
        assert_eq!(args.join_after_system(words).unwrap(), ["ls", "-l"]);
        assert!(args.network && args.profile.as_deref() == Some(":workspace"));
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(args.join_after_system(words(&["linux", "-s", "read-only", "--", "-x"])).unwrap(), ["-x"]);
        assert!(args.mode() == SandboxMode::ReadOnly);
        assert!(args.join_after_system(words(&["linux", "--no-such", "ls"])).is_err());
        assert!(!has_flags_after_system(&words(&["linux", "--", "ls"])));
        assert!(!has_flags_after_system(&words(&["ls", "-l"])));
    }

    #[test]
    fn the_system_word_is_optional() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(without_system_word(words(&["linux", "--", "ls"])), Ok(words(&["ls"])));
        assert_eq!(without_system_word(words(&["ls", "linux"])), Ok(words(&["ls", "linux"])));
        assert_eq!(without_system_word(words(&["windows", "dir"])), Err("Windows"));
    }
}
