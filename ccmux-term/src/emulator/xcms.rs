//! Colours by their intensity or their place in a colour space, as Xlib's colour management has them:
//! `rgbi:`, `CIEXYZ:`, `CIExyY:`, `CIEuvY:`, `CIELab:`, `CIELuv:` and `TekHVC:`.
//!
//! What a screen makes of an intensity is told by Xlib's own tables, those of a Tektronix 19" CRT, which
//! hold wherever nobody has measured the screen. A colour that such a screen cannot show is moved
//! towards the gray that is as bright, until it can.

use super::Rgb;

/// A colour in one of these spaces; `None` if it is none, or one that there is not.
pub(super) fn parse(text: &str) -> Option<Rgb> {
    let (space, numbers) = text.split_once(':')?;
    let mut numbers = numbers.split('/').map(number);
    let values = [numbers.next()??, numbers.next()??, numbers.next()??];
    if numbers.next().is_some() {
        return None;
    }
    let xyz = match space.to_ascii_lowercase().as_str() {
        "rgbi" => return from_intensities(values),
        "ciexyz" => values,
        "ciexyy" => from_xyy(values)?,
        "cieuvy" => from_uvy(values),
        "cielab" => from_lab(values)?,
        "cieluv" => from_luv(values)?,
        "tekhvc" => from_hvc(values)?,
        _ => return None,
    };
    from_xyz(xyz)
}

/// A number as `strtod` reads it, as far as digits, a point and an exponent go.
fn number(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|value: &f64| is_number && value.is_finite())
}

fn from_intensities(values: [f64; 3]) -> Option<Rgb> {
    if !is_shown(values) {
        return None;
    }
    let [r, g, b] = values.map(|value| value.clamp(0.0, 1.0));
    Some((level(r, RED), level(g, GREEN), level(b, BLUE)))
}

/// Whether a screen can show these intensities.
fn is_shown(intensities: [f64; 3]) -> bool {
    /// So far beyond the ends counts as an end.
    const TOLERANCE: f64 = 0.001;
    intensities.iter().all(|value| (-TOLERANCE..=1.0 + TOLERANCE).contains(value))
}

/// From tristimulus values; `None` if it is brighter than white or darker than black.
fn from_xyz(xyz: [f64; 3]) -> Option<Rgb> {
    /// Halvings of what lies between a colour and its gray: more than a level can tell.
    const STEPS: u32 = 40;
    let [_, y, _] = xyz;
    if !(0.0..=1.0).contains(&y) {
        return None;
    }
    let intensities = intensities(xyz);
    if is_shown(intensities) {
        return from_intensities(intensities);
    }
    let color = chromaticity(xyz);
    let between = |part: f64| {
        let [u, v] = [0, 1].map(|i| WHITE_UV[i] + part * (color[i] - WHITE_UV[i]));
        self::intensities(from_uvy([u, v, y]))
    };
    let (mut shown, mut not_shown) = (0.0, 1.0);
    for _ in 0..STEPS {
        let middle = f64::midpoint(shown, not_shown);
        let is_inside = between(middle).iter().all(|value| (0.0..=1.0).contains(value));
        *(if is_inside { &mut shown } else { &mut not_shown }) = middle;
    }
    from_intensities(between(shown))
}

/// The intensities of red, green and blue that make up tristimulus values.
fn intensities([x, y, z]: [f64; 3]) -> [f64; 3] {
    const MATRIX: [[f64; 3]; 3] = [
        [3.483_404_812_5, -1.521_763_749_3, -0.559_231_333_5],
        [-1.071_527_513_1, 1.965_937_952, 0.036_736_913_4],
        [0.063_511_797_9, -0.200_205_01, 0.810_709_420_3],
    ];
    MATRIX.map(|[from_x, from_y, from_z]| from_x * x + from_y * y + from_z * z)
}

/// White: all intensities are 1.
const WHITE_X: f64 = 0.949_664_4;
const WHITE_Z: f64 = 1.406_040_3;
const WHITE_UV: [f64; 2] = {
    let sum = WHITE_X + 15.0 + 3.0 * WHITE_Z;
    [4.0 * WHITE_X / sum, 9.0 / sum]
};

/// u' and v' of tristimulus values (CIE 1976); those of white for black.
fn chromaticity([x, y, z]: [f64; 3]) -> [f64; 2] {
    let sum = x + 15.0 * y + 3.0 * z;
    if sum == 0.0 { WHITE_UV } else { [4.0 * x / sum, 9.0 * y / sum] }
}

/// u', v' and Y (CIE 1976).
fn from_uvy([u, v, y]: [f64; 3]) -> [f64; 3] {
    if v == 0.0 {
        // No brightness goes with it: x and z stand for themselves, as in Xlib.
        let x = 9.0 * u / (6.0 * u + 12.0);
        return [x, y, 1.0 - x];
    }
    [y * 9.0 * u / (4.0 * v), y, y * (12.0 - 3.0 * u - 20.0 * v) / (4.0 * v)]
}

/// x, y and Y (CIE 1931).
fn from_xyy([x, y, brightness]: [f64; 3]) -> Option<[f64; 3]> {
    /// What stands for no y at all.
    const LEAST: f64 = 0.000_01;
    if ![x, y].iter().all(|value| (0.0..=1.0).contains(value)) {
        return None;
    }
    let scale = brightness / y.max(LEAST);
    Some([x * scale, brightness, (1.0 - x - y) * scale])
}

/// How bright L* is (CIE 1976); `None` if it is not from 0 to 100.
fn brightness(lightness: f64) -> Option<f64> {
    if !(0.0..=100.0).contains(&lightness) {
        return None;
    }
    let is_dark = lightness < 7.999_536_24;
    Some(if is_dark { lightness / 903.29 } else { ((lightness + 16.0) / 116.0).powi(3) })
}

/// L*, a* and b* (CIE 1976). Xlib takes a* and b* in hundreds, and a dark L* for a hundred times as bright
/// as it is.
fn from_lab([lightness, a, b]: [f64; 3]) -> Option<[f64; 3]> {
    if !(0.0..=100.0).contains(&lightness) {
        return None;
    }
    let root = (lightness + 16.0) / 116.0;
    if root.powi(3) < 0.008_856 {
        let y = lightness / 9.032_92;
        return Some([WHITE_X * (y + a / 3893.5), y, WHITE_Z * (y - b / 1557.4)]);
    }
    let (x, z) = ((root + a / 5.0).powi(3), (root - b / 2.0).powi(3));
    Some([WHITE_X * x, root.powi(3), WHITE_Z * z])
}

/// L*, u* and v* (CIE 1976). Xlib takes u* and v* in hundreds.
fn from_luv([lightness, u, v]: [f64; 3]) -> Option<[f64; 3]> {
    let y = brightness(lightness)?;
    let scale = 13.0 * lightness / 100.0;
    let [white_u, white_v] = WHITE_UV;
    let is_black = scale == 0.0;
    Some(if is_black {
        from_uvy([white_u, white_v, y])
    } else {
        from_uvy([u / scale + white_u, v / scale + white_v, y])
    })
}

/// Hue in degrees from the best red, value (which is L*) and chroma (Tektronix).
fn from_hvc([hue, value, chroma]: [f64; 3]) -> Option<[f64; 3]> {
    const BEST_RED: [f64; 2] = [0.7127, 0.4931];
    /// Chroma of a value of 1 for a distance of 1 in u' and v'.
    const SCALE: f64 = 7.507_25;
    let y = brightness(value)?;
    if chroma < 0.0 {
        return None;
    }
    let [white_u, white_v] = WHITE_UV;
    let is_gray = value <= 0.0 || value >= 100.0;
    let distance = if is_gray { 0.0 } else { chroma / (value * SCALE) };
    let red = ((BEST_RED[1] - white_v) / (BEST_RED[0] - white_u)).atan();
    let angle = hue.to_radians() + red;
    Some(from_uvy([white_u + distance * angle.cos(), white_v + distance * angle.sin(), y]))
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

    /// As Xlib has it, and so xterm.
    #[test]
    fn colours_by_intensity() {
        for (text, expected) in [
            ("rgbi:1/1/1", Some((0xff, 0xff, 0xff))),
            ("rgbi:0.25/0.25/0.25", Some((0x93, 0x8d, 0x8e))),
            ("RGBI:0/1.0/5e-1", Some((0, 0xff, 0xbb))),
            ("rgbi:0.1/0.1/0.1", Some((0x67, 0x63, 0x64))),
            ("rgbi:0.0001/0.0001/0.0001", Some((9, 0x13, 0x0e))),
            ("rgbi:2/0/0", None),
            ("rgbi:-1/0/0", None),
            ("rgbi:nan/inf/0", None),
            ("rgbi:1/1", None),
            ("rgbi:1/1/1/1", None),
            ("rgbi:", None),
            ("rgbi", None),
            ("rgb2:1/1/1", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    /// As Xlib has them: inside of what a screen shows, outside of it, at the ends, and beyond them.
    #[test]
    fn colours_by_their_place_in_a_colour_space() {
        let table = include_str!("xcms_colors.txt");
        let lines = table.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.clone().count() > 100, "the table is there");
        for line in lines {
            let (text, color) = line.split_once(' ').expect("a colour and its levels");
            let found = parse(text).map_or("none".to_owned(), |(r, g, b)| format!("{r} {g} {b}"));
            assert_eq!(found, color, "{text}");
        }
    }

    /// No number makes it panic, or loop.
    #[test]
    fn colours_that_there_are_not() {
        let numbers = ["0", "-0", "1e308", "-1e308", "1e-308", "100", "99.999999", "0.5"];
        for space in ["ciexyz", "ciexyy", "cieuvy", "cielab", "cieluv", "tekhvc"] {
            for [a, b] in numbers.iter().flat_map(|a| numbers.map(|b| [*a, b])) {
                for text in [format!("{space}:{a}/{b}/0.5"), format!("{space}:0.5/{a}/{b}")] {
                    let _ = parse(&text);
                }
            }
        }
        for text in ["ciexyz:1/1.1/1", "ciexyy:1.1/0/1", "cielab:101/0/0", "tekhvc:0/50/-1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
