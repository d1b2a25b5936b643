//! The emulators, each with a history of ten thousand lines.

use std::num::NonZero;

use alacritty_terminal::Term;
use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::vte::ansi::Processor;
use ccmux_term::{Size, Terminal};

/// Lines of history.
const HISTORY: usize = 10_000;

/// An emulator with a screen.
pub trait Peer {
    fn name(&self) -> &'static str;
    fn advance(&mut self, text: &str);
}

/// Makes an emulator with a screen of so many columns and rows.
pub type Make = fn(u16, u16) -> Box<dyn Peer>;

/// All of them; ccmux's is the first.
pub const PEERS: [Make; 4] = [ccmux, alacritty, vt100, avt];

struct Ccmux(Terminal);

fn ccmux(cols: u16, rows: u16) -> Box<dyn Peer> {
    let mut terminal = Terminal::new(Size { cols, rows });
    terminal.set_history_limit(Some(HISTORY as u64));
    Box::new(Ccmux(terminal))
}

impl Peer for Ccmux {
    fn name(&self) -> &'static str {
        "ccmux-term"
    }

    fn advance(&mut self, text: &str) {
        self.0.advance(text.as_bytes());
        self.0.take_events();
    }
}

struct Alacritty {
    term: Term<VoidListener>,
    processor: Processor,
}

struct Screen(u16, u16);

impl Dimensions for Screen {
    fn total_lines(&self) -> usize {
        self.1.into()
    }

    fn screen_lines(&self) -> usize {
        self.1.into()
    }

    fn columns(&self) -> usize {
        self.0.into()
    }
}

fn alacritty(cols: u16, rows: u16) -> Box<dyn Peer> {
    let config =
        alacritty_terminal::term::Config { scrolling_history: HISTORY, ..Default::default() };
    let term = Term::new(config, &Screen(cols, rows), VoidListener);
    Box::new(Alacritty { term, processor: Processor::new() })
}

impl Peer for Alacritty {
    fn name(&self) -> &'static str {
        "alacritty_terminal"
    }

    fn advance(&mut self, text: &str) {
        self.processor.advance(&mut self.term, text.as_bytes());
    }
}

struct Vt100(vt100::Parser);

fn vt100(cols: u16, rows: u16) -> Box<dyn Peer> {
    let size = |cells| NonZero::new(cells).expect("screens have cells");
    Box::new(Vt100(vt100::Parser::new(size(rows), size(cols), HISTORY)))
}

impl Peer for Vt100 {
    fn name(&self) -> &'static str {
        "vt100"
    }

    fn advance(&mut self, text: &str) {
        self.0.process(text.as_bytes());
    }
}

struct Avt(avt::Terminal);

fn avt(cols: u16, rows: u16) -> Box<dyn Peer> {
    let terminal = avt::Terminal::with_scrollback(cols.into(), rows.into(), Some(HISTORY));
    Box::new(Avt(terminal.expect("screens have cells")))
}

impl Peer for Avt {
    fn name(&self) -> &'static str {
        "avt"
    }

    fn advance(&mut self, text: &str) {
        self.0.feed(text);
    }
}
