//! Where in a sequence the parser is.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum State {
    Ground,
    /// In the middle of a character: its first bytes lie in `utf8`.
    Utf8,
    Escape,
    EscapeIntermediate,
    CsiEntry,
    CsiParam,
    CsiIntermediate,
    CsiIgnore,
    DcsEntry,
    DcsParam,
    DcsIntermediate,
    /// The string of a DCS whose head was well-formed.
    DcsString,
    /// The string of a DCS that was not, or SOS, PM, or an APC that means nothing.
    IgnoredString,
    OscString,
    /// After ESC in a string: a backslash ends it, anything else cancels it.
    DcsEscape,
    OscEscape,
    /// The string of an APC.
    ApcString,
    ApcEscape,
    /// After `ESC Y` of a VT52; the row, once it is there, lies in `string`.
    Vt52Position,
}

impl State {
    pub(crate) const ALL: [Self; 19] = [
        Self::Ground,
        Self::Utf8,
        Self::Escape,
        Self::EscapeIntermediate,
        Self::CsiEntry,
        Self::CsiParam,
        Self::CsiIntermediate,
        Self::CsiIgnore,
        Self::DcsEntry,
        Self::DcsParam,
        Self::DcsIntermediate,
        Self::DcsString,
        Self::IgnoredString,
        Self::OscString,
        Self::DcsEscape,
        Self::OscEscape,
        Self::ApcString,
        Self::ApcEscape,
        Self::Vt52Position,
    ];
}
