//! The words of the kitty graphics protocol: what a control string says, and answers.
//!
//! ```text
//! APC G key=value,key=value,...;base64 ST
//! ```

/// How the data of a picture is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// Three bytes a pixel.
    Rgb,
    /// Four bytes a pixel.
    Rgba,
    Png,
}

impl Format {
    pub(crate) fn of_code(code: u32) -> Option<Self> {
        match code {
            24 => Some(Self::Rgb),
            0 | 32 => Some(Self::Rgba),
            100 => Some(Self::Png),
            _ => None,
        }
    }

    /// Bytes of a pixel that is not packed.
    pub(crate) fn pixel_bytes(self) -> Option<usize> {
        match self {
            Self::Rgb => Some(3),
            Self::Rgba => Some(4),
            Self::Png => None,
        }
    }

    /// The value of the key `f`.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Rgb => 24,
            Self::Rgba => 32,
            Self::Png => 100,
        }
    }
}

/// What the protocol says of a placement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    /// The picture's id, 0 for one without.
    pub(crate) image_id: u32,
    /// The placement's id, 0 for one without.
    pub(crate) id: u32,
    /// Below the text if negative.
    pub(crate) z: i32,
    /// Pixels from the left and top of the first cell.
    pub(crate) offset: (u16, u16),
}

/// What a control string says; what it leaves out is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Control {
    /// `a`.
    pub(crate) action: u8,
    /// `q`.
    pub(crate) quiet: u32,
    /// `f`.
    pub(crate) format: u32,
    /// `t`.
    pub(crate) medium: u8,
    /// `o`.
    pub(crate) compression: u8,
    /// `m`.
    pub(crate) has_more: bool,
    /// `s` and `v`.
    pub(crate) size: (u32, u32),
    /// `i`.
    pub(crate) id: u32,
    /// `I`.
    pub(crate) number: u32,
    /// `p`.
    pub(crate) placement: u32,
    /// `x`, `y`, `w` and `h`.
    pub(crate) source: [u32; 4],
    /// `X` and `Y`.
    pub(crate) offset: (u32, u32),
    /// `c` and `r`.
    pub(crate) cells: (u32, u32),
    /// `C`.
    pub(crate) keeps_cursor: bool,
    /// `U`.
    pub(crate) is_virtual: bool,
    /// `P` or `Q`.
    pub(crate) is_relative: bool,
    /// `z`.
    pub(crate) z: i32,
    /// `d`.
    pub(crate) delete: u8,
}

impl Control {
    /// Reads what is before the `;`. Keys that are not known do not count; `None` if it is no list of
    /// keys and values.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut control = Self::default();
        for pair in text.split(|&byte| byte == b',').filter(|pair| !pair.is_empty()) {
            let [key, b'=', value @ ..] = pair else { return None };
            control.set(*key, value)?;
        }
        Some(control)
    }

    fn set(&mut self, key: u8, value: &[u8]) -> Option<()> {
        let text = std::str::from_utf8(value).ok()?;
        let letter = || if let [letter] = value { Some(*letter) } else { None };
        let number = || text.parse::<u32>().ok();
        match key {
            b'a' => self.action = letter()?,
            b'q' => self.quiet = number()?,
            b'f' => self.format = number()?,
            b't' => self.medium = letter()?,
            b'o' => self.compression = letter()?,
            b'm' => self.has_more = number()? != 0,
            b's' => self.size.0 = number()?,
            b'v' => self.size.1 = number()?,
            b'i' => self.id = number()?,
            b'I' => self.number = number()?,
            b'p' => self.placement = number()?,
            b'x' => self.source[0] = number()?,
            b'y' => self.source[1] = number()?,
            b'w' => self.source[2] = number()?,
            b'h' => self.source[3] = number()?,
            b'X' => self.offset.0 = number()?,
            b'Y' => self.offset.1 = number()?,
            b'c' => self.cells.0 = number()?,
            b'r' => self.cells.1 = number()?,
            b'C' => self.keeps_cursor = number()? != 0,
            b'U' => self.is_virtual = number()? != 0,
            b'P' | b'Q' => self.is_relative = true,
            b'z' => self.z = text.parse().ok()?,
            b'd' => self.delete = letter()?,
            _ => {}
        }
        Some(())
    }
}

/// Width and height that a PNG says of itself.
pub(crate) fn png_size(data: &[u8]) -> Option<(u32, u32)> {
    let header = data.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(4..16)?;
    let side = |bytes: &[u8]| bytes.try_into().ok().map(u32::from_be_bytes);
    let (kind, sides) = header.split_at(4);
    (kind == b"IHDR").then_some((side(&sides[..4])?, side(&sides[4..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_values() {
        let control = Control::parse(b"a=T,f=100,s=3,i=7,z=-5,C=1,,k=unknown,d=A").unwrap();
        let expected = Control {
            action: b'T',
            format: 100,
            size: (3, 0),
            id: 7,
            z: -5,
            keeps_cursor: true,
            delete: b'A',
            ..Control::default()
        };
        assert_eq!(control, expected);
        assert_eq!(Control::parse(b""), Some(Control::default()));
        for bad in [&b"a"[..], b"a=", b"a=TT", b"i=-1", b"i=x", b"s=99999999999", b"i:3", b"i=\xff"]
        {
            assert_eq!(Control::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_png_says_its_size() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08";
        assert_eq!(png_size(png), Some((640, 480)));
        assert_eq!(png_size(&png[..22]), None);
        assert_eq!(png_size(b"GIF89a"), None);
    }
}
