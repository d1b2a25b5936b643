//! Styles: `fg=red,bold,align=right`, as in `status-style` and in the `#[...]` of formats.
//!
//! A style says what to change, not how the result looks: what it does not name stays. Here it is
//! only read; how it is drawn is the business of whoever draws.

use std::str::FromStr;

use super::colour::Colour;

bitflags::bitflags! {
    /// Attributes that a style turns on or off.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Attributes: u16 {
        /// `bright` or `bold`
        const BRIGHT = 1;
        /// `dim`
        const DIM = 1 << 1;
        /// `underscore`
        const UNDERSCORE = 1 << 2;
        /// `blink`
        const BLINK = 1 << 3;
        /// `reverse`
        const REVERSE = 1 << 4;
        /// `hidden`
        const HIDDEN = 1 << 5;
        /// `italics`
        const ITALICS = 1 << 6;
        /// `acs`: the alternate character set, for line drawing.
        const ACS = 1 << 7;
        /// `strikethrough`
        const STRIKETHROUGH = 1 << 8;
        /// `double-underscore`
        const DOUBLE_UNDERSCORE = 1 << 9;
        /// `curly-underscore`
        const CURLY_UNDERSCORE = 1 << 10;
        /// `dotted-underscore`
        const DOTTED_UNDERSCORE = 1 << 11;
        /// `dashed-underscore`
        const DASHED_UNDERSCORE = 1 << 12;
        /// `overline`
        const OVERLINE = 1 << 13;
    }
}

const ATTRIBUTE_NAMES: &[(&str, Attributes)] = &[
    ("acs", Attributes::ACS),
    ("bright", Attributes::BRIGHT),
    ("bold", Attributes::BRIGHT),
    ("dim", Attributes::DIM),
    ("underscore", Attributes::UNDERSCORE),
    ("blink", Attributes::BLINK),
    ("reverse", Attributes::REVERSE),
    ("hidden", Attributes::HIDDEN),
    ("italics", Attributes::ITALICS),
    ("strikethrough", Attributes::STRIKETHROUGH),
    ("double-underscore", Attributes::DOUBLE_UNDERSCORE),
    ("curly-underscore", Attributes::CURLY_UNDERSCORE),
    ("dotted-underscore", Attributes::DOTTED_UNDERSCORE),
    ("dashed-underscore", Attributes::DASHED_UNDERSCORE),
    ("overline", Attributes::OVERLINE),
];

/// Where the text that follows lies in the line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Align {
    /// `align=left`
    Left,
    /// `align=centre`
    Centre,
    /// `align=right`
    Right,
    /// `align=absolute-centre`: of the line, not of what left and right leave.
    AbsoluteCentre,
}

/// The parts of a list (the window list) that is cut to fit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum List {
    /// `nolist`: the list ends.
    Off,
    /// `list=on`: the list begins or goes on.
    On,
    /// `list=focus`: the part that stays visible begins.
    Focus,
    /// `list=left-marker`: what is shown where the list is cut on the left.
    LeftMarker,
    /// `list=right-marker`: what is shown where the list is cut on the right.
    RightMarker,
}

/// What a click on the text that follows means.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Range {
    /// `norange`
    None,
    /// `range=left`
    Left,
    /// `range=right`
    Right,
    /// `range=window|N`: the window at that index.
    Window(u32),
    /// `range=pane|%N`: the pane of that number.
    Pane(u32),
    /// `range=session|$N`: the session of that number.
    Session(u32),
    /// `range=user|NAME`
    User(String),
}

/// What `default` goes back to from here on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DefaultStyle {
    /// `push-default`: the present style.
    Push,
    /// `pop-default`: the one before the last push.
    Pop,
}

/// One style. `None` and empty sets leave things as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// `default`: colours and attributes go back to the base first.
    pub reset: bool,
    /// `fg=`
    pub fg: Option<Colour>,
    /// `bg=`
    pub bg: Option<Colour>,
    /// `us=`: the colour of underlines.
    pub underscore: Option<Colour>,
    /// `fill=`: the background of what stays empty.
    pub fill: Option<Colour>,
    /// `none`: all attributes are turned off first.
    pub no_attributes: bool,
    /// Attributes turned on.
    pub on: Attributes,
    /// Attributes turned off (`nobold`).
    pub off: Attributes,
    /// `align=`, `noalign` is `left`.
    pub align: Option<Align>,
    /// `list=`
    pub list: Option<List>,
    /// `range=`
    pub range: Option<Range>,
    /// `push-default` or `pop-default`.
    pub default: Option<DefaultStyle>,
}

/// The text is no style.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invalid style: {0}")]
pub struct InvalidStyle(String);

impl FromStr for Style {
    type Err = InvalidStyle;

    /// Reads terms divided by commas or spaces; later ones win.
    fn from_str(text: &str) -> Result<Style, InvalidStyle> {
        let mut style = Style::default();
        for term in text.split([',', ' ', '\n']).filter(|term| !term.is_empty()) {
            style.add(term).ok_or_else(|| InvalidStyle(text.to_owned()))?;
        }
        Ok(style)
    }
}

impl Style {
    fn add(&mut self, term: &str) -> Option<()> {
        let term = term.to_ascii_lowercase();
        if let Some((name, value)) = term.split_once('=') {
            return self.add_value(name, value);
        }
        match term.as_str() {
            "default" => {
                *self = Style { reset: true, ..std::mem::take(self).without_look() };
            }
            "none" => {
                self.no_attributes = true;
                self.on = Attributes::empty();
                self.off = Attributes::empty();
            }
            "noalign" => self.align = Some(Align::Left),
            "nolist" => self.list = Some(List::Off),
            "norange" => self.range = Some(Range::None),
            "push-default" => self.default = Some(DefaultStyle::Push),
            "pop-default" => self.default = Some(DefaultStyle::Pop),
            // Whether a pane's own styles are ignored; ccmux has no such mode.
            "ignore" | "noignore" => {}
            _ => self.add_attribute(&term)?,
        }
        Some(())
    }

    /// The same without what `default` undoes.
    fn without_look(self) -> Style {
        let Style { fill, align, list, range, default, .. } = self;
        Style { fill, align, list, range, default, ..Style::default() }
    }

    fn add_attribute(&mut self, term: &str) -> Option<()> {
        let find = |name| ATTRIBUTE_NAMES.iter().find(|(n, _)| *n == name).map(|(_, set)| *set);
        if let Some(on) = find(term) {
            self.on |= on;
            self.off -= on;
        } else {
            let off = find(term.strip_prefix("no")?)?;
            self.off |= off;
            self.on -= off;
        }
        Some(())
    }

    fn add_value(&mut self, name: &str, value: &str) -> Option<()> {
        let colour = || value.parse().ok().filter(|colour| *colour != Colour::None).map(Some);
        match name {
            "fg" => self.fg = colour()?,
            "bg" => self.bg = colour()?,
            "us" => self.underscore = colour()?,
            "fill" => self.fill = colour()?,
            "align" => {
                self.align = Some(match value {
                    "left" => Align::Left,
                    "centre" => Align::Centre,
                    "right" => Align::Right,
                    "absolute-centre" => Align::AbsoluteCentre,
                    _ => return None,
                });
            }
            "list" => {
                self.list = Some(match value {
                    "on" => List::On,
                    "focus" => List::Focus,
                    "left-marker" => List::LeftMarker,
                    "right-marker" => List::RightMarker,
                    _ => return None,
                });
            }
            "range" => self.range = Some(range(value)?),
            // Scroll bars and popups, which take these for their extent.
            "width" | "pad" => {
                value.trim_end_matches('%').parse::<u16>().ok()?;
            }
            _ => return None,
        }
        Some(())
    }
}

fn range(value: &str) -> Option<Range> {
    let number = |digits: &str| digits.parse().ok();
    Some(match value.split_once('|') {
        None if value == "left" => Range::Left,
        None if value == "right" => Range::Right,
        Some(("window", index)) => Range::Window(number(index)?),
        Some(("pane", id)) => Range::Pane(number(id.strip_prefix('%')?)?),
        Some(("session", id)) => Range::Session(number(id.strip_prefix('$')?)?),
        Some(("user", name)) if !name.is_empty() => Range::User(name.to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_in_order() {
        let style: Style =
            "fg=red,bg=#101010 bold,,nodim,align=centre,range=window|3".parse().unwrap();
        let expected = Style {
            fg: Some(Colour::Indexed(1)),
            bg: Some(Colour::Rgb(16, 16, 16)),
            on: Attributes::BRIGHT,
            off: Attributes::DIM,
            align: Some(Align::Centre),
            range: Some(Range::Window(3)),
            ..Style::default()
        };
        assert_eq!(style, expected);
    }

    #[test]
    fn default_undoes_what_came_before_it() {
        let style: Style = "fg=red,bold,list=on,default,dim".parse().unwrap();
        let expected =
            Style { reset: true, on: Attributes::DIM, list: Some(List::On), ..Style::default() };
        assert_eq!(style, expected);
    }

    /// Goal: what tmux accepts and refuses.
    #[test]
    fn accepted_and_refused() {
        for text in [
            "",
            ",",
            "none",
            "BOLD",
            "fg=Red",
            "fg=97",
            "nobold",
            "acs",
            "push-default",
            "nolist",
            "curly-underscore",
            "us=red",
            "ignore",
            "norange",
            "range=user|abc",
            "list=left-marker",
        ] {
            assert!(text.parse::<Style>().is_ok(), "{text}");
        }
        for text in [
            "foo",
            "fg=",
            "fg=foo",
            "fg=#fff",
            "fg=none",
            "bold;dim",
            "noattr",
            "nofg",
            "align=center",
            "range=window",
            "list=off",
            "=",
            "fg",
        ] {
            assert_eq!(text.parse::<Style>(), Err(InvalidStyle(text.to_owned())), "{text}");
        }
    }
}
