//! Reduction of colours to what a terminal can show.

use super::caps::ColorDepth;
use crate::Color;

/// `color`, or the nearest one that a terminal of this depth has.
pub(super) fn reduce(color: Color, depth: ColorDepth) -> Color {
    match (color, depth) {
        (_, ColorDepth::None) => Color::Default,
        (Color::Default | Color::Indexed(0..8), _)
        | (
            Color::Indexed(8..16),
            ColorDepth::Palette16 | ColorDepth::Palette256 | ColorDepth::TrueColor,
        )
        | (_, ColorDepth::TrueColor)
        | (Color::Indexed(_), ColorDepth::Palette256) => color,
        (Color::Rgb(r, g, b), ColorDepth::Palette256) => Color::Indexed(nearest_256([r, g, b])),
        (Color::Indexed(index), ColorDepth::Palette16) => {
            Color::Indexed(nearest_16(palette_rgb(index)))
        }
        (Color::Rgb(r, g, b), ColorDepth::Palette16) => Color::Indexed(nearest_16([r, g, b])),
        // The first sixteen are brought down with the other colour and the attributes in view.
        (color, ColorDepth::Palette8) => match reduce(color, ColorDepth::Palette16) {
            Color::Indexed(index) => Color::Indexed(index % 8),
            other => other,
        },
    }
}

/// Foreground and background on a terminal of eight colours, and whether the text is bold for its
/// foreground to be bright. As in tmux, only the colours that programs choose by their number are made
/// bright so, and none of a larger palette becomes text in the colour of its background.
pub(super) fn reduce_to_8(fg: Color, bg: Color) -> (Color, Color, bool) {
    const BLACK: Color = Color::Indexed(0);
    const WHITE: Color = Color::Indexed(7);
    let is_bright = matches!(fg, Color::Indexed(8..16));
    let is_nearest = !matches!(fg, Color::Default | Color::Indexed(0..16));
    let [fg, bg] = [fg, bg].map(|color| reduce(color, ColorDepth::Palette8));
    let fg = match (fg, bg) {
        (BLACK, BLACK) if is_nearest => WHITE,
        (WHITE, WHITE) if is_nearest => BLACK,
        _ => fg,
    };
    (fg, bg, is_bright)
}

/// Whether `color` is black or nearly so. The default one counts as that.
pub(super) fn is_dark(color: Color) -> bool {
    let rgb = match color {
        Color::Default => return true,
        Color::Indexed(index) => palette_rgb(index),
        Color::Rgb(r, g, b) => [r, g, b],
    };
    rgb.iter().all(|&level| level < 64)
}

/// The levels of the 6x6x6 cube of xterm's palette.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// xterm's first sixteen colours. Terminals are themed here, so this is a convention.
const ANSI: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

fn palette_rgb(index: u8) -> [u8; 3] {
    match index {
        0..16 => ANSI[usize::from(index)],
        16..232 => {
            let cube = usize::from(index - 16);
            [CUBE[cube / 36], CUBE[cube / 6 % 6], CUBE[cube % 6]]
        }
        232.. => [8 + 10 * (index - 232); 3],
    }
}

/// The nearest of the cube and the grey ramp; never one of the first sixteen, which are themed.
fn nearest_256(rgb: [u8; 3]) -> u8 {
    let [r, g, b] = rgb.map(nearest_level);
    let cube = 16 + 36 * r + 6 * g + b;
    let mean = rgb.iter().map(|&v| u16::from(v)).sum::<u16>() / 3;
    let grey = 232 + (mean.saturating_sub(3) / 10).min(23) as u8;
    if distance(palette_rgb(grey), rgb) < distance(palette_rgb(cube), rgb) { grey } else { cube }
}

fn nearest_level(value: u8) -> u8 {
    match value {
        0..48 => 0,
        48..115 => 1,
        _ => (value - 35) / 40,
    }
}

fn nearest_16(rgb: [u8; 3]) -> u8 {
    let nearest = (0..16u8).min_by_key(|&index| distance(ANSI[usize::from(index)], rgb));
    nearest.expect("the range is not empty")
}

/// Squared distance, weighted as the eye weighs the three.
fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    const WEIGHTS: [u32; 3] = [3, 6, 2];
    (0..3).map(|i| WEIGHTS[i] * u32::from(a[i].abs_diff(b[i])).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_the_nearest_that_a_terminal_has() {
        use Color::{Default, Indexed, Rgb};
        use ColorDepth::{None, Palette16, Palette256, TrueColor};
        for (color, depth, expect) in [
            (Rgb(1, 2, 3), TrueColor, Rgb(1, 2, 3)),
            (Indexed(200), TrueColor, Indexed(200)),
            (Default, None, Default),
            (Indexed(1), None, Default),
            (Rgb(255, 0, 0), None, Default),
            (Indexed(9), Palette256, Indexed(9)),
            (Rgb(255, 0, 0), Palette256, Indexed(196)),
            (Rgb(0, 0, 0), Palette256, Indexed(16)),
            (Rgb(255, 255, 255), Palette256, Indexed(231)),
            (Rgb(95, 135, 175), Palette256, Indexed(67)),
            (Rgb(100, 130, 170), Palette256, Indexed(67)),
            (Rgb(8, 8, 8), Palette256, Indexed(232)),
            (Rgb(128, 128, 128), Palette256, Indexed(244)),
            (Rgb(238, 238, 238), Palette256, Indexed(255)),
            (Rgb(250, 250, 250), Palette256, Indexed(231)),
            (Indexed(15), Palette16, Indexed(15)),
            (Indexed(196), Palette16, Indexed(9)),
            (Indexed(16), Palette16, Indexed(0)),
            (Indexed(231), Palette16, Indexed(15)),
            (Indexed(244), Palette16, Indexed(8)),
            (Indexed(255), Palette16, Indexed(7)),
            (Rgb(200, 10, 10), Palette16, Indexed(1)),
            (Rgb(30, 30, 220), Palette16, Indexed(4)),
            (Rgb(10, 10, 10), Palette16, Indexed(0)),
            (Default, Palette16, Default),
        ] {
            assert_eq!(reduce(color, depth), expect, "{color:?} for {depth:?}");
        }
    }

    #[test]
    fn eight_colours_are_made_bright_by_bold() {
        use Color::{Default, Indexed, Rgb};
        for (fg, bg, expected) in [
            (Default, Default, (Default, Default, false)),
            (Indexed(1), Indexed(2), (Indexed(1), Indexed(2), false)),
            (Indexed(9), Default, (Indexed(1), Default, true)),
            (Indexed(8), Indexed(0), (Indexed(0), Indexed(0), true)),
            (Indexed(3), Indexed(12), (Indexed(3), Indexed(4), false)),
            (Indexed(196), Default, (Indexed(1), Default, false)),
            (Rgb(200, 10, 10), Rgb(0, 255, 0), (Indexed(1), Indexed(2), false)),
            (Indexed(16), Indexed(0), (Indexed(7), Indexed(0), false)),
            (Indexed(244), Indexed(8), (Indexed(7), Indexed(0), false)),
            (Indexed(231), Indexed(15), (Indexed(0), Indexed(7), false)),
            (Indexed(0), Indexed(0), (Indexed(0), Indexed(0), false)),
        ] {
            assert_eq!(reduce_to_8(fg, bg), expected, "{fg:?} on {bg:?}");
        }
    }

    /// Goal: no colour of the palette is nearer to another one than to itself.
    #[test]
    fn palette_colours_map_to_themselves() {
        for index in 16..=255 {
            let [r, g, b] = palette_rgb(index);
            let Color::Indexed(found) = reduce(Color::Rgb(r, g, b), ColorDepth::Palette256) else {
                panic!("{index} is not reduced to a palette entry");
            };
            assert_eq!(palette_rgb(found), [r, g, b], "{index}");
        }
    }
}
