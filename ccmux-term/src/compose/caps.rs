//! What a client's terminal understands, guessed from its names.

bitflags::bitflags! {
    /// Abilities beyond ECMA-48's basics. A missing one costs bytes or looks, never correctness.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct OutputFeatures: u32 {
        /// Underline in five shapes and its own colour (SGR 4:3, 58).
        const STYLED_UNDERLINE = 1;
        /// OSC 8.
        const HYPERLINKS = 1 << 1;
        /// Mode 2026: a frame is drawn at once.
        const SYNCHRONIZED_OUTPUT = 1 << 2;
        /// OSC 2, and the stack of titles (XTWINOPS 22 and 23).
        const TITLE = 1 << 3;
        /// Mouse tracking in SGR encoding.
        const MOUSE = 1 << 4;
        /// Mode 2004.
        const BRACKETED_PASTE = 1 << 5;
        /// Mode 1004.
        const FOCUS_EVENTS = 1 << 6;
        /// DECSCUSR.
        const CURSOR_SHAPE = 1 << 7;
        /// The kitty keyboard protocol.
        const KEYBOARD = 1 << 8;
        /// ECH: erase characters.
        const ECH = 1 << 9;
        /// REP: repeat the character before.
        const REP = 1 << 10;
        /// Erasing gives the current background colour, not the default one.
        const BACKGROUND_ERASE = 1 << 11;
        /// ICH and DCH: insert and delete characters.
        const INSERT_DELETE = 1 << 12;
        /// DECSLRM: margins at the sides, within which rows scroll.
        const MARGINS = 1 << 13;
        /// Sixels.
        const SIXEL = 1 << 14;
        /// The kitty graphics protocol.
        const KITTY_GRAPHICS = 1 << 15;
    }
}

/// How many colours a terminal has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum ColorDepth {
    /// None.
    None,
    /// The ANSI colours; bold text has bright ones.
    Palette8,
    /// The ANSI colours and their bright forms.
    #[default]
    Palette16,
    /// xterm's palette.
    Palette256,
    /// 24 bits.
    TrueColor,
}

/// What a terminal understands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct OutputCaps {
    /// Colours.
    pub colors: ColorDepth,
    /// Everything else.
    pub features: OutputFeatures,
}

impl OutputCaps {
    /// Guesses from the values of `TERM`, `COLORTERM` and `TERM_PROGRAM`. Empty strings for what is
    /// unset.
    pub fn from_env(term: &str, colorterm: &str, term_program: &str) -> Self {
        let term_rule = find(TERMS, term);
        let program_rule = find(PROGRAMS, term_program);
        let unknown = if term.is_empty() { ColorDepth::None } else { ColorDepth::default() };
        let mut colors = term_rule.map_or(unknown, |rule| rule.colors);
        if term.contains("16color") || term.contains("88color") {
            colors = colors.max(ColorDepth::Palette16);
        }
        if term.contains("256color") {
            colors = colors.max(ColorDepth::Palette256);
        }
        // GNU screen lets COLORTERM of the terminal around it through, but not its colours.
        let is_gnu_screen = term.starts_with("screen") && !term_program.starts_with("tmux");
        let has_true_color = matches!(colorterm, "truecolor" | "24bit") && !is_gnu_screen;
        if has_true_color || term.ends_with("-direct") {
            colors = colors.max(ColorDepth::TrueColor);
        }
        let mut features = term_rule.map_or(OutputFeatures::empty(), |rule| rule.features);
        if let Some(rule) = program_rule
            && term_rule.is_none_or(|rule| rule.may_be_another)
        {
            colors = colors.max(rule.colors);
            features |= rule.features;
        }
        Self { colors, features }
    }
}

impl OutputCaps {
    /// Whether a terminal of this `TERM` is asked what it is: it is known to leave sequences alone
    /// that it does not know.
    pub fn may_be_asked(term: &str) -> bool {
        let asked =
            XTERM.difference(OutputFeatures::BACKGROUND_ERASE | OutputFeatures::FOCUS_EVENTS);
        find(TERMS, term).is_some_and(|rule| rule.features.contains(asked))
    }

    /// With what is known of a terminal that answered XTVERSION with this name.
    #[must_use]
    pub fn with_program(mut self, name: &str) -> Self {
        if let Some(rule) = find(PROGRAMS, name) {
            self.colors = self.colors.max(rule.colors);
            self.features |= rule.features;
        }
        self
    }

    /// With the extensions that a terminal named in its answer to DA1, as its parameters.
    #[must_use]
    pub fn with_extensions(mut self, parameters: &[u16]) -> Self {
        const SIXEL: u16 = 4;
        /// Horizontal scrolling, which came with DECSLRM.
        const HORIZONTAL_SCROLLING: u16 = 21;
        /// Of a VT420, the first terminal that had it; an xterm that is told to be an older one has
        /// not.
        const CLASS_VT420: u16 = 64;
        let Some((&class, extensions)) = parameters.split_first() else { return self };
        if extensions.contains(&SIXEL) {
            self.features |= OutputFeatures::SIXEL;
        }
        let has_margins = extensions.contains(&HORIZONTAL_SCROLLING);
        if (61..=65).contains(&class) && has_margins {
            self.features |= OutputFeatures::MARGINS;
        } else if class < CLASS_VT420 && !has_margins {
            self.features -= OutputFeatures::MARGINS;
        }
        self
    }

    /// With a feature by its name in `terminal-features`; names of others change nothing.
    #[must_use]
    pub fn with_feature(mut self, name: &str) -> Self {
        match name {
            "RGB" => self.colors = ColorDepth::TrueColor,
            "256" => self.colors = self.colors.max(ColorDepth::Palette256),
            _ => {
                if let Some((_, feature)) = FEATURES.iter().find(|(known, _)| *known == name) {
                    self.features |= *feature;
                }
            }
        }
        self
    }

    /// The names in `terminal-features` of what it understands.
    pub fn feature_names(self) -> impl Iterator<Item = &'static str> {
        let palette = (self.colors >= ColorDepth::Palette256).then_some("256");
        let rgb = (self.colors == ColorDepth::TrueColor).then_some("RGB");
        let known = FEATURES.iter().filter(move |(_, feature)| self.features.contains(*feature));
        palette.into_iter().chain(rgb).chain(known.map(|(name, _)| *name))
    }

    /// With a capability as `terminal-overrides` changes it: `Tc`, `colors=256`, or `Sync@` for one that
    /// is missing. Capabilities that make no difference here change nothing.
    #[must_use]
    pub fn with_override(mut self, capability: &str) -> Self {
        let (name, is_missing) = match capability.strip_suffix('@') {
            Some(name) => (name, true),
            None => (capability.split('=').next().unwrap_or_default(), false),
        };
        match (name, is_missing) {
            ("RGB" | "Tc" | "setrgbf" | "setrgbb", false) => self.colors = ColorDepth::TrueColor,
            ("RGB" | "Tc", true) => self.colors = self.colors.min(ColorDepth::Palette256),
            ("colors", false) => {
                let count = capability.split_once('=').map_or("", |(_, count)| count).parse();
                self.colors = count.map_or(self.colors, ColorDepth::of_count);
            }
            _ => {
                let found = CAPABILITIES.iter().find(|(known, _)| *known == name);
                if let Some((_, feature)) = found {
                    self.features.set(*feature, !is_missing);
                }
            }
        }
        self
    }
}

impl ColorDepth {
    /// The depth of so many colours (`max_colors` of terminfo).
    fn of_count(count: u32) -> Self {
        match count {
            0..8 => Self::None,
            8..16 => Self::Palette8,
            16..256 => Self::Palette16,
            256..0x100_0000 => Self::Palette256,
            _ => Self::TrueColor,
        }
    }
}

/// By the names of `terminal-features`.
const FEATURES: &[(&str, OutputFeatures)] = &[
    ("bpaste", OutputFeatures::BRACKETED_PASTE),
    ("cstyle", OutputFeatures::CURSOR_SHAPE),
    ("focus", OutputFeatures::FOCUS_EVENTS),
    ("hyperlinks", OutputFeatures::HYPERLINKS),
    // tmux knows no such feature.
    ("kitty", OutputFeatures::KITTY_GRAPHICS),
    ("margins", OutputFeatures::MARGINS),
    ("mouse", OutputFeatures::MOUSE),
    ("sixel", OutputFeatures::SIXEL),
    ("sync", OutputFeatures::SYNCHRONIZED_OUTPUT),
    ("title", OutputFeatures::TITLE),
    ("usstyle", OutputFeatures::STYLED_UNDERLINE),
];

/// By the names of terminfo and of its extensions.
const CAPABILITIES: &[(&str, OutputFeatures)] = &[
    ("Smulx", OutputFeatures::STYLED_UNDERLINE),
    ("Setulc", OutputFeatures::STYLED_UNDERLINE),
    ("Sync", OutputFeatures::SYNCHRONIZED_OUTPUT),
    ("Hls", OutputFeatures::HYPERLINKS),
    ("Ss", OutputFeatures::CURSOR_SHAPE),
    ("tsl", OutputFeatures::TITLE),
    ("Enbp", OutputFeatures::BRACKETED_PASTE),
    ("Enfcs", OutputFeatures::FOCUS_EVENTS),
    ("kmous", OutputFeatures::MOUSE),
    ("bce", OutputFeatures::BACKGROUND_ERASE),
    ("ech", OutputFeatures::ECH),
    ("rep", OutputFeatures::REP),
    ("ich", OutputFeatures::INSERT_DELETE),
    ("dch", OutputFeatures::INSERT_DELETE),
    ("Enmg", OutputFeatures::MARGINS),
    ("Cmg", OutputFeatures::MARGINS),
    ("Sxl", OutputFeatures::SIXEL),
];

/// Terminals whose name begins so have these abilities.
struct Rule {
    prefix: &'static str,
    colors: ColorDepth,
    features: OutputFeatures,
    /// The name is also borne by other terminals, so `TERM_PROGRAM` may add to it.
    may_be_another: bool,
}

fn find<'a>(rules: &'a [Rule], name: &str) -> Option<&'a Rule> {
    let is_match = |rule: &&Rule| {
        name.get(..rule.prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(rule.prefix))
    };
    rules.iter().find(is_match)
}

const fn rule(prefix: &'static str, colors: ColorDepth, features: OutputFeatures) -> Rule {
    Rule { prefix, colors, features, may_be_another: false }
}

const fn shared(prefix: &'static str, colors: ColorDepth, features: OutputFeatures) -> Rule {
    Rule { prefix, colors, features, may_be_another: true }
}

const CONSOLE: OutputFeatures = OutputFeatures::ECH
    .union(OutputFeatures::BACKGROUND_ERASE)
    .union(OutputFeatures::INSERT_DELETE);
const XTERM: OutputFeatures = CONSOLE
    .union(OutputFeatures::TITLE)
    .union(OutputFeatures::MOUSE)
    .union(OutputFeatures::BRACKETED_PASTE)
    .union(OutputFeatures::FOCUS_EVENTS)
    .union(OutputFeatures::CURSOR_SHAPE);
/// xterm and what follows it in emulating a VT420.
const VT420: OutputFeatures = XTERM.union(OutputFeatures::MARGINS);
/// A multiplexer in between: it redraws for itself, and says nothing about background erase.
const NESTED: OutputFeatures = XTERM.difference(OutputFeatures::BACKGROUND_ERASE);
/// The same of one that hands on links and shapes of underlines.
const NESTED_MODERN: OutputFeatures =
    NESTED.union(OutputFeatures::HYPERLINKS).union(OutputFeatures::STYLED_UNDERLINE);
const MODERN: OutputFeatures = XTERM
    .union(OutputFeatures::HYPERLINKS)
    .union(OutputFeatures::SYNCHRONIZED_OUTPUT)
    .union(OutputFeatures::STYLED_UNDERLINE)
    .union(OutputFeatures::REP);
const MODERN_KEYBOARD: OutputFeatures = MODERN.union(OutputFeatures::KEYBOARD);
const KITTY: OutputFeatures = MODERN_KEYBOARD.union(OutputFeatures::KITTY_GRAPHICS);
const WEZTERM: OutputFeatures = MODERN.union(OutputFeatures::KITTY_GRAPHICS);

use ColorDepth::{None as NoColor, Palette8, Palette256, TrueColor};

/// By `TERM`; the first match counts. As many colours as the name's entry in terminfo says.
const TERMS: &[Rule] = &[
    rule("xterm-kitty", TrueColor, KITTY),
    rule("xterm-ghostty", TrueColor, KITTY),
    rule("ghostty", TrueColor, KITTY),
    rule("foot", TrueColor, MODERN_KEYBOARD),
    rule("alacritty", TrueColor, MODERN_KEYBOARD),
    rule("wezterm", TrueColor, WEZTERM),
    rule("contour", TrueColor, MODERN),
    rule("mintty", TrueColor, VT420),
    rule("vte", TrueColor, XTERM.union(OutputFeatures::HYPERLINKS)),
    rule("konsole", TrueColor, XTERM),
    rule("gnome", TrueColor, XTERM),
    rule("putty", Palette8, XTERM.difference(OutputFeatures::FOCUS_EVENTS)),
    shared("xterm", Palette8, XTERM),
    rule("tmux", Palette256, NESTED.union(OutputFeatures::STYLED_UNDERLINE)),
    rule("screen", Palette8, NESTED),
    rule("rxvt", Palette8, XTERM.difference(OutputFeatures::FOCUS_EVENTS)),
    rule("st", Palette256, XTERM),
    rule("linux", Palette8, CONSOLE),
    rule("dumb", NoColor, OutputFeatures::empty()),
    rule("vt", NoColor, OutputFeatures::empty()),
    shared("ansi", Palette8, OutputFeatures::empty()),
];

/// By `TERM_PROGRAM`, or by the name in an answer to XTVERSION.
const PROGRAMS: &[Rule] = &[
    rule("kitty", TrueColor, KITTY),
    rule("ghostty", TrueColor, KITTY),
    rule("foot", TrueColor, MODERN_KEYBOARD),
    rule("alacritty", TrueColor, MODERN_KEYBOARD),
    rule("WezTerm", TrueColor, WEZTERM),
    rule("iTerm", TrueColor, MODERN.union(OutputFeatures::MARGINS)),
    rule("contour", TrueColor, MODERN),
    rule("mintty", TrueColor, VT420.union(OutputFeatures::SYNCHRONIZED_OUTPUT)),
    rule("VTE", TrueColor, XTERM.union(OutputFeatures::HYPERLINKS)),
    rule("Konsole", TrueColor, XTERM.union(OutputFeatures::HYPERLINKS)),
    rule("vscode", TrueColor, XTERM.union(OutputFeatures::HYPERLINKS)),
    rule("XTerm", Palette256, VT420.union(OutputFeatures::REP)),
    rule("Apple_Terminal", Palette256, XTERM),
    rule("ccmux", TrueColor, MODERN_KEYBOARD.union(OutputFeatures::MARGINS)),
    rule("tmux", TrueColor, NESTED_MODERN),
];

#[cfg(test)]
mod tests {
    use super::ColorDepth::Palette16;
    use super::*;

    #[test]
    fn options_change_what_the_names_say() {
        let xterm = OutputCaps::from_env("xterm-256color", "", "");
        assert_eq!(xterm.colors, Palette256);
        assert_eq!(xterm.with_feature("RGB").colors, TrueColor);
        assert_eq!(xterm.with_feature("256").with_feature("no-such"), xterm);
        let linked = xterm.with_feature("hyperlinks");
        assert_eq!(linked.features, XTERM | OutputFeatures::HYPERLINKS);
        for (capability, colors, features) in [
            ("Tc", TrueColor, XTERM),
            ("RGB", TrueColor, XTERM),
            ("colors=8", Palette8, XTERM),
            ("colors=16", Palette16, XTERM),
            ("colors=16777216", TrueColor, XTERM),
            ("colors=many", Palette256, XTERM),
            ("Smulx=\\E[4::%p1%dm", Palette256, XTERM | OutputFeatures::STYLED_UNDERLINE),
            ("Ss@", Palette256, XTERM - OutputFeatures::CURSOR_SHAPE),
            ("XT", Palette256, XTERM),
            ("dch@", Palette256, XTERM - OutputFeatures::INSERT_DELETE),
            ("Enmg=\\E[?69h", Palette256, VT420),
        ] {
            let expect = OutputCaps { colors, features };
            assert_eq!(xterm.with_override(capability), expect, "{capability}");
        }
        assert_eq!(xterm.with_override("Tc").with_override("Tc@"), xterm);
    }

    #[test]
    fn terminals_are_asked_unless_they_may_show_the_question() {
        for (term, expected) in [
            ("xterm-256color", true),
            ("xterm-kitty", true),
            ("tmux-256color", true),
            ("screen", true),
            ("putty", true),
            ("linux", false),
            ("vt100", false),
            ("ansi", false),
            ("dumb", false),
            ("never-heard-of", false),
            ("", false),
        ] {
            assert_eq!(OutputCaps::may_be_asked(term), expected, "{term}");
        }
    }

    #[test]
    fn answers_add_to_the_names() {
        let xterm = OutputCaps::from_env("xterm-256color", "", "");
        for (name, colors, features) in [
            ("XTerm(390)", Palette256, VT420 | OutputFeatures::REP),
            ("kitty(0.35.2)", TrueColor, KITTY),
            ("WezTerm 20240203", TrueColor, WEZTERM),
            ("tmux 3.4", TrueColor, XTERM | NESTED_MODERN),
            ("never heard of", Palette256, XTERM),
            ("", Palette256, XTERM),
        ] {
            assert_eq!(xterm.with_program(name), OutputCaps { colors, features }, "{name}");
        }
        let nested = OutputCaps::from_env("screen-256color", "", "").with_program("tmux 3.4");
        assert_eq!(nested, OutputCaps { colors: TrueColor, features: NESTED_MODERN });
        let sixel = XTERM | OutputFeatures::SIXEL;
        for (parameters, features) in [
            (&[64, 1, 21, 22][..], VT420),
            (&[61, 21], VT420),
            (&[64, 4, 21], VT420 | OutputFeatures::SIXEL),
            (&[62, 1, 4], sixel),
            (&[1, 2, 4], sixel),
            (&[4, 1], XTERM),
            (&[64, 1, 14, 44], XTERM),
            (&[1, 2, 21], XTERM),
            (&[21, 64], XTERM),
            (&[64], XTERM),
            (&[], XTERM),
        ] {
            let found = xterm.with_extensions(parameters);
            assert_eq!(found, OutputCaps { features, ..xterm }, "{parameters:?}");
        }
        // `xterm -ti vt340` has sixels and no side margins, whatever its name says.
        let named = xterm.with_program("XTerm(379)");
        for (parameters, has_margins) in [
            (&[63, 1, 2, 4, 6, 9, 15, 16, 22, 28][..], false),
            (&[62, 1, 4], false),
            (&[1, 2], false),
            (&[6], false),
            (&[64, 1, 2, 6, 9, 15, 16, 17, 18, 21, 22, 28], true),
            (&[64, 1, 2], true),
            (&[65, 1], true),
            (&[], true),
        ] {
            let features = named.with_extensions(parameters).features;
            assert_eq!(features.contains(OutputFeatures::MARGINS), has_margins, "{parameters:?}");
        }
    }

    #[test]
    fn caps_follow_the_names() {
        for (term, colorterm, program, colors, features) in [
            ("", "", "", NoColor, OutputFeatures::empty()),
            ("dumb", "", "", NoColor, OutputFeatures::empty()),
            ("vt100", "", "", NoColor, OutputFeatures::empty()),
            ("linux", "", "", Palette8, CONSOLE),
            ("linux-16color", "", "", Palette16, CONSOLE),
            ("xterm", "", "", Palette8, XTERM),
            ("xterm-16color", "", "", Palette16, XTERM),
            ("rxvt-88color", "", "", Palette16, XTERM - OutputFeatures::FOCUS_EVENTS),
            ("xterm-256color", "", "", Palette256, XTERM),
            ("xterm-256color", "truecolor", "", TrueColor, XTERM),
            ("xterm-direct", "", "", TrueColor, XTERM),
            ("xterm-kitty", "", "", TrueColor, KITTY),
            ("xterm-256color", "truecolor", "WezTerm", TrueColor, WEZTERM),
            ("xterm-256color", "", "iTerm.app", TrueColor, MODERN | OutputFeatures::MARGINS),
            ("xterm-256color", "", "kitty(0.35.2)", TrueColor, KITTY),
            ("xterm-256color", "", "XTerm(390)", Palette256, VT420 | OutputFeatures::REP),
            ("xterm-256color", "", "Apple_Terminal", Palette256, XTERM),
            ("screen-256color", "", "iTerm.app", Palette256, NESTED),
            ("screen", "truecolor", "", Palette8, NESTED),
            ("screen-256color", "truecolor", "tmux", TrueColor, NESTED),
            ("tmux-256color", "", "tmux", Palette256, NESTED | OutputFeatures::STYLED_UNDERLINE),
            ("never-heard-of", "", "", Palette16, OutputFeatures::empty()),
            ("never-heard-of-256color", "24bit", "", TrueColor, OutputFeatures::empty()),
            ("\u{e4}", "", "\u{e4}\u{e4}", Palette16, OutputFeatures::empty()),
        ] {
            let expect = OutputCaps { colors, features };
            assert_eq!(
                OutputCaps::from_env(term, colorterm, program),
                expect,
                "TERM={term} COLORTERM={colorterm} TERM_PROGRAM={program}"
            );
        }
    }
}
