//! The window: when a frame is due, and how it gets onto the terminal in either mode. At most one frame per key, and
//! otherwise one in thirty-three milliseconds: text that is being written does not read better at twice that.

use std::io;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::time::Instant;

use super::model::{Model, Stage};
use super::popups::any::Popup;
use super::scrollback::Scrollback;
use super::terminal::title::{self, Activity};
use super::terminal::{self, Screen, Terminal};
use super::view;

/// Time between frames that no key asked for.
const FRAME: Duration = Duration::from_millis(33);

/// Rows that a popup may take in any window, in the mode in which the terminal scrolls.
const LIVE_ROWS: u16 = 10;

/// What is owed to the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    Nothing,
    Frame,
    AtOnce,
}

/// The terminal, and what it shows.
pub(crate) struct Window {
    terminal: Terminal,
    scrollback: Option<Scrollback>,
    /// A page has a screen of its own for the time.
    on_page: bool,
    title: String,
    drawn_at: Option<Instant>,
    owed: Owed,
}

impl Window {
    /// Takes the terminal.
    ///
    /// # Errors
    /// There is none, or it cannot be set up.
    pub(crate) fn open(screen: Screen) -> Result<Self, terminal::Error> {
        Ok(Self {
            terminal: Terminal::open(screen)?,
            scrollback: (screen == Screen::Scrollback).then(Scrollback::default),
            on_page: false,
            title: String::new(),
            drawn_at: None,
            owed: Owed::AtOnce,
        })
    }

    /// Columns and rows now.
    pub(crate) fn size(&self) -> (u16, u16) {
        self.terminal.size()
    }

    /// Asks the terminal what it is.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn query(&mut self) -> io::Result<()> {
        self.terminal.query()
    }

    /// Writes bytes that are no part of the screen.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.terminal.write(bytes)
    }

    /// Something may look different: the next frame shows it.
    pub(crate) fn owe(&mut self) {
        if self.owed == Owed::Nothing {
            self.owed = Owed::Frame;
        }
    }

    /// A person waits for the next frame.
    pub(crate) fn owe_at_once(&mut self) {
        self.owed = Owed::AtOnce;
    }

    /// When the next frame is due; `None` when none is owed.
    pub(crate) fn frame_at(&self) -> Option<Instant> {
        self.drawn_at.filter(|_| self.owed == Owed::Frame).map(|at| at + FRAME)
    }

    /// Whether a frame is due now.
    pub(crate) fn is_due(&self) -> bool {
        match (self.owed, self.drawn_at) {
            (Owed::Nothing, _) => false,
            (Owed::AtOnce, _) | (Owed::Frame, None) => true,
            (Owed::Frame, Some(at)) => at.elapsed() >= FRAME,
        }
    }

    /// The terminal may show anything: the next frame is drawn whole.
    pub(crate) fn forget(&mut self) {
        self.terminal.forget();
        if let Some(scrollback) = &mut self.scrollback {
            scrollback.forget();
        }
        self.owed = Owed::AtOnce;
    }

    /// The same, on an empty screen; what the terminal scrolls is not lost by it.
    pub(crate) fn empty(&mut self) {
        self.forget();
        if let Some(scrollback) = &mut self.scrollback {
            scrollback.empty();
        }
    }

    /// Shows the state.
    ///
    /// # Errors
    /// The terminal is gone, or what draws is at fault.
    pub(crate) fn draw(&mut self, model: &Model) -> Result<(), terminal::Error> {
        self.set_title(model)?;
        self.change_screen(model)?;
        let (columns, rows) = model.size;
        if self.scrollback.is_some() && !self.on_page {
            model.transcript.prepare(model.size, &model.theme, model.now_ms);
        }
        if let Some(scrollback) = self.scrollback.as_mut().filter(|_| !self.on_page) {
            if self.terminal.size() != model.size {
                // The window has changed meanwhile, which a signal is about to tell: rows of the wrong width could
                // not be found again.
                self.owed = Owed::Nothing;
                return Ok(());
            }
            let bytes = terminal::guarded(|| scrollback.update(model))?;
            if !bytes.is_empty() {
                self.terminal.write_frame(&bytes)?;
            }
        } else {
            let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
            let cursor = terminal::guarded(|| view::view(model, &mut buffer))?;
            self.terminal.draw(&buffer, cursor)?;
        }
        self.drawn_at = Some(Instant::now());
        self.owed = Owed::Nothing;
        Ok(())
    }

    /// In the mode in which the terminal scrolls, pages get a screen of their own: the other stays as it is.
    fn change_screen(&mut self, model: &Model) -> io::Result<()> {
        let page = self.scrollback.is_some() && !in_conversation(model);
        if page != self.on_page {
            self.terminal.page(page)?;
            self.on_page = page;
        }
        Ok(())
    }

    fn set_title(&mut self, model: &Model) -> io::Result<()> {
        let activity = match &model.popup {
            Some(Popup::Approval(_)) => Activity::Asking,
            _ if model.is_running() => Activity::Working,
            _ => Activity::Idle,
        };
        let wanted = title::title(&model.options.title, &model.facts, model.unix, activity);
        if wanted != self.title {
            self.terminal.write(&title::bytes(&wanted))?;
            self.title = wanted;
        }
        Ok(())
    }

    /// Gives the terminal back, live rows taken away.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn give_back(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.on_page) {
            self.terminal.page(false)?;
        }
        if let Some(scrollback) = &mut self.scrollback {
            let bytes = scrollback.leave();
            self.terminal.write(&bytes)?;
        }
        self.terminal.leave();
        Ok(())
    }

    /// Gives the terminal to the shell until the shell gives it back.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        self.give_back()?;
        self.terminal.stop();
        Ok(())
    }

    /// Takes the terminal again after something else had it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn retake(&mut self) -> io::Result<()> {
        self.title.clear();
        self.owed = Owed::AtOnce;
        self.terminal.enter()
    }
}

/// Whether live rows are to be shown, not a page. Who moves through the transcript sees it on a page too: what the
/// terminal holds can neither be moved nor unfolded.
fn in_conversation(model: &Model) -> bool {
    let page = model.page.is_some() || matches!(model.popup, Some(Popup::Resume(_)));
    let looking = model.browse.is_some() || model.transcript.is_looked_through();
    matches!(model.stage, Stage::Main) && !page && !looking && !is_tall(model)
}

/// Whether something is open that takes most of the window: a smaller one would push its first rows out into what
/// the terminal scrolls, from where they cannot be had back.
fn is_tall(model: &Model) -> bool {
    let (width, height) = model.size;
    model.popup.is_some() && view::live_lines(model, width, height).1 > (height / 2).max(LIVE_ROWS)
}
