//! What is known of programs, as data: which are harmless, which run others, which a rule must not open for good,
//! which write, and which go to the network. Short on purpose: the sandbox is what protects, lists only decide
//! what is worth a question and what is said in it. `git` is not harmless: it runs programs that its
//! configuration names.

/// When a harmless program is not harmless.
#[derive(Clone, Copy, Debug)]
pub(crate) enum But {
    /// Never.
    Never,
    /// With one of these words among its arguments.
    Words(&'static [&'static str]),
    /// With one of these options: long ones (also with a value behind `=`), and letters of short ones.
    Options(&'static [&'static str], &'static str),
    /// Unless it only prints lines of a file (`sed -n 1,5p file`).
    PrintsNoRange,
    /// With a second operand, which it writes.
    SecondOperand,
}

/// Programs that only look.
pub(crate) const HARMLESS: &[(&str, But)] = &[
    ("base64", But::Options(&["--o", "--ou", "--out", "--outp", "--outpu", "--output"], "o")),
    ("cat", But::Never),
    ("cd", But::Never),
    ("cut", But::Never),
    ("echo", But::Never),
    ("expr", But::Never),
    ("false", But::Never),
    (
        "find",
        But::Words(&[
            "-exec", "-execdir", "-ok", "-okdir", "-delete", "-fls", "-fprint", "-fprint0", "-fprintf",
        ]),
    ),
    ("grep", But::Never),
    ("head", But::Never),
    ("id", But::Never),
    ("ls", But::Never),
    ("nl", But::Never),
    ("numfmt", But::Never),
    ("paste", But::Never),
    ("pwd", But::Never),
    ("rev", But::Never),
    ("rg", But::Options(&["--pre", "--hostname-bin", "--search-zip"], "z")),
    ("sed", But::PrintsNoRange),
    ("seq", But::Never),
    ("stat", But::Never),
    ("tac", But::Never),
    ("tail", But::Never),
    ("tr", But::Never),
    ("true", But::Never),
    ("uname", But::Never),
    ("uniq", But::SecondOperand),
    ("wc", But::Never),
    ("which", But::Never),
    ("whoami", But::Never),
];

/// Programs that destroy without asking back: name, letter and long form of the option that makes them.
pub(crate) const DANGEROUS: (&str, char, &str) = ("rm", 'f', "--force");

/// Programs and builtins that touch no file and no network, whatever their arguments.
pub(crate) const IDLE: &[&str] =
    &["cd", "echo", "expr", "false", "id", "pwd", "seq", "tr", "true", "uname", "whoami"];

/// Programs that only pass their input on when they have options and numbers but no operand.
pub(crate) const FILTERS: &[&str] = &["cat", "cut", "head", "nl", "rev", "tac", "tail", "uniq", "wc"];

/// Programs that run another program named among their arguments.
pub(crate) const WRAPPERS: &[&str] = &[
    "sudo", "doas", "command", "builtin", "exec", "env", "nohup", "nice", "ionice", "time", "timeout",
    "xargs", "busybox", "setsid", "stdbuf", "find", "fd", "fdfind", "parallel", "chroot", "unshare",
    "strace",
];

/// Programs that may take a command as text.
pub(crate) const RUNS_TEXT: &[&str] = &[
    "eval", "ssh", "su", "sudo", "doas", "env", "xargs", "timeout", "nohup", "bash", "sh", "zsh", "dash",
    "fish", "ksh",
];

/// Interpreters: a rule that ends at their name, or at an option that takes code, would allow everything.
pub(crate) const INTERPRETERS: &[&str] = &[
    "ash",
    "awk",
    "bash",
    "bun",
    "dash",
    "deno",
    "fish",
    "gawk",
    "julia",
    "ksh",
    "lua",
    "nawk",
    "node",
    "nodejs",
    "osascript",
    "perl",
    "php",
    "powershell",
    "pwsh",
    "pypy",
    "python",
    "Rscript",
    "ruby",
    "sh",
    "tclsh",
    "zsh",
];

/// Options by which interpreters take code or a script from elsewhere.
pub(crate) const TAKES_CODE: &[&str] =
    &["-", "-c", "-e", "-E", "-i", "-lc", "-m", "-p", "-r", "-s", "--command", "--eval", "--print"];

/// Programs whose first word alone says nothing about what they do.
pub(crate) const TOO_WIDE: &[&str] = &["git", "cargo", "make", "npm", "npx", "pip", "docker", "curl", "wget"];

/// Builtins that change what the commands after them mean.
const CHANGES_SHELL: &[&str] = &[
    ".", "alias", "declare", "enable", "eval", "exec", "export", "hash", "local", "readonly", "set", "shopt",
    "source", "trap", "typeset", "ulimit", "umask", "unalias", "unset",
];

/// Commands that shells carry out themselves, so that no program is looked for.
pub(crate) const BUILTINS: &[&str] = &[
    ".", ":", "[", "alias", "bg", "builtin", "cd", "command", "declare", "dirs", "echo", "eval", "exec",
    "exit", "export", "false", "fg", "hash", "jobs", "kill", "local", "popd", "printf", "pushd", "pwd",
    "read", "readonly", "return", "set", "shift", "shopt", "source", "test", "times", "trap", "true", "type",
    "typeset", "ulimit", "umask", "unalias", "unset", "wait",
];

/// Options by which programs run others: program, the verb that they belong to (empty: any), and the options. A rule
/// covers them only when it names them. Shortened long options count as well.
pub(crate) const RUNS_BY_OPTION: &[(&str, &str, &[&str])] = &[
    ("fd", "", &["-x", "-X", "--exec", "--exec-batch"]),
    ("find", "", &["-exec", "-execdir", "-ok", "-okdir"]),
    (
        "git",
        "",
        &[
            "--config",
            "--config-env",
            "--exec",
            "--exec-path",
            "--ext-diff",
            "--extcmd",
            "--open-files-in-pager",
            "--receive-pack",
            "--strategy",
            "--template",
            "--upload-pack",
        ],
    ),
    ("git", "bisect", &["run"]),
    ("git", "clone", &["-c", "-u"]),
    ("git", "difftool", &["-x"]),
    ("git", "grep", &["-O"]),
    ("git", "rebase", &["-x"]),
    ("git", "submodule", &["foreach"]),
    ("man", "", &["-P", "-H", "--pager", "--html"]),
    ("rg", "", &["--pre", "--hostname-bin"]),
    ("rsync", "", &["-e", "--rsh", "--rsync-path"]),
    ("scp", "", &["-o", "-F", "-S"]),
    ("sed", "", &["-e", "-f", "--expression", "--file"]),
    ("sftp", "", &["-o", "-F", "-S"]),
    ("sort", "", &["--compress-program"]),
    ("ssh", "", &["-o", "-F"]),
    (
        "tar",
        "",
        &[
            "-F",
            "-I",
            "--checkpoint-action",
            "--info-script",
            "--new-volume-script",
            "--rmt-command",
            "--rsh-command",
            "--to-command",
            "--use-compress-program",
        ],
    ),
    ("zip", "", &["-TT", "--unzip-command"]),
];

/// Options of git before its verb that take a word of their own, and those that do not.
pub(crate) const GIT_GLOBAL: (&[&str], &[&str]) = (
    &["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--super-prefix"],
    &[
        "-p",
        "-P",
        "--bare",
        "--glob-pathspecs",
        "--icase-pathspecs",
        "--literal-pathspecs",
        "--no-advice",
        "--no-lazy-fetch",
        "--no-optional-locks",
        "--no-pager",
        "--no-replace-objects",
        "--noglob-pathspecs",
        "--paginate",
    ],
);

/// Whether a piece changes the folder of the pieces after it.
pub(crate) fn moves(piece: &[String]) -> bool {
    matches!(piece.first().map(String::as_str), Some("cd" | "pushd" | "popd"))
}

/// Whether a piece does the same in every folder: it writes or deletes, and names each place in full.
pub(crate) fn names_all_places(piece: &[String]) -> bool {
    let Some((program, args)) = piece.split_first() else { return false };
    let known = DELETERS.contains(&program.as_str()) || WRITERS.iter().any(|(name, _)| *name == program);
    // Other options may bring a relative path with them.
    let plain = |arg: &String| ["-f", "-p", "-r", "-rf", "-fr", "-v"].contains(&arg.as_str());
    known && args.iter().all(|arg| arg.starts_with('/') || plain(arg)) && !args.is_empty()
}

/// Whether a piece changes what the pieces after it mean.
pub(crate) fn changes_shell(piece: &[String]) -> bool {
    piece.first().is_some_and(|name| CHANGES_SHELL.contains(&name.as_str()))
}

/// Programs that write what they are given: name, and which operands.
pub(crate) const WRITERS: &[(&str, Operands)] = &[
    ("chmod", Operands::AfterFirst),
    ("chown", Operands::AfterFirst),
    ("cp", Operands::Last),
    ("install", Operands::Last),
    ("ln", Operands::Last),
    ("mkdir", Operands::All),
    ("mv", Operands::All),
    ("tee", Operands::All),
    ("touch", Operands::All),
    ("truncate", Operands::All),
];

/// Programs that delete what they are given.
pub(crate) const DELETERS: &[&str] = &["rm", "rmdir", "shred", "unlink"];

/// Which operands of a program are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operands {
    /// Each.
    All,
    /// The last one.
    Last,
    /// Each but the first.
    AfterFirst,
}

/// Programs that go to the network, with the word that makes them, and where to.
pub(crate) const CONNECTORS: &[(&str, &str, &str)] = &[
    ("apt", "install", "package servers"),
    ("apt-get", "install", "package servers"),
    ("apt-get", "update", "package servers"),
    ("cargo", "add", "crates.io"),
    ("cargo", "fetch", "crates.io"),
    ("cargo", "install", "crates.io"),
    ("cargo", "publish", "crates.io"),
    ("cargo", "update", "crates.io"),
    ("docker", "pull", "a registry"),
    ("docker", "push", "a registry"),
    ("gh", "", "github.com"),
    ("git", "clone", "a git server"),
    ("git", "fetch", "a git server"),
    ("git", "ls-remote", "a git server"),
    ("git", "pull", "a git server"),
    ("git", "push", "a git server"),
    ("go", "get", "the Go module proxy"),
    ("npm", "ci", "the npm registry"),
    ("npm", "i", "the npm registry"),
    ("npm", "install", "the npm registry"),
    ("npm", "publish", "the npm registry"),
    ("npx", "", "the npm registry"),
    ("pip", "install", "the Python package index"),
    ("pip3", "install", "the Python package index"),
    ("pnpm", "install", "the npm registry"),
    ("rsync", "", "another machine"),
    ("scp", "", "another machine"),
    ("ssh", "", "another machine"),
    ("yarn", "install", "the npm registry"),
];

/// The hosts behind the names in [`CONNECTORS`], all of which are needed.
pub(crate) const SERVICES: &[(&str, &[&str])] = &[
    ("crates.io", &["index.crates.io", "static.crates.io"]),
    ("github.com", &["api.github.com", "github.com"]),
    ("the Go module proxy", &["proxy.golang.org", "sum.golang.org"]),
    ("the npm registry", &["registry.npmjs.org"]),
    ("the Python package index", &["pypi.org", "files.pythonhosted.org"]),
];
