//! A line by itself: its bytes for a terminal, and its rows.

use crate::{HistoryLine, Run, Style, Widths};

use super::sgr::write_change;
use crate::copy_mode::wrap_ranges;

/// The text of a line with the escape sequences of its styles and links, as `capture-pane -e`
/// prints it. Begins and ends in the default style.
pub fn write_line(line: &HistoryLine) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.text.len() + 16);
    let mut style = Style::default();
    let mut has_link = false;
    for (text, next, link) in line.pieces() {
        write_change(style, next, &mut out);
        style = next;
        if let Some(link) = link {
            let id = if link.id.is_empty() { String::new() } else { format!("id={}", link.id) };
            out.extend_from_slice(format!("\x1b]8;{id};{}\x1b\\", link.uri).as_bytes());
            has_link = true;
        } else if has_link {
            out.extend_from_slice(b"\x1b]8;;\x1b\\");
            has_link = false;
        }
        out.extend_from_slice(text.as_bytes());
    }
    if has_link {
        out.extend_from_slice(b"\x1b]8;;\x1b\\");
    }
    write_change(style, Style::default(), &mut out);
    out
}

impl HistoryLine {
    /// The rows of the line at a width in columns (at least 2), each as a line of its own.
    pub fn wrapped(&self, width: usize, widths: &Widths) -> Vec<HistoryLine> {
        let ranges = wrap_ranges(&self.text, width.max(2), widths);
        let last = ranges.len() - 1;
        let mut runs = self.runs.iter().cloned();
        let mut run = runs.next();
        ranges
            .into_iter()
            .enumerate()
            .map(|(row, range)| {
                let mut left = range.len();
                let mut row_runs = Vec::new();
                while let Some(current) = run.as_mut().filter(|_| left > 0) {
                    let taken = left.min(current.len_bytes as usize);
                    row_runs.push(Run { len_bytes: taken as u32, ..current.clone() });
                    left -= taken;
                    current.len_bytes -= taken as u32;
                    if current.len_bytes == 0 {
                        run = runs.next();
                    }
                }
                HistoryLine {
                    text: self.text[range].to_owned(),
                    runs: row_runs,
                    fill: if row == last { self.fill } else { Style::default() },
                    marks: if row == 0 { self.marks } else { crate::LineMarks::empty() },
                    continues: row < last || self.continues,
                    time: self.time,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Color, Size, Terminal};

    fn styled(text: &str) -> HistoryLine {
        let red = Style { fg: Color::Indexed(1), ..Style::default() };
        let runs = vec![
            Run { len_bytes: 2, style: Style::default(), link: None },
            Run { len_bytes: 3, style: red, link: None },
        ];
        HistoryLine { text: text.to_owned(), runs, ..HistoryLine::default() }
    }

    #[test]
    fn rows_keep_text_and_styles() {
        let line = styled("abcdefg");
        let rows = line.wrapped(3, Widths::builtin());
        let texts: Vec<_> = rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(texts, ["abc", "def", "g"]);
        let red = |row: &HistoryLine| {
            row.pieces()
                .filter(|(_, style, _)| style.fg == Color::Indexed(1))
                .map(|(text, ..)| text.to_owned())
                .collect::<String>()
        };
        assert_eq!(rows.iter().map(red).collect::<Vec<_>>(), ["c", "de", ""]);
    }

    #[test]
    fn written_lines_read_back_the_same() {
        let line = styled("abcdefg");
        let mut terminal = Terminal::new(Size { cols: 20, rows: 2 });
        terminal.advance(&write_line(&line));
        let back = terminal.screen_lines().swap_remove(0);
        assert_eq!(write_line(&back), write_line(&line));
        assert_eq!(back.text, line.text);
    }
}
