//! `command-prompt`: asks for text at the bottom and runs commands made from it.

use super::{Cx, Flow, Origin, Outcome, Wait};
use crate::client::prompt::{Prompt, PromptKind, PromptOutcome};
use crate::client::{OpenPrompt, Purpose};
use crate::event_loop::ClientId;
use crate::server::Server;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let client = cx.client('t')?;
    let target = cx.server.target_of_client(client);
    let template = cx.args().text_at(0).unwrap_or_else(|| "%1".to_owned());
    let expand = |text: &str| cx.server.expand(text, target, Some(client));
    let inputs: Vec<String> =
        cx.text('I').map(|inputs| inputs.split(',').map(expand).collect()).unwrap_or_default();
    let questions: Vec<String> = match cx.text('p') {
        Some(prompts) => prompts.split(',').map(|text| format!("{} ", expand(text))).collect(),
        None if cx.args().text_at(0).is_some() => {
            let name = template.split_whitespace().next().unwrap_or_default();
            vec![format!("({name}) ")]
        }
        None => vec![":".to_owned()],
    };
    let mut inputs = inputs.into_iter();
    let mut questions: Vec<(String, String)> = questions
        .into_iter()
        .map(|question| (question, inputs.next().unwrap_or_default()))
        .collect();
    let (question, initial) = questions.remove(0);
    let is_single = cx.args().has('1');
    let waits = matches!(cx.job.origin, Origin::OneShot(_)) && !cx.args().has('b');
    cx.server.open_prompt(
        client,
        OpenPrompt {
            prompt: Prompt::new(kind(is_single), question, &initial),
            purpose: Purpose::Template { template, answers: Vec::new(), questions, is_single },
            job: waits.then_some(cx.job.id),
        },
    );
    Ok(if waits { Flow::Wait(Wait::Answer) } else { Flow::Next })
}

fn kind(is_single: bool) -> PromptKind {
    if is_single { PromptKind::Character } else { PromptKind::Line }
}

/// What follows from an answer: the next question, or the commands.
pub(crate) fn prompt_answered(
    server: &mut Server,
    client: ClientId,
    open: OpenPrompt,
    outcome: PromptOutcome,
) {
    let OpenPrompt { purpose, job, .. } = open;
    let text = match (outcome, purpose) {
        (PromptOutcome::Answered(_), Purpose::Confirm { command }) => Some(command),
        (
            PromptOutcome::Answered(answer),
            Purpose::Template { template, mut answers, mut questions, is_single },
        ) => {
            answers.push(answer);
            if !questions.is_empty() {
                let (question, initial) = questions.remove(0);
                let prompt = Prompt::new(kind(is_single), question, &initial);
                let purpose = Purpose::Template { template, answers, questions, is_single };
                return server.open_prompt(client, OpenPrompt { prompt, purpose, job });
            }
            Some(fill(&template, &answers))
        }
        _ => None,
    };
    match (text, job) {
        (Some(text), None) => server.run_text(client, &text),
        (text, Some(id)) => resume(server, id, text.as_deref()),
        (None, None) => {}
    }
}

/// The job that waited for the answer goes on, with the commands in front of what is left.
fn resume(server: &mut Server, id: super::JobId, text: Option<&str>) {
    let parsed = text.map(|text| server.parse_text(text));
    let Some(mut job) = server.jobs.take(id) else { return };
    job.wait = None;
    match parsed {
        Some(Ok(list)) => {
            job.insert(list.commands);
        }
        Some(Err(error)) => {
            job.has_failed = true;
            server.complain(&job, &error.to_string());
        }
        None => job.has_failed = true,
    }
    server.jobs.put_back(job);
}

/// Puts answers into a template: `%1` to `%9`, and `%%` for the first; `%%%` and a trailing `%`
/// after a number quote the answer for use inside double quotes, as in tmux.
fn fill(template: &str, answers: &[String]) -> String {
    let mut out = String::new();
    let mut rest = template;
    let mut is_first_used = false;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let index = match rest.chars().next() {
            Some('%') if !is_first_used => {
                is_first_used = true;
                Some(0)
            }
            Some(digit @ '1'..='9') => Some(digit as usize - '1' as usize),
            _ => None,
        };
        let Some(answer) = index.map(|index| answers.get(index).map_or("", String::as_str)) else {
            out.push('%');
            continue;
        };
        rest = &rest[1..];
        match rest.strip_prefix('%') {
            Some(after) => {
                rest = after;
                for c in answer.chars() {
                    if matches!(c, '"' | '\\' | '$' | ';') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
            None => out.push_str(answer),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn answers_go_where_the_template_says() {
        let answers = ["one two".to_owned(), "a\"b".to_owned()];
        for (template, expected) in [
            ("rename-window -- '%%'", "rename-window -- 'one two'"),
            ("move-window -t %1 %2", "move-window -t one two a\"b"),
            ("x \"%2%\"", "x \"a\\\"b\""),
            ("100% sure", "100% sure"),
            ("%%%", "one two"),
            ("%9", ""),
        ] {
            assert_eq!(fill(template, &answers), expected, "{template}");
        }
    }
}
