//! What a client hands to the next server to see the same again.

use ccmux_core::command::{ParseContext, parse};
use serde::{Deserialize, Serialize};

use super::flags::ClientFlags;
use super::identity::Identity;
use super::prompt::{Prompt, PromptKind, PromptType};
use super::{OpenPrompt, Purpose, Template};

/// Prompts that would take more are not carried: a token is kept small.
const PROMPT_BYTES_MAX: usize = 64 * 1024;

/// What a client was looking at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ResumeToken {
    pub(crate) session: u32,
    #[serde(default, flatten)]
    pub(crate) flags: ClientFlags,
    /// Panes of the session whose history was being looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) copying: Vec<Copying>,
    /// What it was being asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prompt: Option<OpenedPrompt>,
    /// What its terminal said of itself.
    #[serde(default, skip_serializing_if = "Identity::is_unknown")]
    pub(crate) terminal: Identity,
}

impl ResumeToken {
    /// Reads what a client brings, which need not be what it was given: what it says of the terminal is
    /// kept as far as an answer of that terminal would be.
    pub(crate) fn read(token: &[u8]) -> Option<Self> {
        let token: Self = serde_json::from_slice(token).ok()?;
        Some(Self { terminal: token.terminal.within_bounds(), ..token })
    }
}

/// A pane in copy mode, and where in its history that is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Copying {
    pub(crate) pane: u32,
    pub(crate) top: (u64, usize),
    pub(crate) cursor: (u64, usize),
}

/// A prompt with what is typed so far, and what its answer is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct OpenedPrompt {
    prompt: Prompt,
    prompt_type: PromptType,
    purpose: CarriedPurpose,
}

/// A [`Purpose`] with commands as text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum CarriedPurpose {
    Confirm {
        command: String,
    },
    Template {
        template: String,
        is_commands: bool,
        answers: Vec<String>,
        questions: Vec<(String, String)>,
        kind: PromptKind,
    },
}

impl OpenedPrompt {
    /// A prompt to be carried; `None` for one whose answer a job waits for, since that goes with the
    /// server.
    pub(super) fn of(open: &OpenPrompt) -> Option<Self> {
        let OpenPrompt { prompt, prompt_type, purpose, job: None } = open else { return None };
        let purpose = match purpose.clone() {
            Purpose::Confirm { command } => CarriedPurpose::Confirm { command },
            Purpose::Template { template, answers, questions, kind } => {
                let (template, is_commands) = match template {
                    Template::Text(text) => (text, false),
                    Template::Commands(list) => (list.to_string(), true),
                };
                CarriedPurpose::Template { template, is_commands, answers, questions, kind }
            }
        };
        let opened = Self { prompt: prompt.clone(), prompt_type: *prompt_type, purpose };
        let length = serde_json::to_vec(&opened).map_or(usize::MAX, |text| text.len());
        (length <= PROMPT_BYTES_MAX).then_some(opened)
    }

    /// The prompt, to be asked again; `None` if its commands cannot be read.
    pub(crate) fn reopen(self) -> Option<OpenPrompt> {
        let purpose = match self.purpose {
            CarriedPurpose::Confirm { command } => Purpose::Confirm { command },
            CarriedPurpose::Template { template, is_commands, answers, questions, kind } => {
                let template = match is_commands {
                    true => Template::Commands(parse(&template, &ParseContext::bare()).ok()?),
                    false => Template::Text(template),
                };
                Purpose::Template { template, answers, questions, kind }
            }
        };
        let prompt = self.prompt.within_bounds();
        Some(OpenPrompt { prompt, prompt_type: self.prompt_type, purpose, job: None })
    }
}
