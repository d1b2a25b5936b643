//! Drawing text with styles in it: the status line.
//!
//! An expanded `status-format` is text with `#[...]` in it that says how what follows looks and
//! where it lies: left, centre, right, or in the list of windows, which is cut to fit so that the
//! current window stays visible. Where all of it does not fit, tmux's order of what gives way is
//! kept: centre, then list, then right, then left.

use ccmux_core::options::{Align, DefaultStyle, List, Style as StyleChange};
use ccmux_term::compose::{Frame, Rect, columns};
use ccmux_term::{HistoryLine, Run, Size, Style, Widths};
use unicode_segmentation::UnicodeSegmentation;

use super::style::changed;

/// One character with its width and look.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Glyph {
    text: String,
    width: u16,
    style: Style,
}

/// A run of text that is laid out as one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Part {
    glyphs: Vec<Glyph>,
}

impl Part {
    fn width(&self) -> u16 {
        self.glyphs.iter().map(|glyph| glyph.width).sum()
    }

    /// Draws columns `skip..skip + cols` of it at `x`.
    fn draw(&self, frame: &mut Frame, (x, y): (u16, u16), skip: u16, cols: u16) {
        let mut at = 0;
        for glyph in &self.glyphs {
            let end = at + glyph.width;
            if at >= skip && end <= skip + cols {
                frame.put_str(x + at - skip, y, &glyph.text, glyph.style);
            }
            at = end;
        }
    }
}

/// Text divided by where it lies.
#[derive(Debug, Default)]
struct Parts {
    left: Part,
    centre: Part,
    right: Part,
    list: Part,
    list_align: Option<Align>,
    left_marker: Part,
    right_marker: Part,
    /// Columns of the list that must stay visible.
    focus: Option<(u16, u16)>,
}

/// Divides text at its `#[...]`; also says what fills the rest of the line.
fn divide(text: &str, base: Style, widths: &Widths) -> (Parts, Style) {
    let mut parts = Parts::default();
    let (mut style, mut default, mut pushed) = (base, base, Vec::new());
    let (mut align, mut list, mut fill) = (Align::Left, List::Off, base);
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("#[") {
            let Some(end) = after.find(']') else { break };
            if let Ok(change) = after[..end].parse::<StyleChange>() {
                style = changed(style, &change, default);
                match change.default {
                    Some(DefaultStyle::Push) => {
                        pushed.push(default);
                        default = style;
                    }
                    Some(DefaultStyle::Pop) => default = pushed.pop().unwrap_or(base),
                    None => {}
                }
                align = change.align.unwrap_or(align);
                if let Some(next) = change.list {
                    if next == List::On && parts.list_align.is_none() {
                        parts.list_align = Some(align);
                    }
                    if list == List::Focus {
                        let end = parts.list.width();
                        parts.focus = parts.focus.map(|(start, _)| (start, end));
                    }
                    if next == List::Focus {
                        let start = parts.list.width();
                        parts.focus = Some((start, start));
                    }
                    list = next;
                }
                if let Some(color) = change.fill {
                    fill = changed(
                        fill,
                        &StyleChange { bg: Some(color), ..StyleChange::default() },
                        base,
                    );
                }
            }
            rest = &after[end + 1..];
            continue;
        }
        let (plain, after) = next_plain(rest);
        rest = after;
        let part = match list {
            List::On | List::Focus => &mut parts.list,
            List::LeftMarker => &mut parts.left_marker,
            List::RightMarker => &mut parts.right_marker,
            List::Off => match align {
                Align::Left => &mut parts.left,
                Align::Centre | Align::AbsoluteCentre => &mut parts.centre,
                Align::Right => &mut parts.right,
            },
        };
        for text in plain.graphemes(true).filter(|text| !text.contains(char::is_control)) {
            let width = columns(text, widths) as u16;
            part.glyphs.push(Glyph { text: text.to_owned(), width, style });
        }
    }
    (parts, fill)
}

/// Text up to the next `#[`, with `##` read as `#`.
fn next_plain(text: &str) -> (&str, &str) {
    if let Some(after) = text.strip_prefix("##") {
        return (&text[..1], after);
    }
    let end = text[1..].find('#').map_or(text.len(), |at| at + 1);
    // A lone `#` is itself.
    text.split_at(end.max(text.chars().next().map_or(0, char::len_utf8)))
}

/// Draws `text` on one row of `area`, styled from `base` on.
pub(crate) fn draw_line(frame: &mut Frame, area: Rect, text: &str, base: Style) {
    let (parts, fill) = divide(text, base, frame.widths());
    frame.fill(Rect { rows: 1, ..area }, fill);
    draw_parts(frame, area, &parts);
}

/// Draws `text` over what is on one row of `area`, which stays where there is no text.
pub(crate) fn draw_over(frame: &mut Frame, area: Rect, text: &str, base: Style) {
    let (parts, _) = divide(text, base, frame.widths());
    draw_parts(frame, area, &parts);
}

fn draw_parts(frame: &mut Frame, area: Rect, parts: &Parts) {
    let cols = area.cols;
    let list_wanted = parts.list.width();
    let mut left = parts.left.width();
    let mut right = parts.right.width();
    let mut centre = parts.centre.width();
    let mut list = list_wanted;
    // Whoever gives way first is shortened first.
    let mut excess = (u32::from(left) + u32::from(right) + u32::from(centre) + u32::from(list))
        .saturating_sub(u32::from(cols));
    for width in [&mut centre, &mut list, &mut right, &mut left] {
        let cut = excess.min(u32::from(*width));
        *width -= cut as u16;
        excess -= cut;
    }
    let at = |x: u16| (area.x + x, area.y);
    parts.left.draw(frame, at(0), 0, left);
    // The end of the right part matters most, as in tmux: that is where the clock is.
    parts.right.draw(frame, at(cols - right), parts.right.width() - right, right);
    let middle = cols - left - right;
    let block = centre + list;
    let list_x = match parts.list_align.unwrap_or(Align::Left) {
        Align::Left => left,
        Align::Centre => left + (middle - block) / 2,
        Align::AbsoluteCentre => (cols.saturating_sub(block) / 2).clamp(left, cols - right - block),
        Align::Right => cols - right - list,
    };
    draw_list(frame, at(list_x), parts, list);
    let centre_x = match parts.list_align {
        Some(_) if list > 0 => (list_x + list).max(left + (middle - centre) / 2),
        _ => left + (middle - centre) / 2,
    };
    let centre_skip = parts.centre.width() / 2 - centre / 2;
    parts.centre.draw(frame, at(centre_x.min(cols - right - centre)), centre_skip, centre);
}

/// One row of `cols` columns with `text` in it, styled, as a line by itself.
pub(crate) fn line(text: &str, cols: u16) -> HistoryLine {
    let mut frame = Frame::new(Size { cols, rows: 1 });
    let area = frame.area();
    draw_line(&mut frame, area, text, Style::default());
    let mut line = HistoryLine::default();
    for cell in (0..cols).filter_map(|x| frame.cell(x, 0)) {
        let text = cell.text.to_string();
        line.runs.push(Run { len_bytes: text.len() as u32, style: cell.style, link: None });
        line.text.push_str(&text);
    }
    line
}

/// Draws `cols` columns of the list so that the focus is among them, with markers where it is cut.
fn draw_list(frame: &mut Frame, (x, y): (u16, u16), parts: &Parts, cols: u16) {
    let wanted = parts.list.width();
    if wanted <= cols {
        return parts.list.draw(frame, (x, y), 0, cols);
    }
    let (start, end) = parts.focus.unwrap_or((0, 0));
    let middle = start + (end.saturating_sub(start)) / 2;
    let skip = middle.saturating_sub(cols / 2).min(wanted - cols);
    let left_marker = if skip > 0 { parts.left_marker.width() } else { 0 };
    let right_marker = if skip + cols < wanted { parts.right_marker.width() } else { 0 };
    if left_marker + right_marker >= cols {
        return parts.list.draw(frame, (x, y), skip, cols);
    }
    let inner = cols - left_marker - right_marker;
    parts.list.draw(frame, (x + left_marker, y), skip + left_marker, inner);
    if left_marker > 0 {
        parts.left_marker.draw(frame, (x, y), 0, left_marker);
    }
    if right_marker > 0 {
        parts.right_marker.draw(frame, (x + cols - right_marker, y), 0, right_marker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, cols: u16) -> String {
        let mut frame = Frame::new(Size { cols, rows: 1 });
        let area = frame.area();
        draw_line(&mut frame, area, text, Style::default());
        (0..cols).filter_map(|x| frame.cell(x, 0).map(|cell| cell.text.to_string())).collect()
    }

    #[test]
    fn parts_lie_where_they_are_aligned() {
        let text = "#[align=left]L#[list=on align=left]one two#[nolist align=right]R";
        assert_eq!(drawn(text, 14), "Lone two     R");
        let text = "#[align=left]L#[list=on align=centre]one#[nolist align=right]R";
        assert_eq!(drawn(text, 11), "L   one   R");
        assert_eq!(drawn("a ## b", 6), "a # b ");
        assert_eq!(drawn("100#", 6), "100#  ");
    }

    #[test]
    fn what_is_drawn_over_a_row_leaves_the_rest_of_it() {
        let mut frame = Frame::new(Size { cols: 10, rows: 1 });
        let area = frame.area();
        frame.put_str(0, 0, "0123456789", Style::default());
        draw_over(&mut frame, area, "a#[align=right fill=red]b c", Style::default());
        let text: String =
            (0..10).filter_map(|x| frame.cell(x, 0).map(|cell| cell.text.to_string())).collect();
        assert_eq!(text, "a123456b c");
    }

    #[test]
    fn the_list_is_cut_around_its_focus() {
        let text = "#[list=on align=left]#[list=left-marker]<#[list=right-marker]>#[list=on]\
            aaaa #[list=focus]bbbb#[list=on] cccc#[nolist]";
        assert_eq!(drawn(text, 8), "< bbbb >");
    }

    /// Expectations from tmux 3.3a. The right part was cut at its end, and with it the clock.
    #[test]
    fn a_narrow_line_keeps_the_end_of_its_right_part() {
        let text = "#[align=left]L #[list=on align=left]one#[nolist align=right]RIGHT";
        assert_eq!(drawn(text, 10), "L oneRIGHT");
        assert_eq!(drawn(text, 8), "L oRIGHT");
        assert_eq!(drawn(text, 7), "L RIGHT");
        assert_eq!(drawn(text, 5), "L GHT");
        assert_eq!(drawn(text, 2), "L ");
    }

    #[test]
    fn what_does_not_fit_is_cut_and_nothing_panics() {
        let text = "#[align=left]LEFT#[align=centre]CENTRE#[list=on align=left]LIST#[nolist \
            align=right]RIGHT#[";
        for cols in 1..30 {
            drawn(text, cols);
        }
        assert_eq!(drawn(text, 4), "LEFT");
    }
}
