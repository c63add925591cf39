//! `/permissions`: what may happen without asking, as three presets. Everything allowed asks once more.

use super::list::Row;
use super::menu::Menu;
use super::wish::Wish;
use crate::protocol::event::ALLOWED;
use crate::protocol::policy::{ApprovalPolicy, SandboxMode, SandboxPolicy};
use crate::protocol::turn::Change;
use crate::tui::pager::{Content, Page};

/// So many sentences of what holds fit above the rows of a small screen.
const FITTING: usize = 7;

/// A preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preset {
    /// Read; everything else asks.
    ReadOnly,
    /// Write the workspace and run commands in the sandbox; the network and everything outside ask.
    Workspace,
    /// No sandbox, no questions.
    FullAccess,
}

impl Preset {
    const ALL: [Self; 3] = [Self::ReadOnly, Self::Workspace, Self::FullAccess];

    /// The preset that these settings are, if they are one.
    pub(crate) fn of(approval: ApprovalPolicy, sandbox: &SandboxPolicy) -> Option<Self> {
        match (approval, sandbox.mode()) {
            (ApprovalPolicy::OnRequest, SandboxMode::ReadOnly) => Some(Self::ReadOnly),
            (ApprovalPolicy::OnRequest, SandboxMode::WorkspaceWrite) => Some(Self::Workspace),
            (ApprovalPolicy::Never, SandboxMode::DangerFullAccess) => Some(Self::FullAccess),
            _ => None,
        }
    }

    /// The one of this name, whatever its letters.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name().eq_ignore_ascii_case(name.trim()))
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "Read only",
            Self::Workspace => "Workspace",
            Self::FullAccess => "Full access",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::ReadOnly => "ask before changes",
            Self::Workspace => "change this folder; ask for more",
            Self::FullAccess => "never ask, no sandbox",
        }
    }

    /// The change that sets it; details of the present sandbox are kept where they apply.
    pub(crate) fn change(self, now: &SandboxPolicy) -> Change {
        let (approval, sandbox) = match (self, now) {
            (Self::ReadOnly, _) => {
                (ApprovalPolicy::OnRequest, SandboxPolicy::ReadOnly { network_access: false })
            }
            (Self::Workspace, SandboxPolicy::WorkspaceWrite { .. }) => {
                (ApprovalPolicy::OnRequest, now.clone())
            }
            (Self::Workspace, _) => (
                ApprovalPolicy::OnRequest,
                SandboxPolicy::WorkspaceWrite {
                    writable_roots: Vec::new(),
                    network_access: false,
                    exclude_tmpdir_env_var: false,
                    exclude_slash_tmp: false,
                },
            ),
            (Self::FullAccess, _) => (ApprovalPolicy::Never, SandboxPolicy::DangerFullAccess),
        };
        Change { approval: Some(approval), sandbox: Some(sandbox), ..Change::default() }
    }
}

/// The settings in few words, also when they are no preset.
pub(crate) fn words(approval: ApprovalPolicy, sandbox: &SandboxPolicy) -> String {
    if let Some(preset) = Preset::of(approval, sandbox) {
        return preset.name().to_owned();
    }
    let ask = match approval {
        ApprovalPolicy::Untrusted => "asks unless known harmless",
        ApprovalPolicy::OnFailure => "asks when the sandbox refuses",
        ApprovalPolicy::OnRequest => "asks when needed",
        ApprovalPolicy::Never => "never asks",
        ApprovalPolicy::Granular(_) => "asks by category",
    };
    format!("{}, {ask}", sandbox.mode().as_str())
}

/// The same, by the name of the permission profile when the user has one of their own in force. `access` is what the
/// sandbox comes to, a sentence each.
pub(crate) fn named(approval: ApprovalPolicy, sandbox: &SandboxPolicy, access: &[String]) -> String {
    let words = words(approval, sandbox);
    match access.first().and_then(|line| line.strip_prefix("permission profile: ")) {
        Some(profile) => format!("profile {profile}; {words}"),
        None => words,
    }
}

/// The same for somebody who was never told: what can be written, whether there is a network, when codex asks.
pub(crate) fn explained(approval: ApprovalPolicy, sandbox: &SandboxPolicy) -> String {
    let (name, level) = match sandbox {
        SandboxPolicy::ReadOnly { .. } => ("Read only", "nothing is writable"),
        SandboxPolicy::WorkspaceWrite { .. } => ("Workspace", "this folder is writable"),
        SandboxPolicy::DangerFullAccess => ("Full access", "everything is writable"),
    };
    let network = if sandbox.network_access() { "on" } else { "off" };
    let asks = match approval {
        ApprovalPolicy::OnRequest if matches!(sandbox, SandboxPolicy::DangerFullAccess) => {
            "asks now and then"
        }
        ApprovalPolicy::OnRequest => "asks for more",
        ApprovalPolicy::Untrusted => "asks before every command that is not known to be harmless",
        ApprovalPolicy::OnFailure => "asks when something was refused",
        ApprovalPolicy::Never => "never asks",
        ApprovalPolicy::Granular(_) => "asks by category",
    };
    format!("{name}: {level}, network {network}; {asks}.")
}

/// The menu, above it what holds now, a sentence each.
pub(crate) fn menu(approval: ApprovalPolicy, sandbox: &SandboxPolicy, access: &[String]) -> Menu {
    let now = Preset::of(approval, sandbox);
    let rows = Preset::ALL.into_iter().map(|preset| {
        let row = Row::new(preset.name()).detail(preset.about()).current(now == Some(preset));
        let wish = match preset {
            Preset::FullAccess if now != Some(preset) => Wish::ConfirmFullAccess,
            _ => Wish::Change(Box::new(preset.change(sandbox))),
        };
        (row, wish)
    });
    let mut rows: Vec<(Row, Wish)> = rows.collect();
    match access.iter().filter(|line| line.starts_with(ALLOWED)).count() {
        0 => {}
        1 => rows.push((Row::new("Take back").detail("what was allowed for this session"), Wish::TakeBack)),
        count => {
            let all = format!("all {count} that were allowed for this session");
            rows.push((Row::new("Take back").detail(all), Wish::TakeBack));
        }
    }
    // A small screen cuts the sentences above the rows.
    if access.len() > FITTING {
        let page = Page::new("What holds", Content::Code(access.join("\n"), ""));
        rows.push((
            Row::new("Read all of it").detail("what holds now, on a page"),
            Wish::Page(Box::new(page)),
        ));
    }
    let menu = Menu::new("What may codex do without asking?", rows);
    let mut text = access.to_vec();
    if now.is_none() {
        text.insert(0, format!("Now: {}", words(approval, sandbox)));
    }
    if text.is_empty() { menu } else { menu.text(text.join("\n")) }
}

/// The second question before everything is allowed.
pub(crate) fn confirm_full_access(sandbox: &SandboxPolicy) -> Menu {
    let yes = Wish::Change(Box::new(Preset::FullAccess.change(sandbox)));
    let no = Wish::Notice("Permissions are unchanged".to_owned());
    let rows = vec![(Row::new("No, keep asking"), no), (Row::new("Yes, full access for this thread"), yes)];
    Menu::new("Allow everything?", rows).text(
        "Commands will run without sandbox and without a question: they can change or delete any of your files and \
         use the network. Web pages and files that codex reads could try to misuse that.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_told_in_words() {
        let workspace = |network_access| SandboxPolicy::WorkspaceWrite {
            writable_roots: Vec::new(),
            network_access,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
        };
        let looking = SandboxPolicy::ReadOnly { network_access: false };
        for (approval, sandbox, want) in [
            (
                ApprovalPolicy::OnRequest,
                looking,
                "Read only: nothing is writable, network off; asks for more.",
            ),
            (
                ApprovalPolicy::Never,
                workspace(true),
                "Workspace: this folder is writable, network on; never asks.",
            ),
            (
                ApprovalPolicy::Never,
                SandboxPolicy::DangerFullAccess,
                "Full access: everything is writable, network on; never asks.",
            ),
        ] {
            assert_eq!(explained(approval, &sandbox), want);
        }
    }
    use crate::tui::keymap::Keymap;
    use crate::tui::keys::{Code, Key};
    use crate::tui::popups::wish::Outcome;
    use crate::tui::testing::{assert_screen, paper};
    use crate::tui::theme::Theme;

    const READ_ONLY: SandboxPolicy = SandboxPolicy::ReadOnly { network_access: false };

    #[test]
    fn everything_is_asked_for_twice() {
        let three = Key::plain(Code::Char('3'));
        let first = menu(ApprovalPolicy::OnRequest, &READ_ONLY, &[]).on_key(three, &Keymap::default());
        assert_eq!(first, Outcome::Wish(Wish::ConfirmFullAccess));
        let enter = Key::plain(Code::Enter);
        let second = confirm_full_access(&READ_ONLY).on_key(enter, &Keymap::default());
        assert!(matches!(second, Outcome::Wish(Wish::Notice(_))), "the first row is the careful one");
    }

    #[test]
    fn what_was_allowed_for_the_session_is_listed_and_can_be_taken_back() {
        let access =
            ["write: nothing".to_owned(), format!("{ALLOWED}`touch /opt/x` may run outside the sandbox")];
        let mut open = menu(ApprovalPolicy::OnRequest, &READ_ONLY, &access);
        let drawn = open.draw(80, 20, &Theme::default());
        let text: Vec<String> = drawn.lines.iter().map(ToString::to_string).collect();
        assert!(text.join("\n").contains("touch /opt/x"), "{text:?}");
        let four = open.on_key(Key::plain(Code::Char('4')), &Keymap::default());
        assert_eq!(four, Outcome::Wish(Wish::TakeBack));
        let long = vec![access[1].clone(); FITTING + 1];
        let five = menu(ApprovalPolicy::OnRequest, &READ_ONLY, &long)
            .on_key(Key::plain(Code::Char('5')), &Keymap::default());
        assert!(matches!(five, Outcome::Wish(Wish::Page(_))), "{five:?}");
        let mut nothing = menu(ApprovalPolicy::OnRequest, &READ_ONLY, &access[..1]);
        assert_eq!(nothing.on_key(Key::plain(Code::Char('4')), &Keymap::default()), Outcome::Stay);
    }

    #[test]
    fn presets_are_recognised() {
        for preset in Preset::ALL {
            let change = preset.change(&READ_ONLY);
            assert_eq!(Preset::of(change.approval.unwrap(), &change.sandbox.unwrap()), Some(preset));
        }
        assert_eq!(words(ApprovalPolicy::Never, &READ_ONLY), "read-only, never asks");
    }

    #[test]
    fn views() {
        for width in [60, 80, 120] {
            let theme = Theme::default();
            let drawn = menu(ApprovalPolicy::OnRequest, &READ_ONLY, &[]).draw(width, 20, &theme);
            assert_screen!(format!("presets_{width}"), paper(width, &drawn.lines));
            let drawn = menu(ApprovalPolicy::Never, &READ_ONLY, &["write: nothing".to_owned()])
                .draw(width, 20, &theme);
            assert_screen!(format!("other_{width}"), paper(width, &drawn.lines));
            let drawn = confirm_full_access(&READ_ONLY).draw(width, 20, &theme);
            assert_screen!(format!("confirm_{width}"), paper(width, &drawn.lines));
        }
    }
}
