//! Makes checksums right, whatever they protect: what a fuzzer changes shall not be stopped there.

/// Repairs a file of any kind, told by the first bytes.
pub(crate) fn repair(file: &mut [u8]) {
    match file.first_chunk() {
        Some(b"ccmuxwal") => repair_log(file),
        Some(b"ccmuxckp") => repair_checkpoint(file),
        Some(b"ccmuxspl") => repair_spool(file),
        Some(b"ccmuxkey") => repair_keyframe(file),
        Some(b"ccmuxchk") => repair_chunk(file),
        Some(b"ccmuxmrk") => repair_mark(file),
        Some(b"ccmuxsth") => repair_stash_table(file),
        _ => repair_text(file),
    }
}

fn repair_log(file: &mut [u8]) {
    let mut at = if u32_at(file, 8) == Some(1) { 80 } else { 4176 };
    let Some(header) = file.get_mut(..at) else { return };
    let crc = crc32c::crc32c(&header[..72]);
    put(header, 72, crc);
    if at == 4176 {
        header.copy_within(..80, 4096);
    }
    while let Some(record) = file.get_mut(at..) {
        let Some(len) = u32_at(record, 4) else { return };
        let Some(record) = record.get_mut(..24 + len) else { return };
        let crc = crc32c::crc32c(&record[4..]);
        put(record, 0, crc);
        at += (24 + len).next_multiple_of(8);
    }
}

fn repair_checkpoint(file: &mut [u8]) {
    let Some((header, payload)) = file.split_at_mut_checked(56) else { return };
    put(header, 12, crc32c::crc32c(payload));
    header[24..32].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    let crc = crc32c::crc32c(&header[..52]);
    put(header, 52, crc);
}

/// How long a copy of a segment's header is in a version, where the second one stands, and where the
/// frames begin.
fn spool_layout(version: usize) -> (usize, usize, usize) {
    match version {
        1..=2 => (64, 64, 128),
        3 => (80, 4096, 4176),
        4..=5 => (96, 4096, 4192),
        6 => (112, 4096, 4208),
        _ => (144, 4096, 4240),
    }
}

fn repair_spool(file: &mut [u8]) {
    let Some(version) = u32_at(file, 8) else { return };
    let (len, second_at, frames_at) = spool_layout(version);
    let Some(header) = file.get_mut(..frames_at) else { return };
    let crc = crc32c::crc32c_append(crc32c::crc32c(&header[..12]), &header[16..len]);
    put(header, 12, crc);
    header.copy_within(..len, second_at);
    let mut place = [0; 16];
    place[..8].copy_from_slice(&header[40..48]);
    let mut at = frames_at;
    while let Some(frame) = file.get_mut(at..) {
        let Some(len) = u32_at(frame, 8) else { return };
        let Some(frame) = frame.get_mut(..56 + len) else { return };
        let crc = crc32c::crc32c(&frame[56..]);
        put(frame, 4, crc);
        place[8..].copy_from_slice(&(at as u64).to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&place), &frame[4..56]);
        put(frame, 0, crc);
        at += (56 + len).next_multiple_of(8);
    }
}

fn repair_mark(file: &mut [u8]) {
    let Some(mark) = file.get_mut(..80) else { return };
    let crc = crc32c::crc32c_append(crc32c::crc32c(&mark[..12]), &mark[16..64]);
    put(mark, 12, crc);
    let crc = crc32c::crc32c(&mark[64..72]);
    put(mark, 72, crc);
}

fn repair_stash_table(block: &mut [u8]) {
    let Some(len) = u32_at(block, 24) else { return };
    let Some(table) = block.get_mut(..32 + len) else { return };
    let crc = crc32c::crc32c(&table[16..]);
    put(table, 12, crc);
}

/// The file `format`: a line of JSON, and a line with its checksum.
fn repair_text(file: &mut [u8]) {
    let Some(end) = file.iter().position(|byte| *byte == b'\n') else { return };
    let (json, rest) = file.split_at_mut(end);
    let Some(line) = rest.get_mut(1..16) else { return };
    if line.starts_with(b"crc32c ") {
        line[7..].copy_from_slice(format!("{:08x}", crc32c::crc32c(json)).as_bytes());
    }
}

fn repair_keyframe(file: &mut [u8]) {
    let Some((header, payload)) = file.split_at_mut_checked(80) else { return };
    put(header, 76, payload.len() as u32);
    let crc = crc32c::crc32c_append(crc32c::crc32c(&header[..12]), &header[16..]);
    put(header, 12, crc32c::crc32c_append(crc, payload));
}

fn repair_chunk(file: &mut [u8]) {
    let Some(header) = file.get_mut(..40) else { return };
    let crc = crc32c::crc32c_append(crc32c::crc32c(&header[..12]), &header[16..]);
    put(header, 12, crc);
    let mut place = [0; 32];
    place[..24].copy_from_slice(&header[16..40]);
    let mut at = 40;
    while let Some(block) = file.get_mut(at..) {
        let Some(len) = u32_at(block, 8) else { break };
        let Some(block) = block.get_mut(..48 + len) else { break };
        let crc = crc32c::crc32c(&block[48..]);
        put(block, 4, crc);
        place[24..].copy_from_slice(&(at as u64).to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&place), &block[4..48]);
        put(block, 0, crc);
        at += (48 + len).next_multiple_of(8);
    }
    place[24..].copy_from_slice(&[0; 8]);
    let Some((rest, trailer)) = file.split_last_chunk_mut::<16>() else { return };
    if trailer.ends_with(b"ccmuxidx")
        && let Some(entries) = u32_at(trailer, 4)
        && let Some(start) = rest.len().checked_sub(entries * 52)
    {
        let crc = crc32c::crc32c_append(crc32c::crc32c(&place), &rest[start..]);
        put(trailer, 0, crc);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes) as usize)
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
