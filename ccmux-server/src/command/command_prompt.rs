//! `command-prompt`: asks for text at the bottom and runs commands made from it.

use ccmux_core::command::{CommandList, ParseError, Value, fill_text};

use super::{Cx, Flow, Origin, Outcome, Wait};
use crate::client::prompt::{Prompt, PromptKind, PromptOutcome, PromptType};
use crate::client::{OpenPrompt, Purpose, Template};
use crate::event_loop::ClientId;
use crate::server::Server;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let client = cx.client('t')?;
    let prompt_type = match cx.text('T') {
        Some(name) => name.parse()?,
        None => PromptType::default(),
    };
    let target = cx.server.target_of_client(client);
    let template = match cx.args().positional().first() {
        None => Template::Text("%1".to_owned()),
        Some(Value::Text(text)) if cx.args().has('F') => {
            Template::Text(cx.server.expand(&text.to_string(), target, Some(client)))
        }
        Some(Value::Text(text)) => Template::Text(text.to_string()),
        Some(Value::Commands(list)) => Template::Commands(list.clone()),
    };
    let expand = |text: &str| cx.server.expand(text, target, Some(client));
    let inputs: Vec<String> =
        cx.text('I').map(|inputs| inputs.split(',').map(expand).collect()).unwrap_or_default();
    let questions: Vec<String> = match cx.text('p') {
        Some(prompts) => prompts.split(',').map(|text| format!("{} ", expand(text))).collect(),
        None if cx.args().text_at(0).is_some() => {
            let text = cx.args().text_at(0).unwrap_or_default();
            let name = text.split_whitespace().next().unwrap_or_default().to_owned();
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
    let kind = kind(cx);
    let waits = matches!(cx.job.origin, Origin::OneShot(_)) && !cx.args().has('b');
    cx.server.open_prompt(
        client,
        OpenPrompt {
            prompt: Prompt::new(kind, question, &initial),
            prompt_type,
            purpose: Purpose::Template { template, answers: Vec::new(), questions, kind },
            job: waits.then_some(cx.job.id),
        },
    );
    Ok(if waits { Flow::Wait(Wait::Answer) } else { Flow::Next })
}

fn kind(cx: &Cx<'_>) -> PromptKind {
    let kinds = [
        ('1', PromptKind::Character),
        ('N', PromptKind::Number),
        ('i', PromptKind::Incremental),
        ('k', PromptKind::Key),
    ];
    let asked = kinds.into_iter().find(|(flag, _)| cx.args().has(*flag));
    asked.map_or(PromptKind::Line, |(_, kind)| kind)
}

/// Runs what an incremental prompt makes of its text while it is open.
pub(crate) fn prompt_changed(
    server: &mut Server,
    client: ClientId,
    purpose: Purpose,
    text: String,
) {
    if let Purpose::Template { template, mut answers, .. } = purpose {
        answers.push(text);
        server.run_commands(client, filled(server, template, &answers));
    }
}

fn filled(
    server: &Server,
    template: Template,
    answers: &[String],
) -> Result<CommandList, ParseError> {
    match template {
        Template::Text(text) => server.parse_text(fill_text(&text, answers)),
        Template::Commands(list) => Ok(list.filled(answers)),
    }
}

/// What follows from an answer: the next question, or the commands.
pub(crate) fn prompt_answered(
    server: &mut Server,
    client: ClientId,
    open: OpenPrompt,
    outcome: PromptOutcome,
) {
    let OpenPrompt { purpose, job, prompt_type, .. } = open;
    let commands = match (outcome, purpose) {
        (PromptOutcome::Answered(_), Purpose::Confirm { command }) => {
            Some(server.parse_text(command))
        }
        // It has done what it was for already.
        (PromptOutcome::Answered(_), Purpose::Template { kind: PromptKind::Incremental, .. }) => {
            Some(Ok(CommandList::default()))
        }
        (
            PromptOutcome::Answered(answer) | PromptOutcome::AnsweredBefore(answer),
            Purpose::Template { template, mut answers, mut questions, kind },
        ) => {
            answers.push(answer);
            if !questions.is_empty() {
                let (question, initial) = questions.remove(0);
                let prompt = Prompt::new(kind, question, &initial);
                let purpose = Purpose::Template { template, answers, questions, kind };
                let open = OpenPrompt { prompt, prompt_type, purpose, job };
                return server.open_prompt(client, open);
            }
            Some(filled(server, template, &answers))
        }
        _ => None,
    };
    match (commands, job) {
        (Some(commands), None) => server.run_commands(client, commands),
        (commands, Some(id)) => resume(server, id, commands),
        (None, None) => {}
    }
}

/// The job that waited for the answer goes on, with the commands in front of what is left.
fn resume(
    server: &mut Server,
    id: super::JobId,
    commands: Option<Result<CommandList, ParseError>>,
) {
    let Some(mut job) = server.jobs.take(id) else { return };
    job.wait = None;
    match commands {
        Some(Ok(list)) => {
            if !job.insert(list.commands) {
                server.complain(&job, "commands are nested too deep");
            }
        }
        Some(Err(error)) => {
            job.has_failed = true;
            server.complain(&job, &error.to_string());
        }
        None => job.has_failed = true,
    }
    server.jobs.put_back(job);
    server.has_more = true;
}
