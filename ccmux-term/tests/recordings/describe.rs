//! Screens as text that people can read.

use std::fmt::Write as _;

use ccmux_term::{Color, MouseTracking, Style, Terminal, Underline};

/// A screen: size, cursor, modes, rows, then the runs of styles and links in each row.
pub(crate) fn describe(terminal: &Terminal) -> String {
    let size = terminal.size();
    let cursor = terminal.cursor();
    let visible = if cursor.visible { "" } else { " hidden" };
    let mut text = format!(
        "{}x{}, cursor {},{}{visible}{}, history {}\n",
        size.cols,
        size.rows,
        cursor.x,
        cursor.y,
        modes(terminal),
        terminal.history_end()
    );
    if !terminal.title().is_empty() {
        writeln!(text, "title {:?}", terminal.title()).expect("a string takes all");
    }
    text + &describe_cells(terminal, false)
}

/// The rows and their styles. Of a `plain` one without links, and with one kind of underline.
pub(crate) fn describe_cells(terminal: &Terminal, is_plain: bool) -> String {
    let mut text = String::new();
    for y in 0..terminal.size().rows {
        let row = terminal.row(y).cells().map(|cell| cell.text().to_owned()).collect::<String>();
        if !row.trim_end().is_empty() {
            writeln!(text, "{y:3} {}", row.trim_end()).expect("a string takes all");
        }
    }
    for y in 0..terminal.size().rows {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        let mut x = 0;
        for cell in terminal.row(y).cells() {
            let end = x + u16::from(cell.width);
            let link = cell.link.filter(|_| !is_plain).map(|link| format!(" link {}", link.uri));
            let is_blank = cell.text() == " ";
            let look = look(cell.style, is_plain, is_blank) + &link.unwrap_or_default();
            match runs.last_mut() {
                Some((_, last, run)) if *run == look => *last = end,
                _ => runs.push((x, end, look)),
            }
            x = end;
        }
        runs.retain(|(.., look)| !look.is_empty());
        if !runs.is_empty() {
            let runs = runs.iter().map(|(start, end, look)| format!("{start}-{}{look}", end - 1));
            writeln!(text, "  {y}: {}", runs.collect::<Vec<_>>().join(", "))
                .expect("a string takes all");
        }
    }
    text
}

/// Modes that were changed, as far as programs change them.
fn modes(terminal: &Terminal) -> String {
    let modes = terminal.modes();
    let named = [
        ("alternate", modes.alternate_screen),
        ("application-cursor", modes.application_cursor_keys),
        ("application-keypad", modes.application_keypad),
        ("bracketed-paste", modes.bracketed_paste),
        ("focus", modes.focus_events),
        ("insert", modes.insert),
        ("mouse", modes.mouse != MouseTracking::Off),
        ("no-wrap", !modes.autowrap),
        ("origin", modes.origin),
        ("reverse-screen", modes.reverse_screen),
    ];
    let set = named.iter().filter(|(_, is_set)| *is_set);
    set.flat_map(|(name, _)| [", ", *name]).collect()
}

/// A style in words; of a blank only what is seen.
fn look(style: Style, is_plain: bool, is_blank: bool) -> String {
    let mut look = String::new();
    let lines = style.attributes & SEEN_ON_BLANKS;
    let is_seen = !is_blank || style.underline != Underline::None || !lines.is_empty();
    if is_seen {
        for (name, _) in style.attributes.iter_names() {
            write!(look, " {}", name.to_lowercase()).expect("a string takes all");
        }
        look += match style.underline {
            Underline::None => "",
            _ if is_plain => " underline",
            Underline::Single => " underline",
            Underline::Double => " double-underline",
            Underline::Curly => " curly-underline",
            Underline::Dotted => " dotted-underline",
            Underline::Dashed => " dashed-underline",
        };
        color(&mut look, "fg", style.fg);
        if !is_plain {
            color(&mut look, "underline", style.underline_color);
        }
    }
    color(&mut look, "bg", style.bg);
    look
}

const SEEN_ON_BLANKS: ccmux_term::Attributes = ccmux_term::Attributes::REVERSE
    .union(ccmux_term::Attributes::STRIKETHROUGH)
    .union(ccmux_term::Attributes::OVERLINE);

fn color(look: &mut String, name: &str, color: Color) {
    let written = match color {
        Color::Default => Ok(()),
        Color::Indexed(index) => write!(look, " {name}={index}"),
        Color::Rgb(r, g, b) => write!(look, " {name}=#{r:02x}{g:02x}{b:02x}"),
    };
    written.expect("a string takes all");
}
