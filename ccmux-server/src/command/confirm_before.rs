//! `confirm-before`: runs a command after a person said `y`.

use super::{Cx, Flow, Origin, Outcome, Wait};
use crate::client::prompt::{Prompt, PromptKind, PromptType};
use crate::client::{OpenPrompt, Purpose};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let client = cx.client('t')?;
    let command = cx.args().text_at(0).unwrap_or_default();
    let question = match cx.text('p') {
        Some(prompt) => {
            let target = cx.server.target_of_client(client);
            format!("{} ", cx.server.expand(&prompt, target, Some(client)))
        }
        None => {
            let name = command.split_whitespace().next().unwrap_or_default();
            format!("Confirm '{name}'? (y/n) ")
        }
    };
    // Who asked from outside waits for the answer, unless told not to; a key's job has nothing
    // left to do here.
    let waits = matches!(cx.job.origin, Origin::OneShot(_)) && !cx.args().has('b');
    cx.server.open_prompt(
        client,
        OpenPrompt {
            prompt_type: PromptType::default(),
            prompt: Prompt::new(PromptKind::Confirm, question, ""),
            purpose: Purpose::Confirm { command },
            job: waits.then_some(cx.job.id),
        },
    );
    Ok(if waits { Flow::Wait(Wait::Answer) } else { Flow::Next })
}
