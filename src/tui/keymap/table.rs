//! Every action a key can ask for: its context, its name in the configuration, its default keys, its help. The
//! table is data; who carries an action out is the component that owns the context.

/// Where an action is looked for. A component asks its own context first, the app asks [`Context::Global`] last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    /// Everywhere.
    Global,
    /// The main screen.
    Chat,
    /// The prompt: sending, history, attaching.
    Composer,
    /// Editing text.
    Editor,
    /// Full-page reading.
    Pager,
    /// Lists and menus.
    List,
    /// Approval questions.
    Approval,
}

impl Context {
    /// All contexts, in the order of the help sheet.
    pub(crate) const ALL: [Self; 7] =
        [Self::Composer, Self::Editor, Self::Chat, Self::Global, Self::List, Self::Pager, Self::Approval];

    /// The name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Chat => "chat",
            Self::Composer => "composer",
            Self::Editor => "editor",
            Self::Pager => "pager",
            Self::List => "list",
            Self::Approval => "approval",
        }
    }

    /// The heading in the help sheet.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Chat => "Conversation",
            Self::Composer => "Prompt",
            Self::Editor => "Editing",
            Self::Pager => "Reading pages",
            Self::List => "Lists",
            Self::Approval => "Approvals",
        }
    }

    /// Whether both are listened to at the same time by one component, so that they must not share a key.
    pub(crate) fn shares_keys_with(self, other: Self) -> bool {
        let both = |a, b| (self, other) == (a, b) || (self, other) == (b, a);
        self == other || both(Self::Composer, Self::Editor)
    }
}

macro_rules! actions {
    ($($context:ident { $($name:ident $word:literal [$($keys:literal),*] $help:literal)* })*) => {
        /// What a key asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Action {
            $($(#[doc = $help] $name,)*)*
        }

        /// The rows of the table, in the order of the help sheet.
        pub(super) const ROWS: &[Row] = &[
            $($(Row {
                action: Action::$name,
                context: Context::$context,
                name: $word,
                keys: &[$($keys),*],
                help: $help,
            },)*)*
        ];
    };
}

/// One action.
pub(super) struct Row {
    pub(super) action: Action,
    pub(super) context: Context,
    /// Name in the configuration.
    pub(super) name: &'static str,
    /// Default keys; the first ones are shown.
    pub(super) keys: &'static [&'static str],
    pub(super) help: &'static str,
}

actions! {
    Composer {
        Submit "submit" ["enter"] "send; during a turn: add to it"
        Queue "queue" ["tab"] "send when the turn has ended"
        Newline "newline" ["shift-enter", "alt-enter", "ctrl-j"] "new line"
        Shortcuts "shortcuts" ["?"] "this list (empty prompt)"
        PasteImage "paste_image" ["ctrl-v"] "paste an image from the clipboard"
        SearchHistory "search_history" ["ctrl-r"] "search earlier prompts"
        SearchHistoryForward "search_history_forward" ["ctrl-s"] "search towards newer prompts"
    }
    Editor {
        MoveLeft "move_left" ["left", "ctrl-b"] "character left"
        MoveRight "move_right" ["right", "ctrl-f"] "character right"
        MoveUp "move_up" ["up", "ctrl-p"] "row up; on the first row: earlier prompt"
        MoveDown "move_down" ["down", "ctrl-n"] "row down; on the last row: later prompt"
        WordLeft "word_left" ["alt-b", "ctrl-left", "alt-left"] "word left"
        WordRight "word_right" ["alt-f", "ctrl-right", "alt-right"] "word right"
        LineStart "line_start" ["ctrl-a", "home"] "start of line"
        LineEnd "line_end" ["ctrl-e", "end"] "end of line"
        TextStart "text_start" ["alt-<", "ctrl-home"] "start of text"
        TextEnd "text_end" ["alt->", "ctrl-end"] "end of text"
        DeleteBack "delete_back" ["backspace", "ctrl-h", "shift-backspace"] "delete before the cursor"
        DeleteForward "delete_forward" ["delete", "ctrl-d"] "delete at the cursor"
        CutBlankLeft "cut_to_blank" ["ctrl-w"] "cut back to the last blank"
        CutWordLeft "cut_word_left" ["alt-backspace", "ctrl-backspace"] "cut the word before"
        CutWordRight "cut_word_right" ["alt-d", "ctrl-delete", "alt-delete"] "cut the word after"
        CutLineStart "cut_line_start" ["ctrl-u"] "cut to start of line"
        CutLineEnd "cut_line_end" ["ctrl-k"] "cut to end of line"
        Yank "yank" ["ctrl-y"] "put back what was cut"
        YankOlder "yank_older" ["alt-y"] "put back an older cut instead"
        Undo "undo" ["ctrl-_", "ctrl-x ctrl-u"] "undo"
        Redo "redo" ["alt-_"] "redo"
    }
    Chat {
        Interrupt "interrupt" ["esc"] "interrupt the turn; twice when idle: edit an earlier prompt"
        LessReasoning "less_reasoning" ["alt-,", "shift-down"] "less reasoning"
        MoreReasoning "more_reasoning" ["alt-.", "shift-up"] "more reasoning"
        ResumeLast "resume_last" ["f5"] "resume the last thread of this folder, at the start"
        EditQueued "edit_queued" ["shift-left", "alt-up"] "edit the last queued message"
        ScrollUp "scroll_up" ["page-up"] "a page back"
        ScrollDown "scroll_down" ["page-down"] "a page on"
        Top "top" ["home"] "to the first line (empty prompt)"
        Bottom "bottom" ["end"] "back to the newest line (empty prompt)"
    }
    Global {
        Details "details" ["ctrl-t"] "show or hide all details"
        Find "find" ["f3"] "find in the conversation"
        Activity "activity" ["f4"] "walk through the tool activity"
        Warnings "warnings" ["f2"] "warnings"
        ExternalEditor "external_editor" ["ctrl-g"] "edit the prompt in your editor"
        Copy "copy" ["ctrl-o"] "copy an answer or its code"
        ClearScreen "clear_screen" ["ctrl-l"] "clear the screen"
        Suspend "suspend" ["ctrl-z"] "put codex in the background of the shell"
        Cancel "cancel" ["ctrl-c"] "close, clear, interrupt, then (twice) quit"
        Quit "quit" ["ctrl-d"] "quit (empty prompt)"
    }
    List {
        ListUp "up" ["up", "k", "ctrl-p", "ctrl-k"] "row up"
        ListDown "down" ["down", "j", "ctrl-n", "ctrl-j"] "row down"
        ListPageUp "page_up" ["page-up", "ctrl-b"] "page up"
        ListPageDown "page_down" ["page-down", "ctrl-f"] "page down"
        ListFirst "first" ["home"] "first row"
        ListLast "last" ["end"] "last row"
        ListAccept "accept" ["enter"] "choose"
        ListCancel "cancel" ["esc"] "close"
    }
    Pager {
        PagerUp "up" ["up", "k"] "row up"
        PagerDown "down" ["down", "j"] "row down"
        PagerPageUp "page_up" ["page-up", "shift-space", "ctrl-b"] "page up"
        PagerPageDown "page_down" ["page-down", "space", "ctrl-f"] "page down"
        PagerHalfUp "half_up" ["ctrl-u"] "half a page up"
        PagerHalfDown "half_down" ["ctrl-d"] "half a page down"
        PagerTop "top" ["home"] "start"
        PagerBottom "bottom" ["end"] "end"
        PagerFind "find" ["/", "f3"] "find"
        PagerClose "close" ["q", "esc", "ctrl-c"] "close"
    }
    Approval {
        ApprovePlace "place" ["o"] "yes, in the sandbox, with this place open"
        ApproveOnce "yes" ["y"] "yes, once"
        ApproveSession "session" ["a"] "yes, for this session"
        ApproveProject "project" ["t"] "yes, in this project, by a rule"
        ApprovePrefix "prefix" ["p"] "yes, always, by a rule"
        Refuse "refuse" ["d"] "no, the turn goes on"
        RefuseAndStop "stop" ["n", "esc"] "no, and stop the turn"
        FullPage "full_page" ["ctrl-a"] "show all of it"
    }
}
