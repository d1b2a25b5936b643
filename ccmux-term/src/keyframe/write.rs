//! Writing a keyframe. The reader in `read` goes through the same fields in the same order.

use super::cells::CellWriter;
use super::{MAGIC, VERSION};
use crate::emulator::{
    Charsets, Emulator, KeyboardStack, Notice, Palette, Position, Protection, PushedStyle,
    SavedCursor, Settings,
};
use crate::parser::{Parser, State};
use crate::wire::{put_bytes, put_number, put_style};
use crate::{
    CursorShape, KeyboardFlags, LineTime, Modes, MouseEncoding, MouseTracking, Rgb, Terminal,
};

pub(crate) fn write(terminal: &Terminal) -> Vec<u8> {
    let Terminal { parser, emulator, version: _ } = terminal;
    let Emulator {
        size,
        grid,
        hidden_grid,
        overflow,
        images,
        cell,
        pens,
        clusters,
        widths,
        cursor,
        pen,
        pen_id: _,
        fill_id: _,
        charsets,
        saved,
        hidden_saved,
        top,
        bottom,
        left,
        right,
        last_printed,
        modes,
        settings,
        cursor_shape,
        is_cursor_blinking,
        keyboard,
        hidden_keyboard,
        tabs,
        palette,
        title,
        icon_name,
        title_stack,
        sgr_stack,
        notice,
        scrollback,
        scrolls_on_clear,
        reports_titles,
        events: _,
        vacant: _,
        passing: _,
    } = emulator;
    let mut cells = CellWriter::new(pens, clusters, scrollback.now);
    for row in grid.rows().chain(hidden_grid.rows()) {
        cells.row(row);
    }
    put_number(&mut cells.out, overflow.rows.len() as u64);
    cells.out.push(u8::from(overflow.continues));
    for row in &overflow.rows {
        cells.row(row);
    }
    cells.cells(&scrollback.head);
    cells.pen(pen);
    put_saved(&mut cells, saved);
    put_saved(&mut cells, hidden_saved);
    let mut image_state = Vec::new();
    cells.images.state(images, *cell, &mut image_state);
    let (tables, body) = cells.finish();

    let mut out = Vec::with_capacity(tables.len() + body.len() + 256);
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    put_number(&mut out, u64::from(size.cols));
    put_number(&mut out, u64::from(size.rows));
    scrollback.now.put_after(LineTime::UNKNOWN, &mut out);
    out.extend_from_slice(&tables);
    out.extend_from_slice(&body);

    out.push(scrollback.head_marks.bits());
    out.push(u8::from(scrollback.has_head));
    let history = &scrollback.history;
    put_number(&mut out, history.start());
    put_number(&mut out, history.sealed_end());
    put_number(&mut out, history.cleared_before());
    put_option(&mut out, history.limit());
    let recent = history.sealed_end()..history.end();
    put_number(&mut out, recent.end - recent.start);
    out.extend_from_slice(&history.lines(recent.clone(), usize::MAX).bytes);
    history.encode_times(recent, &mut out);

    put_position(&mut out, cursor);
    put_charsets(&mut out, *charsets);
    put_number(&mut out, *top as u64);
    put_number(&mut out, *bottom as u64);
    put_number(&mut out, *left as u64);
    put_number(&mut out, *right as u64);
    put_option(&mut out, last_printed.map(u64::from));
    put_modes(&mut out, modes);
    put_settings(&mut out, settings);
    out.push(match cursor_shape {
        CursorShape::Default => 0,
        CursorShape::Block => 1,
        CursorShape::Underline => 2,
        CursorShape::Bar => 3,
    });
    out.push(u8::from(*is_cursor_blinking));
    put_keyboard(&mut out, keyboard);
    put_keyboard(&mut out, hidden_keyboard);
    for stops in tabs.stops().chunks(8) {
        out.push(stops.iter().rev().fold(0, |bits, &stop| bits << 1 | u8::from(stop)));
    }
    put_palette(&mut out, palette);
    put_bytes(&mut out, title.as_bytes());
    put_bytes(&mut out, icon_name.as_bytes());
    put_number(&mut out, title_stack.len() as u64);
    for (title, icon_name) in title_stack {
        out.push(u8::from(title.is_some()) | u8::from(icon_name.is_some()) << 1);
        for pushed in [title, icon_name].into_iter().flatten() {
            put_bytes(&mut out, pushed.as_bytes());
        }
    }
    out.push(u8::from(notice.is_some()));
    if let Some(Notice { id, title, body }) = notice {
        for text in [id, title, body] {
            put_bytes(&mut out, text.as_bytes());
        }
    }
    out.push(u8::from(*scrolls_on_clear));
    out.push(u8::from(*reports_titles));
    widths.encode(&mut out);
    out.extend_from_slice(&image_state);
    put_parser(&mut out, parser);
    if !sgr_stack.is_empty() {
        put_number(&mut out, sgr_stack.len() as u64);
    }
    for PushedStyle { style, parts } in sgr_stack {
        put_number(&mut out, u64::from(parts.bits()));
        put_style(&mut out, style, None);
    }
    out
}

fn put_option(out: &mut Vec<u8>, value: Option<u64>) {
    put_number(out, value.map_or(0, |value| value.saturating_add(1)));
}

fn put_position(out: &mut Vec<u8>, position: &Position) {
    put_number(out, position.x as u64);
    put_number(out, position.y as u64);
    out.push(u8::from(position.is_wrap_pending));
}

fn put_saved(cells: &mut CellWriter<'_>, saved: &SavedCursor) {
    let SavedCursor { position, pen, charsets, is_origin } = saved;
    cells.pen(pen);
    put_position(&mut cells.out, position);
    put_charsets(&mut cells.out, *charsets);
    cells.out.push(u8::from(*is_origin));
}

fn put_charsets(out: &mut Vec<u8>, charsets: Charsets) {
    let Charsets { sets, locked, right, single } = charsets;
    out.extend(sets.iter().map(|set| set.code()));
    out.push(locked);
    out.push(right);
    out.push(single.map_or(0, |set| set + 1));
}

fn put_modes(out: &mut Vec<u8>, modes: &Modes) {
    put_number(out, flags(modes));
    out.push(match modes.mouse {
        MouseTracking::Off => 0,
        MouseTracking::X10 => 1,
        MouseTracking::Normal => 2,
        MouseTracking::ButtonMotion => 3,
        MouseTracking::AnyMotion => 4,
    });
    out.push(match modes.mouse_encoding {
        MouseEncoding::Default => 0,
        MouseEncoding::Utf8 => 1,
        MouseEncoding::Sgr => 2,
        MouseEncoding::Urxvt => 3,
        MouseEncoding::SgrPixels => 4,
    });
    out.push(modes.keyboard.bits());
    out.push(modes.modify_other_keys);
}

/// The modes that are on or off, from bit 0 on in the order written here.
fn flags(modes: &Modes) -> u64 {
    let Modes {
        application_cursor_keys,
        application_keypad,
        reverse_screen,
        origin,
        autowrap,
        cursor_visible,
        insert,
        newline,
        reverse_wrap,
        mouse: _,
        mouse_encoding: _,
        focus_events,
        alternate_scroll,
        bracketed_paste,
        synchronized_output,
        color_scheme_updates,
        grapheme_clusters,
        in_band_resize,
        alternate_screen,
        keyboard: _,
        modify_other_keys: _,
    } = modes;
    let flags = [
        application_cursor_keys,
        application_keypad,
        reverse_screen,
        origin,
        autowrap,
        cursor_visible,
        insert,
        newline,
        reverse_wrap,
        focus_events,
        alternate_scroll,
        bracketed_paste,
        synchronized_output,
        color_scheme_updates,
        in_band_resize,
        alternate_screen,
        grapheme_clusters,
    ];
    flags.iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(**flag))
}

fn put_settings(out: &mut Vec<u8>, settings: &Settings) {
    let Settings { level, sends_8bit, protection, checksum, extent, title_modes, kept, saved } =
        *settings;
    out.push(level);
    out.push(u8::from(sends_8bit));
    out.push(match protection {
        Protection::Off => 0,
        Protection::Iso => 1,
        Protection::Dec => 2,
    });
    out.extend_from_slice(&[checksum, extent, title_modes.bits()]);
    put_number(out, u64::from(kept));
    put_number(out, saved);
}

fn put_keyboard(out: &mut Vec<u8>, keyboard: &KeyboardStack) {
    let KeyboardStack { current, pushed } = keyboard;
    out.push(current.bits());
    put_number(out, pushed.len() as u64);
    out.extend(pushed.iter().map(KeyboardFlags::bits));
}

fn put_palette(out: &mut Vec<u8>, palette: &Palette) {
    let Palette {
        indexed,
        foreground,
        background,
        cursor,
        special,
        others,
        default_foreground,
        default_background,
    } = palette;
    for colors in [indexed, special, others] {
        put_number(out, colors.len() as u64);
        for (&index, &(r, g, b)) in colors {
            out.extend_from_slice(&[index, r, g, b]);
        }
    }
    for color in [*foreground, *background, *cursor] {
        put_option(out, color.map(rgb_number));
    }
    put_number(out, rgb_number(*default_foreground));
    put_number(out, rgb_number(*default_background));
}

fn rgb_number((r, g, b): Rgb) -> u64 {
    u64::from(u32::from_be_bytes([0, r, g, b]))
}

fn put_parser(out: &mut Vec<u8>, parser: &Parser) {
    out.push(parser.state as u8);
    match parser.state {
        State::Ground => {}
        State::Utf8 => put_bytes(out, &parser.utf8[..usize::from(parser.utf8_len)]),
        _ => {
            let params = &parser.params;
            put_number(out, params.len() as u64);
            for &value in params.values() {
                put_number(out, u64::from(value));
            }
            put_number(out, u64::from(params.colons()));
            out.push(u8::from(params.is_overfull()));
            put_bytes(out, parser.intermediates());
            out.push(u8::from(parser.is_ignored));
            out.push(parser.dcs_last);
            put_bytes(out, &parser.string);
            out.push(u8::from(parser.is_string_overlong));
        }
    }
}
