//! Reading a keyframe: the fields of `write`, each checked.

use std::collections::BTreeMap;

use super::cells::{CellReader, marks};
use super::{
    CONTROLS_VERSION, IMAGES_VERSION, KeyframeError, MAGIC, OLDEST_VERSION, TIMES_VERSION,
    UNICODE_VERSION, VERSION,
};
use crate::emulator::{
    Charset, Charsets, Emulator, KEYBOARD_STACK_MAX, KeyboardStack, LEVEL_MAX, Notice,
    OVERFLOW_ROWS_MAX, Overflow, Palette, Position, Protection, PushedStyle, SAVED_MAX,
    SGR_STACK_MAX, SavedCursor, Settings, StyleParts, TITLE_BYTES_MAX, TITLE_STACK_MAX, Tabs,
    TitleModes,
};
use crate::history::{
    History, HistoryLine, LINE_COLS_MAX, RECENT_BYTES_MAX, RECENT_LINES_MAX, Scrollback, read_times,
};
use crate::parser::{INTERMEDIATES_MAX, PARAMS_MAX, Params, Parser, State};
use crate::wire::{CodecError, Reader};
use crate::{
    CursorShape, KeyboardFlags, LineTime, Modes, MouseEncoding, MouseTracking, Rgb, Size, Terminal,
    Widths,
};

pub(crate) fn read(bytes: &[u8]) -> Result<Terminal, KeyframeError> {
    let bytes = bytes.strip_prefix(MAGIC).ok_or(KeyframeError::Magic)?;
    match bytes.split_first() {
        Some((&version @ OLDEST_VERSION..=VERSION, body)) => {
            Ok(terminal(&mut Reader::new(body), version)?)
        }
        Some((&version, _)) => Err(KeyframeError::Version(version)),
        None => Err(KeyframeError::Damaged(CodecError::Truncated)),
    }
}

fn terminal(reader: &mut Reader<'_>, version: u8) -> Result<Terminal, CodecError> {
    let size = Size { cols: reader.small()?, rows: reader.small()? };
    if size != size.clamped() {
        return Err(CodecError::Invalid("size"));
    }
    let (cols, rows) = (usize::from(size.cols), usize::from(size.rows));
    let now = match version {
        TIMES_VERSION.. => LineTime::read_after(LineTime::UNKNOWN, reader)?,
        _ => LineTime::UNKNOWN,
    };
    let mut cells = CellReader::new(reader, version, now)?;
    let mut emulator = Emulator::new(size);
    for grid in [&mut emulator.grid, &mut emulator.hidden_grid] {
        let rows: Result<_, _> = (0..rows).map(|_| cells.row(reader, cols)).collect();
        grid.replace(rows?, cols);
    }
    if version >= TIMES_VERSION {
        let (count, continues): (usize, _) = (reader.small()?, reader.flag()?);
        if count > OVERFLOW_ROWS_MAX {
            return Err(CodecError::Invalid("overflow"));
        }
        let rows: Result<_, _> = (0..count).map(|_| cells.row(reader, cols)).collect();
        emulator.overflow = Overflow { rows: rows?, continues };
    }
    let head = cells.cells(reader, LINE_COLS_MAX + cols)?;
    emulator.pen = cells.pen(reader)?;
    emulator.saved = saved(reader, &cells, size, version)?;
    emulator.hidden_saved = saved(reader, &cells, size, version)?;
    emulator.pens = cells.pens;
    emulator.clusters = cells.clusters;
    let images = cells.images;

    let head_marks = marks(reader)?;
    let has_head = reader.flag()?;
    if !has_head && !head.is_empty() {
        return Err(CodecError::Invalid("head"));
    }
    let mut scrollback = Scrollback::new(history(reader, version)?);
    (scrollback.head, scrollback.head_marks, scrollback.has_head) = (head, head_marks, has_head);
    scrollback.now = now;
    emulator.scrollback = scrollback;

    emulator.cursor = position(reader, size)?;
    emulator.charsets = charsets(reader, version)?;
    emulator.top = reader.small()?;
    emulator.bottom = reader.small()?;
    let is_one_row = rows == 1 && (emulator.top, emulator.bottom) == (0, 0);
    if !is_one_row && (emulator.top >= emulator.bottom || emulator.bottom >= rows) {
        return Err(CodecError::Invalid("margins"));
    }
    let has_controls = version >= CONTROLS_VERSION;
    if has_controls {
        (emulator.left, emulator.right) = (reader.small()?, reader.small()?);
    }
    emulator.last_printed = option(reader)?
        .map(|scalar| u32::try_from(scalar).ok().and_then(char::from_u32))
        .map(|c| c.filter(|c| !c.is_control()).ok_or(CodecError::Invalid("character")))
        .transpose()?;
    emulator.modes = modes(reader, version)?;
    if has_controls {
        emulator.settings = settings(reader)?;
    }
    let are_at_borders = (emulator.left, emulator.right) == (0, cols - 1);
    if emulator.left >= emulator.right
        || emulator.right >= cols
        || !are_at_borders && !emulator.has_side_margins()
    {
        return Err(CodecError::Invalid("side margins"));
    }
    emulator.cursor_shape = match reader.byte()? {
        0 => CursorShape::Default,
        1 => CursorShape::Block,
        2 => CursorShape::Underline,
        3 => CursorShape::Bar,
        _ => return Err(CodecError::Invalid("cursor shape")),
    };
    emulator.is_cursor_blinking = reader.flag()?;
    emulator.keyboard = keyboard(reader)?;
    emulator.hidden_keyboard = keyboard(reader)?;
    if emulator.keyboard.current != emulator.modes.keyboard {
        return Err(CodecError::Invalid("keyboard flags"));
    }
    let stops = reader.take(cols.div_ceil(8))?;
    emulator.tabs = Tabs::from_stops((0..cols).map(|x| stops[x / 8] >> (x % 8) & 1 != 0).collect());
    emulator.palette = palette(reader, version)?;
    emulator.title = title(reader)?;
    emulator.icon_name = title(reader)?;
    let titles: usize = reader.small()?;
    if titles > TITLE_STACK_MAX {
        return Err(CodecError::Invalid("title stack"));
    }
    for _ in 0..titles {
        let pushed = if has_controls { reader.byte()? } else { 3 };
        if pushed > 3 {
            return Err(CodecError::Invalid("title stack"));
        }
        let mut pushed_title = |bit: u8| (pushed & bit != 0).then(|| title(reader)).transpose();
        let entry = (pushed_title(1)?, pushed_title(2)?);
        emulator.title_stack.push(entry);
    }
    if has_controls && reader.flag()? {
        let (id, head, body) = (title(reader)?, title(reader)?, title(reader)?);
        emulator.notice = Some(Notice { id, title: head, body });
    }
    emulator.scrolls_on_clear = reader.flag()?;
    emulator.reports_titles = has_controls && reader.flag()?;
    if version >= UNICODE_VERSION {
        emulator.widths = Widths::read(reader)?;
    }
    if version >= IMAGES_VERSION {
        (emulator.cell, emulator.images) = images.state(reader)?;
    }
    let parser = parser(reader)?;
    if !reader.is_empty() {
        emulator.sgr_stack = sgr_stack(reader)?;
    }
    if !reader.is_empty() {
        return Err(CodecError::Invalid("end of keyframe"));
    }
    Ok(Terminal::from_parts(parser, emulator))
}

fn option(reader: &mut Reader<'_>) -> Result<Option<u64>, CodecError> {
    Ok(reader.number()?.checked_sub(1))
}

fn position(reader: &mut Reader<'_>, size: Size) -> Result<Position, CodecError> {
    let position =
        Position { x: reader.small()?, y: reader.small()?, is_wrap_pending: reader.flag()? };
    if position.x >= usize::from(size.cols) || position.y >= usize::from(size.rows) {
        return Err(CodecError::Invalid("position"));
    }
    Ok(position)
}

fn saved(
    reader: &mut Reader<'_>,
    cells: &CellReader,
    size: Size,
    version: u8,
) -> Result<SavedCursor, CodecError> {
    Ok(SavedCursor {
        pen: cells.pen(reader)?,
        position: position(reader, size)?,
        charsets: charsets(reader, version)?,
        is_origin: reader.flag()?,
    })
}

fn charsets(reader: &mut Reader<'_>, version: u8) -> Result<Charsets, CodecError> {
    let mut charsets = Charsets::default();
    for set in &mut charsets.sets {
        *set = Charset::from_code(reader.byte()?).ok_or(CodecError::Invalid("character set"))?;
    }
    charsets.locked = reader.byte()?;
    if version >= CONTROLS_VERSION {
        charsets.right = reader.byte()?;
    }
    charsets.single = reader.byte()?.checked_sub(1);
    if charsets.locked > 3 || charsets.right > 3 || charsets.single.is_some_and(|set| set > 3) {
        return Err(CodecError::Invalid("character set"));
    }
    Ok(charsets)
}

fn history(reader: &mut Reader<'_>, version: u8) -> Result<History, CodecError> {
    let (start, end) = (reader.number()?, reader.number()?);
    let cleared_before = reader.number()?;
    if start > end || cleared_before > end || end > u64::MAX / 2 {
        return Err(CodecError::Invalid("history numbers"));
    }
    let mut history = History::starting_at(end, cleared_before);
    history.set_limit(option(reader)?);
    let recent = if version > OLDEST_VERSION { reader.number()? } else { 0 };
    let bytes = reader.rest();
    if recent > RECENT_LINES_MAX as u64 {
        return Err(CodecError::Invalid("recent lines"));
    }
    let mut lines = Vec::new();
    for _ in 0..recent {
        let before = reader.rest();
        HistoryLine::decode(reader)?;
        lines.push(&before[..before.len() - reader.remaining()]);
    }
    if bytes.len() - reader.remaining() > RECENT_BYTES_MAX {
        return Err(CodecError::Invalid("recent lines"));
    }
    let mut times = Vec::new();
    if version >= TIMES_VERSION {
        for run in read_times(reader, recent)? {
            times.extend(std::iter::repeat_n(run.time, run.count as usize));
        }
    }
    let times = times.into_iter().chain(std::iter::repeat(LineTime::UNKNOWN));
    for (line, time) in lines.into_iter().zip(times) {
        history.push(time, |out| out.extend_from_slice(line));
    }
    Ok(history)
}

fn modes(reader: &mut Reader<'_>, version: u8) -> Result<Modes, CodecError> {
    let mut bits = reader.number()?;
    let mut next = || {
        let flag = bits & 1 != 0;
        bits >>= 1;
        flag
    };
    // Fields are evaluated in the order written here, which is that of `write::flags`.
    let mut modes = Modes {
        application_cursor_keys: next(),
        application_keypad: next(),
        reverse_screen: next(),
        origin: next(),
        autowrap: next(),
        cursor_visible: next(),
        insert: next(),
        newline: next(),
        reverse_wrap: next(),
        focus_events: next(),
        alternate_scroll: next(),
        bracketed_paste: next(),
        synchronized_output: next(),
        color_scheme_updates: next(),
        in_band_resize: next(),
        alternate_screen: next(),
        grapheme_clusters: next() || version < UNICODE_VERSION,
        ..Modes::default()
    };
    if bits != 0 {
        return Err(CodecError::Invalid("modes"));
    }
    modes.mouse = match reader.byte()? {
        0 => MouseTracking::Off,
        1 => MouseTracking::X10,
        2 => MouseTracking::Normal,
        3 => MouseTracking::ButtonMotion,
        4 => MouseTracking::AnyMotion,
        _ => return Err(CodecError::Invalid("mouse mode")),
    };
    modes.mouse_encoding = match reader.byte()? {
        0 => MouseEncoding::Default,
        1 => MouseEncoding::Utf8,
        2 => MouseEncoding::Sgr,
        3 => MouseEncoding::Urxvt,
        4 => MouseEncoding::SgrPixels,
        _ => return Err(CodecError::Invalid("mouse encoding")),
    };
    modes.keyboard = keyboard_flags(reader)?;
    modes.modify_other_keys = reader.byte()?;
    if modes.modify_other_keys > 2 {
        return Err(CodecError::Invalid("modes"));
    }
    Ok(modes)
}

fn keyboard_flags(reader: &mut Reader<'_>) -> Result<KeyboardFlags, CodecError> {
    KeyboardFlags::from_bits(reader.byte()?).ok_or(CodecError::Invalid("keyboard flags"))
}

fn keyboard(reader: &mut Reader<'_>) -> Result<KeyboardStack, CodecError> {
    let mut stack = KeyboardStack { current: keyboard_flags(reader)?, pushed: Vec::new() };
    let len: usize = reader.small()?;
    if len > KEYBOARD_STACK_MAX {
        return Err(CodecError::Invalid("keyboard stack"));
    }
    for _ in 0..len {
        stack.pushed.push(keyboard_flags(reader)?);
    }
    Ok(stack)
}

fn settings(reader: &mut Reader<'_>) -> Result<Settings, CodecError> {
    let settings = Settings {
        level: reader.byte()?,
        sends_8bit: reader.flag()?,
        protection: match reader.byte()? {
            0 => Protection::Off,
            1 => Protection::Iso,
            2 => Protection::Dec,
            _ => return Err(CodecError::Invalid("protection")),
        },
        checksum: reader.byte()?,
        extent: reader.byte()?,
        title_modes: TitleModes::from_bits(reader.byte()?)
            .ok_or(CodecError::Invalid("title modes"))?,
        kept: reader.small()?,
        saved: reader.number()?,
    };
    let is_valid = (1..=LEVEL_MAX).contains(&settings.level)
        && settings.checksum < 64
        && settings.extent <= 2
        && settings.kept <= Settings::KEPT_MAX
        && settings.saved <= SAVED_MAX;
    if is_valid { Ok(settings) } else { Err(CodecError::Invalid("settings")) }
}

fn palette(reader: &mut Reader<'_>, version: u8) -> Result<Palette, CodecError> {
    let mut palette = Palette { indexed: colors(reader, |_| true)?, ..Palette::default() };
    if version >= CONTROLS_VERSION {
        palette.special = colors(reader, Palette::is_special)?;
        palette.others = colors(reader, Palette::is_other)?;
    }
    palette.foreground = option(reader)?.map(rgb).transpose()?;
    palette.background = option(reader)?.map(rgb).transpose()?;
    palette.cursor = option(reader)?.map(rgb).transpose()?;
    palette.default_foreground = rgb(reader.number()?)?;
    palette.default_background = rgb(reader.number()?)?;
    Ok(palette)
}

fn colors(
    reader: &mut Reader<'_>,
    is_valid: impl Fn(u8) -> bool,
) -> Result<BTreeMap<u8, Rgb>, CodecError> {
    let mut colors = BTreeMap::new();
    for _ in 0..reader.number()? {
        let entry = reader.take(4)?;
        if !is_valid(entry[0]) {
            return Err(CodecError::Invalid("colour"));
        }
        colors.insert(entry[0], (entry[1], entry[2], entry[3]));
    }
    Ok(colors)
}

fn rgb(number: u64) -> Result<Rgb, CodecError> {
    match u32::try_from(number).map(u32::to_be_bytes) {
        Ok([0, r, g, b]) => Ok((r, g, b)),
        _ => Err(CodecError::Invalid("colour")),
    }
}

fn title(reader: &mut Reader<'_>) -> Result<String, CodecError> {
    let title = reader.printable()?;
    if title.len() > TITLE_BYTES_MAX {
        return Err(CodecError::Invalid("title"));
    }
    Ok(title.to_owned())
}

/// Styles that were pushed, of which there is one at least.
fn sgr_stack(reader: &mut Reader<'_>) -> Result<Vec<PushedStyle>, CodecError> {
    let len: usize = reader.small()?;
    if !(1..=SGR_STACK_MAX).contains(&len) {
        return Err(CodecError::Invalid("stack of styles"));
    }
    let entry = |_| {
        let parts = StyleParts::from_bits(reader.small()?);
        match (parts, reader.style()?) {
            (Some(parts), (style, None)) => Ok(PushedStyle { style, parts }),
            _ => Err(CodecError::Invalid("stack of styles")),
        }
    };
    (0..len).map(entry).collect()
}

fn parser(reader: &mut Reader<'_>) -> Result<Parser, CodecError> {
    let mut parser = Parser::new();
    let state = usize::from(reader.byte()?);
    parser.state = *State::ALL.get(state).ok_or(CodecError::Invalid("parser state"))?;
    match parser.state {
        State::Ground => {}
        State::Utf8 => {
            let begun = reader.bytes()?;
            parser.begin_char(begun).ok_or(CodecError::Invalid("begun character"))?;
        }
        _ => {
            parser.params = params(reader)?;
            let intermediates = reader.bytes()?;
            let are_valid = intermediates.len() <= INTERMEDIATES_MAX
                && intermediates.iter().all(|byte| (0x20..0x40).contains(byte));
            if !are_valid {
                return Err(CodecError::Invalid("intermediates"));
            }
            parser.set_intermediates(intermediates);
            parser.is_ignored = reader.flag()?;
            parser.dcs_last = reader.byte()?;
            parser.string = reader.bytes()?.to_vec();
            parser.is_string_overlong = reader.flag()?;
            if parser.string.len() > parser.string_bytes_max() {
                return Err(CodecError::Invalid("string"));
            }
        }
    }
    Ok(parser)
}

fn params(reader: &mut Reader<'_>) -> Result<Params, CodecError> {
    let len: usize = reader.small()?;
    if !(1..=PARAMS_MAX).contains(&len) {
        return Err(CodecError::Invalid("parameters"));
    }
    let mut values = [0; PARAMS_MAX];
    for value in &mut values[..len] {
        *value = reader.small()?;
    }
    let colons = reader.small()?;
    Ok(Params::from_parts(&values[..len], colons, reader.flag()?))
}
