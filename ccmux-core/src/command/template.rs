//! Commands with places for answers: what `command-prompt` makes commands of.
//!
//! `%1` to `%9` stand for the answers, as often as they occur; the first `%%` stands for the first
//! answer, the second for the second and so on. A third `%` after either escapes what is special
//! within double quotes.

use bstr::ByteSlice;

use super::args::Value;
use super::{CommandList, ParsedCommand};

/// Fills the places of a text.
pub fn fill_text(template: &str, answers: &[String]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    let mut taken = 0;
    while let Some(at) = rest.find('%') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let after = rest[1..].chars().next();
        let index = match after {
            Some('%') => Some(taken),
            Some(digit @ '1'..='9') => Some(digit as usize - '1' as usize),
            _ => None,
        };
        let Some(answer) = index.and_then(|index| answers.get(index)) else {
            filled.push('%');
            rest = &rest[1..];
            continue;
        };
        taken += usize::from(after == Some('%'));
        rest = &rest[2..];
        if let Some(after) = rest.strip_prefix('%') {
            rest = after;
            push_escaped(&mut filled, answer);
        } else {
            filled.push_str(answer);
        }
    }
    filled.push_str(rest);
    filled
}

fn push_escaped(filled: &mut String, answer: &str) {
    for c in answer.chars() {
        if "\"\\$;~".contains(c) {
            filled.push('\\');
        }
        filled.push(c);
    }
}

impl CommandList {
    /// Fills the places in every argument, blocks included. An answer stays within its argument,
    /// so nothing typed can become a command of its own.
    #[must_use]
    pub fn filled(&self, answers: &[String]) -> CommandList {
        let fill = |command: &ParsedCommand| {
            let mut command = command.clone();
            command.args.map_values(&|value| fill_value(value, answers));
            command
        };
        CommandList { commands: self.commands.iter().map(fill).collect() }
    }
}

fn fill_value(value: &Value, answers: &[String]) -> Value {
    match value {
        // What is not UTF-8 was not written as a template.
        Value::Text(text) => match text.to_str() {
            Ok(text) => Value::Text(fill_text(text, answers).into()),
            Err(_) => value.clone(),
        },
        Value::Commands(commands) => Value::Commands(commands.filled(answers)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ParseContext, parse};
    use super::*;

    fn answers(answers: &[&str]) -> Vec<String> {
        answers.iter().map(|&answer| answer.to_owned()).collect()
    }

    #[test]
    fn places_are_filled() {
        for (template, given, expected) in [
            ("rename %%", &["a b"][..], "rename a b"),
            ("%1-%2-%1", &["a", "b"], "a-b-a"),
            ("%% %% %%", &["a", "b"], "a b %%"),
            ("\"%%%\" %1%", &["a\"$b"], "\"a\\\"\\$b\" a\\\"\\$b"),
            ("100% %x %9 %", &["a"], "100% %x %9 %"),
            ("%1", &["%1 %%"], "%1 %%"),
            ("é%%é", &["ü"], "éüé"),
        ] {
            assert_eq!(fill_text(template, &answers(given)), expected, "{template}");
        }
    }

    #[test]
    fn an_answer_cannot_become_a_command() {
        let text = "rename-window -t %2 '%%' ; if -F 1 { display 'x%%y' }";
        let list = parse(text, &ParseContext::bare()).unwrap();
        let filled = list.filled(&answers(&["a ; kill-server", ":1"]));
        assert_eq!(
            filled.to_string(),
            "rename-window -t :1 \"a ; kill-server\" ; \
             if-shell -F 1 { display-message \"xa ; kill-servery\" }"
        );
    }
}
