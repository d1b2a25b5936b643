//! Colours by their intensity, as Xlib's colour management has them: `rgbi:` and `CIEXYZ:`.
//!
//! What a screen makes of an intensity is told by Xlib's own tables, those of a Tektronix 19" CRT, which
//! hold wherever nobody has measured the screen. The other spaces (`CIEuvY:`, `CIELab:` and so on) are
//! refused: nearly all of their colours lie outside of what such a screen shows, and Xlib's ways of
//! coming nearer are many.

use super::Rgb;

/// A colour in one of these spaces; `None` if it is none, or one that the screen does not have.
pub(super) fn parse(text: &str) -> Option<Rgb> {
    let (space, numbers) = text.split_once(':')?;
    let mut numbers = numbers.split('/').map(number);
    let values = [numbers.next()??, numbers.next()??, numbers.next()??];
    if numbers.next().is_some() {
        return None;
    }
    let is = |name: &str| space.eq_ignore_ascii_case(name);
    if is("rgbi") {
        from_intensities(values)
    } else if is("CIEXYZ") {
        // Nothing is brighter than white.
        if values[1] >= 1.0 { Some((255, 255, 255)) } else { from_intensities(from_xyz(values)) }
    } else {
        None
    }
}

/// A number as `strtod` reads it, as far as digits, a point and an exponent go.
fn number(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|value: &f64| is_number && value.is_finite())
}

fn from_intensities(values: [f64; 3]) -> Option<Rgb> {
    /// So far beyond the ends counts as an end.
    const TOLERANCE: f64 = 0.001;
    if !values.iter().all(|value| (-TOLERANCE..=1.0 + TOLERANCE).contains(value)) {
        return None;
    }
    let [r, g, b] = values.map(|value| value.clamp(0.0, 1.0));
    Some((level(r, RED), level(g, GREEN), level(b, BLUE)))
}

fn from_xyz([x, y, z]: [f64; 3]) -> [f64; 3] {
    const MATRIX: [[f64; 3]; 3] = [
        [3.483_404_812_5, -1.521_763_749_3, -0.559_231_333_5],
        [-1.071_527_513_1, 1.965_937_952, 0.036_736_913_4],
        [0.063_511_797_9, -0.200_205_01, 0.810_709_420_3],
    ];
    MATRIX.map(|[from_x, from_y, from_z]| from_x * x + from_y * y + from_z * z)
}

/// The level that comes nearest to an intensity. Where several are black it is the brightest of them,
/// but for no intensity at all.
fn level(intensity: f64, table: &[u32]) -> u8 {
    if intensity == 0.0 {
        return 0;
    }
    let error = |level: u8| (intensity_of(level, table) - intensity * FULL).abs();
    let nearest = (0..=u8::MAX).rev().min_by(|&a, &b| error(a).total_cmp(&error(b)));
    nearest.expect("the range is not empty")
}

/// The intensity of a level, between those of a table; below its first level there is none.
fn intensity_of(level: u8, table: &[u32]) -> f64 {
    let levels_above = usize::from(u8::MAX - level);
    let (steps, rest) = (levels_above / STEP, levels_above % STEP);
    let entry = |below_last: usize| {
        let entry = table.len().checked_sub(below_last + 1).map(|index| table[index]);
        entry.map(f64::from)
    };
    match (entry(steps), entry(steps + 1)) {
        (Some(high), _) if rest == 0 => high,
        (Some(high), Some(low)) => {
            high - (high - low) * f64::from(rest as u8) / f64::from(STEP as u8)
        }
        _ => 0.0,
    }
}

/// The intensity of the last level in the tables.
const FULL: f64 = 1_000_000.0;
/// Levels from one entry to the next; the last entry is that of the last level.
const STEP: usize = 5;

const RED: &[u32] = &[
    936, 1481, 2329, 3529, 5127, 7169, 9699, 12_759, 16_392, 20_637, 25_533, 31_119, 37_431,
    44_504, 52_373, 61_069, 70_624, 81_070, 92_433, 104_744, 118_026, 132_307, 147_610, 163_958,
    181_371, 199_871, 219_475, 240_202, 262_069, 285_089, 309_278, 334_647, 361_208, 388_971,
    417_945, 448_138, 479_555, 512_202, 546_082, 581_199, 617_552, 655_144, 693_971, 734_031,
    775_322, 817_837, 861_571, 906_515, 952_662, 1_000_000,
];

const GREEN: &[u32] = &[
    832, 1998, 3612, 5736, 8428, 11_745, 15_740, 20_463, 25_960, 32_275, 39_449, 47_519, 56_520,
    66_484, 77_439, 89_409, 102_418, 116_485, 131_625, 147_853, 165_176, 183_604, 203_140, 223_783,
    245_533, 268_384, 292_327, 317_351, 343_441, 370_580, 398_747, 427_919, 458_068, 489_165,
    521_176, 554_067, 587_797, 622_324, 657_604, 693_588, 730_225, 767_459, 805_235, 843_491,
    882_164, 921_187, 960_490, 1_000_000,
];

const BLUE: &[u32] = &[
    1341, 2080, 3188, 4729, 6766, 9357, 12_559, 16_424, 21_004, 26_344, 32_489, 39_481, 47_357,
    56_154, 65_903, 76_634, 88_373, 101_145, 114_968, 129_862, 145_841, 162_915, 181_095, 200_386,
    220_791, 242_309, 264_937, 288_670, 313_499, 339_410, 366_390, 394_421, 423_481, 453_547,
    484_592, 516_587, 549_498, 583_291, 617_925, 653_361, 689_553, 726_454, 764_013, 802_178,
    840_891, 880_093, 919_723, 959_715, 1_000_000,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// As xterm answers; the first four are those of its conformance suite.
    #[test]
    fn colours_by_intensity() {
        for (text, expected) in [
            ("rgbi:1/1/1", Some((0xff, 0xff, 0xff))),
            ("rgbi:0.5/0.5/0.5", Some((0xc1, 0xbb, 0xbb))),
            ("CIEXYZ:1/1/1", Some((0xff, 0xff, 0xff))),
            ("CIEXYZ:0.5/0.5/0.5", Some((0xdd, 0xb5, 0xa0))),
            ("RGBI:0/1.0/5e-1", Some((0, 0xff, 0xbb))),
            ("rgbi:0.1/0.1/0.1", Some((0x67, 0x63, 0x64))),
            ("rgbi:0.0001/0.0001/0.0001", Some((9, 0x13, 0x0e))),
            ("rgbi:2/0/0", None),
            ("rgbi:-1/0/0", None),
            ("rgbi:nan/inf/0", None),
            ("rgbi:1/1", None),
            ("rgbi:1/1/1/1", None),
            ("rgbi:", None),
            ("CIEXYZ:0.5/0.1/0", None),
            ("CIELab:1/1/1", None),
            ("rgbi", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
