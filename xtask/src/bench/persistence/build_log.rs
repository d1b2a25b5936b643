//! The output of a long build, the same bytes in every run: progress in colour, commands, warnings
//! with the code that they are about, tests.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use ccmux_testkit::Random;

const PARTS: [&str; 16] = [
    "buffer", "client", "codec", "config", "driver", "event", "frame", "index", "layout", "parser",
    "queue", "render", "session", "storage", "timer", "widget",
];
const TYPES: [&str; 6] = ["int", "size_t", "const char *", "uint32_t", "bool", "std::string"];
const WARNINGS: [&str; 6] = [
    "unused variable '{}' [-Wunused-variable]",
    "comparison of integer expressions of different signedness: '{}' [-Wsign-compare]",
    "'{}' may be used uninitialized [-Wmaybe-uninitialized]",
    "implicit conversion of '{}' loses integer precision [-Wshorten-64-to-32]",
    "'{}' is deprecated: use the other overload [-Wdeprecated-declarations]",
    "unused parameter '{}' [-Wunused-parameter]",
];

/// Writes so many lines, and returns how many bytes they have.
pub(super) fn write(path: &Path, lines: u32) -> io::Result<u64> {
    let mut random = Random::seeded(0xb011_d109);
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    let (mut written, mut bytes, mut step) = (0, 0, 0);
    while written < lines {
        let mut unit = Vec::new();
        match random.below(20) {
            0..=9 => {
                step += 1;
                progress(&mut random, step, &mut unit)?;
            }
            10..=12 => command(&mut random, &mut unit)?,
            13..=15 => warning(&mut random, &mut unit)?,
            16 => directory(&mut random, &mut unit)?,
            _ => test(&mut random, &mut unit)?,
        }
        for line in unit.split_inclusive(|byte| *byte == b'\n').take((lines - written) as usize) {
            file.write_all(line)?;
            bytes += line.len() as u64;
            written += 1;
        }
    }
    file.flush()?;
    Ok(bytes)
}

fn word(random: &mut Random) -> &'static str {
    PARTS[random.below(PARTS.len() as u64) as usize]
}

/// `src/parser/frame_queue_17`
fn source(random: &mut Random) -> String {
    let number = random.below(90);
    format!("src/{}/{}_{}_{number}", word(random), word(random), word(random))
}

fn progress(random: &mut Random, step: u64, out: &mut Vec<u8>) -> io::Result<()> {
    let percent = step * 100 / 60_000;
    let target = word(random);
    let source = source(random);
    writeln!(
        out,
        "[{percent:3}%] \x1b[32mBuilding CXX object {target}/CMakeFiles/{target}.dir/{source}.cpp.o\x1b[0m"
    )
}

fn command(random: &mut Random, out: &mut Vec<u8>) -> io::Result<()> {
    let (source, hash) = (source(random), random.number());
    writeln!(
        out,
        "/usr/bin/c++ -DNDEBUG -I/work/include -I/work/build/{}/include -O2 -g -fPIC -std=gnu++20 \
         -Wall -Wextra -MD -MT {source}.cpp.o -MF {source}.cpp.o.d -frandom-seed={hash:016x} \
         -o {source}.cpp.o -c /work/{source}.cpp",
        word(random)
    )
}

fn warning(random: &mut Random, out: &mut Vec<u8>) -> io::Result<()> {
    let (source, line, column) = (source(random), random.below(2000), random.below(40));
    let name = format!("{}_{}", word(random), word(random));
    let text = WARNINGS[random.below(WARNINGS.len() as u64) as usize].replace("{}", &name);
    let kind = TYPES[random.below(TYPES.len() as u64) as usize];
    writeln!(
        out,
        "\x1b[1m/work/{source}.cpp:{line}:{column}: \x1b[35mwarning: \x1b[0m\x1b[1m{text}\x1b[0m"
    )?;
    writeln!(
        out,
        "{line:5} |     {kind} \x1b[35m{name}\x1b[0m = {}->{}({});",
        word(random),
        word(random),
        random.below(1000)
    )?;
    writeln!(
        out,
        "      |     {:width$} \x1b[35m^{:~<len$}\x1b[0m",
        "",
        "",
        width = kind.len(),
        len = name.len() - 1
    )
}

fn directory(random: &mut Random, out: &mut Vec<u8>) -> io::Result<()> {
    let (level, part) = (random.below(3) + 1, word(random));
    writeln!(out, "make[{level}]: Entering directory '/work/build/{part}'")
}

fn test(random: &mut Random, out: &mut Vec<u8>) -> io::Result<()> {
    let number = random.below(5000);
    let name = format!("{}.{}_{}_{}", word(random), word(random), word(random), number);
    writeln!(
        out,
        "{number:5}/5000 Test #{number}: {name:.<60}   \x1b[32mPassed\x1b[0m {:4}.{:02} sec",
        random.below(20),
        random.below(100)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_the_same_every_time_and_has_the_lines_asked_for() {
        let directory = tempfile::TempDir::new().unwrap();
        let text = |name: &str| {
            let path = directory.path().join(name);
            let bytes = write(&path, 1000).unwrap();
            let text = std::fs::read_to_string(path).unwrap();
            assert_eq!(text.len() as u64, bytes);
            text
        };
        let (one, two) = (text("one"), text("two"));
        assert_eq!(one, two);
        assert_eq!(one.lines().count(), 1000);
        assert!(one.contains("warning: ") && one.contains("Building CXX object"));
        // Some of these end within what belongs together.
        for lines in 1..=40 {
            let path = directory.path().join("short");
            write(&path, lines).unwrap();
            let text = std::fs::read_to_string(path).unwrap();
            assert_eq!(text.lines().count(), lines as usize);
        }
    }
}
